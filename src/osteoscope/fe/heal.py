"""What a bone's lesions would be if they were healthy: tissue of the bone's own that lies alike.

In a vertebra HU are copied from places that lie alike in the body (or, for a lesion of the arch, in the arch): as high
between the end plates, as far from the wall, in the same layer below the surface, and, where there is a choice, as far
to the side of either half and as far back. They are copied
and not averaged, for a law is convex and the load hangs on the spread of HU as on their mean. Other bones, and
vertebrae in which no body is found, take the median at the same depth near the same height.
"""

from __future__ import annotations

from dataclasses import dataclass

import edt
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from osteoscope.domain.geometry import Grid
from osteoscope.errors import UnsuitableStudyError
from osteoscope.fe.vertebral_body import VertebralBody, vertebral_body

Mask = NDArray[np.bool_]
Array = NDArray[np.float32]
Floats = NDArray[np.float64]
# Choices of this program. What 1 mm counts: below the surface, as far as walls and end plates reach (mm), of height,
# from the wall, to the side and to the back. Of how many places that lie most alike one gives; how far (mm) they keep
# from every lesion, whose edge is of both.
_WEIGHTS, _LAYERS_MM = np.array([3.0, 2.0, 1.0, 0.5, 0.5]), 3.0
_PLACES, _CLEAR_MM = 16, 2.0
# The share of a body and of an arch that must be healthy, and that of a body below which a note says that its twin may
# be too strong: that of an untouched real L3 was, by at most 4 % with less than 0.4 of its body replaced, by 11 % with
# 0.5, by 4 to 33 % with 0.6 to 0.65. An arch bears little.
_LEAST_HEALTHY, _SCARCE = {"body": 0.4, "arch": 0.05}, 0.55
# Steps of which no sum is whole: neighbours are given different ones of the places, and the same ones in every run.
_STEPS = np.sqrt((2.0, 3.0, 5.0))
# Depths (mm) below the surface within which healthy tissue of one bone is alike, and how far along it.
_DEPTHS, _ALONG_MM = (0.75, 1.5, 2.5, 4.0, 6.0, 9.0), 30.0


@dataclass(frozen=True, eq=False)
class Sick:
    """A bone in which some tissue is to be replaced.

    Args:
        site: its id.
        grid: of the arrays.
        hu: float32 [slice, row, column].
        mask: the bone.
        lesions: all that is not healthy.
        wanted: voxels of ``lesions`` to replace.
    """

    site: str
    grid: Grid
    hu: Array
    mask: Mask
    lesions: Mask
    wanted: Mask


def scarce(site: str, grid: Grid, mask: Mask, lesions: Mask) -> tuple[str, ...]:
    """A note where lesions leave little of a vertebra's body to heal them by."""
    body = _body_of(site, grid, mask) if lesions.any() else None
    share = 0.0 if body is None else np.count_nonzero(body.mask & lesions) / np.count_nonzero(body.mask)
    if share <= 1 - _SCARCE:
        return ()
    return (
        f"lesions hold {100 * share:.0f} % of the vertebral body: what is left is a poor guide to what they replaced, "
        "and the healed twin may be 10 % and more too strong",
    )


def _body_of(site: str, grid: Grid, mask: Mask) -> VertebralBody | None:
    try:
        return vertebral_body(mask, grid, site) if site.startswith("vertebra_") else None
    except UnsuitableStudyError:
        return None


def healthy_hu(sick: Sick) -> Array:
    """HU for each wanted voxel.

    Raises:
        UnsuitableStudyError: there is no healthy tissue, or too little where the lesion lies.
    """
    if not (sick.mask & ~sick.lesions).any():
        raise _nothing_left(sick, "no healthy tissue left")
    body = _body_of(sick.site, sick.grid, sick.mask)
    return _by_depth(sick) if body is None else _by_place(sick, body)


def _nothing_left(sick: Sick, found: str) -> UnsuitableStudyError:
    return UnsuitableStudyError(
        f"heal the lesions of {sick.site}", found, "Compare with the other side or a neighbour instead"
    )


def _by_place(sick: Sick, body: VertebralBody) -> Array:
    """One of the places of the same part of the vertebra that lie most alike."""
    clear = edt.edt(~sick.lesions, anisotropy=sick.grid.spacing, black_border=False)[sick.mask]
    index = np.argwhere(sick.mask)
    where = _alike(sick, index, body)
    hu = sick.hu[sick.mask]
    wanted, ill, own = (of[sick.mask] for of in (sick.wanted, sick.lesions, body.mask))
    values = hu.copy()
    for name, part in (("body", own), ("arch", ~own)):
        taken = wanted & part
        if not taken.any():
            continue
        least = _LEAST_HEALTHY[name]
        if np.count_nonzero(part & ~ill) < least * np.count_nonzero(part):
            raise _nothing_left(sick, f"less than {100 * least:.0f} % of its {name} is healthy")
        away = part & (clear > _CLEAR_MM)
        giving = away if np.count_nonzero(away) >= _PLACES else part & ~ill
        most = min(_PLACES, int(np.count_nonzero(giving)))
        _, near = cKDTree(where[giving]).query(where[taken], list(range(1, most + 1)))
        chosen = (index[taken] @ _STEPS % 1 * most).astype(int)
        values[taken] = hu[giving][near[np.arange(len(near)), chosen]]
    return values[wanted]


def _alike(sick: Sick, index: NDArray[np.int64], body: VertebralBody) -> Floats:
    """Coordinates [n, 5] of voxels of a vertebra whose distance says how unlike they lie; left is like right."""
    spacing = np.asarray(sick.grid.spacing)
    up = int(np.argmax(np.abs(body.axis @ (sick.grid.matrix[:3, :3] / spacing))))
    # So far apart along the body, slices are looked at one by one: end plates are no wall.
    apart = np.where(np.arange(3) == up, 1e3, spacing)
    depth, wall = (edt.edt(sick.mask, anisotropy=tuple(s), black_border=True)[sick.mask] for s in (spacing, apart))
    off = sick.grid.to_position(index) - (body.upper + body.lower) / 2
    left = np.array([1.0, 0.0, 0.0]) - body.axis[0] * body.axis
    left /= np.linalg.norm(left)
    back = np.cross(body.axis, left)
    layer = np.minimum(depth, _LAYERS_MM)
    return np.asarray(np.column_stack([layer, off @ body.axis, wall, np.abs(off @ left), off @ back]) * _WEIGHTS)


def _by_depth(sick: Sick) -> Array:
    """The median at each voxel's depth, within 30 mm along the bone's long axis.

    Where a lesion holds all of a depth, the nearest depth serves.
    """
    healthy = sick.mask & ~sick.lesions
    depth = np.digitize(edt.edt(sick.mask, anisotropy=sick.grid.spacing, black_border=False), _DEPTHS)
    spots = sick.grid.to_position(np.argwhere(sick.mask))
    _, axes = np.linalg.eigh(np.cov(spots.T))
    along = np.full(sick.mask.shape, np.nan)
    along[sick.mask] = spots @ axes[:, 2]
    kind, height = depth[sick.wanted], along[sick.wanted]
    values = np.empty(len(kind), np.float32)
    deepest_first = np.unique(depth[healthy])[::-1]
    for n in np.unique(kind):
        own = healthy & (depth == deepest_first[np.argmin(np.abs(deepest_first - n))])
        values[kind == n] = _medians(along[own], sick.hu[own], height[kind == n])
    return values


def _medians(along: NDArray[np.float64], hu: Array, wanted: NDArray[np.float64], step: float = 4.0) -> Array:
    """Median of ``hu`` within ``_ALONG_MM`` of each wanted height, in steps; of all where fewer than 30 are near."""
    made = np.empty(len(wanted), np.float32)
    bins = np.round(wanted / step)
    for n in np.unique(bins):
        near = np.abs(along - n * step) <= _ALONG_MM
        made[bins == n] = np.median(hu[near] if np.count_nonzero(near) >= 30 else hu)
    return made
