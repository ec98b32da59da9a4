"""Levels set by hand, written into a Reading so that an amendment of it knows them again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from osteoscope.deliver.review.draft import SITES, Level
from osteoscope.domain.finding import Measure
from osteoscope.domain.reading import Reading, SiteReading
from osteoscope.stats.new_sites_by_hand import SET_BY

_NOT_ASSESSABLE = f"{{score}}: not assessable, {SET_BY}"


def by_hand_of(reading: Reading) -> Mapping[tuple[str, str], Level]:
    """The levels of a Reading that a person set: (score, site) -> level."""
    found = {
        (score, said.site): level
        for score, sites in SITES.items()
        for said in reading.sites
        if said.site in sites and (level := _level(said, score)) is not None
    }
    # "Not assessable" empties a whole site, which may hold levels of both scores.
    return dict(sorted(found.items(), key=lambda one: one[1].value is not None))


def _level(said: SiteReading, score: str) -> Level | None:
    measure, unassessable = said.measure(score), _NOT_ASSESSABLE.format(score=score)
    if measure is not None:
        by_hand = measure.method.startswith(SET_BY)
        return Level(round(measure.value), measure.method.removeprefix(SET_BY)) if by_hand else None
    people = [note.removeprefix(unassessable) for note in said.notes if note.startswith(unassessable)]
    return Level(None, people[-1]) if people else None


def set_by_hand(said: SiteReading, score: str, level: Level) -> SiteReading:
    """A site with a level set by hand; as it is where it has that level already."""
    if level.value is not None:
        return levelled(said, score, level.value, f"{SET_BY}{level.by}")
    others = tuple(m for m in said.measures if not m.name.startswith(tuple(SITES)))
    note = f"{_NOT_ASSESSABLE.format(score=score)}{level.by}"
    notes = said.notes if note in said.notes else (*said.notes, note)
    return replace(said, status="not_assessable", measures=others, notes=notes)


def levelled(said: SiteReading, score: str, level: int, method: str) -> SiteReading:
    """An assessed site with that level; as it is where it has it already."""
    measure = Measure(score, level, "{score}", method)
    if said.measure(score) == measure:
        return said
    dropped = {score, f"{score}_probability", f"{score}_counted"}
    others = tuple(m for m in said.measures if m.name not in dropped)
    return replace(said, status="assessed", measures=(*others, measure))
