"""Which files an input holds, before any is opened."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from osteoscope.domain.study import IntakeNote, NoteLevel
from osteoscope.errors import IntakeError, LimitError


@dataclass(frozen=True)
class Found:
    """A file to look at: where its bytes lie, and its name as the user knows it."""

    path: Path
    name: str

    def note(self, level: NoteLevel, problem: str, action: str) -> IntakeNote:
        """A line of the intake report about this file."""
        return IntakeNote(level, problem, action, self.name)


def counted(number: int, noun: str) -> str:
    """ "1 slice", "2 slices"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def printable(name: str) -> str:
    """A name that can be shown and stored: undecodable bytes and control characters escaped."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def walk(root: Path, most: int, *, alone: bool = True) -> tuple[list[Found], list[IntakeNote]]:
    """All regular files of a folder, or the file itself, in the order of their names; notes on what is passed over.

    Links that stay within the folder are passed over since their target is met anyway; links that leave
    it are refused. Names are relative to the folder where it is the only input, else as the user gave them.

    Raises:
        IntakeError: nothing is there, or it cannot be looked at.
        LimitError: more than ``most`` files.
    """
    _check_there(root)
    if root.is_file():
        return [Found(root, printable(root.name if alone else root.as_posix()))], []
    shown = Path() if alone else root
    files: list[Found] = []
    notes: list[IntakeNote] = []
    inside = root.resolve()
    for path in _paths(root, notes):
        found = Found(path, printable((shown / path.relative_to(root)).as_posix()))
        note = _passed_over(found, inside)
        if note:
            notes.append(note)
        else:
            files.append(found)
        if len(files) + len(notes) > most:
            raise LimitError(f"read {root}", f"more than {most} files", "Give a smaller folder, or raise Limits.files")
    return files, notes


def _paths(root: Path, notes: list[IntakeNote]) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        folder = printable(Path(error.filename).relative_to(root).as_posix())
        notes.append(IntakeNote("refused", f"a folder not listed ({error.strerror})", "Check its permissions", folder))

    for folder, folders, names in os.walk(root, onerror=refuse):
        folders.sort()
        links = [name for name in folders if Path(folder, name).is_symlink()]
        yield from (Path(folder, name) for name in sorted(names + links))


def _check_there(root: Path) -> None:
    try:
        there = root.exists()
    except OSError as error:  # of a name that is too long, or a folder that may not be entered
        raise IntakeError(f"read {root}", f"it cannot be looked at ({error.strerror})", "Check the path") from error
    if not there:
        raise IntakeError(f"read {root}", "there is no such file or folder", "Check the path")


def _passed_over(found: Found, inside: Path) -> IntakeNote | None:
    if found.path.is_symlink():
        if _is_loop(found.path):
            return found.note("refused", "a link that leads back to itself", "Remove it, or copy its target here")
        target = found.path.resolve()
        if not target.is_relative_to(inside):
            return found.note("refused", "a link that leads out of the folder", "Copy its target into the folder")
        return found.note("set_aside", "a link within the folder", "its target is read under its own name")
    if not stat.S_ISREG(found.path.stat().st_mode):
        return found.note("set_aside", "a pipe, socket or device, not a file", "not opened")
    return None


def _is_loop(link: Path) -> bool:
    try:
        link.stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    return False
