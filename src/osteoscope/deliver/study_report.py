"""A cohort's readings, evaluation, reader analysis and agreement into one folder: study.html, study.pdf, study.json."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from osteoscope.deliver.cohort import Cohort, open_cohort
from osteoscope.deliver.evaluation_marks import QUESTIONS, Mark, Marked, Marks, read_marks
from osteoscope.deliver.ratings import Problem
from osteoscope.deliver.result_files import faults, statistic_rows, write_results
from osteoscope.deliver.study_parts import Progress, StudyOptions, parts
from osteoscope.domain import codec
from osteoscope.errors import OsteoscopeError
from osteoscope.report.document import DISCLAIMER
from osteoscope.report.parts import Document
from osteoscope.report.pdf import write_pdf
from osteoscope.report.study_figures import drawings
from osteoscope.report.study_report import StudyParts, build_study_report
from osteoscope.stats.adequacy import adequacy
from osteoscope.stats.ratings import Statistic, Target
from osteoscope.stats.resampling import Resampling

SCHEMA = "osteoscope/study/1"
_NAME, _UNNAMED = "study", "the reader"


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
    for title, make in parts(folder, out, options, kinds, progress):
        try:
            made = make()
        except OsteoscopeError as error:
            problems.append(_failed(title, error))
            continue
        problems += made.problems
        documents |= made.documents
        pairs += made.pairs
    marks = _marks(cohort, options.marks)
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


def _failed(title: str, error: OsteoscopeError) -> Problem:
    """That a part of the report cannot be made, and why."""
    return Problem(title, None, "", f"{error.asked}: {error.found}", error.remedy)


def _marks(cohort: Cohort, path: Path | None) -> Marks:
    studies = {m.study: Marked(m.patient, frozenset(f.id for f in m.reading.findings)) for m in cohort.members}
    try:
        return read_marks(path, studies) if path else Marks({}, ())
    except OsteoscopeError as error:
        return Marks({}, (_failed("Reader analysis", error),))


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
