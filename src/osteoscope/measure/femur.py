"""Which part of a femur a lesion lies in: head, neck, trochanteric region, shaft by thirds.

The head is the largest ball that fits into the upper, medial bone (radius r). The trochanteric region ends 3.5 r
below its centre, the neck at 0.7 of the way from there to the shaft's axis: conventions of this program after adult
proportions, not published borders.
"""

from __future__ import annotations

from dataclasses import dataclass

import edt
import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.finding import Finding, Measure
from osteoscope.domain.geometry import Box, widened
from osteoscope.domain.reading import Case
from osteoscope.measure.place import bone_of, joint_box, part_on_ct, shifted, spread, with_eaten
from osteoscope.measure.upright import Mask, upright

Floats = NDArray[np.float64]
THIRDS = ("in_shaft_proximal", "in_shaft_middle", "in_shaft_distal")


@dataclass(frozen=True)
class FemurOptions:
    """Conventions, in radii of the head or shares.

    Args:
        upper_mm: the head is sought within this of the top.
        head: it reaches so many of its radii from its centre.
        trochanters: the shaft begins so many radii below the head's centre.
        neck: share of the way from the head's centre to the shaft's axis that is neck.
        neck_drop: the neck meets the axis so many radii below the head's centre.
    """

    upper_mm: float = 80.0
    head: float = 1.05
    trochanters: float = 3.5
    neck: float = 0.7
    neck_drop: float = 1.2


def femoral_place(case: Case, finding: Finding, options: FemurOptions = FemurOptions()) -> tuple[Measure, ...]:
    """in_head, in_neck, in_trochanters, and in_shaft or its thirds: shares 0..1 of the lesion; boundary +-1 voxel.

    Thirds are given where the whole shaft is in the field. What has grown out of the bone is in no part. Nothing
    outside femurs, nor where the head or the upper end of the shaft is out of the field.

    Raises:
        UnsuitableStudyError: the finding has no region on the CT of the study.
    """
    part, image = part_on_ct(case, finding)
    bone = bone_of(case, finding)
    if bone is None or not finding.site.startswith("femur_"):
        return ()
    box = widened(joint_box(bone.box, part.box), 1, image.grid.shape)
    lesion = part.within(box)
    whole = with_eaten(bone.within(box), lesion, image.grid.spacing)
    spacing, (lesion, whole, edges) = upright(image.grid, lesion, whole, at_edge(box, image.grid.shape))
    parts = _parts(whole, spacing, inward_sign(finding.site), (_cut(whole, edges, 0), _cut(whole, edges, -1)), options)
    masks = (lesion, *shifted(lesion))
    method = "share of the lesion, parts by proportions of the femoral head; boundary +-1 voxel"
    return tuple(spread(name, "1", method, [float(p[m].mean()) for m in masks]) for name, p in parts.items())


def below_trochanters(
    places: Floats, depth: Floats, cut: Mask, inward: float, options: FemurOptions = FemurOptions()
) -> Mask | None:
    """Which voxels of a femur are shaft or knee; None where the head or too little of the shaft is in the field.

    Args:
        places: of its voxels, mm to the head, the back and the left, [n, 3].
        depth: of each below the surface, mm.
        cut: whether each lies at the scan's edge.
        inward: as of ``inward_sign``.
        options: conventions.
    """
    centre, radius = _head(places, depth, inward, options)
    level = centre[0] - options.trochanters * radius
    if (places[cut, 0] > level).any() or level - 2 * radius < places[:, 0].min():
        return None
    return np.asarray(places[:, 0] <= level)


def at_edge(box: Box, shape: tuple[int, ...]) -> Mask:
    """Voxels of a box of the scan's array that lie at the scan's edge."""
    return np.asarray(at_edges(box, shape).any(axis=-1))


def at_edges(box: Box, shape: tuple[int, ...]) -> Mask:
    """For every voxel of a box of the scan's array, and every axis of that, whether it lies at an end of the axis."""
    edges = np.zeros([*(s.stop - s.start for s in box), len(box)], dtype=bool)
    for axis, (span, size) in enumerate(zip(box, shape, strict=True)):
        side = np.moveaxis(edges[..., axis], axis, 0)
        side[0] |= span.start == 0
        side[-1] |= span.stop == size
    return edges


def inward_sign(site: str) -> float:
    """Sign of the patient's left that leads to the middle: -1 on the left."""
    return -1.0 if site.endswith("left") else 1.0


def _head(places: Floats, depth: Floats, inward: float, options: FemurOptions) -> tuple[Floats, float]:
    """Centre and radius of the largest ball in the upper, medial bone."""
    upper = places[:, 0] > places[:, 0].max() - options.upper_mm
    medial = inward * places[:, 2] > np.median(inward * places[upper, 2])
    head = int(np.argmax(np.where(upper & medial, depth, 0)))
    return places[head], float(depth[head])


def _cut(whole: Mask, edges: Mask, end: int) -> bool:
    """Whether bone lies at the scan's edge in the lowest (0) or highest (-1) slices."""
    return bool((whole & edges)[:2].any() if end == 0 else (whole & edges)[-2:].any())


def _parts(
    whole: Mask, spacing: tuple[float, ...], inward: float, cuts: tuple[bool, bool], options: FemurOptions
) -> dict[str, Mask]:
    """Masks of the parts by name, empty where the upper end is not whole."""
    voxels = np.argwhere(whole)
    places = voxels * np.asarray(spacing)
    bottom = places[:, 0].min()
    depth = edt.edt(whole, anisotropy=spacing, black_border=False)[whole]
    centre, radius = _head(places, depth, inward, options)
    level = centre[0] - options.trochanters * radius
    start = (places[:, 0] <= level) & (places[:, 0] > level - 2 * radius)
    if cuts[1] or not start.any() or level - 2 * radius < bottom:
        return {}
    axis = places[start].mean(axis=0)
    foot = np.array([centre[0] - options.neck_drop * radius, axis[1], axis[2]])
    way = foot - centre
    passed = (places - centre) @ way / float(way @ way)
    shaft = places[:, 0] <= level
    ball = ~shaft & (np.linalg.norm(places - centre, axis=1) <= options.head * radius)
    neck = ~shaft & ~ball & (passed < options.neck)
    rows = {"in_head": ball, "in_neck": neck, "in_trochanters": ~shaft & ~ball & ~neck}
    third = np.floor((level - places[:, 0]) / max(level - bottom, 1e-6) * 3).clip(0, 2)
    rows |= {"in_shaft": shaft} if cuts[0] else {n: shaft & (third == i) for i, n in enumerate(THIRDS)}
    return {name: _mask(voxels[flags], whole.shape) for name, flags in rows.items()}


def _mask(voxels: NDArray[np.intp], shape: tuple[int, ...]) -> Mask:
    mask = np.zeros(shape, dtype=bool)
    mask[tuple(voxels.T)] = True
    return mask
