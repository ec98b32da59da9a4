"""A cohort's readings, evaluation, reader analysis and agreement as one document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from osteoscope.domain.reading import Reading
from osteoscope.report import study_tables as tables
from osteoscope.report.document import DISCLAIMER
from osteoscope.report.drawing import Drawing, in_report
from osteoscope.report.parts import Document, Fact, Section, Table
from osteoscope.report.wording import count
from osteoscope.stats.ratings import Statistic


@dataclass(frozen=True, eq=False)
class StudyParts:
    """What a study report is made of.

    Args:
        readings: of the cohort, by name of the study.
        figures: of the cohort.
        marks: reader analysis: shares of right answers, by reader and question, and of equal answers.
        documents: finished reports by title: evaluation, agreement; their sections are taken over.
        pairs: figures of pairs of CT readers, as (reference, reading, figures).
        faults: of the input.
    """

    readings: Mapping[str, Reading]
    figures: Sequence[Drawing]
    marks: Sequence[Statistic]
    documents: Mapping[str, Document]
    pairs: Sequence[tuple[str, str, Sequence[Statistic]]]
    faults: Table


def build_study_report(parts: StudyParts) -> Document:
    """The document."""
    readings = parts.readings
    sections = [
        Section("Cohort", in_report(parts.figures), tables.cohort(readings)),
        Section("Studies", (), tables.studies(readings)),
    ]
    if parts.marks:
        sections.append(Section("Reader analysis", (), (tables.marks(parts.marks),)))
    if parts.pairs:
        sections.append(Section("Agreement of readers of CT", (), (tables.pairs(parts.pairs),)))
    for title, document in parts.documents.items():
        sections += [_renamed(section, title) for section in document.sections]
    sections.append(Section("Limits of the readings", (), (tables.gaps(readings), parts.faults)))
    return Document(
        title="Study report",
        disclaimer=DISCLAIMER,
        patient=_facts(readings),
        asked="What was read, how well, and how far do readers agree with it and with each other?",
        summary=_summary(parts),
        limits=_limits(parts),
        sections=tuple(section for section in sections if section.figures or any(t.rows for t in section.tables)),
    )


def _renamed(section: Section, title: str) -> Section:
    """A section of another report under its title; its figures and tables keep their names apart."""
    word = title.lower().replace(" ", "_")
    figures = tuple(replace(figure, name=f"{word}-{figure.name}") for figure in section.figures)
    tables = tuple(replace(table, title=f"{title}: {table.title}") for table in section.tables)
    return replace(section, title=f"{title}: {section.title.lower()}", figures=figures, tables=tables)


def _facts(readings: Mapping[str, Reading]) -> tuple[Fact, ...]:
    dates = sorted({r.study.date for r in readings.values() if r.study.date})
    patients = {r.study.patient.id or name for name, r in readings.items()}
    readers = dict.fromkeys(f"{r.reader.name} {r.reader.version}".strip() for r in readings.values())
    models = dict.fromkeys(
        f"{m.name} {m.version} ({m.sha256[:12]})" for r in readings.values() for m in r.reader.models
    )
    span = f"{dates[0]} to {dates[-1]}" if len(dates) > 1 else "".join(dates)
    return (
        Fact("Studies", f"{len(readings)} of {count(len(patients), 'patient')}"),
        Fact("Dates", span or "not stated"),
        Fact("Read by", "; ".join(readers)),
        Fact("Models", "; ".join(models) or "none"),
    )


def _summary(parts: StudyParts) -> tuple[str, ...]:
    lines = list(tables.in_words(parts.readings))
    for title, document in parts.documents.items():
        lines += [f"{title}: {line}" for line in document.summary]
    lines += tables.marks_in_words(parts.marks)
    return tuple(lines)


def _limits(parts: StudyParts) -> tuple[str, ...]:
    given = {title: document.limits for title, document in parts.documents.items()}
    lines = [f"{title}: {line}" for title, limits in given.items() for line in limits]
    if not parts.documents and not parts.marks:
        lines.append("No reference, marks or other readers were given: this report says what was read, not how well.")
    if parts.faults.rows:
        lines.append(f"{count(len(parts.faults.rows), 'remark')} on the input: see Limits of the readings.")
    return tuple(lines)
