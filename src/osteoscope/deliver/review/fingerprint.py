"""What tells that a study came before: whose it is and which objects make it, and their pixels."""

from __future__ import annotations

import hashlib

from osteoscope.deliver.own_files import sha256_of
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
        parts = sorted(e.header.text("SOPInstanceUID") or sha256_of(e.found.path) for e in content.entries)
        return hashlib.sha256("\n".join([*who, *parts]).encode()).hexdigest()
    return (
        sha256_of(content.found.path)
        if hasattr(content, "found")
        else hashlib.sha256(candidate.label.encode()).hexdigest()
    )


def fingerprint_of(candidate: Candidate, identity: str, sandbox: Sandbox) -> str:
    """The same for the same pixels of the same identity (`identity_of`)."""
    entries = candidate.content.entries
    if not entries:
        return identity
    pixels = sorted(f"{entry.header.text('SOPInstanceUID')} {_pixels(entry, sandbox)}" for entry in entries)
    return hashlib.sha256("\n".join([identity, *pixels]).encode()).hexdigest()


def _pixels(entry: Entry, sandbox: Sandbox) -> str:
    """Digest of a file's pixels as they are stored; of the whole file where they cannot be read."""
    answer = sandbox.one({"op": "digest", "file": str(entry.found.path)})
    return str(answer.get("sha256") or sha256_of(entry.found.path))
