"""Names for the ribs of a cage whose vertebrae have levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from osteoscope.domain.anatomy import VERTEBRAE
from osteoscope.domain.reading import LEVEL_UNCERTAIN
from osteoscope.find.ct_bone_count import Count
from osteoscope.find.ct_bone_maps import FIRST_RIB
from osteoscope.find.ct_bone_naming import Naming
from osteoscope.find.ct_levels import Level
from osteoscope.find.ct_rib_order import RIBS, Beside, Floats, Reads, RibOrder, Voxels, numbered_apart

_ONE_RIB = 0.75  # share of a piece that must bear one number for all of it to be that rib
_FEW = 3  # followed ribs
# Trust in a rib's number beyond that in its vertebra's level: with so many followed ribs, and with fewer.
_TRUST, _TRUST_OF_FEW = 0.9, 0.6
_LEARNED = 10  # every so many voxels of a followed rib


@dataclass(frozen=True, eq=False)
class Cage:
    """The order of the ribs, and how sure each number is.

    Args:
        order: of the ribs.
        levels: of each vertebra of the row, from below upwards.
        few: few ribs were followed to their vertebrae.
    """

    order: RibOrder
    levels: tuple[Level, ...]
    few: bool

    @classmethod
    def of(
        cls, centres: Floats, count: Count, followed: Sequence[tuple[int, Voxels]], reads: Reads | None = None
    ) -> Cage | None:
        """None where the levels of fewer than two vertebrae are known.

        Args:
            centres: (n, 3) voxel places of the vertebrae of a row, from below upwards.
            count: their levels.
            followed: number and voxels of each rib that joins a vertebra.
            reads: what a network reads along all ribs.
        """
        known = [n for n, level in enumerate(count.levels) if level.vertebra is not None]
        if len(known) < 2:
            return None
        beside = Beside.of(centres[known], [VERTEBRAE.index(str(count.levels[n].vertebra)) for n in known])
        order = RibOrder.of(beside, [(number, voxels[::_LEARNED]) for number, voxels in followed], reads)
        return cls(order, tuple(count.levels[n] for n in known), len(followed) < _FEW)

    def name_apart(self, naming: Naming, ribs: Sequence[Voxels], known: Mapping[int, int], side: str) -> None:
        """Name the ribs of a side, each (n, 3) voxels, of which some are known by number.

        An order that few followed ribs hold may be half a rib off: then ribs in the same slices get different numbers.
        """
        whole = numbered_apart(self.order, ribs, known) if self.few else {}
        for index, voxels in enumerate(ribs):
            if index in whole:
                naming.add_rib(voxels, side, self._level(whole[index]))
            else:
                self.name(naming, voxels, side)

    def name(self, naming: Naming, voxels: Voxels, side: str) -> None:
        """Name voxels (n, 3) of one rib, or of several that hang together."""
        numbers = self.order.numbers(voxels)
        values, counts = np.unique(numbers, return_counts=True)
        if counts.max() >= _ONE_RIB * len(voxels):
            numbers[:] = values[counts.argmax()]
        for number in np.unique(numbers).tolist():
            naming.add_rib(voxels[numbers == number], side, self._level(number))

    def _level(self, number: int) -> Level:
        """With the number of a rib in place of a vertebra, as sure as the nearest vertebra of the row."""
        index = number - 1 + FIRST_RIB
        if number not in RIBS:
            return Level(None, 0.3, (LEVEL_UNCERTAIN,))
        near = min(self.levels, key=lambda level: abs(VERTEBRAE.index(str(level.vertebra)) - index))
        trust = _TRUST_OF_FEW if self.few else _TRUST
        return Level(str(number), trust * near.confidence, near.notes)
