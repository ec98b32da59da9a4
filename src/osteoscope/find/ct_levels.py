"""Levels of vertebrae and numbers of ribs, counted from landmarks; where landmarks disagree, that is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from osteoscope.domain.anatomy import VERTEBRAE
from osteoscope.domain.reading import LEVEL_UNCERTAIN
from osteoscope.find.ct_discs import Discs

_FIRST_RIB, _LAST_RIB, _LAST_LUMBAR = (VERTEBRAE.index(f"vertebra_{level}") for level in ("T1", "T12", "L5"))
_DECIDING = frozenset({"sacrum"})  # counts on against a landmark that disagrees, and says so
Span = tuple[float, float]


@dataclass(frozen=True)
class LevelOptions:
    """Choices of the counting; trust is an honest guess, not calibrated.

    Args:
        sacrum, last_rib, first_rib, skull: trust in a level counted from that landmark alone, 0..1. A short or
            missing twelfth rib and a transitional vertebra make errors of one level; discs of the neck are often not
            resolved.
        step: (least, greatest) factor per disc that is counted over, by the evidence of that disc.
        clear_disc: evidence (standard deviations) of a disc beyond doubt.
        conflict: factor where landmarks disagree and the sacrum decides, or where a single other one stands alone.
        least: below this a level is not given.
    """

    sacrum: float = 0.9
    last_rib: float = 0.7
    first_rib: float = 0.7
    skull: float = 0.4
    step: tuple[float, float] = (0.85, 0.99)
    clear_disc: float = 2.5
    conflict: float = 0.45
    least: float = 0.25


@dataclass(frozen=True)
class Anchor:
    """A landmark that fixes a level.

    Args:
        name: for the note.
        vertebra: number of the vertebra, counted upwards from 0, that it fixes.
        level: index of its level in ``VERTEBRAE``.
        trust: 0..1.
    """

    name: str
    vertebra: int
    level: int
    trust: float

    @property
    def base(self) -> int:
        """Level index that vertebra 0 has by this anchor."""
        return self.level + self.vertebra


@dataclass(frozen=True)
class Level:
    """What one vertebra is: its id or None, how sure, and why not."""

    vertebra: str | None
    confidence: float
    notes: tuple[str, ...] = ()


def rib_levels(places: Sequence[float], spans: Sequence[Span]) -> list[int | None]:
    """Number of the vertebra that each rib joins."""
    return [next((i for i, (low, high) in enumerate(spans) if low <= place < high), None) for place in places]


def find_anchors(
    count: int, ribs: Sequence[int], sacrum: bool, skull: bool, options: LevelOptions = LevelOptions()
) -> list[Anchor]:
    """Landmarks of a row of ``count`` vertebrae; ``ribs`` are the vertebrae that bear one."""
    anchors = []
    if sacrum:
        anchors.append(Anchor("sacrum", 0, _LAST_LUMBAR, options.sacrum))
    if ribs and (min(ribs) > 1 or (min(ribs) == 1 and sacrum)):
        anchors.append(Anchor("last rib", min(ribs), _LAST_RIB, options.last_rib))
    if ribs and max(ribs) < count - 2:
        anchors.append(Anchor("first rib", max(ribs), _FIRST_RIB, options.first_rib))
    if skull and count:
        anchors.append(Anchor("skull", count - 1, 0, options.skull))
    return anchors


def name_levels(
    spans: Sequence[Span], discs: Discs, anchors: Sequence[Anchor], options: LevelOptions = LevelOptions()
) -> list[Level]:
    """The level of each vertebra, from below upwards."""
    if not anchors:
        return [Level(None, 0.0, (f"{LEVEL_UNCERTAIN}: no landmark on the scan",))] * len(spans)
    leading = max(anchors, key=lambda anchor: anchor.trust)
    agreeing = [anchor for anchor in anchors if anchor.base == leading.base]
    against = [anchor for anchor in anchors if anchor.base != leading.base and anchor.name != "skull"]
    undecided = bool(against) and leading.name not in _DECIDING
    levels = []
    for number in range(len(spans)):
        notes = _doubts(number, leading, agreeing, against)
        counted = [1 - a.trust * _counted(number, a.vertebra, spans, discs, options) for a in agreeing]
        confidence = 0.0 if undecided else float(1 - np.prod(counted)) * (options.conflict if notes else 1.0)
        levels.append(_level(number, leading, notes, confidence, options))
    return levels


def _level(number: int, leading: Anchor, notes: tuple[str, ...], confidence: float, options: LevelOptions) -> Level:
    index = leading.base - number
    if confidence < options.least or not 0 <= index < len(VERTEBRAE):
        return Level(None, confidence, notes or (f"{LEVEL_UNCERTAIN}: counted from the {leading.name} only",))
    return Level(VERTEBRAE[index], confidence, notes)


def _doubts(number: int, leading: Anchor, agreeing: Sequence[Anchor], against: Sequence[Anchor]) -> tuple[str, ...]:
    if against:
        said = [f"{a.name} says {_short(a.base - number)}" for a in (leading, *against)]
        return (f"{LEVEL_UNCERTAIN}: {', '.join(said)}",)
    if len(agreeing) == 1 and leading.name != "sacrum":
        return (f"{LEVEL_UNCERTAIN}: counted from the {leading.name} alone",)
    return ()


def _short(index: int) -> str:
    return VERTEBRAE[index].removeprefix("vertebra_") if 0 <= index < len(VERTEBRAE) else "none"


def _counted(number: int, anchor: int, spans: Sequence[Span], discs: Discs, options: LevelOptions) -> float:
    """Trust left after counting from the anchor to a vertebra, disc by disc."""
    trust = 1.0
    for between in range(min(number, anchor), max(number, anchor)):
        nearest = np.flatnonzero(discs.places == spans[between][1])
        evidence = float(discs.evidence[nearest[0]]) if len(nearest) else 0.0
        share = float(np.clip(evidence / options.clear_disc, 0, 1))
        trust *= options.step[0] + share * (options.step[1] - options.step[0])
    return trust
