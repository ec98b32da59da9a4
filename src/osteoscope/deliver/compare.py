"""Two or more dates of one child into a folder: response.json, response.html, and the Readings made on the way."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from osteoscope.deliver.exams import READING_FILE, Taken, take
from osteoscope.deliver.outputs import write_reading
from osteoscope.deliver.unit_map import UNITS_FILE, write_units
from osteoscope.dicom.load import IntakeOptions
from osteoscope.domain import codec
from osteoscope.errors import OutputError, UnsuitableStudyError
from osteoscope.report.html import write_html
from osteoscope.report.response_document import build_response_document
from osteoscope.report.response_views import DatedView
from osteoscope.stats.one_child import check_together
from osteoscope.stats.response import compare
from osteoscope.stats.response_record import Response

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class CompareOptions:
    """How dates are taken in.

    Args:
        intake: of DICOM.
        same_patient: whether the user vouches that different patient ids are one child.
    """

    intake: IntakeOptions = field(default_factory=IntakeOptions)
    same_patient: bool = False


def compare_studies(paths: Sequence[Path], folder: Path, options: CompareOptions, progress: Progress) -> Response:
    """Compare dates of one child and write the result.

    Args:
        paths: oldest first; each DICOM of one planar study, a reading.json, or a folder that holds one.
        folder: gets response.json and response.html, and per date that was read from DICOM a folder ``exam-N``
            with its reading.json and units.json.
        options: how dates are taken in.
        progress: called with (stage, done, total).

    Raises:
        IntakeError: a path holds no study, more than one, or a broken one.
        UnsuitableStudyError: the dates do not belong together, or one was not scored.
        OutputError: the folder cannot be written.
    """
    if len(paths) < 2:
        raise UnsuitableStudyError("compare dates", f"{len(paths)} of them", "Give two or more studies of one child")
    with tempfile.TemporaryDirectory(prefix="osteoscope-") as scratch:
        taken = []
        for number, path in enumerate(paths):
            progress(f"read {path.name}", number, len(paths))
            place = Path(scratch) / str(number)
            place.mkdir()
            taken.append(take(path, place, options.intake, progress))
        exams = [one.exam for one in taken]
        response = compare(exams, check_together(exams, options.same_patient))
        progress("report", len(paths), len(paths))
        _write(response, taken, folder)
    return response


def _write(response: Response, taken: Sequence[Taken], folder: Path) -> None:
    views = [DatedView(one.exam.reading, one.exam.mapped, one.case.study.images if one.case else {}) for one in taken]
    document = build_response_document(response, views)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, one in enumerate(taken, 1):
            if one.case is not None:
                _write_exam(one, folder / f"exam-{number}")
        write_html(document, folder / "response.html")
        plain = json.dumps(codec.encode(response), indent=1, ensure_ascii=False, allow_nan=False)
        (folder / "response.json").write_text(plain + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"write {folder}", str(error), "Choose a folder that can be written with -o") from error


def _write_exam(one: Taken, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    write_reading(one.exam.reading, folder / READING_FILE)
    if one.case is not None:
        write_units(one.case, folder / UNITS_FILE)
