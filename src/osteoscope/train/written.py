"""Files that are there as a whole or not at all: a training that is cut off goes on with what it finds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """A name beside `path` to write under, of the same suffix; it takes the place of `path` once all is written."""
    unfinished = path.with_name(f"{path.stem}.part{path.suffix}")
    yield unfinished
    unfinished.replace(path)
