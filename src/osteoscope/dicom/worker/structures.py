"""Contours of an RT structure set (PS3.3 C.8.8.6) drawn onto the slices of a CT.

Contours need not lie on the slices: between two planes the outline changes evenly (signed distances are blended, as in
Raya and Udupa 1990), and a region ends half a distance of its planes beyond the last one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from scipy import ndimage

from osteoscope.dicom.worker.contour_plane import Contour, ContourPlane, draw_plane
from osteoscope.dicom.worker.drawn import Drawn, Mask, off_note
from osteoscope.errors import IntakeError

Floats = NDArray[np.float64]
_FLAT, _MOST_POINTS, _MOST_PIXELS = 0.3, 200_000, 50_000_000
_XOR = "CLOSEDPLANAR_XOR"
_CLOSED = frozenset({"CLOSED_PLANAR", _XOR})
# Contours nearer than this lie in one plane; planes further apart than this are not of one shape. Both are choices.
_SAME_MM, _FURTHEST_MM = 0.1, 10.0
# Planes further apart than this many usual distances of the region have nothing between them.
_SKIPPED = 1.5
_HAIR = 1e-6


@dataclass(frozen=True, eq=False)
class _Region:
    """Closed contours by their plane, with its place in slices (a fraction between two)."""

    name: str
    planes: tuple[tuple[float, tuple[Contour, ...]], ...]
    open_ones: int

    @property
    def levels(self) -> Floats:
        return np.array([level for level, _ in self.planes])


def draw_structures(dataset: Dataset, shape: tuple[int, ...], matrix: Floats) -> Iterator[Drawn]:
    """Every region with its closed contours drawn.

    A voxel is inside where its centre is; what contours of one plane make together, ``contour_plane`` says.

    Raises:
        IntakeError: contours that are not parallel to the slices.
    """
    names = {int(roi.ROINumber): str(roi.get("ROIName", "")) for roi in dataset.get("StructureSetROISequence", [])}
    spacing: Floats = np.linalg.norm(matrix[:3, :3], axis=0)
    back: Floats = np.asarray(np.linalg.inv(matrix), dtype=np.float64)
    regions = []
    for region in dataset.get("ROIContourSequence", []):
        number = int(region.get("ReferencedROINumber", 0))
        name = names.get(number) or f"region {number}"
        regions.append(_region(name, list(region.get("ContourSequence", [])), back, _SAME_MM / spacing[0]))
    most = _FURTHEST_MM / spacing[0]
    common = min(filter(None, (_distance(region, most) for region in regions)), default=1.0)
    for region in regions:
        yield _drawn(region, _distance(region, most) or common, shape, spacing)


def _region(name: str, contours: Sequence[Dataset], back: Floats, same: float) -> _Region:
    polygons = [
        _placed(contour, back, name)
        for contour in contours
        if str(contour.get("ContourGeometricType", "CLOSED_PLANAR")) in _CLOSED
        and 9 <= len(contour.ContourData) <= 3 * _MOST_POINTS
    ]
    planes: list[tuple[float, tuple[Contour, ...]]] = []
    for level, drawn in sorted(polygons, key=lambda polygon: polygon[0]):
        if planes and level - planes[-1][0] <= same:
            planes[-1] = (planes[-1][0], (*planes[-1][1], drawn))
        else:
            planes.append((level, (drawn,)))
    return _Region(name, tuple(planes), len(contours) - len(polygons))


def _placed(contour: Dataset, back: Floats, name: str) -> tuple[float, Contour]:
    points = np.array(contour.ContourData, dtype=np.float64).reshape(-1, 3)
    index = points @ back[:3, :3].T + back[:3, 3]
    level = float(index[:, 0].mean())
    if np.abs(index[:, 0] - level).max() > _FLAT:
        found = f"contours of {name!r} that do not lie on the slices of the CT"
        raise IntakeError("read a structure set", found, "Export masks as DICOM SEG or NIfTI")
    return level, Contour(index[:, 1:], str(contour.get("ContourGeometricType", "")) == _XOR)


def _distance(region: _Region, most: float) -> float:
    """The usual one of neighbouring planes of one shape, in slices; 0 where there are none.

    That is the median, the smaller of two middle ones: one pair that lies closer does not rule the others.
    """
    apart = np.diff(region.levels)
    near = np.sort(apart[apart <= most])
    return float(near[(near.size - 1) // 2]) if near.size else 0.0


def _drawn(region: _Region, distance: float, shape: tuple[int, ...], spacing: Floats) -> Drawn:
    if not region.planes:
        return Drawn(region.name, "", None, (), ("no closed contour", *_said(region, distance, spacing)))
    every = np.concatenate([contour.points for _, contours in region.planes for contour in contours])
    low, high = np.floor(every.min(axis=0)).astype(int), np.ceil(every.max(axis=0)).astype(int) + 1
    if np.prod(high - low) > _MOST_PIXELS:
        found = f"contours of {region.name!r} over {high[0] - low[0]} x {high[1] - low[1]} pixels of the CT"
        raise IntakeError("read a structure set", found, "Check that the structure set is of this CT")
    planes = [draw_plane(contours, low, high) for _, contours in region.planes]
    notes = (*_said(region, distance, spacing), *_said_of(planes))
    slices: dict[int, Mask] = {}
    for run in _runs(region.levels, distance):
        levels, held = region.levels[run], [plane.picture for plane in planes[run]]
        for number in _slices(levels, distance):
            made = _at(number, levels, held, spacing[1:])
            slices[number] = slices.get(number, np.zeros_like(made)) | made
    first = min(slices)
    whole = np.zeros((max(slices) - first + 1, *(high - low)), dtype=bool)
    for number, made in slices.items():
        whole[number - first] = made
    return _cut(region.name, whole, np.array([first, *low]), shape, notes)


def _said(region: _Region, distance: float, spacing: Floats) -> tuple[str, ...]:
    notes = []
    if region.open_ones:
        notes.append(f"{region.open_ones} of its contours are no closed ones and were not drawn")
    apart = np.diff(region.levels)
    closest = apart.min(initial=np.inf) * spacing[0]
    wide = apart[apart > _SKIPPED * distance] * spacing[0]
    if _FURTHEST_MM < closest < np.inf:
        notes.append(f"its contours lie {closest:.3g} mm apart, each was drawn {distance * spacing[0]:.3g} mm deep")
    elif wide.size:
        usual = f"its contours lie {distance * spacing[0]:.3g} mm apart"
        notes.append(f"{usual}, gaps of up to {wide.max():.4g} mm were left open (gaps: {wide.size})")
    return tuple(notes)


def _said_of(planes: Sequence[ContourPlane]) -> Iterator[str]:
    said = {
        "contours that were there twice were drawn once": [plane.doubled for plane in planes],
        "contours that overlap in part were united": [plane.overlapping for plane in planes],
    }
    for what, where in said.items():
        if any(where):
            yield f"{what} (planes: {sum(where)} of {len(planes)})"


def _runs(levels: Floats, distance: float) -> Iterator[slice]:
    cuts = np.flatnonzero(np.diff(levels) > _SKIPPED * distance) + 1
    yield from (slice(start, stop) for start, stop in pairwise([0, *cuts.tolist(), len(levels)]))


def _slices(levels: Floats, distance: float) -> range:
    """The slices that planes reach; the nearest one where they lie between two."""
    ends = (levels[0] - distance / 2, levels[-1] + distance / 2)
    start, stop = (int(np.ceil(end - _HAIR)) for end in ends)
    nearest = round(float(levels.mean()))
    return range(start, stop) if start < stop else range(nearest, nearest + 1)


def _at(number: int, levels: Floats, pictures: Sequence[Mask], spacing: Floats) -> Mask:
    above = int(np.searchsorted(levels, number))
    lower, upper = max(above - 1, 0), min(above, len(levels) - 1)
    if lower == upper:
        return pictures[lower]
    share = (number - levels[lower]) / (levels[upper] - levels[lower])
    if share > 1 - _HAIR:
        return pictures[upper]
    blend = (1 - share) * _depth(pictures[lower], spacing) + share * _depth(pictures[upper], spacing)
    return np.asarray(blend > 0)


def _depth(picture: Mask, spacing: Floats) -> Floats:
    """Millimetres to the outline, negative outside."""
    padded = np.pad(picture, 1)
    inside = ndimage.distance_transform_edt(padded, sampling=spacing)
    if not picture.any():
        return np.asarray(inside[1:-1, 1:-1] - np.hypot(*(np.array(picture.shape) * spacing)))
    return np.asarray((inside - ndimage.distance_transform_edt(~padded, sampling=spacing))[1:-1, 1:-1])


def _cut(name: str, whole: Mask, at: NDArray[np.int_], shape: tuple[int, ...], notes: tuple[str, ...]) -> Drawn:
    """The part that lies on the grid, and how much does not."""
    low = np.maximum(-at, 0)
    high = np.minimum(np.array(shape) - at, whole.shape)
    voxels = int(whole.sum())
    if not voxels:
        return Drawn(name, "", None, (), ("its contours hold the centre of no voxel", *notes))
    if (low >= high).any():
        return Drawn(name, "", None, (), ("nothing of it lies on the CT", *notes))
    kept = whole[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    offset = tuple(int(n) for n in at + low)
    lost = voxels - int(kept.sum())
    return Drawn(name, "", kept, offset, (*off_note(lost, voxels), *notes))
