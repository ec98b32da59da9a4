"""Which reader comes from which path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from osteoscope.deliver.ratings import Ratings
from osteoscope.deliver.ratings_csv import read_csv
from osteoscope.deliver.ratings_json import read_readings
from osteoscope.errors import IntakeError

_FEWEST = 2


def open_readers(
    sources: Sequence[str], reference: str, progress: Callable[[str, int, int], None]
) -> tuple[Ratings, ...]:
    """The ratings of every source, the reference first.

    Args:
        sources: "PATH" or "NAME=PATH"; a path is a CSV, a reading.json or a folder of them.
        reference: name of a reader, "" for the first.
        progress: told of each source.

    Raises:
        IntakeError: fewer than two sources, two of one name, an unknown reference, or an unreadable source.
    """
    if len(sources) < _FEWEST:
        raise IntakeError("compare readers", f"{len(sources)} reader", "Name the files or folders of two or more")
    named = [_named(source) for source in sources]
    names = _apart(named)
    if reference and reference not in names:
        raise IntakeError("compare readers", f"no reader {reference!r}", f"--reference is one of: {', '.join(names)}")
    ratings = []
    for number, (name, (_, path)) in enumerate(zip(names, named, strict=True)):
        progress(f"read {name}", number, len(named))
        ratings.append(_open(path, name))
    return tuple(sorted(ratings, key=lambda r: r.reader != (reference or names[0])))


def _named(source: str) -> tuple[str, Path]:
    """Name and path of "NAME=PATH"; of a bare path its file's or folder's name."""
    name, equals, rest = source.partition("=")
    if equals and name and not Path(source).exists() and not {"/", "\\"} & set(name):
        return name, Path(rest)
    path = Path(source)
    return (path.stem if path.is_file() else path.resolve().name), path


def _apart(named: Sequence[tuple[str, Path]]) -> list[str]:
    """The names; of files of one name in different folders, the folder's name before it."""
    plain = [name for name, _ in named]
    names = [f"{path.resolve().parent.name}/{name}" if plain.count(name) > 1 else name for name, path in named]
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise IntakeError("compare readers", f"two readers named {', '.join(twice)}", "Name them apart: NAME=PATH")
    return names


def _open(path: Path, name: str) -> Ratings:
    if not path.exists():
        raise IntakeError(f"read ratings {path}", "nothing there", "Name a CSV, a reading.json or a folder of them")
    if path.is_dir() or path.suffix.lower() == ".json":
        return read_readings(path, name)
    return read_csv(path, name)
