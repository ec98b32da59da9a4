"""What the review server does with files: sort an upload into studies, and read one of them into a folder.

The folder of a study holds ``views/`` (pictures for the page) and ``program/`` (as `osteoscope read` leaves it).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from osteoscope.deliver.outputs import OutputOptions, deliver
from osteoscope.deliver.review.fingerprint import fingerprint_of, identity_of
from osteoscope.deliver.review.ground import write_bone_index
from osteoscope.deliver.review.views import write_views
from osteoscope.dicom.intake.header import Header
from osteoscope.dicom.intake.patient import iso_date, patient_of, study_date
from osteoscope.dicom.intake.sandbox import Sandbox
from osteoscope.dicom.load import Candidate, IntakeOptions, load, scan
from osteoscope.domain.reading import Reading
from osteoscope.domain.study import IntakeNote, Patient, Study, StudyKind
from osteoscope.errors import IntakeError, ModelError
from osteoscope.reading.plan_table import plan_for
from osteoscope.reading.read import read

Progress = Callable[[str, int, int], None]
PROGRAM, VIEWS = "program", "views"
_OPTIONS = IntakeOptions()


@dataclass(frozen=True)
class Arrived:
    """A study found in an upload, as its headers describe it.

    Args:
        label: to find it again among the files.
        kind, uid, date, patient, birth_date: from the headers; "" where they do not say.
        identity: the same for the same objects of the same patient, by their headers.
        fingerprint: the same where their pixels are the same, too.
    """

    label: str
    kind: StudyKind
    uid: str
    date: str
    patient: Patient
    birth_date: str
    identity: str
    fingerprint: str


@dataclass(frozen=True)
class Sorted:
    """What an upload holds."""

    studies: tuple[Arrived, ...]
    notes: tuple[IntakeNote, ...]


def sort_files(folder: Path, progress: Progress) -> Sorted:
    """The studies among the files of a folder.

    Raises:
        LimitError: more files than allowed.
    """
    with tempfile.TemporaryDirectory(prefix="osteoscope-") as scratch:
        found = scan(folder, Path(scratch), _OPTIONS, progress)
        with Sandbox(_OPTIONS.limits) as sandbox:
            return Sorted(tuple(_arrived(candidate, sandbox) for candidate in found.candidates), found.notes)


def _arrived(candidate: Candidate, sandbox: Sandbox) -> Arrived:
    entries = candidate.content.entries
    header = entries[0].header if entries else Header({})
    patient, _ = patient_of(header)
    birth = iso_date(header.text("PatientBirthDate"))
    uid = header.text("StudyInstanceUID")
    identity = identity_of(candidate)
    told = identity, fingerprint_of(candidate, identity, sandbox)
    return Arrived(candidate.label, candidate.kind, uid, study_date(header), patient, birth, *told)


def read_one(files: Path, label: str, folder: Path, progress: Progress, tracer: str = "") -> Reading:
    """Read the study of that label among the files: ``views/`` first, ``program/`` when it is complete.

    Args:
        files: a folder, as `sort_files` had it.
        label: as `sort_files` gave it.
        folder: of the study; what an earlier attempt left half done is removed, what is complete gives way at the end.
        progress: called with (stage, thousandths done, 1000).
        tracer: insisted on, whatever the header says.

    Raises:
        IntakeError: the study is not among the files, or was refused.
        UnsuitableStudyError: no plan suits it.
        ModelError: a model is absent, or not the one that its card describes.
        OutputError: the folder cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="osteoscope-") as scratch:
        study = open_one(files, label, Path(scratch), progress, tracer)
        write_views(study, folder / VIEWS)
        progress("pictures", 250, 1000)
        outcome = read(study, plan_for(study), _within(progress, 250, 900))
        _check_models(outcome.reading)
        draft, final = folder / f"{PROGRAM}.part", folder / PROGRAM
        shutil.rmtree(draft, ignore_errors=True)
        reading = deliver(outcome, draft, OutputOptions(dicom=True, nifti=True))
        write_bone_index(outcome.case, folder / VIEWS)
        shutil.rmtree(final, ignore_errors=True)
        draft.replace(final)
        return reading


def _check_models(reading: Reading) -> None:
    """A Reading without its model is not put before a reviewer."""
    broken = next((gap.reason for gap in reading.gaps if gap.reason.startswith(ModelError.__name__)), None)
    if broken:
        raise ModelError("read the study", broken, "Install Osteoscope again, then let the study be read again")


def open_one(files: Path, label: str, scratch: Path, progress: Progress, tracer: str = "") -> Study:
    """The study of that label among the files, its voxels in ``scratch``.

    Raises:
        IntakeError: it is not among the files, or was refused.
    """
    progress("files", 0, 1000)
    options = replace(_OPTIONS, tracer=tracer)
    found = scan(files, scratch, options)
    candidate = next((c for c in found.candidates if c.label == label), None)
    if candidate is None:
        raise IntakeError(f"open study {label}", "it is no longer among the uploaded files", "Upload it again")
    progress("load", 100, 1000)
    arrival = load(candidate, scratch, options)
    if arrival.study is None:
        raise IntakeError(f"read study {label}", _why(arrival.notes), "Mend the files and upload them again")
    return arrival.study


def _why(notes: Sequence[IntakeNote]) -> str:
    refusals = [f"{note.file}: {note.problem} ({note.action})" for note in notes if note.level == "refused"]
    return "; ".join(refusals[:3]) or "refused without a note"


def _within(progress: Progress, start: int, end: int) -> Progress:
    def tell(step: str, done: int, of: int) -> None:
        progress(step, start + (end - start) * done // max(of, 1), 1000)

    return tell
