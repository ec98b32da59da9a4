"""What tells that a study came before: whose it is and which objects make it, and their pixels."""

from __future__ import annotations

import hashlib
from pathlib import Path

from osteoscope.dicom.intake.header import Entry
from osteoscope.dicom.intake.sandbox import Sandbox
from osteoscope.dicom.load import Candidate


def identity_of(candidate: Candidate) -> str:
    """The same for the same objects of the same patient by their headers, which may be known without the images.

    Of a volume file, which has no such header, the digest of the file.
    """
    content = candidate.content
    if content.entries:
        said = content.entries[0].header
        who = [said.text(keyword) for keyword in ("PatientID", "PatientName", "PatientBirthDate")]
        parts = sorted(e.header.text("SOPInstanceUID") or _digest(e.found.path) for e in content.entries)
        return hashlib.sha256("\n".join([*who, *parts]).encode()).hexdigest()
    return (
        _digest(content.found.path)
        if hasattr(content, "found")
        else hashlib.sha256(candidate.label.encode()).hexdigest()
    )


def fingerprint_of(candidate: Candidate, sandbox: Sandbox) -> str:
    """The same for the same pixels of the same `identity_of`."""
    identity, entries = identity_of(candidate), candidate.content.entries
    if not entries:
        return identity
    pixels = sorted(f"{entry.header.text('SOPInstanceUID')} {_pixels(entry, sandbox)}" for entry in entries)
    return hashlib.sha256("\n".join([identity, *pixels]).encode()).hexdigest()


def _pixels(entry: Entry, sandbox: Sandbox) -> str:
    """Digest of a file's pixels as they are stored; of the whole file where they cannot be read."""
    answer = sandbox.one({"op": "digest", "file": str(entry.found.path)})
    return str(answer.get("sha256") or _digest(entry.found.path))


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
