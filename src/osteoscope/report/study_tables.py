"""The tables of a study report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from osteoscope.domain.anatomy import BONE_TO_UNIT
from osteoscope.domain.finding import Finding, FindingKind, Measure
from osteoscope.domain.reading import Reading
from osteoscope.domain.study import StudyKind
from osteoscope.report.evaluation_wording import FIGURES, cell, label, sentence
from osteoscope.report.parts import Cell, Column, Table
from osteoscope.report.wording import count, interval, number, sentence_case, unit
from osteoscope.report.wording import label as measure_label
from osteoscope.stats.ratings import Statistic

Readings = Mapping[str, Reading]
_TITLES: Mapping[StudyKind, str] = {"ct": "CT", "nm-planar": "Planar mIBG"}
# Measures of a study that are shown, where any Reading has them.
_SHOWN = (
    "lesion_count", "lesion_volume", "lesion_share", "sins_at_least", "mirels_at_least", "siopen_total", "curie_total",
)  # fmt: skip
_KINDS: tuple[FindingKind, ...] = ("lytic", "blastic", "mixed", "focal", "diffuse")
_PAIR_FIGURES = ("sensitivity", "false_positives", "dice", "long_axis_bias", "volume_ratio_bias", "kind_kappa")
_MOST_GAPS = 40


def of_kind(readings: Readings, kind: StudyKind) -> dict[str, Reading]:
    """Those of one kind of study."""
    return {name: reading for name, reading in readings.items() if reading.study.kind == kind}


def in_words(readings: Readings) -> Iterator[str]:
    """A sentence for each kind of study."""
    for kind, title in _TITLES.items():
        held = of_kind(readings, kind)
        if not held:
            continue
        found = [len(reading.findings) for reading in held.values()]
        without = sum(n == 0 for n in found)
        yield (
            f"{title}: {count(len(held), 'study', 'studies')}, {count(sum(found), 'finding')}, median "
            f"{number(float(np.median(found)))} a study; {without} without any."
        )


def cohort(readings: Readings) -> tuple[Table, ...]:
    """Findings by place and type, of each kind of study."""
    return tuple(_places(title, held) for kind, title in _TITLES.items() if (held := of_kind(readings, kind)))


def _places(title: str, readings: Readings) -> Table:
    findings = [finding for reading in readings.values() for finding in reading.findings]
    kinds = [kind for kind in _KINDS if any(f.kind == kind for f in findings)]
    by_place: dict[str, list[Finding]] = {}
    for finding in findings:
        by_place.setdefault(place(finding), []).append(finding)
    columns = (Column("Place"), *(Column(sentence_case(kind), numeric=True) for kind in kinds),
               Column("All", numeric=True))  # fmt: skip
    rows = [_row(name, held, kinds) for name, held in sorted(by_place.items(), key=lambda item: -len(item[1]))]
    total = _row("All", findings, kinds)
    return Table(f"{title}: findings by place and type", columns, (*rows, total) if rows else (), total=bool(rows))


def place(finding: Finding) -> str:
    """The region of a finding, sides together."""
    where = BONE_TO_UNIT.get(finding.site, finding.site.partition("_unknown")[0])
    return sentence_case(where.removesuffix("_right").removesuffix("_left").replace("_", " "))


def _row(name: str, findings: Sequence[Finding], kinds: Sequence[str]) -> tuple[Cell, ...]:
    found = Counter(finding.kind for finding in findings)
    return (Cell(name), *(Cell(str(found[kind])) for kind in kinds), Cell(str(len(findings))))  # type: ignore[index]


def studies(readings: Readings) -> tuple[Table, ...]:
    """A row per study with its measures, of each kind."""
    return tuple(_studies(title, held) for kind, title in _TITLES.items() if (held := of_kind(readings, kind)))


def _studies(title: str, readings: Readings) -> Table:
    made = {m.name: m.unit for reading in readings.values() for m in reading.measures}
    shown = [name for name in _SHOWN if name in made]
    heads = (_head(name, made[name]) for name in shown)
    columns = (Column("Study"), Column("Patient"), Column("Date"), Column("Findings", numeric=True),
               *(Column(head, numeric=True) for head in heads), Column("Gaps", numeric=True))  # fmt: skip
    rows = tuple(
        (
            Cell(name), Cell(reading.study.patient.id or "–"), Cell(reading.study.date or "–"),
            Cell(str(len(reading.findings))), *(_measure(reading.measure(what)) for what in shown),
            Cell(str(len(reading.gaps))),
        )
        for name, reading in sorted(readings.items())
    )  # fmt: skip
    note = "Below a value: its interval. Gaps: steps that could not be done, and limits that the reading states."
    return Table(f"{title}: studies", columns, rows, note)


def _head(name: str, ucum: str) -> str:
    shown = unit(ucum)
    return sentence_case(measure_label(name)) + (f", {shown}" if shown else "")


def _measure(measure: Measure | None) -> Cell:
    return Cell("–") if measure is None else Cell(number(measure.value), interval(measure))


def marks(made: Sequence[Statistic]) -> Table:
    """Shares of right answers by reader, and of equal answers by pair of readers."""
    columns = (Column("Readers"), Column("Question"), Column("Share", numeric=True), Column("Marks", numeric=True),
               Column("Patients", numeric=True))  # fmt: skip
    rows = tuple(
        (
            Cell(" – ".join(s.readers)),
            Cell(label(s.name, 0.0) if s.target == "findings" else f"Same answer: {_question(s.name)}"),
            cell(s),
            Cell(str(s.observations)),
            Cell(str(s.patients)),
        )
        for s in made
    )
    note = (
        "What readers said of the program's findings: size, place and detection right. Below a value: its 95 % "
        "interval. Same answer: of two readers, on findings that both marked."
    )
    return Table("Adequacy of size, place and detection", columns, rows, note)


def _question(name: str) -> str:
    return label(name, 0.0).removesuffix(" right").lower()


def marks_in_words(made: Sequence[Statistic]) -> list[str]:
    """A sentence per reader."""
    by_reader: dict[str, list[Statistic]] = {}
    for statistic in made:
        if statistic.target == "findings":
            by_reader.setdefault(statistic.readers[-1], []).append(statistic)
    return [
        f"{sentence_case(name)}: " + ", ".join(f"{label(s.name, 0.0).lower()} {sentence(s)}" for s in given) + "."
        for name, given in by_reader.items()
    ]


def pairs(made: Sequence[tuple[str, str, Sequence[Statistic]]]) -> Table:
    """Detection and sizes of pairs of readers, the first as reference, match by any overlap."""
    columns = (Column("Reference"), Column("Reading"),
               *(Column(FIGURES[name][0], numeric=True) for name in _PAIR_FIGURES))  # fmt: skip
    rows = []
    for reference, reading, statistics in made:
        found = {s.name: s for s in statistics}
        rows.append((Cell(reference), Cell(reading), *(cell(found.get(name)) for name in _PAIR_FIGURES)))
    note = "Match by any overlap, one to one. Below a value: its 95 % interval by patient."
    return Table("Pairs of readers", columns, tuple(rows), note)


def gaps(readings: Readings) -> Table:
    """What could not be done or is limited, with the number of studies, the most frequent first."""
    found = Counter(line for reading in readings.values() for line in {(gap.step, gap.reason) for gap in reading.gaps})
    rows = tuple((Cell(step), Cell(reason), Cell(str(n))) for (step, reason), n in found.most_common(_MOST_GAPS))
    left = len(found) - len(rows)
    note = f"{left} rarer ones are in the readings." if left else ""
    return Table("Gaps and limits", (Column("Step"), Column("Reason"), Column("Studies", numeric=True)), rows, note)
