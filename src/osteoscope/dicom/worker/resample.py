"""Bring sheared or unevenly spaced slices onto one rectangular grid, a slice at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.dicom.options import AIR_HU, Limits


def resample(request: Mapping[str, Any], _limits: Limits) -> Iterator[dict[str, Any]]:
    """Linear interpolation of the int16 volume at "file" into the one at "out".

    "shifts" gives per input slice how far (rows, columns) its content moves to lie straight in the
    output; "blends" per output slice [lower input slice, upper input slice, weight of the upper].
    Outside of the input there is air.
    """
    source = np.load(request["file"], mmap_mode="r", allow_pickle=False)
    target = np.load(request["out"], mmap_mode="r+", allow_pickle=False)

    @lru_cache(maxsize=2)
    def straight(index: int) -> NDArray[np.float32]:
        return _shifted(source[index], request["shifts"][index], target.shape[1:])

    for index, (lower, upper, weight) in enumerate(request["blends"]):
        parts = [(straight(i), share) for i, share in ((lower, 1 - weight), (upper, weight)) if share]
        target[index] = np.rint(sum(values * np.float32(share) for values, share in parts))
        yield {"slice": index}
    target.flush()


def _shifted(values: NDArray[np.int16], shift: tuple[float, float], shape: tuple[int, int]) -> NDArray[np.float32]:
    canvas = np.full(shape, AIR_HU, dtype=np.float32)
    canvas[: values.shape[0], : values.shape[1]] = values
    if not any(shift):
        return canvas
    moved = ndimage.shift(canvas, shift, order=1, mode="grid-constant", cval=AIR_HU)
    return np.asarray(moved, dtype=np.float32)
