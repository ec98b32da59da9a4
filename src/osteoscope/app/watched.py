"""Entries of the watched folder: what they look like, and which were taken."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LOG = logging.getLogger("osteoscope.app")
State = dict[str, list[int]]


@dataclass(frozen=True)
class Look:
    """What an entry was seen to be: size and time of change of each file, and when any was last touched at all."""

    files: State
    touched: int


class Known:
    """What was taken, so that it is not taken again, after a start neither."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_kept = True
        self._states: dict[str, State] = {}
        try:
            self._states = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        except (OSError, ValueError) as error:
            LOG.warning("%s cannot be read (%s): all of the watched folder is taken once more", path, error)

    def is_it(self, name: str, state: State) -> bool:
        """Whether it was taken as it is."""
        return self._states.get(name) == state

    def add(self, name: str, state: State) -> None:
        """It was taken."""
        self._states[name] = state
        self._is_kept = False
        self.keep()

    def keep(self) -> None:
        """Write it down; where that cannot be done, later."""
        if self._is_kept:
            return
        draft = self._path.with_suffix(".part")
        try:
            draft.write_text(json.dumps(self._states), encoding="utf-8")
            draft.replace(self._path)
        except OSError as error:
            LOG.warning("what was taken of the watched folder is not written down yet: %s", error)
            return
        self._is_kept = True


def files_of(entry: Path) -> Iterator[Path]:
    """Plain files; links are not followed.

    Raises:
        OSError: a folder in it cannot be listed.
    """
    if entry.is_symlink():
        return
    if entry.is_file():
        yield entry
        return
    for folder, folders, names in os.walk(entry, onerror=_raise):
        folders.sort()
        for path in (Path(folder, name) for name in sorted(names)):
            if path.is_file() and not path.is_symlink():
                yield path


def _raise(error: OSError) -> None:
    # A pipe has no files, and what was moved away meanwhile has none any more.
    if not isinstance(error, NotADirectoryError | FileNotFoundError):
        raise error


def look_at(entry: Path) -> Look:
    """What the entry looks like now.

    Raises:
        OSError: a file or folder in it cannot be looked at.
    """
    found: State = {}
    touched = 0
    for path in files_of(entry):
        try:
            status = path.stat()
        except FileNotFoundError:  # moved away meanwhile
            continue
        found[str(path.relative_to(entry.parent))] = [status.st_size, status.st_mtime_ns]
        touched = max(touched, status.st_mtime_ns, status.st_ctime_ns)
    return Look(found, touched)
