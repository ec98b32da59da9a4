"""Which reader comes from which path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from osteoscope.deliver.ratings import Ratings
from osteoscope.deliver.ratings_csv import read_csv
from osteoscope.deliver.ratings_json import read_readings
from osteoscope.errors import IntakeError

# "PATH" or "NAME=PATH", or name and path.
Source = str | tuple[str, Path]
_FEWEST = 2


def open_readers(
    sources: Sequence[Source], reference: str, progress: Callable[[str, int, int], None], planar_only: bool = False
) -> tuple[Ratings, ...]:
    """The ratings of every source, the reference first.

    Args:
        sources: of each reader; a path is a CSV, a reading.json or a folder of them.
        reference: name of a reader, "" for the first.
        progress: told of each source.
        planar_only: whether Readings of other kinds are passed over without a word.

    Raises:
        IntakeError: fewer than two sources, two of one name, an unknown reference, or an unreadable source.
    """
    if len(sources) < _FEWEST:
        raise IntakeError("compare readers", f"{len(sources)} reader", "Name the files or folders of two or more")
    named = name_apart(sources)
    names = [name for name, _ in named]
    if reference and reference not in names:
        raise IntakeError("compare readers", f"no reader {reference!r}", f"--reference is one of: {', '.join(names)}")
    ratings = []
    for number, (name, path) in enumerate(named):
        progress(f"read {name}", number, len(named))
        ratings.append(_open(path, name, planar_only))
    return tuple(sorted(ratings, key=lambda r: r.reader != (reference or names[0])))


def name_apart(sources: Sequence[Source]) -> list[tuple[str, Path]]:
    """Name and path of each reader; of files of one name in different folders, the folder's name before it.

    Raises:
        IntakeError: two readers of one name.
    """
    named = [_named(source) for source in sources]
    plain = [name for name, _ in named]
    names = [f"{path.resolve().parent.name}/{name}" if plain.count(name) > 1 else name for name, path in named]
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise IntakeError("compare readers", f"two readers named {', '.join(twice)}", "Name them apart: NAME=PATH")
    return [(name, path) for name, (_, path) in zip(names, named, strict=True)]


def _named(source: Source) -> tuple[str, Path]:
    """Name and path of "NAME=PATH"; of a bare path its file's or folder's name."""
    if not isinstance(source, str):
        return source
    name, equals, rest = source.partition("=")
    if equals and name and not Path(source).exists() and not {"/", "\\"} & set(name):
        return name, Path(rest)
    path = Path(source)
    return (path.stem if path.is_file() else path.resolve().name), path


def _open(path: Path, name: str, planar_only: bool) -> Ratings:
    if not path.exists():
        raise IntakeError(f"read ratings {path}", "nothing there", "Name a CSV, a reading.json or a folder of them")
    if path.is_dir() or path.suffix.lower() == ".json":
        return read_readings(path, name, planar_only)
    return read_csv(path, name)
