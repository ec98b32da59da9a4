"""A vertebra's canal, body, pedicles and posterior arch, from its mask alone, whoever drew it.

The canal is the hole that the vertebra and its neighbours enclose behind the body; between the pedicles of two
levels, where it is open to the sides, it is an ellipse along the line through its closed slices. Body: before the
canal's front. Pedicles: beside its front half. Posterior arch: the rest. Conventions of this program.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.finding import Finding, Measure
from osteoscope.domain.geometry import widened
from osteoscope.domain.reading import Case
from osteoscope.measure.place import (
    CUT_BY_FIELD,
    bone_at,
    is_cut,
    joint_box,
    lesions_within,
    part_on_ct,
    shifted,
    spread,
    with_eaten,
)
from osteoscope.measure.upright import Mask, upright

Floats = NDArray[np.float64]
BODILESS = "vertebra_C1"


@dataclass(frozen=True)
class CanalOptions:
    """Choices of the canal.

    Args:
        area_mm2: (least, greatest) area of its section, children and adults.
        least_slices: fewest closed slices that show it.
    """

    area_mm2: tuple[float, float] = (60.0, 900.0)
    least_slices: int = 2


@dataclass(frozen=True, eq=False)
class Vertebra:
    """Parts of a vertebra on upright axes [z, y, x]; bone that a lesion has eaten belongs to them, its mass does not.

    Args:
        spacing: mm along each axis.
        lesion: the lesions asked for, what has grown out of the bone included.
        body, pedicles, arch: bone.
        canal: with the contents.
        right: voxels to the right of the canal's middle.
        cut: whether it reaches the edge of the scan, so that parts of it may be unseen.
    """

    spacing: tuple[float, ...]
    lesion: Mask
    body: Mask
    pedicles: Mask
    arch: Mask
    canal: Mask
    right: Mask
    cut: bool = False


def vertebra_at(
    case: Case, site: str, finding: Finding | None = None, options: CanalOptions = CanalOptions()
) -> Vertebra | None:
    """The vertebra of a site with one finding, or with all of its findings.

    Returns:
        None where the site is no mapped vertebra, or no canal shows in its mask.
    """
    bone = bone_at(case, site)
    if bone is None or not site.startswith("vertebra_"):
        return None
    image = case.study.images["ct"]
    box = bone.box
    for other in case.findings if finding is None else (finding,):
        part = other.region.on("ct") if other.site == site else None
        box = joint_box(box, part.box) if part is not None else box
    box = widened(box, 2, image.grid.shape)
    lesion = lesions_within(case, site, box) if finding is None else part_on_ct(case, finding)[0].within(box)
    own = with_eaten(bone.within(box), lesion, image.grid.spacing)
    whole = own.copy()
    for place in case.mapped:
        near = bone_at(case, place.site) if place.site.startswith(("vertebra_", "sacrum")) else None
        whole |= near.within(box) if near is not None else False
    spacing, (lesion, own, whole) = upright(image.grid, lesion, own, whole)
    found = _parted(spacing, lesion, own, whole, options)
    return found and replace(found, cut=is_cut(bone.box, image.grid.shape))


def _parted(spacing: tuple[float, ...], lesion: Mask, own: Mask, whole: Mask, options: CanalOptions) -> Vertebra | None:
    hole = _hole(own, whole, spacing, options)
    if hole is None:
        return None
    centre, half = _ellipse(hole)
    y, x = (np.arange(n)[None] for n in own.shape[1:])
    back = y[:, :, None] - centre[:, 0, None, None]
    left = x[:, None, :] - centre[:, 1, None, None]
    canal = hole | ((back / half[0]) ** 2 + (left / half[1]) ** 2 <= 1)
    body = own & (back < -half[0])
    pedicles = own & (back >= -half[0]) & (back < 0)
    return Vertebra(spacing, lesion, body, pedicles, own & (back >= 0), canal, np.broadcast_to(left < 0, own.shape))


def _hole(own: Mask, whole: Mask, spacing: tuple[float, ...], options: CanalOptions) -> Mask | None:
    """The closed slices of the canal: the largest hole behind the vertebra's middle."""
    filled = np.stack([ndimage.binary_fill_holes(plane) for plane in whole])
    labels, count = ndimage.label(filled & ~whole)
    middle = float(np.argwhere(own)[:, 1].mean())
    low, high = (area / (spacing[1] * spacing[2]) for area in options.area_mm2)
    best = None
    for number in range(1, count + 1):
        hole = labels == number
        areas = np.count_nonzero(hole, axis=(1, 2))
        hole &= ((areas >= low) & (areas <= high))[:, None, None]
        closed = np.count_nonzero(hole.any(axis=(1, 2)))
        behind = closed >= options.least_slices and float(np.argwhere(hole)[:, 1].mean()) > middle
        if behind and (best is None or hole.sum() > best.sum()):
            best = hole
    return best


def _ellipse(hole: Mask) -> tuple[Floats, tuple[float, float]]:
    """Centre (y, x) in every slice by a straight line through the closed ones, and half axes (y, x), in voxels."""
    closed = np.flatnonzero(hole.any(axis=(1, 2)))
    places = [np.argwhere(hole[z]) for z in closed]
    lines = np.polyfit(closed, np.array([p.mean(axis=0) for p in places]), 1)
    deep, wide = np.median([np.ptp(p, axis=0) + 1 for p in places], axis=0) / 2
    return np.arange(len(hole))[:, None] * lines[0] + lines[1], (float(deep), float(wide))


def vertebral_place(case: Case, finding: Finding) -> tuple[Measure, ...]:
    """Where in its vertebra a lesion lies.

    Returns:
        in_body, in_pedicles, in_posterior_arch (shares 0..1 of the lesion; what has grown out of the bone is in none),
        body_share (of the vertebral body that is lesion; of a vertebra that the field cuts the share of what is seen,
        with an interval from 0 to 1) and canal_distance (mm; 0 where it touches the canal).
        Boundary +-1 voxel. Nothing outside vertebrae, nor where no canal shows; of C1, which has no body, the
        distance alone.

    Raises:
        UnsuitableStudyError: the finding has no region on the CT of the study.
    """
    found = vertebra_at(case, finding.site, finding)
    if found is None:
        return ()
    masks = (found.lesion, *shifted(found.lesion))
    voxel = min(found.spacing)
    apart = edt.edt(~found.canal, anisotropy=found.spacing)
    gaps = [max(0.0, float(apart[m].min()) - voxel) for m in masks]
    distance = spread("canal_distance", "mm", "nearest gap to the spinal canal; boundary +-1 voxel", gaps)
    if finding.site == BODILESS:
        return (distance,)
    parts = {"in_body": found.body, "in_pedicles": found.pedicles, "in_posterior_arch": found.arch}
    method = "share of the lesion, parts by the spinal canal; boundary +-1 voxel"
    shares = [spread(name, "1", method, [float(part[m].mean()) for m in masks]) for name, part in parts.items()]
    return (*shares, body_share(found), distance)


def body_share(found: Vertebra) -> Measure:
    """Share 0..1 of the vertebral body that is lesion; boundary +-1 voxel, or anything where the field cuts it."""
    masks = (found.lesion, *shifted(found.lesion))
    whole = max(1, int(np.count_nonzero(found.body)))
    shares = [int(np.count_nonzero(found.body & m)) / whole for m in masks]
    method = "lesion within the body over the body"
    if found.cut:
        return Measure("body_share", shares[0], "1", f"{method} in the field: {CUT_BY_FIELD}", (0.0, 1.0))
    return spread("body_share", "1", f"{method}; boundary +-1 voxel", shares)
