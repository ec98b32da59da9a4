"""The header of a NIfTI-1 file (nifti.nimh.nih.gov/nifti-1), and where its two affines put the volume."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from osteoscope.errors import IntakeError

_SIZE, _SIZE_OF_2 = 348, 540
_ORDERS = "<>"
_TO_MM: Mapping[int, float] = {1: 1000.0, 3: 0.001}
_APART_MM = 0.5
# Relative precision of the 32-bit floats that a quaternion is kept in.
_ROUNDING = 6e-8


@dataclass(frozen=True)
class NiftiHeader:
    """The first 348 bytes of a NIfTI-1 file and their byte order, "<" or ">"."""

    data: bytes
    order: str

    def numbers(self, at: int, kinds: str) -> tuple[Any, ...]:
        """The numbers that start at a byte, by the codes of ``struct``."""
        return struct.unpack_from(self.order + kinds, self.data, at)

    @property
    def codes(self) -> tuple[int, int]:
        """qform_code and sform_code."""
        qform, sform = self.numbers(252, "2h")
        return qform, sform


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a .nii or .nii.gz, inflated."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    with gzip.open(path) if packed else path.open("rb") as stream:
        yield cast("IO[bytes]", stream)


def header_of(path: Path) -> NiftiHeader | None:
    """The header, None where there is none of NIfTI-1.

    Raises:
        IntakeError: a NIfTI-2 file.
    """
    try:
        with opened(path) as stream:
            data = stream.read(_SIZE)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        return None
    if len(data) < _SIZE:
        return None
    sizes = {order: struct.unpack_from(f"{order}i", data)[0] for order in _ORDERS}
    if _SIZE_OF_2 in sizes.values():
        raise IntakeError("read the volume", "a NIfTI-2 file", "Save it as NIfTI-1 or NRRD")
    return next((NiftiHeader(data, order) for order, size in sizes.items() if size == _SIZE), None)


def refuse_two_places(header: NiftiHeader) -> None:
    """Refuse a file that states two places which differ: readers choose the one or the other.

    A place counts where its code is above 0. Corners may differ by 0.5 mm, a choice, and by what the rounding
    of the quaternion can turn them: its first number is the root of what the other three leave of 1, so that it
    is known to the root of the rounding alone where it is near 0.

    Raises:
        IntakeError: sform and qform put a corner of the volume at different places.
    """
    if min(header.codes) <= 0:
        return
    counts = np.array(header.numbers(42, "3h"))
    corners = np.array(np.meshgrid(*[(0, max(n - 1, 0)) for n in counts], [1])).reshape(4, -1)
    unit = _TO_MM.get(int(header.data[123]) & 7, 1.0)
    qform, first = _qform(header)
    apart = float(np.linalg.norm((_sform(header) - qform) @ corners, axis=0).max()) * unit
    reach = float(np.linalg.norm(qform[:, :3] @ np.maximum(counts - 1, 0))) * unit
    turned = 2 * reach * min(_ROUNDING**0.5 * 2, _ROUNDING / max(first, _ROUNDING))
    if not apart <= _APART_MM + turned:
        raise IntakeError(
            "read the volume",
            f"the sform (code {header.codes[1]}) and the qform (code {header.codes[0]}) put it at different places, "
            f"{apart:.3g} mm apart at a corner",
            "Make them alike, or set the code of the one that is wrong to 0",
        )


def _sform(header: NiftiHeader) -> NDArray[np.float64]:
    return np.array(header.numbers(280, "12f")).reshape(3, 4)


def _qform(header: NiftiHeader) -> tuple[NDArray[np.float64], float]:
    """Method 2 of the NIfTI-1 standard: the affine, (3, 4), and the first number of its quaternion."""
    b, c, d, *offset = header.numbers(256, "6f")
    handed, *steps = header.numbers(76, "4f")
    rest = 1 - (b * b + c * c + d * d)
    a = rest**0.5 if rest > 1e-7 else 0.0
    norm = (a * a + b * b + c * c + d * d) ** 0.5
    a, b, c, d = a / norm, b / norm, c / norm, d / norm
    turn = np.array([
        [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
        [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
        [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
    ])  # fmt: skip
    matrix = np.empty((3, 4))
    matrix[:, :3] = turn * np.abs(steps) * [1, 1, -1 if handed < 0 else 1]
    matrix[:, 3] = offset
    return matrix, a
