"""Voxels of a NIfTI that hold no finite number, which ITK's reader turns into 0 without a word."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

# Size of the header: where it states the type of its voxels, where they begin, and how the latter is written.
_LAYOUTS: Mapping[int, tuple[int, int, str]] = {348: (70, 108, "f"), 540: (12, 168, "q")}
_FLOATS: Mapping[int, str] = {16: "f4", 64: "f8"}
_LONGEST = 540


def gaps_of(path: Path, shape: tuple[int, ...]) -> Iterator[NDArray[np.bool_] | None]:
    """Per slice where its voxels are not finite; None for every slice of a file of integers.

    Args:
        path: a .nii or .nii.gz that ITK could read.
        shape: slice, row, column.
    """
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    with gzip.open(path) if packed else path.open("rb") as stream:
        yield from _gaps(cast("IO[bytes]", stream), shape)


def _gaps(stream: IO[bytes], shape: tuple[int, ...]) -> Iterator[NDArray[np.bool_] | None]:
    head = stream.read(_LONGEST)
    order = next((order for order in "<>" if struct.unpack_from(f"{order}i", head)[0] in _LAYOUTS), "<")
    at_type, at_start, written = _LAYOUTS.get(struct.unpack_from(f"{order}i", head)[0], _LAYOUTS[348])
    kind = _FLOATS.get(struct.unpack_from(f"{order}h", head, at_type)[0])
    if kind is None:
        yield from (None for _ in range(shape[0]))
        return
    stream.seek(int(struct.unpack_from(f"{order}{written}", head, at_start)[0]))
    voxel = np.dtype(f"{order}{kind}")
    for _ in range(shape[0]):
        plane = np.frombuffer(stream.read(shape[1] * shape[2] * voxel.itemsize), dtype=voxel)
        yield ~np.isfinite(plane.reshape(shape[1:]))
