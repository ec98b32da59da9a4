"""Landmarks on bones whose landmarks are known, and what the testing machine does with them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_bones import HIP, femur
from simulated_vertebra import drum

from osteoscope.errors import InvalidValueError, UnsuitableStudyError
from osteoscope.fe.bone import Bone
from osteoscope.fe.cases import CASES, case_for, corrected
from osteoscope.fe.density import Calibration
from osteoscope.fe.landmarks import vertebra_marks
from osteoscope.fe.landmarks_femur import femur_marks
from osteoscope.fe.laws import law_for
from osteoscope.fe.loads import STRAIN, compression
from osteoscope.fe.loads_femur import beyond, fall, stance
from osteoscope.fe.mesh import Material

FIXED = Calibration("fixed", "K2HPO4", 0.8e-3, 0.0, 0.05, True, "test")


@settings(max_examples=5)
@given(st.floats(-15, 15), st.floats(-15, 15))
def test_axis_and_height_of_a_leaning_vertebra(left: float, back: float) -> None:
    marks = vertebra_marks(drum((left, back)))
    axis = np.array([np.tan(np.deg2rad(left)), np.tan(np.deg2rad(back)), 1.0])
    axis /= np.linalg.norm(axis)
    assert np.rad2deg(np.arccos(min(1.0, float(marks.axis @ axis)))) < 3
    # A step of one voxel over the plate is all that a mask shows of a small tilt.
    assert marks.height == pytest.approx(26, abs=1.3)
    assert np.linalg.norm(marks.centre) < 4


def test_vertebra_cut_by_the_field_is_refused() -> None:
    bone = drum((0, 0))
    cut = bone.mask & (np.arange(bone.mask.shape[0])[:, None, None] == 20)
    with pytest.raises(UnsuitableStudyError, match="edge of the field"):
        vertebra_marks(Bone(bone.site, bone.grid, bone.hu, bone.mask, {}, cut))


def test_compression_pushes_flat_caps_over_the_whole_end_plates() -> None:
    bone = drum((6, -4))
    marks = vertebra_marks(bone)
    trial = compression(bone, marks, Material(law_for(bone.site), FIXED), 3.0)
    moved = trial.supports.value[trial.supports.value != 0]
    assert moved == pytest.approx(-STRAIN * marks.height)
    assert len(set(trial.supports.nodes[trial.supports.value != 0][:, 0])) == 1
    # Nodes reach half an element beyond the elements, and those of the rim, in part bone, most of another half. Of both
    # pedicles, 8 mm wide, the first 3 mm count as body.
    area = len(moved) * 9.0
    assert area == pytest.approx(np.pi * (20 + 1.5 + 1.5) ** 2 + 2 * 8 * 3, rel=0.07)
    assert (trial.caps & (trial.mesh.share > 0.9)).sum() < 0.3 * trial.caps.sum()
    assert trial.mesh.share.sum() * 27 == pytest.approx(bone.mask.sum(), rel=0.02)


def test_femur_landmarks() -> None:
    bone = femur()
    marks = femur_marks(bone)
    assert np.linalg.norm(marks.head - HIP) < 2
    assert marks.radius == pytest.approx(24, abs=1.2)
    assert not marks.knee_seen
    assert 110 < marks.neck_shaft_angle < 135
    assert marks.axis @ np.array([0, 0, 1]) > 0.98
    assert marks.medial[0] < -0.8


def test_femur_that_shows_too_little_is_refused() -> None:
    bone = femur()
    levels = np.arange(bone.mask.shape[0])[:, None, None]
    low = int(bone.grid.to_index((0, 0, -95 - 4 * 24))[0])
    mask = bone.mask & (levels >= low)
    with pytest.raises(UnsuitableStudyError, match="cut by the field"):
        femur_marks(Bone(bone.site, bone.grid, bone.hu, mask, {}, mask & (levels == low)))


def test_stance_holds_the_shaft_and_pushes_the_head_along_the_axis() -> None:
    bone = femur({"troch": ((125.0, -30.0, -140.0), 20.0), "far": ((110.0, -34.0, -345.0), 12.0)})
    marks = femur_marks(bone)
    assert beyond(bone, marks, 3.0) == ("far",)
    trial = stance(bone, marks, Material(law_for(bone.site), FIXED), 3.0)
    nodes, axis, value = trial.supports.nodes, trial.supports.axis, trial.supports.value
    assert set(axis[value != 0]) == {0}
    held = nodes[(value == 0) & (nodes[:, 0] == 0)]
    assert len(held) == (value == 0).sum()
    pushed = trial.mesh.grid.to_position(nodes[value != 0].mean(axis=0) - 0.5)
    off = pushed - marks.head
    assert np.linalg.norm(off - (off @ marks.axis) * marks.axis) < 3
    assert marks.radius < off @ marks.axis < marks.radius + 12
    assert trial.mesh.lesions["troch"].sum() * 27 == pytest.approx(np.pi / 6 * 20**3, rel=0.1)


def test_fall_squeezes_the_head_against_the_trochanter() -> None:
    bone = femur()
    marks = femur_marks(bone)
    trial = fall(bone, marks, Material(law_for(bone.site), FIXED), 3.0)
    nodes, axis, value = trial.supports.nodes, trial.supports.axis, trial.supports.value
    up = trial.mesh.grid.matrix[:3, 0] / 3.0
    assert up @ marks.medial > 0.9
    seat = trial.mesh.grid.to_position(nodes[(axis == 0) & (value == 0)].mean(axis=0) - 0.5)
    head = trial.mesh.grid.to_position(nodes[value != 0].mean(axis=0) - 0.5)
    assert (head - seat) @ up > 2.5 * marks.radius
    assert (seat - marks.shaft) @ marks.along > 0


@pytest.mark.parametrize("case", ["stance", "fall"])
def test_a_healed_femur_is_modelled_as_far_down_as_the_sick_one(case: str) -> None:
    bone = femur({"low": ((121.3, -36.5, -214.7), 16.0)})
    marks, material = femur_marks(bone), Material(law_for(bone.site), FIXED)
    grids = [
        CASES[case].trial(one, marks, material, 5.0, (0.0, 0.0)).mesh.grid
        for one in (bone, bone.healed(["low"]), femur())
    ]
    assert grids[0] == grids[1]
    assert max(grids[0].shape) > max(grids[2].shape)


@pytest.mark.parametrize("tilt", [(5.0, 0.0), (-5.0, 0.0), (0.0, 5.0), (0.0, -5.0)])
def test_a_tilted_fall_is_another_fall(tilt: tuple[float, float]) -> None:
    """By the whole angle, up or down the shaft or across it."""
    bone = femur()
    marks, material = femur_marks(bone), Material(law_for(bone.site), FIXED)
    upright, leaned = (
        fall(bone, marks, material, 5.0, way).mesh.grid.matrix[:3, 0] / 5.0 for way in ((0.0, 0.0), tilt)
    )
    assert np.rad2deg(np.arccos(upright @ leaned)) == pytest.approx(5, abs=0.01)
    adducted = [np.rad2deg(np.arcsin(-(axis @ marks.along))) for axis in (upright, leaned)]
    assert adducted[0] == pytest.approx(10)
    assert adducted[1] == pytest.approx(10 - tilt[0], abs=0.1)


def test_directions_set_by_hand_are_of_unit_length() -> None:
    vertebra, thigh = vertebra_marks(drum((0, 0))), femur_marks(femur())
    assert corrected(vertebra, {"axis": (0.3, 0.0, 0.4)}).axis == pytest.approx((0.6, 0.0, 0.8))
    marks = corrected(thigh, {"along": (0.0, 0.0, 2.0), "medial": (-3.0, 0.0, 0.0), "radius": (23.5,)})
    assert (*marks.along, *marks.medial, marks.radius) == pytest.approx((0, 0, 1, -1, 0, 0, 23.5))


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("along", (0.0, 0.1, -1.0), "away from the head"), ("along", (1.0, 0.0, 0.0), "away from the head"),
        ("medial", (0.0, 0.0, 0.0), "without length"), ("radius", (0.0,), "no radius"),
        ("radius", (-24.0,), "no radius"), ("head", (0.0, float("nan"), 0.0), "not a number"),
        ("head", (1.0, 2.0), "2 numbers"), ("axis", (0.0, 0.0, 1.0), "3 numbers"),
    ],
)  # fmt: skip
def test_a_landmark_that_cannot_be_is_refused(name: str, value: tuple[float, ...], found: str) -> None:
    with pytest.raises(InvalidValueError, match=found):
        corrected(femur_marks(femur()), {name: value})


def test_bones_without_a_case_are_refused() -> None:
    assert case_for("femur_right").name == "stance"
    assert case_for("femur_right", "fall").name == "fall"
    with pytest.raises(UnsuitableStudyError, match="femora and vertebrae"):
        case_for("hip_left")
    with pytest.raises(UnsuitableStudyError, match="compression"):
        case_for("vertebra_L1", "stance")
