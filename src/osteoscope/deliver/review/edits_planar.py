"""Edits of planar Readings: foci added and moved, notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoscope.deliver.review.draft import Draft
from osteoscope.domain.anatomy import PLANAR_UNITS
from osteoscope.domain.finding import Finding, Part, Point, Region
from osteoscope.domain.geometry import Grid
from osteoscope.errors import InvalidValueError

# Choices: the disc that stands for a focus added by a click, and how far from a unit it still belongs to it.
FOCUS_RADIUS_MM, NEAR_MM = 8.0, 30.0
FOCUS_RADIUS_PIXELS, NEAR_PIXELS = 3.0, 10.0


def add_focus(draft: Draft, edit: Mapping[str, Any]) -> Draft:
    """A focus at ``x``, ``y`` (column, row; the first pixel's centre is 0.5) of ``view``, in the unit that lies there.

    Raises:
        InvalidValueError: no such view, or a place off the image.
    """
    view = str(edit["view"])
    record = draft.base.study.images.get(view)
    if record is None:
        raise InvalidValueError("add a focus", f"no view {view[:20]!r}", f"Use {sorted(draft.base.study.images)}")
    at = np.asarray([float(edit["y"]), float(edit["x"])]) - 0.5
    if not np.isfinite(at).all() or (at < -0.5).any() or (at > np.asarray(record.grid.shape) - 0.5).any():
        raise InvalidValueError("add a focus", f"place {edit['x']}, {edit['y']} off the {view} view", "Click on it")
    part = _disc(view, record.grid, at)
    site = str(edit.get("site") or unit_at(draft, view, record.grid, at))
    check_unit(site)
    centre = Point.centre_of(part, record.grid)
    return draft.with_finding(Finding(draft.new_id(), site, "focal", 1.0, Region((part,)), centre))


def _disc(view: str, grid: Grid, at: NDArray[np.float64]) -> Part:
    radius = FOCUS_RADIUS_MM if grid.unit == "mm" else FOCUS_RADIUS_PIXELS
    reach = np.maximum(radius / np.asarray(grid.spacing), 0.5)
    low = np.maximum(0, np.floor(at - reach)).astype(int)
    high = np.minimum(grid.shape, np.ceil(at + reach) + 1).astype(int)
    rows, columns = np.ogrid[low[0] : high[0], low[1] : high[1]]
    inside = ((rows - at[0]) / reach[0]) ** 2 + ((columns - at[1]) / reach[1]) ** 2 <= 1
    inside[tuple(_pixel(grid, at) - low)] = True
    return Part.from_mask(view, inside, (int(low[0]), int(low[1])))


def _pixel(grid: Grid, at: NDArray[np.float64]) -> NDArray[np.int_]:
    return np.clip(np.round(at), 0, np.asarray(grid.shape) - 1).astype(int)


def unit_at(draft: Draft, view: str, grid: Grid, at: NDArray[np.float64]) -> str:
    """The smallest unit that holds a place (spine before the cage that it crosses), else the nearest, else soft tissue.

    Args:
        at: (row, column) of the view.
    """
    parts = [
        (place.site, part)
        for place in draft.ground.units
        if place.site in PLANAR_UNITS and place.region and (part := place.region.on(view)) is not None
    ]
    pixel = _pixel(grid, at)
    around = [(int(np.count_nonzero(part.mask)), site) for site, part in parts if _holds(part, pixel)]
    if around:
        return min(around)[1]
    near = NEAR_MM if grid.unit == "mm" else NEAR_PIXELS
    gaps = [(_gap(part, at, grid), site) for site, part in parts]
    nearest = min(gaps, default=(np.inf, ""))
    return nearest[1] if nearest[0] <= near else "soft_tissue"


def _holds(part: Part, pixel: NDArray[np.int_]) -> bool:
    place = pixel - np.asarray(part.offset)
    return bool((place >= 0).all() and (place < part.mask.shape).all() and part.mask[tuple(place)])


def _gap(part: Part, at: NDArray[np.float64], grid: Grid) -> float:
    pixels = np.argwhere(part.mask) + np.asarray(part.offset)
    return float(np.sqrt((((pixels - at) * grid.spacing) ** 2).sum(axis=1).min()))


def move(draft: Draft, edit: Mapping[str, Any]) -> Draft:
    """A finding to another unit ``site``: the person is sure of it.

    Raises:
        InvalidValueError: no such finding or unit.
    """
    finding, site = draft.finding(edit["finding"]), str(edit["site"])
    check_unit(site)
    return draft.with_finding(replace(finding, site=site, confidence=1.0))


def check_unit(site: str) -> None:
    """Refuse what is no planar unit.

    Raises:
        InvalidValueError: it is none.
    """
    if site not in PLANAR_UNITS:
        raise InvalidValueError("place a focus", f"no unit {site[:40]!r}", f"Use one of {', '.join(PLANAR_UNITS)}")


def soft_tissue(draft: Draft, edit: Mapping[str, Any]) -> Draft:
    """A note on soft tissue, in the place of the one before."""
    return replace(draft, note=str(edit["text"]))
