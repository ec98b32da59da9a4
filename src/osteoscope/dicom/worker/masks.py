"""DICOM Segmentations (PS3.3 A.51) and structure sets (A.19) as masks on the grid of a CT.

A request holds "file", "shape" and "matrix" of the grid (index [slice, row, column] to LPS mm), and "out", a folder.
Yields per segment or region "label", "meaning", and "file" (a bool .npy) with its "offset" in the grid; "file" is None
where nothing of it lies on the grid.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels import get_decoder  # type: ignore[attr-defined]

from osteoscope.dicom.options import Limits
from osteoscope.dicom.worker.part10 import mapped, parse
from osteoscope.dicom.worker.structures import draw_structures
from osteoscope.errors import IntakeError

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
SEGMENTATIONS = frozenset({"1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"})
STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
_NEAR_MM = 0.01


def read_masks(request: Mapping[str, Any], limits: Limits) -> Iterator[dict[str, Any]]:
    """See the head of this file.

    Raises:
        IntakeError: neither a Segmentation nor a structure set, or one whose geometry cannot be used.
    """
    shape, matrix = tuple(request["shape"]), np.asarray(request["matrix"], dtype=float)
    with mapped(Path(request["file"])) as data:
        dataset = parse(data, limits, pixels=True).dataset
        kind = str(dataset.get("SOPClassUID", ""))
        if kind in SEGMENTATIONS:
            found = _segments(dataset, shape, matrix)
        elif kind == STRUCTURE_SET:
            found = draw_structures(dataset, shape, matrix)
        else:
            remedy = "Give a DICOM SEG, an RT structure set, or a label map as NIfTI or NRRD"
            raise IntakeError("read masks", f"a DICOM file of class {kind or 'unknown'}", remedy)
        for number, (label, meaning, mask) in enumerate(found):
            yield {"label": label, "meaning": meaning, **_stored(mask, Path(request["out"]) / f"mask-{number}.npy")}


def _stored(mask: tuple[Mask, tuple[int, ...]] | None, path: Path) -> dict[str, Any]:
    if mask is None or not mask[0].any():
        return {"file": None}
    np.save(path, mask[0], allow_pickle=False)
    return {"file": str(path), "offset": [int(n) for n in mask[1]]}


Named = tuple[str, str, tuple[Mask, tuple[int, ...]] | None]


def _segments(dataset: Dataset, shape: tuple[int, ...], matrix: Floats) -> Iterator[Named]:
    """Every segment, nearest neighbour where the two grids differ."""
    if "SegmentSequence" not in dataset or "PerFrameFunctionalGroupsSequence" not in dataset:
        raise IntakeError("read a Segmentation", "no segments or no frames", "Export the Segmentation again")
    frames, own = _planes(dataset)
    whole = str(dataset.get("SegmentationType", "BINARY")) == "LABELMAP"
    for item in dataset.SegmentSequence:
        number = int(item.get("SegmentNumber", 0))
        held = frames[0] if whole else frames[number]
        stack = _stack(dataset, held, number if whole else None)
        meaning = [str(code.get("CodeMeaning", "")) for code in item.get("SegmentedPropertyTypeCodeSequence", [])]
        label = str(item.get("SegmentLabel", "")) or f"segment {number}"
        yield label, " ".join(meaning), _on_grid(stack, own, shape, matrix) if stack else None


def _planes(dataset: Dataset) -> tuple[Mapping[int, Sequence[tuple[int, int]]], Floats]:
    """(frame, slice) of each segment's frames by its number (0: of all), and the matrix of the slices' own grid."""
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
    groups = list(dataset.PerFrameFunctionalGroupsSequence)
    directions = np.array([_of(g, shared, "PlaneOrientationSequence", "ImageOrientationPatient") for g in groups])
    spacings = np.array([_of(g, shared, "PixelMeasuresSequence", "PixelSpacing") for g in groups])
    if np.ptp(directions, axis=0).max() > 1e-3 or np.ptp(spacings, axis=0).max() > 1e-3:
        raise IntakeError("read a Segmentation", "frames of unlike orientation or spacing", "Export it on one grid")
    right, down = directions[0][:3], directions[0][3:]
    normal = np.cross(right, down)
    positions = np.array([_of(g, shared, "PlanePositionSequence", "ImagePositionPatient") for g in groups])
    heights = positions @ normal
    levels = np.unique(np.round(heights / _NEAR_MM)) * _NEAR_MM
    step = float(np.diff(levels).min()) if len(levels) > 1 else _thickness(groups[0], shared)
    slices = np.rint((heights - levels[0]) / step).astype(int)
    if np.abs(heights - levels[0] - slices * step).max() > 0.1 * step:
        raise IntakeError("read a Segmentation", "slices at uneven distances", "Resample it to an even grid")
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 1], matrix[:3, 2] = normal * step, down * spacings[0][0], right * spacings[0][1]
    matrix[:3, 3] = positions[int(np.argmin(heights))]
    frames: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for number, (group, level) in enumerate(zip(groups, slices, strict=True)):
        named = (group.get("SegmentIdentificationSequence") or shared.get("SegmentIdentificationSequence") or [{}])[0]
        frames[int(named.get("ReferencedSegmentNumber", 0) or 0)].append((number, int(level)))
    return frames, matrix


def _of(group: Dataset, shared: Dataset, sequence: str, keyword: str) -> list[float]:
    for place in (group, shared):
        items = place.get(sequence)
        if items and keyword in items[0]:
            return [float(value) for value in items[0][keyword].value]
    raise IntakeError("read a Segmentation", f"frames without {keyword}", "Export the Segmentation again")


def _thickness(group: Dataset, shared: Dataset) -> float:
    for place in (group, shared):
        items = place.get("PixelMeasuresSequence")
        for keyword in ("SpacingBetweenSlices", "SliceThickness"):
            if items and items[0].get(keyword):
                return float(items[0].get(keyword))
    return 1.0


def _stack(dataset: Dataset, frames: Sequence[tuple[int, int]], value: int | None) -> tuple[Mask, int] | None:
    """The slices of a segment from its first to its last, and the number of the first."""
    if not frames:
        return None
    numbers = [frame for frame, _ in sorted(frames)]
    level = dict(frames)
    first, last = min(level.values()), max(level.values())
    stack = np.zeros((last - first + 1, int(dataset.Rows), int(dataset.Columns)), dtype=bool)
    half = (int(dataset.get("MaximumFractionalValue", 1)) + 1) // 2 if value is None else 0
    decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
    for number, (stored, _) in zip(numbers, decoder.iter_array(dataset, indices=numbers, raw=True), strict=True):
        stack[level[number] - first] |= stored >= half if value is None else stored == value
    return stack, first


def _on_grid(
    stack: tuple[Mask, int], own: Floats, shape: tuple[int, ...], matrix: Floats
) -> tuple[Mask, tuple[int, ...]] | None:
    """The part of a mask that lies on a grid: each voxel of the grid takes the nearest of the mask."""
    values, first = stack
    spans = [np.flatnonzero(values.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    if not spans[0].size:
        return None
    ends = np.array([(span[0] - 0.5, span[-1] + 0.5) for span in spans])
    ends[0] += first
    corners = np.array(np.meshgrid(*ends)).reshape(3, -1)
    there = _apply(np.linalg.inv(matrix) @ own, corners)
    low = np.maximum(np.floor(there.min(axis=1)), 0).astype(int)
    high = np.minimum(np.ceil(there.max(axis=1)) + 1, shape).astype(int)
    if (low >= high).any():
        return None
    back = np.linalg.inv(own) @ matrix
    rows, columns = np.meshgrid(np.arange(low[1], high[1]), np.arange(low[2], high[2]), indexing="ij")
    made = np.zeros(high - low, dtype=bool)
    for number, level in enumerate(range(low[0], high[0])):
        index = np.stack([np.full(rows.size, level), rows.ravel(), columns.ravel()])
        # A hair is taken off, so that voxels halfway between two of the mask fall to one side alike.
        place = np.rint(_apply(back, index) - 1e-6).astype(int) - [[first], [0], [0]]
        inside = ((place >= 0) & (place < np.array(values.shape)[:, None])).all(axis=0)
        made[number].reshape(-1)[inside] = values[tuple(place[:, inside])]
    return made, tuple(low)


def _apply(matrix: Floats, index: NDArray[Any]) -> Floats:
    return np.asarray(matrix[:3, :3] @ index + matrix[:3, 3:])
