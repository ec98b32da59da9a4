"""Which lesions are new or gone between two dates, whatever lies between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from osteoscope.domain.anatomy import PLANAR_UNITS
from osteoscope.stats.inrc import NewSites
from osteoscope.stats.lesion_identity import Exam, Lesion, Sight
from osteoscope.stats.lesion_matching import IdentityOptions
from osteoscope.stats.new_sites_by_hand import (
    Raised,
    denied_units,
    listed_units,
    raised,
    unlisted_units,
)

SOFT_TISSUE = "soft_tissue"
# A new lesion of at least this confidence is new without doubt (as the scores' "certain").
CERTAIN = 0.75


class _Seen(IntEnum):
    NOT = 0
    UNKNOWN = 1
    FAINT = 2
    CLEAR = 3


@dataclass(frozen=True)
class Fresh:
    """New bone lesions of two dates.

    Args:
        new: there now with a confidence that counts, not there before.
        possibly_new: faint now, faint before, matched from afar or without a place, or where the unit was not
            assessed before, or in part, or had a level set by hand and no finding.
        sure: whether one of ``new`` is so without doubt.
        raised: new by a level set by hand, without a finding.
    """

    new: tuple[str, ...]
    possibly_new: tuple[str, ...]
    sure: bool
    raised: tuple[Raised, ...] = ()

    def verdict(self, hidden: bool) -> NewSites:
        """What it means for the category; ``hidden`` where a unit was not assessed, or in part, on one of the dates."""
        sure = self.sure or any(place.sure for place in self.raised)
        return NewSites(bool(self.new or self.raised), sure, bool(self.possibly_new), hidden)


def new_sites(
    exams: Sequence[Exam], lesions: Sequence[Lesion], pair: tuple[int, int], options: IdentityOptions
) -> Fresh:
    """New bone lesions between two dates (numbers from 0).

    A lesion that continues another in a new shape is as old as that one. A new lesion in a unit where another has
    gone is not sure: it may be the same one, placed apart by an error of the site map.
    """
    look = _Look(lesions, options)
    prior, current = (exams[n].reading for n in pair)
    unlisted = unlisted_units(prior, options.accepted)
    gone = gone_sites(lesions, pair, options)
    vanished = {lesion.site for lesion in look.bone if lesion.id in gone}
    new, doubtful, sure = [], [], False
    for lesion in look.bone:
        before, now = look.seen(lesion, pair[0]), look.itself(lesion, pair[1])
        if now < _Seen.FAINT:
            continue
        sight = lesion.course[pair[1]]
        if before is _Seen.NOT and now is _Seen.CLEAR and sight.site not in unlisted:
            new.append(lesion.id)
            sure = sure or ((sight.confidence or 0.0) >= CERTAIN and lesion.site not in vanished)
        elif before is not _Seen.CLEAR or _loose(lesion.course[pair[0] + 1 : pair[1] + 1], options):
            doubtful.append(lesion.id)
    unseen = {unit for unit in PLANAR_UNITS if not exams[pair[0]].whole(unit)}
    by_hand = raised(prior, current, listed_units(current, options.accepted) | unseen)
    return Fresh(tuple(new), tuple(doubtful), sure, by_hand)


def _loose(sights: Sequence[Sight], options: IdentityOptions) -> bool:
    """Whether a match on the way was made from afar, or without a place."""
    return any(not sight.by_place or (sight.apart or 0.0) > options.close for sight in sights)


def gone_sites(
    lesions: Sequence[Lesion], pair: tuple[int, int], options: IdentityOptions | None = None
) -> tuple[str, ...]:
    """Ids of bone lesions that were there and are resolved: neither there nor gone on in another."""
    look = _Look(lesions, options or IdentityOptions())
    return tuple(
        lesion.id
        for lesion in look.bone
        if look.itself(lesion, pair[0]) is _Seen.CLEAR and look.seen(lesion, pair[1]) is _Seen.NOT
    )


def mistakable(
    exams: Sequence[Exam], lesions: Sequence[Lesion], pair: tuple[int, int], options: IdentityOptions
) -> Iterator[tuple[str, str]]:
    """Ids of a new and of a resolved bone lesion of one kind in one unit: they may be one, placed apart by an error."""
    by_id = {lesion.id: lesion for lesion in lesions}
    gone = [by_id[name] for name in gone_sites(lesions, pair, options)]
    for name in new_sites(exams, lesions, pair, options).new:
        fresh = by_id[name]
        for old in gone:
            if (old.site, old.course[pair[0]].kind) == (fresh.site, fresh.course[pair[1]].kind):
                yield name, old.id


def hidden_units(prior: Exam, current: Exam, options: IdentityOptions) -> tuple[str, ...]:
    """Bone units where a lesion could be new without being known as such: not assessed, or in part, now, or so before
    and involved now."""
    found = {finding.site for finding in current.reading.findings} - denied_units(current.reading)
    involved = found | unlisted_units(current.reading, options.accepted)
    return tuple(
        unit
        for unit in PLANAR_UNITS
        if unit != SOFT_TISSUE and (not current.whole(unit) or (not prior.whole(unit) and unit in involved))
    )


@dataclass(frozen=True)
class _Look:
    lesions: Sequence[Lesion]
    options: IdentityOptions

    @property
    def bone(self) -> Sequence[Lesion]:
        return [lesion for lesion in self.lesions if lesion.site != SOFT_TISSUE]

    @property
    def _by_id(self) -> Mapping[str, Lesion]:
        return {lesion.id: lesion for lesion in self.lesions}

    def itself(self, lesion: Lesion, date: int) -> _Seen:
        sight = lesion.course[date]
        if sight.confidence is None:
            return _Seen.UNKNOWN if sight.state == "not_assessed" else _Seen.NOT
        return _Seen.CLEAR if sight.confidence >= self.options.accepted else _Seen.FAINT

    def seen(self, lesion: Lesion, date: int) -> _Seen:
        """The lesion itself, those that it goes on in on that date, and those that it continues."""
        into = [self.itself(self._by_id[other], date) for other in lesion.course[date].into]
        before = [self.seen(self._by_id[other], date) for other in lesion.parents]
        unknown = _Seen.UNKNOWN if self._first_unknown(lesion, date) else _Seen.NOT
        return max(self.itself(lesion, date), unknown, *into, *before)

    def _first_unknown(self, lesion: Lesion, date: int) -> bool:
        """Whether it was first seen just after a date that could not tell."""
        first = next(n for n, sight in enumerate(lesion.course) if sight.finding is not None)
        return date < first and lesion.course[first].state == "not_known"
