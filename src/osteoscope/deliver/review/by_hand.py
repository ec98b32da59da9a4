"""Levels set by hand, written into a Reading so that an amendment of it knows them again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import get_args

from osteoscope.deliver.review.draft import SITES, Level
from osteoscope.domain.finding import Measure
from osteoscope.domain.in_part import is_in_part
from osteoscope.domain.reading import Reading, SiteReading, Status
from osteoscope.stats.new_sites_by_hand import FOLLOWS, SET_BY

Key = tuple[str, str]  # score, site
ByHand = Mapping[Key, Level]

_UNSEEN = tuple(status.replace("_", " ") for status in get_args(Status) if status != "assessed")


def by_hand_of(reading: Reading) -> ByHand:
    """The levels of a Reading that a person set: (score, site) -> level."""
    return {
        (score, said.site): level
        for score, sites in SITES.items()
        for said in reading.sites
        if said.site in sites and (level := _level(said, score)) is not None
    }


def _level(said: SiteReading, score: str) -> Level | None:
    measure, unassessable = said.measure(score), _line(score, SET_BY)
    if measure is not None:
        by_hand = measure.method.startswith(SET_BY)
        return Level(round(measure.value), measure.method.removeprefix(SET_BY)) if by_hand else None
    people = [note.removeprefix(unassessable) for note in said.notes if note.startswith(unassessable)]
    return Level(None, people[-1]) if people else None


def _line(score: str, said: str) -> str:
    return f"{score}: not assessable, {said}"


def set_by_hand(sites: Mapping[str, SiteReading], key: Key, by_hand: ByHand, units: Iterable[str] = ()) -> SiteReading:
    """A site with the level that `by_hand` has for it; as it is where it has that level already.

    Args:
        sites: by id; a site that is not there begins empty.
        key: which level.
        by_hand: all levels set. "Not assessable" of one score empties the site but for a level of the other score.
        units: of the site under that score; what its notes say of their status is void once it has a level.
    """
    (score, site), level = key, by_hand[key]
    said = sites.get(site) or SiteReading(site, "assessed")
    if level.value is not None:
        return levelled(seen(said, units), Measure(score, level.value, "{score}", f"{SET_BY}{level.by}"))
    given = [other for other in SITES if (set_ := by_hand.get((other, site))) and set_.value is not None]
    status: Status = "assessed" if given else "not_assessable"
    bare = emptied(replace(said, status=status), [other for other in SITES if other not in given])
    return _unassessable(bare, score, f"{SET_BY}{level.by}")


def levelled(said: SiteReading, level: Measure) -> SiteReading:
    """An assessed site with that level, no longer "not assessable"; as it is where it has it already."""
    score = level.name
    notes = tuple(note for note in said.notes if not note.startswith(_line(score, "")))
    said = replace(said, status="assessed", notes=notes)
    if said.measure(score) == level:
        return said
    dropped = {score, f"{score}_probability", f"{score}_counted"}
    others = tuple(m for m in said.measures if m.name not in dropped)
    return replace(said, measures=(*others, level))


def emptied(said: SiteReading, scores: Iterable[str]) -> SiteReading:
    """A site without the measures of these scores."""
    return replace(said, measures=tuple(m for m in said.measures if not m.name.startswith(tuple(scores))))


def _unassessable(said: SiteReading, score: str, by: str) -> SiteReading:
    """With a note that it is not assessable in a score, in the place of the one before."""
    line = _line(score, by)
    if line in said.notes:
        return said
    return replace(said, notes=(*(note for note in said.notes if not note.startswith(_line(score, ""))), line))


def following_empty(said: SiteReading, score: str, people: Iterable[str]) -> SiteReading:
    """A site that is not assessable in one score, since these people said so of its bone in the other."""
    bare = emptied(replace(said, status="not_assessable"), (score,))
    return _unassessable(bare, score, f"{FOLLOWS}{' and '.join(sorted(people))}")


def follows_empty(said: SiteReading, score: str) -> bool:
    """Whether it is so (`following_empty`)."""
    return any(note.startswith(_line(score, FOLLOWS)) for note in said.notes)


def is_emptied(said: SiteReading) -> bool:
    """Whether a person said, of any score, that the site is not assessable."""
    starts = tuple(_line(score, by) for score in SITES for by in (SET_BY, FOLLOWS))
    return said.status == "not_assessable" and any(note.startswith(starts) for note in said.notes)


def assessed(said: SiteReading, score: str) -> SiteReading:
    """A site that is assessed after all, though what its level is may be open."""
    start = _line(score, FOLLOWS)
    return replace(said, status="assessed", notes=tuple(n for n in said.notes if not n.startswith(start)))


def seen(said: SiteReading, units: Iterable[str]) -> SiteReading:
    """A site without the notes that these units were not acquired, are not assessable or were seen in part."""
    known = tuple(units)
    return replace(said, notes=tuple(note for note in said.notes if not any(_lacks(note, unit) for unit in known)))


def unseen(said: SiteReading, units: Iterable[str]) -> SiteReading:
    """A site with notes that these units are not assessable, worded as `osteoscope read` does."""
    lines = [f"{unit}: not assessable" for unit in units]
    return replace(said, notes=(*said.notes, *(line for line in lines if line not in said.notes)))


def in_part(said: SiteReading, units: Iterable[str]) -> bool:
    """Whether the notes of a site name one of these units as not acquired, not assessable or seen in part."""
    return any(_lacks(note, unit) for note in said.notes for unit in units)


def _lacks(note: str, unit: str) -> bool:
    return note in {f"{unit}: {words}" for words in _UNSEEN} or is_in_part(unit, (note,))
