"""Outlines of masks on planar views, in the pixel coordinates of the source frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from skimage.measure import find_contours

from osteoscope.domain.finding import Part, Region
from osteoscope.domain.reading import Case
from osteoscope.domain.study import Source
from osteoscope.errors import OutputError

Polygon = NDArray[np.float64]
Coordinates = NDArray[np.float64]
_LEAST_LIKENESS = 0.95
# Quarter turns, and whether mirrored then; as it is comes first.
_WAYS = [(turns, mirrored) for mirrored in (False, True) for turns in range(4)]


@dataclass(frozen=True, eq=False)
class Frame:
    """A frame of a source instance that shows one view.

    Args:
        header: of the instance.
        number: of the frame, from 1; None in a single-frame instance.
        turns: counter-clockwise quarter turns by which intake brought the head up, ...
        mirrored: ... and whether it then turned the picture left to right.
        shape: (rows, columns) of the picture as it is shown.
    """

    header: Dataset
    number: int | None
    turns: int
    mirrored: bool
    shape: tuple[int, int]

    def stored(self, column: Coordinates, row: Coordinates) -> Polygon:
        """Places (column, row) of the shown picture in the stored one; the centre of the first pixel is (0.5, 0.5)."""
        rows, columns = self.shape
        if self.mirrored:
            column = columns - column
        for _ in range(self.turns):
            column, row = rows - row, column
            rows, columns = columns, rows
        return np.column_stack([column, row])


def source_frames(case: Case, headers: Sequence[Dataset], asked: str) -> dict[str, Frame]:
    """The source frame of each view.

    How a view was turned or mirrored at intake is seen by correlating its counts with those of the frame;
    they need not be equal, since intake may rescale them or clip negative ones.

    Raises:
        OutputError: a view is like no such frame, whichever way it is turned or mirrored.
    """
    by_uid = {str(header.SOPInstanceUID): header for header in headers}
    return {s.image: _frame(case, s, by_uid[s.sop_instance_uid], asked) for s in case.study.sources if s.image}


def _frame(case: Case, source: Source, header: Dataset, asked: str) -> Frame:
    pixels = pydicom.dcmread(source.path, force=True).pixel_array
    index = source.index or 0
    stored = pixels if pixels.ndim == 2 else pixels[index]
    shown = case.study.images[source.image].values
    alike = {way: _likeness(_seen(stored, *way), shown) for way in _WAYS}
    turns, mirrored = max(alike, key=lambda way: alike[way])
    if alike[turns, mirrored] < _LEAST_LIKENESS:
        raise OutputError(
            asked,
            f"the {source.image} view is unlike frame {index + 1} of {source.file}",
            "Write the report of the study as it was loaded",
        )
    rows, columns = shown.shape
    return Frame(header, None if pixels.ndim == 2 else index + 1, turns, mirrored, (rows, columns))


def _seen(stored: NDArray[Any], turns: int, mirrored: bool) -> NDArray[Any]:
    turned = np.rot90(stored, turns)
    return turned[:, ::-1] if mirrored else turned


def _likeness(stored: NDArray[Any], shown: NDArray[Any]) -> float:
    """Pearson's correlation of two pictures; 0 where their shapes differ, 1 where they are equal."""
    if stored.shape != shown.shape:
        return 0.0
    if np.array_equal(stored, shown):
        return 1.0
    if not (np.ptp(stored) and np.ptp(shown)):
        return 0.0
    return float(np.corrcoef(stored.ravel(), shown.ravel())[0, 1])


def outlines(region: Region, frames: dict[str, Frame]) -> list[tuple[Frame, Polygon]]:
    """Closed polygons (column, row) of a region on each source frame; the centre of the first pixel is (0.5, 0.5).

    The outline passes half-way between pixel centres inside and outside, so that the pixels whose
    centres lie inside are those of the mask. Holes are filled; parts that do not touch get one outline each.
    """
    return [
        (frames[part.image], _place(contour, part, frames[part.image]))
        for part in region.parts
        if part.image in frames
        for contour in _outer(part.mask)
    ]


def _outer(mask: NDArray[np.bool_]) -> list[Polygon]:
    padded = np.pad(mask, 1).astype(float)
    contours = find_contours(padded, 0.5, fully_connected="high", positive_orientation="low")
    return [contour - 1 for contour in contours if _signed_area(contour) < 0]


def _signed_area(contour: Polygon) -> float:
    row, column = contour[:, 0], contour[:, 1]
    return float(0.5 * np.sum(row[:-1] * column[1:] - row[1:] * column[:-1]))


def _place(contour: Polygon, part: Part, frame: Frame) -> Polygon:
    row, column = (contour + np.asarray(part.offset) + 0.5).T
    return frame.stored(column, row)
