"""One lesion keeps one id over all dates of a child.

Findings of a date are assigned one to one to the lesions known from earlier dates (Kuhn 1955), of the same kind,
within one planar unit or two that meet, by their place in the unit's own frame (`unit_frame`), no farther than
`IdentityOptions.reach`. What is left over and lies within a diffuse finding of the other date is not new and not
resolved: foci become confluent ("merged"), a patch breaks up ("remnant"). A unit of which a part alone was seen tells
neither what is gone from it nor what was not there before: the field cuts its frame off, too. Where the outlines of the
units are not known, findings of a unit are matched by number and arrangement alone, and their sightings say
``by_place=False``.
Rules are design choices of docs/reference/response.md; no source states how to match lesions of planar scans.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from osteoscope.domain.anatomy import CURIE, SIOPEN
from osteoscope.domain.finding import FindingKind
from osteoscope.domain.in_part import is_in_part
from osteoscope.domain.reading import MappedSite, Reading, SiteReading, Status
from osteoscope.stats.lesion_matching import IdentityOptions, Sighting, assign, covers, sightings
from osteoscope.stats.new_sites_by_hand import denied_units, set_units

State = Literal[
    "baseline", "new", "not_known", "persisting", "returned", "confluent", "remnant",
    "resolved", "merged", "broken_up", "absent", "not_assessed",
]  # fmt: skip


@dataclass(frozen=True)
class Exam:
    """A Reading of one date.

    Args:
        name: what the user knows it by.
        reading: of a planar study.
        mapped: outlines of the units, () where they were not kept.
    """

    name: str
    reading: Reading
    mapped: tuple[MappedSite, ...] = ()

    def status(self, unit: str) -> Status:
        """Whether a planar unit could be assessed on that date: by the site map, else by a reported site that holds it.

        The map is the program's: sites that a person reports come first. Units of a site reported in part are told
        from its notes, as `osteoscope read` writes them.
        """
        place = next((m for m in self.mapped if m.site == unit), None)
        by_person = self.reading.reader.kind == "person" and bool(_sites_with(self.reading, unit))
        return unit_status(self.reading, unit) if place is None or by_person else place.status

    def in_part(self, unit: str) -> bool:
        """Whether the site map, or what is reported of a site that holds the unit, says that it was seen in part.

        Not where a person set a level of it.
        """
        if unit in set_units(self.reading):
            return False
        mapped = (note for place in self.mapped if place.site == unit for note in place.notes)
        said = (note for site in _sites_with(self.reading, unit) for note in site.notes)
        return is_in_part(unit, (*mapped, *said))

    def whole(self, unit: str) -> bool:
        """Whether a unit was assessed on that date, all of it."""
        return self.status(unit) == "assessed" and not self.in_part(unit)


@dataclass(frozen=True)
class Sight:
    """A lesion on one date.

    Args:
        state: against the date before; docs/reference/response.md explains each.
        finding: id in that date's Reading, None where it is not there itself.
        site, kind, confidence: of that finding.
        apart: distance from its last sighting, in lengths of the trunk, None where it was not matched.
        by_place: whether it was matched by its place; False where the outlines of its unit are not known.
        into: ids of the lesions that it goes on in ("merged", "broken_up").
    """

    state: State
    finding: str | None = None
    site: str | None = None
    kind: FindingKind | None = None
    confidence: float | None = None
    apart: float | None = None
    by_place: bool = True
    into: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lesion:
    """A lesion over all dates.

    Args:
        id: "L1", "L2" ... in the order of first sight, then from head to foot.
        site: planar unit of its first sight.
        course: one Sight per date.
        parents: ids of earlier lesions that it continues in another shape.
    """

    id: str
    site: str
    course: tuple[Sight, ...]
    parents: tuple[str, ...] = ()


@dataclass
class _Track:
    id: str
    last: Sighting
    course: list[Sight]
    parents: tuple[str, ...] = ()
    here: Sighting | None = None
    apart: float = 0.0

    @property
    def gone(self) -> bool:
        """Whether it was gone on the last date that could tell."""
        known = [sight.state for sight in self.course if sight.state != "not_assessed"]
        return known[-1] in {"resolved", "absent"}


def follow(exams: Sequence[Exam], options: IdentityOptions | None = None) -> tuple[Lesion, ...]:
    """Every lesion of a child over its dates.

    Args:
        exams: oldest first; the order of findings within a Reading does not matter.
        options: limits.

    Returns:
        Lesions whose findings reach ``options.doubtful``; fainter ones are no lesions, nor those that a person denied.
    """
    chosen = options or IdentityOptions()
    tracks: list[_Track] = []
    for number, exam in enumerate(exams):
        day = _Day(exam, exams[number - 1] if number else None, number, chosen)
        tracks = day.advance(tracks)
    return tuple(Lesion(t.id, _first_site(t), tuple(t.course), t.parents) for t in tracks)


def _first_site(track: _Track) -> str:
    return next(sight.site for sight in track.course if sight.site is not None)


@dataclass(frozen=True)
class _Day:
    """One date: its findings are given to the lesions known, or begin new ones."""

    exam: Exam
    before: Exam | None
    number: int
    options: IdentityOptions

    def advance(self, known: list[_Track]) -> list[_Track]:
        denied = denied_units(self.exam.reading)
        every = sightings(self.exam.reading, self.exam.mapped, self.options)
        found = [sight for sight in every if sight.finding.site not in denied]
        present = [track for track in known if track.here is not None]
        pairs = assign([track.last for track in known], found, self.options)
        for n, track in enumerate(known):
            track.here, track.apart = (found[pairs[n][0]], pairs[n][1]) if n in pairs else (None, 0.0)
        unknown = [sight for n, sight in enumerate(found) if n not in dict(pairs.values())]
        begun = [
            _Track(f"L{n}", sight, [Sight("absent")] * self.number, self._parents(sight, present), sight)
            for n, sight in enumerate(unknown, len(known) + 1)
        ]
        mixed = self._mixed([track for track in present if track.here is None], begun)
        sights = [
            *(self._known(track, [*known, *begun], mixed) for track in known),
            *(self._begun(track, mixed) for track in begun),
        ]
        for track, sight in zip([*known, *begun], sights, strict=True):
            track.course.append(sight)
            track.last = track.here or track.last
        return [*known, *begun]

    def _parents(self, sight: Sighting, present: Sequence[_Track]) -> tuple[str, ...]:
        """Lesions of the date before that a new sighting continues: it covers lost ones, or lies within one."""
        within_it = tuple(t.id for t in present if t.here is None and covers(sight, t.last, self.options))
        return within_it or tuple(t.id for t in present if covers(t.last, sight, self.options))

    def _mixed(self, lost: Sequence[_Track], begun: Sequence[_Track]) -> frozenset[str]:
        """Units where what is lost and what begins may be one: the field cut one of the two dates off."""
        both = {track.last.finding.site for track in lost} & {track.last.finding.site for track in begun}
        dates = [exam for exam in (self.before, self.exam) if exam is not None]
        return frozenset(site for site in both if not all(exam.whole(site) for exam in dates))

    def _known(self, track: _Track, everyone: Sequence[_Track], mixed: Collection[str]) -> Sight:
        if track.here is not None:
            return replace(_seen("returned" if track.gone else "persisting", track.here), apart=round(track.apart, 4))
        if track.gone:
            return Sight("absent")
        here = [t for t in everyone if t.here is not None]
        over = tuple(t.id for t in here if t.here is not None and covers(t.here, track.last, self.options))
        into = over or tuple(t.id for t in here if track.id in t.parents)
        if into:
            return Sight("merged" if over or track.last.finding.kind == "focal" else "broken_up", into=into)
        site = track.last.finding.site
        return Sight("resolved" if self.exam.whole(site) and site not in mixed else "not_assessed")

    def _begun(self, track: _Track, mixed: Collection[str]) -> Sight:
        site = track.last.finding.site
        if self.before is None:
            return _seen("baseline", track.last)
        if track.parents:
            return _seen("confluent" if track.last.finding.kind == "diffuse" else "remnant", track.last)
        return _seen("new" if self.before.whole(site) and site not in mixed else "not_known", track.last)


def _seen(state: State, sight: Sighting) -> Sight:
    found = sight.finding
    return Sight(state, found.id, found.site, found.kind, found.confidence, by_place=sight.by_place)


def unit_status(reading: Reading, unit: str) -> Status:
    """Status of a planar unit as a Reading tells it: by the sites that hold it, and by their notes.

    A site that is assessed in part names the units that are not ("sacrum: not acquired"). A unit of no reported
    site is "not_assessable".
    """
    said = _sites_with(reading, unit)
    missing: tuple[Status, ...] = ("not_acquired", "not_assessable")
    for status in missing:
        note = f"{unit}: {status.replace('_', ' ')}"
        if any(site.status == status or note in site.notes for site in said):
            return status
    return "assessed" if said else "not_assessable"


def _sites_with(reading: Reading, unit: str) -> list[SiteReading]:
    """What was said of the segments and regions that hold a unit."""
    segments = [name for table in (SIOPEN, CURIE) for name, units in table.items() if unit in units]
    return [site for name in dict.fromkeys(segments) if (site := reading.site(name)) is not None]
