"""Two CTs of one patient, as they stand for a reviewer, compared."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from osteoscope.deliver.compare import write_response
from osteoscope.deliver.compare_ct import compare_cts
from osteoscope.deliver.exams import Taken
from osteoscope.deliver.review.files import PROGRAM, VIEWS, open_one
from osteoscope.deliver.review.ground import mapped_of
from osteoscope.domain import codec
from osteoscope.domain.reading import Case, Reading
from osteoscope.measure.lesion_change_record import ChangeOptions
from osteoscope.stats.lesion_identity import Exam

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Dated:
    """One date.

    Args:
        files, label: to open the study, as `files.read_one`.
        folder: of the study, with what was written when the program read it.
        reading: as it stands.
    """

    files: Path
    label: str
    folder: Path
    reading: Reading


def compare_dated(dates: tuple[Dated, Dated], out: Path, progress: Progress) -> int:
    """Compare and write response.json, .html and .pdf as `osteoscope compare` does; the number of lesions followed.

    Args:
        dates: earlier, later.
        out: gets the files, complete or not at all.
        progress: called with (stage, hundredths done, 100).

    Raises:
        IntakeError: the images cannot be opened any more.
        UnsuitableStudyError: the dates do not belong together, or share no bone.
        OutputError: the folder cannot be written.
    """
    draft = out.with_name(f"{out.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="osteoscope-") as scratch:
        taken = []
        for number, date in enumerate(dates):
            progress("open", 20 * number, 100)
            place = Path(scratch) / str(number)
            place.mkdir()
            taken.append(_taken(date, place))
        progress("compare", 40, 100)
        response, document = compare_cts(taken, same_patient=False, options=ChangeOptions())
        progress("write", 80, 100)
        write_response(codec.encode(response), document, draft)
    shutil.rmtree(out, ignore_errors=True)
    draft.replace(out)
    return len(response.lesions)


def _taken(date: Dated, scratch: Path) -> Taken:
    reading = date.reading
    study = open_one(date.files, date.label, scratch, lambda *_: None)
    mapped = mapped_of(reading.study.kind, date.folder / PROGRAM, date.folder / VIEWS)
    case = Case(study, mapped, reading.findings, reading.set_aside, reading.sites)
    return Taken(Exam(reading.study.date or date.label, reading, mapped), case)
