"""Sends DICOM files to a DICOMweb service (STOW-RS, PS3.18 10.5)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pydicom

from osteoscope.errors import OutputError

_SECONDS = 60.0
# ReferencedSOPSequence, FailedSOPSequence, FailureReason, ReferencedSOPInstanceUID (PS3.18 10.5.3).
_STORED, _FAILED, _REASON, _INSTANCE = "00081199", "00081198", "00081197", "00081155"


@dataclass(frozen=True)
class Stored:
    """What the service said: UIDs of the instances that it holds now."""

    instances: tuple[str, ...]


def store(paths: Sequence[Path], url: str) -> Stored:
    """Store instances.

    Args:
        paths: DICOM files.
        url: of the service, such as http://localhost:8042/dicom-web; a name and password may be part of it.

    Raises:
        OutputError: a file is no DICOM instance, the service cannot be reached, refuses, or does not name every
            instance among those that it keeps.
    """
    asked = f"send {len(paths)} objects to {_shown(url)}"
    sent = [_uid(path, asked) for path in paths]
    boundary = uuid.uuid4().hex
    headers = {
        "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}',
        "Accept": "application/dicom+json",
    }
    try:
        body = b"".join(_body(paths, boundary))
        answer = httpx.post(f"{url.rstrip('/')}/studies", content=body, headers=headers, timeout=_SECONDS)
        said = answer.json() if answer.content else {}
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        remedy = "Check that the PACS runs and its address, then send again"
        raise OutputError(asked, f"{type(error).__name__}: {error}", remedy) from error
    named = {_first(item, _INSTANCE) for item in _items(said, _STORED)}
    kept, lost = [uid for uid in sent if uid in named], _failures(said)
    if answer.status_code >= 300 or lost or len(kept) < len(sent):
        found = f"status {answer.status_code}, {len(kept)} kept{'; ' if lost else ''}{'; '.join(lost[:3])}"
        raise OutputError(asked, found, "See the log of the PACS, then send again")
    return Stored(tuple(kept))


def _uid(path: Path, asked: str) -> str:
    try:
        header = pydicom.dcmread(path, specific_tags=["SOPInstanceUID"], stop_before_pixels=True)
        return str(header.SOPInstanceUID)
    except (OSError, AttributeError, pydicom.errors.InvalidDicomError) as error:
        raise OutputError(asked, f"{path.name}: {error}", "Sign the study again") from error


def _shown(url: str) -> str:
    """The address without a password."""
    try:
        return str(httpx.URL(url).copy_with(username=None, password=None))
    except httpx.InvalidURL:
        return "an address that cannot be read"


def _body(paths: Sequence[Path], boundary: str) -> Iterator[bytes]:
    for path in paths:
        yield f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        yield path.read_bytes()
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


def _items(said: Any, tag: str) -> list[dict[str, Any]]:
    """The items of a sequence in the JSON model (PS3.18 F.2); [] where the answer holds none that can be read."""
    return [item for item in _value(said, tag) if isinstance(item, dict)]


def _value(held: Any, tag: str) -> list[Any]:
    element = held.get(tag) if isinstance(held, dict) else None
    value = element.get("Value") if isinstance(element, dict) else None
    return value if isinstance(value, list) else []


def _first(item: dict[str, Any], tag: str) -> str:
    """The first value of an element, "?" where there is none."""
    return str(next(iter(_value(item, tag)), "?"))


def _failures(said: Any) -> list[str]:
    return [f"{_first(item, _INSTANCE)} failed with {_first(item, _REASON)}" for item in _items(said, _FAILED)]
