"""How shapes in millimetres are painted into voxels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.geometry import Grid
from osteoscope.simulate.shapes import Beads, Floats, Solid


def paint(labels: NDArray[np.uint8], grid: Grid, solid: Solid, label: int, over: Sequence[int] | None = None) -> None:
    """Write a label into the voxels of a solid, all of them or those that hold one of the labels `over`."""
    low, high = solid.bounds()
    start = np.clip(np.floor(grid.to_index(low)).astype(int), 0, grid.shape)
    stop = np.clip(np.ceil(grid.to_index(high)).astype(int) + 1, 0, grid.shape)
    if (stop <= start).any():
        return
    box = tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))
    mask = solid.inside(_positions(grid, box))
    if over is not None:
        mask &= np.isin(labels[box], over)
    labels[box][mask] = label


def _positions(grid: Grid, box: tuple[slice, ...]) -> tuple[Any, Any, Any]:
    step, origin = np.asarray(grid.spacing), grid.matrix[:3, 3][::-1]
    z, y, x = (np.arange(s.start, s.stop) * d + o for s, d, o in zip(box, step, origin, strict=True))
    return (
        x.astype(np.float32)[None, None, :],
        y.astype(np.float32)[None, :, None],
        z.astype(np.float32)[:, None, None],
    )


def stamp(labels: NDArray[np.uint8], grid: Grid, beads: Beads, label: int, over: Sequence[int] | None = None) -> None:
    """As `paint`, for balls; a thin one holds at least its nearest voxel."""
    step = np.asarray(grid.spacing)
    radii = np.maximum(beads.radii, 0.87 * step.max())
    centres = grid.to_index(beads.points)
    nearest = np.rint(centres).astype(np.int64)
    reach = np.ceil(radii / step.min()).astype(int)
    kept = ((nearest + reach[:, None] >= 0) & (nearest - reach[:, None] < grid.shape)).all(axis=1)
    for n in np.unique(reach[kept]):
        chosen = kept & (reach == n)
        index = _in_balls(grid.shape, nearest[chosen], (centres[chosen], step, radii[chosen]), int(n))
        if over is not None:
            index = index[np.isin(labels.ravel()[index], over)]
        labels.ravel()[index] = label


def _in_balls(
    shape: tuple[int, ...], nearest: NDArray[np.int64], balls: tuple[Floats, Floats, Floats], reach: int
) -> NDArray[np.int64]:
    """Flat indices of the voxels in balls (centres in voxels, voxel size, radii in mm) up to `reach` from `nearest`."""
    centres, step, radii = balls
    around = np.arange(-reach, reach + 1)
    at = nearest[:, :, None] + around
    squared = (((at - centres[:, :, None]) * step[:, None]) ** 2).astype(np.float32)
    if nearest.min() < reach or (nearest + reach >= shape).any():
        squared[(at < 0) | (at >= np.array(shape)[:, None])] = np.inf
    z, y, x = (at * np.array([shape[1] * shape[2], shape[2], 1])[:, None]).transpose(1, 0, 2)
    inside = (
        squared[:, 0, :, None, None] + squared[:, 1, None, :, None] + squared[:, 2, None, None, :]
        <= (radii**2).astype(np.float32)[:, None, None, None]
    )
    ball, dz, dy, dx = np.nonzero(inside)
    return np.asarray(z[ball, dz] + y[ball, dy] + x[ball, dx])
