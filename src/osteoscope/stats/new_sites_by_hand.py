"""What levels that a person set say of bone sites, whatever findings are listed beside them.

The review page sets a level and leaves the findings as they are: a level above 0 may have no finding, and a level of 0
one that the person does not believe.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from osteoscope.domain.anatomy import CURIE, SKELETAL_UNITS, siopen_members
from osteoscope.domain.finding import Measure
from osteoscope.domain.reading import Reading
from osteoscope.stats.lesion_matching import IdentityOptions

# How the method of a level begins that a person set, or that follows from such; his name comes next.
SET_BY, FOLLOWS = "set by ", "follows from SIOPEN levels set by "
_BONE = frozenset(SKELETAL_UNITS)


@dataclass(frozen=True)
class Raised:
    """A segment or region without uptake before, whose level now is a person's.

    Args:
        score, site, level: "siopen" or "curie", its id, its level now.
        sure: whether it had none before without doubt.
    """

    score: str
    site: str
    level: float
    sure: bool


@dataclass(frozen=True)
class _Place:
    score: str
    site: str
    units: frozenset[str]
    level: Measure

    @property
    def is_set(self) -> bool:
        return self.level.method.startswith(SET_BY)

    @property
    def by_hand(self) -> bool:
        return self.is_set or self.level.method.startswith(FOLLOWS)


def _places(reading: Reading) -> Iterator[_Place]:
    """Segments, then regions, that have a level."""
    sacrum: Literal["spine", "pelvis"] = "pelvis" if reading.provenance.settings.get("sacrum") == "pelvis" else "spine"
    for score, table in (("siopen", siopen_members(sacrum)), ("curie", CURIE)):
        for site, units in table.items():
            said = reading.site(site)
            level = said.measure(score) if said else None
            if level is not None:
                yield _Place(score, site, frozenset(units), level)


def denied_units(reading: Reading) -> frozenset[str]:
    """Units that a person said hold no uptake: findings listed there are no lesions."""
    denied = (p.units for p in _places(reading) if p.level.value == 0 and p.is_set)
    return frozenset[str]().union(*denied)


def set_units(reading: Reading) -> frozenset[str]:
    """Units of segments and regions whose level a person set: he answers for all of them, whatever the images show."""
    return frozenset[str]().union(*(p.units for p in _places(reading) if p.is_set))


def listed_units(reading: Reading, accepted: float) -> frozenset[str]:
    """Units with a finding of at least this confidence that nobody denied."""
    return frozenset(f.site for f in reading.findings if f.confidence >= accepted) - denied_units(reading)


def unlisted_units(reading: Reading, accepted: float) -> frozenset[str]:
    """Units of bone that a person said hold uptake, without a finding of at least this confidence that shows it."""
    places, listed = list(_places(reading)), listed_units(reading, accepted)
    free = frozenset[str]().union(*(p.units for p in places if p.level.value == 0))
    # One arm of both: a level that follows says nothing of the side without uptake.
    without = {True: denied_units(reading), False: free}
    said = (p.units - without[p.is_set] for p in places if p.by_hand and p.level.value > 0 and not p.units & listed)
    return frozenset[str]().union(*said) & _BONE


def raised(prior: Reading, current: Reading, told: Collection[str]) -> tuple[Raised, ...]:
    """Segments and bone regions from 0 to a level of a person, each bone once.

    Args:
        prior, current: of the two dates.
        told: units of which more is known than the level: they hold a lesion, or were not assessed before.
    """
    before = {(p.score, p.site): p.level for p in _places(prior)}
    known, found = set(told), list[Raised]()
    for place in _places(current):
        was = before.get((place.score, place.site))
        if was is None or was.value > 0 or place.level.value == 0 or not place.by_hand:
            continue
        if place.units <= _BONE and not place.units & known:
            sure = was.interval is None or was.interval[1] == 0
            found.append(Raised(place.score, place.site, place.level.value, sure))
            known |= place.units
    return tuple(found)


def told_by_hand(name: str, reading: Reading, options: IdentityOptions) -> Iterator[str]:
    """What a reader must know of a date where levels and findings part."""
    denied = denied_units(reading)
    ids = [f.id for f in reading.findings if f.site in denied and f.confidence >= options.doubtful]
    if ids:
        sites = {f.site: None for f in reading.findings if f.id in ids}
        yield f"{', '.join(ids)} of {name} ({_words(sites)}) are no lesions: the level there was set to 0 by hand"
    unlisted = unlisted_units(reading, options.accepted)
    if unlisted:
        yield (
            f"{name} has a level set by hand without a finding: {_words(sorted(unlisted))}. Whether a lesion that is "
            "listed there later is new is not known"
        )


def _words(sites: Iterable[str]) -> str:
    return ", ".join(site.replace("_", " ") for site in sites)
