"""A cohort's readings, evaluation, reader analysis and agreement into one folder: study.html, study.pdf, study.json."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

from osteoscope.deliver.agreement import AgreementOptions, compare_readers
from osteoscope.deliver.cohort import Cohort, open_cohort
from osteoscope.deliver.evaluation import EvaluationOptions, evaluate
from osteoscope.deliver.evaluation_marks import QUESTIONS, Mark, Marked, Marks, read_marks
from osteoscope.deliver.ratings import Problem
from osteoscope.deliver.result_files import faults, statistic_rows, write_results
from osteoscope.domain import codec
from osteoscope.errors import OsteoscopeError
from osteoscope.report.document import DISCLAIMER
from osteoscope.report.parts import Document
from osteoscope.report.pdf import write_pdf
from osteoscope.report.study_figures import drawings
from osteoscope.report.study_report import StudyParts, build_study_report
from osteoscope.stats.adequacy import adequacy
from osteoscope.stats.detection import CRITERIA
from osteoscope.stats.detection_figures import DetectionOptions
from osteoscope.stats.ratings import Statistic, Target
from osteoscope.stats.resampling import Resampling

Progress = Callable[[str, int, int], None]
SCHEMA = "osteoscope/study/1"
_NAME, _COHORT, _UNNAMED = "study", "cohort", "the reader"


@dataclass(frozen=True)
class StudyOptions:
    """What goes into a study report besides the cohort.

    Args:
        reference: readings or label maps that those of CT are evaluated against, None for none.
        marks: a CSV of readers' marks on findings.
        readers: other readers of the same studies, "PATH" or "NAME=PATH".
        detection: of the evaluation; its resampling is used everywhere.
    """

    reference: Path | None = None
    marks: Path | None = None
    readers: tuple[str, ...] = ()
    detection: DetectionOptions = field(default_factory=DetectionOptions)


@dataclass(frozen=True)
class StudyReport:
    """A finished report, and what could not be used."""

    report: Document
    problems: tuple[Problem, ...]

    @property
    def lossless(self) -> bool:
        """Whether everything given was used."""
        return not any(problem.lost for problem in self.problems)


def write_study_report(folder: Path, out: Path, options: StudyOptions, progress: Progress) -> StudyReport:
    """Gather a cohort into one document; a part that cannot be made is a problem, the others stand.

    Args:
        folder: of results of `osteoscope read`.
        out: gets study.html, .pdf and .json, tables/, figures/, and evaluation/ and agreement/ with their own results.
        options: what else goes in.
        progress: told of each step.

    Raises:
        IntakeError: no Reading in the folder.
        OutputError: ``out`` cannot be written.
    """
    progress("open", 0, 0)
    cohort = open_cohort(folder)
    problems = list(cohort.problems)
    documents: dict[str, Document] = {}
    pairs: list[tuple[str, str, Sequence[Statistic]]] = []
    kinds = {member.reading.study.kind for member in cohort.members}
    for title, make in _parts(folder, out, options, progress, kinds).items():
        try:
            made = make()
        except OsteoscopeError as error:
            problems.append(Problem(title, None, "", f"{error.asked}: {error.found}", error.remedy))
            continue
        problems += made.problems
        documents |= made.documents
        pairs += made.pairs
    studies = {m.study: Marked(m.patient, frozenset(f.id for f in m.reading.findings)) for m in cohort.members}
    marks = read_marks(options.marks, studies) if options.marks else Marks({}, ())
    problems += marks.problems
    judged = tuple(_judged(marks, options.detection.resampling))
    readings = {member.study: member.reading for member in cohort.members}
    figures = tuple(drawings(readings))
    listing = faults(problems)
    report = build_study_report(StudyParts(readings, figures, judged, documents, pairs, listing))
    tables = {"marks_statistics": statistic_rows(judged)} if judged else {}
    write_results(_document(cohort, judged, problems), report, figures, tables, (out, _NAME))
    write_pdf(report, out / f"{_NAME}.pdf")
    return StudyReport(report, tuple(problems))


@dataclass(frozen=True)
class _Made:
    problems: tuple[Problem, ...]
    documents: Mapping[str, Document] = field(default_factory=dict)
    pairs: tuple[tuple[str, str, Sequence[Statistic]], ...] = ()


def _parts(
    folder: Path, out: Path, options: StudyOptions, progress: Progress, kinds: Collection[str]
) -> Mapping[str, Callable[[], _Made]]:
    """What is asked for, by its title."""
    parts: dict[str, Callable[[], _Made]] = {}
    if options.reference is not None:
        reference = options.reference

        def against() -> _Made:
            done = evaluate([reference, folder], out / "evaluation", EvaluationOptions(options.detection), progress)
            return _Made(done.evaluation.problems, {"Evaluation": done.report})

        parts["Evaluation"] = against
    sources = (f"{_COHORT}={folder}", *options.readers)
    if options.readers and "nm-planar" in kinds:

        def agreement() -> _Made:
            chosen = AgreementOptions(resampling=options.detection.resampling)
            done = compare_readers(sources, out / "agreement", chosen, progress)
            return _Made(done.problems, {"Agreement": done.report})

        parts["Agreement"] = agreement
    if options.readers and "ct" in kinds:
        named = [_named(source) for source in sources]
        for (a, first), (b, second) in combinations(named, 2):
            parts[f"Agreement of {a} and {b}"] = _pair((a, first), (b, second), (out, options, progress))
    return parts


def _pair(
    first: tuple[str, Path], second: tuple[str, Path], how: tuple[Path, StudyOptions, Progress]
) -> Callable[[], _Made]:
    out, options, progress = how

    def make() -> _Made:
        place = out / "agreement-ct" / f"{first[0]}-{second[0]}"
        done = evaluate([first[1], second[1]], place, EvaluationOptions(options.detection), progress)
        found = [s for s in done.evaluation.detection.statistics if s.scale == CRITERIA[0].name]
        return _Made(done.evaluation.problems, {}, ((first[0], second[0], found),))

    return make


def _named(source: str) -> tuple[str, Path]:
    name, equals, rest = source.partition("=")
    if equals and name and not Path(source).exists():
        return name, Path(rest)
    return Path(source).stem, Path(source)


def _judged(marks: Marks, resampling: Resampling) -> Iterator[Statistic]:
    """Of each reader the share of right answers to each question; of two readers that of equal ones."""
    by_reader: dict[str, list[Mark]] = {}
    for mark in marks.rows:
        by_reader.setdefault(mark.reader or _UNNAMED, []).append(mark)
    for reader, given in by_reader.items():
        for question in QUESTIONS:
            answers = [(m.patient, m.right) for m in given if m.question == question]
            if answers:
                yield adequacy(Target("adequacy", (reader,), "findings"), f"{question}_right", answers, resampling)
    for (a, first), (b, second) in combinations(by_reader.items(), 2):
        for question in QUESTIONS:
            said = {(m.study, m.finding): m for m in first if m.question == question and m.finding}
            both = [
                (m.patient, m.right == said[m.study, m.finding].right)
                for m in second
                if m.question == question and (m.study, m.finding) in said
            ]
            if both:
                yield adequacy(Target("adequacy", (a, b), "same answer"), f"{question}_right", both, resampling)


def _document(cohort: Cohort, marks: Sequence[Statistic], problems: Sequence[Problem]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "disclaimer": DISCLAIMER,
        "studies": [
            {
                "study": member.study, "file": member.file.name, "uid": member.reading.study.uid,
                "kind": member.reading.study.kind, "patient": member.patient, "date": member.reading.study.date,
                "findings": len(member.reading.findings), "gaps": len(member.reading.gaps),
                "measures": codec.encode(member.reading.measures),
            }
            for member in cohort.members
        ],
        "marks": codec.encode(tuple(marks)),
        "problems": codec.encode(tuple(problems)),
    }  # fmt: skip
