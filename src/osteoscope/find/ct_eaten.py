"""Bone that a tumour has eaten is still bone: vertebral bodies completed, breached cavities filled."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.find.ct_around import Around, around_spine
from osteoscope.find.ct_bones import BoneMask
from osteoscope.find.ct_discs import Discs
from osteoscope.find.ct_enclosed import ALL_DIRECTIONS, walls_met
from osteoscope.find.ct_spine import SpineLine, robust_profile

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class EatenOptions:
    """Choices of the completion.

    Args:
        inner: share of the half axes of the usual cross-section that is filled; the rim is left to the HU.
        soft_hu: (least, greatest) HU that is filled: tumour and fatty marrow, neither gas nor contrast agent.
        disc_mm: half of the thickness of a disc and its end plates, which are not filled.
        side_mm: the side of the body is sought this far from the middle.
        walls: beside the spine, soft tissue that meets bone in so many of 26 directions is eaten bone; intact marrow
            needs more (see `MaskOptions.walls`), a place between two bones has fewer.
        reach_mm: within this distance.
        tumour_hu: (least, greatest) HU of such soft tissue.
        column_mm: (beside, behind, beyond the ends) how far the spine's own gaps, discs and foramina, are kept free.
    """

    inner: float = 0.9
    soft_hu: tuple[float, float] = (-60.0, 160.0)
    disc_mm: float = 5.0
    side_mm: float = 40.0
    walls: int = 17
    reach_mm: float = 24.0
    tumour_hu: tuple[float, float] = (-20.0, 130.0)
    column_mm: tuple[float, float, float] = (8.0, 60.0, 40.0)


def with_eaten_bone(bones: BoneMask, line: SpineLine, discs: Discs, options: EatenOptions = EatenOptions()) -> BoneMask:
    """The bone mask with every vertebral body filled to its usual cross-section, and breached cavities filled."""
    whole = _filled(bones, _missing_body(bones, line, discs, options))
    return _filled(whole, _breached_cavities(whole, line, options))


def _filled(bones: BoneMask, place: Mask) -> BoneMask:
    return replace(bones, bone=bones.bone | place, open_marrow=bones.open_marrow | place)


def _missing_body(bones: BoneMask, line: SpineLine, discs: Discs, options: EatenOptions) -> Mask:
    place = np.zeros(bones.bone.shape, dtype=bool)
    if len(discs.places):
        soft = ~bones.bone & bones.body & ~bones.metal & _between(bones.smooth, options.soft_hu)
        around = around_spine(soft & _near(bones, line), bones.frame.step, line)
        rows = _in_body(around, line, _half_width(bones, line, options), options) & _off_disc(around, discs, options)
        place[tuple(around.voxels[rows].T)] = True
    return place


def _breached_cavities(bones: BoneMask, line: SpineLine, options: EatenOptions) -> Mask:
    met = walls_met(bones.bone, bones.frame.voxels(options.reach_mm), ALL_DIRECTIONS)
    place = (met >= options.walls) & ~bones.bone & bones.body & ~bones.metal
    place &= _between(bones.smooth, options.tumour_hu)
    around = around_spine(place, bones.frame.step, line)
    place[tuple(around.voxels[_in_column(around, line, options)].T)] = False
    return np.asarray(ndimage.binary_opening(place))


def _in_column(around: Around, line: SpineLine, options: EatenOptions) -> Mask:
    nearest = np.clip(np.rint(around.along).astype(np.intp), 0, line.length - 1)
    beside, behind, beyond = options.column_mm
    return np.asarray(
        (np.abs(around.side) < 0.75 * line.depth[nearest] + beside)
        & (around.forward > -behind)
        & (around.forward < line.face[nearest] + beside)
        & (around.along > -beyond)
        & (around.along < line.length + beyond)
    )


def _between(values: NDArray[np.int16], limits: tuple[float, float]) -> Mask:
    return np.asarray((values > limits[0]) & (values < limits[1]))


def _near(bones: BoneMask, line: SpineLine) -> Mask:
    """The box that holds every vertebral body."""
    reach = float(line.face.max()) + 10.0
    low = np.maximum(0, np.floor((line.points.min(axis=0) - reach) / bones.frame.step)).astype(int)
    high = np.ceil((line.points.max(axis=0) + reach) / bones.frame.step).astype(int)
    near = np.zeros(bones.bone.shape, dtype=bool)
    near[tuple(slice(a, b + 1) for a, b in zip(low, high, strict=True))] = True
    return near


def _half_width(bones: BoneMask, line: SpineLine, options: EatenOptions) -> Floats:
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


def _in_body(around: Around, line: SpineLine, half_width: Floats, options: EatenOptions) -> Mask:
    nearest = np.clip(np.rint(around.along).astype(np.intp), 0, line.length - 1)
    middle, half = (line.wall + line.face)[nearest] / 2, line.depth[nearest] / 2
    radius = ((around.forward - middle) / half) ** 2 + (around.side / np.maximum(half_width[nearest], 1.0)) ** 2
    return np.asarray((radius < options.inner**2) & (around.along >= 0) & (around.along < line.length))


def _off_disc(around: Around, discs: Discs, options: EatenOptions) -> Mask:
    """Rows between the outermost discs and away from every disc; thin bodies keep half of their height."""
    place = np.searchsorted(discs.places, around.along)
    inside = (place > 0) & (place < len(discs.places))
    upper = discs.places[np.clip(place, 0, len(discs.places) - 1)]
    lower = discs.places[np.clip(place - 1, 0, len(discs.places) - 1)]
    margin = np.minimum(options.disc_mm, (upper - lower) / 4)
    return np.asarray(inside & (around.along - lower > margin) & (upper - around.along > margin))
