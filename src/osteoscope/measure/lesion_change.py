"""Two CTs of one patient: lesions matched through the motion of their bones, and what became of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain import anatomy
from osteoscope.domain.finding import DOUBTFUL_BELOW, Finding, Part
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import MappedSite, Reading
from osteoscope.errors import UnsuitableStudyError
from osteoscope.measure.bone_alignment import AlignmentOptions
from osteoscope.measure.bone_motion import Alignment, Rigid
from osteoscope.measure.lesion_calls import call_pair, quantity_of, sighting
from osteoscope.measure.lesion_change_notes import of_acquisitions, of_motions
from osteoscope.measure.lesion_change_record import (
    CALLS,
    Call,
    ChangeOptions,
    CtResponse,
    DateRecord,
    Followed,
    Quantity,
    Sighting,
)
from osteoscope.measure.lesion_doubts import doubt, with_same_places
from osteoscope.measure.lesion_matching_ct import Group, group, meet, positions, share_within
from osteoscope.measure.lesion_unsearched import Unsearched
from osteoscope.measure.level_shift import Laid, lay

Floats = NDArray[np.float64]
_LEAST_MISFIT_MM = 0.5
_CHANGE, _ALIGNMENT = ChangeOptions(), AlignmentOptions()
_CUT = "touches the edge of the field at one date: its size there is a least size"
_SPOILT = "reaches bone beside metal that was not searched at one date: it may be larger there than found"


@dataclass(frozen=True, eq=False)
class CtDate:
    """One date.

    Args:
        name: what the user knows it by.
        reading: of a CT.
        mapped: its bones.
        image: the CT itself, None where it is not at hand.
    """

    name: str
    reading: Reading
    mapped: tuple[MappedSite, ...]
    image: Image | None = None

    @property
    def grid(self) -> Grid:
        """Of the CT."""
        return self.reading.study.images["ct"].grid

    @cached_property
    def unsearched(self) -> Unsearched:
        """Bone that metal kept from being searched."""
        return Unsearched.of(self.reading, self.grid)

    @property
    def bones(self) -> Mapping[str, Part]:
        """Masks of the bones by id."""
        found = {m.site: m.region.on("ct") for m in self.mapped if m.region is not None}
        return {site: part for site, part in found.items() if part is not None}

    @property
    def named(self) -> Mapping[str, Part]:
        """Those whose level is known: the number of another means nothing on another date."""
        return {s: part for s, part in self.bones.items() if anatomy.site(s).level_known}

    @property
    def doubtful(self) -> int:
        """How many of those have a level that their reader was not sure of."""
        named = [m for m in self.mapped if m.site in self.named]
        return sum(m.level_uncertain or m.confidence < DOUBTFUL_BELOW for m in named)


def follow(
    before: CtDate, now: CtDate, options: ChangeOptions = _CHANGE, alignment: AlignmentOptions = _ALIGNMENT
) -> CtResponse:  # fmt: skip
    """Compare two CTs; that they belong together is the caller's to check.

    Raises:
        UnsuitableStudyError: the dates share no bone.
    """
    laid = lay(before.named, now.named, (before.grid, now.grid), alignment)
    if laid is None:
        found = f"{len(before.named)} and {len(now.named)} named bones, none in both fields"
        raise UnsuitableStudyError(f"compare {before.name} with {now.name}", found, "Give CTs of one part of the body")
    pair = _Pair(before, now, laid, options)
    lesions = sorted(pair.lesions(), key=_order)
    named = tuple(replace(one, id=f"L{n}") for n, one in enumerate(lesions, 1))
    dates = (_record(before), _record(now))
    motions = tuple(laid.aligned.bones.values())
    patient = now.reading.study.patient.id
    return CtResponse(patient, dates, named, motions, *pair.alone(), options, pair.notes())


def _record(date: CtDate) -> DateRecord:
    study, reader = date.reading.study, date.reading.reader
    volumes = [sighting((f,), date.grid).volume_ml for f in date.reading.findings]
    said = f"{reader.name} {reader.version} ({reader.kind})"
    return DateRecord(date.name, study.date, study.uid, said, len(volumes), sum(volumes), date.image is not None)


def _order(lesion: Followed) -> tuple[int, str, int]:
    """From head to foot, the calls that ask for action first."""
    where = anatomy.BONES.index(lesion.site) if lesion.site in anatomy.BONES else len(anatomy.BONES)
    return where, lesion.site, CALLS.index(lesion.call)


@dataclass(frozen=True, eq=False)
class _Pair:
    before: CtDate
    now: CtDate
    laid: Laid
    options: ChangeOptions

    @property
    def aligned(self) -> Alignment:
        """How bones moved, by their names at the earlier date."""
        return self.laid.aligned

    def alone(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Bones that one date alone holds, each as it names them."""
        later = {site: self.laid.count.earlier(site) for site in self.now.named}
        gone = tuple(site for site in self.before.named if site not in later.values())
        return gone, tuple(site for site, name in later.items() if name not in self.before.named)

    def lesions(self) -> tuple[Followed, ...]:
        """All of both dates, not yet named."""
        found = [self.followed(one) for one in self.groups()]
        before, now = ({f.id: f for f in date.reading.findings} for date in (self.before, self.now))
        grids = (self.before.grid, self.now.grid)
        return with_same_places(found, (before, now), grids, self.aligned.together, self.options)

    def groups(self) -> tuple[Group, ...]:
        earlier = [
            (_part(f), self.aligned.rigid(f.site, np.asarray(f.centre.position))) for f in self.before.reading.findings
        ]
        later = [_part(f) for f in self.now.reading.findings]
        met = meet(earlier, later, (self.before.grid, self.now.grid))
        return group(met, self.options)

    def followed(self, one: Group) -> Followed:
        earlier = tuple(self.before.reading.findings[n] for n in one.before)
        later = tuple(self.now.reading.findings[n] for n in one.now)
        if earlier and later:
            return self._matched(earlier, later)
        return self._lone(earlier or later, gone=bool(earlier))

    def _matched(self, earlier: tuple[Finding, ...], later: tuple[Finding, ...]) -> Followed:
        first, second = sighting(earlier, self.before.grid), sighting(later, self.now.grid)
        made = call_pair(first, second, self.options)
        notes = [*made.notes]
        if any(_cut(f, d.grid) for fs, d in ((earlier, self.before), (later, self.now)) for f in fs):
            notes.append(_CUT)
        if self._spoilt(earlier, gone=True) or self._spoilt(later, gone=False):
            notes.append(_SPOILT)
        if len(earlier) > 1:
            notes.append(f"{len(earlier)} lesions before run together now: their volumes are added")
        if len(later) > 1:
            notes.append(f"in {len(later)} pieces now: their volumes are added")
        if first.site != second.site:
            notes.append(f"before in {first.site}")
        return replace(made, notes=tuple(notes))

    def _spoilt(self, findings: tuple[Finding, ...], gone: bool) -> bool:
        unsearched = (self.now if gone else self.before).unsearched
        return len(unsearched.places) > 0 and unsearched.share(self._elsewhere(findings, gone)[2]) > 0

    def _elsewhere(self, findings: tuple[Finding, ...], gone: bool) -> tuple[Sighting, str, Floats]:
        """Findings of one date as one, their bone as the earlier date names it, and their places at the other date."""
        own = self.before if gone else self.now
        seen = sighting(findings, own.grid)
        bone = seen.site if gone else self.laid.count.earlier(seen.site)
        places = np.concatenate([positions(_part(f), own.grid) for f in findings])
        return seen, bone, self._forth(seen, bone, gone).move(places)

    def _lone(self, findings: tuple[Finding, ...], gone: bool) -> Followed:
        other = self.now if gone else self.before
        seen, bone, places = self._elsewhere(findings, gone)
        why = self._not_comparable(bone, places, other)
        call: Call = "not_comparable" if why else "gone" if gone else "new"
        at = None if why else self._hu_at(places, other, bone)
        notes = [why] if why else []
        if gone and at and not why and seen.kind in {"lytic", "mixed"} and at.value >= self.options.blastic_hu:
            call = "turned_sclerotic"
            notes.append("not found at the later date, where its place is as dense as a blastic lesion")
        change = None if at is None or seen.hu is None else quantity_of(
            (at, seen) if gone else (seen, at)
        )  # fmt: skip
        unsure = doubt(seen.confidence)
        alike = change is not None and (change.low or 0.0) <= 0 <= (change.high or 0.0)
        if alike:
            notes.append("its place is as dense at the other date: it may have been missed there")
        may_be_stable = alike or (unsure and change is None and not why)
        possible: tuple[Call, ...] = (call, "stable") if may_be_stable else (call,)
        first, second = (seen, None) if gone else (None, seen)
        return Followed("", seen.site, call, possible, first, second, None, change, at, (*notes, *unsure))

    def _forth(self, seen: Sighting, bone: str, gone: bool) -> Rigid:
        """From the date of a lesion in a bone, as the earlier date names it, to the other one."""
        place = np.asarray(seen.centre)
        if gone:
            return self.aligned.rigid(bone, place)
        return self.aligned.rigid(bone, self.aligned.together.back().move(place)).back()

    def _not_comparable(self, site: str, places: Floats, other: CtDate) -> str:
        when = "later" if other is self.now else "earlier"
        on_bone = max((share_within(places, part, other.grid) for part in other.bones.values()), default=0.0)
        if site not in self.aligned.bones and on_bone < self.options.within:
            return f"its bone was not found at the {when} date"
        index = other.grid.to_index(places)
        inside = ((index >= -0.5) & (index <= np.asarray(other.grid.shape) - 0.5)).all(axis=1)
        if inside.mean() <= 0.5:
            return f"its place lies outside of the field of the {when} date"
        spoilt = other.unsearched.share(places) >= self.options.within
        return f"metal kept its place from being searched at the {when} date" if spoilt else ""

    def _hu_at(self, places: Floats, other: CtDate, site: str) -> Quantity | None:
        """Mean HU at places of the other date; the interval is that of a shift by the misfit of the bone."""
        if other.image is None:
            return None
        motion = self.aligned.bones.get(site)
        apart = max((motion.residual_mm if motion else None) or _LEAST_MISFIT_MM, _LEAST_MISFIT_MM)
        steps = [np.zeros(3), *(sign * apart * np.eye(3)[axis] for axis in range(3) for sign in (-1, 1))]
        values = [_mean_hu(other.image, places + step) for step in steps]
        return Quantity(values[0], min(values), max(values))

    def notes(self) -> tuple[str, ...]:
        said = [*self.laid.notes((self.before.doubtful, self.now.doubtful))]
        unnamed = [len(date.bones) - len(date.named) for date in (self.before, self.now)]
        if any(unnamed):
            said.append(f"Bones without a level or name ({unnamed[0]}; {unnamed[1]}) were moved with the nearest bone")
        acquired = [date.reading.study.acquisition for date in (self.before, self.now)]
        return (*said, *of_motions(self.aligned), *of_acquisitions(acquired[0], acquired[1]))


def _part(finding: Finding) -> Part:
    return finding.region.parts[0]


def _cut(finding: Finding, grid: Grid) -> bool:
    return any(s.start == 0 or s.stop == n for s, n in zip(_part(finding).box, grid.shape, strict=True))


def _mean_hu(image: Image, places: Floats) -> float:
    index = image.grid.to_index(places).T
    return float(ndimage.map_coordinates(image.values, index, order=1, mode="nearest", output=float).mean())
