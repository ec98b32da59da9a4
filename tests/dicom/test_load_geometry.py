"""Properties of the CT geometry: the field in the patient does not depend on how it was sliced and filed."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import numpy as np
import pytest
from foreign import Place, Point, ct_slice, errors_against, ramp, reading, save
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

angles = st.floats(-180, 180)
steps = st.floats(0.5, 4.0)


def waves(position: Point) -> NDArray[np.float64]:
    """HU that vary along every axis, above and below 0 wherever one looks."""
    x, y, z = np.moveaxis(position, -1, 0)
    return np.asarray(500 * np.sin(x) + 300 * np.cos(y / 1.2) + 200 * np.sin(z / 0.8 + x / 2))


def _rotated(turn: tuple[float, float, float], spacing: tuple[float, float]) -> Place:
    row, column, _ = Rotation.from_euler("zyx", turn, degrees=True).as_matrix().T.tolist()
    return Place(row=tuple(row), column=tuple(column), spacing=spacing)


@settings(max_examples=5)
@given(turn=st.tuples(angles, angles, angles), spacing=st.tuples(steps, steps), step=steps, order=st.randoms())
def test_order_of_files_and_orientation_do_not_matter(
    turn: tuple[float, float, float], spacing: tuple[float, float], step: float, order: random.Random
) -> None:
    place = _rotated(turn, spacing)
    slices = [ct_slice(step * i, place, waves) for i in range(8)]
    order.shuffle(slices)
    with tempfile.TemporaryDirectory() as folder:
        save(Path(folder), slices)
        with reading(Path(folder)) as read:
            study = read.study
            assert errors_against(study, waves).max() <= 0.6
            assert study.images["ct"].grid.spacing == pytest.approx((step, *spacing), rel=1e-5)


@settings(max_examples=5)
@given(
    shear=st.tuples(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3)),
    steps_mm=st.lists(st.floats(1.0, 2.5), min_size=5, max_size=9),
)
def test_a_linear_field_survives_straightening(shear: tuple[float, float], steps_mm: list[float]) -> None:
    heights = [0.0, *np.cumsum(steps_mm).tolist()]
    slices = [ct_slice(height, Place(shear=shear)) for height in heights]
    with tempfile.TemporaryDirectory() as folder:
        save(Path(folder), slices)
        with reading(Path(folder)) as read:
            image = read.study.images["ct"]
            errors = errors_against(read.study, ramp)
            index = np.stack(np.meshgrid(*map(np.arange, image.grid.shape), indexing="ij"), axis=-1)
            position = image.grid.to_position(index)
            covered = _covered(position, Place(shear=shear), heights)
            assert covered.any()
            assert errors[covered].max() <= 3.5 + _tolerated(shear, heights[-1])
            assert _corners_are_inside(image.grid.to_index(_corners(Place(shear=shear), heights)), image.grid.shape)


def _tolerated(shear: tuple[float, float], height: float) -> float:
    """HU by which the ramp is off where intake leaves a drift below a quarter of a pixel as it is."""
    down, right = abs(shear[0]) * height, abs(shear[1]) * height
    return 13 * down + 17 * right if max(down / 1.5, right / 1.25) <= 0.25 else 0.0


def _covered(position: Point, place: Place, heights: list[float]) -> NDArray[np.bool_]:
    """Positions at least one pixel within every slice that they may be interpolated from."""
    x, y, z = np.moveaxis(position - np.array(place.origin), -1, 0)
    reach = 2.5
    inside = np.ones(z.shape, dtype=bool)
    for at in (z - reach, z + reach):
        height = np.clip(at, heights[0], heights[-1])
        inside &= (x - place.shear[1] * height > 1.25) & (x - place.shear[1] * height < 14 * 1.25)
        inside &= (y - place.shear[0] * height > 1.5) & (y - place.shear[0] * height < 14 * 1.5)
    return inside


def _corners(place: Place, heights: list[float]) -> Point:
    ends = [place.points(height)[::15, ::15] for height in (heights[0], heights[-1])]
    return np.reshape(ends, (-1, 3))


def _corners_are_inside(index: Point, shape: tuple[int, ...]) -> bool:
    return bool((index > -0.6).all() and (index < np.array(shape) - 0.4).all())
