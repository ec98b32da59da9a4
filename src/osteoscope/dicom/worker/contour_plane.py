"""The closed contours of one plane of a region as a picture.

A contour that lies wholly inside another is a hole of it, one inside a hole an island again; contours that overlap in
part are united. Contours of the type CLOSEDPLANAR_XOR are drawn by exclusive or, as the standard says of them
(PS3.3 C.8.8.6.3). A contour that is there twice counts once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from skimage.draw import polygon2mask

from osteoscope.dicom.worker.drawn import Mask
from osteoscope.domain.finding import Part

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Contour:
    """A closed contour, (row, column) in pixels, and whether it is to be drawn by exclusive or."""

    points: Floats
    xor: bool = False


@dataclass(frozen=True, eq=False)
class ContourPlane:
    """A picture of the contours of one plane, and whether some were there twice or overlapped in part."""

    picture: Mask
    doubled: bool
    overlapping: bool


def draw_plane(contours: Sequence[Contour], low: NDArray[np.int_], high: NDArray[np.int_]) -> ContourPlane:
    """Draw contours on the pixels from ``low`` to below ``high``; a pixel is inside where its centre is."""
    shape = tuple((high - low).tolist())
    filled = [part for contour in contours if (part := _filled(contour.points - low)) is not None]
    single = list(dict.fromkeys(filled))
    doubled = len(single) < len(filled)
    if any(contour.xor for contour in contours):
        picture = np.zeros(shape, dtype=bool)
        for part in single:
            picture[part.box] ^= part.mask
        return ContourPlane(picture, doubled, overlapping=False)
    shared = {(one, other): one.overlap(other) for one, other in combinations(sorted(single, key=_size), 2)}
    overlapping = any(0 < held < _size(one) for (one, _), held in shared.items())
    return ContourPlane(_nested(single, shared, shape), doubled, overlapping)


def _filled(points: Floats) -> Part | None:
    """The pixels of a contour; None where it holds the centre of none."""
    corner = np.floor(points.min(axis=0)).astype(int)
    size = np.ceil(points.max(axis=0)).astype(int) + 1 - corner
    mask = polygon2mask(tuple(size.tolist()), points - corner)
    return Part.from_mask("plane", mask, tuple(corner.tolist())) if mask.any() else None


def _size(part: Part) -> int:
    return int(np.count_nonzero(part.mask))


def _nested(single: Sequence[Part], shared: dict[tuple[Part, Part], int], shape: tuple[int, ...]) -> Mask:
    """Contours without what lies wholly inside them, from the innermost outwards, united."""
    whole = np.zeros(shape, dtype=bool)
    inner: dict[Part, list[Part]] = {part: [] for part in single}
    for part in sorted(single, key=_size):
        own = part.mask.copy()
        for hole in inner[part]:
            own &= ~hole.within(part.box)
        around = [other for other in single if shared.get((part, other)) == _size(part)]
        if around and own.any():
            inner[min(around, key=_size)].append(Part("plane", part.offset, own))
        elif not around:
            whole[part.box] |= own
    return whole
