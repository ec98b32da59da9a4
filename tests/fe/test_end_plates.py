"""Flat end plates between two planes of elements: cement joins the bone wherever the planes lie."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from simulated_vertebra import drum, flat_drum
from tets_in_calculix import force_in_calculix

from osteoscope.fe.density import Calibration
from osteoscope.fe.landmarks import vertebra_marks
from osteoscope.fe.laws import LAWS
from osteoscope.fe.loads import CAP_MM, CEMENT_MPA, Trial, compression
from osteoscope.fe.mesh import Material, in_series, with_caps
from osteoscope.fe.plastic import PushOptions, push
from osteoscope.fe.tet_model import TetModel, tetrahedra

MATERIAL = Material(LAWS["kopperdahl_2002"], Calibration("fixed", "K2HPO4", 0.8e-3, 0.0, 0.05, True, "test"))
SIZE = 4.0
THROUGH_AN_ELEMENT = np.arange(0, SIZE, 0.5)


def potted(lower: float) -> Trial:
    bone = flat_drum(lower)
    return compression(bone, vertebra_marks(bone), MATERIAL, SIZE)


def spread(values: list[float]) -> float:
    return float(np.abs(np.asarray(values) / np.mean(values) - 1).max())


def test_bricks_are_as_stiff_and_strong_wherever_their_planes_lie() -> None:
    """Within 4 and 3 %, of which half is the cement's thickness: its flat side keeps to planes of elements."""
    curves, planes = [], []
    for lower in THROUGH_AN_ELEMENT:
        trial = potted(lower)
        curves.append(push(trial.model, trial.supports, PushOptions(steps=4)))
        planes.append(float(trial.mesh.grid.to_index((0, 0, 13.0))[0] + 0.5) % 1)
        # No bone of the end plates is left bare: below every flat side there is cement from bone to its end.
        column = tuple(np.rint(trial.mesh.grid.to_index((0, 0, 0))).astype(int)[1:])
        filled = np.flatnonzero((trial.caps | (trial.mesh.share > 0))[:, *column])
        assert (np.diff(filled) == 1).all()
        bare = (trial.mesh.share < 0.99) & ~trial.caps
        assert not bare[:, *column][filled].any()
    assert np.diff(np.sort(planes)).max() < 0.13
    assert spread([curve.stiffness for curve in curves]) < 0.04
    assert spread([curve.failure_load for curve in curves]) < 0.03


def joined(tets: TetModel, trial: Trial) -> None:
    """Both ends are held, and the bone is there with its modulus."""
    values = set(np.unique(tets.held[2][tets.held[1] == 0]))
    assert values == set(np.unique(trial.supports.value[trial.supports.axis == 0]))
    cell = trial.mesh.grid.cell
    assert (tets.volume * (1 - tets.cement)).sum() == pytest.approx(trial.mesh.share.sum() * cell, rel=0.04)


@pytest.mark.parametrize("size", [4.0, 2.0])
def test_tetrahedra_of_an_upright_drum(size: float) -> None:
    bone = drum((0, 0))
    trial = compression(bone, vertebra_marks(bone), MATERIAL, size)
    joined(tetrahedra(bone, MATERIAL, trial, 4.0), trial)


@pytest.mark.skipif(shutil.which("ccx") is None, reason="CalculiX (calculix-ccx) is not installed")
def test_tetrahedra_are_as_stiff_wherever_planes_of_bricks_lie(tmp_path: Path) -> None:
    """Within 4 %; a little softer than the bricks, at edges of 6 mm that lose 1 to 3 % of the volume."""
    forces = []
    for lower in THROUGH_AN_ELEMENT[::3]:
        trial = potted(lower)
        gently = replace(trial, supports=trial.supports.scaled(0.05))
        tets = tetrahedra(flat_drum(lower), MATERIAL, gently, 6.0)
        joined(tets, gently)
        forces.append(force_in_calculix(tets, tmp_path))
    assert spread(forces) < 0.04


def test_cement_is_as_thick_as_planned_to_half_an_element() -> None:
    for lower in THROUGH_AN_ELEMENT[::2]:
        trial = potted(lower)
        levels = np.flatnonzero(trial.caps.any(axis=(1, 2)))
        top, bottom = (float(trial.mesh.grid.to_index((0, 0, z))[0] + 0.5) for z in (13.0, -13.0))
        for thick in (levels[-1] + 1 - top, bottom - levels[0]):
            # Bone that fills less than 0.15 of an element is left out.
            assert abs(thick * SIZE - CAP_MM) <= (0.5 + 0.15) * SIZE


def test_a_filled_element_is_as_compliant_as_its_layers() -> None:
    trial = potted(1.0)
    made, caps = trial.mesh, trial.caps
    place = np.argwhere(caps & (made.share > 0.2) & (made.share < 0.8))[0]
    one = tuple(place)
    share, tissue = float(made.share[one]), float(made.modulus[one] / made.share[one])
    full = with_caps(made, caps, CEMENT_MPA)
    assert 1 / full.modulus[one] == pytest.approx(share / tissue + (1 - share) / CEMENT_MPA, rel=1e-4)
    assert full.strength is not None
    assert made.strength is not None
    assert full.strength[one] == pytest.approx(made.strength[one] / share, rel=1e-4)
    assert np.isinf(full.strength[caps & (made.share <= 0)]).all()
    ends = in_series(np.array([0, 700], np.float32), np.array([0, 1], np.float32), CEMENT_MPA)
    assert ends == pytest.approx([CEMENT_MPA, 700])
