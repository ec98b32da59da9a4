"""The canvas: counts are kept, dose and pixel size do not matter, masks lie where they lay."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteoscope.find.planar_canvas import CANVAS, HALF, Fitting, planes, typical

boxes = st.tuples(st.floats(0, 40), st.floats(60, 300), st.floats(0, 30), st.floats(40, 120))


def scene(seed: int, shape: tuple[int, int] = (220, 90)) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    rng = np.random.default_rng(seed)
    picture = np.zeros(shape, dtype=np.float32)
    picture[20:200, 25:65] = rng.poisson(12, (180, 40))
    return picture


@settings(max_examples=20)
@given(boxes)
def test_a_box_fills_the_canvas_and_stays_within(box: tuple[float, float, float, float]) -> None:
    fitting = Fitting.of(box)
    rows = [box[n] * fitting.scale + fitting.down for n in (0, 1)]
    columns = [box[n] * fitting.scale + fitting.right for n in (2, 3)]
    for (low, high), size in zip((rows, columns), CANVAS, strict=True):
        assert low + high == pytest.approx(size, abs=1e-6)
        assert 0 <= low <= high <= size
    assert max((rows[1] - rows[0]) / CANVAS[0], (columns[1] - columns[0]) / CANVAS[1]) == pytest.approx(0.94)


@settings(max_examples=20)
@given(st.integers(0, 99))
def test_counts_are_kept(seed: int) -> None:
    picture = scene(seed)
    laid = Fitting.of((15, 205, 20, 70)).resample(picture)
    assert laid.sum() == pytest.approx(picture.sum(), rel=1e-4)


def test_dose_changes_only_what_says_how_noisy_it_is() -> None:
    counts = Fitting.of((15, 205, 20, 70)).resample(scene(1))
    once, thrice = (planes({"anterior": counts * k, "posterior": counts * k}) for k in (1, 3))
    assert np.allclose(once[:2], thrice[:2], atol=1e-5)
    assert np.unique(thrice[2] - once[2]) == pytest.approx(np.log(3) / 2, abs=1e-5)


def test_pixel_size_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    coarse = rng.uniform(5, 15, (60, 30)).repeat(3, axis=0).repeat(3, axis=1)
    fine = coarse.repeat(2, axis=0).repeat(2, axis=1) / 4
    first, second = Fitting.of((10, 170, 10, 80)).resample(coarse), Fitting.of((20, 340, 20, 160)).resample(fine)
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.99
    assert typical(first) == pytest.approx(typical(second), rel=0.03)


def test_an_absent_view_is_blank() -> None:
    counts = Fitting.of((15, 205, 20, 70)).resample(scene(1))
    assert not planes({"anterior": counts})[1].any()
    assert not planes({"anterior": np.zeros(CANVAS, dtype=np.float32)})[:2].any()


@settings(max_examples=20)
@given(st.integers(30, 180), st.integers(25, 60))
def test_a_mark_lies_where_its_pixel_does(row: int, column: int) -> None:
    fitting = Fitting.of((15, 205, 20, 70))
    mask = np.zeros((220, 90), dtype=np.uint8)
    mask[row - 2 : row + 3, column - 2 : column + 3] = 1
    middle = np.argwhere(fitting.lay(mask)).mean(axis=0)
    assert fitting.lay(mask).shape == HALF
    wanted = np.array([(row + 0.5) * fitting.scale + fitting.down, (column + 0.5) * fitting.scale + fitting.right]) / 2
    assert np.abs(middle + 0.5 - wanted).max() < 1.1
