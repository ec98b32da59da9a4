"""What the sender of a STOW-RS request is told of each file (PS3.18 table 10.5.3-1), by its first bytes alone."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

_CLASS, _INSTANCE = (0x0002, 0x0002), (0x0002, 0x0003)
_LONG = frozenset({b"OB", b"OW", b"UN", b"UT", b"SQ"})
_HEAD_BYTES = 4096
_CANNOT_UNDERSTAND = 0xC000

Instance = tuple[str, str]


def instance_of(path: Path) -> Instance | None:
    """SOP class and instance of a DICOM file from its meta information; None where it is no such file."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    if head[128:132] != b"DICM":
        return None
    found: dict[tuple[int, int], str] = {}
    at = 132
    while at + 12 <= len(head) and not found.keys() >= {_CLASS, _INSTANCE}:
        group, element = struct.unpack_from("<HH", head, at)
        is_long = head[at + 4 : at + 6] in _LONG
        (length,) = struct.unpack_from("<I" if is_long else "<H", head, at + (8 if is_long else 6))
        start = at + (12 if is_long else 8)
        if group != 0x0002:
            break
        found[group, element] = head[start : start + length].rstrip(b"\0 ").decode("ascii", "replace")
        at = start + length
    uids = found.get(_CLASS, ""), found.get(_INSTANCE, "")
    return uids if all(uids) else None


def answer(files: Iterable[Path]) -> tuple[int, Mapping[str, Any]]:
    """The status and the data set that tell which files were taken as DICOM and how many were none."""
    told = [instance_of(path) for path in files]
    stored = [{**_uid("00081150", one[0]), **_uid("00081155", one[1])} for one in told if one is not None]
    none = [{"00081197": {"vr": "US", "Value": [_CANNOT_UNDERSTAND]}} for one in told if one is None]
    body = {
        **({"00081199": {"vr": "SQ", "Value": stored}} if stored else {}),
        **({"00081198": {"vr": "SQ", "Value": none}} if none else {}),
    }
    return (409 if not stored else 202 if none else 200), body


def _uid(tag: str, value: str) -> dict[str, Any]:
    return {tag: {"vr": "UI", "Value": [value]}}
