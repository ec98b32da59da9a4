"""Rigidity across the neck of a femur."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from simulated_bones import femur

from osteoscope.domain.geometry import Grid
from osteoscope.fe.bone import Bone
from osteoscope.fe.cases import CASES
from osteoscope.fe.density import Calibration
from osteoscope.fe.landmarks_femur import FemurMarks, femur_marks
from osteoscope.fe.laws import LAWS, law_for
from osteoscope.fe.mesh import Material
from osteoscope.fe.neck import neck_loss
from osteoscope.fe.strength import strength
from osteoscope.fe.strength_record import Setting

FIXED = Calibration("fixed", "K2HPO4", 0.8e-3, 0.0, 0.05, True, "test")
MATERIAL = Material(law_for("femur_left"), FIXED)


def on_axis(marks: FemurMarks, share: float) -> tuple[float, float, float]:
    """A place between the head's centre and the shaft."""
    x, y, z = (float(v) for v in marks.head + share * (marks.neck - marks.head))
    return x, y, z


def test_a_plug_in_a_rod_costs_its_share_of_the_section() -> None:
    """A slanting rod of 20 mm with a soft core of 10 mm over 12 mm: EA falls by a quarter of what is stiff."""
    grid = Grid.axial((70, 40, 70), (1.0, 1.0, 1.0), (-35, -20, -35))
    places = grid.to_position(np.moveaxis(np.indices(grid.shape), 0, -1))
    axis = np.array([-1.0, 0, 1]) / np.sqrt(2)
    along = places @ axis
    far = np.linalg.norm(places - along[..., None] * axis, axis=-1)
    mask, core = (far <= 10) & (np.abs(along) < 30), (far <= 5) & (np.abs(along) < 6)
    hu = np.where(core, np.float32(0), np.float32(1000))
    bone = Bone("femur_left", grid, hu, mask, {"core": core}, np.zeros(mask.shape, bool))
    zero, up = np.zeros(3), np.array([0.0, 0, 1])
    marks = FemurMarks(20 * axis, 10.0, zero, up, -400 * up, False, -25 * axis, 400.0, -axis)
    elastic = Material(LAWS["keller_ogo"], FIXED)
    found = neck_loss(bone, "core", marks, elastic, 1.0)
    assert found is not None
    assert found.kind == "axial"
    assert found.loss == pytest.approx(0.25, abs=0.02)


def test_a_neck_loses_more_to_a_larger_lesion_and_nothing_is_said_of_the_trochanter() -> None:
    marks = femur_marks(femur())
    losses = []
    for diameter in (10.0, 16.0, 22.0):
        bone = femur({"neck": (on_axis(marks, 0.5), diameter)})
        found = neck_loss(bone, "neck", marks, MATERIAL, 2.0)
        assert found is not None
        losses.append(found.loss)
    assert all(later > 1.5 * before for before, later in pairwise(losses))
    assert 0.1 < losses[-1] < 0.3
    assert neck_loss(femur({"t": ((125.0, -30.0, -140.0), 20.0)}), "t", marks, MATERIAL, 2.0) is None


def test_the_result_of_a_femur_holds_the_loss_across_its_neck() -> None:
    marks = femur_marks(femur())
    bone = femur({"neck": (on_axis(marks, 0.5), 22.0)})
    found = strength(bone, Setting(CASES["stance"], MATERIAL, 6.0, 0.0, 70.0))
    cost = found.lesions[0]
    loss = next(m for m in cost.measures if m.name == "rigidity_loss")
    assert "neck" in loss.method
    assert 5 < loss.value < 30
    assert cost.weakest is None
    assert not any(gap.step == "rigidity_loss" for gap in found.gaps)
