"""Whether vertebrae that were named one by one lie in an order and at distances that a spine can have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from osteoscope.domain.anatomy import VERTEBRAE


@dataclass(frozen=True)
class OrderOptions:
    """Choices of the check.

    Args:
        share: of the usual distance that each level between two vertebrae takes at least.
        least_mm: what a level takes at least where no neighbours tell what is usual.
        around: so many pairs on either side tell what is usual.
    """

    share: float = 0.6
    least_mm: float = 10.0
    around: int = 2


@dataclass(frozen=True)
class _Step:
    """From a vertebra to the next one below it."""

    upper: str
    lower: str
    levels: int
    mm: float


def impossible(heights: Mapping[str, float], options: OrderOptions = OrderOptions()) -> tuple[str, ...]:
    """What speaks against the names of vertebrae, as "T3 lies directly above L5".

    Args:
        heights: mm towards the head of the middle of each vertebra, by its site id.
        options: see `OrderOptions`.
    """
    row = sorted(heights, key=lambda site: -heights[site])
    steps = [_Step(a, b, VERTEBRAE.index(b) - VERTEBRAE.index(a), heights[a] - heights[b]) for a, b in pairwise(row)]
    return tuple(
        f"{_short(step.upper)} lies directly above {_short(step.lower)}"
        for n, step in enumerate(steps)
        if not _can_be(step, steps[max(0, n - options.around) : n + options.around + 1], options)
    )


def _can_be(step: _Step, near: Sequence[_Step], options: OrderOptions) -> bool:
    return step.levels == 1 or (step.levels > 1 and step.mm >= step.levels * _least(near, options))


def _least(near: Sequence[_Step], options: OrderOptions) -> float:
    """What a level takes at least, mm."""
    usual = [step.mm for step in near if step.levels == 1]
    return max(options.least_mm, options.share * float(np.median(usual))) if usual else options.least_mm


def _short(site: str) -> str:
    return site.removeprefix("vertebra_")
