"""Site map and uptake of a planar mIBG study from the network's maps.

Foci are peaks of the heat map, one for both views together; diffuse disease is an area per unit; disease outside
bone and physiological uptake are areas of their own. How sure a focus is comes from a logistic model on the card; how
sure an area is, from the chances within it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from osteoscope.domain.anatomy import site as known_site
from osteoscope.domain.finding import Finding, Point, Region, SetAside
from osteoscope.domain.in_part import in_field, note_of_part
from osteoscope.domain.reading import MappedSite, Status
from osteoscope.domain.study import Study
from osteoscope.find.detection import Detection
from osteoscope.find.planar_body import frame
from osteoscope.find.planar_canvas import LEAST_COUNTS, typical
from osteoscope.find.planar_drafts import Draft, NetworkOptions, drafts, full, pieces
from osteoscope.find.planar_maps import UNITS, Maps, look
from osteoscope.find.planar_shares import shares
from osteoscope.find.planar_square import aside_moved, finding_moved, site_moved, squared
from osteoscope.find.planar_unfit import refuse_unfit, why_unfit
from osteoscope.find.planar_upright import partly

_DEFAULT = NetworkOptions()
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


def map_segments(study: Study, options: NetworkOptions = _DEFAULT) -> tuple[MappedSite, ...]:
    """Every unit of `UNITS` on the views of a study, "not_acquired" where it is not on them.

    A unit of which less than `NetworkOptions.whole` lies in the field, or which is hidden and shows a clear finding, is
    "assessed" with a note that it was seen in part (`osteoscope.domain.in_part`).

    Raises:
        ModelError: the weights are missing or not those of their card.
    """
    square = squared(study)
    maps, body = look(square), frame(square)
    why = why_unfit(square, maps)
    if maps is None or body is None or why:
        return tuple(MappedSite(unit, None, "not_assessable", 0.0, (why,)) for unit in UNITS)
    inside = shares(maps, body, options.silhouette)
    clear = {draft.site for draft in drafts(maps, options) if draft.confidence >= options.clear}
    notes = _notes(maps, options)
    sites = (
        _site(maps, number, _Seen(inside[unit], unit in clear, notes), options) for number, unit in enumerate(UNITS)
    )
    return tuple(site_moved(site, square, study) for site in sites)


@dataclass(frozen=True)
class _Seen:
    """Of a unit: its share in the field, whether a finding in it is clear; notes of the study."""

    share: float
    clear: bool
    notes: tuple[str, ...]


def _site(maps: Maps, number: int, seen: _Seen, options: NetworkOptions) -> MappedSite:
    unit, plane = UNITS[number], maps.units[number]
    mask = maps.placing.draw(plane) >= options.silhouette
    parts = maps.placing.parts(mask, maps.counts)
    chance = float(maps.acquired[number])
    if chance < 0.5:
        cut = f"less than half of it lies in the field of view ({1 - chance:.0%} sure)"
        return MappedSite(unit, None, "not_acquired", 1 - chance, (cut, *seen.notes))
    if not parts:
        return MappedSite(unit, None, "not_assessable", chance, ("not recognised on the images", *seen.notes))
    inside = plane >= options.silhouette
    covered = float((maps.organs[inside] >= options.area).mean()) if inside.any() else 0.0
    under = f"{covered:.0%} of it lies under uptake that is no disease"
    hidden = covered > options.hidden and unit not in _SEEN_FROM_BEHIND
    status: Status = "not_assessable" if hidden and not seen.clear else "assessed"
    part = (in_field(seen.share) if seen.share < options.whole else "") or (under if hidden else "")
    why = (note_of_part(unit, part),) if part and status == "assessed" else ()
    if covered > 0.5 and not (why and part == under):
        why = (*why, under.replace("it", f"the {known_site(unit).name}", 1))
    sure = float(plane[inside].mean()) if inside.any() else 0.0
    named = round(min(chance, sure), 3)
    return MappedSite(unit, Region(parts), status, named, (*why, *seen.notes))


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


def find_uptake(study: Study, mapped: tuple[MappedSite, ...], options: NetworkOptions = _DEFAULT) -> Detection:
    """Skeletal foci and diffuse areas, soft-tissue disease, and physiological uptake set aside.

    What lies in a unit that is not assessed is set aside too, since no level counts it.

    Args:
        study: planar views; the tracer is taken to be mIBG.
        mapped: the site map of `map_segments`.
        options: see `NetworkOptions`.

    Raises:
        ModelError: the weights are missing or not those of their card.
        UnsuitableStudyError: no unit can be assessed, for one reason.
    """
    square = squared(study)
    maps = look(square)
    refuse_unfit(mapped)
    if maps is None:
        return Detection(())
    status = {site.site: site.status for site in mapped}
    assessed = {unit for unit in status if status[unit] == "assessed"}
    counted = {*assessed, "soft_tissue"} if assessed else set[str]()
    shown = drafts(maps, options)
    numbered = enumerate((draft for draft in shown if draft.site in counted), start=1)
    findings = (_finding(square, maps, f"F{n}", draft) for n, draft in numbered)
    unread = (_unread(maps, draft, status.get(draft.site)) for draft in shown if draft.site not in counted)
    return Detection(
        tuple(finding_moved(found, square, study) for found in findings if found),
        tuple(aside_moved(aside, square, study) for aside in (*_set_aside(maps, options), *unread) if aside),
    )


def _finding(study: Study, maps: Maps, name: str, draft: Draft) -> Finding | None:
    parts = maps.placing.parts(draft.mask, draft.views or maps.counts)
    if not parts:
        return None
    centre = Point.centre_of(parts[0], study.images[parts[0].image].grid)
    return Finding(name, draft.site, draft.kind, round(draft.confidence, 3), Region(parts), centre)


def _unread(maps: Maps, draft: Draft, status: Status | None) -> SetAside | None:
    parts = maps.placing.parts(draft.mask, draft.views or maps.counts)
    where = draft.site.replace("_", " ")
    why = f"{where}: {(status or 'not_assessable').replace('_', ' ')}"
    return SetAside(f"uptake like disease ({draft.confidence:.0%} sure)", why, Region(parts)) if parts else None


def _set_aside(maps: Maps, options: NetworkOptions) -> Iterator[SetAside]:
    for area in pieces(maps.organs >= options.area, options.least_mass):
        mask = full(maps, area)
        parts = maps.placing.parts(mask, maps.counts)
        if parts:
            over = maps.units[:, area].mean(axis=1)
            unit = UNITS[int(over.argmax())] if over.max() > 0.1 else ""
            yield SetAside(_ORGANS.get(unit, _ELSEWHERE), "physiological uptake", Region(parts))
