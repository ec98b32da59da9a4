"""Which lesion of one CT is which of another: masks brought together by the motion of their bones, one to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree

from osteoscope.domain.finding import Part
from osteoscope.domain.geometry import Grid
from osteoscope.measure.bone_motion import Rigid
from osteoscope.measure.lesion_change_record import ChangeOptions

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Group:
    """One lesion: the earlier and later findings that it is, by their numbers; one of either as a rule."""

    before: tuple[int, ...]
    now: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Met:
    """How every earlier lesion meets every later one, arrays of shape (before, now).

    Args:
        of_before, of_now: share of the earlier (later) one that lies within the other.
        gap_mm: distance of the masks.
    """

    of_before: Floats
    of_now: Floats
    gap_mm: Floats


def meet(before: Sequence[tuple[Part, Rigid]], now: Sequence[Part], grids: tuple[Grid, Grid]) -> Met:
    """Overlaps and distances of lesions after each earlier one moved with its bone.

    Args:
        before: masks with their motions, on the earlier grid.
        now: masks on the later grid.
        grids: of both dates.
    """
    shape = (len(before), len(now))
    of_before, of_now, gap = np.zeros(shape), np.zeros(shape), np.full(shape, np.inf)
    later = [positions(part, grids[1]) for part in now]
    trees = [cKDTree(places) for places in later]
    for row, (part, rigid) in enumerate(before):
        moved = rigid.move(positions(part, grids[0]))
        tree = cKDTree(moved)
        for column, target in enumerate(now):
            of_before[row, column] = share_within(moved, target, grids[1])
            of_now[row, column] = share_within(rigid.back().move(later[column]), part, grids[0])
            overlapping = of_before[row, column] > 0 or of_now[row, column] > 0
            gap[row, column] = 0.0 if overlapping else _gap((moved, tree), (later[column], trees[column]))
    return Met(of_before, of_now, gap)


def positions(part: Part, grid: Grid) -> Floats:
    """Voxel centres of a mask, LPS mm, shape (n, 3)."""
    return grid.to_position(np.argwhere(part.mask) + np.asarray(part.offset))


def share_within(places: Floats, part: Part, grid: Grid) -> float:
    """Share of positions that lie within a mask."""
    index = np.rint(grid.to_index(places)).astype(int) - np.asarray(part.offset)
    held = ((index >= 0) & (index < np.asarray(part.mask.shape))).all(axis=1)
    return float(part.mask[tuple(index[held].T)].sum() / len(places))


def _gap(a: tuple[Floats, cKDTree], b: tuple[Floats, cKDTree]) -> float:
    small, large = (a[0], b[1]) if len(a[0]) < len(b[0]) else (b[0], a[1])
    return float(large.query(small)[0].min())


def group(met: Met, options: ChangeOptions) -> tuple[Group, ...]:
    """Pairs by overlap, then by nearness (Kuhn 1955); what lies within a lesion of the other date joins its pair."""
    near = met.gap_mm <= options.reach_mm
    overlap = met.of_before + met.of_now
    worth = np.where(overlap > 0, 2 + overlap, np.where(near, 1 - met.gap_mm / (2 * options.reach_mm), 0.0))
    rows, columns = linear_sum_assignment(worth, maximize=True)
    partner = {int(r): int(c) for r, c in zip(rows, columns, strict=True) if worth[r, c] > 0}
    groups = {r: ([r], [c]) for r, c in partner.items()}
    of_column = {c: r for r, c in partner.items()}
    for row in sorted(set(range(worth.shape[0])) - set(partner)):
        holder = _within(met.of_before[row], options)
        if holder is not None and holder in of_column:
            groups[of_column[holder]][0].append(row)
        else:
            groups[row] = ([row], [])
    lone = []
    for column in sorted(set(range(worth.shape[1])) - set(of_column)):
        holder = _within(met.of_now[:, column], options)
        if holder is not None and holder in partner:
            groups[holder][1].append(column)
        else:
            lone.append(Group((), (column,)))
    return (*(Group(tuple(b), tuple(n)) for b, n in groups.values()), *lone)


def _within(shares: Floats, options: ChangeOptions) -> int | None:
    if not shares.size or shares.max() < options.within:
        return None
    return int(shares.argmax())
