"""The header of a table whose columns have fixed names, and rows that fit it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from osteoscope.deliver.ratings import Problem
from osteoscope.errors import IntakeError


def read_header(
    asked: str, path: Path, rows: Iterator[tuple[int, list[str]]], needed: Sequence[str], also: Sequence[str]
) -> tuple[list[str], list[Problem]]:
    """Take the first of the rows: names of the columns, and a problem for each that is not known.

    Args:
        asked: what the table is for, such as "evaluate".
        path: of the table.
        rows: as `osteoscope.deliver.ratings_text.lines` gives them; the header is taken.
        needed, also: columns that must be there, and others that may.

    Raises:
        IntakeError: a needed column is absent, or one is there twice.
    """
    header = [word.lower() for word in next(rows, (1, []))[1]]
    known = (*needed, *also)
    lacking = [name for name in needed if name not in header]
    if lacking:
        found = f"no column {', '.join(lacking)} in {', '.join(header) or 'an empty header'}"
        remedy = f"Name the columns {', '.join(needed)} (and {', '.join(also)})"
        raise IntakeError(f"{asked} {path}", found, remedy)
    twice = [name for name in known if header.count(name) > 1]
    if twice:
        raise IntakeError(f"{asked} {path}", f"more than one column {', '.join(twice)}", "Keep one of each name")
    return header, [
        Problem(path.name, 1, word, "an unknown column; it is not used", f"Known are {', '.join(known)}", lost=False)
        for word in header
        if word not in known
    ]


def misfit(path: Path, number: int, header: Sequence[str], cells: Sequence[str]) -> Problem | None:
    """What is to be said of a row that has another number of cells than the header; cells left blank at its end may
    be more."""
    if len(cells) >= len(header) and not any(cells[len(header) :]):
        return None
    found = f"{len(cells)} cells under a header of {len(header)}"
    return Problem(path.name, number, "", found, "Give a cell for every column, and quote text that holds a separator")
