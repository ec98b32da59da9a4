"""Which finding of one date is which of another: places, distances, one-to-one assignment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from osteoscope.domain.anatomy import PLANAR_UNITS
from osteoscope.domain.finding import Finding
from osteoscope.domain.reading import MappedSite, Reading
from osteoscope.stats.unit_frame import NEIGHBOURS, Spot, UnitFrames


@dataclass(frozen=True)
class IdentityOptions:
    """Limits of identity (choices, judged on simulated children).

    Args:
        reach: most distance between two sightings of one lesion, in lengths of the trunk (neck to seat: about 0.5 of
            a child's height, so that 0.06 is 30 mm at 1 m).
        close: up to this distance a match is taken as sure; beyond, the lesion could be another.
        neighbour: share of the reach that is taken off between two units that meet.
        inside: a lesion is within a diffuse one if half of it is no farther from it, in lengths of the trunk.
        doubtful: findings from this confidence are followed.
        accepted: findings from this confidence count as lesions, the same on every date. A level may count fainter
            ones, from a confidence of its own for each date (`measure.score_extent.counting_from`), and so rise without
            a lesion that counts.
    """

    reach: float = 0.06
    close: float = 0.045
    neighbour: float = 0.4
    inside: float = 0.03
    doubtful: float = 0.25
    accepted: float = 0.5


@dataclass(frozen=True, eq=False)
class Sighting:
    """A finding on one date and its places.

    Args:
        finding: planar.
        spots: its place in its own unit and in those that meet it, as far as they are mapped.
        arrangement: its middle less that of all findings of its unit, in pixels (down, across): a place of last
            resort.
    """

    finding: Finding
    spots: Mapping[str, Spot]
    arrangement: tuple[float, float]

    @property
    def by_place(self) -> bool:
        """Whether its place in its own unit is known."""
        return self.finding.site in self.spots


def sightings(reading: Reading, mapped: Sequence[MappedSite], options: IdentityOptions) -> tuple[Sighting, ...]:
    """Findings at least as confident as ``options.doubtful``, from head to foot, in an order of their own."""
    frames = UnitFrames(reading, mapped)
    found = [f for f in reading.findings if f.confidence >= options.doubtful and f.site in PLANAR_UNITS]
    made = []
    for finding in found:
        middles = np.array([_centroid(other) for other in found if other.site == finding.site])
        down, across = _centroid(finding) - middles.mean(axis=0)
        spots = frames.spots(finding.region, (finding.site, *sorted(NEIGHBOURS.get(finding.site, ()))))
        made.append(Sighting(finding, spots, (float(down), float(across))))
    return tuple(sorted(made, key=lambda s: _order(s.finding)))


def _centroid(finding: Finding) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    part = finding.region.parts[0]
    row, column = part.centroid()
    return np.array([row, column if part.image == "anterior" else -column], dtype=float)


def _order(finding: Finding) -> tuple[int, str, tuple[float, ...], int, float, str]:
    down_across = tuple(round(float(v), 3) for v in _centroid(finding))
    return (
        PLANAR_UNITS.index(finding.site),
        finding.kind,
        down_across,
        finding.region.size,
        finding.confidence,
        finding.id,
    )


def assign(
    known: Sequence[Sighting], found: Sequence[Sighting], options: IdentityOptions
) -> Mapping[int, tuple[int, float]]:
    """Index in ``known`` to index in ``found`` and their distance: the one-to-one assignment of least total distance.

    A pair out of reach costs as much as one at the reach's end and is then dropped, so that a lesion is rather left
    alone than matched far away.
    """
    if not known or not found:
        return {}
    cost = np.array([[min(_distance(a, b, options), options.reach) for b in found] for a in known])
    rows, columns = linear_sum_assignment(cost)
    return {
        int(r): (int(c), float(cost[r, c])) for r, c in zip(rows, columns, strict=True) if cost[r, c] < options.reach
    }


def _distance(a: Sighting, b: Sighting, options: IdentityOptions) -> float:
    one, other = a.finding, b.finding
    if one.kind != other.kind:
        return np.inf
    units = a.spots.keys() & b.spots.keys() & {one.site, other.site}
    if one.site == other.site and not units:
        return _unplaced(a, b, options)
    if one.site != other.site and (not units or other.site not in NEIGHBOURS.get(one.site, ())):
        return np.inf
    measure = _between_patches if one.kind == "diffuse" else Spot.distance
    extra = 0.0 if one.site == other.site else options.neighbour * options.reach
    return extra + float(np.mean([measure(a.spots[unit], b.spots[unit]) for unit in units]))


def _between_patches(a: Spot, b: Spot) -> float:
    """Patches grow and shrink: what counts is how much of the smaller one lies within the other."""
    return min(a.gap(b), b.gap(a)) + 0.1 * min(a.distance(b), 0.2)


def _unplaced(a: Sighting, b: Sighting, options: IdentityOptions) -> float:
    """Always within reach, nearer for a like arrangement."""
    apart = float(np.hypot(*np.subtract(a.arrangement, b.arrangement)))
    return options.reach * 0.9 * apart / (1 + apart)


def covers(patch: Sighting, other: Sighting, options: IdentityOptions) -> bool:
    """Whether a lesion of another date lies within this diffuse one of its unit.

    By unit alone where places are not known. A patch of the ribs over a focus of the spine is no such thing: bones
    overlap in projection.
    """
    site = patch.finding.site
    if patch.finding.kind != "diffuse" or patch is other or other.finding.site != site:
        return False
    if site not in patch.spots or site not in other.spots:
        return True
    return other.spots[site].gap(patch.spots[site]) <= options.inside
