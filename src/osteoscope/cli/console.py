"""What the terminal shows: progress while somebody watches, plain text when piped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

DISCLAIMER = "Research use only, not a medical device. Results do not replace a physician's reading."

_out = Console()
_err = Console(stderr=True)


def say(text: str) -> None:
    """A line on standard output, without markup."""
    _out.print(text, markup=False, highlight=False, soft_wrap=True)


def fail(text: str) -> None:
    """A line on standard error, without markup."""
    _err.print(f"osteoscope: {text}", markup=False, highlight=False, soft_wrap=True)


def say_json(data: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(data, indent=1, ensure_ascii=False))  # noqa: T201 - the machine-readable output itself


def say_table(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """A table; tab-separated lines when piped."""
    if not _out.is_terminal:
        for row in rows:
            say("\t".join(row))
        return
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    _out.print(table, markup=False)


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A function (step, done, of) that moves a bar on a terminal and does nothing when piped."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_err, transient=True, disable=not _err.is_terminal) as bars:
        task = bars.add_task("starting", total=None)

        def tell(step: str, done: int, of: int) -> None:
            bars.update(task, description=step, completed=done, total=of or None)

        yield tell
