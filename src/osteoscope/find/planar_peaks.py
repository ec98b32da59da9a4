"""Foci as peaks of the heat map: where, in which unit, how sure, how wide, on which view."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import expit

from osteoscope.find.planar_canvas import CANVAS, Plane
from osteoscope.find.planar_maps import UNITS, Maps

_LEAST = 0.05
_APART = 7  # elements: side of the square that a peak is the highest of
_TRUNK = frozenset({"thoracic_cage", "thoracic_spine", "lumbar_spine", "sacrum", "pelvis"})
_RING = (5.0, 8.0)
_WIDEST = 6.0


@dataclass(frozen=True)
class Peak:
    """A focus.

    Args:
        at: (row, column) on the canvas.
        half: the same at half resolution.
        unit: index into `UNITS`.
        features: what its confidence follows from (`FEATURES`).
        confidence: chance of being a focus, 0..1.
        radius: in canvas elements.
        views: that show it.
    """

    at: tuple[int, int]
    half: tuple[int, int]
    unit: int
    features: tuple[float, ...]
    confidence: float
    radius: float
    views: tuple[str, ...]


# "beside" is the heat of the highest other peak of the same unit: foci come in company.
FEATURES = ("heat", "owner", "contrast", "silhouette", "skull", "trunk", "organ", "beside")


def peaks(maps: Maps, weights: Mapping[str, float]) -> Iterator[Peak]:
    """All peaks of the heat map, the highest first.

    Args:
        maps: of the network.
        weights: of a logistic model over `FEATURES`, and "constant".
    """
    highest = ndimage.maximum_filter(maps.heat, _APART)
    found = np.argwhere((maps.heat == highest) & (maps.heat >= _LEAST))
    places = [(int(row), int(column)) for row, column in found[np.argsort(-maps.heat[tuple(found.T)])]]
    owners = [_owner(maps, _halved(at)) for at in places]
    highest_of: dict[int, list[float]] = {}
    for at, (unit, _) in zip(places, owners, strict=True):
        highest_of.setdefault(unit, []).append(float(maps.heat[at]))
    for at, owner in zip(places, owners, strict=True):
        first, second = (*highest_of[owner[0]], 0.0)[:2]
        yield _peak(maps, at, owner, first if maps.heat[at] < first else second, weights)


def _halved(at: tuple[int, int]) -> tuple[int, int]:
    return min(at[0] // 2, CANVAS[0] // 2 - 1), min(at[1] // 2, CANVAS[1] // 2 - 1)


def _near(half: tuple[int, int]) -> tuple[slice, slice]:
    return slice(max(0, half[0] - 1), half[0] + 2), slice(max(0, half[1] - 1), half[1] + 2)


def _owner(maps: Maps, half: tuple[int, int]) -> tuple[int, float]:
    """The unit of a focus there, as an index into `UNITS`, and the chance of that."""
    rows, columns = _near(half)
    chances = maps.owner[:, rows, columns].mean(axis=(1, 2))
    return int(chances.argmax()), float(chances.max())


def _peak(
    maps: Maps, at: tuple[int, int], owner: tuple[int, float], beside: float, weights: Mapping[str, float]
) -> Peak:
    half, (unit, sure) = _halved(at), owner
    rows, columns = _near(half)
    looks = {name: _look(counts, at) for name, counts in maps.counts.items()}
    contrast = max(look.contrast for look in looks.values())
    features = (
        _logit(float(maps.heat[at])),
        _logit(sure),
        float(np.log(max(contrast, 0.1))),
        float(maps.units[unit, rows, columns].max()),
        float(UNITS[unit] == "skull"),
        float(UNITS[unit] in _TRUNK),
        float(maps.organs[rows, columns].mean()),
        beside,
    )
    total = weights["constant"] + sum(weights[name] * value for name, value in zip(FEATURES, features, strict=True))
    shown = tuple(name for name, look in looks.items() if look.contrast >= max(2.0, contrast / 4))
    radius = max((look.radius for name, look in looks.items() if name in shown), default=2.0)
    return Peak(at, half, unit, features, float(expit(total)), radius, shown)


@dataclass(frozen=True)
class _Look:
    contrast: float
    radius: float


def _look(counts: Plane, at: tuple[int, int]) -> _Look:
    """Contrast to noise of a place against a ring around it, and the radius at which half of it is lost."""
    reach = int(_RING[1]) + 1
    box = tuple(slice(max(0, place - reach), place + reach + 1) for place in at)
    here = counts[box]
    rows, columns = np.ogrid[box]
    away = np.sqrt((rows - at[0]) ** 2 + (columns - at[1]) ** 2)[: here.shape[0], : here.shape[1]]
    ring = here[(away >= _RING[0]) & (away <= _RING[1])]
    behind = float(np.median(ring)) if ring.size else 0.0
    profile = _profile(here, away)
    peak = profile[0] - behind
    inside = away <= 1.5
    noise = np.sqrt(max(behind, 0.02) / inside.sum())
    below = [n for n, value in enumerate(profile) if value - behind < peak / 2]
    radius = float(np.clip(below[0] + 0.5 if below else _WIDEST, 1.5, _WIDEST))
    return _Look(float(peak / noise), radius)


def _profile(here: Plane, away: NDArray[np.float64]) -> Sequence[float]:
    rings = [here[(away >= low) & (away < low + 1.5)] for low in (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)]
    return [float(ring.mean()) if ring.size else 0.0 for ring in rings]


def _logit(chance: float) -> float:
    bounded = min(max(chance, 1e-4), 1 - 1e-4)
    return float(np.log(bounded / (1 - bounded)))
