"""SIOPEN and Curie scores of a planar mIBG study, both from one list of findings.

A segment's level follows from the number of discrete foci and from the fraction of its silhouette that diffuse
findings cover (`score_tables`). The fraction is taken in each view and the larger one kept: bone that is
attenuated away in one view is judged in the other. Where it is asked for (`ScoreOptions.level`), the level of least
expected cost takes the place of the counted one (`level_head`).

Interval of a level: the central 90 % of its distribution (`score_chance`), up to the top level where part of the
segment, or of one of its units, is not on the images or is hidden. Interval of a total: that of the sum, as if segments
erred independently, widened since they do not (`ScoreOptions.together`), and the whole range of each segment without a
level on top. They are as good as the confidences of the findings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from osteoscope.domain.anatomy import site
from osteoscope.domain.finding import Measure
from osteoscope.domain.in_part import is_whole
from osteoscope.domain.reading import Case
from osteoscope.measure.level_head import least_costly, level_head, signs_of
from osteoscope.measure.score_chance import Chances, level_chances, range_of
from osteoscope.measure.score_extent import COMPARTMENT_ROWS, Extent, counting_from, extent
from osteoscope.measure.score_tables import SCHEME_NAMES, Scheme, ScoreOptions, scheme

_DEFAULT = ScoreOptions()
# How the method of a level ends that is not the counted one.
_WEIGHED = "of least expected cost by all findings of the child"


def siopen(case: Case, segment: str, options: ScoreOptions = _DEFAULT) -> tuple[Measure, ...]:
    """SIOPEN level 0-6 of a segment.

    Returns:
        "siopen" in {score}, then what it follows from: "siopen_foci" and "siopen_diffuse_fraction" in 1, and how
        likely the level is right: "siopen_probability" in 1; "siopen_counted" in {score} where another level than the
        counted one is given.
        Nothing where the site is no SIOPEN segment or none of it can be assessed.

    Raises:
        InvalidValueError: the id names no site.
    """
    return _segment(case, segment, scheme("siopen", options), options)


def curie(case: Case, region: str, options: ScoreOptions = _DEFAULT) -> tuple[Measure, ...]:
    """Curie level 0-3 of a region, "soft_tissue" included; else as `siopen`.

    Level 3 of soft tissue is disease over more than half of the chest or of the abdomen.
    """
    return _segment(case, region, scheme("curie", options), options)


def totals(case: Case, options: ScoreOptions = _DEFAULT) -> tuple[Measure, ...]:
    """Totals "siopen_total" (0-72) and "curie_total" (0-30) of ``case.sites``.

    A segment without a level (absent, "not_acquired", "not_assessable") adds nothing to the value and its
    whole range to the interval, and the method says how many were assessed. No total where none was.
    """
    found = (_total(case, scheme(name, options), options) for name in SCHEME_NAMES)
    return tuple(total for total in found if total)


def _segment(case: Case, segment: str, table: Scheme, options: ScoreOptions) -> tuple[Measure, ...]:
    units = table.members.get(site(segment).id, ())
    seen = _seen(case, units)
    if not seen.assessed:
        return ()
    found = extent(case, units, counting_from(case, options), options)
    counted = _level(table, found)
    chances = _chances(case, segment, table, options)
    level = counted
    if options.level == "likeliest":
        level = least_costly(chances, counted, signs_of(case.findings, table, segment, found.fraction))
    low, high = range_of(chances, level)
    interval = (low, high if seen.complete else table.top)
    ladder = f"{table.name} ladder" + (f", {_WEIGHED}" if level != counted else "")
    rule = ", ".join(filter(None, (ladder, seen.in_words)))
    area = f"diffuse findings over the silhouette of the {options.denominator}, larger of the views"
    return (
        Measure(table.name, level, "{score}", rule, interval),
        Measure(f"{table.name}_foci", found.foci, "1", "discrete foci"),
        Measure(f"{table.name}_diffuse_fraction", found.fraction, "1", area),
        Measure(f"{table.name}_probability", round(float(chances[level]), 3), "1", "chance that this is the level"),
        *([Measure(f"{table.name}_counted", counted, "{score}", f"{table.name} ladder")] if level != counted else []),
    )


def _chances(case: Case, segment: str, table: Scheme, options: ScoreOptions) -> Chances:
    """Of each level: by counting, or weighed with all findings of the child."""
    units = table.members[segment]
    counted = level_chances(case, units, table, options)
    if options.level == "counted":
        return counted
    fraction = extent(case, units, counting_from(case, options), options).fraction
    return level_head().scores[table.name].chances(counted, signs_of(case.findings, table, segment, fraction))


def _level(table: Scheme, found: Extent) -> int:
    sites = found.foci + (found.patches if table.patch_is_site else 0)
    return table.level(sites, found.fraction)


@dataclass(frozen=True)
class _Seen:
    """Units of a segment: how many are assessed, how many of them as a whole, and how many there are."""

    assessed: int
    whole: int
    wanted: int

    @property
    def complete(self) -> bool:
        return self.whole == self.wanted

    @property
    def in_words(self) -> str:
        missing = f"{self.assessed} of {self.wanted} units assessed" if self.assessed < self.wanted else ""
        part = self.assessed - self.whole
        return ", ".join(filter(None, (missing, f"{part} of {self.wanted} units seen in part" if part else "")))


def _seen(case: Case, units: Sequence[str]) -> _Seen:
    wanted = COMPARTMENT_ROWS if "soft_tissue" in units else units
    places = [case.place(unit) for unit in wanted]
    assessed = sum(1 for place in places if place and place.status == "assessed")
    return _Seen(assessed, sum(map(is_whole, places)), len(wanted))


def _total(case: Case, table: Scheme, options: ScoreOptions) -> Measure | None:
    readings = {reading.site: reading for reading in case.sites if reading.status == "assessed"}
    found = {segment: readings[segment].measure(table.name) for segment in table.members if segment in readings}
    levels = {segment: level.value for segment, level in found.items() if level}
    if not levels:
        return None
    value = sum(levels.values())
    chances = reduce(np.convolve, (_chances(case, s, table, options) for s in levels))
    ends = range_of(chances, value)
    low, high = (value + options.together * (end - value) for end in ends)
    unseen = (len(table.members) - len(levels)) * table.top
    rest = sum(table.top - level for segment, level in levels.items() if not _complete(case, table, segment))
    interval = (max(0, math.floor(low)), min(math.ceil(high) + unseen + rest, len(table.members) * table.top))
    method = f"sum of {len(levels)} of {len(table.members)} segments"
    return Measure(f"{table.name}_total", value, "{score}", method, interval)


def _complete(case: Case, table: Scheme, segment: str) -> bool:
    return _seen(case, table.members[segment]).complete
