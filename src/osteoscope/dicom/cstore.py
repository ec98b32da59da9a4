"""Sends DICOM files to a PACS by C-STORE (PS3.4 Annex B)."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pydicom
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, build_context

from osteoscope.dicom.stow import Stored
from osteoscope.errors import InvalidValueError, OutputError

SCHEME = "dicom"
CALLING = "OSTEOSCOPE"
_SECONDS = 60
# An application entity title (PS3.5 6.2): printable ASCII without a backslash, not blank.
_TITLE = re.compile(r"(?=.*[^ ])[ -\[\]-~]{1,16}")
# PS3.5 10.1: every PACS takes the second for every kind of object.
_PLAIN = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)


def store(paths: Sequence[Path], url: str) -> Stored:
    """Store instances, each in the transfer syntax of its file or, where the PACS does not take that, a plain one.

    Args:
        paths: DICOM files.
        url: dicom://TITLE@HOST:PORT, the title of the PACS as its administrator named it.

    Raises:
        InvalidValueError: the url names no title, host and port, or a title that is none.
        OutputError: the PACS cannot be reached, refuses, or keeps not every instance.
    """
    title, host, port = _place(url)
    asked = f"send {len(paths)} objects to {title} at {host}:{port}"
    try:
        datasets = [pydicom.dcmread(path) for path in paths]
    except (OSError, pydicom.errors.InvalidDicomError) as error:
        raise OutputError(asked, str(error), "Sign the study again") from error
    offers = {(d.SOPClassUID, syntax): None for d in datasets for syntax in _offered(d.file_meta.TransferSyntaxUID)}
    entity = AE(ae_title=CALLING)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = _SECONDS
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)
    contexts = [build_context(kind, syntax) for kind, syntax in offers]
    try:
        association = entity.associate(host, port, contexts, ae_title=title)
    except OSError as error:
        raise OutputError(
            asked, f"{type(error).__name__}: {error}", "Check the name of the host and its port"
        ) from error
    if not association.is_established:
        found = "it refused the association" if association.is_rejected else "no answer"
        raise OutputError(asked, found, f"Check address and title, and that the PACS knows {CALLING}")
    lost = []
    try:
        for dataset in datasets:
            lost += _send(association, dataset)
    finally:
        association.release()
    if lost:
        raise OutputError(asked, "; ".join(lost[:3]), "See the log of the PACS, then send again")
    return Stored(tuple(str(d.SOPInstanceUID) for d in datasets))


def _offered(own: UID) -> tuple[UID, ...]:
    """The transfer syntaxes that an object can be sent in; pynetdicom converts what is not compressed."""
    return (own,) if own.is_compressed or not own.is_little_endian else (own, *_PLAIN)


def _send(association: object, dataset: pydicom.Dataset) -> list[str]:
    """What went wrong with one instance; a warning (Bxxx) still means that it is kept."""
    try:
        status = association.send_c_store(dataset)  # type: ignore[attr-defined]
    except (ValueError, RuntimeError) as error:
        return [f"{dataset.SOPInstanceUID}: {error}"]
    code = status.Status if status else None
    kept = code == 0 or (code is not None and 0xB000 <= code <= 0xBFFF)
    return [] if kept else [f"{dataset.SOPInstanceUID}: status {'none' if code is None else f'{code:04X}'}"]


def _place(url: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(url)
        title, host, port = parts.username, parts.hostname, parts.port
    except ValueError:
        title = host = port = None
    if not (title and host and port) or not _TITLE.fullmatch(title):
        remedy = "Give dicom://TITLE@HOST:PORT, a title of 16 plain letters or less, without a backslash"
        raise InvalidValueError("send to a PACS", f"{url!r}", remedy)
    return title, host, port
