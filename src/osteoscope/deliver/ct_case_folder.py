"""The case of one folder: its CT, all its masks, and what of it is not used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from osteoscope.deliver.ct_case_names import Role, is_dicom, is_other_volume, is_volume, mask_words, role_of
from osteoscope.deliver.ratings import Problem
from osteoscope.dicom.read_masks import files_with_masks

_READINGS = ("reading.json", "truth.json")
_SHOWN = 4


@dataclass(frozen=True)
class FolderCase:
    """What a folder holds.

    Args:
        ct, bones: None where there is none, or it is a problem which.
        lesions: files that mark them.
        problems: those that are ``lost`` leave no case.
        used: folders below that belong to it, not to be looked at again.
    """

    ct: Path | None = None
    lesions: tuple[Path, ...] = ()
    bones: Path | None = None
    problems: tuple[Problem, ...] = ()
    used: tuple[Path, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether it is a case that can be used."""
        return self.ct is not None and bool(self.lesions) and not any(problem.lost for problem in self.problems)


@dataclass
class _Sorted:
    """Files and folders of a folder by what they are."""

    lesions: list[Path] = field(default_factory=list)
    bones: list[Path] = field(default_factory=list)
    masks: list[Path] = field(default_factory=list)
    readings: list[Path] = field(default_factory=list)
    volumes: list[Path] = field(default_factory=list)
    slices: list[Path] = field(default_factory=list)
    unread: list[Path] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)


def read_folder(folder: Path) -> FolderCase:
    """The case of a folder; neither CT, masks nor problems where it is none."""
    own = _sorted(folder)
    direct = [*own.volumes, *([folder] if len(own.slices) > 1 else [])]
    named = [path for path in own.folders if role_of(path) == "ct" and not _is_case(path)]
    beside: dict[Path, Role] = {}
    if direct or named:
        beside = {path: role for path in own.folders if (role := _masks_folder(path))}
        for path, role in beside.items():
            _add(own, path, role)
    masks, problems = _choose_masks(folder, own)
    if not masks and not problems:
        return _without_masks(own, [*direct, *named], named)
    others = [path for path in own.folders if path not in beside and path not in named]
    ct, doubts = _choose_ct(folder, own, direct, named, others)
    bones = own.bones[0] if len(own.bones) == 1 else None
    if len(own.bones) > 1:
        doubts.append(_problem(own.bones, "more than one file of bones", "Leave one of them in the folder"))
    used = (*beside, *named, *([ct] if ct in others and ct is not None else []))
    return FolderCase(ct, tuple(masks), bones, (*problems, *doubts), used)


def _sorted(folder: Path) -> _Sorted:
    made = _Sorted()
    children = sorted(child for child in folder.iterdir() if not child.name.startswith("."))
    made.folders = [child for child in children if child.is_dir()]
    files = [child for child in children if child.is_file()]
    marks = set(files_with_masks(path for path in files if not is_volume(path)))
    places: dict[Role, list[Path]] = {"lesions": made.lesions, "bones": made.bones, "masks": made.masks}
    for path in files:
        role = role_of(path)
        if path in marks:
            # What a DICOM file marks is told by the labels in it.
            (made.bones if role == "bones" else made.lesions).append(path)
        elif path.name in _READINGS:
            made.readings.append(path)
        elif is_volume(path):
            places.get(role, made.volumes).append(path)
        elif is_dicom(path):
            made.slices.append(path)
        elif is_other_volume(path) or role in {"lesions", "masks"}:
            made.unread.append(path)
    return made


def _masks_folder(path: Path) -> Role:
    """What the masks in a folder are by its name; nothing where it holds other things as well."""
    role = role_of(path)
    if role not in {"lesions", "bones", "masks"}:
        return ""
    held = _sorted(path)
    slices = role != "lesions" and len(held.slices) > 1
    has_ct = slices or bool(held.folders) or any(role_of(one) == "ct" for one in held.volumes)
    holds = held.lesions or held.bones or held.masks or held.volumes or held.unread or held.slices
    return role if holds and not has_ct else ""


def _add(own: _Sorted, path: Path, role: Role) -> None:
    """Take the files of a folder of masks; one named after lesions holds nothing else, but bones."""
    held = _sorted(path)
    own.bones += [*held.bones, *(held.volumes if role == "bones" else [])]
    own.lesions += [*held.lesions, *([*held.masks, *held.volumes, *held.slices] if role == "lesions" else [])]
    own.masks += [*held.masks, *held.volumes] if role == "masks" else []
    own.unread += held.unread


def _is_case(path: Path) -> bool:
    held = _sorted(path)
    return bool(held.lesions or held.readings or held.masks)


def _choose_masks(folder: Path, own: _Sorted) -> tuple[list[Path], list[Problem]]:
    """The files that mark lesions, and what else may mark them."""
    words = {path: _plain(path, folder) for path in own.masks}
    plain = [path for path in own.masks if words[path]]
    problems = [
        _problem([path], "named after lesions, in a format that is not read", "Save it as NIfTI (.nii.gz) or NRRD")
        for path in own.unread
        if is_other_volume(path) and _is_lesions(path, folder)
    ]
    keep = "Leave those that mark all lesions, give them names that say lesions, and take the others away"
    sources = [group for group in (own.lesions, own.readings, plain) if group]
    kinds = {words[path] for path in plain}
    if len(sources) > 1 or len(own.readings) > 1 or (not own.lesions and len(kinds) > 1):
        problems.append(_problem([path for group in sources for path in group], "several marks of one CT", keep))
    other = [path for path in own.masks if path not in plain]
    aside = [path for path in own.unread if not _is_lesions(path, folder) or not is_other_volume(path)]
    used = sources[0] if sources else []
    if other:
        remedy = "If it marks lesions, give it a name that says so (lesions.nii.gz)"
        problems.append(_problem(other, "not used: its name does not say lesions", remedy, lost=not used))
    if aside and (used or other):
        problems.append(
            _problem(aside, "not used: neither NIfTI, NRRD nor DICOM", "Convert it if it matters", lost=False)
        )
    return used, problems


def _is_lesions(path: Path, folder: Path) -> bool:
    return "lesions" in {role_of(path), role_of(path.parent) if path.parent != folder else ""}


def _plain(path: Path, folder: Path) -> frozenset[str]:
    """The words for masks of a file, with those of the folder that it lies in; none where its name says more."""
    said = mask_words(path, folder)
    around = mask_words(path.parent, folder) if path.parent != folder else frozenset()
    return frozenset() if said is None else said | (around or frozenset())


def _choose_ct(
    folder: Path, own: _Sorted, direct: Sequence[Path], named: Sequence[Path], others: Sequence[Path]
) -> tuple[Path | None, list[Problem]]:
    """The one CT, and problems where there is none or which it is cannot be told."""
    said = [path for path in direct if path == folder or role_of(path) == "ct"]
    found = [*said, *named] or [*direct, *(path for path in others if _holds_images(path) and not _is_case(path))]
    left = [path for path in own.volumes if path not in found]
    problems = []
    if not found:
        problems.append(Problem(str(folder), None, "", "masks without a CT beside them", "Put the CT into it"))
    elif len(found) > 1:
        remedy = "Leave one of them in the folder, or name the one that was marked ct, or give a CSV"
        problems.append(_problem(found, "more than one that may be the CT", remedy))
    elif left:
        remedy = "If it marks lesions, give it a name that says so (lesions.nii.gz)"
        problems.append(_problem(left, "not used: neither the CT nor masks, by its name", remedy, lost=False))
    return (found[0] if len(found) == 1 else None), problems


def _without_masks(own: _Sorted, cts: Sequence[Path], named: Sequence[Path]) -> FolderCase:
    remedy = "Put masks of all its lesions beside it (lesions.nii.gz, a DICOM SEG, a structure set), or give a CSV"
    said = [Problem(str(path), None, "", "a CT without masks beside it", remedy) for path in cts]
    unread = [path for path in own.unread if is_other_volume(path)]
    if unread:
        said.append(_problem(unread, "in a format that is not read", "Save it as NIfTI (.nii.gz) or NRRD"))
    return FolderCase(problems=tuple(said), used=tuple(named))


def _holds_images(folder: Path) -> bool:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return any(is_volume(path) or is_dicom(path) for path in files)


def _problem(paths: Iterable[Path], found: str, remedy: str, *, lost: bool = True) -> Problem:
    """About one file and, where there are more, with the names of the others."""
    first, *rest = paths
    names = [path.name for path in rest[:_SHOWN]] + ([f"{len(rest) - _SHOWN} more"] if len(rest) > _SHOWN else [])
    also = f" (with {', '.join(names)})" if names else ""
    return Problem(str(first), None, "", f"{found}{also}", remedy, lost)
