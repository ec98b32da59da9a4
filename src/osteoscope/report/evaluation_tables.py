"""The tables of an evaluation of detection, ready for a paper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from osteoscope.report.evaluation_wording import FIGURES, cell, label
from osteoscope.report.parts import Cell, Column, Table
from osteoscope.report.wording import sentence_case
from osteoscope.stats.detection import Criterion
from osteoscope.stats.detection_record import Detection, LesionRow, ScanResult, Stratum
from osteoscope.stats.ratings import Statistic

_STRATA = {"kind": "type", "size": "long axis", "bone": "bone"}
_SHOWN = 6


def paper(detection: Detection, criteria: Sequence[Criterion], rate: float) -> Table:
    """All figures, a column per criterion."""
    made = list(dict.fromkeys(s.name for s in detection.statistics))
    rows = tuple((Cell(label(name, rate)), *(cell(detection.find(c.name, name)) for c in criteria)) for name in made)
    columns = (Column("Figure"), *(Column(sentence_case(c.title), numeric=True) for c in criteria))
    note = (
        "Below a value: its 95 % interval by patient; none where all resamples are the same, as of one patient. "
        "Columns: what makes a finding a lesion, one to one."
    )
    return Table("Detection of lesions", columns, rows, note)


def strata(detection: Detection, criteria: Sequence[Criterion], rate: float) -> Iterator[Table]:
    """Sensitivity by type, size and bone under the first criterion."""
    heads = ("Lesions", "Sensitivity", f"Within {rate:g} false positives per scan", "False positives")
    for by, title in _STRATA.items():
        found = [s for s in detection.strata if (s.by, s.criterion) == (by, criteria[0].name)]
        columns = (Column(sentence_case(title)), *(Column(head, numeric=True) for head in heads))
        note = f"Match by {criteria[0].title}. False positives by what the reading says of them."
        yield Table(f"By {title}", columns, tuple(map(_stratum, found)), note)


def _stratum(stratum: Stratum) -> tuple[Cell, ...]:
    shares = (cell(stratum.sensitivity), cell(stratum.at_rate))
    return (Cell(sentence_case(stratum.level)), Cell(str(stratum.lesions)), *shares, Cell(str(stratum.surplus)))


def kinds(detection: Detection, criteria: Sequence[Criterion]) -> Table:
    """Types of matched lesions under the first criterion."""
    table = next(t for t in detection.kinds if t.criterion == criteria[0].name)
    columns = (Column("Reference"), *(Column(sentence_case(kind), numeric=True) for kind in table.kinds))
    rows = tuple(
        (Cell(sentence_case(kind)), *(Cell(str(n)) for n in row))
        for kind, row in zip(table.kinds, table.counts, strict=True)
    )
    note = f"Columns: the reading. Match by {criteria[0].title}; {table.not_stated} pairs without a type of both."
    return Table("Types of matched lesions", columns, rows, note)


def scans(detection: Detection, criteria: Sequence[Criterion], confidence: float) -> Table:
    """What was found in every scan, and what was missed, under the first criterion."""
    heads = ("Lesions", "Ignored", "Found", "False positives")
    columns = (Column("Study"), *(Column(head, numeric=True) for head in heads), Column("Missed"))
    rows = [_scan(scan, criteria[0].name, confidence) for scan in detection.scans]
    unread = [_unread(scan) for scan in detection.unread]
    return Table("Scans", columns, (*rows, *unread), f"Match by {criteria[0].title}.")


def _unread(scan: ScanResult) -> tuple[Cell, ...]:
    counted = sum(lesion.counts for lesion in scan.lesions)
    numbers = (str(counted), str(len(scan.lesions) - counted), "–", "–")
    return (Cell(scan.study), *map(Cell, numbers), Cell("without a reading"))


def _scan(scan: ScanResult, criterion: str, confidence: float) -> tuple[Cell, ...]:
    found = {pair.lesion for pair in scan.pairs if pair.criterion == criterion}
    lesions = [lesion for lesion in scan.lesions if lesion.counts]
    used = sum(finding.counts and finding.confidence >= confidence for finding in scan.findings)
    missed = [_words(lesion) for lesion in lesions if lesion.id not in found]
    more = f" and {len(missed) - _SHOWN} more" if len(missed) > _SHOWN else ""
    numbers = (len(lesions), len(scan.lesions) - len(lesions), len(found), used - len(found))
    return (Cell(scan.study), *(Cell(str(n)) for n in numbers), Cell("; ".join(missed[:_SHOWN]) + more or "none"))


def _words(lesion: LesionRow) -> str:
    return " ".join(filter(None, (lesion.id, lesion.kind, lesion.site, f"{lesion.long_axis_mm:.0f} mm")))


def adequacy(marks: Sequence[Statistic], rate: float) -> Table:
    """Shares of a radiologist's marks that say right."""
    columns = (Column("Question"), Column("Right", numeric=True), Column("Marks", numeric=True))
    rows = tuple((Cell(label(s.name, rate)), cell(s), Cell(str(s.observations))) for s in marks)
    return Table("A radiologist's marks", columns, rows, "Below a value: its 95 % interval.")


def methods(statistics: Iterable[Statistic], rate: float) -> Table:
    """How every figure and its interval were made."""
    made: dict[str, Statistic] = {}
    for statistic in statistics:
        if statistic.value is not None:
            made.setdefault(statistic.name, statistic)
    rows = tuple(
        (Cell(label(n, rate)), Cell(made[n].method), Cell("; ".join(i.method for i in made[n].intervals)))
        for n in FIGURES
        if n in made
    )
    return Table("Methods", (Column("Figure"), Column("Method"), Column("95 % interval")), rows)
