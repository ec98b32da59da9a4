"""What the planar network's maps show of disease: drafts of findings, before they are laid on the views.

Foci are peaks of the heat map; diffuse disease is an area per unit; disease outside bone is parted between its peaks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from osteoscope.domain.finding import FindingKind
from osteoscope.find.model import shipped
from osteoscope.find.planar_canvas import Plane
from osteoscope.find.planar_maps import MODEL, UNITS, Maps
from osteoscope.find.planar_outlines import POOR_PAIRING
from osteoscope.find.planar_peaks import Peak, peaks

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class NetworkOptions:
    """Choices of what the maps are called (engineering choices, no published source).

    Args:
        silhouette: a pixel belongs to a unit from this chance on.
        poor_pairing: least overlap of the two outlines before the views are said not to match.
        area: a pixel is an organ, or a mass, from this chance on.
        faint_mass: a pixel may be a mass from this chance on, where no mass is likely beside it.
        involved: a pixel is diffusely involved from this chance on, over its chance of being bone at all.
        least_patch: a smaller share of a unit's silhouette is no diffuse disease.
        least_mass: elements at half resolution; a smaller area is no mass and no organ.
        masses_apart: elements at half resolution; disease outside bone is parted between peaks, each the highest of a
            square so wide.
        least_confidence: foci less sure are not reported.
        hidden: a unit with more of its silhouette under uptake that is no disease (bladder, contamination,
            extravasation) cannot be assessed, unless it lies before that on the posterior view, as the spine does.
        whole: a unit with a smaller share of it in the field is seen in part: what is out of the field is not known.
        clear: a hidden unit is assessed in part where a finding in it is at least so sure.
    """

    silhouette: float = 0.5
    poor_pairing: float = POOR_PAIRING
    area: float = 0.5
    faint_mass: float = 0.1
    involved: float = 0.3
    least_patch: float = 0.015
    least_mass: int = 6
    masses_apart: int = 5
    least_confidence: float = 0.1
    hidden: float = 0.8
    whole: float = 0.9
    clear: float = 0.5


@dataclass(frozen=True, eq=False)
class Draft:
    """A finding in the making: a mask in the anterior geometry, and the views that show it (none named: all)."""

    site: str
    kind: FindingKind
    confidence: float
    mask: Mask
    views: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def drafts(maps: Maps, options: NetworkOptions) -> tuple[Draft, ...]:
    """Patches, foci and masses of one study; kept, since site map and detection both ask for them."""
    return tuple(_drafted(maps, options))


def _drafted(maps: Maps, options: NetworkOptions) -> Iterator[Draft]:
    settings = shipped(MODEL).card.settings
    involved = {}
    for number, unit in enumerate(UNITS):
        patch = _patch(maps, number, options)
        if patch is not None:
            involved[unit] = patch
            # Its surest tenth: whether there is disease at all, not how sure its rim is.
            confidence = float(np.percentile(maps.diffuse[number][patch], 90))
            yield Draft(unit, "diffuse", confidence, _drawn(maps, number, options))
    for peak in peaks(maps, settings["focus"]):
        unit = UNITS[peak.unit]
        if unit in involved and ndimage.binary_dilation(involved[unit])[peak.half]:
            continue  # a hot place of a patch is no focus of its own
        if peak.confidence >= options.least_confidence:
            yield Draft(unit, "focal", peak.confidence, _around(maps, peak), peak.views)
    for mass in _masses(maps.soft_tissue, options):
        # Graded by its extent, like a patch: Curie's level 3 of soft tissue is one of area.
        yield Draft("soft_tissue", "diffuse", float(maps.soft_tissue[mass].mean()), full(maps, mass))


def _patch(maps: Maps, number: int, options: NetworkOptions) -> Mask | None:
    inside = maps.units[number] >= options.silhouette
    patch = inside & _involved(maps, number, options)
    return patch if patch.sum() >= max(options.least_mass, options.least_patch * inside.sum()) else None


def _involved(maps: Maps, number: int, options: NetworkOptions) -> Mask:
    """Where disease is likely against the chance of being bone at all, so that a patch reaches the rim of its bone."""
    return np.asarray(maps.diffuse[number] >= options.involved * maps.units[number])


def _drawn(maps: Maps, number: int, options: NetworkOptions) -> Mask:
    """The patch on the picture; the rim of the bone, lost to blur, goes with what lies beside it."""
    inside = maps.units[number] >= options.silhouette
    core = ndimage.binary_erosion(inside)
    nearest = ndimage.distance_transform_edt(
        ~(core if core.any() else inside), return_distances=False, return_indices=True
    )
    silhouette = maps.placing.draw(maps.units[number]) >= options.silhouette
    return silhouette & full(maps, _involved(maps, number, options)[tuple(nearest)])


def pieces(mask: Mask, least: int) -> Iterator[Mask]:
    """Its connected pieces of at least so many elements."""
    labels = cc3d.connected_components(mask.astype(np.uint8), connectivity=8)
    for number, size in enumerate(np.bincount(labels.ravel())[1:], start=1):
        if size >= least:
            yield labels == number


def _masses(chance: Plane, options: NetworkOptions) -> Iterator[Mask]:
    """Disease outside bone, parted between its peaks; what is nowhere likely stays in one piece."""
    for faint in pieces(chance >= options.faint_mass, options.least_mass):
        likely = tuple(pieces(faint & (chance >= options.area), options.least_mass))
        for area in likely:
            yield from _parted(chance, area, options.masses_apart)
        if not likely:
            yield faint


def _parted(plane: Plane, area: Mask, apart: int) -> Iterator[Mask]:
    """The area parted between its peaks: nodes of a chain that touch, and count, as several."""
    tops = area & (plane == ndimage.maximum_filter(plane, apart))
    marks, count = ndimage.label(tops, np.ones((3, 3)))
    inside = np.argwhere(area)
    nearest = cKDTree(ndimage.center_of_mass(tops, marks, range(1, count + 1))).query(inside)[1]
    for number in range(count):
        part = np.zeros_like(area)
        part[tuple(inside[nearest == number].T)] = True
        yield part


def full(maps: Maps, half: Mask) -> Mask:
    """A mask at half resolution on the picture."""
    return np.asarray(maps.placing.draw(half.astype(np.float32)) >= 0.5)


def _around(maps: Maps, peak: Peak) -> Mask:
    """A disc as wide as the focus looks."""
    row, column = maps.placing.fitting.on_picture(*peak.at)
    rows, columns = np.ogrid[: maps.placing.shape[0], : maps.placing.shape[1]]
    radius = max(1.5, peak.radius / maps.placing.fitting.scale)
    return np.asarray((rows - row) ** 2 + (columns - column) ** 2 <= radius**2)
