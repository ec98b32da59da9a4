"""Scores of a Reading after edits; what the edits did not touch stays as it was.

A level is counted from the findings by the ladder, since a person vouches for them, or is the one set by hand; Curie
levels follow from SIOPEN levels set by hand where those say enough, and are counted again, or left open, where they
no longer do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from osteoscope.deliver.review.by_hand import by_hand_of, emptied, is_emptied, levelled, set_by_hand
from osteoscope.deliver.review.counting import Counter, options_of
from osteoscope.deliver.review.draft import SITES, Draft
from osteoscope.deliver.review.following import Members, contradicted, followed, hidden_units, stated, stirred
from osteoscope.deliver.review.notes import SOFT_TISSUE, noted
from osteoscope.deliver.review.remeasured import remeasured
from osteoscope.deliver.review.totals import total_after
from osteoscope.domain.anatomy import CURIE, siopen_members
from osteoscope.domain.reading import Gap, SiteReading
from osteoscope.stats.new_sites_by_hand import FOLLOWS

_BY_HAND = "set its level by hand"


def rescored(draft: Draft) -> Draft:
    """The draft with sites, measures and gaps as they come out."""
    return _planar(draft) if draft.base.study.kind == "nm-planar" else remeasured(draft)


def _planar(draft: Draft) -> Draft:
    options = options_of(draft.base)
    tables: Mapping[str, Members] = {"siopen": siopen_members(options.sacrum), "curie": CURIE}
    scoring = _Scoring(draft, tables, Counter(draft, options, hidden_units(draft.by_hand, tables["siopen"])))
    sites, gaps = scoring.scored()
    if draft.note is not None:
        sites[SOFT_TISSUE] = noted(sites.get(SOFT_TISSUE) or SiteReading(SOFT_TISSUE, "not_assessable"), draft)
    gaps = (*_standing(draft, sites, gaps), *gaps)
    said = tuple(_supported(one, draft, tables) for one in sites.values())
    if not scoring.touches(sites):
        return replace(draft, sites=said, measures=draft.base.measures, gaps=gaps)
    others = tuple(m for m in draft.base.measures if m.name not in {"siopen_total", "curie_total"})
    totals = tuple(t for score in SITES if (t := total_after(draft, score, sites)) is not None)
    return replace(draft, sites=said, measures=(*totals, *others), gaps=gaps)


@dataclass(frozen=True, eq=False)
class _Scoring:
    """Levels of both scores.

    Args:
        draft: what was edited.
        tables: units of each segment and region, by score; SIOPEN first, since Curie levels follow from it.
        counter: of levels.
    """

    draft: Draft
    tables: Mapping[str, Members]
    counter: Counter

    def scored(self) -> tuple[dict[str, SiteReading], tuple[Gap, ...]]:
        by_hand, members = self.draft.by_hand, self.tables["siopen"]
        sites = stated({said.site: said for said in self.draft.base.sites}, by_hand, self.tables)
        gaps: list[Gap] = []
        for score, table in self.tables.items():
            follows = followed(sites, by_hand, members) if score == "curie" else {}
            for site, units in table.items():
                if site in sites:
                    sites[site], missed = self._counted(sites[site], score, units, site in follows)
                    gaps += missed
                if (score, site) in by_hand:
                    sites[site] = set_by_hand(sites, (score, site), by_hand)
                elif site in follows:
                    sites[site] = levelled(sites[site], follows[site])
        for region, people in list(contradicted(sites, by_hand, members)):
            if region in self._stirred:
                sites[region] = emptied(sites[region], ("curie",))
                reason = f"its level does not go with the SIOPEN levels set by {' and '.join(people)}: {_BY_HAND}"
                gaps = [*(g for g in gaps if (g.where, g.step) != (region, "curie")), Gap(region, "curie", reason)]
        return sites, tuple(gaps)

    def touches(self, sites: Mapping[str, SiteReading]) -> bool:
        """Whether findings or levels are others than in the base."""
        if self._changed or self.draft.by_hand != by_hand_of(self.draft.base):
            return True
        return any(
            said.measure(score) != sites[said.site].measure(score) for said in self.draft.base.sites for score in SITES
        )

    def _counted(
        self, said: SiteReading, score: str, units: Sequence[str], follows: bool
    ) -> tuple[SiteReading, list[Gap]]:
        """A site counted where edits ask for it; a gap where that cannot be and no level is set or follows."""
        level = self.draft.by_hand.get((score, said.site))
        if level is not None and level.value is None:
            return said, []
        is_open = level is None and not follows
        edited, lost = self._edited(units), is_open and self._lost(said, score, units)
        if not edited and not lost:
            return said, []
        made = (self.counter.edited if edited else self.counter.again)(said, score, units)
        if made is not None or not is_open or is_emptied(said):
            return made or said, []
        what = "findings were edited" if edited else "what its level rested on was changed"
        reason = f"{what} by {self.draft.person}, and the segment cannot be scored again: {_BY_HAND}"
        return emptied(said, (score,)) if lost else said, [Gap(said.site, score, reason)]

    def _lost(self, said: SiteReading, score: str, units: Sequence[str]) -> bool:
        """Whether a level rests on what no longer stands (what it followed from, other hidden units), or was taken."""
        level, before = said.measure(score), self.draft.base.site(said.site)
        if level is not None:
            return level.method.startswith(FOLLOWS) or (score == "curie" and bool(self._turned & set(units)))
        reopened = before is not None and before.status != "assessed" and said.status == "assessed"
        told = any((g.where, g.step) == (said.site, score) and _is_open(g) for g in self.draft.base.gaps)
        return reopened or (told and said.site in self._stirred)

    def _edited(self, units: Sequence[str]) -> bool:
        return not self._changed.isdisjoint(units)

    @cached_property
    def _changed(self) -> frozenset[str]:
        """Units with findings that were edited."""
        return frozenset(f.site for f in self.draft.changed("confidence", "region"))

    @cached_property
    def _stirred(self) -> frozenset[str]:
        """Segments and regions of bone with findings or levels set by hand that are others than in the base."""
        before = by_hand_of(self.draft.base)
        return stirred(before, self.draft.by_hand, self._changed, self.tables["siopen"])

    @cached_property
    def _turned(self) -> frozenset[str]:
        """Units that were hidden, by a person, in the base and are not now, or the other way round."""
        return hidden_units(by_hand_of(self.draft.base), self.tables["siopen"]) ^ self.counter.hidden


def _is_open(gap: Gap) -> bool:
    return gap.reason.endswith(_BY_HAND)


def _standing(draft: Draft, sites: Mapping[str, SiteReading], new: Sequence[Gap]) -> tuple[Gap, ...]:
    """The gaps of the base without those that asked for a level which has been given, counted or asked for anew."""
    asked = {(gap.step, gap.where) for gap in new} | draft.by_hand.keys()
    return tuple(
        gap
        for gap in draft.base.gaps
        if not _is_open(gap) or ((gap.step, gap.where) not in asked and _is_as_before(draft, sites, gap))
    )


def _is_as_before(draft: Draft, sites: Mapping[str, SiteReading], gap: Gap) -> bool:
    before, now = draft.base.site(gap.where), sites.get(gap.where)
    if before is None or now is None:
        return True
    return not is_emptied(now) and before.measure(gap.step) == now.measure(gap.step)


def _supported(said: SiteReading, draft: Draft, tables: Mapping[str, Members]) -> SiteReading:
    units = {unit for table in tables.values() for unit in table.get(said.site, ())}
    return replace(said, evidence=tuple(f.id for f in draft.findings if f.site in units))
