"""Which shift of a row of vertebrae suits best what tells levels: the network, sacrum, ribs and skull, all weighed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.anatomy import VERTEBRAE
from osteoscope.find.ct_bone_pieces import Vertebra

Floats = NDArray[np.float64]

_FIRST_RIB, _LAST_RIB, _LAST_LUMBAR = (VERTEBRAE.index(f"vertebra_{level}") for level in ("T1", "T12", "L5"))
NETWORK = "network"
_BEYOND = 2  # pieces of a sacrum that may have been taken for vertebrae


@dataclass(frozen=True)
class OddsOptions:
    """Logarithms of odds, choices looked at on simulated scans; the last of a list serves for all beyond it.

    Args:
        least_spread: levels; the network is never taken to be surer of one vertebra than this.
        independent: what the network says of a row counts as that many vertebrae: its errors go together.
        sacrum: against a row that ends 0, 1, 2 ... levels off the sacrum that adjoins it: a disc too many or too few.
        skull: the same of the head; discs of the neck are often not resolved.
        other: against each vertebra that bears a rib where none should.
        missing: against each vertebra without a rib where one should be: ribs are often not followed to the spine ...
        missing_ends: ... the first rib seldom is, the twelfth mostly.
        objects: a source by which another shift is likelier by this is said to disagree.
    """

    least_spread: float = 0.35
    independent: float = 2.0
    sacrum: tuple[float, ...] = (0.0, -2.5, -4.0, -5.0)
    skull: tuple[float, ...] = (0.0, -0.7, -1.2, -1.5)
    other: float = -3.0
    missing: float = -0.5
    missing_ends: tuple[float, float] = (-0.1, -0.8)
    objects: float = 0.25


@dataclass(frozen=True)
class Marks:
    """Landmarks of a row of vertebrae: numbers of those that bear ribs, and whether sacrum and skull adjoin it."""

    ribs: Sequence[int] = ()
    sacrum: bool = False
    skull: bool = False


@dataclass(frozen=True, eq=False)
class Odds:
    """How likely each level of the lowest vertebra is.

    Args:
        bases: levels as indices into `VERTEBRAE`; beyond L5 the lowest pieces are of the sacrum.
        chances: of each, in all 1.
        read: the base that the network alone would choose.
        sources: what tells of levels here.
        against: the base that each source which disagrees with the likeliest would choose.
    """

    bases: NDArray[np.intp]
    chances: Floats
    read: int
    sources: tuple[str, ...]
    against: Mapping[str, int]

    @property
    def base(self) -> int:
        """The likeliest."""
        return int(self.bases[self.chances.argmax()])

    @property
    def chance(self) -> float:
        """Of the likeliest."""
        return float(self.chances.max())


def level_odds(
    row: Sequence[Vertebra], slots: Sequence[int], marks: Marks, options: OddsOptions = OddsOptions()
) -> Odds:
    """The odds of each shift of a row.

    Args:
        row: vertebrae from below upwards, at least one.
        slots: place of each in the row, missing ones counted.
        marks: landmarks; ``ribs`` are numbers of ``row``.
        options: see `OddsOptions`.
    """
    places = np.array(slots)
    bases = np.arange(slots[-1], max(slots[-1], _LAST_LUMBAR + _BEYOND) + 1)
    said = {NETWORK: _network(row, bases[:, None] - places, options)}
    if marks.sacrum:
        said["sacrum"] = _off(bases - _LAST_LUMBAR, options.sacrum)
    if marks.ribs:
        said["ribs"] = _ribs(bases[:, None] - places, np.isin(np.arange(len(row)), marks.ribs), options)
    if marks.skull:
        said["skull"] = _off(bases - slots[-1], options.skull)
    total = np.sum(list(said.values()), axis=0)
    chances = np.exp(total - total.max())
    best = int(total.argmax())
    against = {
        source: int(bases[odds.argmax()]) for source, odds in said.items() if odds.max() - odds[best] > options.objects
    }
    return Odds(bases, chances / chances.sum(), int(bases[said[NETWORK].argmax()]), tuple(said), against)


def _network(row: Sequence[Vertebra], levels: NDArray[np.intp], options: OddsOptions) -> Floats:
    read, spread = (np.array([getattr(vertebra, name) for vertebra in row]) for name in ("level", "spread"))
    off = np.abs(read - levels) / np.maximum(spread, options.least_spread)
    return np.asarray(-off.mean(axis=1) * min(options.independent, len(row)))


def _ribs(levels: NDArray[np.intp], bears: NDArray[np.bool_], options: OddsOptions) -> Floats:
    thoracic = (levels >= _FIRST_RIB) & (levels <= _LAST_RIB)
    first, last = options.missing_ends
    missing = np.where(levels == _FIRST_RIB, first, np.where(levels == _LAST_RIB, last, options.missing))
    return np.asarray((options.other * (bears & ~thoracic) + missing * (~bears & thoracic)).sum(axis=1))


def _off(levels: NDArray[np.intp], odds: Sequence[float]) -> Floats:
    return np.array(odds)[np.minimum(np.abs(levels), len(odds) - 1)]
