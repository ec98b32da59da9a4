"""Diffuse uptake outlined by hand on a planar view."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.draw import polygon2mask

from osteoscope.deliver.review.draft import Draft
from osteoscope.deliver.review.edits_planar import check_unit, unit_at
from osteoscope.domain.anatomy import PLANAR_UNITS
from osteoscope.domain.finding import Finding, Part, Point, Region
from osteoscope.domain.geometry import Grid
from osteoscope.errors import InvalidValueError

# Choice: an outline that covers less of a unit merely grazes it, unless it covers no other unit more.
GRAZES = 0.1


def add_outline(draft: Draft, edit: Mapping[str, Any]) -> Draft:
    """Diffuse uptake within a closed outline of ``points`` (column, row; the first pixel's centre is 0.5) of ``view``.

    A finding in each unit that it covers, clipped to it; a pixel of several units counts for the smallest. With a
    ``site``, one finding there.

    Raises:
        InvalidValueError: no such view or unit, or an outline that holds no pixel of the view.
    """
    view, points = str(edit["view"]), np.asarray(edit["points"], dtype=float)
    record = draft.base.study.images.get(view)
    if record is None:
        raise InvalidValueError("outline uptake", f"no view {view[:20]!r}", f"Use {sorted(draft.base.study.images)}")
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3 or not np.isfinite(points).all():
        raise InvalidValueError("outline uptake", "no three points in a plane", "Draw around the uptake")
    inside = polygon2mask(record.grid.shape, points[:, ::-1] - 0.5)
    if not inside.any():
        raise InvalidValueError("outline uptake", f"no pixel of the {view} view within it", "Draw around the uptake")
    site = edit.get("site")
    if site:
        check_unit(str(site))
    for unit, mask in ({str(site): inside} if site else _by_unit(draft, view, inside, record.grid)).items():
        part = Part.from_mask(view, mask)
        centre = Point.centre_of(part, record.grid)
        draft = draft.with_finding(Finding(draft.new_id(), unit, "diffuse", 1.0, Region((part,)), centre))
    return draft


def _by_unit(draft: Draft, view: str, inside: NDArray[np.bool_], grid: Grid) -> dict[str, NDArray[np.bool_]]:
    """The pixels of each unit that an outline covers; of the nearest where it covers none."""
    wholes = {
        place.site: part.full(grid.shape)
        for place in draft.ground.units
        if place.site in PLANAR_UNITS and place.region and (part := place.region.on(view)) is not None
    }
    free, covered = inside.copy(), {}
    for unit, whole in sorted(wholes.items(), key=lambda one: int(np.count_nonzero(one[1]))):
        if (free & whole).any():
            covered[unit] = free & whole
        free &= ~whole
    if not covered:
        return {unit_at(draft, view, grid, np.argwhere(inside).mean(axis=0)): inside}
    shares = {unit: np.count_nonzero(mask) / np.count_nonzero(wholes[unit]) for unit, mask in covered.items()}
    most = max(shares.values())
    return {unit: mask for unit, mask in covered.items() if shares[unit] >= min(GRAZES, most)}
