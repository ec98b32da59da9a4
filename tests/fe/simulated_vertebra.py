"""A vertebra of simple shapes whose axis and height are known."""

from __future__ import annotations

import numpy as np

from osteoscope.domain.geometry import Grid
from osteoscope.fe.bone import Bone


def drum(tilt: tuple[float, float], height: float = 26.0, radius: float = 20.0) -> Bone:
    """A vertebral body as a leaning drum with an arch behind it."""
    grid = Grid.axial((44, 78, 56), (1.0, 1.0, 1.0), (-27, -30, -22))
    places = grid.to_position(np.moveaxis(np.indices(grid.shape), 0, -1))
    axis = np.array([np.tan(np.deg2rad(tilt[0])), np.tan(np.deg2rad(tilt[1])), 1.0])
    axis /= np.linalg.norm(axis)
    along = places @ axis
    across = np.linalg.norm(places - along[..., None] * axis, axis=-1)
    body = (np.abs(along) <= height / 2) & (across <= radius)
    x, y, z = places[..., 0], places[..., 1], places[..., 2]
    pedicle = (np.abs(np.abs(x) - 14) <= 4) & (y > 10) & (y < 36) & (np.abs(z - 4) <= 5)
    arch = (np.abs(x) <= 18) & (y >= 34) & (y <= 42) & (np.abs(z) <= 9)
    mask = body | pedicle | arch
    hu = np.where(mask, 250.0, 40.0).astype(np.float32)
    return Bone("vertebra_L3", grid, hu, mask, {}, np.zeros(mask.shape, bool))


def flat_drum(lower: float, height: float = 26.0, radius: float = 16.0) -> Bone:
    """An upright drum with flat ends, made of voxels half a mm high, and an arch that ends above and below it.

    Args:
        lower: mm by which the arch sits lower than the drum's middle. The frame of elements is laid around the whole,
            so that it shifts the planes between elements against the flat ends by as much.
        height, radius: of the drum, mm.
    """
    grid = Grid.axial((104, 60, 44), (0.5, 1.0, 1.0), (-21.5, -21.5, -25.75))
    x, y, z = np.moveaxis(grid.to_position(np.moveaxis(np.indices(grid.shape), 0, -1)), -1, 0)
    body = (np.abs(z) <= height / 2) & (np.hypot(x, y) <= radius)
    pedicle = (np.abs(np.abs(x) - 10) <= 3.5) & (y > 8) & (y < 28) & (np.abs(z - 4) <= 5)
    arch = (np.abs(x) <= 14) & (y >= 26) & (y <= 32) & (np.abs(z + lower) <= 18)
    mask = body | pedicle | arch
    hu = np.where(mask, 250.0, 40.0).astype(np.float32)
    return Bone("vertebra_L3", grid, hu, mask, {}, np.zeros(mask.shape, bool))
