"""Coarse voxels made of fine ones."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from osteoscope.find.ct_lesion_windows import STEP_MM
from osteoscope.train.ct_slices import coarse_pixels, thick_slices


@given(st.integers(0, 10_000), st.integers(2, 60))
def test_what_does_not_change_along_z_stays(seed: int, count: int) -> None:
    plane = np.random.default_rng(seed).normal(0, 300, (4, 5)).astype(np.float32)
    made = thick_slices(np.repeat(plane[None], count, axis=0), np.random.default_rng(seed))
    np.testing.assert_allclose(made, np.repeat(plane[None], count, axis=0), rtol=1e-4, atol=1e-3)


@given(st.integers(0, 10_000), st.integers(15, 45))
def test_an_edge_is_spread_over_a_slice_and_the_gap_to_the_next_and_never_overshot(seed: int, at: int) -> None:
    made = thick_slices((np.arange(60) >= at).astype(np.float32)[:, None, None], np.random.default_rng(seed))[:, 0, 0]
    assert made.min() >= -1e-6
    assert made.max() <= 1 + 1e-6
    assert np.diff(made).min() >= -1e-6
    touched = np.count_nonzero((made > 1e-4) & (made < 1 - 1e-4))
    assert touched <= 3 * 7 / STEP_MM  # one slice of at most 7 mm, and twice the distance to the next


def test_noise_is_averaged_and_detail_along_z_lost() -> None:
    rng = np.random.default_rng(2)
    noise = rng.normal(0, 100, (60, 20, 20)).astype(np.float32)
    spreads = [thick_slices(noise, rng).std() for _ in range(30)]
    assert max(spreads) < 85
    assert min(spreads) < 50


@given(st.integers(0, 10_000), st.integers(2, 60))
def test_pixels_keep_what_lies_between_slices_and_the_mean(seed: int, count: int) -> None:
    plane = np.linspace(-500, 500, count, dtype=np.float32)[:, None, None]
    made = coarse_pixels(np.broadcast_to(plane, (count, 40, 40)).copy(), np.random.default_rng(seed))
    assert made.shape == (count, 40, 40)
    np.testing.assert_allclose(made.mean(axis=(1, 2)), plane[:, 0, 0], atol=25)


def test_detail_in_the_plane_is_lost_and_the_noise_of_pixels_is_wide() -> None:
    rng = np.random.default_rng(3)
    squares = np.indices((12, 40, 40)).sum(axis=0) % 2 * np.float32(1000)
    for _ in range(20):
        made = coarse_pixels(squares, rng) - 500
        assert made.std() < 300
    flat = [coarse_pixels(np.zeros((20, 40, 40), np.float32), rng) for _ in range(20)]
    assert all(one.std() < 31 for one in flat)
    alike = [float(np.corrcoef(one[:, :, 1:].ravel(), one[:, :, :-1].ravel())[0, 1]) for one in flat]
    assert min(alike) > 0.3
