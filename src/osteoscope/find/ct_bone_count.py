"""Levels of a row of vertebrae: the network's reading of each, made to count, and checked against landmarks.

Neighbours must bear neighbouring levels, so one shift serves the whole row; where sacrum, ribs or skull count
otherwise (a cut field, a thirteenth rib, a sixth lumbar vertebra), that is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from osteoscope.domain.anatomy import VERTEBRAE
from osteoscope.find.ct_bone_maps import FIRST_RIB
from osteoscope.find.ct_bone_pieces import Rib, Vertebra
from osteoscope.find.ct_discs import Discs
from osteoscope.find.ct_levels import Anchor, Level, LevelOptions, find_anchors, name_levels

_CLEAR, _DOUBTFUL = 3.0, 0.0  # evidence of a step between neighbours, standard deviations


@dataclass(frozen=True)
class CountOptions:
    """Choices of the counting; trust is an honest guess until the card brings its calibration.

    Args:
        least_spread: levels; the network is never taken to be surer of one vertebra than this.
        independent: what the network says of a row counts as that many vertebrae: its errors go together.
        heard: trust from which the network counts beside landmarks; without any it counts alone.
        gap: neighbours farther apart than this, times the usual distance there, may miss one between them.
        levels: trust in landmarks.
    """

    least_spread: float = 0.35
    independent: float = 2.0
    heard: float = 0.5
    gap: float = 1.55
    levels: LevelOptions = field(default_factory=LevelOptions)


@dataclass(frozen=True)
class Marks:
    """Landmarks of a row of vertebrae: numbers of those that bear ribs, and whether sacrum and skull adjoin it."""

    ribs: Sequence[int] = ()
    sacrum: bool = False
    skull: bool = False


@dataclass(frozen=True)
class Count:
    """The level of each vertebra from below upwards, and what to add to the network's own levels to agree with it."""

    levels: tuple[Level, ...]
    shift: int = 0


def count_levels(row: Sequence[Vertebra], marks: Marks, options: CountOptions = CountOptions()) -> Count:
    """Name a row of vertebrae, the lowest first."""
    if not row:
        return Count(())
    slots, clear = _slots(row, options)
    network = _anchor(row, slots, options)
    bearing = [slots[n] for n in marks.ribs]
    anchors = find_anchors(slots[-1] + 1, bearing, marks.sacrum, marks.skull, options.levels)
    if network.trust >= options.heard or not anchors:
        anchors = [network, *anchors]
    spans = [(float(n), float(n + 1)) for n in range(slots[-1] + 1)]
    discs = Discs(np.arange(1, slots[-1] + 1, dtype=np.intp), np.array(clear, dtype=float))
    named = name_levels(spans, discs, anchors, options.levels)
    leading = max(anchors, key=lambda anchor: anchor.trust)
    return Count(tuple(named[slot] for slot in slots), leading.base - network.base)


def _slots(row: Sequence[Vertebra], options: CountOptions) -> tuple[list[int], list[float]]:
    """Place of each vertebra in the row, missing ones counted, and the evidence of each step of the row."""
    centres = np.array([vertebra.centre for vertebra in row])
    apart = np.linalg.norm(np.diff(centres, axis=0), axis=1)
    slots, clear = [0], []
    for n, distance in enumerate(apart):
        around = np.delete(apart, n)[max(0, n - 2) : n + 2]
        usual = float(np.median(around)) if around.size else float(distance)
        wide = distance > options.gap * usual
        missing = wide and row[n].level - row[n + 1].level > 1.5
        slots.append(slots[-1] + 1 + missing)
        clear += [_DOUBTFUL if wide else _CLEAR] * (1 + missing)
    return slots, clear


def _anchor(row: Sequence[Vertebra], slots: Sequence[int], options: CountOptions) -> Anchor:
    """The network as one more landmark: the shift that suits its levels best, trusted by how much better it suits."""
    levels, spread = (np.array([getattr(v, name) for v in row]) for name in ("level", "spread"))
    bases = np.arange(slots[-1], len(VERTEBRAE))
    if not bases.size:
        return Anchor("network", 0, len(VERTEBRAE) - 1, 0.0)
    off = np.abs(levels[None] + np.array(slots)[None] - bases[:, None]) / np.maximum(spread, options.least_spread)
    cost = off.mean(axis=1) * min(options.independent, len(row))
    chance = np.exp(-(cost - cost.min()))
    best = int(cost.argmin())
    return Anchor("network", 0, int(bases[best]), float(1 / chance.sum()))


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
    notes = tuple(dict.fromkeys(note for level in near for note in level.notes))
    if sure < least or not 1 <= number <= 12 or any(level.vertebra is None for level in near):
        return Level(None, sure, notes or ("level uncertain",))
    return Level(str(number), sure, notes)
