"""What detectors of CT lesions share: bones on the working frame, bone that metal spoils, masks as findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.finding import Finding, FindingKind, Part, Point, Region, SetAside
from osteoscope.domain.geometry import Grid
from osteoscope.domain.reading import MappedSite
from osteoscope.find.ct_frame import Frame

Mask = NDArray[np.bool_]
# 1 is what a person accepted (`osteoscope.deliver.review.edits`).
_MOST_SURE = 0.999


@dataclass(frozen=True, eq=False)
class Draft:
    """A finding in the making.

    Args:
        site: id of its bone.
        kind: see `osteoscope.domain.finding.Finding`.
        confidence: 0..1.
        box: where ``mask`` lies in the working frame.
        mask: bool, its voxels.
    """

    site: str
    kind: FindingKind
    confidence: float
    box: tuple[slice, ...]
    mask: Mask


@dataclass(frozen=True)
class MetalOptions:
    """What metal spoils (engineering choices, no published source).

    Args:
        metal_hu: voxels above are metal.
        metal_mm: streaks spoil bone this far around metal.
    """

    metal_hu: int = 2600
    metal_mm: float = 12.0


def on_ct(mapped: Sequence[MappedSite]) -> list[MappedSite]:
    """The sites that have voxels."""
    return [place for place in mapped if place.region is not None and place.region.on("ct") is not None]


def site_labels(places: Sequence[MappedSite], shape: tuple[int, ...]) -> NDArray[np.uint16]:
    """1 + the index of the place of each voxel, on the scan's own grid."""
    labels = np.zeros(shape, dtype=np.uint16)
    for number, place in enumerate(places, start=1):
        part = place.region.on("ct") if place.region else None
        if part is not None:
            labels[part.box][part.mask] = number
    return labels


def beside_metal(
    frame: Frame, sites: NDArray[np.integer], options: MetalOptions = MetalOptions()
) -> tuple[Mask, tuple[SetAside, ...]]:
    """Places around metal in the working frame, and the bone that it spoils as a statement."""
    metal = frame.hu > options.metal_hu
    if not metal.any():
        return metal, ()
    near = frame.near(metal, options.metal_mm)
    source = frame.to_source((near & ((sites > 0) | metal)).astype(np.uint8), linear=False)
    if not (near & (sites > 0)).any() or not source.any():
        return near, ()
    reason = f"HU above {options.metal_hu}: bone within {options.metal_mm:g} mm is not searched for lesions"
    return near, (SetAside("metal", reason, Region((Part.from_mask("ct", source > 0),))),)


def as_findings(drafts: Sequence[Draft], frame: Frame, grid: Grid) -> tuple[Finding, ...]:
    """Findings on the scan's own grid, numbered in the order given; none as sure as one that a person accepted."""
    labels = np.zeros(frame.hu.shape, dtype=np.uint16)
    for number, draft in enumerate(drafts, start=1):
        labels[draft.box][draft.mask] = number
    source = frame.to_source(labels, linear=False)
    findings: list[Finding] = []
    boxes = ndimage.find_objects(source, max_label=len(drafts))
    for number, (draft, box) in enumerate(zip(drafts, boxes, strict=True), start=1):
        if box is None:
            continue  # thinner than the scan's own slices: nothing of it lies on a slice
        part = Part.from_mask("ct", source[box] == number, tuple(s.start for s in box))
        name, sure = f"lesion-{len(findings) + 1}", min(round(draft.confidence, 3), _MOST_SURE)
        findings.append(Finding(name, draft.site, draft.kind, sure, Region((part,)), Point.centre_of(part, grid)))
    return tuple(findings)
