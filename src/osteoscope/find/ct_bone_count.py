"""Levels of a row of vertebrae: the network's reading of each, made to count, and checked against landmarks.

Neighbours must bear neighbouring levels, so one shift serves the whole row; where sacrum, ribs or skull count
otherwise (a cut field, a thirteenth rib, a sixth lumbar vertebra), that is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.anatomy import VERTEBRAE
from osteoscope.domain.reading import LEVEL_UNCERTAIN
from osteoscope.find.ct_bone_maps import FIRST_RIB
from osteoscope.find.ct_bone_pieces import Rib, Vertebra
from osteoscope.find.ct_level_odds import NETWORK, Marks, Odds, OddsOptions, level_odds
from osteoscope.find.ct_levels import Level

_SKIPPED = "the vertebra below it was not found, only counted"
_SKIPPED_NEAR = "a vertebra near it was not found, only counted"


@dataclass(frozen=True)
class CountOptions:
    """Choices of the counting; trust is an honest guess until the card brings its calibration.

    Args:
        named: chance of the likeliest shift from which levels are given; a wrong level is worse than none.
        clear: chance from which the count is beyond doubt.
        conflict: factor on trust below it, where a source disagrees, or where the network stands alone.
        step: factor on trust beyond each doubtful step between neighbours, counted from the landmark.
        gap: neighbours farther apart than this, times the usual distance there, may miss one between them.
        missed: levels, in all, by which the readings of a row must come nearer to a count for one more to be taken as
            missing (a disc was not seen). On simulated scans at most 2.0 in whole rows, and more than this in half of
            the rows that a vertebra was taken out of.
        odds: of each source.
    """

    named: float = 0.8
    clear: float = 0.9
    conflict: float = 0.45
    step: float = 0.85
    gap: float = 1.55
    missed: float = 2.5
    odds: OddsOptions = field(default_factory=OddsOptions)


@dataclass(frozen=True)
class Count:
    """The level of each vertebra from below upwards, and what to add to the network's own levels to agree with it."""

    levels: tuple[Level, ...]
    shift: int = 0


def count_levels(row: Sequence[Vertebra], marks: Marks, options: CountOptions = CountOptions()) -> Count:
    """Name a row of vertebrae, the lowest first."""
    if not row:
        return Count(())
    slots, doubtful = _slots(row, options)
    odds = level_odds(row, slots, marks, options.odds)
    notes = _doubts(odds, options)
    trust = odds.chance * (options.conflict if notes else 1.0)
    start = 0 if marks.sacrum else len(row) // 2
    steps = np.concatenate([[0], np.cumsum(doubtful)])
    trusts = trust * options.step ** np.abs(steps - steps[start])
    skipped = np.diff(slots, prepend=slots[0] - 1) > 1
    levels = [
        _level(odds, slot, (*notes, _SKIPPED) if after else notes, float(own), options)
        for slot, own, after in zip(slots, trusts, skipped, strict=True)
    ]
    return Count(tuple(levels), odds.base - odds.read)


def _doubts(odds: Odds, options: CountOptions) -> tuple[str, ...]:
    """What speaks against the count."""
    if odds.against:
        said = ", ".join(f"{source} says {_short(base)}" for source, base in odds.against.items())
        return (f"{LEVEL_UNCERTAIN}: counted as {_short(odds.base)}, {said}, for the lowest vertebra",)
    if odds.sources == (NETWORK,):
        return (f"{LEVEL_UNCERTAIN}: counted from the network alone",)
    if odds.chance < options.clear:
        return (f"{LEVEL_UNCERTAIN}: another count is nearly as likely",)
    return ()


def _short(base: int) -> str:
    return VERTEBRAE[base].removeprefix("vertebra_") if 0 <= base < len(VERTEBRAE) else "part of the sacrum"


def _level(odds: Odds, slot: int, notes: tuple[str, ...], trust: float, options: CountOptions) -> Level:
    index = odds.base - slot
    if odds.chance < options.named or not 0 <= index < len(VERTEBRAE):
        return Level(None, trust, notes)
    return Level(VERTEBRAE[index], trust, notes)


def _slots(row: Sequence[Vertebra], options: CountOptions) -> tuple[list[int], list[bool]]:
    """Place of each vertebra in the row, missing ones counted, and whether each step to the next is doubtful."""
    centres = np.array([vertebra.centre for vertebra in row])
    apart = np.linalg.norm(np.diff(centres, axis=0), axis=1)
    slots, doubtful = [0], []
    for n, distance in enumerate(apart):
        around = np.delete(apart, n)[max(0, n - 2) : n + 2]
        usual = float(np.median(around)) if around.size else float(distance)
        wide = bool(distance > options.gap * usual)
        missing = wide and row[n].level - row[n + 1].level > 1.5
        slots.append(slots[-1] + 1 + missing)
        doubtful.append(wide)
    gap = _missed(np.array([vertebra.level for vertebra in row]), np.array(slots), options)
    if gap is not None:
        slots[gap:] = [slot + 1 for slot in slots[gap:]]
        doubtful[gap - 1] = True
    return slots, doubtful


def _missed(read: NDArray[np.float64], slots: NDArray[np.intp], options: CountOptions) -> int | None:
    """The number of the vertebra below which one more is missing by the network's readings, if any is."""
    gaps = [slots + (np.arange(len(slots)) >= gap) for gap in range(1, len(slots))]
    nearer = [_astray(read, slots) - _astray(read, wider) for wider in gaps]
    return int(np.argmax(nearer)) + 1 if nearer and max(nearer) > options.missed else None


def _astray(read: NDArray[np.float64], slots: NDArray[np.intp]) -> float:
    """How far, in levels and in all, readings lie off the count that suits them best."""
    lowest = read + slots
    return float(np.abs(lowest - np.median(lowest)).sum())


def rib_level(rib: Rib, row: Sequence[Vertebra], count: Count, trust: float = 0.9, least: float = 0.35) -> Level:
    """The rib's number in place of a vertebra, as sure as the vertebra of that level and the rib itself allow.

    Args:
        rib: by the network.
        row, count: the vertebrae and their levels.
        trust: factor on the trust in a rib's number beyond that in its vertebra's level.
        least: below this the number is not given.
    """
    number = round(rib.level) + count.shift - FIRST_RIB + 1
    own = float(np.exp(-max(rib.spread, abs(rib.level - round(rib.level)))))
    near = [level for vertebra, level in zip(row, count.levels, strict=True) if abs(vertebra.level - rib.level) < 2]
    sure = min((level.confidence for level in near), default=1.0) * own * trust
    said = (note for level in near for note in level.notes)
    notes = tuple(dict.fromkeys(_SKIPPED_NEAR if note == _SKIPPED else note for note in said))
    if sure < least or not 1 <= number <= 12 or any(level.vertebra is None for level in near):
        return Level(None, sure, notes)
    return Level(str(number), sure, notes)
