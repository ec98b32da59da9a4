"""How many ways out: the number of directions in which a voxel meets a wall.

Marrow is walled in on all sides even where a tumour has eaten a hole into the cortex; the spinal canal is
open upwards and downwards, a disc is open sideways. So the count tells them apart without asking for HU,
which fatty marrow, muscle and tumour share.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

Direction = tuple[int, int, int]

_STEPS = (-1, 0, 1)
ALL_DIRECTIONS: tuple[Direction, ...] = tuple(d for d in itertools.product(_STEPS, _STEPS, _STEPS) if any(d))
AXIAL_DIRECTIONS: tuple[Direction, ...] = tuple(d for d in ALL_DIRECTIONS if d[0] == 0)


def walls_met(wall: NDArray[np.bool_], reach: int, directions: tuple[Direction, ...]) -> NDArray[np.uint8]:
    """Number of ``directions`` in which each voxel meets ``wall`` within ``reach`` voxels, uint8 of wall's shape."""
    count = np.zeros(wall.shape, dtype=np.uint8)
    for direction in directions:
        axis = next(a for a in range(3) if direction[a])
        steps = max(1, round(reach / float(np.linalg.norm(direction))))
        _march(np.moveaxis(wall, axis, 0), np.moveaxis(count, axis, 0), _lead(direction, axis), steps)
    return count


def _lead(direction: Direction, axis: int) -> Direction:
    rest = [v for a, v in enumerate(direction) if a != axis]
    return direction[axis], rest[0], rest[1]


def _march(wall: NDArray[np.bool_], count: NDArray[np.uint8], direction: Direction, steps: int) -> None:
    """Carry "steps since the wall" plane by plane against ``direction`` and count where any are left."""
    order = range(wall.shape[0] - 1, -1, -1) if direction[0] > 0 else range(wall.shape[0])
    left = np.zeros(wall.shape[1:], dtype=np.uint8)
    target, source = _shifted(direction[1], direction[2])
    for index in order:
        moved = np.zeros_like(left)
        moved[target] = left[source]
        moved -= moved > 0
        moved[wall[index]] = steps
        left = moved
        count[index] += left > 0


def _shifted(*shift: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    ahead = {0: slice(None), 1: slice(1, None), -1: slice(None, -1)}
    return tuple(ahead[-v] for v in shift), tuple(ahead[v] for v in shift)
