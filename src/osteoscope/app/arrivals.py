"""Files on their way in: streamed to disk, made durable, then known to the database; only then answered.

An upload lies in ``uploads/ID``: ``files/`` and ``arrival.json``. Until it is complete its folder ends in ".part";
what is left of one that was cut off is removed at the next start, since nobody was told that it arrived.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from sqlalchemy.exc import SQLAlchemyError

from osteoscope.app.errors import Refused
from osteoscope.store import audit, queue
from osteoscope.store.engine import Store
from osteoscope.store.rows import Upload, new_id

ARRIVAL = "arrival.json"
_ODD = re.compile(r"[^\w.+-]+", re.ASCII)
_SPARE_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Sender:
    """Who sends, how ("page", "stow", "watch"), from where, and whether everyone may see it."""

    owner: str
    source: str
    everyone: bool
    address: str = ""


class Landing:
    """A folder that files are written to, durable once closed."""

    def __init__(self, uploads: Path, limit: int) -> None:
        self.id = new_id()
        self.final = uploads / self.id
        self.part = uploads / f"{self.id}.part"
        self.limit = limit
        self.bytes = 0
        self.names: list[str] = []
        self._file: BinaryIO | None = None
        (self.part / "files").mkdir(parents=True)

    def begin(self, name: str) -> None:
        """Begin a file of that name; only its plain characters are kept, behind a number."""
        plain = _ODD.sub("_", name.replace("\\", "/").rsplit("/", 1)[-1])[-100:] or "file"
        stored = f"{len(self.names) + 1:06d}-{plain}"
        self.names.append(name[:255])
        self._file = (self.part / "files" / stored).open("wb")

    def write(self, data: bytes) -> None:
        """More of the file.

        Raises:
            Refused: the upload is larger than allowed.
        """
        self.bytes += len(data)
        if self.bytes > self.limit:
            raise too_large(self.limit)
        if self._file is not None:
            self._file.write(data)

    def end(self) -> None:
        """The file is complete: on the disk, not only on its way there."""
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None

    def keep(self, sender: Sender) -> None:
        """All files are there: the folder takes its name."""
        note = self.part / ARRIVAL
        with note.open("w", encoding="utf-8") as stream:
            json.dump({**asdict(sender), "names": self.names}, stream)
            stream.flush()
            os.fsync(stream.fileno())
        _sync(self.part / "files")
        _sync(self.part)
        self.part.replace(self.final)
        _sync(self.final.parent)

    def drop(self) -> None:
        """Leave nothing behind of what was not kept."""
        if self._file is not None:
            self._file.close()
        shutil.rmtree(self.part, ignore_errors=True)

    def discard(self) -> None:
        """Leave nothing behind, be it kept: the database does not know of it."""
        self.drop()
        if self.final.is_dir():
            remove(self.final)


def remove(upload: Path) -> None:
    """Remove the folder of an upload; after a crash in between, the next start does the rest."""
    part = upload.with_name(f"{upload.name}.part")
    upload.replace(part)
    shutil.rmtree(part, ignore_errors=True)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def too_large(limit: int) -> Refused:
    """The answer to an upload over the limit."""
    found = f"it is larger than the {limit / 2**30:.3g} GiB that this server takes at once"
    return Refused(413, "upload files", found, "Send the studies one by one")


def check_space(uploads: Path, announced: int, limit: int) -> None:
    """Refuse early what cannot fit.

    Raises:
        Refused: the upload is announced as larger than allowed, or than the free space.
    """
    if announced > limit:
        raise too_large(limit)
    free = shutil.disk_usage(uploads).free
    if announced + _SPARE_BYTES > free:
        found = f"{announced / 2**20:.0f} MiB announced and {free / 2**20:.0f} MiB free on the server"
        raise Refused(507, "upload files", found, "Free space on the server, then send it again")


def register(store: Store, landing: Landing, sender: Sender) -> None:
    """Make what landed known to the database; where that fails nothing of it stays, since its sender sends it again.

    Raises:
        SQLAlchemyError: the database is away.
    """
    try:
        _enter(store, landing.id, sender, len(landing.names))
    except SQLAlchemyError:
        landing.discard()
        raise


def _enter(store: Store, upload: str, sender: Sender, files: int) -> None:
    """An upload on disk, and the job that sorts it."""
    with store.writing() as session:
        if session.get(Upload, upload) is None:
            session.add(Upload(id=upload, owner=sender.owner, source=sender.source, everyone=sender.everyone))
            queue.put(session, "intake", upload)
            audit.note(session, sender.owner, "upload", None, sender.address, upload=upload, files=files)


def recover(store: Store, uploads: Path) -> int:
    """Make known what came to rest on disk before a crash kept it from the database; remove what was cut off.

    Returns:
        How many uploads were made known.
    """
    uploads.mkdir(parents=True, exist_ok=True)
    found = 0
    for folder in sorted(uploads.iterdir()):
        if folder.suffix == ".part":
            shutil.rmtree(folder, ignore_errors=True)
            continue
        with store.reading() as session:
            known = session.get(Upload, folder.name) is not None
        if not known and (folder / ARRIVAL).is_file():
            said = json.loads((folder / ARRIVAL).read_text(encoding="utf-8"))
            names = said.pop("names")
            _enter(store, folder.name, Sender(**said), len(names))
            found += 1
    return found
