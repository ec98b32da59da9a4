"""Example Cases whose images lie in DICOM files, with the Sources that intake would have named."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pydicom
from examples import Example

from osteoscope.dicom.write_ct import write_ct
from osteoscope.dicom.write_nm import write_nm
from osteoscope.domain.reading import StudyRecord
from osteoscope.domain.study import Source, Study


def on_disk(example: Example, folder: Path) -> Example:
    """The example with its images written as DICOM into ``folder`` and its sources set."""
    write = write_ct if example.case.study.kind == "ct" else write_nm
    paths = write(example.case.study, folder)
    sources = tuple(source for n, path in enumerate(paths) for source in _sources(example.case.study, path, n))
    uid = str(pydicom.dcmread(paths[0]).StudyInstanceUID)
    study = replace(example.case.study, sources=sources, uid=uid)
    reading = replace(example.reading, study=StudyRecord.of(study))
    return Example(replace(example.case, study=study), reading)


def _sources(study: Study, path: Path, index: int) -> list[Source]:
    header = pydicom.dcmread(path, stop_before_pixels=True)
    digest = sha256(path.read_bytes()).hexdigest()
    images = [("ct", index)] if study.kind == "ct" else [(view, n) for n, view in enumerate(study.images)]
    return [Source(path.name, digest, path, header.SOPClassUID, header.SOPInstanceUID, image, n) for image, n in images]
