"""A reference and a reading of one study as a Scan: readings or label maps, brought to one grid."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from json import JSONDecodeError
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from osteoscope.deliver.evaluation_inputs import Entry, Unread
from osteoscope.deliver.exams import check_searched
from osteoscope.deliver.outputs import read_reading
from osteoscope.deliver.ratings import Problem
from osteoscope.dicom.read_labels import read_labels
from osteoscope.domain.finding import Finding, Part, Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.reading import Reading
from osteoscope.errors import IntakeError, InvalidValueError, UnsuitableStudyError
from osteoscope.measure.size import size_of_mask
from osteoscope.stats.detection_pairs import KINDS
from osteoscope.stats.detection_scan import Lesion, Scan

_READINGS = ("reading.json", "truth.json")
_NEAR = 0.1


@dataclass(frozen=True, eq=False)
class _Side:
    """Lesions of a file with their grid; of a Reading its study, patient and reader too."""

    file: Path
    grid: Grid
    lesions: tuple[Lesion, ...]
    uid: str = ""
    patient: str = ""
    reader: str = "label maps"


@dataclass(frozen=True, eq=False)
class Loaded:
    """A Scan, who read it (reference, reading), and what the user should know."""

    scan: Scan
    readers: tuple[str, str]
    remarks: tuple[Problem, ...]


def load_scan(entry: Entry) -> Loaded:
    """The Scan of an entry, on the grid of the reading.

    Raises:
        IntakeError: a file is absent, or is neither a reading.json nor a label map.
        UnsuitableStudyError: not a CT, one that was not searched for lesions, or two grids that do not hold the same
            voxels.
    """
    reference, reading = _side(entry.reference), _side(entry.reading)
    lesions = tuple(_moved(lesion, reference, reading) for lesion in reference.lesions)
    if not reference.lesions:
        _index_map(reference, reading)
    patient = entry.patient or reference.patient or reading.patient or entry.study
    scan = Scan(entry.study, patient, reading.grid.spacing, lesions, reading.lesions)
    return Loaded(scan, (reference.reader, reading.reader), _remarks(entry, reference, reading))


def load_unread(unread: Unread) -> Scan:
    """The Scan of a study without a reading: a reference, and no findings.

    Raises:
        IntakeError, UnsuitableStudyError: see `load_scan`.
    """
    side = _side(unread.reference)
    patient = unread.patient or side.patient or unread.study
    return Scan(unread.study, patient, side.grid.spacing, side.lesions, ())


def _remarks(entry: Entry, reference: _Side, reading: _Side) -> tuple[Problem, ...]:
    said = []
    if reference.uid and reading.uid and reference.uid != reading.uid:
        found = f"reference and reading of {entry.study!r} state two study ids, {reference.uid} and {reading.uid}"
        said.append(Problem(str(reading.file), None, "study.uid", found, "Check that they belong together", lost=False))
    for side in (reference, reading):
        if any("." in lesion.id for lesion in side.lesions[1:]) and side.reader == _Side.reader:
            found = f"one label in {len(side.lesions)} pieces, each taken as a lesion"
            said.append(Problem(str(side.file), None, "", found, "Give a label to each lesion", lost=False))
    return tuple(said)


def _side(path: Path) -> _Side:
    if path.is_dir():
        path = next((path / name for name in _READINGS if (path / name).is_file()), path)
    if path.suffix.lower() == ".json":
        return _of_reading(path)
    if path.suffix.lower() == ".dcm":
        remedy = "Give the reading.json beside it, or a label map as NIfTI"
        raise IntakeError(f"evaluate {path}", "DICOM, whose segmentations are not read here", remedy)
    with tempfile.TemporaryDirectory(prefix="osteoscope-") as scratch:
        grid, labels = read_labels(path, Path(scratch))
    return _Side(path, grid, tuple(_lesion(name, part, grid) for name, part in labels))


def _of_reading(path: Path) -> _Side:
    try:
        reading = read_reading(path)
    except (OSError, InvalidValueError, JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        found = f"it is no reading.json of this version ({error})"
        raise IntakeError(f"evaluate {path}", found, "Read the study again") from error
    if reading.study.kind != "ct":
        found = f"a Reading of kind {reading.study.kind!r}"
        raise UnsuitableStudyError(f"evaluate {path}", found, "Give Readings of CT; `osteoscope agree` compares scores")
    remedy = "Read the study again: no findings without a search are no negative"
    check_searched(reading, f"evaluate {path}", remedy)
    grid = reading.study.images["ct"].grid
    lesions = tuple(_of_finding(finding, grid) for finding in reading.findings)
    return _Side(path, grid, lesions, reading.study.uid, reading.study.patient.id, _reader(reading))


def _reader(reading: Reading) -> str:
    return f"{reading.reader.name} {reading.reader.version}".strip()


def _of_finding(finding: Finding, grid: Grid) -> Lesion:
    part = finding.region.parts[0]
    kind = finding.kind if finding.kind in KINDS else ""
    stated = {measure.name: measure.value for measure in finding.measures}
    return _lesion(finding.id, part, grid, stated=stated, about=(finding.confidence, kind, finding.site))


def _lesion(
    name: str,
    part: Part,
    grid: Grid,
    stated: dict[str, float] | None = None,
    about: tuple[float, str, str] = (1.0, "", ""),
) -> Lesion:
    """A lesion with the sizes that its reader stated, else those of its mask."""
    sizes = stated or {}
    if not {"long_axis", "volume"} <= sizes.keys():
        sizes = {measure.name: measure.value for measure in size_of_mask(part.mask, grid)} | sizes
    return Lesion(name, Region((part,)), *about, sizes["long_axis"], sizes["volume"])


def _moved(lesion: Lesion, start: _Side, end: _Side) -> Lesion:
    """The lesion on another grid of the same voxels, whose axes may run otherwise and which may be a crop."""
    turn, shift = _index_map(start, end)
    part = lesion.region.parts[0]
    ends = np.array([part.offset, np.add(part.offset, part.mask.shape) - 1]) @ turn.T + shift
    offset = ends.min(axis=0)
    if (offset < 0).any() or (ends.max(axis=0) >= end.grid.shape).any():
        found = f"lesion {lesion.id} lies outside of the image of {end.file}"
        raise UnsuitableStudyError(f"evaluate {start.file}", found, "Give a reading of the whole image")
    order = np.abs(turn).argmax(axis=1)
    mask = np.flip(part.mask.transpose(order), tuple(np.flatnonzero(turn.sum(axis=1) < 0).tolist()))
    region = Region((Part(part.image, tuple(offset.tolist()), mask),))
    sizes = (lesion.long_axis_mm, lesion.volume_ml)
    return Lesion(lesion.id, region, lesion.confidence, lesion.kind, lesion.site, *sizes)


def _index_map(start: _Side, end: _Side) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Whole numbers (turn, shift) by which an index of one grid becomes that of another: turn @ index + shift."""
    exact = np.linalg.inv(end.grid.matrix) @ start.grid.matrix
    whole = np.rint(exact).astype(int)
    turn, shift = whole[:3, :3], whole[:3, 3]
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in start.grid.shape])).reshape(3, -1)
    off = np.abs((exact - whole)[:3, :3] @ corners + (exact - whole)[:3, 3:]).max()
    straight = (np.abs(turn).sum(axis=0) == 1).all() and (np.abs(turn).sum(axis=1) == 1).all()
    if off > _NEAR or not straight:
        found = (
            f"its grid of {start.grid.shape} voxels, {_spacing(start.grid)}, is not that of {end.file}: "
            f"{end.grid.shape}, {_spacing(end.grid)}"
        )
        raise UnsuitableStudyError(f"evaluate {start.file}", found, "Resample one to the other first")
    return turn, shift


def _spacing(grid: Grid) -> str:
    return " x ".join(f"{step:.4g}" for step in grid.spacing) + " mm"
