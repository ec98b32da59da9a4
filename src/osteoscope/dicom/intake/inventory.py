"""Look at every file of an input, unpacking archives on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from osteoscope.dicom.intake.found import Found, printable, walk
from osteoscope.dicom.intake.header import Entry, Header
from osteoscope.dicom.intake.sandbox import Answer
from osteoscope.dicom.intake.workplace import Workplace
from osteoscope.domain.study import IntakeNote, NoteLevel

_ARCHIVES = frozenset({"zip", "gzip"})
_VOLUMES = frozenset({"nifti", "nrrd"})
_NOT_READ: Mapping[str, tuple[NoteLevel, str, str]] = {
    "empty": ("refused", "the file is empty", "Transfer or export it again"),
    "nifti-pair": ("refused", "a NIfTI header without its pixels", "Save header and pixels in one .nii file"),
    "nifti-2": ("refused", "a NIfTI-2 file", "Save it as NIfTI-1 (a .nii whose header has 348 bytes) or NRRD"),
    "unknown": ("set_aside", "not a DICOM, NIfTI or NRRD file", "not read"),
}
_OTHER_ARCHIVES = frozenset({"tar", "7z", "rar", "bzip2", "xz"})


@dataclass(frozen=True)
class VolumeFile:
    """A volume file and its kind, "nifti" or "nrrd"; it has no DICOM entries."""

    found: Found
    kind: str
    notes: tuple[IntakeNote, ...] = ()
    entries: tuple[Entry, ...] = ()

    @property
    def label(self) -> str:
        """The file's name."""
        return self.found.name


@dataclass
class Inventory:
    """What an input holds: DICOM files, volume files, and notes on all others."""

    dicom: list[Entry] = field(default_factory=list)
    volumes: list[VolumeFile] = field(default_factory=list)
    notes: list[IntakeNote] = field(default_factory=list)


def take_inventory(paths: Sequence[Path], work: Workplace) -> Inventory:
    """Look at every file of these files and folders.

    Raises:
        IntakeError: nothing is there.
        LimitError: too many files.
    """
    inventory = Inventory()
    files: list[Found] = []
    for path in paths:
        found, notes = walk(path, work.options.limits.files - len(files), alone=len(paths) == 1)
        files += found
        inventory.notes += notes
    archives = _look_at(files, work, inventory)
    for archive, kind in archives:
        inner = _unpacked(archive, kind, work, inventory)
        for nested, _ in _look_at(inner, work, inventory):
            note = nested.note("refused", "an archive within an archive", "Unpack it and give the folder")
            inventory.notes.append(note)
    return inventory


def _look_at(files: Sequence[Found], work: Workplace, inventory: Inventory) -> list[tuple[Found, str]]:
    archives = []
    for done, found in enumerate(files):
        work.progress("scan", done, len(files))
        answer = work.sandbox.one({"op": "look", "file": str(found.path)})
        kind = str(answer.get("kind", ""))
        if kind == "gzip" and found.name.lower().endswith(".nii.gz"):
            kind = "nifti"
        if kind in _ARCHIVES:
            archives.append((found, kind))
        elif kind in _VOLUMES:
            inventory.volumes.append(VolumeFile(found, kind))
        else:
            _file_away(found, answer, inventory)
    work.progress("scan", len(files), len(files))
    return archives


def _file_away(found: Found, answer: Answer, inventory: Inventory) -> None:
    if "refused" in answer:
        inventory.notes.append(found.note("refused", answer["refused"], answer["remedy"]))
    elif answer["kind"] == "dicom":
        notes = tuple(found.note(*note) for note in answer["notes"])
        inventory.dicom.append(Entry(found, Header(answer["fields"]), notes))
    elif answer["kind"] in _OTHER_ARCHIVES:
        problem = f"a {answer['kind']} archive"
        inventory.notes.append(found.note("refused", problem, "Unpack it and give the folder, or make a zip of it"))
    else:
        inventory.notes.append(found.note(*_NOT_READ[answer["kind"]]))


def _unpacked(archive: Found, kind: str, work: Workplace, inventory: Inventory) -> list[Found]:
    out = work.scratch / f"unpacked-{uuid4().hex}"
    out.mkdir()
    files = []
    request = {"op": "unpack", "kind": kind, "file": str(archive.path), "out": str(out)}
    for done, answer in enumerate(work.sandbox.stream(request)):
        work.progress("unpack", done, 0)
        name = f"{archive.name}!{printable(answer['name'])}" if answer.get("name") else archive.name
        found = Found(Path(answer.get("path", "")), name)
        if "refused" in answer:
            inventory.notes.append(found.note("refused", answer["refused"], answer["remedy"]))
        else:
            files.append(found)
    return files
