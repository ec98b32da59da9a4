"""The images that a Segmentation is of, as highdicom takes them, and its references put right afterwards.

Of multi-frame images highdicom asks for one orientation and one set of pixel measures in the shared group, and it names
every frame at the place of a slice as its source. The standard also allows both per frame (PS3.3 C.7.6.16), and a file
may hold several phases at one place, of which a Study is one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels import iter_pixels  # type: ignore[attr-defined]

from osteoscope.dicom.derived import build, source_headers
from osteoscope.domain.image import Image
from osteoscope.domain.reading import Case
from osteoscope.errors import OutputError

Floats = NDArray[np.float64]
_PER_FRAME, _SHARED = "PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"
_LIFTED = ("PlaneOrientationSequence", "PixelMeasuresSequence")
_ALIKE, _SAME_PLACE_MM, _ON_GRID_MM = 1e-3, 0.01, 0.01
# HU are rounded to whole numbers at intake; what is clipped or padded there is less than half of a slice.
_SAME_HU = 1.0
_UNDECODED = (AttributeError, KeyError, NotImplementedError, OSError, RuntimeError, TypeError, ValueError)


@dataclass(frozen=True, eq=False)
class SegSources:
    """Headers for highdicom, in memory only.

    Args:
        headers: of one frame of reference and orientation; one alone where it has frames.
        frames: for each frame of that header its number in the file, from 1; None where that is not known.
    """

    headers: list[Dataset]
    frames: tuple[int | None, ...] = ()

    def renumber(self, segmentation: Dataset) -> None:
        """Make references to frames those of the file; a frame of another phase is not named."""
        if not self.frames:
            return
        for group in segmentation.PerFrameFunctionalGroupsSequence:
            for derived in group.get("DerivationImageSequence") or ():
                named = [self.frames[int(item.ReferencedFrameNumber) - 1] for item in derived.SourceImageSequence]
                if None in named:
                    group.DerivationImageSequence = []
                    break
                for item, number in zip(derived.SourceImageSequence, named, strict=True):
                    item.ReferencedFrameNumber = number


def seg_sources(case: Case, image: Image, asked: str) -> SegSources:
    """Headers that share one frame of reference, made to share one orientation.

    Slices of one series may differ in the last digits of their orientation; the masks' own geometry
    comes from the grid, so that the first slice's digits can stand for all.

    Raises:
        OutputError: as `source_headers`, or sources of several frames of reference or without geometry.
    """
    headers = source_headers(case, asked)
    frames = sorted({str(header.get("FrameOfReferenceUID", "")) for header in headers})
    if len(frames) != 1 or not frames[0]:
        raise OutputError(asked, f"source slices in frames of reference {frames}", "Read one series with one frame")
    if len(headers) == 1 and headers[0].get(_PER_FRAME):
        return build(asked, lambda: _of_frames(headers[0], image))
    orientation = headers[0].get("ImageOrientationPatient")
    for header in headers[1:] if orientation else ():
        header.ImageOrientationPatient = orientation
    return SegSources(headers)


def _of_frames(header: Dataset, image: Image) -> SegSources:
    """A header of one frame at each place, those that the Study's volume was made of where a file holds several."""
    groups = list(header[_PER_FRAME].value)
    shared = (header.get(_SHARED) or [Dataset()])[0]
    kept, positions = _alike(groups, shared, image)
    places: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for frame in kept:
        places[tuple(np.rint(positions[frame] / _SAME_PLACE_MM).astype(int).tolist())].append(frame)
    crowded = len(places) < len(kept)
    own = _own_frames(header, kept, positions, image) if crowded else frozenset(kept)
    chosen = [next((frame for frame in crowd if frame in own), crowd[0]) for crowd in places.values()]
    for name in _LIFTED:
        lifted = groups[chosen[0]].get(name) or shared.get(name)
        setattr(shared, name, lifted)
        for group in groups:
            if name in group:
                delattr(group, name)
    setattr(header, _SHARED, [shared])
    setattr(header, _PER_FRAME, [groups[frame] for frame in chosen])
    header.NumberOfFrames = len(chosen)
    return SegSources([header], tuple(frame + 1 if frame in own else None for frame in chosen))


def _alike(groups: Sequence[Dataset], shared: Dataset, image: Image) -> tuple[list[int], Floats]:
    """The frames of the orientation and spacing nearest to those of the volume, and the positions of all."""
    directions = [_numbers(g, shared, "PlaneOrientationSequence", "ImageOrientationPatient") for g in groups]
    spacings = [_numbers(g, shared, "PixelMeasuresSequence", "PixelSpacing") for g in groups]
    stated = np.column_stack([directions, spacings])
    axes = image.grid.matrix[:3, [2, 1]] / np.asarray(image.grid.spacing)[[2, 1]]
    wanted = np.concatenate([axes.T.ravel(), image.grid.spacing[1:]])
    nearest = stated[np.argmin(np.abs(stated - wanted).max(axis=1))]
    kept = np.flatnonzero(np.abs(stated - nearest).max(axis=1) <= _ALIKE).tolist()
    positions = [_numbers(g, shared, "PlanePositionSequence", "ImagePositionPatient") for g in groups]
    return kept, np.asarray(positions)


def _own_frames(header: Dataset, kept: Sequence[int], positions: Floats, image: Image) -> frozenset[int]:
    """Of frames that share places those whose HU are the volume's, where it is one alone at its place."""
    off: dict[int, dict[int, float]] = defaultdict(dict)
    rows = {frame: row for frame in kept if (row := _row_of(positions[frame], image)) is not None}
    try:
        for frame, stored in zip(rows, iter_pixels(Path(header.filename), indices=list(rows)), strict=True):
            difference = np.abs(_hounsfield(header, frame, stored) - image.values[rows[frame]])
            if np.median(difference) <= _SAME_HU:
                off[rows[frame]][frame] = float(difference.mean())
    except _UNDECODED:
        return frozenset()
    best = {row: min(apart.values()) for row, apart in off.items()}
    found = {row: [frame for frame, apart in held.items() if apart == best[row]] for row, held in off.items()}
    return frozenset(frames[0] for frames in found.values() if len(frames) == 1)


def _row_of(position: Floats, image: Image) -> int | None:
    """The slice of the volume that begins at a position, if any."""
    row = round(float(image.grid.to_index(position)[0]))
    there = 0 <= row < image.grid.shape[0]
    near = np.abs(image.grid.to_position((row, 0, 0)) - position).max() <= _ON_GRID_MM
    return row if there and near else None


def _hounsfield(header: Dataset, frame: int, stored: NDArray[np.generic]) -> Floats:
    groups, shared = header[_PER_FRAME].value, (header.get(_SHARED) or [Dataset()])[0]
    name = "PixelValueTransformationSequence"
    (slope,), (intercept,) = (
        _numbers(groups[frame], shared, name, keyword) for keyword in ("RescaleSlope", "RescaleIntercept")
    )
    return np.asarray(stored.astype(np.float64) * slope + intercept)


def _numbers(group: Dataset, shared: Dataset, sequence: str, keyword: str) -> list[float]:
    """Of a frame: from its own group, else from the shared one."""
    for place in (group, shared):
        items = place.get(sequence)
        if items and keyword in items[0]:
            return [float(value) for value in np.atleast_1d(items[0][keyword].value)]
    raise ValueError(f"frames without {keyword}")
