"""A folder whose files are taken in as they arrive; they stay where they are.

An entry of the folder, file or folder, is one upload once all its files have rested; it is taken again when it changes.
Copies may bear the times of their originals, so that an entry must also look as it did the last time.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fastapi import HTTPException

from osteoscope.app.arrivals import Landing, Sender, check_space, register
from osteoscope.app.settings import Settings
from osteoscope.store import audit
from osteoscope.store.engine import Store

LOG = logging.getLogger("osteoscope.app")
WATCHER = "watched folder"
_PAUSE_SECONDS = 2.0
_BLOCK = 2**20

State = dict[str, list[int]]


@dataclass(frozen=True)
class _Look:
    """What an entry was seen to be: size and time of change of each file, and when any was last touched at all."""

    files: State
    touched: int


class Watcher(threading.Thread):
    """A thread that looks at the folder now and then."""

    def __init__(self, settings: Settings, store: Store, wake: Callable[[], None]) -> None:
        super().__init__(name="watcher", daemon=True)
        self.settings, self.store, self._tell = settings, store, wake
        self.folder = Path(settings.watch)
        self._known = settings.home / "watched.json"
        self._refused: dict[str, State] = {}
        self._before: dict[str, _Look] = {}
        self._closing = threading.Event()

    def stop(self) -> None:
        """Look no more."""
        self._closing.set()
        self.join(timeout=10)

    def run(self) -> None:
        """Until stopped."""
        while not self._closing.wait(_PAUSE_SECONDS):
            try:
                self.look()
            except Exception:
                LOG.exception("the watched folder %s", self.folder)

    def look(self) -> int:
        """Take what is new, has rested, and is as the last look found it.

        Returns:
            How many entries were taken.
        """
        known: dict[str, State] = json.loads(self._known.read_text(encoding="utf-8")) if self._known.is_file() else {}
        taken = 0
        before, self._before = self._before, {}
        for entry in sorted(self.folder.iterdir()):
            now = self._before[entry.name] = _look_at(entry)
            state = now.files
            if entry.name.startswith(".") or not state or state == known.get(entry.name):
                continue
            if now != before.get(entry.name) or self._moves(now):
                continue
            try:
                self._take(entry, state)
            except (HTTPException, OSError) as error:
                self._tell_of(entry, state, error)
                continue
            known[entry.name] = state
            draft = self._known.with_suffix(".part")
            draft.write_text(json.dumps(known), encoding="utf-8")
            draft.replace(self._known)
            taken += 1
        return taken

    def _moves(self, now: _Look) -> bool:
        return time.time_ns() - now.touched < self.settings.readable_after * 1e9

    def _tell_of(self, entry: Path, state: State, error: Exception) -> None:
        """Say once that an entry cannot be taken; it is tried again, since space or a permission may come."""
        if self._refused.get(entry.name) == state:
            return
        self._refused[entry.name] = state
        LOG.warning("%s of the watched folder is not taken: %s", entry.name, error)
        with self.store.writing() as session:
            audit.note(session, WATCHER, "not taken", entry=entry.name[:255], problem=str(error)[:500])

    def _take(self, entry: Path, state: State) -> None:
        check_space(self.settings.uploads, sum(size for size, _ in state.values()), self.settings.upload_bytes)
        landing = Landing(self.settings.uploads, self.settings.upload_bytes)
        try:
            for path in _files(entry):
                landing.begin(path.name)
                with path.open("rb") as stream:
                    while block := stream.read(_BLOCK):
                        landing.write(block)
                landing.end()
            sender = Sender(WATCHER, "watch", not self.settings.private)
            landing.keep(sender)
        finally:
            landing.drop()
        register(self.store, landing.id, sender, len(landing.names))
        self._tell()


def _files(entry: Path) -> Iterator[Path]:
    """Plain files; links are not followed."""
    if entry.is_symlink():
        return
    if entry.is_file():
        yield entry
    elif entry.is_dir():
        for path in sorted(entry.rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield path


def _look_at(entry: Path) -> _Look:
    found: State = {}
    touched = 0
    for path in _files(entry):
        try:
            status = path.stat()
        except FileNotFoundError:  # moved away meanwhile
            continue
        found[str(path.relative_to(entry.parent))] = [status.st_size, status.st_mtime_ns]
        touched = max(touched, status.st_mtime_ns, status.st_ctime_ns)
    return _Look(found, touched)
