"""A child made of somebody's voxels: measures, pose, sides, names."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteoscope.domain.anatomy import PLANAR_UNITS, SIDES
from osteoscope.errors import InvalidValueError
from osteoscope.simulate.body import Body, Child, build_child
from osteoscope.simulate.cohort import random_pose
from osteoscope.simulate.growth import grow
from osteoscope.simulate.phantom import ICRP_110, Phantom
from osteoscope.simulate.posture import ArmPose, LegPose, Pose
from osteoscope.simulate.voxel_body import voxel_child

UNITS = [unit for unit in PLANAR_UNITS if unit != "soft_tissue"]


@cache
def own_phantom() -> Phantom:
    """The parametric adult as if somebody else had published it."""
    straight = Pose(arms=(ArmPose(8, 0), ArmPose(8, 0)), legs=(LegPose(4, 0, 5, 0), LegPose(4, 0, 5, 0)))
    body = build_child(Child(grow(18, "M"), 18, straight, 0.3), np.random.default_rng(0))
    step = body.grid.spacing[0]
    return Phantom(body.labels, (step, step, step), body.structures)


def made(age: float, pose: Pose | None = None, seed: int = 0) -> Body:
    return voxel_child(own_phantom(), grow(age, "F"), np.random.default_rng(seed), pose)


def centre(body: Body, *units: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(body.positions(body.bone(units)).mean(axis=0))


@settings(max_examples=6)
@given(st.floats(0.3, 16), st.integers(0, 999))
def test_every_unit_survives_any_age_and_pose(age: float, seed: int) -> None:
    body = made(age, random_pose(np.random.default_rng(seed), age), seed)
    assert all(body.bone((unit,)).size for unit in UNITS)


@pytest.mark.parametrize("age", [1.0, 5.0, 12.0])
def test_the_child_is_as_tall_and_broad_as_its_stature(age: float) -> None:
    stature = grow(age, "F")
    body = made(age, Pose(legs=(LegPose(2, 0, 5, 0), LegPose(2, 0, 5, 0))))
    at = body.positions(body.voxels(range(1, len(body.structures))))
    assert np.ptp(at[:, 2]) == pytest.approx(stature.height, rel=0.12)
    skull = body.positions(body.bone(("skull",)))
    assert np.ptp(skull[:, 0]) == pytest.approx(stature.girths["head_breadth"], rel=0.2)
    assert np.ptp(skull[:, 2]) == pytest.approx(stature.lengths["head"], rel=0.2)


def test_sides_and_heights_are_right() -> None:
    body = made(4)
    for part in ("proximal_upper_limb", "distal_upper_limb", "proximal_lower_limb", "distal_lower_limb"):
        right, left = (centre(body, f"{part}_{side}") for side in SIDES)
        assert right[0] < centre(body, "sacrum")[0] < left[0]
    order = ["skull", "cervical_spine", "thoracic_spine", "lumbar_spine", "sacrum", "proximal_lower_limb_left",
             "distal_lower_limb_left"]  # fmt: skip
    heights = [centre(body, unit)[2] for unit in order]
    assert heights == sorted(heights, reverse=True)


def test_limbs_follow_the_pose() -> None:
    body = made(4, Pose(arms=(ArmPose(160, 10), ArmPose(14, -8)), legs=(LegPose(3, 0), LegPose(40, 50))))
    assert centre(body, "distal_upper_limb_right")[2] > centre(body, "skull")[2]
    assert centre(body, "distal_upper_limb_left")[2] < centre(body, "thoracic_spine")[2]
    middle = centre(body, "sacrum")[0]
    right, left = (abs(centre(body, f"proximal_lower_limb_{side}")[0] - middle) for side in SIDES)
    assert left > 1.5 * right


def test_one_phantom_makes_many_children_and_each_again() -> None:
    one, again, other = made(4, seed=1), made(4, seed=1), made(4, seed=2)
    assert np.array_equal(one.labels, again.labels)
    assert one.labels.shape != other.labels.shape or (one.labels != other.labels).mean() > 0.01


def test_a_published_phantom_is_read_and_becomes_a_child(shared: Path) -> None:
    phantom = Phantom.load(shared / "phantom" / "icrp110" / "icrp110_AM.npz")
    body = voxel_child(phantom, grow(3, "M"), np.random.default_rng(0))
    assert all(body.bone((unit,)).size for unit in UNITS)
    liver, heart = (
        body.positions(body.voxels([body.structures.index(n)])).mean(axis=0) for n in ("liver_right", "heart")
    )
    assert liver[0] < centre(body, "lumbar_spine")[0] < heart[0]
    assert {"lacrimal_left", "submandibular_right", "brown_fat_left", "parotid_right"} <= set(body.structures)


def test_a_bad_phantom_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="load a phantom"):
        Phantom.load(tmp_path / "none.npz")
    np.savez(tmp_path / "poor.npz", organ_id=np.zeros((2, 2, 2), dtype=int))
    with pytest.raises(InvalidValueError, match="spacing_zyx_mm"):
        Phantom.load(tmp_path / "poor.npz")
    for organ, spacing in ((np.zeros((2, 2)), (1, 1, 1)), (np.full((2, 2, 2), -1), (1, 1, 1)),
                           (np.ones((2, 2, 2), dtype=int), (1, 1))):  # fmt: skip
        with pytest.raises(InvalidValueError, match="build a Phantom"):
            Phantom.of(organ, spacing, ICRP_110)


def test_a_phantom_without_a_bone_is_refused_by_name() -> None:
    few = Phantom.of(np.full((4, 4, 4), 26, dtype=int), (8, 8, 8), ICRP_110)
    with pytest.raises(InvalidValueError, match="joints"):
        voxel_child(few, grow(3, "M"), np.random.default_rng(0))
    with pytest.raises(InvalidValueError, match="shift"):
        voxel_child(own_phantom(), grow(3, "M"), np.random.default_rng(0), shift=0.2)


@pytest.mark.parametrize(("axis", "found"), [(0, "toes to head"), (2, "to the left")])
def test_a_phantom_that_lies_the_wrong_way_is_refused(axis: int, found: str) -> None:
    own = own_phantom()
    turned = Phantom(np.flip(own.labels, axis), own.spacing, own.structures)
    with pytest.raises(InvalidValueError, match=found):
        voxel_child(turned, grow(3, "M"), np.random.default_rng(0))
