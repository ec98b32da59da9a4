"""A volume on a coarser grid: what the page shows before, or instead of, every voxel."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.geometry import Grid

# Name -> voxels along the longest axis: what is shown first, and the finest that a browser without a graphics processor
# shows, which spends processor time on every voxel.
MOST: Mapping[str, int] = MappingProxyType({"quick": 176, "preview": 256})


def factors_of(grid: Grid) -> dict[str, int]:
    """Voxels along an edge of the blocks that keep the longest axis at `MOST`, the coarsest first; those above 1."""
    factors = {name: -(-max(grid.shape) // most) for name, most in MOST.items()}
    return {name: factor for name, factor in factors.items() if factor > 1}


def coarser(grid: Grid, factor: int) -> Grid:
    """The grid of blocks; those at the far ends may reach beyond the volume."""
    matrix = grid.matrix.copy()
    matrix[:3, 3] += matrix[:3, :3].sum(axis=1) * (factor - 1) / 2
    matrix[:3, :3] *= factor
    shape = tuple(-(-size // factor) for size in grid.shape)
    return Grid(shape, tuple(tuple(float(v) for v in row) for row in matrix), grid.frame, grid.unit)


def block_means(values: NDArray[Any], factor: int) -> NDArray[np.int16]:
    """Mean of each block [slice, row, column], rounded; of what there is of it at the far ends."""
    shares = [np.diff(np.append(np.arange(0, size, factor), size)) for size in values.shape]
    number = shares[1][:, None] * shares[2]
    planes = [
        np.rint(_sums(values[z : z + factor], factor) / (number * share)).astype(np.int16)
        for z, share in zip(range(0, len(values), factor), shares[0], strict=True)
    ]
    return np.stack(planes)


def block_any(mask: NDArray[Any], factor: int) -> NDArray[np.bool_]:
    """Whether any element of each block is set."""
    return np.stack([_sums(mask[z : z + factor] != 0, factor) > 0 for z in range(0, len(mask), factor)])


def _sums(slab: NDArray[Any], factor: int) -> NDArray[np.int64]:
    """Sums of a slab over its slices and over blocks of rows and columns."""
    flat = slab.sum(axis=0, dtype=np.int64)
    rows, columns = (np.arange(0, size, factor) for size in flat.shape)
    return np.asarray(np.add.reduceat(np.add.reduceat(flat, rows, axis=0), columns, axis=1))
