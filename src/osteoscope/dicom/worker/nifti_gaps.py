"""Voxels of a NIfTI that hold no finite number, which ITK's reader turns into 0 without a word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import repeat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from osteoscope.dicom.worker.nifti_header import NiftiHeader, opened

_AT_TYPE, _AT_START = 70, 108
_FLOATS: Mapping[int, str] = {16: "f4", 64: "f8"}


def gaps_of(path: Path, header: NiftiHeader, shape: tuple[int, ...]) -> Iterator[NDArray[np.bool_] | None]:
    """Per slice where its voxels are not finite; None for every slice of a file of integers.

    Args:
        path: a .nii or .nii.gz that ITK could read.
        header: of it.
        shape: slice, row, column.
    """
    kind = _FLOATS.get(header.numbers(_AT_TYPE, "h")[0])
    if kind is None:
        yield from repeat(None, shape[0])
        return
    voxel = np.dtype(f"{header.order}{kind}")
    with opened(path) as stream:
        stream.seek(int(header.numbers(_AT_START, "f")[0]))
        for _ in range(shape[0]):
            plane = np.frombuffer(stream.read(shape[1] * shape[2] * voxel.itemsize), dtype=voxel)
            yield ~np.isfinite(plane.reshape(shape[1:]))
