"""Is it usual? The same change on the other side, or at the next level, speaks for anatomy or wear."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.find.ct_candidate import Candidate
from osteoscope.find.ct_frame import Frame

Floats = NDArray[np.float32]
Place = NDArray[np.float64]


@dataclass(frozen=True)
class TypicalOptions:
    """Choices of the comparison; lengths in mm.

    Args:
        cube_mm: deviation is averaged over cubes of this edge.
        slack_mm: how far the matching place may lie off; poses and bones differ.
        alike: a matching place counts from this share of the candidate's own deviation.
        off_middle_mm: a candidate nearer to the middle of an unpaired bone has no other side.
        neighbour_mm: the middles of neighbouring vertebrae are not farther apart.
    """

    cube_mm: float = 7.5
    slack_mm: float = 9.0
    alike: float = 0.6
    off_middle_mm: float = 8.0
    neighbour_mm: float = 48.0


class Comparison:
    """Deviations of one scan, ready to be compared between matching places."""

    def __init__(
        self,
        deviation: Floats,
        sites: NDArray[np.integer],
        names: Sequence[str],
        frame: Frame,
        options: TypicalOptions = TypicalOptions(),
    ) -> None:
        self._mean = ndimage.uniform_filter(deviation, frame.voxels(options.cube_mm))
        self._sites = sites
        self._names = list(names)
        self._frame = frame
        self._options = options
        self._middle = dict(_middles(sites, names))

    def analogues(self, candidate: Candidate) -> int:
        """How many matching places deviate alike."""
        own = float(_signed(self._mean[candidate.box][candidate.mask], candidate.sign).max())
        matches = self._matching_places(candidate)
        return sum(self._strongest(place, site, candidate.sign) >= self._options.alike * own for site, place in matches)

    def _matching_places(self, candidate: Candidate) -> list[tuple[int, Place]]:
        name = self._names[candidate.site - 1]
        centre = np.argwhere(candidate.mask).mean(axis=0) + [s.start for s in candidate.box]
        offset = centre - self._middle[name]
        mirrored = offset * np.array([1, 1, -1])
        other = _other_side(name)
        if other is not None:
            return [(self._names.index(other) + 1, self._middle[other] + mirrored)] if other in self._middle else []
        places = []
        if abs(offset[2]) * self._frame.step > self._options.off_middle_mm:
            places.append((candidate.site, self._middle[name] + mirrored))
        for neighbour in self._neighbours(name):
            places.append((self._names.index(neighbour) + 1, self._middle[neighbour] + offset))
        return places

    def _neighbours(self, name: str) -> list[str]:
        if not name.startswith("vertebra"):
            return []
        reach = self._options.neighbour_mm / self._frame.step
        vertebrae = [n for n in self._middle if n.startswith("vertebra") and n != name]
        return [n for n in vertebrae if np.linalg.norm(self._middle[n] - self._middle[name]) < reach]

    def _strongest(self, place: Place, site: int, sign: int) -> float:
        reach = self._frame.voxels(self._options.slack_mm)
        box = tuple(slice(max(0, round(p) - reach), max(0, round(p) + reach + 1)) for p in place)
        inside = self._sites[box] == site
        return float(_signed(self._mean[box][inside], sign).max()) if inside.any() else -np.inf


def _signed(values: Floats, sign: int) -> Floats:
    return sign * values if sign else np.abs(values)


def _middles(sites: NDArray[np.integer], names: Sequence[str]) -> Iterator[tuple[str, Place]]:
    for number, (name, box) in enumerate(zip(names, ndimage.find_objects(sites, max_label=len(names)), strict=True), 1):
        if box is not None:
            yield name, np.argwhere(sites[box] == number).mean(axis=0) + [s.start for s in box]


def _other_side(name: str) -> str | None:
    for side, other in (("right", "left"), ("left", "right")):
        if side in name.split("_"):
            return name.replace(side, other)
    return None
