"""Pixels that vary more than counts do are read as fewer counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.study import Study
from osteoscope.find.planar_canvas import Fitting
from osteoscope.find.planar_maps import look
from osteoscope.find.planar_network import find_uptake, map_segments
from osteoscope.find.planar_noise import excess
from osteoscope.simulate.planar import ChildRecipe, simulate_planar

FITTING = Fitting.of((10, 210, 10, 90))


def pixels(mean: float, seed: int) -> np.ndarray:
    """An evenly warm box with a hot one in it."""
    expected = np.zeros((220, 100))
    expected[10:210, 10:90] = mean
    expected[80:120, 40:60] = 8 * mean
    return np.random.default_rng(seed).poisson(expected)


@settings(max_examples=25, deadline=None)
@given(st.floats(3, 200), st.integers(0, 1000))
def test_counts_are_as_noisy_as_counts(mean: float, seed: int) -> None:
    assert excess(pixels(mean, seed), FITTING) == 1.0


@settings(max_examples=25, deadline=None)
@given(st.floats(3, 60), st.integers(2, 12), st.integers(0, 1000))
def test_counts_times_a_number_are_that_many_times_too_noisy(mean: float, times: int, seed: int) -> None:
    assert excess(times * pixels(mean, seed), FITTING) == pytest.approx(times, rel=0.15)


def test_an_empty_picture_is_not_noisy() -> None:
    assert excess(np.zeros((220, 100), dtype=np.int64), FITTING) == 1.0


@pytest.fixture(scope="module")
def healthy() -> Study:
    return simulate_planar(ChildRecipe(age_years=4), 31).study


def test_a_child_as_scanned_is_left_as_it_is(healthy: Study) -> None:
    maps = look(healthy)
    assert maps is not None
    assert set(maps.placing.noise.values()) == {1.0}


@pytest.mark.parametrize("way", ["enlarged", "scaled"])
def test_noise_of_changed_pixels_is_no_disease_and_is_told(healthy: Study, way: str) -> None:
    def changed(image: Image) -> Image:
        if way == "scaled":
            return replace(image, values=image.values * 5)
        spacing = tuple(step / 2 for step in image.grid.spacing)
        values = image.values.repeat(2, axis=0).repeat(2, axis=1)
        return Image(Grid.planar(values.shape, (spacing[0], spacing[1]), image.grid.frame), values, "counts")

    study = replace(healthy, images={name: changed(image) for name, image in healthy.images.items()})
    mapped = map_segments(study)
    assert not [f for f in find_uptake(study, mapped).findings if f.confidence >= 0.5]
    assert any("times fewer counts" in note for note in mapped[0].notes)
