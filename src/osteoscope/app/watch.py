"""A folder whose files are taken in as they arrive; they stay where they are.

An entry of the folder, file or folder, is one upload once it has looked the same for a while by the server's own clock,
whatever times its files bear; it is taken again when it changes. One that cannot be taken is tried again, ever more
seldom, and holds up no other.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import HTTPException
from sqlalchemy.exc import SQLAlchemyError

from osteoscope.app.arrivals import Landing, Sender, check_space, register
from osteoscope.app.settings import Settings
from osteoscope.app.watched import Known, Look, State, files_of, look_at
from osteoscope.store import audit
from osteoscope.store.engine import Store

LOG = logging.getLogger("osteoscope.app")
WATCHER = "watched folder"
_PAUSE_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 600.0
_BLOCK = 2**20
_REFUSALS = (HTTPException, OSError, SQLAlchemyError)

_UNSEEN = Look({}, 0)


@dataclass(frozen=True)
class _Trouble:
    """An entry that could not be taken as it was; ``pause`` seconds pass until ``again``."""

    look: Look
    pause: float
    again: float


class Watcher(threading.Thread):
    """A thread that looks at the folder now and then."""

    def __init__(self, settings: Settings, store: Store, wake: Callable[[], None]) -> None:
        super().__init__(name="watcher", daemon=True)
        self.settings, self.store, self._tell = settings, store, wake
        self.folder = Path(settings.watch)
        self._known = Known(settings.home / "watched.json")
        self._since: dict[str, tuple[Look, float]] = {}
        self._troubles: dict[str, _Trouble] = {}
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
        """Take what is new and has rested.

        Returns:
            How many entries were taken.
        """
        entries = {entry.name: entry for entry in sorted(self.folder.iterdir()) if not entry.name.startswith(".")}
        for gone in (self._since.keys() | self._troubles.keys()) - entries.keys():
            self._since.pop(gone, None)
            self._troubles.pop(gone, None)
        taken = sum(self._is_taken(entry) for entry in entries.values())
        self._known.keep()
        return taken

    def _is_taken(self, entry: Path) -> bool:
        """Whether the entry was taken now."""
        look = _UNSEEN
        try:
            look = look_at(entry)
            if not look.files or self._known.is_it(entry.name, look.files) or not self._rests(entry.name, look):
                return False
            trouble = self._troubles.get(entry.name)
            if trouble is not None and trouble.look == look and time.monotonic() < trouble.again:
                return False
            self._take(entry, look.files)
        except _REFUSALS as error:
            self._tell_of(entry, look, error)
            return False
        self._troubles.pop(entry.name, None)
        self._known.add(entry.name, look.files)
        return True

    def _rests(self, name: str, look: Look) -> bool:
        """Whether an earlier look found the same, and every one since for long enough."""
        before, since = self._since.get(name, (None, 0.0))
        if look != before:
            self._since[name] = look, time.monotonic()
            return False
        return time.monotonic() - since >= self.settings.readable_after

    def _tell_of(self, entry: Path, look: Look, error: Exception) -> None:
        """Say that an entry cannot be taken, once for as long as it stays as it is."""
        before = self._troubles.get(entry.name)
        is_told = before is not None and before.look == look
        pause = min(2 * before.pause, _LONGEST_PAUSE_SECONDS) if before is not None and is_told else _PAUSE_SECONDS
        self._troubles[entry.name] = _Trouble(look, pause, time.monotonic() + pause)
        if is_told:
            return
        LOG.warning("%s of the watched folder is not taken: %s", entry.name, error)
        try:
            with self.store.writing() as session:
                audit.note(session, WATCHER, "not taken", entry=entry.name[:255], problem=str(error)[:500])
        except SQLAlchemyError as away:
            LOG.warning("the audit trail does not say so: %s", away)

    def _take(self, entry: Path, state: State) -> None:
        check_space(self.settings.uploads, sum(size for size, _ in state.values()), self.settings.upload_bytes)
        for path in files_of(entry):
            path.open("rb").close()  # before any is copied: one that cannot be read holds back the others
        landing, sender = Landing(self.settings.uploads, self.settings.upload_bytes), _sender(self.settings)
        try:
            for path in files_of(entry):
                landing.begin(path.name)
                with path.open("rb") as stream:
                    while block := stream.read(_BLOCK):
                        landing.write(block)
                landing.end()
            landing.keep(sender)
        except _REFUSALS:
            landing.discard()
            raise
        register(self.store, landing, sender)
        self._tell()


def _sender(settings: Settings) -> Sender:
    return Sender(WATCHER, "watch", not settings.private)
