"""Other proportions for a simulated child: picture, masks and places move together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteoscope.find.planar_canvas import Fitting
from osteoscope.train.planar_proportions import Proportions

SHAPE = (240, 100)
AS_IS = Proportions(np.arange(240.0), np.full(240, 49.5), np.ones(240), 100)


def spot(row: float, column: float) -> np.ndarray:
    rows, columns = np.ogrid[: SHAPE[0], : SHAPE[1]]
    return np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 18).astype(np.float32)


def test_proportions_that_change_nothing_change_nothing() -> None:
    rng = np.random.default_rng(1)
    views = rng.random((2, *SHAPE), dtype=np.float32)
    mask = rng.random((3, *SHAPE)) < 0.3
    fitting = Fitting.of((20, 220, 10, 90))
    assert AS_IS.picture(views) == pytest.approx(views, abs=1e-6)
    assert np.array_equal(AS_IS.lay(fitting, mask), fitting.lay(mask))
    assert np.array_equal(AS_IS.mask(mask[0]), mask[0])
    assert AS_IS.place(31.0, 12.5) == pytest.approx((31.0, 12.5))


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.floats(40, 200), st.floats(30, 70))
def test_a_spot_goes_where_its_place_goes(seed: int, row: float, column: float) -> None:
    made = Proportions.random(SHAPE, np.random.default_rng(seed))
    new_row, new_column = made.place(row, column)
    picture = made.picture(spot(row, column)[None])[0]
    brightest = np.unravel_index(int(picture.argmax()), SHAPE)
    assert brightest == pytest.approx((new_row, new_column), abs=1.25)  # rows jump where a child moves
    held = made.mask(spot(row, column) > 0.2)
    assert np.argwhere(held).mean(axis=0) == pytest.approx((new_row, new_column), abs=1.5)


def test_some_children_move_while_the_camera_sweeps() -> None:
    jumps = [
        float(np.abs(np.diff(Proportions.random(SHAPE, np.random.default_rng(seed)).middle)).max())
        for seed in range(60)
    ]
    assert 3 <= sum(jump > 0.6 for jump in jumps) <= 25


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_rows_keep_their_order_and_the_body_its_length(seed: int) -> None:
    made = Proportions.random(SHAPE, np.random.default_rng(seed))
    assert (np.diff(made.rows) > 0).all()
    assert -0.5 < made.rows[0] < 0.5
    assert SHAPE[0] - 1.5 < made.rows[-1] < SHAPE[0] - 0.5
    assert (made.width > 0).all()


def test_what_comes_from_outside_of_the_picture_is_empty() -> None:
    narrow = Proportions(np.arange(240.0), np.full(240, 49.5), np.full(240, 2.0), 100)
    full = np.ones(SHAPE, dtype=np.float32)
    assert np.flatnonzero(narrow.picture(full[None])[0, 100]).tolist() == list(range(25, 75))
    assert np.flatnonzero(narrow.mask(full > 0)[100]).tolist() == list(range(25, 75))
