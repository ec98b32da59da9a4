"""Totals of a planar Reading after edits."""

from __future__ import annotations

from collections.abc import Mapping

from osteoscope.deliver.review.draft import SITES, TOPS, Draft
from osteoscope.domain.finding import Measure
from osteoscope.domain.reading import SiteReading
from osteoscope.stats.score_totals import total


def total_after(draft: Draft, score: str, sites: Mapping[str, SiteReading]) -> Measure | None:
    """The sum of the levels of a score; None where there is none.

    Its interval is that of the levels that stayed, as the base combines them, with the ends of those that edits
    touched, which are bounds and so are added whole; a segment without a level adds its whole range.
    """
    now = {place: sites[place].measure(score) if place in sites else None for place in SITES[score]}
    levels = [level for level in now.values() if level is not None]
    if not levels:
        return None
    before = {place: said.measure(score) if (said := draft.base.site(place)) else None for place in now}
    stayed = [place for place in now if now[place] == before[place]]
    rest = total(draft.base, score, stayed, TOPS[score])
    touched = [now[place] for place in now if place not in stayed]
    ends = [(0, TOPS[score]) if level is None else level.interval or (level.value, level.value) for level in touched]
    low, high = (float(sum(end)) for end in zip(rest.range, *ends, strict=True))
    value = sum(level.value for level in levels)
    method = f"sum of {len(levels)} of {len(now)} segments, read by {draft.person}"
    return Measure(f"{score}_total", value, "{score}", method, (low, high) if low < high else None)
