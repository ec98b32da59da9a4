"""Scores of a Reading after edits; what the edits did not touch stays as it was.

A level is counted from the findings by the ladder, since a person vouches for them, or is the one set by hand; Curie
levels follow from SIOPEN levels set by hand where those say enough. Levels of a person carry no interval: the chances
behind the program's intervals are not his.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from osteoscope.deliver.review.by_hand import by_hand_of, levelled, set_by_hand
from osteoscope.deliver.review.draft import SITES, TOPS, Draft, blank_study
from osteoscope.deliver.review.notes import SOFT_TISSUE, noted
from osteoscope.deliver.review.remeasured import remeasured
from osteoscope.domain.anatomy import CURIE, siopen_members
from osteoscope.domain.finding import Measure
from osteoscope.domain.reading import Case, Gap, Reading, SiteReading
from osteoscope.measure.score import curie, siopen
from osteoscope.measure.score_choices import chosen, stated
from osteoscope.measure.score_extent import counting_from
from osteoscope.measure.score_follow import curie_of_siopen
from osteoscope.measure.score_tables import ScoreOptions
from osteoscope.stats.new_sites_by_hand import FOLLOWS

_SCORERS = {"siopen": siopen, "curie": curie}
COUNTED_FROM = "counted_from"


def rescored(draft: Draft) -> Draft:
    """The draft with sites, measures and gaps as they come out."""
    return _planar(draft) if draft.base.study.kind == "nm-planar" else remeasured(draft)


def _case(draft: Draft) -> Case:
    """The Case to measure on; values of the images are not looked at by scores and sizes."""
    return Case(blank_study(draft.base.study), draft.ground.units, draft.findings, draft.set_aside)


def counted_from(base: Reading) -> float:
    """The confidence from which findings count, as for the program's Reading: a person's are all sure, and move none.

    Kept in the settings of what a person makes of it (`COUNTED_FROM`), so that amendments count alike.
    """
    settings = base.provenance.settings
    if COUNTED_FROM in settings:
        return float(settings[COUNTED_FROM])
    return counting_from(Case(blank_study(base.study), (), base.findings), chosen(stated(settings)))


def _options(draft: Draft) -> ScoreOptions:
    """The choices that the base was scored under, with its threshold: an edit in one segment moves no other."""
    options, threshold = chosen(stated(draft.base.provenance.settings)), counted_from(draft.base)
    return replace(
        options, level="counted", accepted=threshold, accepted_beside=threshold, accepted_throughout=threshold
    )


def _planar(draft: Draft) -> Draft:
    case = _case(draft)
    options = _options(draft)
    members: Mapping[str, Mapping[str, tuple[str, ...]]] = {"siopen": siopen_members(options.sacrum), "curie": CURIE}
    sites = {said.site: said for said in draft.base.sites}
    gaps: list[Gap] = []
    changed = {f.site for f in draft.changed("confidence", "region")}
    for score, scored in members.items():
        for site, units in scored.items():
            if site in sites and changed & set(units):
                sites[site], missed = _again(draft, case, sites[site], (score, units, options))
                gaps += [gap for gap in missed if (score, site) not in draft.by_hand]
    for (score, site), level in draft.by_hand.items():
        sites[site] = set_by_hand(sites.get(site) or SiteReading(site, "assessed"), score, level)
    followed = {region: (level, who) for region, level, who in _followed(draft, sites, members["siopen"])}
    for region, (number, who) in followed.items():
        sites[region] = levelled(sites[region], "curie", number, f"{FOLLOWS}{who}")
    gaps = [gap for gap in gaps if gap.step != "curie" or gap.where not in followed]
    if draft.note is not None:
        sites[SOFT_TISSUE] = noted(sites.get(SOFT_TISSUE) or SiteReading(SOFT_TISSUE, "not_assessable"), draft)
    said = tuple(_supported(one, draft, members) for one in sites.values())
    if not changed and draft.by_hand == by_hand_of(draft.base):
        return replace(draft, sites=said, measures=draft.base.measures)
    others = tuple(m for m in draft.base.measures if m.name not in {"siopen_total", "curie_total"})
    totals = tuple(t for score in SITES if (t := _total(draft, score, said)) is not None)
    return replace(draft, sites=said, measures=(*totals, *others), gaps=tuple(gaps))


def _again(
    draft: Draft, case: Case, said: SiteReading, what: tuple[str, Sequence[str], ScoreOptions]
) -> tuple[SiteReading, list[Gap]]:
    """A site scored again from its findings; as it was, with a gap, where the outlines of its units are not known."""
    score, _, options = what
    made = _SCORERS[score](case, said.site, options) if said.status == "assessed" else ()
    if not made:
        reason = (
            f"findings were edited by {draft.person}, and the segment cannot be scored again: set its level by hand"
        )
        return said, [Gap(said.site, score, reason)]
    others = tuple(m for m in said.measures if not m.name.startswith(score))
    mine = tuple(
        replace(m, interval=None, method=f"{m.method}, findings edited by {draft.person}")
        for m in made
        if m.name != f"{score}_probability"
    )
    return replace(said, measures=(*others, *mine)), []


def _followed(
    draft: Draft, sites: Mapping[str, SiteReading], members: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, int, str]]:
    """Curie regions, not set by hand themselves, whose level follows from SIOPEN levels set by hand; and by whom."""
    levels = {s: _whole(said.measure("siopen")) for s, said in sites.items()}
    by_hand = {site: level.by for (score, site), level in draft.by_hand.items() if score == "siopen"}
    for region, (level, segments) in curie_of_siopen(levels, members).items():
        people = {by_hand[segment] for segment in segments if segment in by_hand}
        if region in sites and people and ("curie", region) not in draft.by_hand:
            yield region, level, " and ".join(sorted(people))


def _whole(level: Measure | None) -> int | None:
    return None if level is None else round(level.value)


def _supported(said: SiteReading, draft: Draft, members: Mapping[str, Mapping[str, tuple[str, ...]]]) -> SiteReading:
    units = {unit for scored in members.values() for unit in scored.get(said.site, ())}
    return replace(said, evidence=tuple(f.id for f in draft.findings if f.site in units))


def _total(draft: Draft, score: str, sites: Sequence[SiteReading]) -> Measure | None:
    """The sum of the levels; a segment without one adds its whole range to the interval."""
    levels = [m for said in sites if said.site in SITES[score] and (m := said.measure(score)) is not None]
    if not levels:
        return None
    value, number = sum(m.value for m in levels), len(SITES[score])
    unseen = (number - len(levels)) * TOPS[score]
    method = f"sum of {len(levels)} of {number} segments, read by {draft.person}"
    return Measure(f"{score}_total", value, "{score}", method, (value, value + unseen) if unseen else None)
