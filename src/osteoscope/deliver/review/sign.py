"""The files of a signed Reading: reading.json as signed, report, DICOM SR, SEG and PDF."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from osteoscope.deliver.outputs import OutputOptions, deliver
from osteoscope.deliver.review.files import PROGRAM, VIEWS, open_one
from osteoscope.deliver.review.ground import mapped_of
from osteoscope.domain import codec
from osteoscope.domain.reading import Case, Gap, Reading
from osteoscope.reading.read import Outcome


def deliver_signed(files: Path, label: str, folder: Path, body: bytes, out: Path) -> tuple[Gap, ...]:
    """Write what was signed; reading.json is the signed text itself.

    Args:
        files, label: to open the study, as `files.read_one`.
        folder: of the study, with what was written when the program read it.
        body: reading.json as signed.
        out: gets the files, complete or not at all.

    Returns:
        Outputs that could not be written, and why.

    Raises:
        IntakeError: the images cannot be opened any more.
        OutputError: the folder cannot be written.
    """
    reading = codec.decode(Reading, json.loads(body))
    draft = out.with_name(f"{out.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="osteoscope-") as scratch:
        study = open_one(files, label, Path(scratch), lambda *_: None)
        mapped = mapped_of(study.kind, folder / PROGRAM, folder / VIEWS)
        case = Case(study, mapped, reading.findings, reading.set_aside, reading.sites)
        written = deliver(Outcome(reading, case), draft, OutputOptions(dicom=True, nifti=True))
    (draft / "reading.json").write_bytes(body)
    shutil.rmtree(out, ignore_errors=True)
    draft.replace(out)
    return written.gaps[len(reading.gaps) :]
