"""A candidate is compared with its twins: a symmetric body explains its joints and not its lesions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.find.ct_lesion_spots import Spot
from osteoscope.find.ct_twins import FEATURE, MOST, Coarse, compared

STEP_MM = 1.125
SHAPE = (90, 84, 160)
SIDE = 12
Volume = NDArray[np.int16]


def body(seed: int, turned: float = 0.0) -> Volume:
    """Bone-like texture on one side, and its mirror image, turned by some degrees, on the other."""
    rng = np.random.default_rng(seed)
    half = ndimage.gaussian_filter(rng.standard_normal((*SHAPE[:2], SHAPE[2] // 2)), 4.0)
    half = 300 + 250 * half / half.std()
    other = ndimage.rotate(half, turned, (0, 1), reshape=False, order=1, mode="nearest")
    noise = rng.normal(0, 10, SHAPE)
    return np.asarray(np.rint(np.concatenate([half, other[..., ::-1]], axis=2) + noise), dtype=np.int16)


def spot(corner: tuple[int, ...], side: int = SIDE) -> Spot:
    box = tuple(slice(a, a + side) for a in corner)
    away = np.stack(np.meshgrid(*[np.arange(side) - (side - 1) / 2] * 3))
    return Spot(box, (away**2).sum(axis=0) <= (side / 2) ** 2, "blastic", {"mean": 0.3})


def feature(hu: Volume, found: Spot) -> float:
    return compared(found, Coarse.of(hu, STEP_MM)).features[FEATURE]


def with_lesion(hu: Volume, found: Spot, change: int) -> Volume:
    made = hu.copy()
    made[found.box][found.mask] += change
    return made


# Away from the ends, and from the middle, where a candidate is its own mirror image.
corners = st.tuples(st.integers(0, 78), st.integers(0, 72), st.integers(0, 50))


@settings(max_examples=8)
@given(corners, st.integers(0, 10**6), st.sampled_from([-400, 400]))
def test_what_both_sides_have_is_like_its_twin_and_a_lesion_of_one_side_is_not(
    corner: tuple[int, int, int], seed: int, change: int
) -> None:
    hu, found = body(seed), spot(corner)
    natural, lesion = feature(hu, found), feature(with_lesion(hu, found, change), found)
    assert natural < -0.7 < 0 < lesion <= MOST


def test_a_twin_that_lies_a_little_turned_is_fitted() -> None:
    for seed in range(4):
        assert feature(body(seed, turned=8.0), spot((38, 36, 30))) < 0 < feature(body(seed), spot((38, 36, 74)))


def test_each_side_of_a_pair_is_the_twin_of_the_other() -> None:
    left = spot((40, 40, 30))
    right = spot((40, 40, SHAPE[2] - 30 - SIDE))
    both = with_lesion(with_lesion(body(3), left, 400), right, 400)
    assert feature(both, left) < -0.7
    assert feature(both, right) < -0.7


def test_a_candidate_in_the_middle_is_no_twin_of_itself() -> None:
    middle = spot((40, 40, SHAPE[2] // 2 - SIDE // 2))
    assert feature(with_lesion(body(5), middle, 500), middle) > 0


def test_the_feature_is_the_same_each_time_and_the_others_stay() -> None:
    hu, found = body(1), spot((20, 30, 40))
    coarse = Coarse.of(hu, STEP_MM)
    first, second = compared(found, coarse), compared(found, coarse)
    assert first.features == second.features
    assert first.features["mean"] == found.features["mean"]


def test_a_scan_without_room_for_a_twin_says_nothing() -> None:
    hu = body(2)[:14, :14, :14]
    assert feature(hu, spot((1, 1, 1))) == pytest.approx(0.0)


@pytest.mark.parametrize("shape", [(1, 80, 80), (3, 80, 80), (80, 1, 80), (80, 80, 3), (5, 5, 5)])
def test_slabs_of_few_voxels_are_no_error(shape: tuple[int, ...]) -> None:
    hu = np.random.default_rng(0).integers(-200, 900, shape).astype(np.int16)
    box = tuple(slice(min(30, n // 2), min(38, n)) for n in shape)
    assert -2.4 <= feature(hu, Spot(box, np.ones(hu[box].shape, dtype=bool), "lytic", {})) <= MOST


@given(st.floats(0.4, 3.0))
@settings(max_examples=6)
def test_volumes_are_compared_at_about_the_same_spacing(step_mm: float) -> None:
    coarse = Coarse.of(body(0), step_mm)
    assert 1.5 <= coarse.step_mm <= 3.0
    assert coarse.hu.shape == tuple(n // coarse.ratio for n in SHAPE)
    assert coarse.hu.min() >= -300
    assert coarse.hu.max() <= 900
