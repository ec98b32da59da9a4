"""A comparison as files: JSON, HTML, CSV tables, figures as SVG and PNG."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from osteoscope.deliver.matching import Unmatched
from osteoscope.deliver.ratings import Problem
from osteoscope.errors import OutputError
from osteoscope.report.agreement import Scored
from osteoscope.report.html import write_html
from osteoscope.report.parts import Cell, Column, Document, Table
from osteoscope.report.style import to_png
from osteoscope.stats.ratings import Statistic
from osteoscope.stats.readers import Confusion


def listing(unmatched: Sequence[Unmatched], problems: Sequence[Problem]) -> tuple[Table, Table]:
    """What was not compared, and why, for the report."""
    heads = ("Study", "Read by", "Not read by", "Compared", "Where")
    studies = [
        (u.case, ", ".join(u.read_by), ", ".join(u.not_read_by), "yes" if u.compared else "no", "; ".join(u.sources))
        for u in unmatched
    ]
    faults = [(p.file, str(p.row or ""), p.column, p.found, p.remedy, "yes" if p.lost else "no") for p in problems]
    columns = ("File", "Row", "Column", "Found", "What to do", "Left out")
    return _table("Studies not read by all", heads, studies), _table("Faults of the input", columns, faults)


def _table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    return Table(title, tuple(map(Column, heads)), tuple(tuple(map(Cell, row)) for row in rows))


def write_all(document: Mapping[str, Any], report: Document, scored: Sequence[Scored], folder: Path) -> None:
    """Write every file of a comparison.

    Raises:
        OutputError: the folder cannot be written.
    """
    try:
        for made in (folder, folder / "tables", folder / "figures"):
            made.mkdir(parents=True, exist_ok=True)
        _write_tables(document, report, scored, folder / "tables")
        for drawing in (drawing for one in scored for drawing in one.drawings):
            (folder / "figures" / f"{drawing.name}.svg").write_bytes(drawing.svg())
            (folder / "figures" / f"{drawing.name}.png").write_bytes(to_png(drawing.figure))
        text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
        (folder / "agreement.json").write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"write {folder}", str(error), "Choose a folder that can be written with -o") from error
    write_html(report, folder / "agreement.html")


def _write_tables(document: Mapping[str, Any], report: Document, scored: Sequence[Scored], folder: Path) -> None:
    for table in (table for section in report.sections for table in section.tables):
        rows = [[f"{cell.text} ({cell.detail})" if cell.detail else cell.text for cell in row] for row in table.rows]
        _write(folder / f"{_slug(table.title)}.csv", [[column.title for column in table.columns], *rows])
    _write(folder / "statistics.csv", _statistics(s for one in scored for s in one.agreement.statistics))
    _write(folder / "cases.csv", _cases(document["cases"], document["readers"], scored))
    for one in scored:
        for number, confusion in enumerate(one.agreement.confusions, 2):
            _write(folder / f"confusion_{confusion.scale}_reader_{number}.csv", _confusion(confusion))


def _statistics(statistics: Iterable[Statistic]) -> Iterable[Sequence[object]]:
    """Every figure in full precision, two intervals at most."""
    ends = [f"{word}_{n}" for n in (1, 2) for word in ("low", "high", "interval")]
    yield ("scale", "readers", "target", "name", "value", *ends, "method", "observations", "patients", "note")
    for s in statistics:
        found = [cell for i in s.intervals for cell in (i.low, i.high, i.method)]
        found += [""] * (len(ends) - len(found))
        value = "" if s.value is None else s.value
        yield (
            *(s.scale, " | ".join(s.readers), s.target, s.name, value),
            *(*found, s.method, s.observations, s.patients, s.note),
        )


def _cases(
    cases: Sequence[Mapping[str, Any]], readers: Sequence[Mapping[str, Any]], scored: Sequence[Scored]
) -> Iterable[Sequence[object]]:
    """The totals of every case, blank where a segment is missing."""
    totals = [f"{one.agreement.panel.scale.name}_total" for one in scored]
    names = [reader["name"] for reader in readers]
    yield ("case", "patient", *(f"{total} {name}" for total in totals for name in names))
    for case in cases:
        given = [case[total][name] for total in totals for name in names]
        yield (case["case"], case["patient"], *("" if value is None else value for value in given))


def _confusion(confusion: Confusion) -> Iterable[Sequence[object]]:
    yield (f"{confusion.readers[0]} \\ {confusion.readers[1]}", *range(len(confusion.counts)))
    for level, row in enumerate(confusion.counts):
        yield (level, *row)


def _write(path: Path, rows: Iterable[Sequence[object]]) -> None:
    # The mark at the start lets spreadsheets see that it is UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        csv.writer(stream).writerows(rows)


def _slug(title: str) -> str:
    return re.sub(r"[^\w]+", "_", title).strip("_").lower()
