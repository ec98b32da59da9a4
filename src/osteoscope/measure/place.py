"""Where a finding and its bone lie on the CT."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.finding import Finding, Measure, Part
from osteoscope.domain.image import Image
from osteoscope.domain.reading import Case
from osteoscope.errors import UnsuitableStudyError

Mask = NDArray[np.bool_]
Box = tuple[slice, ...]


def part_on_ct(case: Case, finding: Finding) -> tuple[Part, Image]:
    """The part of a finding on the CT, and the CT.

    Raises:
        UnsuitableStudyError: the study has no CT, or the finding no region on it.
    """
    image, part = case.study.images.get("ct"), finding.region.on("ct")
    if image is None or part is None:
        raise UnsuitableStudyError(
            f"measure finding {finding.id} on CT",
            f"images {sorted(case.study.images)}, regions on {[p.image for p in finding.region.parts]}",
            "Give a finding with a region on the CT of this study",
        )
    return part, image


def bone_of(case: Case, finding: Finding) -> Part | None:
    """The bone that the finding lies in, if it was mapped on the CT."""
    return bone_at(case, finding.site)


def cut(part: Part, box: Box) -> Mask:
    """The part within a box of the image's array, empty where they do not meet."""
    mask = np.zeros([s.stop - s.start for s in box], dtype=bool)
    spans = [(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(part.box, box, strict=True)]
    if all(low < high for low, high in spans):
        into = tuple(slice(low - b.start, high - b.start) for (low, high), b in zip(spans, box, strict=True))
        out_of = tuple(slice(low - o, high - o) for (low, high), o in zip(spans, part.offset, strict=True))
        mask[into] = part.mask[out_of]
    return mask


def widened(box: Box, margin: int, shape: tuple[int, ...]) -> Box:
    """The box grown by ``margin`` elements, kept within the array."""
    return tuple(slice(max(0, s.start - margin), min(n, s.stop + margin)) for s, n in zip(box, shape, strict=True))


def bone_at(case: Case, site: str) -> Part | None:
    """The part of a site on the CT, if it was mapped there."""
    place = case.place(site)
    return place.region.on("ct") if place is not None and place.region is not None else None


def lesions_within(case: Case, site: str, box: Box) -> Mask:
    """All lesions of a site within a box of the CT's array."""
    mask = np.zeros([s.stop - s.start for s in box], dtype=bool)
    for finding in case.findings:
        part = finding.region.on("ct") if finding.site == site else None
        if part is not None:
            mask |= cut(part, box)
    return mask


def shifted(mask: Mask) -> tuple[Mask, Mask]:
    """The mask one voxel smaller (itself where nothing is left) and one voxel larger."""
    smaller = ndimage.binary_erosion(mask)
    return smaller if smaller.any() else mask, ndimage.binary_dilation(mask)


def joint_box(box: Box, other: Box) -> Box:
    """The smallest box that holds both."""
    return tuple(slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(box, other, strict=True))


def spread(name: str, unit: str, method: str, values: Sequence[float]) -> Measure:
    """A measure of the first value, whose interval spans all of them."""
    return Measure(name, values[0], unit, method, (min(values), max(values)))
