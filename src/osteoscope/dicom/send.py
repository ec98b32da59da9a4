"""Sends DICOM files to where a URL says: DICOMweb or C-STORE."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from osteoscope.dicom import cstore, stow
from osteoscope.dicom.stow import Stored
from osteoscope.errors import InvalidValueError

SENDERS: Mapping[str, Callable[[Sequence[Path], str], Stored]] = {
    "http": stow.store,
    "https": stow.store,
    cstore.SCHEME: cstore.store,
}


def send(paths: Sequence[Path], url: str) -> Stored:
    """Store instances at http(s)://... (STOW-RS) or dicom://TITLE@HOST:PORT (C-STORE).

    Raises:
        InvalidValueError: another kind of address.
        OutputError: not every instance is kept there now.
    """
    scheme = url.partition(":")[0].lower()
    if scheme not in SENDERS:
        raise InvalidValueError(
            "send to a PACS", f"an address that begins with {scheme[:20]!r}", f"Use {sorted(SENDERS)}"
        )
    return SENDERS[scheme](paths, url)
