"""The door: files -> Studies, with a line of report for every file.

``scan`` looks at everything and says which Studies it could make; ``load`` makes one of them. Foreign bytes
are parsed in a child process under limits of memory and time; a file that kills it is refused by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from osteoscope.dicom.intake.ct_series import CtSeries, series_of
from osteoscope.dicom.intake.ct_volume import load_series
from osteoscope.dicom.intake.header import Digest, Entry
from osteoscope.dicom.intake.inventory import Inventory, VolumeFile, take_inventory
from osteoscope.dicom.intake.nm_planar import PlanarViews, planar_of
from osteoscope.dicom.intake.nm_study import load_planar
from osteoscope.dicom.intake.sandbox import Sandbox
from osteoscope.dicom.intake.screen import Role, screen
from osteoscope.dicom.intake.volume_file import load_volume
from osteoscope.dicom.intake.workplace import Progress, Workplace, silent
from osteoscope.dicom.options import IntakeOptions, Limits
from osteoscope.domain.study import IntakeNote, Study, StudyKind
from osteoscope.errors import OsteoscopeError

__all__ = ["Arrival", "Candidate", "IntakeOptions", "Limits", "Scan", "load", "scan"]

Content = CtSeries | PlanarViews | VolumeFile

_STRICT = IntakeOptions()
_LOADERS: Mapping[type[Content], Callable[[Any, Workplace], Study]] = {
    CtSeries: load_series,
    PlanarViews: load_planar,
    VolumeFile: load_volume,
}


@dataclass(frozen=True, eq=False)
class Candidate:
    """One future Study: a CT volume, the views of one planar acquisition, or one NIfTI or NRRD file.

    Args:
        label: what the user knows it by, unique in a scan; text to show, not to be used as a path.
        kind: of the Study.
        files: names of the files that it is made from.
        content: for ``load``.
    """

    label: str
    kind: StudyKind
    files: tuple[str, ...]
    content: Content


@dataclass(frozen=True, eq=False)
class Scan:
    """What an input holds. Every file is in a candidate or in a note.

    Args:
        candidates: CT series, then planar acquisitions, then volume files, each in the order of their files.
        notes: on files that belong to no candidate: junk, refused, localisers, copies ...
    """

    candidates: tuple[Candidate, ...]
    notes: tuple[IntakeNote, ...]


@dataclass(frozen=True, eq=False)
class Arrival:
    """What became of a candidate.

    Args:
        study: None where it was refused; the notes say why, naming the file.
        notes: the same as ``study.intake`` where there is a study.
    """

    label: str
    study: Study | None
    notes: tuple[IntakeNote, ...]


def scan(
    path: Path | Sequence[Path], scratch: Path, options: IntakeOptions = _STRICT, progress: Progress = silent
) -> Scan:
    """Look at all files of a folder, a file, a zip or a DICOMDIR, or of several of these as one input.

    Args:
        path: a DICOMDIR stands for its folder; what it points to is never followed.
        scratch: a temporary folder of the caller, to be kept until the Studies are done with; archives
            are unpacked here under generated names.
        progress: called with (stage, done, total); total 0 where it is unknown.

    Raises:
        IntakeError: there is no such file or folder.
        LimitError: more files than allowed.
    """
    given = [path] if isinstance(path, Path) else path
    roots = list(dict.fromkeys(one.parent if _is_dicomdir(one) else one for one in given))
    with Sandbox(options.limits) as sandbox:
        work = Workplace(sandbox, scratch, options, progress)
        inventory = take_inventory(roots, work)
        found, notes = _candidates(inventory, work)
        limited = sandbox.limited
    if not limited:
        notes.append(
            IntakeNote("warning", "this system sets no memory limit", "give trusted files only", str(roots[0]))
        )
    return Scan(tuple(found), tuple(notes))


def _is_dicomdir(path: Path) -> bool:
    return path.name.upper() == "DICOMDIR" and path.is_file()


def load(candidate: Candidate, scratch: Path, options: IntakeOptions = _STRICT, progress: Progress = silent) -> Arrival:
    """Make the Study of a candidate, or say why not; never raises for what the files hold.

    Args:
        scratch: the folder given to ``scan``; voxels lie here as .npy and are mapped, not held in memory.
    """
    content, early = candidate.content, _early_notes(candidate.content)
    with Sandbox(options.limits) as sandbox:
        try:
            study = _LOADERS[type(content)](content, Workplace(sandbox, scratch, options, progress))
        except OsteoscopeError as error:
            refusal = IntakeNote("refused", f"{error.asked}: {error.found}", error.remedy, candidate.files[0])
            return Arrival(candidate.label, None, (*early, refusal))
    study = replace(study, intake=(*study.intake, *early))
    return Arrival(candidate.label, study, study.intake)


def _early_notes(content: Content) -> tuple[IntakeNote, ...]:
    """What the scan noticed about a candidate and its files."""
    return (*content.notes, *(note for entry in content.entries for note in entry.notes))


def _candidates(inventory: Inventory, work: Workplace) -> tuple[list[Candidate], list[IntakeNote]]:
    notes = list(inventory.notes)
    roles: dict[Role, list[Entry]] = {"ct": [], "nm": []}
    for entry in inventory.dicom:
        role = screen(entry, work.options.limits)
        if isinstance(role, IntakeNote):
            notes.append(role)
        else:
            roles[role].append(entry)
    digest = _digester(work.sandbox)
    series, ct_notes = series_of(roles["ct"], digest, work.options)
    planar, nm_notes = planar_of(roles["nm"], digest)
    made = [
        *(Candidate(one.label, "ct", _names(one), one) for one in series),
        *(Candidate(one.label, "nm-planar", _names(one), one) for one in planar),
        *(Candidate(one.label, "ct", (one.found.name,), one) for one in inventory.volumes),
    ]
    used = {entry for one in made for entry in one.content.entries}
    early = [note for entry in inventory.dicom if entry not in used for note in entry.notes]
    return _told_apart(made), [*notes, *ct_notes, *nm_notes, *early]


def _names(content: Content) -> tuple[str, ...]:
    return tuple(entry.found.name for entry in content.entries)


def _told_apart(candidates: list[Candidate]) -> list[Candidate]:
    """The same, with the first file's name in labels that are not unique."""
    uses = Counter(one.label for one in candidates)
    return [replace(one, label=f"{one.label} {one.files[0]}") if uses[one.label] > 1 else one for one in candidates]


def _digester(sandbox: Sandbox) -> Digest:
    """Fingerprint of a file's pixels; a file that cannot be read is like no other."""

    @cache  # of a file with many frames, which are asked for one by one
    def digest(entry: Entry) -> str:
        answer = sandbox.one({"op": "digest", "file": str(entry.found.path)})
        return str(answer.get("sha256", entry.found.name))

    return digest
