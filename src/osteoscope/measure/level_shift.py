"""Bones of two dates laid onto each other, also where one date counts the levels of the spine one off.

A count one off gives every vertebra the name of its neighbour. Surfaces tell: a vertebra fits itself far better than
the one beside it. So where vertebrae fit badly as named, the whole row is tried one level up and one level down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from osteoscope.domain.anatomy import SIDES, VERTEBRAE
from osteoscope.domain.finding import Part
from osteoscope.domain.geometry import Grid
from osteoscope.measure.bone_alignment import AlignmentOptions, align
from osteoscope.measure.bone_motion import Alignment

Bones = Mapping[str, Part]
# Choices, no published source: one vertebra laid onto its neighbour leaves 1.6 to 2 mm.
_GOOD_MM = 0.75  # vertebrae that fit so well as named need no other count
_CLEARER = 0.5  # another count is taken where it leaves at most this share of the misfit
_LEAST_ROW = 2  # one vertebra alone decides nothing
_RIBS = tuple(tuple(f"rib_{side}_{n}" for n in range(1, 13)) for side in SIDES)


@dataclass(frozen=True)
class Count:
    """How many levels further down the earlier date counts the same vertebra, the same rib."""

    vertebrae: int = 0
    ribs: int = 0

    def earlier(self, site: str) -> str:
        """What the earlier date calls a bone of the later one; "" where that has no such name."""
        for row, shift in ((VERTEBRAE, self.vertebrae), *((row, self.ribs) for row in _RIBS)):
            if site in row:
                at = row.index(site) + shift
                return row[at] if 0 <= at < len(row) else ""
        return site


@dataclass(frozen=True, eq=False)
class Laid:
    """Bones laid onto each other.

    Args:
        aligned: by the names of the earlier date.
        count: that the alignment rests on.
        as_named_mm, taken_mm: median misfit of the vertebrae as named, and by that count; inf where none can be told.
    """

    aligned: Alignment
    count: Count
    as_named_mm: float
    taken_mm: float

    @property
    def poor(self) -> bool:
        """Whether vertebrae that both dates hold fit badly, however they are counted."""
        return _GOOD_MM < self.taken_mm < np.inf

    def notes(self, doubtful: Sequence[int]) -> tuple[str, ...]:
        """What a reader must know of the levels; ``doubtful`` is how many are uncertain at either date."""
        said = f"of uncertain level: {doubtful[0]} bones before, {doubtful[1]} now"
        if self.count.vertebrae:
            way = "above" if self.count.vertebrae < 0 else "below"
            return (
                f"The dates count levels one apart: a vertebra of the later date is what the earlier one names one "
                f"level {way} (misfit {self.as_named_mm:.1f} mm as named, {self.taken_mm:.1f} mm so). Lesions were "
                f"matched so; one date names its levels wrongly: check both ({said})",
            )
        if self.poor and any(doubtful):
            return (
                f"Vertebrae fit to {self.taken_mm:.1f} mm only as named, and not clearly better one level apart "
                f"({said}): a lesion called new and one called gone may be one",
            )
        return ()


def lay(before: Bones, now: Bones, grids: tuple[Grid, Grid], options: AlignmentOptions) -> Laid | None:
    """Align the bones of two dates by their names, or by a count one off that fits clearly better.

    Returns:
        None where the dates share no bone.
    """
    plain = align(before, now, grids, options)
    as_named = _misfit(plain, VERTEBRAE)
    if as_named > _GOOD_MM and (count := _other_count(before, now, grids, options, as_named)):
        taken = _with_ribs(before, now, grids, options, count)
        if taken is not None:
            return Laid(taken[1], taken[0], as_named, _misfit(taken[1], VERTEBRAE))
    return None if plain is None else Laid(plain, Count(), as_named, as_named)


def _other_count(
    before: Bones, now: Bones, grids: tuple[Grid, Grid], options: AlignmentOptions, as_named: float
) -> int:
    """The shift of the row of vertebrae that fits clearly better than the names; 0 for none."""
    spines = [{site: part for site, part in bones.items() if not site.startswith("rib_")} for bones in (before, now)]
    fits = {}
    for shift in (-1, 1):
        named = _renamed(spines[1], Count(shift))
        if len(named.keys() & spines[0].keys() & set(VERTEBRAE)) >= _LEAST_ROW:
            fits[shift] = _misfit(align(spines[0], named, grids, options), VERTEBRAE)
    if not fits:
        return 0
    best = min(fits, key=lambda shift: fits[shift])
    return best if fits[best] <= min(_GOOD_MM, _CLEARER * as_named) else 0


def _with_ribs(
    before: Bones, now: Bones, grids: tuple[Grid, Grid], options: AlignmentOptions, shift: int
) -> tuple[Count, Alignment] | None:
    """With ribs counted as the vertebrae or as named, whichever fits better."""
    ribs = {name for row in _RIBS for name in row}
    counts = [Count(shift, shift), *([Count(shift)] if ribs & now.keys() else [])]
    made = [(count, align(before, _renamed(now, count), grids, options)) for count in counts]
    found = [(count, aligned) for count, aligned in made if aligned is not None]
    return min(found, key=lambda one: _misfit(one[1], ribs), default=None)


def _renamed(now: Bones, count: Count) -> Bones:
    return {name: part for site, part in now.items() if (name := count.earlier(site))}


def _misfit(aligned: Alignment | None, sites: Sequence[str] | set[str]) -> float:
    """Median over bones, mm; inf where none of them can be told."""
    bones = {} if aligned is None else aligned.bones
    found = [motion.residual_mm for site, motion in bones.items() if site in sites and motion.residual_mm is not None]
    return float(np.median(found)) if found else np.inf
