"""Outlines of a planar Reading for the page: per view, of segments, units and findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.measure import approximate_polygon, find_contours

from osteoscope.deliver.review.ground import units_at
from osteoscope.domain.anatomy import SIOPEN
from osteoscope.domain.finding import Part, Region
from osteoscope.domain.reading import Reading

Polygons = list[list[tuple[float, float]]]
_SMOOTH = 0.4  # pixels


def outlines_of(reading: Reading, units: Path) -> dict[str, dict[str, dict[str, Polygons]]]:
    """Closed polygons of (column, row) in pixels; the centre of the first pixel is (0.5, 0.5).

    Args:
        reading: of a planar study.
        units: its units.json; without it there are no outlines of sites and units.

    Returns:
        View name -> "sites" (SIOPEN segments), "units" and "findings" -> id -> polygons.
    """
    mapped = units_at(units, units.stat().st_mtime_ns) if units.is_file() else ()
    places = {place.site: place.region for place in mapped if place.region is not None}
    return {
        view: {
            "sites": _sites(units, view) if mapped else {},
            "units": _each(places, view),
            "findings": _each({finding.id: finding.region for finding in reading.findings}, view),
        }
        for view, image in reading.study.images.items()
        if image.grid.ndim == 2
    }


def _sites(units: Path, view: str) -> dict[str, Polygons]:
    return _sites_cached(units, units.stat().st_mtime_ns, view)


@lru_cache(maxsize=128)
def _sites_cached(units: Path, changed: int, view: str) -> dict[str, Polygons]:
    places = {place.site: place.region for place in units_at(units, changed) if place.region is not None}
    joined = {site: united([places[u] for u in members if u in places], view) for site, members in SIOPEN.items()}
    return {site: polygons(part) for site, part in joined.items() if part is not None}


def _each(regions: Mapping[str, Region], view: str) -> dict[str, Polygons]:
    return {name: polygons(part) for name, region in regions.items() if (part := region.on(view)) is not None}


def united(regions: Sequence[Region], view: str) -> Part | None:
    """One Part of all that these regions hold on a view; None where they hold nothing."""
    parts = [part for region in regions if (part := region.on(view)) is not None]
    if not parts:
        return None
    ends = np.max([np.add(part.offset, part.mask.shape) for part in parts], axis=0)
    whole: NDArray[np.bool_] = np.zeros(tuple(ends), dtype=bool)
    for part in parts:
        whole[part.box] |= part.mask
    return Part.from_mask(view, whole)


@lru_cache(maxsize=4096)
def polygons(part: Part) -> Any:
    """Outer outlines of a Part, half-way between pixel centres inside and outside (up to `_SMOOTH`); holes filled."""
    padded = np.pad(part.mask, 1).astype(float)
    contours = find_contours(padded, 0.5, fully_connected="high", positive_orientation="low")
    origin = np.asarray(part.offset) - 0.5
    return [
        [(round(float(c), 2), round(float(r), 2)) for r, c in approximate_polygon(contour, _SMOOTH) + origin]
        for contour in contours
        if _signed_area(contour) < 0
    ]


def _signed_area(contour: NDArray[np.float64]) -> float:
    row, column = contour[:, 0], contour[:, 1]
    return float(0.5 * np.sum(row[:-1] * column[1:] - row[1:] * column[:-1]))
