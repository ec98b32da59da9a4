"""A cohort of CT readings against a reference, into a folder: evaluation.json, a report, tables and figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from osteoscope.deliver.evaluation_inputs import Entry, Unread, list_studies
from osteoscope.deliver.evaluation_lesions import lesion_rows
from osteoscope.deliver.evaluation_marks import Marked, Marks, read_marks
from osteoscope.deliver.evaluation_record import Evaluation
from osteoscope.deliver.evaluation_scans import Loaded, load_scan, load_unread
from osteoscope.deliver.ratings import Problem
from osteoscope.deliver.result_files import Rows, faults, statistic_rows, write_results
from osteoscope.domain import codec
from osteoscope.errors import IntakeError, OsteoscopeError
from osteoscope.report.document import DISCLAIMER
from osteoscope.report.evaluation import build_evaluation
from osteoscope.report.evaluation_figures import drawings
from osteoscope.report.parts import Document
from osteoscope.report.pdf import write_pdf
from osteoscope.stats.adequacy import adequacy
from osteoscope.stats.detection import CRITERIA
from osteoscope.stats.detection_figures import DetectionOptions, evaluate_detection
from osteoscope.stats.detection_scan import Scan
from osteoscope.stats.ratings import Target

Progress = Callable[[str, int, int], None]
_NAME = "evaluation"


@dataclass(frozen=True)
class EvaluationOptions:
    """How readings are evaluated.

    Args:
        detection: rate, threshold, ignored sizes, resampling.
        marks: a CSV of a radiologist's marks on findings, None for none.
        ct_only: whether Readings of other kinds in folders are passed over without a word.
    """

    detection: DetectionOptions = field(default_factory=DetectionOptions)
    marks: Path | None = None
    ct_only: bool = False


@dataclass(frozen=True)
class Evaluated:
    """A finished evaluation: as written to evaluation.json, and to evaluation.html and .pdf."""

    evaluation: Evaluation
    report: Document

    @property
    def lossless(self) -> bool:
        """Whether every study and mark of the input was used."""
        return not any(problem.lost for problem in self.evaluation.problems)


def evaluate(sources: Sequence[Path], folder: Path, options: EvaluationOptions, progress: Progress) -> Evaluated:
    """Evaluate readings of CT and write the result; a study that cannot be used is a problem, the others stand.

    Args:
        sources: one CSV table (study, reference, reading, patient), or a reference and a reading: folders or files.
        folder: for the results; made if absent.
        options: how it is evaluated.
        progress: told of each study.

    Raises:
        IntakeError: no study can be evaluated, or the marks cannot be read at all.
        OutputError: the folder cannot be written.
    """
    listed = list_studies(sources, options.ct_only)
    loaded, failed, broken = _load_all(listed.entries, progress)
    unread, lost = _load_unread((*listed.unread, *broken))
    problems = (*listed.problems, *failed, *lost, *(remark for one in loaded for remark in one.remarks))
    if not loaded:
        raise IntakeError("evaluate", f"no study that can be used ({problems[0]})", "Mend the files named")
    progress("evaluate", len(listed.entries), len(listed.entries))
    scans = [one.scan for one in loaded]
    readers = (_names(one.readers[0] for one in loaded), _names(one.readers[1] for one in loaded))
    detection = evaluate_detection(scans, readers, options.detection, unread)
    studies = {s.study: Marked(s.patient, frozenset(f.id for f in s.findings)) for s in scans}
    marks = read_marks(options.marks, studies) if options.marks else Marks({}, ())
    target = Target("adequacy", readers, "findings")
    judged = (adequacy(target, f"{name}_right", given, options.detection.resampling)
              for name, given in marks.answers.items())  # fmt: skip
    evaluation = Evaluation(
        DISCLAIMER, f"osteoscope {version('osteoscope')}", readers, options.detection, CRITERIA, detection,
        tuple(judged), (*problems, *marks.problems),
    )  # fmt: skip
    return _write(evaluation, folder)


def _load_all(entries: Sequence[Entry], progress: Progress) -> tuple[list[Loaded], list[Problem], list[Unread]]:
    """Scans, why others are none, and those others, whose reference may still stand."""
    loaded, failed, broken = [], [], []
    for number, entry in enumerate(entries):
        progress(f"load {entry.study}", number, len(entries))
        try:
            loaded.append(load_scan(entry))
        except Exception as error:  # noqa: BLE001 - one bad study never stops a batch
            failed.append(_problem(entry, error))
            broken.append(Unread(entry.study, entry.patient, entry.reference))
    return loaded, failed, broken


def _problem(entry: Entry, error: Exception) -> Problem:
    if isinstance(error, OsteoscopeError):
        return Problem(entry.study, None, "", f"{error.asked}: {error.found}", error.remedy)
    return Problem(entry.study, None, "", f"{type(error).__name__}: {error}", "Check both files")


def _load_unread(given: Sequence[Unread]) -> tuple[list[Scan], list[Problem]]:
    """References without a reading; a reference that cannot be used either is told."""
    scans, problems = [], []
    for one in given:
        try:
            scans.append(load_unread(one))
        except Exception as error:  # noqa: BLE001 - one bad study never stops a batch
            found = f"not even its reference can be used, so that no figure counts it ({error})"
            problems.append(Problem(one.study, None, "", found, "Mend the reference"))
    return scans, problems


def _names(readers: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(readers))


def _write(evaluation: Evaluation, folder: Path) -> Evaluated:
    figures = tuple(drawings(evaluation.detection, evaluation.criteria, evaluation.settings.rate))
    given = (evaluation.readers, evaluation.settings, evaluation.criteria)
    report = build_evaluation(
        evaluation.detection, given, evaluation.adequacy, figures, faults(evaluation.problems)
    )  # fmt: skip
    tables: dict[str, Rows] = {
        "statistics": statistic_rows((*evaluation.detection.statistics, *evaluation.adequacy)),
        "lesions": lesion_rows(evaluation),
    }
    write_results(codec.encode(evaluation), report, figures, tables, (folder, _NAME))
    write_pdf(report, folder / f"{_NAME}.pdf")
    return Evaluated(evaluation, report)
