"""The tables of a report, each from a Reading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from osteoscope.domain.anatomy import CURIE, SIOPEN
from osteoscope.domain.finding import Finding, Measure
from osteoscope.domain.reading import Reading, SiteReading
from osteoscope.report.parts import Cell, Column, Table
from osteoscope.report.style import level_colour
from osteoscope.report.wording import interval, label, number, percent, place, sentence_case, site_name, unit, where

_EMPTY = Cell("–")
SCORES = ("siopen", "curie")
# Columns of measures that a page has room for: beside kind, confidence and centre, and beside the site alone.
_FIRST_MEASURES, _MORE_MEASURES = 6, 9
_INTERVALS = "Below a value: its interval under the uncertainties that its method knows of."


def findings(reading: Reading) -> Table:
    """One row per finding, numbered as in the pictures, with the first measures made of it."""
    names = _names(f.measures for f in reading.findings)[:_FIRST_MEASURES]
    columns = (
        Column("No.", numeric=True),
        Column("Site"),
        Column("Kind"),
        Column("Confidence", numeric=True),
        *_measure_columns(names),
        Column("Centre"),
    )
    rows = tuple(_finding(n, finding, names) for n, finding in enumerate(reading.findings, start=1))
    return Table("Findings", columns, rows, _INTERVALS if rows else "")


def more_of_findings(reading: Reading) -> tuple[Table, ...]:
    """The measures that `findings` has no room for, by the same numbers; findings that have none are left out."""
    rest = _names(f.measures for f in reading.findings)[_FIRST_MEASURES:]
    return tuple(_more(reading, rest[n : n + _MORE_MEASURES]) for n in range(0, len(rest), _MORE_MEASURES))


def _more(reading: Reading, names: Sequence[tuple[str, str]]) -> Table:
    columns = (Column("No.", numeric=True), Column("Site"), *_measure_columns(names))
    rows = tuple(
        (Cell(str(n)), Cell(site_name(finding.site)), *_measure_cells(finding.measures, names))
        for n, finding in enumerate(reading.findings, start=1)
        if any((m.name, m.unit) in names for m in finding.measures)
    )
    return Table("Findings, more measures", columns, rows)


def _finding(n: int, finding: Finding, names: Sequence[tuple[str, str]]) -> tuple[Cell, ...]:
    return (
        Cell(str(n)),
        Cell(site_name(finding.site)),
        Cell(finding.kind),
        Cell(percent(finding.confidence)),
        *_measure_cells(finding.measures, names),
        Cell(place(finding.centre)),
    )


def sites(reading: Reading) -> Table:
    """One row per site, also where nothing was found or nothing could be assessed."""
    names = [name for name in _names(s.measures for s in reading.sites) if name[0] not in SCORES]
    columns = (
        Column("Site"),
        Column("Status"),
        Column("Confidence", numeric=True),
        Column("Findings"),
        *_measure_columns(names),
        Column("Remarks"),
    )
    rows = tuple(
        (
            Cell(site_name(s.site)),
            Cell(s.status.replace("_", " ")),
            Cell(percent(s.confidence)),
            Cell(_evidence(reading, s)),
            *_measure_cells(s.measures, names),
            Cell("; ".join(s.notes)),
        )
        for s in reading.sites
    )
    return Table("Sites", columns, rows)


def siopen(reading: Reading) -> Table:
    """The 12 segments with their SIOPEN level, 0 to 6."""
    return _score(reading, _Score("siopen", "SIOPEN score", "Segment", tuple(SIOPEN), 6))


def curie(reading: Reading) -> Table:
    """The 10 regions with their Curie level, 0 to 3."""
    return _score(reading, _Score("curie", "Curie score", "Region", tuple(CURIE), 3))


@dataclass(frozen=True)
class _Score:
    name: str
    title: str
    heading: str
    order: tuple[str, ...]
    most: int


def _score(reading: Reading, score: _Score) -> Table:
    columns = (Column(score.heading), Column("Level", numeric=True), Column("Range", numeric=True), Column("No."))
    counted = f"{score.name}_counted"
    changed = any(site.measure(counted) for site in reading.sites)
    note = f"Level 0 to {score.most} in each; range: its interval; no.: findings."
    total = reading.measure(f"{score.name}_total")
    words = (Cell(number(total.value)), Cell(_range(total))) if total else (Cell("not scored"), Cell(""))
    last = (Cell(f"Total of {score.most * len(score.order)}"), *words, Cell(""))
    rows = tuple(_level(reading, where, score) for where in score.order)
    return Table(
        score.title,
        columns,
        (*rows, last),
        f"{note} In brackets: the level by counting alone, where by all findings of the child another is expected to "
        "be less wrong (too low weighs a little more than too high)."
        if changed
        else note,
        total=True,
    )


def _level(reading: Reading, where: str, score: _Score) -> tuple[Cell, ...]:
    said = reading.site(where)
    name = Cell(site_name(where))
    if said is None:
        return name, Cell("not read"), Cell(""), Cell("")
    evidence = Cell(_evidence(reading, said))
    measure = said.measure(score.name)
    if measure is None:
        status = "not scored" if said.status == "assessed" else said.status.replace("_", " ")
        return name, Cell(status), Cell(""), evidence
    counted = said.measure(f"{score.name}_counted")
    words = number(measure.value) + (f" ({number(counted.value)})" if counted else "")
    level = Cell(words, colour=level_colour(measure.value, score.most))
    return name, level, Cell(_range(measure)), evidence


def _range(measure: Measure) -> str:
    return "–".join(number(v) for v in measure.interval) if measure.interval else ""


def measures(reading: Reading) -> Table:
    """Measures of the whole study."""
    columns = (Column("Measure"), Column("Value", numeric=True), Column("Unit"), Column("Method"))
    rows = tuple(
        (
            Cell(sentence_case(label(m.name))),
            Cell(number(m.value), interval(m)),
            Cell(unit(m.unit)),
            Cell(m.method),
        )
        for m in reading.measures
    )
    return Table("Measures of the study", columns, rows, _INTERVALS if rows else "")


def gaps(reading: Reading) -> Table:
    """What could not be done, and why."""
    rows = tuple((Cell(where(reading, gap.where)), Cell(gap.step), Cell(gap.reason)) for gap in reading.gaps)
    return Table("Gaps", (Column("Where"), Column("Step"), Column("Reason")), rows)


def set_aside(reading: Reading) -> Table:
    """What was seen and not counted, the same for the same reason in one row."""
    images: dict[tuple[str, str], list[str]] = {}
    for aside in reading.set_aside:
        images.setdefault((aside.what, aside.reason), []).extend(part.image for part in aside.region.parts)
    rows = tuple(
        (Cell(what), Cell(reason), Cell(", ".join(f"{n} on {image}" for image, n in Counter(shown).items())))
        for (what, reason), shown in images.items()
    )
    return Table("Seen and not counted", (Column("What"), Column("Reason"), Column("Areas")), rows)


def intake(reading: Reading) -> Table:
    """What was met at the door."""
    columns = (Column("Level"), Column("Problem"), Column("Action"), Column("File"))
    rows = tuple(
        (Cell(n.level.replace("_", " ")), Cell(n.problem), Cell(n.action), Cell(n.file)) for n in reading.intake
    )
    return Table("Intake", columns, rows)


def provenance(reading: Reading) -> Table:
    """Who read with which software, models, settings and inputs."""
    made, reader = reading.provenance, reading.reader
    facts = [
        ("Reader", " ".join(filter(None, (reader.name, reader.version, f"({reader.kind})")))),
        ("Software", made.software),
        *(("Model", f"{m.name} {m.version}, SHA-256 {m.sha256}") for m in reader.models),
        ("Started", made.started or "not recorded"),
        ("Duration", f"{number(made.seconds)} s"),
        *((f"Setting {key}", str(value)) for key, value in made.settings.items()),
        ("Study UID", reading.study.uid),
        *_inputs(reading),
    ]
    rows = tuple((Cell(name), Cell(value)) for name, value in facts)
    return Table("Provenance", (Column("What"), Column("Value")), rows)


def _inputs(reading: Reading, most: int = 4) -> Iterable[tuple[str, str]]:
    inputs = reading.provenance.inputs
    for source in inputs[:most]:
        yield "Input", f"{source.file}, SHA-256 {source.sha256[:16]}…"
    if len(inputs) > most:
        yield "Inputs", f"{len(inputs) - most} more files, all named in reading.json"


def _names(measured: Iterable[tuple[Measure, ...]]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((m.name, m.unit) for measures in measured for m in measures))


def _measure_columns(names: Sequence[tuple[str, str]]) -> Iterable[Column]:
    for name, ucum in names:
        yield Column(", ".join(filter(None, (sentence_case(label(name)), unit(ucum)))), numeric=True)


def _measure_cells(measured: Sequence[Measure], names: Sequence[tuple[str, str]]) -> Iterable[Cell]:
    by_name = {(m.name, m.unit): m for m in measured}
    for key in names:
        found = by_name.get(key)
        yield Cell(number(found.value), interval(found)) if found else _EMPTY


def _evidence(reading: Reading, said: SiteReading) -> str:
    ids = [finding.id for finding in reading.findings]
    return ", ".join(str(ids.index(e) + 1) for e in said.evidence)
