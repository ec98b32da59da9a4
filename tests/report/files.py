"""Example Cases whose images lie in DICOM files, with the Sources that intake would have named; dciodvfy."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pydicom
import pytest
from examples import Example

from osteoscope.dicom.write_ct import write_ct
from osteoscope.dicom.write_nm import write_nm
from osteoscope.domain.reading import StudyRecord
from osteoscope.domain.study import Source, Study


def on_disk(example: Example, folder: Path) -> Example:
    """The example with its images written as DICOM into ``folder`` and its sources set."""
    write = write_ct if example.case.study.kind == "ct" else write_nm
    paths = write(example.case.study, folder)
    return with_sources(
        example, tuple(s for n, path in enumerate(paths) for s in _sources(example.case.study, path, n))
    )


def with_sources(example: Example, sources: tuple[Source, ...]) -> Example:
    """The example with other sources."""
    study = replace(example.case.study, sources=sources)
    reading = replace(example.reading, study=StudyRecord.of(study))
    return Example(replace(example.case, study=study), reading)


def source_of(path: Path, image: str, index: int | None) -> Source:
    """The Source of a DICOM file."""
    header = pydicom.dcmread(path, stop_before_pixels=True)
    digest = sha256(path.read_bytes()).hexdigest()
    return Source(path.name, digest, path, header.SOPClassUID, header.SOPInstanceUID, image, index)


def _sources(study: Study, path: Path, index: int) -> list[Source]:
    if study.kind == "ct":
        return [source_of(path, "ct", index)]
    return [source_of(path, view, frame) for frame, view in enumerate(study.images)]


def validator_errors(path: Path) -> list[str]:
    """The Error lines of dciodvfy (Debian package dicom3tools) on one file; skips where it is absent."""
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy (Debian package dicom3tools) is absent")
    found = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
    return [line for line in found.stderr.splitlines() if line.startswith("Error")]
