"""Several dates of a child as a report: the answer, pictures side by side, segments, lesions, comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from osteoscope.report import response_tables as tables
from osteoscope.report.document import DISCLAIMER
from osteoscope.report.parts import Document, Fact, Section
from osteoscope.report.response_views import DatedView, response_views
from osteoscope.report.wording import count, number
from osteoscope.stats.inrc import Category, category
from osteoscope.stats.response_record import Comparison, Response, Scored

CATEGORY_WORDS: Mapping[Category, str] = MappingProxyType(
    {
        "CR": "complete response",
        "PR": "partial response",
        "SD": "stable disease",
        "PD": "progressive disease",
        "NI": "not involved",
    }
)


def build_response_document(response: Response, dates: Sequence[DatedView]) -> Document:
    """The report of a comparison, with pictures of its dates (one DatedView each, oldest first)."""
    flags = [f"{tables.span(response, c)}: {flag}" for c in response.comparisons for s in c.scores for flag in s.flags]
    reasons = [
        f"{tables.span(response, c)}, {tables.TITLES[s.score]}: {s.verdict.reason}"
        for c in response.comparisons
        for s in c.scores
        if s.verdict.reason
    ]
    return Document(
        title="Response of skeletal mIBG uptake",
        disclaimer=DISCLAIMER,
        patient=_patient(response, dates[-1]),
        asked="How has skeletal uptake changed, which lesions are new, and which INRC category do they make?",
        summary=tuple(_sentence(response, comparison) for comparison in _headlines(response)),
        limits=tuple(dict.fromkeys((*reasons, *flags, *response.notes))),
        sections=(
            Section("Images", response_views(response, dates)),
            Section("Comparisons", (), (tables.comparisons(response),)),
            Section("Scores", (), (tables.levels(response, "siopen"), tables.levels(response, "curie"))),
            Section("Lesions", (), (tables.lesions(response),)),
            Section("Dates", (), (tables.exams(response),)),
        ),
    )


def headline(response: Response) -> tuple[str, ...]:
    """The answer in a sentence for each comparison that ends on the latest date."""
    return tuple(_sentence(response, comparison) for comparison in _headlines(response))


def _headlines(response: Response) -> Sequence[Comparison]:
    latest = len(response.exams) - 1
    return [comparison for comparison in response.comparisons if comparison.current == latest]


def _sentence(response: Response, comparison: Comparison) -> str:
    scored = comparison.scores[0]
    change = f"SIOPEN {scored.before.value} to {scored.now.value}{_ratio(scored)}"
    lesions = f"{_fresh(comparison)}, {len(comparison.resolved)} resolved"
    return f"{tables.span(response, comparison)}: {_verdict(scored)}. {change}; {lesions}."


def _fresh(comparison: Comparison) -> str:
    """New lesions; where there are none and the category rests on one, that a level alone says so."""
    scored = comparison.scores[0]
    before, now = scored.before.value, scored.now.value
    by_score = before > 0 and category(before, now, new=False) == "PD"
    if scored.verdict.category == "PD" and not comparison.new and not by_score:
        return "no new bone lesion listed, but a bone site new by its level alone"
    return count(len(comparison.new), "new bone lesion")


def _verdict(scored: Scored) -> str:
    verdict = scored.verdict
    could = " or ".join(verdict.possible)
    if verdict.category is None:
        return f"INRC bone component not evaluable, {could} possible"
    doubt = f", but {could} possible within the intervals" if len(verdict.possible) > 1 else ""
    return f"INRC bone component {verdict.category} ({CATEGORY_WORDS[verdict.category]}{doubt})"


def _ratio(scored: Scored) -> str:
    relative = scored.relative
    if relative.value is not None:
        return f", relative score {number(relative.value)} ({tables.bounds(relative)})"
    return f", relative score {tables.bounds(relative)}" if relative.low is not None else ", relative score undefined"


def _patient(response: Response, latest: DatedView) -> tuple[Fact, ...]:
    patient = latest.reading.study.patient
    dates = ", ".join(tables.date(response, n) for n in range(len(response.exams)))
    return (
        Fact("Patient", patient.name.replace("^", ", ", 1).replace("^", " ").rstrip(", ") or "not stated"),
        Fact("Identifier", patient.id or "not stated"),
        Fact("Dates", dates),
        Fact("Read by", "; ".join(dict.fromkeys(exam.reader for exam in response.exams))),
    )
