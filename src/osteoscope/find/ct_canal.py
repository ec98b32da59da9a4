"""The spinal canal as a path from slice to slice: the one tube with a vertebral body before it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.find.ct_bones import BoneMask
from osteoscope.find.ct_enclosed import AXIAL_DIRECTIONS, walls_met

_COARSE = 2  # the path is sought on every second voxel
_MOVES = tuple(itertools.product((-2, -1, 0, 1, 2), (-1, 0, 1)))  # the spine leans forward more than sideways


@dataclass(frozen=True)
class CanalOptions:
    """Choices of the canal search; sizes of adults, wide enough for children.

    Args:
        reach_mm: bone is met within this distance in the plane; half of the widest canal and more.
        body_mm: (from, to) distance before the canal at which the vertebral body lies.
        body_half_width_mm: half width of the place where it is looked for.
        bridge_mm: sigma along z that bridges discs, where the canal is open to the sides.
        stiffness: price of a step to the side, per squared voxel.
        least_score: the spine ends where the smoothed score, 0..1, falls below ...
        usual_share: ... at its lower end, within the sacrum, already below this share of its median.
        least_mm: a shorter path is no spine.
        radius_mm: within this of the centre, what is not dense is canal and not marrow.
    """

    reach_mm: float = 24.0
    body_mm: tuple[float, float] = (8.0, 30.0)
    body_half_width_mm: float = 9.0
    bridge_mm: float = 10.0
    stiffness: float = 0.02
    least_score: float = 0.25
    usual_share: float = 0.65
    least_mm: float = 12.0
    radius_mm: float = 12.0


@dataclass(frozen=True, eq=False)
class Canal:
    """The canal's centre in each slice.

    Args:
        first: lowest slice (working frame).
        centre: float [n, 2], (y, x) voxel of slices ``first`` .. ``first + n - 1``.
        score: float [n], 0..1, how much it looks like a canal.
    """

    first: int
    centre: NDArray[np.float64]
    score: NDArray[np.float64]


def find_canal(bones: BoneMask, options: CanalOptions = CanalOptions()) -> Canal | None:
    """The spinal canal, or None where the scan shows no spine."""
    score = _likeness(bones, options)
    path, along = _best_path(score, options.stiffness)
    span = _longest_run(along > options.least_score)
    if span is not None:
        usual = options.usual_share * float(np.median(along[span]))
        span = slice(span.start + int(np.argmax(along[span] > usual)), span.stop)
    if span is None or (span.stop - span.start) * bones.frame.step * _COARSE < options.least_mm:
        return None
    coarse = np.arange(span.start, span.stop)
    fine = np.arange(span.start * _COARSE, min((span.stop - 1) * _COARSE + 1, bones.bone.shape[0]))
    smooth = ndimage.gaussian_filter1d(path[span].astype(float), 2.0, axis=0, mode="nearest") * _COARSE + 0.5
    centre = np.stack([np.interp(fine / _COARSE, coarse, smooth[:, axis]) for axis in (0, 1)], axis=1)
    return Canal(int(fine[0]), centre, np.interp(fine / _COARSE, coarse, along[span]))


def without_canal(bones: BoneMask, canal: Canal, options: CanalOptions = CanalOptions()) -> BoneMask:
    """The bone mask with the canal emptied where walls on all sides had made it marrow."""
    marrow = bones.open_marrow.copy()
    height, width = marrow.shape[1:]
    rows, columns = np.ogrid[:height, :width]
    limit = (options.radius_mm / bones.frame.step) ** 2
    for offset, (y, x) in enumerate(canal.centre):
        near = (rows - y) ** 2 + (columns - x) ** 2 <= limit
        pieces, _ = ndimage.label(near & ~(bones.bone[canal.first + offset] & ~bones.open_marrow[canal.first + offset]))
        here = pieces[min(height - 1, max(0, round(y))), min(width - 1, max(0, round(x)))]
        if here:
            marrow[canal.first + offset][pieces == here] = False
    return replace(bones, bone=(bones.bone & ~bones.open_marrow) | marrow, open_marrow=marrow)


def _likeness(bones: BoneMask, options: CanalOptions) -> NDArray[np.float32]:
    """How much each voxel of the coarse grid looks like canal, 0..1."""
    step = bones.frame.step * _COARSE
    bone = bones.bone[::_COARSE, ::_COARSE, ::_COARSE]
    solid = bone & ~bones.open_marrow[::_COARSE, ::_COARSE, ::_COARSE]
    met = walls_met(solid, max(1, round(options.reach_mm / step)), AXIAL_DIRECTIONS)
    enclosed = np.where(solid, 0, met).astype(np.float32) / len(AXIAL_DIRECTIONS)
    near, far = (round(mm / step) for mm in options.body_mm)
    depth, half = far - near + 1, round(options.body_half_width_mm / step)
    filled = bone.astype(np.float32)
    body = ndimage.uniform_filter(filled, (1, depth, 2 * half + 1), mode="constant")
    body = ndimage.shift(body, (0, (near + far) / 2, 0), order=0)
    likeness = enclosed**2 * np.sqrt(np.clip(body, 0, 1))
    return np.asarray(ndimage.gaussian_filter(likeness, (options.bridge_mm / step, 1.0, 1.0)))


def _best_path(score: NDArray[np.float32], stiffness: float) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """The path of the greatest sum from the first slice to the last: (y, x) [n, 2] and the score along it."""
    total = score[0].copy()
    choices = np.zeros(score.shape, dtype=np.uint8)
    for z in range(1, score.shape[0]):
        best = np.full(total.shape, -np.inf, dtype=np.float32)
        for number, (dy, dx) in enumerate(_MOVES):
            moved = _moved(total, dy, dx) - stiffness * (dy * dy + 2 * dx * dx)
            better = moved > best
            best[better] = moved[better]
            choices[z][better] = number
        total = best + score[z]
    y, x = np.unravel_index(int(np.argmax(total)), total.shape)
    path = np.zeros((score.shape[0], 2), dtype=np.intp)
    for z in range(score.shape[0] - 1, -1, -1):
        path[z] = y, x
        dy, dx = _MOVES[choices[z, y, x]]
        y, x = (y + dy, x + dx) if z else (y, x)
    return path, score[np.arange(score.shape[0]), path[:, 0], path[:, 1]]


def _moved(plane: NDArray[np.float32], dy: int, dx: int) -> NDArray[np.float32]:
    """The plane read at (y + dy, x + dx), -inf beyond the edge."""
    padded = np.pad(plane, 2, constant_values=-np.inf)
    height, width = plane.shape
    return padded[2 + dy : 2 + dy + height, 2 + dx : 2 + dx + width]


def _longest_run(flags: NDArray[np.bool_]) -> slice | None:
    runs, count = ndimage.label(flags)
    if not count:
        return None
    longest = int(np.argmax(np.bincount(runs)[1:])) + 1
    where = np.flatnonzero(runs == longest)
    return slice(int(where[0]), int(where[-1]) + 1)
