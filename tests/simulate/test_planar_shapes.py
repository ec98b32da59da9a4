"""Shapes and how they are painted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import label

from osteoscope.domain.geometry import Grid
from osteoscope.simulate.painting import paint, stamp
from osteoscope.simulate.shapes import Cone, Ellipsoid, Frame, Loft, Solid, cap, plate, string

STEP = 2.0
GRID = Grid.axial((60, 60, 60), (STEP,) * 3, (-59.0, -59.0, -59.0))
UPRIGHT = Frame(np.zeros(3), np.eye(3))
TURNED = UPRIGHT.turned((0, 0, 0), "XYZ", (20, 30, 40))


def volume(solid: Solid) -> float:
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    paint(labels, GRID, solid, 1)
    return float(labels.sum() * STEP**3)


@pytest.mark.parametrize("frame", [UPRIGHT, TURNED])
def test_volumes_are_analytic(frame: Frame) -> None:
    assert volume(Ellipsoid(frame, np.array([20.0, 30.0, 40.0]))) == pytest.approx(
        4 / 3 * np.pi * 20 * 30 * 40, rel=0.02
    )
    column = Loft(frame, np.array([(-30.0, 20.0, 15.0, 0.0), (30.0, 20.0, 15.0, 0.0)]), power=2.0)
    assert volume(column) == pytest.approx(60 * np.pi * 20 * 15, rel=0.03)
    rod = Cone(frame.place((0, 0, -20)), frame.place((0, 0, 20)), 15.0, 15.0)
    assert volume(rod) == pytest.approx(40 * np.pi * 15**2 + 4 / 3 * np.pi * 15**3, rel=0.03)


@settings(max_examples=30)
@given(st.tuples(*[st.floats(-180, 180)] * 3), st.tuples(*[st.floats(3, 25)] * 3))
def test_nothing_is_inside_beyond_the_bounds(angles: tuple[float, ...], radii: tuple[float, ...]) -> None:
    ball = Ellipsoid(UPRIGHT.turned((5, -3, 2), "XYZ", angles), np.array(radii))
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    everywhere = (GRID.to_position(np.argwhere(labels == 0)).T).astype(float)
    inside = ball.inside((everywhere[0], everywhere[1], everywhere[2]))
    paint(labels, GRID, ball, 1)
    assert labels.sum() == inside.sum()


def test_painting_over_keeps_other_labels() -> None:
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    paint(labels, GRID, Ellipsoid(UPRIGHT, np.full(3, 20.0)), 1)
    first = labels.copy()
    paint(labels, GRID, Ellipsoid(UPRIGHT, np.full(3, 30.0)), 2, over=[1])
    assert np.array_equal(labels > 0, first > 0)
    assert set(np.unique(labels)) == {0, 2}


def test_a_solid_off_the_grid_paints_nothing() -> None:
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    paint(labels, GRID, Ellipsoid(UPRIGHT.turned((500, 0, 0), "X", (0,)), np.full(3, 20.0)), 1)
    assert not labels.any()


def test_a_thin_string_has_no_gaps() -> None:
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    stamp(labels, GRID, string([(-40, 0, -40), (0, 10, 0), (40, 0, 40)], 0.5), 1)
    assert label(labels, np.ones((3, 3, 3)))[1] == 1
    assert labels.any(axis=(1, 2)).sum() * STEP == pytest.approx(80, abs=2 * STEP)


def test_a_string_has_the_volume_of_its_tube() -> None:
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    stamp(labels, GRID, string([(0, 0, -30), (0, 0, 30)], 8.0), 1)
    assert labels.sum() * STEP**3 == pytest.approx(60 * np.pi * 8**2 + 4 / 3 * np.pi * 8**3, rel=0.08)


def test_a_plate_covers_its_triangle() -> None:
    corners = np.array([(0.0, 0, 0), (40.0, 0, 0), (0.0, 0, 40.0)])
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    stamp(labels, GRID, plate(corners, 2.5), 1)
    weights = np.random.default_rng(0).dirichlet((1, 1, 1), 200)
    at = np.rint(GRID.to_index(weights @ corners)).astype(int)
    assert labels[tuple(at.T)].all()


def test_a_cap_ends_where_asked() -> None:
    half = cap((10.0, 10.0, 10.0), 1.0, 0.0, 0.0)
    assert half.points[:, 2].min() >= -1e-9
    assert np.linalg.norm(half.points, axis=1) == pytest.approx(np.full(len(half.points), 10.0))
    tilted = cap((10.0, 10.0, 10.0), 1.0, 0.0, 30.0)
    assert tilted.points[tilted.points[:, 1] > 9, 2].min() < -2
