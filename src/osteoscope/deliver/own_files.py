"""Which files of an output folder are results of an earlier run: those of its list that nobody has changed since.

All else is the user's: it stays, and where it has the name of a result nothing is written beside it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from osteoscope.dicom.whole import whole
from osteoscope.domain import codec
from osteoscope.errors import OsteoscopeError, OutputError

LIST = "written.json"
ELSEWHERE = "Choose another folder with -o, or move these files away"


@dataclass(frozen=True)
class Written:
    """written.json: SHA-256 of each result by its path in the folder."""

    files: Mapping[str, str]
    schema: Literal["osteoscope/written/1"] = "osteoscope/written/1"


def own(folder: Path) -> dict[str, str]:
    """The results of an earlier run that lie there unchanged, with their SHA-256."""
    return {name: told for name, told in _listed(folder).items() if _digest(folder / name) == told}


def foreign(folder: Path, names: Iterable[str]) -> tuple[str, ...]:
    """Files under names of results that no earlier run wrote, or that were changed since; hidden ones aside.

    Args:
        folder: that is looked into.
        names: of files and folders of results.
    """
    there = [name for given in (*names, LIST) for name in _files_at(folder, given)]
    mine = {*own(folder), *([LIST] if _listed(folder) else [])}
    return tuple(name for name in there if name not in mine)


def clear(folder: Path) -> None:
    """Remove results of an earlier run with their list, and folders within that are empty then.

    Raises:
        OSError: a file cannot be removed.
    """
    mine = own(folder)
    for name in (*mine, *([LIST] if _listed(folder) else [])):
        (folder / name).unlink(missing_ok=True)
    _drop_empty(folder, mine)


def move_in(source: Path, names: Collection[str], folder: Path) -> None:
    """Move results into a folder and onto its list.

    Args:
        source: where they lie.
        names: their paths there.
        folder: made where absent; what an earlier run left under these names gives way.

    Raises:
        OutputError: a file that no earlier run wrote has such a name.
        OSError: the folder cannot be written.
    """
    listed = own(folder)
    for name in names:
        target = folder / name
        if target.exists() and name not in listed:
            raise OutputError(f"write {target}", "another file lies there", ELSEWHERE)
        target.parent.mkdir(parents=True, exist_ok=True)
        listed[name] = _digest(source / name)
        (source / name).replace(target)
    _drop_empty(source, names)
    text = json.dumps(codec.encode(Written(listed)), indent=1, ensure_ascii=False)
    with whole(folder / LIST) as draft:
        draft.write_text(text + "\n", encoding="utf-8")


def files_below(folder: Path) -> tuple[str, ...]:
    """Paths of all files of a folder, within it."""
    return tuple(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()))


def _listed(folder: Path) -> Mapping[str, str]:
    """What the list of a folder names within it; nothing where there is no list, or another file of its name."""
    try:
        found = codec.decode(Written, json.loads((folder / LIST).read_text(encoding="utf-8"))).files
    except (OSError, ValueError, OsteoscopeError, RecursionError):
        return {}
    return {name: told for name, told in found.items() if _within(name)}


def _within(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts


def _digest(path: Path) -> str:
    """SHA-256 of a file; "" where there is none."""
    return sha256_of(path) if path.is_file() else ""


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _drop_empty(folder: Path, names: Iterable[str]) -> None:
    """Remove folders within that held files of these names and are empty now."""
    for inner in {(folder / name).parent for name in names} - {folder}:
        if inner.is_dir() and not any(inner.iterdir()):
            inner.rmdir()


def _files_at(folder: Path, name: str) -> Iterator[str]:
    path = folder / name
    if path.is_dir():
        inside = (file for file in path.rglob("*") if not file.is_dir() and not file.name.startswith("."))
        yield from (file.relative_to(folder).as_posix() for file in inside)
    elif path.exists() or path.is_symlink():
        yield name
