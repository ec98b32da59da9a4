"""A case of a dataset as a CT with its bones and marked lesions."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field
from json import JSONDecodeError
from pathlib import Path

from osteoscope.deliver.ct_cases import CtCase
from osteoscope.deliver.outputs import read_reading
from osteoscope.dicom.read_masks import NamedMask, read_masks
from osteoscope.domain.finding import Finding, FindingKind, Part, Point, Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.reading import MappedSite
from osteoscope.domain.study import Study
from osteoscope.errors import IntakeError, InvalidValueError, UnsuitableStudyError
from osteoscope.reading.plan_table import plan_for
from osteoscope.train.ct_backgrounds import read_study

# Which masks of a DICOM file are lesions, by their labels or what they are said to be.
LESION_NAMES = r"lesion|metast|tumou?r|gtv|lytic|blastic|sclerotic|mixed"
# Which are benign, and teach what no lesion is.
BENIGN_NAMES = r"look.?alike|benign|enostosis|degenerat|mimic|osteophyte"
_KINDS: tuple[tuple[str, FindingKind], ...] = (("mixed", "mixed"), ("lytic", "lytic"), ("blastic|sclerotic", "blastic"))
# How a type is written where nobody said it.
UNTYPED: FindingKind = "focal"
_NO_BONE = "bone_unknown_1"


@dataclass(frozen=True, eq=False)
class Annotated:
    """A CT with what is known of it.

    Args:
        patient: whose it is; scans of one patient are never split.
        study: in memory.
        mapped: its bones.
        lesions: as findings of confidence 1; of kind ``UNTYPED`` where no type is known.
        benign: marked look-alikes.
    """

    name: str
    patient: str
    study: Study
    mapped: tuple[MappedSite, ...]
    lesions: tuple[Finding, ...]
    benign: tuple[Region, ...] = field(default=())


def load_case(case: CtCase, names: str = LESION_NAMES) -> Annotated:
    """Read a case.

    Args:
        case: its files.
        names: regular expression of the labels of a DICOM file that are lesions.

    Raises:
        OsteoscopeError: the CT or the masks cannot be read, or do not belong together.
    """
    study = read_study(case.ct)
    grid = study.images["ct"].grid
    patient = case.patient or study.patient.id or case.name
    mapped = _bones(case, study)
    if case.lesions.suffix.lower() == ".json":
        findings, benign = _of_reading(case.lesions, grid)
        return Annotated(case.name, patient, study, mapped, findings, benign)
    masks = _masks(case.lesions, grid)
    benign_masks = [mask for mask in masks if re.search(BENIGN_NAMES, _said(mask), re.IGNORECASE)]
    lesions = [mask for mask in masks if mask not in benign_masks and _is_lesion(mask, case.lesions, names)]
    if masks and not lesions and not benign_masks:
        found = f"masks named {', '.join(repr(mask.label) for mask in masks[:8])}, none a lesion"
        raise IntakeError(f"read {case.lesions}", found, "Say which are lesions with --lesions REGEX")
    findings = tuple(_finding(number, mask, mapped, grid) for number, mask in enumerate(lesions, 1))
    return Annotated(case.name, patient, study, mapped, findings, tuple(Region((m.part,)) for m in benign_masks))


def _masks(path: Path, grid: Grid) -> tuple[NamedMask, ...]:
    with tempfile.TemporaryDirectory(prefix="osteoscope-") as scratch:
        return read_masks(path, grid, Path(scratch))


def _said(mask: NamedMask) -> str:
    return f"{mask.label} {mask.meaning}"


def _is_lesion(mask: NamedMask, path: Path, names: str) -> bool:
    """Every label of a label map is; of a DICOM file those of that name."""
    return path.suffix.lower() != ".dcm" or bool(re.search(names, _said(mask), re.IGNORECASE))


def _bones(case: CtCase, study: Study) -> tuple[MappedSite, ...]:
    if case.bones is None:
        return plan_for(study).map_sites(study)
    masks = _masks(case.bones, study.images["ct"].grid)
    return tuple(MappedSite(f"bone_unknown_{n}", Region((mask.part,))) for n, mask in enumerate(masks, 1))


def _of_reading(path: Path, grid: Grid) -> tuple[tuple[Finding, ...], tuple[Region, ...]]:
    try:
        reading = read_reading(path)
    except (OSError, InvalidValueError, JSONDecodeError, UnicodeDecodeError) as error:
        found = f"it is no reading.json of this version ({error})"
        raise IntakeError(f"read {path}", found, "Write it again with this version") from error
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
    kind = next((kind for words, kind in _KINDS if re.search(words, _said(mask), re.IGNORECASE)), UNTYPED)
    centre = Point.centre_of(mask.part, grid)
    return Finding(f"lesion-{number}", _site(mask.part, mapped), kind, 1.0, Region((mask.part,)), centre)


def _site(part: Part, mapped: tuple[MappedSite, ...]) -> str:
    """The bone that holds most of a mask."""
    held = [(place.region.overlap(Region((part,))), place.site) for place in mapped if place.region is not None]
    most, site = max(held, default=(0, _NO_BONE))
    return site if most else _NO_BONE
