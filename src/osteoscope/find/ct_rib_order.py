"""Numbers of ribs by where they lie: ribs follow one another down a cage as even surfaces beside the spine.

Geometry follows ribs to the spine and knows their vertebrae, but loses some on the way and finds others grown together.
A quadratic function of the place beside the spine, the same on both sides, gives the number anywhere in the cage; it is
drawn from its typical course to that of the ribs that join a vertebra, and to what a network reads along all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.anatomy import VERTEBRAE

Floats = NDArray[np.float64]
Voxels = NDArray[np.intp]

RIBS = range(1, 13)
_MIDDLE = VERTEBRAE.index("vertebra_T6") + 0.5
_REACH = 6.0  # levels: half a cage
_TERMS = tuple(c for degree in range(3) for c in combinations_with_replacement(range(3), degree))
# Mean and spread of the coefficients of `_TERMS`: `python -m osteoscope.train.ct_rib_order`, 75 simulated adults.
TYPICAL = (6.972, 6.252, 2.893, -1.572, -0.722, 1.288, 0.187, -1.097, -1.103, -0.159)
SPREAD = (0.44, 0.913, 0.575, 0.548, 0.283, 0.391, 0.255, 0.551, 0.481, 0.523)


@dataclass(frozen=True)
class OrderOptions:
    """Choices, looked at on simulated scans.

    Args:
        broad: factor on the typical spread of the coefficients, as real cages vary more than simulated ones.
        samples: independent places that a followed rib counts as.
        error: levels; standard deviation of one of them.
        robust: levels; a place that is farther off counts less.
        fused: followed ribs above this multiple of the usual size, probably several, are not learned from.
        read_samples, read_error: the same of all that a network reads.
        steps: of the robust fit.
    """

    broad: float = 2.0
    samples: float = 20.0
    error: float = 0.3
    robust: float = 0.4
    fused: float = 1.6
    read_samples: float = 40.0
    read_error: float = 0.6
    steps: int = 5


@dataclass(frozen=True)
class ApartOptions:
    """Choices, looked at on simulated scans and a real one.

    Args:
        least: voxels; smaller pieces are not asked.
        wide: a piece over more of the order is several ribs.
        shared: slices; pieces that pass so many of the same are different ribs.
    """

    least: int = 300
    wide: float = 0.7
    shared: int = 10


@dataclass(frozen=True, eq=False)
class Beside:
    """Places beside the spine in levels, whatever the size of the body.

    Args:
        centres: (n, 3) voxel places of vertebrae, rising in z.
        slope, start: level (index into `VERTEBRAE`) at height z: ``slope * z + start``.
    """

    centres: Floats
    slope: float
    start: float

    @classmethod
    def of(cls, centres: Floats, levels: Sequence[int]) -> Beside:
        """Of at least two vertebrae with their levels."""
        slope, start = np.polyfit(centres[:, 0], levels, 1).tolist()
        return cls(centres, slope, start)

    def terms(self, voxels: Voxels) -> Floats:
        """What a number is made of at each of the voxels (n, 3), shape (n, 10)."""
        z, middle = voxels[:, 0], self.centres
        back, aside = (voxels[:, n] - np.interp(z, middle[:, 0], middle[:, n]) for n in (1, 2))
        down = self.slope * z + self.start - _MIDDLE
        place = np.stack([down, abs(self.slope) * back, abs(self.slope) * np.abs(aside)], axis=1) / _REACH
        return np.stack([place[:, list(term)].prod(axis=1) for term in _TERMS], axis=1)


@dataclass(frozen=True, eq=False)
class Reads:
    """What a network reads along ribs, whichever they are: places (n, 3) and the number there, fractional."""

    voxels: Voxels
    numbers: Floats


@dataclass(frozen=True, eq=False)
class RibOrder:
    """The number of the rib that passes anywhere in a cage."""

    beside: Beside
    coefficients: Floats

    @classmethod
    def of(
        cls,
        beside: Beside,
        followed: Sequence[tuple[int, Voxels]],
        reads: Reads | None = None,
        options: OrderOptions = OrderOptions(),
    ) -> RibOrder:
        """By ribs whose numbers are known and by what a network reads; without any of them, the typical order.

        Bayesian least squares, made robust by reweighting (Huber 1981, Robust Statistics).

        Args:
            beside: places of this cage.
            followed: number and voxels (n, 3) of each rib.
            reads: of a network.
            options: see `OrderOptions`.
        """
        typical, weight = np.array(TYPICAL), np.diag(1 / (options.broad * np.array(SPREAD)) ** 2)
        usual = np.median([len(voxels) for _, voxels in followed]) if followed else 0.0
        kept = [(number, voxels) for number, voxels in followed if len(voxels) < options.fused * usual]
        told = [(np.full(len(v), float(n)), v, options.samples / options.error**2) for n, v in kept]
        if reads is not None and len(reads.voxels):
            told.append((reads.numbers, reads.voxels, options.read_samples / options.read_error**2))
        if not told:
            return cls(beside, typical)
        wanted = np.concatenate([numbers for numbers, _, _ in told])
        terms = np.concatenate([beside.terms(voxels) for _, voxels, _ in told])
        share = np.concatenate([np.full(len(voxels), weight / len(voxels)) for _, voxels, weight in told])
        found = typical
        for _ in range(options.steps):
            trust = share / np.maximum(1.0, np.abs(wanted - terms @ found) / options.robust)
            scaled = terms * trust[:, None]
            found = np.linalg.solve(terms.T @ scaled + weight, scaled.T @ wanted + weight @ typical)
        return cls(beside, found)

    def places(self, voxels: Voxels) -> Floats:
        """Where in the order each voxel (n, 3) lies, fractional."""
        return np.asarray(self.beside.terms(voxels) @ self.coefficients)

    def numbers(self, voxels: Voxels) -> NDArray[np.intp]:
        """Of each voxel (n, 3); outside 1 to 12 where no rib can be."""
        return np.rint(self.places(voxels)).astype(np.intp)


def numbered_apart(
    order: RibOrder, ribs: Sequence[Voxels], known: Mapping[int, int], options: ApartOptions = ApartOptions()
) -> Mapping[int, int]:
    """Numbers of those ribs of a side that are whole, by index: nearest to the order, but different in the same slices.

    A rib goes down from its head to its end, so that it passes a slice once. Where an order is half a rib off, it alone
    gives two ribs one number.

    Args:
        order: of the cage.
        ribs: voxels (n, 3) of each piece of the side.
        known: numbers of some of them, by index.
        options: see `ApartOptions`.
    """
    places = {n: np.percentile(order.places(v), (10, 50, 90)) for n, v in enumerate(ribs) if len(v) >= options.least}
    middle = {n: float(p[1]) for n, p in places.items() if n in known or p[2] - p[0] < options.wide}
    queue = sorted(middle, key=lambda n: known.get(n, middle[n]))
    ways: dict[int, tuple[float, tuple[int, ...]]] = {0: (0.0, ())}  # by the last number
    for before, n in zip([None, *queue], queue, strict=False):
        step = int(before is None or _shared(ribs[before], ribs[n]) >= options.shared)
        longer = {}
        for number in [known[n]] if n in known else RIBS:
            best = min((way for last, way in ways.items() if last + step <= number), default=None)
            if best is not None:
                longer[number] = (best[0] + (number - middle[n]) ** 2, (*best[1], number))
        ways = longer
    return dict(zip(queue, min(ways.values())[1], strict=True)) if ways else {}


def _shared(one: Voxels, other: Voxels) -> int:
    """Slices between the ends that both pass."""
    (low, high), (below, above) = ((int(v[:, 0].min()), int(v[:, 0].max())) for v in (one, other))
    return min(high, above) - max(low, below)
