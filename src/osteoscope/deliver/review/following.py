"""What SIOPEN levels set by hand say of the Curie regions of the same bone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from osteoscope.deliver.review.by_hand import (
    ByHand,
    assessed,
    following_empty,
    follows_empty,
    seen,
    set_by_hand,
    unseen,
)
from osteoscope.deliver.review.draft import TOPS, Level
from osteoscope.domain.anatomy import CURIE
from osteoscope.domain.finding import Measure
from osteoscope.domain.reading import SiteReading
from osteoscope.measure.score_follow import curie_of_siopen
from osteoscope.stats.new_sites_by_hand import FOLLOWS

Sites = Mapping[str, SiteReading]
Members = Mapping[str, Sequence[str]]

# SIOPEN: most that are foci alone, and a patch of less than half or more foci; Curie: several sites.
_FOCI, _OPEN, _SEVERAL = 3, 4, 2


def stated(sites: Sites, by_hand: ByHand, tables: Mapping[str, Members]) -> dict[str, SiteReading]:
    """The sites with the levels set by hand, and Curie regions assessed or not as those of SIOPEN say."""
    made = dict(sites)
    for score, site in by_hand:
        made[site] = set_by_hand(made, (score, site), by_hand, tables[score][site])
    for region, units in CURIE.items():
        if region in made:
            made[region] = _region(made[region], units, by_hand, tables["siopen"])
    return made


def _region(said: SiteReading, units: Sequence[str], by_hand: ByHand, members: Members) -> SiteReading:
    of_unit = {unit: level for unit in units if (level := _level_of(unit, by_hand, members)) is not None}
    given = [unit for unit, level in of_unit.items() if level.value is not None]
    hidden = [unit for unit, level in of_unit.items() if level.value is None]
    # A region of one unit is told by its own status.
    said = unseen(seen(said, given), hidden if len(units) > 1 else ())
    if ("curie", said.site) in by_hand:
        return said
    was_following = follows_empty(said, "curie")
    if len(hidden) == len(units):
        people = {level.by for level in of_unit.values()}
        return following_empty(said, "curie", people) if was_following or said.status == "assessed" else said
    return assessed(said, "curie") if was_following or len(given) == len(units) else said


def _level_of(unit: str, by_hand: ByHand, members: Members) -> Level | None:
    """The SIOPEN level set by hand of the segment that holds a unit."""
    return next((by_hand.get(("siopen", segment)) for segment, units in members.items() if unit in units), None)


def hidden_units(by_hand: ByHand, members: Members) -> frozenset[str]:
    """Units of the segments that were set to "not assessable"."""
    segments = (site for (score, site), level in by_hand.items() if score == "siopen" and level.value is None)
    return frozenset(unit for segment in segments for unit in members[segment])


def followed(sites: Sites, by_hand: ByHand, members: Members) -> dict[str, Measure]:
    """Levels of Curie regions, not set by hand themselves, that follow from SIOPEN levels set by hand; and by whom.

    Where a SIOPEN level that was not set by hand has an interval, the level has that which follows from its ends.
    """
    known = {s: m for s in members if s in sites and (m := sites[s].measure("siopen")) is not None}
    ends = {s: m.interval or (m.value, m.value) for s, m in known.items()}
    low, high = (curie_of_siopen({s: round(end[n]) for s, end in ends.items()}, members) for n in (0, 1))
    found = {}
    for region, (level, segments) in curie_of_siopen({s: round(m.value) for s, m in known.items()}, members).items():
        people = {by_hand["siopen", segment].by for segment in segments if ("siopen", segment) in by_hand}
        if region in sites and people and ("curie", region) not in by_hand:
            least = low[region][0] if region in low else 0
            most = high[region][0] if region in high else TOPS["curie"]
            interval = None if least == most else (min(least, level), max(most, level))
            found[region] = Measure("curie", level, "{score}", f"{FOLLOWS}{' and '.join(sorted(people))}", interval)
    return found


def contradicted(sites: Sites, by_hand: ByHand, members: Members) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Curie regions, neither set by hand nor following, whose levels the SIOPEN levels set by hand rule out; by whom.

    Three foci are three sites; level 4 is one site at least, and no patch over half. Regions that share a segment are
    judged by their sum, since the segment does not say which of them is diseased.
    """
    for segments, regions in same_bone(members):
        hand = {s: v for s in segments if (v := by_hand.get(("siopen", s))) and v.value is not None}
        given = [level.value for level in hand.values() if level.value is not None]
        there = [region for region in CURIE if region in regions and region in sites]
        levels = {r: m for r in there if (m := sites[r].measure("curie")) is not None}
        free = [r for r, m in levels.items() if ("curie", r) not in by_hand and not m.method.startswith(FOLLOWS)]
        if not given or not free:
            continue
        total = sum(m.value for m in levels.values())
        too_low = len(levels) == len(regions) and total < min(_SEVERAL, sum(v if v <= _FOCI else 1 for v in given))
        if too_low or total > _most(given, len(segments), len(regions)):
            people = tuple(sorted({level.by for level in hand.values()}))
            yield from ((region, people) for region in free)


def _most(given: Sequence[int], segments: int, regions: int) -> float:
    """The highest sum of Curie levels that these SIOPEN levels allow."""
    if len(given) == segments and max(given) <= _FOCI:
        return sum(given)
    return _SEVERAL if (segments, regions) == (1, 1) and given[0] == _OPEN else float("inf")


def same_bone(members: Members) -> list[tuple[frozenset[str], frozenset[str]]]:
    """SIOPEN segments and Curie regions that share bone, together, directly or by way of others."""
    found: list[tuple[frozenset[str], frozenset[str]]] = []
    for region, units in CURIE.items():
        segments = frozenset(segment for segment, own in members.items() if set(own) & set(units))
        meeting = [one for one in found if one[0] & segments]
        joined = (segments.union(*(s for s, _ in meeting)), frozenset({region}).union(*(r for _, r in meeting)))
        found = [*(one for one in found if one not in meeting), joined]
    return found


def stirred(before: ByHand, now: ByHand, edited: Collection[str], members: Members) -> frozenset[str]:
    """Segments and regions of bone with another level set by hand than before, or with these edited units."""
    other = {key[1] for key in before.keys() | now.keys() if before.get(key) != now.get(key)}
    other |= {region for region, units in CURIE.items() if not set(units).isdisjoint(edited)}
    bones = (segments | regions for segments, regions in same_bone(members))
    return frozenset[str]().union(*(bone for bone in bones if bone & other))
