"""Dates of the box-shaped child of the score tests, its posterior view mirrored as real ones are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from score_cases import box, case, finding

from osteoscope.domain.anatomy import CURIE, SIOPEN
from osteoscope.domain.finding import Finding, Measure, Part, Region
from osteoscope.domain.reading import Provenance, Reader, Reading, SiteReading, Status, StudyRecord
from osteoscope.stats.lesion_identity import Exam


def dated(
    findings: Sequence[Finding] = (),
    hidden: dict[str, Status] | None = None,
    date: str = "2026-01-01",
    outlines: bool = True,
) -> Exam:
    """A date of the child with these findings; its uid follows from the date."""
    made = case(findings, hidden)
    record = replace(StudyRecord.of(made.study), uid=f"1.2.{date.replace('-', '')}", date=date)
    reader = Reader("program", "test")
    sites = tuple(_site(name, findings, hidden or {}) for name in dict.fromkeys((*SIOPEN, *CURIE)))
    reading = Reading(record, reader, made.findings, sites, (), Provenance("test"))
    return Exam(date, reading, made.mapped if outlines else ())


def _site(name: str, findings: Sequence[Finding], hidden: Mapping[str, Status]) -> SiteReading:
    units = dict.fromkeys((*SIOPEN.get(name, ()), *CURIE.get(name, ())))
    if all(unit in hidden for unit in units):
        return SiteReading(name, hidden[next(iter(units))])
    notes = tuple(f"{unit}: {hidden[unit].replace('_', ' ')}" for unit in units if unit in hidden)
    tables = (("siopen", SIOPEN, 4), ("curie", CURIE, 2))
    measures = tuple(_level(score, table[name], findings, most) for score, table, most in tables if name in table)
    return SiteReading(name, "assessed", measures, notes=notes)


def _level(score: str, units: Sequence[str], findings: Sequence[Finding], most: int) -> Measure:
    """The number of lesions up to ``most``, which a patch reaches at once; the interval by confidence."""
    low, value, high = (
        max([most * any(f.kind == "diffuse" for f in seen), min(most, len(seen))])
        for seen in ([f for f in findings if f.site in units and f.confidence >= c] for c in (0.75, 0.5, 0.25))
    )
    return Measure(score, value, "{score}", "test", (low, high))


def mirrored(part: Part) -> Region:
    """A part of the anterior view, and the same seen from behind."""
    columns = part.mask.shape[1]
    behind = (part.offset[0], 20 - part.offset[1] - columns)
    return Region((part, Part("posterior", behind, part.mask[:, ::-1])))


def spot(number: int, unit: str, column: int, confidence: float = 0.9, row: int = 4) -> Finding:
    """A focus of 2 x 2 pixels; a unit has 10 rows and 20 columns."""
    region = mirrored(box(unit, (row, row + 2), (column, column + 2)))
    return finding(number, unit, "focal", region, confidence)


def foci(unit: str, number: int, start: int = 0) -> list[Finding]:
    """Up to four foci side by side."""
    return [spot(start + n, unit, 1 + 5 * n) for n in range(number)]


def patch(unit: str, columns: int) -> Finding:
    """Diffuse uptake of that many of the unit's 20 columns."""
    return finding(99, unit, "diffuse", mirrored(box(unit, columns=(0, columns))))
