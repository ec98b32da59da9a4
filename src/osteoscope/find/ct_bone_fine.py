"""From cells of 8 mm to voxels of 2 mm: which bone each voxel is of, and where exactly bone ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.geometry import Grid, widened
from osteoscope.find.ct_bone_maps import FOLD, VOXEL_MM, halved
from osteoscope.find.ct_bone_regions import Sites
from osteoscope.find.ct_bones import MaskOptions, bone_mask
from osteoscope.find.ct_frame import AIR, Frame

Mask = NDArray[np.bool_]

_PER_CELL = 2 * FOLD  # fine voxels along each axis of a cell
_REACH = 2  # cells beyond the named ones to which their names extend


@dataclass(frozen=True)
class EdgeOptions:
    """Choices of where bone ends; design choices, not checked on scans yet.

    Args:
        doubtful: chance, in 1/255, below which dense voxels are no bone (agent, stones, calcified vessels).
        sure: chance from which voxels are bone whatever their HU (marrow, tumour).
        mask: of the classical mask, which says what is dense or walled in by what is dense.
    """

    doubtful: int = 50
    sure: int = 200
    mask: MaskOptions = field(default_factory=MaskOptions)


def coarse_frame(fine: Frame) -> Frame:
    """The frame that the network sees: every voxel the mean of 2 x 2 x 2."""
    hu = np.rint(halved(np.maximum(fine.hu, AIR))).astype(np.int16)
    return Frame(
        hu, Grid.axial(hu.shape, (VOXEL_MM,) * 3, fine.grid.to_position([0.5, 0.5, 0.5]).tolist()), fine.source
    )


def fine_bone(fine: Frame, bone: NDArray[np.uint8], options: EdgeOptions = EdgeOptions()) -> Mask:
    """Bone of each voxel of the fine frame: the network says what is bone, HU say where it ends.

    Args:
        fine: frame of 2 mm.
        bone: chance of bone in 1/255 at 4 mm, of `coarse_frame`.
        options: see `EdgeOptions`.
    """
    chance = _fitted(_finer(bone, 2), fine.hu.shape)
    dense = bone_mask(fine, options.mask).bone
    return np.asarray((dense & (chance > options.doubtful)) | (chance >= options.sure))


def fine_sites(cells: Sites, shape: tuple[int, ...]) -> Sites:
    """The name that most of each fine voxel's surroundings bear; names reach a little beyond their cells.

    Args:
        cells: 0 or 1 + the number of a name.
        shape: of the fine frame.
    """
    away, nearest = ndimage.distance_transform_edt(cells == 0, return_indices=True)
    wide = np.where(away <= _REACH, cells[tuple(nearest)], 0).astype(np.uint16)
    fine = np.zeros([n * _PER_CELL for n in cells.shape], dtype=np.uint16)
    most = np.zeros(fine.shape, dtype=np.float16)
    for number, box in enumerate(ndimage.find_objects(wide), start=1):
        if box is None:
            continue
        around = widened(box, 1, cells.shape)
        inside = tuple(slice(s.start * _PER_CELL, s.stop * _PER_CELL) for s in around)
        share = _finer((wide[around] == number).astype(np.float32), _PER_CELL)
        better = share > most[inside]
        most[inside][better] = share[better]
        fine[inside][better] = number
    return _fitted(fine, shape)


def _finer(array: NDArray[Any], times: int) -> NDArray[Any]:
    """Values at so many times the resolution, linearly between the middles of voxels."""
    return np.asarray(ndimage.zoom(array, times, order=1, mode="nearest", grid_mode=True))


def _fitted(array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Cut, or continued at its end, to a shape that differs by less than a cell."""
    more = [(0, max(0, n - have)) for n, have in zip(shape, array.shape, strict=True)]
    return np.pad(array, more, mode="edge")[tuple(slice(0, n) for n in shape)]
