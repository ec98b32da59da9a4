"""Which acquisitions or reconstructions a stack of CT slices mixes, and what tells them apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from osteoscope.dicom.intake.ct_geometry import HOLE_STEPS, heights
from osteoscope.dicom.intake.ct_slices import SPLIT_KEYS, Slice

_SAME_PLACE_MM = 0.01
# Parts that share more of their span than this show one place twice, whatever field tells them apart.
_WOVEN = 0.5
# Fields that differ between acquisitions and between reconstructions; others may vary within one.
_STATIONS = frozenset({
    "AcquisitionNumber", "FrameAcquisitionNumber", "TemporalPositionIdentifier", "TemporalPositionIndex",
    "ConvolutionKernel", "KVP",
})  # fmt: skip
# Times differ from slice to slice in some scans, so that parts by time may be parts by chance.
_STEADY = tuple(key for key in SPLIT_KEYS if not key.endswith("Time"))

_TELLS_STEP = 3  # slices

Keys = tuple[str, ...]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Part:
    """Slices that share the values of some header fields.

    Args:
        slices: at least one.
        keys: the fields, () where the stack is whole.
        values: of them.
    """

    slices: tuple[Slice, ...]
    keys: Keys = ()
    values: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Parting:
    """What a stack is parted into.

    Args:
        parts: no two slices of one at one height, each with slices enough for a volume; () where nothing tells
            slices at one height apart.
        small: parts with fewer.
        mixed: a field by which acquisitions lie between each other that were not parted, "" where there is none.
    """

    parts: tuple[Part, ...]
    small: tuple[Part, ...] = ()
    mixed: str = ""


def crowds(slices: Sequence[Slice]) -> list[list[Slice]]:
    """Slices that share a height, each group in order of file name; only groups of two and more."""
    height = heights(slices)
    order = np.argsort(height, kind="stable")
    cuts = np.flatnonzero(np.diff(height[order]) > _SAME_PLACE_MM) + 1
    return [[slices[i] for i in sorted(group)] for group in np.split(order, cuts) if len(group) > 1]


def parting(stack: Sequence[Slice], fewest: int) -> Parting:
    """The stack as one part, or the acquisitions that it mixes, told apart by the first field, or pair, that can.

    Parts that are too small for a volume are put aside only where the others are most of the stack.

    Args:
        stack: slices of one orientation, spacing and matrix.
        fewest: slices that make a volume.
    """
    crowded = bool(crowds(stack))
    for keys in _ways(crowded):
        parts = _by(stack, keys)
        if len(parts) > 1 and all(_is_volume(part, fewest) for part in parts) and (crowded or _apart(parts)):
            return Parting(parts)
    if not crowded:
        mixed = (key for key in SPLIT_KEYS if key in _STATIONS and _interleaved(_levels(_by(stack, (key,)))))
        return Parting((Part(tuple(stack)),), mixed=next(mixed, ""))
    for keys in filter(_STATIONS.issuperset, _ways(crowded)):
        parts = _by(stack, keys)
        large = tuple(part for part in parts if _is_volume(part, fewest))
        small = tuple(part for part in parts if len(part.slices) < fewest)
        most = 2 * sum(len(part.slices) for part in large) > len(stack)
        if most and len(large) + len(small) == len(parts):
            return Parting(large, small)
    return Parting(())


def _ways(crowded: bool) -> Iterator[Keys]:
    """Fields to part by, in the order of asking; pairs only where images share a place."""
    yield from ((key,) for key in SPLIT_KEYS)
    if crowded:
        yield from combinations(_STEADY, 2)


def _by(stack: Iterable[Slice], keys: Keys) -> tuple[Part, ...]:
    columns = [SPLIT_KEYS.index(key) for key in keys]
    groups: dict[tuple[str, ...], list[Slice]] = defaultdict(list)
    for item in stack:
        groups[tuple(item.splits[column] for column in columns)].append(item)
    return tuple(Part(tuple(group), keys, values) for values, group in groups.items())


def _is_volume(part: Part, fewest: int) -> bool:
    return len(part.slices) >= fewest and not crowds(part.slices)


def _apart(parts: Sequence[Part]) -> bool:
    """Whether parts, none of whose slices share a height, lie between each other and not one after the other."""
    levels = _levels(parts)
    low, high = np.array([(level[0], level[-1]) for level in levels]).T
    woven = bool(high.min() - low.max() > _WOVEN * (high.max() - low.min()))
    return woven or (_STATIONS.issuperset(parts[0].keys) and _interleaved(levels))


def _levels(parts: Iterable[Part]) -> list[Floats]:
    """Heights of the slices of each part along one normal, in order; the parts by their lowest."""
    slices = [part.slices for part in parts]
    normal = np.asarray(slices[0][0].normal)
    return sorted((np.sort([np.dot(item.position, normal) for item in part]) for part in slices), key=lambda h: h[0])


def _interleaved(levels: Sequence[Floats]) -> bool:
    """Whether slices of two parts lie between each other's where neither lacks one.

    A part that fills a hole of another is none; nor are parts that follow each other.
    """
    for number, lower in enumerate(levels):
        for upper in levels[number + 1 :]:
            if upper[0] >= lower[-1]:
                break
            if _within(lower, upper) and (len(upper) < _TELLS_STEP or _within(upper, lower)):
                return True
    return False


def _within(own: Floats, others: Floats) -> bool:
    """Whether one of the other heights lies between two neighbours of ours that are a usual step apart."""
    if len(own) < _TELLS_STEP:
        return False
    steps = np.diff(own)
    after = np.clip(np.searchsorted(own, others), 1, len(steps))
    between = (others - own[after - 1] > _SAME_PLACE_MM) & (own[after] - others > _SAME_PLACE_MM)
    return bool((between & (steps[after - 1] <= HOLE_STEPS * np.median(steps))).any())
