"""Uptake on planar mIBG views: foci and diffuse areas of the skeleton, with organs set apart.

Hot places (`planar_spots`) in an organ's zone are set aside. Of the others, small ones are foci, and a focus
seen in both views is one finding; large ones are patches, measured as the stretch of bone that they involve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage
from skimage.morphology import disk

from osteoscope.domain.finding import Finding, FindingKind, Point, Region, SetAside
from osteoscope.domain.reading import MappedSite
from osteoscope.domain.study import Study
from osteoscope.find.detection import Detection
from osteoscope.find.planar_body import Array, Mask
from osteoscope.find.planar_evidence import focus_confidence, patch_confidence
from osteoscope.find.planar_spots import Spot, find_spots
from osteoscope.find.planar_square import aside_moved, finding_moved, site_moved, squared
from osteoscope.find.planar_unfit import refuse_unfit
from osteoscope.find.planar_views import SpotOptions, View, prepare


@dataclass(frozen=True)
class UptakeOptions:
    """Choices of what a hot place is called (engineering choices, no published source); lengths in mm.

    Args:
        spots: of the search for hot places.
        least_confidence: what is less sure is not reported.
        same: a focus is the same in both views within this distance.
        beside: hot bone may lie so far beside the site map, for a long bone and for a flat one.
        involved: bone is involved above this share of the median contrast of its patch.
        least_involved: and above this contrast.
        gap: uninvolved stretches of a long bone shorter than this are counted in.
        sternum: a midline focus brighter by this factor in front than behind is in the sternum.
    """

    spots: SpotOptions = field(default_factory=SpotOptions)
    least_confidence: float = 0.1
    same: float = 20.0
    beside: tuple[float, float] = (8.0, 11.0)
    involved: float = 0.25
    least_involved: float = 0.25
    gap: float = 16.0
    sternum: float = 1.3


def find_uptake(study: Study, mapped: tuple[MappedSite, ...], options: UptakeOptions | None = None) -> Detection:
    """Skeletal foci and diffuse areas, soft-tissue disease, and physiological uptake set aside.

    Args:
        study: planar views; the tracer is taken to be mIBG.
        mapped: the site map of the study, from `planar_segments` or any other maker.
        options: see `UptakeOptions`.

    Returns:
        Nothing where no unit can be assessed.

    Raises:
        UnsuitableStudyError: no unit can be assessed, for one reason.
    """
    refuse_unfit(mapped)
    if not any(site.status == "assessed" for site in mapped):
        return Detection(())
    square = squared(study)
    found = _find(square, tuple(site_moved(site, study, square) for site in mapped), options or UptakeOptions())
    return Detection(
        tuple(finding_moved(one, square, study) for one in found.findings),
        tuple(aside_moved(aside, square, study) for aside in found.set_aside),
    )


def _find(study: Study, mapped: tuple[MappedSite, ...], chosen: UptakeOptions) -> Detection:
    views = [view for name in study.images if (view := prepare(study, mapped, name, chosen.spots))]
    spots = [spot for view in views for spot in find_spots(view, chosen.spots)]
    lesions = [spot for spot in spots if spot.organ is None]
    patches = _patches([s for s in lesions if s.is_large(chosen.spots)], chosen)
    foci = _foci([s for s in lesions if not s.is_large(chosen.spots)], chosen)
    drafts = [*patches, *(focus for focus in foci if not _within(focus, patches))]
    drafts = [draft for draft in drafts if draft.confidence >= chosen.least_confidence]
    aside = [(organ, view, mask) for view in views for organ, mask in view.organs.items()]
    aside += [(spot.organ, spot.view, spot.mask) for spot in spots if spot.organ]
    return Detection(
        tuple(_finding(study, f"F{n}", draft) for n, draft in enumerate(drafts, start=1)),
        tuple(SetAside(organ, "physiological uptake", Region((view.part(mask),))) for organ, view, mask in aside),
    )


@dataclass(frozen=True, eq=False)
class _Draft:
    """A finding in the making: its elements on each view."""

    site: str
    kind: FindingKind
    confidence: float
    masks: tuple[tuple[View, Mask], ...]


def _finding(study: Study, name: str, draft: _Draft) -> Finding:
    parts = tuple(view.part(mask) for view, mask in draft.masks)
    centre = Point.centre_of(parts[0], study.images[parts[0].image].grid)
    return Finding(name, draft.site, draft.kind, draft.confidence, Region(parts), centre)


def _within(focus: _Draft, patches: Sequence[_Draft]) -> bool:
    """Whether a focus is a part of a patch of its own bone that is no less sure."""
    return any(
        patch.site == focus.site
        and patch.confidence >= focus.confidence
        and view is other
        and bool((mask & area).any())
        for patch in patches
        for view, mask in focus.masks
        for other, area in patch.masks
    )


def _foci(spots: Sequence[Spot], options: UptakeOptions) -> list[_Draft]:
    left = sorted(spots, key=lambda spot: -spot.contrast)
    found = []
    while left:
        spot = left.pop(0)
        twins = [other for other in left if _apart(spot, other) <= options.same]
        pair = [spot, *sorted(twins, key=lambda other: _apart(spot, other))[:1]]
        left = [other for other in left if other not in pair]
        masks = tuple((s.view, s.mask) for s in pair)
        site = _site(pair, options)
        found.append(_Draft(site, "focal", focus_confidence(site, pair), masks))
    return found


def _apart(spot: Spot, other: Spot) -> float:
    """Distance in mm of two places on different views; infinite on the same one or without coordinates."""
    if spot.view is other.view or spot.place is None or other.place is None:
        return float("inf")
    return float(np.hypot(spot.place[0] - other.place[0], spot.place[1] - other.place[1]))


def _site(pair: Sequence[Spot], options: UptakeOptions) -> str:
    site = pair[0].unit(options.spots)
    cage = pair[0].view.units.get("thoracic_cage")
    if site != "thoracic_spine" or cage is None or not cage[pair[0].peak]:
        return site
    seen = {spot.view.name: spot.contrast for spot in pair}
    front, back = (seen.get(view, options.spots.contrast) for view in ("anterior", "posterior"))
    return "thoracic_cage" if front > options.sternum * back else site


def _patches(spots: Sequence[Spot], options: UptakeOptions) -> list[_Draft]:
    by_unit: dict[str, list[Spot]] = {}
    for spot in spots:
        for unit in spot.units(options.spots):
            by_unit.setdefault(unit, []).append(spot)
    return [_patch(unit, members, options) for unit, members in by_unit.items()]


def _patch(unit: str, spots: Sequence[Spot], options: UptakeOptions) -> _Draft:
    masks = []
    for view in {spot.view.name: spot.view for spot in spots}.values():
        own = np.any([spot.mask for spot in spots if spot.view is view], axis=0)
        masks.append((view, involved(view, unit, own, options)))
    return _Draft(unit, "diffuse", patch_confidence(unit, spots, masks), tuple(masks))


def involved(view: View, unit: str, patch: Mask, options: UptakeOptions) -> Mask:
    """Bone of a unit that a patch involves: of long bones and spine whole stretches, of flat ones areas."""
    bone = view.units.get(unit)
    if bone is None or not bone.any():
        return patch
    limit = max(options.least_involved, options.involved * float(np.median(view.contrast[patch])))
    beside = options.beside["limb" not in unit and "spine" not in unit]
    if beside == options.beside[0]:
        found = _stretches(view, bone, limit, options)
    else:
        reach = disk(max(1, round(beside / view.counts.element)))
        found = bone & (ndimage.grey_dilation(view.contrast, footprint=reach) >= limit)
    return found if found.any() else patch


def _stretches(view: View, bone: Mask, limit: float, options: UptakeOptions) -> Mask:
    element = view.counts.element
    cells = np.argwhere(bone)
    centre = cells.mean(axis=0)
    axis = np.linalg.eigh(np.cov((cells - centre).T))[1][:, -1]
    around = np.argwhere((ndimage.distance_transform_edt(~bone) * element <= options.beside[0]) & view.counts.body)
    step = max(4.0 / element, 1.0)
    low = ((cells - centre) @ axis).min()

    def level(places: Array) -> Array:
        return np.asarray(np.floor(((places - centre) @ axis - low) / step))

    own, near = (level(places.astype(float)).astype(int) for places in (cells, around))
    kept = (near >= 0) & (near <= own.max())
    highest = np.zeros(own.max() + 1)
    np.maximum.at(highest, near[kept], view.contrast[tuple(around[kept].T)])
    gap = max(1, round(options.gap / 2 / (step * element)))
    stretch = ndimage.binary_closing(np.pad(highest >= limit, gap), iterations=gap)[gap:-gap]
    found = np.zeros_like(bone)
    found[tuple(cells[stretch[own]].T)] = True
    return found
