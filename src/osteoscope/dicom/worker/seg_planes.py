"""Where the frames of a DICOM Segmentation lie."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from osteoscope.errors import IntakeError

Floats = NDArray[np.float64]
_NEAR_MM = 0.01
# How far a frame may be off its place, and a stated distance off the one that the positions give; of a distance.
_ALIKE = 0.1
_DRIFT_PIXELS = 0.25


@dataclass(frozen=True, eq=False)
class Planes:
    """Where the frames of a Segmentation lie.

    Args:
        frames: (frame, slice) of each segment's frames by its number (0: of all).
        matrix: of the slices' own grid.
        drift: (rows, columns) that each slice lies off that grid in its plane, in pixels; a tilted gantry shears it.
    """

    frames: Mapping[int, Sequence[tuple[int, int]]]
    matrix: Floats
    drift: Floats


def planes_of(dataset: Dataset) -> Planes:
    """Where the frames lie, each by its own position.

    Raises:
        IntakeError: they lie on no common grid, or some have no place.
    """
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
    groups = list(dataset.PerFrameFunctionalGroupsSequence)
    stated = int(dataset.get("NumberOfFrames") or len(groups))
    if stated != len(groups):
        raise IntakeError("read a Segmentation", f"{stated} frames, {len(groups)} with a place", "Export it again")
    directions = np.array([_of(g, shared, "PlaneOrientationSequence", "ImageOrientationPatient") for g in groups])
    spacings = np.array([_of(g, shared, "PixelMeasuresSequence", "PixelSpacing") for g in groups])
    if np.ptp(directions, axis=0).max() > 1e-3 or np.ptp(spacings, axis=0).max() > 1e-3:
        raise IntakeError("read a Segmentation", "frames of unlike orientation or spacing", "Export it on one grid")
    right, down = directions[0][:3], directions[0][3:]
    normal = np.cross(right, down)
    positions = np.array([_of(g, shared, "PlanePositionSequence", "ImagePositionPatient") for g in groups])
    heights = positions @ normal
    levels = np.unique(np.round(heights / _NEAR_MM)) * _NEAR_MM
    step = _step(levels, groups[0], shared)
    slices = np.rint((heights - levels[0]) / step).astype(int)
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 1], matrix[:3, 2] = normal * step, down * spacings[0][0], right * spacings[0][1]
    matrix[:3, 3] = positions[int(np.argmin(heights))]
    frames: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for number, (group, level) in enumerate(zip(groups, slices, strict=True)):
        named = (group.get("SegmentIdentificationSequence") or shared.get("SegmentIdentificationSequence") or [{}])[0]
        frames[int(named.get("ReferencedSegmentNumber", 0) or 0)].append((number, int(level)))
    return Planes(frames, matrix, _drift(positions, slices, matrix))


def _drift(positions: Floats, slices: NDArray[np.int_], matrix: Floats) -> Floats:
    """Of each slice in its plane, in pixels; none where it is too small to matter."""
    off = (np.linalg.inv(matrix[:3, :3]) @ (positions - matrix[:3, 3]).T)[1:].T
    drift = np.zeros((slices.max() + 1, 2))
    if np.ptp(off, axis=0).max() <= _DRIFT_PIXELS:
        return drift
    drift[slices] = off
    if np.abs(off - drift[slices]).max() > _DRIFT_PIXELS:
        found = "frames of one slice that are shifted against each other in the plane"
        raise IntakeError("read a Segmentation", found, "Export it on the grid of the CT")
    return drift


def _of(group: Dataset, shared: Dataset, sequence: str, keyword: str) -> list[float]:
    for place in (group, shared):
        items = place.get(sequence)
        if items and keyword in items[0]:
            return [float(value) for value in items[0][keyword].value]
    raise IntakeError("read a Segmentation", f"frames without {keyword}", "Export the Segmentation again")


def _step(levels: Floats, group: Dataset, shared: Dataset) -> float:
    """Distance of the slices: as stated, where the frames lie on a lattice of it, else the smallest that is met.

    Frames that hold nothing are often left out, so that the smallest distance met may span many slices.

    Raises:
        IntakeError: they lie on no lattice.
    """
    stated = _stated(group, shared)
    if len(levels) == 1:
        return next(iter(stated), 1.0)
    above, apart = levels - levels[0], np.diff(levels)
    for step in (*stated, float(apart.min())):
        counts = np.rint(apart / step)
        if counts.min() < 1:
            continue
        # The whole span gives the distance more exactly than one header element or one pair of frames.
        exact = float(above[-1] / counts.sum())
        off = np.abs(above[1:] - np.cumsum(counts) * exact).max()
        if off <= _ALIKE * exact and abs(exact / step - 1) <= _ALIKE:
            return exact
    raise IntakeError("read a Segmentation", "slices at uneven distances", "Resample it to an even grid")


def _stated(group: Dataset, shared: Dataset) -> list[float]:
    items = [item for place in (group, shared) for item in place.get("PixelMeasuresSequence") or ()][:1]
    keywords = ("SpacingBetweenSlices", "SliceThickness")
    return [abs(float(item.get(keyword))) for item in items for keyword in keywords if item.get(keyword)]
