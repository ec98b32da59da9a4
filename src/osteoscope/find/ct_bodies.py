"""Vertebral bodies completed: where a tumour has eaten marrow and cortex, the place is still bone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from osteoscope.find.ct_around import Around, around_spine
from osteoscope.find.ct_bones import BoneMask
from osteoscope.find.ct_discs import Discs
from osteoscope.find.ct_spine import SpineLine, robust_profile

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BodyFillOptions:
    """Choices of the completion.

    Args:
        inner: share of the half axes of the usual cross-section that is filled; the rim is left to the HU.
        soft_hu: (least, greatest) HU that is filled: tumour and fatty marrow, neither gas nor contrast agent.
        disc_mm: half of the thickness of a disc and its end plates, which are not filled.
        side_mm: the side of the body is sought this far from the middle.
    """

    inner: float = 0.9
    soft_hu: tuple[float, float] = (-60.0, 160.0)
    disc_mm: float = 5.0
    side_mm: float = 40.0


def with_whole_bodies(
    bones: BoneMask, line: SpineLine, discs: Discs, options: BodyFillOptions = BodyFillOptions()
) -> BoneMask:
    """The bone mask with every vertebral body filled to the cross-section that its neighbours have."""
    if not len(discs.places):
        return bones
    soft = ~bones.bone & bones.body & ~bones.metal & _between(bones.smooth, options.soft_hu)
    around = around_spine(soft & _near(bones, line), bones.frame.step, line)
    rows = _in_body(around, line, _half_width(bones, line, options), options) & _off_disc(around, discs, options)
    marrow = bones.open_marrow.copy()
    marrow[tuple(around.voxels[rows].T)] = True
    return replace(bones, bone=bones.bone | marrow, open_marrow=marrow)


def _between(values: NDArray[np.int16], limits: tuple[float, float]) -> NDArray[np.bool_]:
    return np.asarray((values > limits[0]) & (values < limits[1]))


def _near(bones: BoneMask, line: SpineLine) -> NDArray[np.bool_]:
    """The box that holds every vertebral body."""
    reach = float(line.face.max()) + 10.0
    low = np.maximum(0, np.floor((line.points.min(axis=0) - reach) / bones.frame.step)).astype(int)
    high = np.ceil((line.points.max(axis=0) + reach) / bones.frame.step).astype(int)
    near = np.zeros(bones.bone.shape, dtype=bool)
    near[tuple(slice(a, b + 1) for a, b in zip(low, high, strict=True))] = True
    return near


def _half_width(bones: BoneMask, line: SpineLine, options: BodyFillOptions) -> Floats:
    """Usual distance from the middle to the sides of the body, mm, along the line."""
    middle = ((line.wall + line.face) / 2)[:, None]
    bone = bones.bone.astype(np.float32)
    steps = np.arange(0.0, options.side_mm, 1.0)
    halves = []
    for sign in (-1.0, 1.0):
        filled = np.stack(
            [line.sample(bone, bones.frame.step, middle, np.array([sign * s]))[:, 0] > 0.5 for s in steps], axis=1
        )
        halves.append(np.argmin(np.column_stack([filled, np.zeros(len(filled), dtype=bool)]), axis=1).astype(float))
    width = np.mean(halves, axis=0)
    return robust_profile(np.where(width > 0, width, np.nan), 50.0, float(np.median(line.depth)) / 2)


def _in_body(around: Around, line: SpineLine, half_width: Floats, options: BodyFillOptions) -> NDArray[np.bool_]:
    nearest = np.clip(np.rint(around.along).astype(np.intp), 0, line.length - 1)
    middle, half = (line.wall + line.face)[nearest] / 2, line.depth[nearest] / 2
    radius = ((around.forward - middle) / half) ** 2 + (around.side / np.maximum(half_width[nearest], 1.0)) ** 2
    return np.asarray((radius < options.inner**2) & (around.along >= 0) & (around.along < line.length))


def _off_disc(around: Around, discs: Discs, options: BodyFillOptions) -> NDArray[np.bool_]:
    """Rows between the outermost discs and away from every disc; thin bodies keep half of their height."""
    place = np.searchsorted(discs.places, around.along)
    inside = (place > 0) & (place < len(discs.places))
    upper = discs.places[np.clip(place, 0, len(discs.places) - 1)]
    lower = discs.places[np.clip(place - 1, 0, len(discs.places) - 1)]
    margin = np.minimum(options.disc_mm, (upper - lower) / 4)
    return np.asarray(inside & (around.along - lower > margin) & (upper - around.along > margin))
