"""What a file is, by its content, and what a DICOM header says."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydicom.uid import UID

from osteoscope.dicom.options import Limits
from osteoscope.dicom.worker.fields import plain_fields
from osteoscope.dicom.worker.part10 import Opened, mapped, parse
from osteoscope.errors import IntakeError, LimitError

# (offset, magic bytes, kind); the first match wins.
_MAGIC = (
    (128, b"DICM", "dicom"),
    (0, b"PK\x03\x04", "zip"),
    (0, b"PK\x05\x06", "zip"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"NRRD000", "nrrd"),
    (344, b"n+1\0", "nifti"),
    (344, b"ni1\0", "nifti-pair"),
    (4, b"n+2\0", "nifti-2"),
    (4, b"ni2\0", "nifti-2"),
    (257, b"ustar", "tar"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!", "rar"),
    (0, b"BZh", "bzip2"),
    (0, b"\xfd7zXZ", "xz"),
    (0, b"\x08\x00", "bare-dicom"),
    (0, b"\x02\x00", "bare-dicom"),
)


def look(request: Mapping[str, Any], limits: Limits) -> Iterator[dict[str, Any]]:
    """One answer: "kind", and for DICOM "fields" and "notes".

    Raises:
        IntakeError: a DICOM file that cannot be parsed.
        LimitError: a file that is too large, or inflates too far.
    """
    path = Path(request["file"])
    size = path.stat().st_size
    if size == 0:
        yield {"kind": "empty"}
        return
    if size > limits.file_bytes:
        raise LimitError("look at the file", f"{size} bytes", f"Limits.file_bytes allows {limits.file_bytes}")
    with mapped(path) as data:
        kind = next((kind for at, magic, kind in _MAGIC if data[at : at + len(magic)] == magic), "unknown")
        if kind == "dicom":
            yield _header(parse(data, limits, pixels=False))
        elif kind == "bare-dicom":
            yield _bare_header(data, limits)
        else:
            yield {"kind": kind}


def _bare_header(data: mmap.mmap, limits: Limits) -> dict[str, Any]:
    """A data set without preamble looks like many other files; it is one if it parses and names its class."""
    try:
        answer = _header(parse(data, limits, pixels=False))
    except IntakeError:
        return {"kind": "unknown"}
    return answer if answer["fields"]["SOPClassUID"] else {"kind": "unknown"}


def _header(opened: Opened) -> dict[str, Any]:
    fields, meta = plain_fields(opened.dataset), opened.dataset.file_meta
    for keyword in ("SOPClassUID", "SOPInstanceUID"):
        fields[keyword] = fields.get(keyword) or str(meta.get(f"MediaStorage{keyword}", ""))
    fields |= {
        "TransferSyntaxUID": str(meta.TransferSyntaxUID),
        "SOPClassName": UID(fields["SOPClassUID"]).name,
        "PixelBytes": opened.pixel_bytes,
    }
    return {"kind": "dicom", "fields": fields, "notes": opened.notes}
