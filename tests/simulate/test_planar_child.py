"""Growth, posture and the labelled body of the parametric child."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from osteoscope.domain.anatomy import BONE_TO_UNIT, SIDES
from osteoscope.domain.geometry import Grid
from osteoscope.errors import InvalidValueError
from osteoscope.simulate.body import Body, Child, build_child
from osteoscope.simulate.growth import Sex, grow, usual_height_mm, usual_mass_kg
from osteoscope.simulate.posture import ArmPose, LegPose, Pose

AGES = (0.0, 0.5, 2.0, 5.0, 10.0, 15.0, 18.0)


@cache
def child(age: float, pose: Pose | None = None, seed: int = 0, sex: Sex = "M") -> Body:
    return build_child(Child(grow(age, sex), age, pose or Pose(), 0.3), np.random.default_rng(seed))


def centre(body: Body, name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(body.positions(body.voxels([body.structures.index(name)])).mean(axis=0))


def test_height_and_mass_follow_the_reference_table() -> None:
    assert usual_height_mm(5, "M") == pytest.approx(1100)
    assert usual_mass_kg(10, "F") == pytest.approx(31.9)
    heights = [usual_height_mm(age, "F") for age in AGES]
    assert heights == sorted(heights)


@pytest.mark.parametrize("age", AGES)
def test_the_parts_add_up_to_the_height(age: float) -> None:
    stature = grow(age, "M")
    feet = stature.height - sum(stature.lengths[p] for p in ("head", "neck", "trunk", "thigh", "shank"))
    assert 0.02 < feet / stature.height < 0.06


def test_infants_have_larger_heads_and_shorter_legs() -> None:
    young = [grow(age, "M") for age in AGES if age <= 10]
    head, leg = ([child.lengths[part] / child.height for child in young] for part in ("head", "thigh"))
    assert head == sorted(head, reverse=True)
    assert leg == sorted(leg)


@pytest.mark.parametrize("sex", ["M", "F"])
@pytest.mark.parametrize("age", [0.5, 5.0, 15.0])
def test_the_body_weighs_what_a_child_weighs(age: float, sex: Sex) -> None:
    body = child(age, sex=sex)
    mass = body.density[body.labels].sum() * body.grid.cell * 1e-6
    assert mass == pytest.approx(usual_mass_kg(age, sex), rel=0.2)


@pytest.mark.parametrize("age", [0.0, 0.5, 5.0, 18.0])
def test_every_named_bone_is_there(age: float) -> None:
    body = child(age)
    missing = [bone for bone in BONE_TO_UNIT if not body.voxels([body.structures.index(bone)]).size]
    assert not missing


def test_bones_are_covered_by_soft_tissue() -> None:
    body = child(5)
    bare = body.unit_of_structure[body.labels[1:-1, 1:-1, 1:-1]] >= 0
    open_air = np.zeros_like(bare)
    for axis in range(3):
        for step in (-1, 1):
            open_air |= np.roll(body.labels, step, axis)[1:-1, 1:-1, 1:-1] == 0
    assert (bare & open_air).sum() / bare.sum() < 0.01


@pytest.mark.parametrize("bone", ["femur", "humerus", "hip", "scapula", "rib_%s_7", "hand", "foot", "clavicle"])
def test_left_and_right_mirror_each_other(bone: str) -> None:
    body = child(5)
    names = [bone % side if "%s" in bone else f"{bone}_{side}" for side in SIDES]
    right, left = (centre(body, name) for name in names)
    middle = centre(body, "sacrum")[0]
    near = 0.02 * grow(5, "M").height
    assert left[0] > middle > right[0]
    assert abs((left[0] - middle) + (right[0] - middle)) < near
    assert np.abs(left[1:] - right[1:]).max() < near


def test_the_skeleton_is_ordered_from_head_to_foot() -> None:
    body = child(5)
    order = ["skull", "mandible", "vertebra_C4", "vertebra_T2", "vertebra_T9", "vertebra_L2", "sacrum", "femur_left",
             "patella_left", "tibia_left", "foot_left"]  # fmt: skip
    heights = [centre(body, name)[2] for name in order]
    assert heights == sorted(heights, reverse=True)
    assert centre(body, "sternum")[1] < centre(body, "heart")[1] < centre(body, "vertebra_T6")[1]
    assert centre(body, "heart")[0] > centre(body, "vertebra_T6")[0] > centre(body, "liver_right")[0]


def test_arms_go_up_and_legs_apart() -> None:
    up = child(4, Pose(arms=(ArmPose(160, 15), ArmPose(14, -8)), legs=(LegPose(2, 0), LegPose(40, 50))))
    head = centre(up, "skull")[2]
    assert centre(up, "hand_right")[2] > head > centre(up, "hand_left")[2]
    middle = centre(up, "sacrum")[0]
    assert centre(up, "patella_left")[0] - middle > 2 * (middle - centre(up, "patella_right")[0])


def test_hands_can_lie_before_the_belly() -> None:
    body = child(4, Pose(arms=(ArmPose(25, -60, 35), ArmPose())))
    assert centre(body, "hand_right")[1] < centre(body, "sacrum")[1] - 60
    assert abs(centre(body, "hand_right")[0] - centre(body, "hand_left")[0]) < 0.3 * grow(4, "M").height


def test_two_children_of_one_age_differ() -> None:
    one, two = (centre(child(5, seed=seed), "femur_left") - centre(child(5, seed=seed), "skull") for seed in (0, 1))
    assert np.abs(one - two).max() > 2


def test_any_label_volume_can_be_a_body() -> None:
    labels = np.zeros((8, 4, 4), dtype=np.uint8)
    labels[1:7, 1:3, 1:3] = 1
    labels[2:4, 1:3, 1:3] = 2
    body = Body.of(labels, (8.0, 4.0, 4.0), ("air", "soft_tissue", "lumbar_spine"), 2.0)
    assert body.grid.shape == (32, 8, 8)
    volume = body.bone(("lumbar_spine",)).size * body.grid.cell
    assert volume == pytest.approx(2 * 2 * 2 * 8 * 4 * 4)


@pytest.mark.parametrize(
    ("labels", "spacing", "names", "found"),
    [
        (np.ones((2, 2, 2)), (1.0, 1.0, 1.0), ("soft_tissue", "femur_left"), "labels up to 1"),
        (np.full((2, 2, 2), 2), (1.0, 1.0, 1.0), ("air", "femur_left"), "labels up to 2"),
        (np.ones((2, 2, 2)), (1.0, 1.0, 1.0), ("air", "liver"), "no structure that is bone"),
        (np.ones((2, 2, 2)), (1.0, 1.0, 2.0), ("air", "femur_left"), "voxels of"),
    ],
)
def test_a_body_that_makes_no_sense_is_refused(
    labels: np.ndarray[tuple[int, int, int], np.dtype[np.float64]],
    spacing: tuple[float, ...],
    names: tuple[str, ...],
    found: str,
) -> None:
    with pytest.raises(InvalidValueError, match=found):
        Body(Grid.axial(labels.shape, spacing), labels.astype(np.uint8), names)
