"""Dates of one patient into a folder: response.json, response.html, .pdf, and the Readings made on the way."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from osteoscope.deliver.bone_map import BONES_FILE
from osteoscope.deliver.compare_ct import compare_cts
from osteoscope.deliver.exams import READING_FILE, Taken, take
from osteoscope.deliver.outputs import write_reading
from osteoscope.deliver.unit_map import UNITS_FILE, write_units
from osteoscope.dicom.load import IntakeOptions
from osteoscope.dicom.write_nifti import write_bone_labels
from osteoscope.domain import codec
from osteoscope.domain.reading import Case
from osteoscope.domain.study import StudyKind
from osteoscope.errors import OutputError, UnsuitableStudyError
from osteoscope.measure.lesion_change_record import ChangeOptions
from osteoscope.report.ct_response import headline as ct_headline
from osteoscope.report.html import write_html
from osteoscope.report.parts import Document
from osteoscope.report.pdf import write_pdf
from osteoscope.report.response_document import build_response_document, headline
from osteoscope.report.response_views import DatedView
from osteoscope.stats.one_child import check_together
from osteoscope.stats.response import compare
from osteoscope.stats.response_record import Response

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class CompareOptions:
    """How dates are taken in and compared.

    Args:
        intake: of DICOM.
        same_patient: whether the user vouches that different patient ids are one patient.
        change: thresholds of lesions on CT.
    """

    intake: IntakeOptions = field(default_factory=IntakeOptions)
    same_patient: bool = False
    change: ChangeOptions = field(default_factory=ChangeOptions)


@dataclass(frozen=True)
class Compared:
    """A comparison for the terminal: the answer in sentences, notes, and response.json."""

    headline: tuple[str, ...]
    notes: tuple[str, ...]
    plain: Mapping[str, Any]


def compare_dates(paths: Sequence[Path], folder: Path, options: CompareOptions, progress: Progress) -> Compared:
    """Compare dates of one patient, planar scans or CTs, and write the result.

    Args:
        paths: oldest first; each the images of one study, a reading.json, or a folder that holds one. Two for CT.
        folder: gets response.json, response.html and response.pdf, and per date that was read from images a folder
            ``exam-N`` with its reading.json and the outlines that it was compared by.
        options: how dates are taken in.
        progress: called with (stage, done, total).

    Raises:
        IntakeError: a path holds no study, more than one, or a broken one.
        UnsuitableStudyError: the dates do not belong together, or one was not scored.
        OutputError: the folder cannot be written.
    """
    with _taken(paths, options, progress) as taken:
        return _COMPARERS[taken[0].exam.reading.study.kind](taken, folder, options)


def compare_studies(paths: Sequence[Path], folder: Path, options: CompareOptions, progress: Progress) -> Response:
    """The same of planar scans, as its noun."""
    with _taken(paths, options, progress) as taken:
        return _planar(taken, folder, options)


@contextmanager
def _taken(paths: Sequence[Path], options: CompareOptions, progress: Progress) -> Iterator[list[Taken]]:
    """Every date as it came in, with its images as long as they are needed."""
    if len(paths) < 2:
        raise UnsuitableStudyError("compare dates", f"{len(paths)} of them", "Give two or more studies of one patient")
    with tempfile.TemporaryDirectory(prefix="osteoscope-") as scratch:
        taken = []
        for number, path in enumerate(paths):
            progress(f"read {path.name}", number, len(paths))
            place = Path(scratch) / str(number)
            place.mkdir()
            taken.append(take(path, place, options.intake, progress))
        progress("compare", len(paths), len(paths))
        yield taken


def _planar(taken: Sequence[Taken], folder: Path, options: CompareOptions) -> Response:
    exams = [one.exam for one in taken]
    response = compare(exams, check_together(exams, options.same_patient))
    views = [DatedView(one.exam.reading, one.exam.mapped, one.case.study.images if one.case else {}) for one in taken]
    document = build_response_document(response, views)
    _write(codec.encode(response), document, taken, folder)
    return response


def _planar_compared(taken: Sequence[Taken], folder: Path, options: CompareOptions) -> Compared:
    response = _planar(taken, folder, options)
    return Compared(headline(response), response.notes, codec.encode(response))


def _ct_compared(taken: Sequence[Taken], folder: Path, options: CompareOptions) -> Compared:
    response, document = compare_cts(taken, options.same_patient, options.change)
    _write(codec.encode(response), document, taken, folder)
    return Compared(ct_headline(response), response.notes, codec.encode(response))


_COMPARERS: Mapping[StudyKind, Callable[[Sequence[Taken], Path, CompareOptions], Compared]] = MappingProxyType(
    {"nm-planar": _planar_compared, "ct": _ct_compared}
)


def _write(plain: Mapping[str, Any], document: Document, taken: Sequence[Taken], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, one in enumerate(taken, 1):
            if one.case is not None:
                _write_exam(one, one.case, folder / f"exam-{number}")
    except OSError as error:
        raise _unwritten(folder, error) from error
    write_response(plain, document, folder)


def _unwritten(folder: Path, error: OSError) -> OutputError:
    return OutputError(f"write {folder}", str(error), "Choose a folder that can be written with -o")


def write_response(plain: Mapping[str, Any], document: Document, folder: Path) -> None:
    """Write response.json, response.html and response.pdf.

    Raises:
        OutputError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_html(document, folder / "response.html")
        write_pdf(document, folder / "response.pdf")
        text = json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False)
        (folder / "response.json").write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise _unwritten(folder, error) from error


def _write_exam(one: Taken, case: Case, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    write_reading(one.exam.reading, folder / READING_FILE)
    if one.exam.reading.study.kind == "ct":
        write_bone_labels(case, folder / BONES_FILE)
    else:
        write_units(case, folder / UNITS_FILE)
