"""The nouns of a comparison of two CTs (ct-response.json): lesions followed, bones that moved, what was called what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from osteoscope.measure.bone_motion import BoneMotion

SCHEMA: Literal["osteoscope/ct-response/1"] = "osteoscope/ct-response/1"
Call = Literal["new", "grown", "stable", "shrunk", "turned_sclerotic", "gone", "not_comparable"]
CALLS: tuple[Call, ...] = ("new", "grown", "stable", "shrunk", "turned_sclerotic", "gone", "not_comparable")
Interval = tuple[float, float]


@dataclass(frozen=True)
class ChangeOptions:
    """What is called what.

    Args:
        grown, shrunk: ratio of the diameters of balls of the lesions' volumes, from which on (up to which) a lesion is
            grown (shrunk). 1.2 is the 20 % of RECIST 1.1 (from memory, for sums of diameters) and its inverse: a
            choice, since no rule for single bone lesions was found.
        sclerotic_hu: rise of the mean HU from which on a lytic or mixed lesion has turned sclerotic (choice).
        blastic_hu: HU that a place without a lesion now needs for the same (project reference, section 3.1: 300).
        reach_mm: how far apart the masks of one lesion may lie after alignment (choice).
        within: share of a lesion within another of the other date from which on it is a part of that one (choice).
    """

    grown: float = 1.2
    shrunk: float = 1 / 1.2
    sclerotic_hu: float = 100.0
    blastic_hu: float = 300.0
    reach_mm: float = 5.0
    within: float = 0.5


@dataclass(frozen=True)
class Sighting:
    """A lesion at one date.

    Args:
        findings: ids in that date's Reading; several where it is in pieces there.
        site, kind, confidence: of the largest of them.
        volume_ml, hu: volume and mean attenuation with intervals, of all of them; HU None where not measured.
        centre: LPS mm of that date.
    """

    findings: tuple[str, ...]
    site: str
    kind: str
    confidence: float
    volume_ml: float
    volume_interval: Interval
    hu: float | None
    hu_interval: Interval | None
    centre: tuple[float, ...]


@dataclass(frozen=True)
class Quantity:
    """A number with its interval; an end is None where there is no bound."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Followed:
    """One lesion over both dates.

    Args:
        id: "L1", "L2", ...
        site: its bone, by the later date where it is there.
        call: what became of it.
        possible: every call that the intervals of volume and HU allow.
        before, now: at the two dates, None where it is not there.
        volume_ratio: now over before.
        hu_change: of the mean, now less before.
        hu_at_place: mean HU at the date at which it is not found, at the same place; None without the images.
        notes: what the reader must know of it.
    """

    id: str
    site: str
    call: Call
    possible: tuple[Call, ...]
    before: Sighting | None
    now: Sighting | None
    volume_ratio: Quantity | None = None
    hu_change: Quantity | None = None
    hu_at_place: Quantity | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class DateRecord:
    """One date: where it came from, who read it, and how much was found."""

    name: str
    date: str
    uid: str
    reader: str
    lesions: int
    volume_ml: float
    images: bool


@dataclass(frozen=True)
class CtResponse:
    """Two CTs of one patient compared.

    Args:
        patient: id.
        dates: earlier, later.
        lesions: all of both dates.
        motions: of every bone that both hold.
        only_before, only_now: bones seen at one date alone; their lesions are not compared.
        options: the thresholds used.
        notes: what the reader must know.
    """

    patient: str
    dates: tuple[DateRecord, DateRecord]
    lesions: tuple[Followed, ...]
    motions: tuple[BoneMotion, ...]
    only_before: tuple[str, ...]
    only_now: tuple[str, ...]
    options: ChangeOptions = field(default_factory=ChangeOptions)
    notes: tuple[str, ...] = ()
    schema: Literal["osteoscope/ct-response/1"] = SCHEMA

    def called(self, call: Call) -> tuple[Followed, ...]:
        """The lesions of one call."""
        return tuple(lesion for lesion in self.lesions if lesion.call == call)
