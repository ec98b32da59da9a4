"""Physiological uptake: where organs are expected in the body's own coordinates.

Zones of the trunk and head were measured on the reference voxel phantoms of ICRP Publication 110 and widened
for children and for variation; which organs take up mIBG: docs/background/mibg.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import ndimage

from osteoscope.domain.reading import MappedSite
from osteoscope.find.planar_body import Array, Mask
from osteoscope.find.planar_model import grown


@dataclass(frozen=True, eq=False)
class Axes:
    """The body's own coordinates on one view.

    Args:
        origin: (row, column) of C7/T1.
        down: unit vector from head to seat.
        left: unit vector to the patient's left.
        trunk: pixels from C7/T1 to the ischium.
        head: pixels from C7/T1 to the vertex.
    """

    origin: Array
    down: Array
    left: Array
    trunk: float
    head: float

    def scaled(self, step: int) -> Axes:
        """The same on elements of ``step`` pixels."""
        return replace(self, origin=(self.origin + 0.5) / step - 0.5, trunk=self.trunk / step, head=self.head / step)

    def trunk_coordinates(self, rows: Array, columns: Array) -> tuple[Array, Array]:
        """(left, down) of C7/T1 of places, in trunk lengths."""
        right, lower = rows - self.origin[0], columns - self.origin[1]
        across = right * self.left[0] + lower * self.left[1]
        along = right * self.down[0] + lower * self.down[1]
        return across / self.trunk, along / self.trunk


# Share of the trunk from C7/T1 to the ischium at which the middle of a unit lies (as in planar_shapes).
_MIDDLE = {"thoracic_spine": 0.228, "lumbar_spine": 0.588}


def axes(mapped: tuple[MappedSite, ...], view: str, age: float | None) -> Axes | None:
    """The body's coordinates from the site map; None where thoracic and lumbar spine are not both on the view."""
    parts = {m.site: m.region.on(view) for m in mapped if m.region}
    chest, loin = (parts.get(unit) for unit in _MIDDLE)
    if chest is None or loin is None:
        return None
    upper, lower = chest.centroid(), loin.centroid()
    trunk = float(np.linalg.norm(lower - upper)) / (_MIDDLE["lumbar_spine"] - _MIDDLE["thoracic_spine"])
    down = (lower - upper) / np.linalg.norm(lower - upper)
    left = np.asarray([-down[1], down[0]]) * (1 if view == "anterior" else -1)
    years = 5.0 if age is None else age
    neck, seat = grown("neck_base", years), grown("seat", years)
    origin = upper - _MIDDLE["thoracic_spine"] * trunk * down
    return Axes(origin, down, left, trunk, trunk * neck / (seat - neck))


# An organ is traced at half of its peak, higher where half would fill most of its zone.
_SHARES, _FILLED = (0.5, 0.65, 0.8), 0.5


@dataclass(frozen=True)
class Hot:
    """When an organ is bright: its level (muscle = 1) or its contrast reaches ``least``."""

    by: Literal["level", "contrast"]
    least: float


@dataclass(frozen=True)
class Zone:
    """Where an organ's uptake is expected.

    Args:
        organ: what it is.
        across: least and greatest distance from the midline, to the patient's left; in trunk lengths (head
            lengths with ``of_head``). Where both are positive and ``paired``, the right side too.
        along: from C7/T1, downwards in trunk lengths, upwards in head lengths.
        hot: a bright organ whose outline is traced; None where only foci within the zone are set aside.
    """

    organ: str
    across: tuple[float, float]
    along: tuple[float, float]
    hot: Hot | None = None
    paired: bool = False
    of_head: bool = False

    def mask(self, at: Axes, shape: tuple[int, ...]) -> Mask:
        """The zone on a view of that shape."""
        rows, columns = np.mgrid[: shape[0], : shape[1]]
        return self.holds(at, *at.trunk_coordinates(rows, columns))

    def holds(self, at: Axes, across: Array, along: Array) -> Mask:
        """Whether places, in trunk coordinates, lie in the zone."""
        if self.of_head:
            across, along = across * at.trunk / at.head, -along * at.trunk / at.head
        across = np.abs(across) if self.paired else across
        return _within(across, self.across) & _within(along, self.along)


ZONES: tuple[Zone, ...] = (
    Zone("liver", (-0.36, 0.22), (0.20, 0.80), Hot("level", 3.0)),
    Zone("heart", (-0.14, 0.28), (0.06, 0.42), Hot("level", 3.5)),
    Zone("bladder", (-0.18, 0.18), (0.68, 1.08), Hot("contrast", 0.8)),
    Zone("salivary gland", (0.08, 0.36), (0.08, 0.50), paired=True, of_head=True),
    Zone("nose and mouth", (-0.12, 0.12), (0.15, 0.62), of_head=True),
    Zone("lacrimal gland", (0.08, 0.26), (0.45, 0.68), paired=True, of_head=True),
    Zone("thyroid", (-0.08, 0.08), (-0.10, 0.06)),
    Zone("spleen or stomach", (0.04, 0.32), (0.28, 0.60)),
    Zone("kidney or adrenal", (0.06, 0.27), (0.38, 0.72), paired=True),
    Zone("bowel", (-0.30, 0.30), (0.45, 0.70)),
)


def _within(values: Array, limits: tuple[float, float]) -> Mask:
    return np.asarray((values >= limits[0]) & (values <= limits[1]))


def hot_organs(level: Array, contrast: Array, at: Axes) -> Mapping[str, Mask]:
    """Bright organs, traced at half of their own level or contrast, where they stand out enough."""
    found = {}
    for zone in ZONES:
        if zone.hot is None:
            continue
        inside = zone.mask(at, level.shape)
        values = level if zone.hot.by == "level" else contrast
        peak = float(np.quantile(values[inside], 0.98)) if inside.any() else 0.0
        if peak >= zone.hot.least:
            found[zone.organ] = _traced(values, inside, peak)
    return found


def _traced(values: Array, inside: Mask, peak: float) -> Mask:
    """The piece of a zone around its brightest place, at the first share of the peak that does not fill the zone."""
    masks = [inside & (values > share * peak) for share in _SHARES]
    mask = next((m for m in masks if m.sum() < _FILLED * inside.sum()), masks[-1])
    labels, _ = ndimage.label(mask)
    return np.asarray(labels == labels.flat[np.argmax(np.where(inside, values, -np.inf))])


def quiet_organ(at: Axes, row: float, column: float) -> str | None:
    """The organ of lesser uptake that is expected at a place, if any."""
    across, along = at.trunk_coordinates(np.asarray(row), np.asarray(column))
    for zone in ZONES:
        if zone.hot is None and zone.holds(at, across, along):
            return zone.organ
    return None
