"""A case of a dataset as a CT with its bones and marked lesions."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from json import JSONDecodeError
from pathlib import Path

from osteoscope.deliver.ct_case_names import is_volume, says_benign
from osteoscope.deliver.ct_cases import CtCase
from osteoscope.deliver.ct_label_names import BENIGN_NAMES, LESION_NAMES, lesion_kind, mask_kind
from osteoscope.deliver.ct_patients import Whose, digest_of
from osteoscope.deliver.outputs import read_reading
from osteoscope.deliver.ratings import Problem
from osteoscope.dicom.read_masks import Identity, NamedMask, identity_of, read_all_masks
from osteoscope.domain.finding import Finding, FindingKind, Part, Point, Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.reading import MappedSite
from osteoscope.domain.study import Study
from osteoscope.errors import IntakeError, InvalidValueError, OsteoscopeError, UnsuitableStudyError
from osteoscope.reading.plan_table import plan_for
from osteoscope.train.ct_backgrounds import read_study

# How a type is written where nobody said it.
UNTYPED: FindingKind = "focal"
_NO_BONE = "bone_unknown_1"
# Two masks that share more than this of their union mark one lesion.
_SAME = 0.5


@dataclass(frozen=True, eq=False)
class Annotated:
    """A CT with what is known of it.

    Args:
        whose: what tells whose it is; scans of one patient are never split.
        study: in memory.
        mapped: its bones.
        lesions: as findings of confidence 1; of kind ``UNTYPED`` where no type is known.
        benign: marked look-alikes.
        notes: masks that were not used, or not whole; doubts of the intake. None of them ``lost``.
    """

    name: str
    whose: Whose
    study: Study
    mapped: tuple[MappedSite, ...]
    lesions: tuple[Finding, ...]
    benign: tuple[Region, ...] = field(default=())
    notes: tuple[Problem, ...] = ()


@dataclass(frozen=True, eq=False)
class _Marks:
    """Masks by what they are, and what is to be said of them."""

    lesions: tuple[NamedMask, ...]
    benign: tuple[NamedMask, ...]
    notes: tuple[Problem, ...]


def load_case(case: CtCase, names: str = LESION_NAMES, *, with_bones: bool = True) -> Annotated:
    """Read a case.

    Args:
        case: its files.
        names: regular expression of the labels of a DICOM file that are lesions.
        with_bones: whether its bones are wanted, which take most of the time; without them no lesion has a site.

    Raises:
        OsteoscopeError: the CT or the masks cannot be read, or do not belong together.
    """
    study = read_study(case.ct)
    grid = study.images["ct"].grid
    doubts = tuple(
        Problem(str(case.ct), None, "", note.problem, note.action.capitalize(), lost=False)
        for note in study.intake
        if note.level == "warning"
    )
    whose = Whose(
        case.name, str(case.ct), case.patient, study.patient.id, study.uid, digest_of(study.images["ct"])
    )  # fmt: skip
    if any(file.suffix.lower() == ".json" for file in case.lesions):
        findings, benign = _of_reading(case.lesions, grid)
        mapped = _bones(case, study, with_bones)
    else:
        marks = _marks(case, study, names)
        mapped = _bones(case, study, with_bones)
        findings = tuple(_finding(number, mask, mapped, grid) for number, mask in enumerate(marks.lesions, 1))
        benign = tuple(Region((mask.part,)) for mask in marks.benign)
        doubts = (*doubts, *marks.notes)
    both = _both(case, findings, benign)
    return Annotated(case.name, whose, study, mapped, findings, benign, (*doubts, *both))


def unusable(case: CtCase, error: Exception) -> Problem:
    """Why a case is left out."""
    if isinstance(error, OsteoscopeError):
        return Problem(str(case.ct), None, "", f"{error.asked}: {error.found}", error.remedy)
    return Problem(str(case.ct), None, "", f"{type(error).__name__}: {error}", "Check its files")


def _both(case: CtCase, findings: Sequence[Finding], benign: Sequence[Region]) -> Iterator[Problem]:
    """Voxels marked as lesion and as look-alike; the lesion counts."""
    for number, region in enumerate(benign, 1):
        shared = sum(finding.region.overlap(region) for finding in findings)
        if shared:
            found = f"look-alike {number}: {shared} of {region.size} voxels are marked as lesion too, which counts"
            yield _note(case.lesions[0], found, "Mark a place as one of them")


def _marks(case: CtCase, study: Study, names: str) -> _Marks:
    """The masks of all files of a case.

    Raises:
        IntakeError: none of them is a lesion or a look-alike.
    """
    owner = identity_of(study)
    held: dict[str, list[NamedMask]] = {"lesion": [], "look-alike": [], "": []}
    notes: list[Problem] = []
    for path in case.lesions:
        unused: list[str] = []
        before = tuple(held["lesion"])
        for mask in _masks(path, study.images["ct"].grid, owner, notes):
            kind = _kind(mask, path, names)
            double = kind == "lesion" and next((other for other in before if _is_same(mask, other)), None)
            if double:
                found = f"the mask {mask.label!r} is that of {double.label!r} in a file before it, taken once"
                notes.append(_note(path, found, "Keep one of the files"))
            else:
                held[kind].append(mask)
                unused += [mask.label] if not kind else []
        if unused:
            found = f"masks named {_shown(unused)}, neither lesions nor look-alikes, are not used"
            notes.append(_note(path, found, "Say which are lesions with --lesions REGEX if any is"))
    if held[""] and not held["lesion"] and not held["look-alike"]:
        found = f"masks named {_shown([mask.label for mask in held['']])}, none a lesion"
        raise IntakeError(f"read {case.lesions[0]}", found, "Say which are lesions with --lesions REGEX")
    return _Marks(tuple(held["lesion"]), tuple(held["look-alike"]), tuple(notes))


def _masks(path: Path, grid: Grid, owner: Identity, notes: list[Problem]) -> tuple[NamedMask, ...]:
    with tempfile.TemporaryDirectory(prefix="osteoscope-") as scratch:
        read = read_all_masks(path, grid, Path(scratch), owner)
    for label, note in read.notes:
        notes.append(_note(path, f"the mask {label!r}: {note}", "Check that it is of this CT"))
    return read.masks


def _note(path: Path, found: str, remedy: str) -> Problem:
    return Problem(str(path), None, "", found, remedy, lost=False)


def _shown(labels: list[str]) -> str:
    return ", ".join(map(repr, labels[:8])) + (f" and {len(labels) - 8} more" if len(labels) > 8 else "")


def _said(mask: NamedMask) -> str:
    return f"{mask.label} {mask.meaning}"


def _kind(mask: NamedMask, path: Path, names: str) -> str:
    """What a label says in a DICOM file; every label of a label map is a lesion, or what the file's name says."""
    if is_volume(path):
        return "look-alike" if says_benign(path) else "lesion"
    return mask_kind(_said(mask), names)


def _is_same(one: NamedMask, other: NamedMask) -> bool:
    shared = Region((one.part,)).overlap(Region((other.part,)))
    return shared > _SAME * (int(one.part.mask.sum()) + int(other.part.mask.sum()) - shared)


def _bones(case: CtCase, study: Study, wanted: bool) -> tuple[MappedSite, ...]:
    if not wanted:
        return ()
    if case.bones is None:
        return plan_for(study).map_sites(study)
    masks = _masks(case.bones, study.images["ct"].grid, identity_of(study), [])
    return tuple(MappedSite(f"bone_unknown_{n}", Region((mask.part,))) for n, mask in enumerate(masks, 1))


def _of_reading(files: tuple[Path, ...], grid: Grid) -> tuple[tuple[Finding, ...], tuple[Region, ...]]:
    path = files[0]
    if len(files) > 1:
        raise IntakeError(f"read {path}", "a Reading beside other marks", "Give the Reading alone, or the others")
    try:
        reading = read_reading(path)
    except (OSError, InvalidValueError, JSONDecodeError, UnicodeDecodeError) as error:
        found = f"it is no reading.json of this version ({error})"
        raise IntakeError(f"read {path}", found, "Write it again with this version") from error
    if reading.reader.kind == "program":
        found = f"the Reading of a program ({reading.reader.name}), which nobody has corrected"
        raise UnsuitableStudyError(f"read {path}", found, "Correct or confirm it on the review page, or mark the CT")
    own = reading.study.images.get("ct")
    if own is None or not own.grid.matches(grid, 0.05):
        raise UnsuitableStudyError(f"read {path}", "a Reading of another image", "Give the CT that it was made of")
    benign = tuple(
        aside.region
        for aside in reading.set_aside
        if re.search(BENIGN_NAMES, f"{aside.what} {aside.reason}", re.IGNORECASE)
    )
    return reading.findings, benign


def _finding(number: int, mask: NamedMask, mapped: tuple[MappedSite, ...], grid: Grid) -> Finding:
    kind = lesion_kind(_said(mask), UNTYPED)
    centre = Point.centre_of(mask.part, grid)
    return Finding(f"lesion-{number}", _site(mask.part, mapped), kind, 1.0, Region((mask.part,)), centre)


def _site(part: Part, mapped: tuple[MappedSite, ...]) -> str:
    """The bone that holds most of a mask."""
    held = [(place.region.overlap(Region((part,))), place.site) for place in mapped if place.region is not None]
    most, site = max(held, default=(0, _NO_BONE))
    return site if most else _NO_BONE
