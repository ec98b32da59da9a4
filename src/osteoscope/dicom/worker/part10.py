"""Open a DICOM file without trusting it (PS3.10 section 7: preamble, meta information, data set)."""

from __future__ import annotations

import mmap
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from pydicom import config
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    SegmentationStorage,
)
from pydicom.uid import ImplicitVRLittleEndian as Implicit

from osteoscope.dicom.options import MIB, Limits
from osteoscope.errors import IntakeError, LimitError

config.settings.reading_validation_mode = config.IGNORE

_PREAMBLE = 132
_PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
# Parsers probe up to a preamble beyond the end of a sound file; a declared value is longer or cannot matter.
_PROBE = _PREAMBLE
_UNDEFINED = 0xFFFFFFFF
_IMAGE_GROUP = 0x0028
# What a Segmentation says of one frame besides its pixels: 0.6 KiB by highdicom, more elsewhere; a choice.
_FRAME_HEADER_BYTES = 4096
_EXECUTABLES = {b"MZ": "Windows", b"\x7fELF": "Linux", b"\xcf\xfa\xed\xfe": "macOS", b"#!": "script"}


@dataclass(frozen=True)
class Opened:
    """A parsed file.

    Args:
        dataset: with ``file_meta``; without its pixels unless asked for.
        pixel_bytes: declared length of the pixel data, None where there is none, -1 where encapsulated.
        notes: (level, problem, action) of what was repaired or looks odd.
    """

    dataset: Dataset
    pixel_bytes: int | None
    notes: tuple[tuple[str, str, str], ...]


class BoundedFile:
    """A binary file that refuses to read a value longer than what is left of it."""

    def __init__(self, data: mmap.mmap | BytesIO, size: int) -> None:
        self._data = data
        self._size = size
        self.seek, self.tell = data.seek, data.tell

    def read(self, size: int | None = None) -> bytes:
        """Up to ``size`` bytes.

        Raises:
            IntakeError: a declared length goes beyond the end of the file.
        """
        left = self._size - self.tell()
        if size is None or size < 0:
            return self._data.read(left)
        if size > left and size > _PROBE:
            raise IntakeError(
                "read an element",
                f"a value declares {size} bytes where {left} are left in the file",
                "The transfer was cut short or the file is forged; export it again",
            )
        return self._data.read(size)


@contextmanager
def mapped(path: Path) -> Iterator[mmap.mmap]:
    """The bytes of a file that is not empty, mapped read-only."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield data


def parse(data: mmap.mmap, limits: Limits, *, pixels: bool) -> Opened:
    """The data set of a DICOM file.

    Raises:
        IntakeError: a length beyond the end of the file, or an encoding that cannot be told.
        LimitError: a deflated data set that inflates beyond the limits.
    """
    has_preamble = data[128:132] == b"DICM"
    meta, start = _meta(data) if has_preamble else (FileMetaDataset(), 0)
    notes = [] if has_preamble else [("repaired", "no DICOM preamble", "read as a bare data set")]
    notes += [
        ("warning", f"the preamble is that of a {system} executable", "read as data only; never run this file")
        for magic, system in _EXECUTABLES.items()
        if has_preamble and data[: len(magic)] == magic
    ]
    syntax = UID(str(meta.get("TransferSyntaxUID", "")))
    body = BoundedFile(data, len(data))
    body.seek(start)
    if not syntax:
        syntax = _guess_syntax(data[start : start + 8])
        notes.append(("repaired", "no transfer syntax stated", f"read as {syntax.name}"))
    if syntax == DeflatedExplicitVRLittleEndian:
        plain = _inflate(data[start:], limits)
        body = BoundedFile(BytesIO(plain), len(plain))
    dataset = _read(body, syntax, None if pixels else _at_pixels)
    meta.TransferSyntaxUID = syntax
    dataset.file_meta = meta
    return Opened(dataset, None if pixels else _pixel_bytes(body, dataset), tuple(notes))


def _read(body: BoundedFile, syntax: UID, stop: object) -> Dataset:
    little = syntax != ExplicitVRBigEndian
    return read_dataset(body, syntax == Implicit, little, stop_when=stop)  # type: ignore[arg-type]


def _meta(data: mmap.mmap) -> tuple[FileMetaDataset, int]:
    body = BoundedFile(data, len(data))
    body.seek(_PREAMBLE)
    group = read_dataset(body, False, True, stop_when=lambda tag, _vr, _length: tag.group != 2)  # type: ignore[arg-type]
    return FileMetaDataset(group), body.tell()


def _at_pixels(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return int(tag) in _PIXEL_TAGS


def _guess_syntax(head: bytes) -> UID:
    return ExplicitVRLittleEndian if head[4:6].isalpha() and head[4:6].isupper() else Implicit


def _inflate(data: bytes, limits: Limits) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    most = min(limits.file_bytes, limits.worker_bytes // 4)
    cap = min(most, max(64 * MIB, int(limits.inflation_ratio * len(data))))
    plain = inflater.decompress(data, cap)
    stated = min(most, _bytes_of_masks(plain)) if inflater.unconsumed_tail else 0
    if stated > cap:
        plain += inflater.decompress(inflater.unconsumed_tail, stated - cap)
        cap = stated
    if inflater.unconsumed_tail and not inflater.eof:
        raise LimitError(
            "inflate the data set",
            f"{len(data)} bytes inflate to more than {cap} bytes",
            "Raise Limits.inflation_ratio or Limits.worker_bytes if the file can be trusted",
        )
    return plain


def _bytes_of_masks(beginning: bytes) -> int:
    """What a Segmentation of one bit per pixel holds by its own account: masks of bones deflate a thousandfold."""
    body = BoundedFile(BytesIO(beginning), len(beginning))
    try:
        head = _read(body, ExplicitVRLittleEndian, lambda tag, _vr, _length: tag.group > _IMAGE_GROUP)
    except IntakeError:
        return 0
    if head.get("SOPClassUID") != SegmentationStorage or head.get("BitsAllocated") != 1:
        return 0
    frame = int(head.get("Rows", 0)) * int(head.get("Columns", 0)) // 8 + _FRAME_HEADER_BYTES
    return 16 * MIB + frame * int(head.get("NumberOfFrames", 0) or 0)


def _pixel_bytes(body: BoundedFile, dataset: Dataset) -> int | None:
    """Length of the pixel data element that parsing stopped at, None where it stopped at the end (PS3.5 7.1)."""
    implicit, little = dataset.original_encoding
    order = "<" if little else ">"
    head = body.read(12)
    if len(head) < 12:
        return None
    group, element = struct.unpack(f"{order}HH", head[:4])
    if (group << 16) + element not in _PIXEL_TAGS:
        return None
    (length,) = struct.unpack(f"{order}I", head[4:8] if implicit else head[8:])
    return -1 if length == _UNDEFINED else int(length)
