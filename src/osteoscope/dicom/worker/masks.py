"""DICOM Segmentations (PS3.3 A.51) and structure sets (A.19) as masks on the grid of a CT.

A request holds "file", "shape" and "matrix" of the grid (index [slice, row, column] to LPS mm), and "out", a folder;
"frame" and "patient" of the CT, where they are known, must be those of the masks. Yields per segment or region "label",
"meaning", "notes" (what of it is not in the mask), and "file" (a bool .npy) with its "offset" in the grid; "file" is
None where nothing of it lies on the grid.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels import get_decoder  # type: ignore[attr-defined]

from osteoscope.dicom.options import Limits
from osteoscope.dicom.worker.belonging import check_belongs
from osteoscope.dicom.worker.drawn import Drawn, Mask, off_note
from osteoscope.dicom.worker.part10 import mapped, parse
from osteoscope.dicom.worker.seg_planes import Planes, planes_of
from osteoscope.dicom.worker.structures import draw_structures
from osteoscope.errors import IntakeError

Floats = NDArray[np.float64]
SEGMENTATIONS = frozenset({"1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"})
STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
_EDGE = 0.5 + 1e-3


def read_masks(request: Mapping[str, Any], limits: Limits) -> Iterator[dict[str, Any]]:
    """See the head of this file.

    Raises:
        IntakeError: neither a Segmentation nor a structure set, of another scan, or of a geometry that cannot be used.
    """
    shape, matrix = tuple(request["shape"]), np.asarray(request["matrix"], dtype=float)
    with mapped(Path(request["file"])) as data:
        dataset = parse(data, limits, pixels=True).dataset
        kind = str(dataset.get("SOPClassUID", ""))
        draw = _DRAW.get(kind)
        if draw is None:
            remedy = "Give a DICOM SEG, an RT structure set, or a label map as NIfTI or NRRD"
            raise IntakeError("read masks", f"a DICOM file of class {kind or 'unknown'}", remedy)
        check_belongs(dataset, request)
        for number, drawn in enumerate(draw(dataset, shape, matrix)):
            stored = _stored(drawn, Path(request["out"]) / f"mask-{number}.npy")
            yield {"label": drawn.label, "meaning": drawn.meaning, "notes": drawn.notes, **stored}


def _stored(drawn: Drawn, path: Path) -> dict[str, Any]:
    if drawn.mask is None or not drawn.mask.any():
        return {"file": None}
    np.save(path, drawn.mask, allow_pickle=False)
    return {"file": str(path), "offset": [int(n) for n in drawn.offset]}


def _segments(dataset: Dataset, shape: tuple[int, ...], matrix: Floats) -> Iterator[Drawn]:
    """Every segment, nearest neighbour where the two grids differ."""
    if "SegmentSequence" not in dataset or "PerFrameFunctionalGroupsSequence" not in dataset:
        raise IntakeError("read a Segmentation", "no segments or no frames", "Export the Segmentation again")
    planes = planes_of(dataset)
    whole = str(dataset.get("SegmentationType", "BINARY")) == "LABELMAP"
    for item in dataset.SegmentSequence:
        number = int(item.get("SegmentNumber", 0))
        held = planes.frames.get(0 if whole else number, ())
        stack = _stack(dataset, held, number if whole else None)
        meaning = [str(code.get("CodeMeaning", "")) for code in item.get("SegmentedPropertyTypeCodeSequence", [])]
        label = str(item.get("SegmentLabel", "")) or f"segment {number}"
        yield _segment((label, " ".join(meaning)), stack, planes, (shape, matrix))


_DRAW: Mapping[str, Callable[[Dataset, tuple[int, ...], Floats], Iterator[Drawn]]] = {
    **dict.fromkeys(SEGMENTATIONS, _segments),
    STRUCTURE_SET: draw_structures,
}


def _segment(
    named: tuple[str, str], stack: tuple[Mask, int] | None, planes: Planes, grid: tuple[tuple[int, ...], Floats]
) -> Drawn:
    if stack is None or not stack[0].any():
        return Drawn(*named, None, (), ("no voxel is marked",))
    made = _on_grid(stack, planes, *grid)
    if made is None or not made[0].any():
        return Drawn(*named, None, (), ("nothing of it lies on the CT",))
    return Drawn(*named, *made, off_note(_off(stack, planes, *grid), int(stack[0].sum())))


def _off(stack: tuple[Mask, int], planes: Planes, shape: tuple[int, ...], matrix: Floats) -> int:
    """Voxels of a mask whose centres lie off a grid."""
    values, first = stack
    there, lost = np.linalg.inv(matrix) @ planes.matrix, 0
    for level, marked in enumerate(values, first):
        rows, columns = np.nonzero(marked)
        down, right = planes.drift[level]
        place = _apply(there, np.stack([np.full(rows.size, level), rows + down, columns + right]))
        lost += int(((place < -_EDGE) | (place > np.array(shape)[:, None] - 1 + _EDGE)).any(axis=0).sum())
    return lost


def _stack(dataset: Dataset, frames: Sequence[tuple[int, int]], value: int | None) -> tuple[Mask, int] | None:
    """The slices of a segment from its first to its last, and the number of the first."""
    if not frames:
        return None
    numbers = [frame for frame, _ in sorted(frames)]
    level = dict(frames)
    first, last = min(level.values()), max(level.values())
    stack = np.zeros((last - first + 1, int(dataset.Rows), int(dataset.Columns)), dtype=bool)
    half = (int(dataset.get("MaximumFractionalValue", 1)) + 1) // 2 if value is None else 0
    for number, stored in zip(numbers, _pixels(dataset, numbers), strict=True):
        stack[level[number] - first] |= stored >= half if value is None else stored == value
    return stack, first


def _pixels(dataset: Dataset, numbers: Sequence[int]) -> Iterator[NDArray[Any]]:
    """Stored values of frames, one after the other."""
    syntax = dataset.file_meta.TransferSyntaxUID
    if dataset.BitsAllocated == 1 and syntax.is_little_endian and not syntax.is_encapsulated:
        yield from (_bits(dataset, number) for number in numbers)
        return
    for stored, _ in get_decoder(syntax).iter_array(dataset, indices=numbers, raw=True):
        yield stored


def _bits(dataset: Dataset, number: int) -> NDArray[np.uint8]:
    """A frame of single bits, which may begin within a byte (PS3.5 8.1.1); pydicom 3.0.2 cuts some of those short."""
    shape = int(dataset.Rows), int(dataset.Columns)
    start, stop = number * math.prod(shape), (number + 1) * math.prod(shape)
    packed = np.frombuffer(dataset.PixelData, np.uint8, -(-stop // 8) - start // 8, start // 8)
    return np.unpackbits(packed, bitorder="little")[start % 8 :][: stop - start].reshape(shape)


def _on_grid(
    stack: tuple[Mask, int], planes: Planes, shape: tuple[int, ...], matrix: Floats
) -> tuple[Mask, tuple[int, ...]] | None:
    """The part of a mask that lies on a grid: each voxel of the grid takes the nearest of the mask."""
    values, first = stack
    drift = planes.drift[first : first + len(values)]
    spans = [np.flatnonzero(values.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    if not spans[0].size:
        return None
    ends = np.array([(span[0] - 0.5, span[-1] + 0.5) for span in spans])
    ends[0] += first
    ends[1:] += np.stack([drift.min(axis=0), drift.max(axis=0)], axis=1)
    corners = np.array(np.meshgrid(*ends)).reshape(3, -1)
    there = _apply(np.linalg.inv(matrix) @ planes.matrix, corners)
    low = np.maximum(np.floor(there.min(axis=1)), 0).astype(int)
    high = np.minimum(np.ceil(there.max(axis=1)) + 1, shape).astype(int)
    if (low >= high).any():
        return None
    back = np.linalg.inv(planes.matrix) @ matrix
    rows, columns = np.meshgrid(np.arange(low[1], high[1]), np.arange(low[2], high[2]), indexing="ij")
    made = np.zeros(high - low, dtype=bool)
    for number, level in enumerate(range(low[0], high[0])):
        index = np.stack([np.full(rows.size, level), rows.ravel(), columns.ravel()])
        # A hair is taken off, so that voxels halfway between two of the mask fall to one side alike.
        place = _apply(back, index) - [[first + 1e-6], [1e-6], [1e-6]]
        place[1:] -= drift[np.rint(place[0]).astype(int).clip(0, len(drift) - 1)].T
        place = np.rint(place).astype(int)
        inside = ((place >= 0) & (place < np.array(values.shape)[:, None])).all(axis=0)
        made[number].reshape(-1)[inside] = values[tuple(place[:, inside])]
    return made, tuple(low)


def _apply(matrix: Floats, index: NDArray[Any]) -> Floats:
    return np.asarray(matrix[:3, :3] @ index + matrix[:3, 3:])
