"""Where a finding and its bone lie on the CT."""

from __future__ import annotations

from collections.abc import Sequence

import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.finding import Finding, Measure, Part
from osteoscope.domain.geometry import Box
from osteoscope.domain.image import Image
from osteoscope.domain.reading import Case
from osteoscope.errors import UnsuitableStudyError

Mask = NDArray[np.bool_]
CUT_BY_FIELD = "the field cuts the bone"
EATEN_MM = 5.0  # a choice: wider than a breached cortex, narrower than the canal and the hollows between processes


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


def with_eaten(bone: Mask, lesion: Mask, spacing: tuple[float, ...], reach_mm: float = EATEN_MM) -> Mask:
    """The bone and what a lesion has eaten of its surface, but none of the lesion that has grown out of it.

    Eaten is what lies in the bone's closing: where no ball of ``reach_mm`` that is clear of bone comes.
    """
    margin = [int(np.ceil(reach_mm / step)) + 1 for step in spacing]
    beyond = ndimage.find_objects((lesion & ~bone).astype(np.uint8))
    if not beyond:
        return bone
    box = tuple(slice(max(0, s.start - 2 * m), s.stop + 2 * m) for s, m in zip(beyond[0], margin, strict=True))
    near = np.pad(bone[box], [(m, m) for m in margin], mode="edge")
    clear = edt.edt(~near, anisotropy=spacing) > reach_mm
    open_to_it = edt.edt(~clear, anisotropy=spacing) <= reach_mm
    inner = tuple(slice(m, n - m) for m, n in zip(margin, near.shape, strict=True))
    whole = bone.copy()
    whole[box] |= lesion[box] & ~open_to_it[inner]
    return whole


def shifted(mask: Mask) -> tuple[Mask, Mask]:
    """The mask one voxel smaller (itself where nothing is left) and one voxel larger."""
    smaller = ndimage.binary_erosion(mask)
    return smaller if smaller.any() else mask, ndimage.binary_dilation(mask)


def is_cut(box: Box, shape: tuple[int, ...]) -> bool:
    """Whether a bone in that box reaches the edge of the scan, beyond which it may go on."""
    return any(s.start == 0 or s.stop == n for s, n in zip(box, shape, strict=True))


def joint_box(box: Box, other: Box) -> Box:
    """The smallest box that holds both."""
    return tuple(slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(box, other, strict=True))


def spread(name: str, unit: str, method: str, values: Sequence[float]) -> Measure:
    """A measure of the first value, whose interval spans all of them."""
    return Measure(name, values[0], unit, method, (min(values), max(values)))
