"""Results as files: tables and figures of a report, statistics in full precision, what was wrong with the input."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from osteoscope.deliver.ratings import Problem
from osteoscope.errors import OutputError
from osteoscope.report.drawing import Drawing
from osteoscope.report.html import write_html
from osteoscope.report.parts import Cell, Column, Document, Table
from osteoscope.report.style import to_png
from osteoscope.stats.ratings import Statistic

Rows = Iterable[Sequence[object]]


def plain_table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table of texts."""
    return Table(title, tuple(map(Column, heads)), tuple(tuple(map(Cell, row)) for row in rows))


def faults(problems: Sequence[Problem]) -> Table:
    """What was wrong with the input, for the report."""
    rows = [(p.file, str(p.row or ""), p.column, p.found, p.remedy, "yes" if p.lost else "no") for p in problems]
    return plain_table("Faults of the input", ("File", "Row", "Column", "Found", "What to do", "Left out"), rows)


def write_results(
    document: Mapping[str, Any],
    report: Document,
    drawings: Iterable[Drawing],
    tables: Mapping[str, Rows],
    place: tuple[Path, str],
) -> None:
    """Write NAME.json, NAME.html, figures/, and tables/ with those of the report and others by file name.

    Tables of the report of one name are numbered.

    Args:
        document, report, drawings, tables: what is written.
        place: the folder, made if absent, and NAME.

    Raises:
        OutputError: the folder cannot be written.
    """
    folder, name = place
    try:
        for made in (folder, folder / "tables", folder / "figures"):
            made.mkdir(parents=True, exist_ok=True)
        for file, rows in (*tables.items(), *_of_report(report, tables)):
            _write(folder / "tables" / f"{file}.csv", rows)
        for drawing in drawings:
            (folder / "figures" / f"{drawing.name}.svg").write_bytes(drawing.svg())
            (folder / "figures" / f"{drawing.name}.png").write_bytes(to_png(drawing.figure))
        text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
        (folder / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"write {folder}", str(error), "Choose a folder that can be written with -o") from error
    write_html(report, folder / f"{name}.html")


def _of_report(report: Document, taken: Iterable[str]) -> Iterable[tuple[str, Rows]]:
    tables = [table for section in report.sections for table in section.tables]
    for name, table in zip(apart((slug(table.title) for table in tables), taken), tables, strict=True):
        yield (
            name,
            [
                [column.title for column in table.columns],
                *([f"{cell.text} ({cell.detail})" if cell.detail else cell.text for cell in row] for row in table.rows),
            ],
        )


def slug(title: str) -> str:
    """A title as a file's name, "unnamed" where it holds no letter or number."""
    return re.sub(r"[^\w]+", "_", title).strip("_").lower() or "unnamed"


def apart(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """The names, numbered from the second of one name on, and none of those taken."""
    used, made = set(taken), list[str]()
    for name in names:
        numbered = (f"{name}_{n}" if n > 1 else name for n in count(1))
        made.append(next(free for free in numbered if free not in used))
        used.add(made[-1])
    return made


def statistic_rows(statistics: Iterable[Statistic]) -> Iterable[Sequence[object]]:
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


def _write(path: Path, rows: Iterable[Sequence[object]]) -> None:
    # The mark at the start lets spreadsheets see that it is UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        csv.writer(stream).writerows(rows)
