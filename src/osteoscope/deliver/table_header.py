"""The header of a table whose columns have fixed names."""

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
        IntakeError: a needed column is absent.
    """
    header = [word.lower() for word in next(rows, (1, []))[1]]
    lacking = [name for name in needed if name not in header]
    if lacking:
        found = f"no column {', '.join(lacking)} in {', '.join(header) or 'an empty header'}"
        remedy = f"Name the columns {', '.join(needed)} (and {', '.join(also)})"
        raise IntakeError(f"{asked} {path}", found, remedy)
    known = (*needed, *also)
    return header, [
        Problem(path.name, 1, word, "an unknown column; it is not used", f"Known are {', '.join(known)}", lost=False)
        for word in header
        if word not in known
    ]
