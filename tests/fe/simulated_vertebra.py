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
