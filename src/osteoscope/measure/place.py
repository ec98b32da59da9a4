"""Where a finding and its bone lie on the CT."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.finding import Finding, Measure, Part
from osteoscope.domain.geometry import Box
from osteoscope.domain.image import Image
from osteoscope.domain.reading import Case
from osteoscope.errors import UnsuitableStudyError

Mask = NDArray[np.bool_]


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
            mask |= part.within(box)
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
