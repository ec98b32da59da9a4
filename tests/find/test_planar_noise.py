"""Pixels that vary more than counts do are read as fewer counts, those that vary less as more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter, zoom

from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.study import Study
from osteoscope.find.planar_canvas import Fitting
from osteoscope.find.planar_maps import look
from osteoscope.find.planar_network import find_uptake, map_segments
from osteoscope.find.planar_noise import excess, finest, smoothing
from osteoscope.simulate.planar import ChildRecipe, random_recipe, simulate_planar

FITTING = Fitting.of((10, 210, 10, 90))
FINE = Fitting.of((20, 420, 20, 180))


def pixels(mean: float, seed: int, across: int = 1) -> np.ndarray:
    """An evenly warm box with a hot one in it; with so many times as many pixels across."""
    expected = np.zeros((220, 100))
    expected[10:210, 10:90] = mean
    expected[80:120, 40:60] = 8 * mean
    return np.random.default_rng(seed).poisson(expected.repeat(across, 0).repeat(across, 1))


@settings(max_examples=25)
@given(st.floats(3, 200), st.integers(0, 1000))
def test_counts_are_as_noisy_as_counts(mean: float, seed: int) -> None:
    assert excess(pixels(mean, seed), FITTING) == 1.0


@settings(max_examples=25)
@given(st.floats(3, 60), st.integers(2, 12), st.integers(0, 1000))
def test_counts_times_a_number_are_that_many_times_too_noisy(mean: float, times: int, seed: int) -> None:
    assert excess(times * pixels(mean, seed), FITTING) == pytest.approx(times, rel=0.15)


@settings(max_examples=25)
@given(st.floats(5, 100), st.floats(0.6, 1.0), st.integers(0, 1000))
def test_smoothing_is_seen_and_is_no_lack_of_noise(mean: float, sigma: float, seed: int) -> None:
    """As many pixels as a whole-body scan has: of coarse boxes, with little noise left, 1 in 200 seems too noisy."""
    smooth = np.rint(gaussian_filter(pixels(mean, seed, 2).astype(float), sigma))
    assert smoothing(smooth, 0) == pytest.approx(sigma, abs=0.15)
    assert excess(smooth, FINE) == 1.0


@settings(max_examples=25)
@given(st.floats(20, 60), st.floats(3, 8), st.floats(0.6, 0.9), st.integers(0, 1000))
def test_counts_scaled_and_smoothed(mean: float, times: float, sigma: float, seed: int) -> None:
    changed = gaussian_filter(times * pixels(mean, seed).astype(float), sigma)
    assert times / 2 < excess(np.rint(changed), FITTING) < 2 * times


@settings(max_examples=25)
@given(st.floats(40, 200), st.floats(0.2, 0.5), st.integers(0, 1000))
def test_counts_scaled_down_are_more(mean: float, times: float, seed: int) -> None:
    assert excess(np.rint(times * pixels(mean, seed)), FITTING) == pytest.approx(times, rel=0.2)


@settings(max_examples=25)
@given(st.floats(5, 100), st.integers(2, 4), st.integers(0, 1000))
def test_counts_summed_to_coarse_pixels_are_counts(mean: float, across: int, seed: int) -> None:
    fine = pixels(mean, seed, across)
    coarse = fine.reshape(220, across, 100, across).sum(axis=(1, 3))
    assert finest(coarse.astype(np.float32)) == pytest.approx(1, abs=0.25)
    assert excess(coarse, FITTING) == 1.0


@pytest.mark.parametrize(("seed", "by"), [(25_002, 2), (25_004, 2), (25_005, 2), (25_009, 3), (25_014, 3)])
def test_a_coarse_matrix_of_true_counts_is_not_called_noisy(seed: int, by: int) -> None:
    """Anatomy, not smoothing, makes pixels of 4.4 to 7 mm alike: their counts were divided by up to 1,600."""
    made = simulate_planar(random_recipe(np.random.default_rng(seed)), seed).study
    study = replace(made, images={name: summed(image, by) for name, image in made.images.items()})
    maps = look(study)
    assert maps is not None
    assert set(maps.placing.noise.values()) == {1.0}


def summed(image: Image, by: int) -> Image:
    rows, columns = (n // by for n in image.values.shape)
    values = image.values[: rows * by, : columns * by].reshape(rows, by, columns, by).sum(axis=(1, 3))
    spacing = by * image.grid.spacing[0]
    return Image(Grid.planar(values.shape, (spacing, spacing), image.grid.frame), values, "counts")


def test_an_empty_picture_is_not_noisy() -> None:
    assert excess(np.zeros((220, 100), dtype=np.int64), FITTING) == 1.0
    assert smoothing(np.ones((10, 10), dtype=np.float32), 0) == 0.0


@pytest.mark.parametrize("sigma", [0.0, 0.5, 0.8])
def test_a_real_scan_is_as_noisy_as_counts_and_its_smoothing_is_seen(shared: Path, sigma: float) -> None:
    scan = np.load(shared / "planar" / "nm_planar" / "wholebody_bone_NM1_lossless.npy").astype(np.float32)
    rows, columns = (np.flatnonzero(scan.sum(axis=axis) > 0.1 * scan.sum(axis=axis).mean()) for axis in (1, 0))
    fitting = Fitting.of((float(rows[0]), float(rows[-1]), float(columns[0]), float(columns[-1])))
    smooth = np.rint(gaussian_filter(scan, sigma)) if sigma else scan
    assert all(sigma - 1e-9 <= smoothing(smooth, axis) <= 1.4 * sigma for axis in (0, 1))
    assert excess(smooth, fitting) == 1.0
    # Its bones stand out, too: too much rather than too little is taken for noise.
    assert 4 <= excess(np.rint(4 * gaussian_filter(scan, sigma)), fitting) <= 8


@pytest.fixture(scope="module")
def healthy() -> Study:
    return simulate_planar(ChildRecipe(age_years=4), 31).study


def test_a_child_as_scanned_is_left_as_it_is(healthy: Study) -> None:
    maps = look(healthy)
    assert maps is not None
    assert set(maps.placing.noise.values()) == {1.0}


def changed(image: Image, way: str) -> Image:
    if way == "scaled":
        return replace(image, values=image.values * 5)
    if way == "scaled and smoothed":
        return replace(image, values=np.rint(5 * gaussian_filter(image.values.astype(float), 0.8)).astype(int))
    spacing = tuple(step / 2 for step in image.grid.spacing)
    values = np.rint(zoom(image.values.astype(float), 2, order=1, mode="nearest", grid_mode=True)).astype(int)
    values = image.values.repeat(2, axis=0).repeat(2, axis=1) if way == "enlarged" else values
    return Image(Grid.planar(values.shape, (spacing[0], spacing[1]), image.grid.frame), values, "counts")


@pytest.mark.parametrize("way", ["enlarged", "interpolated", "scaled", "scaled and smoothed"])
def test_noise_of_changed_pixels_is_no_disease_and_is_told(healthy: Study, way: str) -> None:
    study = replace(healthy, images={name: changed(image, way) for name, image in healthy.images.items()})
    mapped = map_segments(study)
    assert not [f for f in find_uptake(study, mapped).findings if f.confidence >= 0.5]
    assert any("times fewer counts" in note for note in mapped[0].notes)


def test_fewer_counts_than_noise_says_are_told(healthy: Study) -> None:
    fewer = {n: replace(i, values=np.rint(i.values * 0.3).astype(int)) for n, i in healthy.images.items()}
    assert any("times more counts" in note for note in map_segments(replace(healthy, images=fewer))[0].notes)


@pytest.mark.parametrize("dim", ["anterior", "posterior"])
def test_noise_of_a_dimmer_view_is_no_disease(healthy: Study, dim: str) -> None:
    image = healthy.images[dim]
    fewer = replace(image, values=np.random.default_rng(2).binomial(image.values, 0.5))
    study = replace(healthy, images={**healthy.images, dim: fewer})
    mapped = map_segments(study)
    assert not [f for f in find_uptake(study, mapped).findings if f.confidence >= 0.5]
    assert any(f"the {dim} view holds" in note for note in mapped[0].notes)
    assert not any("view holds" in note for note in map_segments(healthy)[0].notes)
