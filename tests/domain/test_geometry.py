from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nouns import planar_grids, volume_grids

from osteoscope.domain.geometry import Grid, Turn
from osteoscope.errors import InvalidValueError

GRIDS = volume_grids() | planar_grids


@given(GRIDS, st.integers(0, 2**32 - 1))
def test_index_and_position_are_inverse(grid: Grid, seed: int) -> None:
    index = np.random.default_rng(seed).uniform(-5, 50, (7, grid.ndim))
    assert np.allclose(grid.to_index(grid.to_position(index)), index, atol=1e-6)


@given(volume_grids())
def test_cell_is_the_product_of_spacings_of_orthogonal_axes(grid: Grid) -> None:
    assert grid.cell == pytest.approx(np.prod(grid.spacing), rel=1e-9)


@given(GRIDS, st.data())
def test_crop_keeps_positions(grid: Grid, data: st.DataObject) -> None:
    starts = [data.draw(st.integers(0, n - 1)) for n in grid.shape]
    cropped = grid.crop([slice(s, n) for s, n in zip(starts, grid.shape, strict=True)])
    assert np.allclose(cropped.to_position([0] * grid.ndim), grid.to_position(starts))
    assert cropped.spacing == pytest.approx(grid.spacing)


@given(volume_grids(), st.tuples(*[st.floats(0.5, 8)] * 3))
def test_resample_keeps_the_first_outer_face_and_covers_the_extent(grid: Grid, spacing: tuple[float, ...]) -> None:
    finer = grid.resample(spacing)
    assert finer.spacing == pytest.approx(spacing)
    assert np.allclose(finer.to_position([-0.5] * 3), grid.to_position([-0.5] * 3), atol=1e-6)
    extents = np.array(finer.shape) * spacing - np.array(grid.shape) * grid.spacing
    assert (extents > -1e-3).all()
    assert (extents <= np.array(spacing)).all()


def test_axial_grid_places_the_patient_axes() -> None:
    grid = Grid.axial((10, 20, 30), (5, 0.8, 0.7), (-100, -200, -300))
    assert grid.to_position([2, 3, 4]).tolist() == pytest.approx([-100 + 4 * 0.7, -200 + 3 * 0.8, -300 + 10])


def test_planar_grid_without_spacing_counts_pixels() -> None:
    grid = Grid.planar((1024, 256), None, "posterior")
    assert (grid.unit, grid.frame, grid.spacing) == ("pixel", "posterior", (1.0, 1.0))
    assert grid.to_position([10, 3]).tolist() == [3, 10]


@given(volume_grids())
def test_matches_notices_a_shift(grid: Grid) -> None:
    moved = grid.matrix.copy()
    moved[0, 3] += 0.01
    assert grid.matches(grid)
    assert not grid.matches(Grid.from_matrix(grid.shape, moved))


@pytest.mark.parametrize(
    ("shape", "matrix"),
    [((0, 2, 2), np.eye(4)), ((2, 2, 2), np.eye(3)), ((2, 2, 2), np.zeros((4, 4))), ((2, 2), np.full((3, 3), np.nan))],
)
def test_impossible_grids_are_refused(shape: tuple[int, ...], matrix: np.ndarray) -> None:
    with pytest.raises(InvalidValueError, match="build a Grid"):
        Grid.from_matrix(shape, matrix)


@given(volume_grids(), st.permutations(range(3)), st.tuples(*[st.booleans()] * 3), st.integers(0, 2**32 - 1))
def test_elements_in_another_order_are_the_same_elements(
    grid: Grid, axes: list[int], flipped: tuple[bool, ...], seed: int
) -> None:
    turn = Turn(tuple(axes), flipped)
    other = grid.turned(turn)
    values = np.arange(np.prod(grid.shape)).reshape(grid.shape)
    index = np.random.default_rng(seed).integers(0, other.shape)
    there = np.rint(grid.to_index(other.to_position(index))).astype(int)
    assert turn.array(values)[tuple(index)] == values[tuple(there)]
    assert grid.turn_to(other) == turn
    back = other.turn_to(grid)
    assert back is not None
    assert np.array_equal(back.array(turn.array(values)), values)


def test_other_elements_have_no_order_that_fits() -> None:
    grid = Grid.axial((4, 5, 6), (3.0, 1.0, 1.0))
    assert grid.turn_to(Grid.axial((4, 5, 6), (3.0, 1.0, 1.0), (0.5, 0, 0))) is None
    assert grid.turn_to(Grid.axial((4, 5, 7), (3.0, 1.0, 1.0))) is None
    assert grid.turn_to(Grid.planar((5, 6), (1.0, 1.0), "anterior")) is None
