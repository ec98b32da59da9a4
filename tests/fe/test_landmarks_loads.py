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
    assert beyond(bone, marks, 3.0) == {"far": 0.0}
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


def test_a_lesion_is_modelled_as_far_down_as_the_field_shows() -> None:
    """What of it lies below is told by its share; the model ends where it can, not where a bone without it would."""
    bone = femur({"low": ((108.0, -34.0, -330.0), 50.0), "far": ((110.0, -34.0, -345.0), 12.0)})
    marks, material = femur_marks(bone), Material(law_for(bone.site), FIXED)
    held = beyond(bone, marks, 5.0)
    assert held.keys() == {"low", "far"}
    assert held["far"] == 0
    assert 0.05 < held["low"] < 0.7
    sick, healthy = (stance(one, marks, material, 5.0) for one in (bone, femur()))
    assert sick.length > healthy.length + 30
    low = bone.lesions["low"].sum() * bone.grid.cell
    assert sick.mesh.lesions["low"].sum() * sick.mesh.grid.cell == pytest.approx(held["low"] * low, rel=0.2)


def test_directions_set_by_hand_are_of_unit_length() -> None:
    spine, thigh = drum((0, 0)), femur()
    found = vertebra_marks(spine)
    assert corrected(CASES["compression"], spine, found, {"axis": (0.3, 0.0, 0.4)}).axis == pytest.approx((0.6, 0, 0.8))
    by_hand = {"along": (0.0, 0.0, 2.0), "medial": (-3.0, 0.0, 0.0), "radius": (23.5,)}
    marks = corrected(CASES["fall"], thigh, femur_marks(thigh), by_hand)
    assert (*marks.along, *marks.medial, marks.radius) == pytest.approx((0, 0, 1, -1, 0, 0, 23.5))


def test_what_hangs_on_a_head_set_by_hand_follows_it() -> None:
    bone = femur()
    found = femur_marks(bone)
    moved = np.array([-6.0, 3.0, 5.0])
    marks = corrected(CASES["stance"], bone, found, {"head": tuple(found.head + moved)})
    assert marks.head == pytest.approx(found.head + moved)
    assert marks.knee[2] == pytest.approx(found.knee[2] + 5)
    line = np.cross(marks.knee - found.shaft, found.knee - found.shaft)
    assert np.linalg.norm(line) < 1e-6 * np.linalg.norm(found.knee - found.shaft) ** 2
    assert (marks.neck - found.neck) @ found.along == pytest.approx(moved @ found.along)
    assert marks.foot == pytest.approx(((marks.head - bone.positions) @ marks.axis).max())
    assert marks.medial @ marks.along == pytest.approx(0, abs=1e-9)
    assert np.cross(marks.medial, marks.head - marks.shaft) @ marks.along == pytest.approx(0, abs=1e-9)


def test_an_axis_follows_end_plates_set_by_hand() -> None:
    bone = drum((0, 0))
    found = vertebra_marks(bone)
    upper = found.upper + np.array([6.0, 0.0, 0.0])
    marks = corrected(CASES["compression"], bone, found, {"upper": tuple(upper)})
    way = upper - found.lower
    assert marks.axis == pytest.approx(way / np.linalg.norm(way))
    assert marks.centre == pytest.approx((upper + found.lower) / 2)
    tilts = [
        compression(bone, one, Material(law_for(bone.site), FIXED), 5.0).mesh.grid.matrix for one in (found, marks)
    ]
    assert tilts[1][0, 0] / 5 > tilts[0][0, 0] / 5 + 0.15


@pytest.mark.parametrize(
    ("case", "name", "value", "found"),
    [
        ("fall", "along", (0.0, 0.1, -1.0), "away from the head"),
        ("fall", "along", (1.0, 0.0, 0.0), "away from the head"),
        ("fall", "along", (1.0, 0.0, 0.3), "off the direction found"),
        ("fall", "medial", (0.0, 0.0, 0.0), "without length"),
        ("fall", "medial", (1.0, 0.0, 0.0), "off the direction found"),
        ("fall", "knee", (88.0, -35.0, -500.0), "no landmark that a hand can set"),
        ("stance", "radius", (0.0,), "no radius"), ("stance", "radius", (-24.0,), "no radius"),
        ("stance", "radius", (2.0,), "far from the 24 mm found"),
        ("stance", "head", (0.0, float("nan"), 0.0), "not a number"), ("stance", "head", (1.0, 2.0), "2 numbers"),
        ("stance", "head", (500.0, 0.0, 0.0), "away from the bone"),
        ("stance", "head", (100.0, -35.0, -250.0), "above and"),
        ("stance", "shaft", (0.0, 0.0, 0.0), "away from the bone"),
        ("stance", "knee", (88.0, -35.0, -150.0), "mm from the head"),
        ("stance", "knee", (88.0, -35.0, 400.0), "not below the head"),
        ("stance", "medial", (-1.0, 0.0, 0.0), "no landmark that a hand can set"),
        ("stance", "foot", (200.0,), "no landmark that a hand can set"),
        ("compression", "upper", (0.0, 0.0, 160.0), "away from the bone"),
        ("compression", "upper", (0.0, 0.0, -12.0), "end plates"),
        ("compression", "centre", (0.0, 0.0, 0.0), "Known are"),
    ],
)  # fmt: skip
def test_a_landmark_that_cannot_be_is_refused(case: str, name: str, value: tuple[float, ...], found: str) -> None:
    row = CASES[case]
    bone = drum((0, 0)) if row.bones == "vertebra_" else femur()
    with pytest.raises(InvalidValueError, match=found):
        corrected(row, bone, row.marks(bone), {name: value})


def test_bones_without_a_case_are_refused() -> None:
    assert case_for("femur_right").name == "stance"
    assert case_for("femur_right", "fall").name == "fall"
    with pytest.raises(UnsuitableStudyError, match="femora and vertebrae"):
        case_for("hip_left")
    with pytest.raises(UnsuitableStudyError, match="compression"):
        case_for("vertebra_L1", "stance")
