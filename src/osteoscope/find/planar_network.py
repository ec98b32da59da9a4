"""Site map and uptake of a planar mIBG study from the network's maps.

Foci are peaks of the heat map, one for both views together; diffuse disease is an area per unit; disease outside
bone and physiological uptake are areas of their own. How sure a focus is comes from a logistic model on the card; how
sure an area is, from the chances within it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from osteoscope.domain.finding import Finding, FindingKind, Point, Region, SetAside
from osteoscope.domain.reading import MappedSite, Status
from osteoscope.domain.study import Study
from osteoscope.find.detection import Detection
from osteoscope.find.model import shipped
from osteoscope.find.planar_canvas import LEAST_COUNTS, Plane, typical
from osteoscope.find.planar_maps import MODEL, UNITS, Maps, look
from osteoscope.find.planar_outlines import POOR_PAIRING
from osteoscope.find.planar_peaks import Peak, peaks
from osteoscope.find.planar_unfit import refuse_unfit, why_unfit
from osteoscope.find.planar_upright import partly

Mask = NDArray[np.bool_]

# Where uptake lies says which organ it may be; the network tells organs from disease, not from each other.
_ORGANS: Mapping[str, str] = {
    "skull": "salivary, lacrimal or nasal glands",
    "cervical_spine": "salivary glands or thyroid",
    "thoracic_cage": "heart, liver or lung",
    "thoracic_spine": "heart, liver or lung",
    "lumbar_spine": "liver, bowel, kidney or adrenal",
    "sacrum": "bowel or bladder",
    "pelvis": "bladder or bowel",
}
_SEEN_FROM_BEHIND = frozenset({"cervical_spine", "thoracic_spine", "lumbar_spine", "sacrum"})
# Simulated views hold 0.8 to 1.1 times the counts of each other.
_UNEQUAL = 0.65
_ELSEWHERE = "uptake outside of organs and bone"


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


def map_segments(study: Study, options: NetworkOptions = NetworkOptions()) -> tuple[MappedSite, ...]:
    """Every unit of `UNITS` on the views of a study, "not_acquired" where it is not on them.

    Raises:
        ModelError: the weights are missing or not those of their card.
    """
    maps = look(study)
    why = why_unfit(study, maps)
    if maps is None or why:
        return tuple(MappedSite(unit, None, "not_assessable", 0.0, (why,)) for unit in UNITS)
    notes = _notes(maps, options)
    return tuple(_site(maps, number, notes, options) for number in range(len(UNITS)))


def _site(maps: Maps, number: int, notes: tuple[str, ...], options: NetworkOptions) -> MappedSite:
    plane = maps.units[number]
    mask = maps.placing.draw(plane) >= options.silhouette
    parts = maps.placing.parts(mask, maps.counts)
    chance = float(maps.acquired[number])
    if not parts and chance >= 0.5:
        return MappedSite(UNITS[number], None, "not_assessable", chance, ("not recognised on the images", *notes))
    if chance < 0.5:
        cut = f"less than half of it lies in the field of view ({1 - chance:.0%} sure)"
        return MappedSite(UNITS[number], None, "not_acquired", max(chance, 1 - chance), (cut, *notes))
    inside = plane >= options.silhouette
    covered = float((maps.organs[inside] >= options.area).mean()) if inside.any() else 0.0
    hidden = covered > options.hidden and UNITS[number] not in _SEEN_FROM_BEHIND
    status: Status = "not_assessable" if hidden else "assessed"
    why = (f"{covered:.0%} of it lies under uptake that is no disease",) if covered > 0.5 else ()
    sure = float(plane[inside].mean()) if inside.any() else 0.0
    return MappedSite(UNITS[number], Region(parts), status, round(min(chance, sure), 3), (*why, *notes))


def _noisy(maps: Maps) -> str:
    most = max(maps.placing.noise.values(), key=lambda times: abs(np.log(times)), default=1.0)
    if most == 1:
        return ""
    if most < 1:
        return f"noise as of {1 / most:.1f} times more counts (pixels scaled down after the scan?)"
    why = "pixels scaled, added or enlarged after the scan"
    return f"noise as of {most:.1f} times fewer counts ({why}?): faint foci may be missed"


def _unequal(maps: Maps) -> str:
    levels = sorted((typical(counts), name) for name, counts in maps.counts.items())
    share = levels[0][0] / max(levels[-1][0], LEAST_COUNTS)
    if len(levels) < 2 or share >= _UNEQUAL:
        return ""
    return f"the {levels[0][1]} view holds {share:.0%} of the other's counts: faint foci may be missed"


def _notes(maps: Maps, options: NetworkOptions) -> tuple[str, ...]:
    agreement = maps.placing.agreement
    part = tuple(filter(None, (partly(maps), _noisy(maps), _unequal(maps))))
    if agreement is None:
        return ("one view only", *part)
    poor = (f"the outlines of the views overlap by {agreement:.0%} only",) if agreement < options.poor_pairing else ()
    return (*poor, *part)


def find_uptake(study: Study, mapped: tuple[MappedSite, ...], options: NetworkOptions = NetworkOptions()) -> Detection:
    """Skeletal foci and diffuse areas, soft-tissue disease, and physiological uptake set aside.

    Args:
        study: planar views; the tracer is taken to be mIBG.
        mapped: the site map of `map_segments`.
        options: see `NetworkOptions`.

    Raises:
        ModelError: the weights are missing or not those of their card.
        UnsuitableStudyError: no unit can be assessed, for one reason.
    """
    maps = look(study)
    refuse_unfit(mapped)
    assessed = {site.site for site in mapped if site.status == "assessed"}
    if maps is None or not assessed:
        return Detection(())
    assessed.add("soft_tissue")
    drafts = [draft for draft in _drafts(maps, options) if draft.site in assessed]
    findings = (_finding(study, maps, f"F{n}", draft) for n, draft in enumerate(drafts, start=1))
    return Detection(tuple(f for f in findings if f), tuple(_set_aside(maps, options)))


@dataclass(frozen=True, eq=False)
class _Draft:
    """A finding in the making: a mask in the anterior geometry, and the views that show it (none named: all)."""

    site: str
    kind: FindingKind
    confidence: float
    mask: Mask
    views: tuple[str, ...] = ()


def _drafts(maps: Maps, options: NetworkOptions) -> Iterator[_Draft]:
    settings = shipped(MODEL).card.settings
    involved = {}
    for number, unit in enumerate(UNITS):
        patch = _patch(maps, number, options)
        if patch is not None:
            involved[unit] = patch
            # Its surest tenth: whether there is disease at all, not how sure its rim is.
            confidence = float(np.percentile(maps.diffuse[number][patch], 90))
            yield _Draft(unit, "diffuse", confidence, _drawn(maps, number, options))
    for peak in peaks(maps, settings["focus"]):
        unit = UNITS[peak.unit]
        if unit in involved and ndimage.binary_dilation(involved[unit])[peak.half]:
            continue  # a hot place of a patch is no focus of its own
        if peak.confidence >= options.least_confidence:
            yield _Draft(unit, "focal", peak.confidence, _around(maps, peak), peak.views)
    for mass in _masses(maps.soft_tissue, options):
        # Graded by its extent, like a patch: Curie's level 3 of soft tissue is one of area.
        yield _Draft("soft_tissue", "diffuse", float(maps.soft_tissue[mass].mean()), _full(maps, mass))


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
    return silhouette & _full(maps, _involved(maps, number, options)[tuple(nearest)])


def _pieces(mask: Mask, least: int) -> Iterator[Mask]:
    labels = cc3d.connected_components(mask.astype(np.uint8), connectivity=8)
    for number, size in enumerate(np.bincount(labels.ravel())[1:], start=1):
        if size >= least:
            yield labels == number


def _masses(chance: Plane, options: NetworkOptions) -> Iterator[Mask]:
    """Disease outside bone, parted between its peaks; what is nowhere likely stays in one piece."""
    for faint in _pieces(chance >= options.faint_mass, options.least_mass):
        likely = tuple(_pieces(faint & (chance >= options.area), options.least_mass))
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


def _full(maps: Maps, half: Mask) -> Mask:
    return np.asarray(maps.placing.draw(half.astype(np.float32)) >= 0.5)


def _around(maps: Maps, peak: Peak) -> Mask:
    """A disc as wide as the focus looks."""
    row, column = maps.placing.fitting.on_picture(*peak.at)
    rows, columns = np.ogrid[: maps.placing.shape[0], : maps.placing.shape[1]]
    radius = max(1.5, peak.radius / maps.placing.fitting.scale)
    return np.asarray((rows - row) ** 2 + (columns - column) ** 2 <= radius**2)


def _finding(study: Study, maps: Maps, name: str, draft: _Draft) -> Finding | None:
    parts = maps.placing.parts(draft.mask, draft.views or maps.counts)
    if not parts:
        return None
    centre = Point.centre_of(parts[0], study.images[parts[0].image].grid)
    return Finding(name, draft.site, draft.kind, round(draft.confidence, 3), Region(parts), centre)


def _set_aside(maps: Maps, options: NetworkOptions) -> Iterator[SetAside]:
    for area in _pieces(maps.organs >= options.area, options.least_mass):
        mask = _full(maps, area)
        parts = maps.placing.parts(mask, maps.counts)
        if parts:
            over = maps.units[:, area].mean(axis=1)
            unit = UNITS[int(over.argmax())] if over.max() > 0.1 else ""
            yield SetAside(_ORGANS.get(unit, _ELSEWHERE), "physiological uptake", Region(parts))
