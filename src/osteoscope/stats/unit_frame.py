"""Where a finding lies within its own planar unit, whatever the pose, the growth, the pixels or the table.

A unit's frame is drawn from its own silhouette on one view: a long axis, the axis across it, and its extent along
both. Limbs turn with the pose, so their axis is the principal one of the silhouette, pointing away from the unit
that they hang on; head, trunk and spine take the axis of the trunk, from neck to pelvis. The posterior view is
mirrored, so that "across" means the patient's left on both. Engineering choices, no published source.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from osteoscope.domain.anatomy import SIDES
from osteoscope.domain.finding import Part, Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.reading import MappedSite, Reading

Array = NDArray[np.float64]

_SPINE = ("cervical_spine", "thoracic_spine", "lumbar_spine", "sacrum")
_TRUNK = (*_SPINE, "thoracic_cage", "pelvis")
# Where a limb points away from: a hanging and a raised humerus both point away from the neck, not from the chest.
_AWAY_FROM: Mapping[str, str] = MappingProxyType(
    {
        f"{part}_{side}": origin.format(side)
        for side in SIDES
        for part, origin in (
            ("proximal_upper_limb", "cervical_spine"),
            ("distal_upper_limb", "proximal_upper_limb_{}"),
            ("proximal_lower_limb", "pelvis"),
            ("distal_lower_limb", "proximal_lower_limb_{}"),
        )
    }
)
_JOINTS = (
    ("skull", "cervical_spine"), *pairwise(_SPINE), ("sacrum", "pelvis"), ("lumbar_spine", "pelvis"),
    ("cervical_spine", "thoracic_cage"), ("thoracic_spine", "thoracic_cage"), ("lumbar_spine", "thoracic_cage"),
    *(("thoracic_cage", f"proximal_upper_limb_{side}") for side in SIDES),
    *((unit, origin) for unit, origin in _AWAY_FROM.items() if not unit.startswith("proximal_upper")),
)  # fmt: skip
# Units that meet, or lie over each other in projection: a lesion at their border may be given to either.
NEIGHBOURS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        unit: frozenset(b if a == unit else a for a, b in _JOINTS if unit in {a, b})
        for unit in dict.fromkeys(u for joint in _JOINTS for u in joint)
    }
)
# Ends of an extent, so that a stray pixel does not move them; most points kept of an outline.
_ENDS = (1.0, 99.0)
_MOST_POINTS = 300


@dataclass(frozen=True, eq=False)
class Spot:
    """A finding in the frame of one unit.

    Args:
        middle: (along, across), shape (2,), in extents of the unit from its middle: -0.5 to 0.5 within it.
        cloud: the same of its pixels, thinned out, shape (n, 2).
        size: extents of the unit along and across, shape (2,), in lengths of the trunk of that date.
    """

    middle: Array
    cloud: Array
    size: Array

    def distance(self, other: Spot) -> float:
        """Between the middles, in lengths of the trunk, at the mean size of the unit on both dates."""
        return float(np.linalg.norm((self.middle - other.middle) * (self.size + other.size) / 2))

    def gap(self, other: Spot) -> float:
        """From this one's pixels to the nearest of the other, the median, in lengths of the trunk: 0 within it."""
        scale = (self.size + other.size) / 2
        return float(np.median(cKDTree(other.cloud * scale).query(self.cloud * scale)[0]))


@dataclass(frozen=True, eq=False)
class _Frame:
    """Middle and extent in the grid's unit, axes as rows (along, across), size as extent in lengths of the trunk."""

    middle: Array
    axes: Array
    extent: Array
    size: Array

    def place(self, points: Array) -> Array:
        return np.asarray((points @ self.axes.T - self.middle) / self.extent)


class UnitFrames:
    """The frames of all mapped units of one Reading.

    Args:
        reading: for the grids of the views.
        mapped: its site map; () where it was not kept, and then nothing has a place.
    """

    def __init__(self, reading: Reading, mapped: Sequence[MappedSite]) -> None:
        self._grids = {name: record.grid for name, record in reading.study.images.items()}
        regions = {m.site: m.region for m in mapped if m.region is not None}
        self._frames = {view: _frames(regions, view, grid) for view, grid in self._grids.items()}

    def spots(self, region: Region, units: Iterable[str]) -> Mapping[str, Spot]:
        """The region in the frame of each of these units that is mapped on a view which shows the region."""
        found = {unit: self._spot(region, unit) for unit in units}
        return {unit: spot for unit, spot in found.items() if spot is not None}

    def _spot(self, region: Region, unit: str) -> Spot | None:
        framed = [(part, self._frames.get(part.image, {}).get(unit)) for part in region.parts]
        pairs = [(f.place(_points(part, self._grids[part.image])), f.size) for part, f in framed if f is not None]
        if not pairs:
            return None
        middle = np.mean([cloud.mean(axis=0) for cloud, _ in pairs], axis=0)
        cloud = np.concatenate([cloud[:: -(-len(cloud) // _MOST_POINTS)] for cloud, _ in pairs])
        return Spot(middle, cloud, np.mean([size for _, size in pairs], axis=0))


def _points(part: Part, grid: Grid) -> Array:
    """Pixels as (down, to the patient's left) in the grid's unit, shape (n, 2)."""
    mirrored = -1.0 if part.image == "posterior" else 1.0
    index = np.argwhere(part.mask) + np.asarray(part.offset)
    return np.asarray(index * np.asarray(grid.spacing) * (1.0, mirrored), dtype=float)


def _frames(regions: Mapping[str, Region], view: str, grid: Grid) -> Mapping[str, _Frame]:
    points = {unit: _points(part, grid) for unit, region in regions.items() if (part := region.on(view)) is not None}
    if not points:
        return {}
    middles = {unit: cloud.mean(axis=0) for unit, cloud in points.items()}
    down = _trunk_axis(middles)
    trunk = np.concatenate([points[unit] for unit in _TRUNK if unit in points] or list(points.values()))
    length = max(float(np.ptp(trunk @ down)), min(grid.spacing))
    return {unit: _frame(cloud, _axis(unit, cloud, middles, down), length) for unit, cloud in points.items()}


def _trunk_axis(middles: Mapping[str, Array]) -> Array:
    """Unit vector from the neck to the pelvis; straight down where too little of the trunk is mapped."""
    order = [
        middles[unit] for unit in ("cervical_spine", "thoracic_spine", "lumbar_spine", "pelvis") if unit in middles
    ]
    way = order[-1] - order[0] if len(order) > 1 else np.zeros(2)
    length = float(np.linalg.norm(way))
    return way / length if length > 0 else np.array([1.0, 0.0])


def _axis(unit: str, cloud: Array, middles: Mapping[str, Array], down: Array) -> Array:
    if unit not in _AWAY_FROM or len(cloud) < 3:
        return down
    principal = np.asarray(np.linalg.eigh(np.cov(cloud.T))[1][:, -1], dtype=float)
    origin = middles.get(_AWAY_FROM[unit])
    outward = middles[unit] - origin if origin is not None else down
    return principal if principal @ outward >= 0 else -principal


def _frame(cloud: Array, along: Array, trunk: float) -> _Frame:
    axes = np.stack([along, np.array([-along[1], along[0]])])
    low, high = np.percentile(cloud @ axes.T, _ENDS, axis=0)
    extent = np.maximum(high - low, 1e-3 * trunk)
    return _Frame((low + high) / 2, axes, extent, extent / trunk)
