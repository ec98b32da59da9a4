"""Sends DICOM files to a DICOMweb service (STOW-RS, PS3.18 10.5)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

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
        OutputError: the service cannot be reached, refuses, or keeps not every instance.
    """
    asked = f"send {len(paths)} objects to {_shown(url)}"
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
    kept, lost = _uids(said, _STORED), _failures(said)
    if answer.status_code >= 300 or lost or len(kept) < len(paths):
        found = f"status {answer.status_code}, {len(kept)} kept{'; ' if lost else ''}{'; '.join(lost[:3])}"
        raise OutputError(asked, found, "See the log of the PACS, then send again")
    return Stored(kept)


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
    found = said.get(tag, {}).get("Value", []) if isinstance(said, dict) else []
    return [item for item in found if isinstance(item, dict)]


def _uids(said: Any, tag: str) -> tuple[str, ...]:
    return tuple(str(item.get(_INSTANCE, {}).get("Value", [""])[0]) for item in _items(said, tag))


def _failures(said: Any) -> list[str]:
    return [
        f"{item.get(_INSTANCE, {}).get('Value', ['?'])[0]} failed with {item.get(_REASON, {}).get('Value', ['?'])[0]}"
        for item in _items(said, _FAILED)
    ]
