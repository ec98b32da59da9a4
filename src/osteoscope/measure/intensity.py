"""How dense a lesion is, against its own bone, and how much of it lies at the cortex."""

from __future__ import annotations

from dataclasses import dataclass

import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.finding import Finding, Measure, Part
from osteoscope.domain.geometry import Box, meet, widened
from osteoscope.domain.image import Image
from osteoscope.domain.reading import Case
from osteoscope.measure.place import bone_of, part_on_ct, with_eaten

HU = "[hnsf'U]"
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class CortexOptions:
    """Choices that depend on the thickness of cortex; design choices.

    Args:
        cortex_mm: bone nearer to the surface than this is cortex at the resolution of a clinical CT.
        least_marrow: fewest voxels that a bone's own marrow is described by.
    """

    cortex_mm: float = 3.0
    least_marrow: int = 50


def attenuation(case: Case, finding: Finding, options: CortexOptions = CortexOptions()) -> tuple[Measure, ...]:
    """hu_mean, hu_sd, hu_min, hu_p10, hu_median, hu_p90, hu_max, and hu_contrast to the marrow of the same bone.

    The interval of mean and median is that of a boundary one voxel further in or out. hu_contrast is left out where
    the bone was not mapped or holds no other marrow.

    Raises:
        UnsuitableStudyError: the finding has no region on the CT of the study.
    """
    part, image = part_on_ct(case, finding)
    values = image.values[part.box][part.mask].astype(float)
    low, median, high = np.percentile(values, [10, 50, 90])
    mean = _with_interval("hu_mean", float(values.mean()), [float(v.mean()) for v in _shifted(part, image)])
    middle = _with_interval("hu_median", float(median), [float(np.median(v)) for v in _shifted(part, image)])
    plain = {"hu_sd": values.std(), "hu_min": values.min(), "hu_p10": low, "hu_p90": high, "hu_max": values.max()}
    others = tuple(Measure(name, float(value), HU, "over all voxels") for name, value in plain.items())
    return (mean, middle, *others, *_contrast(case, finding, mean, options))


def _with_interval(name: str, value: float, shifted: list[float]) -> Measure:
    span = (min(value, *shifted), max(value, *shifted))
    return Measure(name, value, HU, "over all voxels; boundary +-1 voxel", span)


def _shifted(part: Part, image: Image) -> list[NDArray[np.float64]]:
    """HU within the region one voxel smaller (itself where nothing is left) and one voxel larger."""
    box = widened(part.box, 1, image.grid.shape)
    mask = part.within(box)
    smaller = ndimage.binary_erosion(mask)
    masks = (smaller if smaller.any() else mask, ndimage.binary_dilation(mask))
    return [image.values[box][m].astype(float) for m in masks]


def _contrast(case: Case, finding: Finding, mean: Measure, options: CortexOptions) -> tuple[Measure, ...]:
    healthy = healthy_marrow(case, finding, options)
    if healthy is None or mean.interval is None:
        return ()
    usual = float(np.median(healthy))
    method = f"mean less median of the same bone deeper than {options.cortex_mm:g} mm, lesions left out"
    low, high = mean.interval
    return (Measure("hu_contrast", mean.value - usual, HU, method, (low - usual, high - usual)),)


def healthy_marrow(
    case: Case, finding: Finding, options: CortexOptions = CortexOptions()
) -> NDArray[np.float64] | None:
    """HU of the marrow of the finding's bone, all lesions left out; None where there is too little of it."""
    bone = bone_of(case, finding)
    if bone is None:
        return None
    image = case.study.images["ct"]
    marrow = _depth(bone, image) > options.cortex_mm
    lesions = np.zeros_like(marrow)
    for other in case.findings or (finding,):
        lesion = other.region.on("ct")
        if lesion is not None and meet(lesion.box, bone.box):
            lesions |= lesion.within(bone.box)
    marrow &= ~ndimage.binary_dilation(lesions)
    if np.count_nonzero(marrow) < options.least_marrow:
        return None
    return np.asarray(image.values[bone.box][marrow], dtype=float)


def cortical_contact(case: Case, finding: Finding, options: CortexOptions = CortexOptions()) -> tuple[Measure, ...]:
    """cortical_contact: share 0..1 of the surface of the lesion within its bone that lies in the cortex.

    The interval is that of a cortex half a voxel thinner or thicker. Nothing where the bone was not mapped.

    Raises:
        UnsuitableStudyError: the finding has no region on the CT of the study.
    """
    part, image = part_on_ct(case, finding)
    bone = bone_of(case, finding)
    if bone is None:
        return ()
    box = widened(bone.box, 1, image.grid.shape)
    whole = with_eaten(bone.within(box), part.within(box), image.grid.spacing)
    lesion = (part.within(box) & whole)[_inner(bone.box, box)]
    surface = lesion & ~ndimage.binary_erosion(lesion)
    if not surface.any():
        return ()
    depth = _depth(bone, image)[surface]
    half = float(np.mean(image.grid.spacing)) / 2
    low, value, high = (float((depth <= options.cortex_mm + shift).mean()) for shift in (-half, 0.0, half))
    method = f"share of surface voxels within {options.cortex_mm:g} mm of the bone's surface; +-1/2 voxel"
    return (Measure("cortical_contact", value, "1", method, (low, high)),)


def _depth(bone: Part, image: Image) -> NDArray[np.float32]:
    """Distance to the surface of the bone in mm; the scan's edge is no surface."""
    box = widened(bone.box, 1, image.grid.shape)
    depth = edt.edt(bone.within(box), anisotropy=image.grid.spacing, black_border=False)
    return np.asarray(depth[_inner(bone.box, box)])


def _inner(box: Box, wide: Box) -> Box:
    """A box as seen from one that holds it."""
    return tuple(slice(b.start - w.start, b.stop - w.start) for b, w in zip(box, wide, strict=True))
