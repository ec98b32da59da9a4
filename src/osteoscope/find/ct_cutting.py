"""Boxes of a volume that may reach beyond it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoscope.find.ct_frame import Box

Triple = Sequence[int] | NDArray[np.integer]


def held(whole: tuple[int, ...], start: Triple, shape: Triple) -> tuple[Box, Box]:
    """What a box holds of a volume: where that lies in the volume, and where in the box.

    Args:
        whole: shape (z, y, x) of the volume.
        start: first voxel of the box, which may lie below 0.
        shape: of the box.
    """
    outer, inner = [], []
    for first, size, side in zip(start, whole, shape, strict=True):
        low = max(0, int(first))
        high = max(low, min(size, int(first + side)))
        outer.append(slice(low, high))
        inner.append(slice(low - int(first), high - int(first)))
    return (outer[0], outer[1], outer[2]), (inner[0], inner[1], inner[2])


def cut(volume: NDArray[Any], start: Triple, shape: Triple, beyond: float) -> NDArray[Any]:
    """A box of a volume, ``beyond`` where it reaches out of it; see `held`."""
    outer, inner = held(volume.shape, start, shape)
    made = np.full(shape, beyond, dtype=volume.dtype)
    made[inner] = volume[outer]
    return made
