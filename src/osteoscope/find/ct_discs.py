"""Where one vertebra ends and the next begins: the best regular row of discs along the spine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.find.ct_bones import BoneMask
from osteoscope.find.ct_spine import STEP_MM, SpineLine

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DiscOptions:
    """Choices of the disc search; shares are of the depth of the vertebral body.

    Args:
        spacing_mm: least and greatest distance of neighbouring discs (small child's neck, tall adult's loin).
        per_depth: usual distance as a share of the depth of the vertebral body.
        regular: price of a change of spacing, per squared natural logarithm of the ratio ...
        irregular: ... and no more than this, so that one collapsed vertebra does not spoil its row.
        usual: price of a spacing unlike ``per_depth``.
        within: price of what looks like a disc in the middle of a vertebra, whose ends are this share of it.
        end: see ``within``.
        foramen: weight of the opening to the side between two pedicles.
        foramen_above: the opening lies this share of the depth above its disc.
        valley: weight of a dark disc between two bright end plates.
    """

    spacing_mm: tuple[float, float] = (9.0, 46.0)
    per_depth: float = 1.08
    regular: float = 25.0
    irregular: float = 2.5
    usual: float = 3.0
    within: float = 1.0
    end: float = 0.35
    foramen: float = 0.6
    valley: float = 1.0
    foramen_above: float = 0.2


@dataclass(frozen=True, eq=False)
class Discs:
    """Cuts between vertebrae.

    Args:
        places: index on the spine line of each disc, upwards.
        evidence: of each disc, in standard deviations of the signal along the spine.
    """

    places: NDArray[np.intp]
    evidence: Floats

    @classmethod
    def none(cls) -> Discs:
        """No disc at all."""
        return cls(np.array([], dtype=np.intp), np.array([]))


def disc_signal(line: SpineLine, bones: BoneMask, options: DiscOptions = DiscOptions()) -> Floats:
    """How much each point of the line looks like a disc, in standard deviations."""
    inner = line.wall[:, None] + line.depth[:, None] * np.linspace(0.2, 0.8, 9)
    half = float(np.median(line.depth)) * 0.25
    hu = line.sample(bones.smooth, bones.frame.step, inner, np.linspace(-half, half, 5)).mean(axis=1)
    plates = _ring(hu, line.depth, 0.06, 0.2) - _ring(hu, line.depth, 0.32, 0.5)
    valley = _ring(hu, line.depth, 0.1, 0.22) - ndimage.uniform_filter1d(hu, 3, mode="nearest")
    places = np.arange(line.length) + options.foramen_above * line.depth / STEP_MM
    opening = np.interp(places, np.arange(line.length), _foramen(line, bones))
    return _standard(plates) + options.valley * np.maximum(_standard(valley), -0.5) + options.foramen * opening


def _foramen(line: SpineLine, bones: BoneMask) -> Floats:
    """Openness beside the canal, in standard deviations; low at the pedicles."""
    ahead = line.wall[:, None] + np.array([-7.0, -4.0, -1.0])
    bone = bones.bone.astype(np.float32)
    sides = [
        np.max(
            [line.sample(bone, bones.frame.step, ahead, np.array([sign * s])).mean(axis=1) for s in (10.0, 13.0, 16.0)],
            axis=0,
        )
        for sign in (-1.0, 1.0)
    ]
    return _standard(-np.mean(sides, axis=0))


def _ring(hu: Floats, depth: Floats, near: float, far: float) -> Floats:
    """Mean HU at distances of near..far times the depth, on both sides."""
    places = np.arange(len(hu), dtype=float)
    shares = np.linspace(near, far, 5)
    both = [np.interp(places + sign * share * depth / STEP_MM, places, hu) for share in shares for sign in (-1, 1)]
    return np.asarray(np.mean(both, axis=0))


def _standard(values: Floats) -> Floats:
    """Values less their running mean, over their running deviation (100 mm)."""
    sigma = 50.0 / STEP_MM
    centred = values - ndimage.gaussian_filter1d(values, sigma, mode="nearest")
    spread = np.sqrt(ndimage.gaussian_filter1d(centred**2, sigma, mode="nearest"))
    return np.asarray(centred / np.maximum(spread, 1e-3 + 0.2 * float(np.std(centred))))


def find_discs(signal: Floats, depth: Floats, options: DiscOptions = DiscOptions()) -> Discs:
    """The row of discs of the greatest evidence at regular distances (dynamic programming)."""
    low, high = (max(2, round(mm / STEP_MM)) for mm in options.spacing_mm)
    gaps = np.arange(low, high + 1)
    count = len(signal)
    best = np.full((count, len(gaps)), -np.inf)
    origin = np.full((count, len(gaps)), -1)
    change = -np.minimum(options.regular * np.log(gaps[:, None] / gaps[None, :]) ** 2, options.irregular)
    sums = np.concatenate([[0.0], np.cumsum(signal)])
    for place in range(count):
        usual = -options.usual * np.log(gaps * STEP_MM / (options.per_depth * depth[place])) ** 2
        usual -= options.within * np.maximum(_middle(sums, place, gaps, options.end), 0.0)
        for column, gap in enumerate(gaps):
            before = place - gap
            entry = (signal[before] if before >= 0 else 0.0) + 0.0
            value, source = entry, -1
            if before >= 0:
                reached = best[before] + change[column]
                choice = int(np.argmax(reached))
                if reached[choice] > entry:
                    value, source = float(reached[choice]), choice
            best[place, column] = value + signal[place] + usual[column]
            origin[place, column] = source
    return _trace(best, origin, gaps, signal)


def _middle(sums: Floats, place: int, gaps: NDArray[np.intp], end: float) -> Floats:
    """Mean signal of the middle of vertebrae of each height below a place; ``sums``: running sums of the signal."""
    first = np.maximum(0, np.ceil(place - (1 - end) * gaps)).astype(int)
    last = np.maximum(first, np.floor(place - end * gaps).astype(int))
    return np.asarray((sums[last + 1] - sums[first]) / (last + 1 - first))


def _trace(best: Floats, origin: NDArray[np.intp], gaps: NDArray[np.intp], signal: Floats) -> Discs:
    if not len(signal):
        return Discs.none()
    place, column = (int(index) for index in np.unravel_index(int(np.argmax(best)), best.shape))
    places = [place]
    while True:
        before = place - int(gaps[column])
        if before < 0:
            break
        places.append(before)
        source = int(origin[place, column])
        if source < 0:
            break
        place, column = before, source
    found = np.array(places[::-1], dtype=np.intp)
    return Discs(found, signal[found])
