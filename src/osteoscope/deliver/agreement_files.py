"""A comparison as files: JSON, HTML, CSV tables, figures as SVG and PNG."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from osteoscope.deliver.matched import Unmatched
from osteoscope.deliver.ratings import Problem
from osteoscope.deliver.result_files import Rows, faults, plain_table, statistic_rows, write_results
from osteoscope.report.agreement import Scored
from osteoscope.report.parts import Document, Table
from osteoscope.stats.readers import Confusion


def listing(unmatched: Sequence[Unmatched], problems: Sequence[Problem]) -> tuple[Table, Table]:
    """What was not compared, and why, for the report."""
    heads = ("Study", "Read by", "Not read by", "Compared", "Where")
    studies = [
        (u.case, ", ".join(u.read_by), ", ".join(u.not_read_by), "yes" if u.compared else "no", "; ".join(u.sources))
        for u in unmatched
    ]
    return plain_table("Studies not read by all", heads, studies), faults(problems)


def write_all(document: Mapping[str, Any], report: Document, scored: Sequence[Scored], folder: Path) -> None:
    """Write every file of a comparison.

    Raises:
        OutputError: the folder cannot be written.
    """
    tables: dict[str, Rows] = {
        "statistics": statistic_rows(s for one in scored for s in one.agreement.statistics),
        "cases": _cases(document["cases"], document["readers"], scored),
    }
    for one in scored:
        for number, confusion in enumerate(one.agreement.confusions, 2):
            tables[f"confusion_{confusion.scale}_reader_{number}"] = _confusion(confusion)
    drawings = (drawing for one in scored for drawing in one.drawings)
    write_results(document, report, drawings, tables, (folder, "agreement"))


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
