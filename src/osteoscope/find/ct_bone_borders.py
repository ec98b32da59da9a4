"""What kind of bone each voxel is: the network's cells of 8 mm, read between their centres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.geometry import Grid
from osteoscope.find.ct_bone_look import Seen
from osteoscope.find.ct_bone_maps import FOLD
from osteoscope.find.ct_frame import Frame

Mask = NDArray[np.bool_]
Axes = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]
_BLUR = 0.5  # cells; chosen on simulated scans, of 0, 0.5 and 0.8


@dataclass(frozen=True, eq=False)
class Places:
    """Where each voxel of a frame lies along z, y and x, in cells of the network: their centres are whole numbers."""

    along: tuple[NDArray[np.float64], ...]
    shape: tuple[int, ...]

    @classmethod
    def of(cls, frame: Frame, grid: Grid, shape: tuple[int, ...]) -> Places:
        """Of a frame, in the cells ``shape`` of a picture on ``grid``."""
        along = []
        for axis in range(3):
            voxels = np.zeros((frame.hu.shape[axis], 3))
            voxels[:, axis] = np.arange(len(voxels))
            seen = grid.to_index(frame.grid.to_position(voxels))[:, axis]
            along.append((seen + 0.5) / FOLD - 0.5)
        return cls(tuple(along), shape)

    @cached_property
    def axes(self) -> Axes:
        """The cell that each voxel lies in."""
        return _nearest(self.along, self.shape)

    def chance_of_bone(self, seen: Seen) -> NDArray[np.uint8]:
        """Chance of bone in 1/255 at each voxel: that of the nearest voxel of the network's picture."""
        fine = [FOLD * (place + 0.5) - 0.5 for place in self.along]
        return seen.bone[np.ix_(*_nearest(fine, seen.bone.shape))]


def _nearest(along: Sequence[NDArray[np.float64]], shape: tuple[int, ...]) -> Axes:
    z, y, x = (np.clip(np.floor(at + 0.5), 0, n - 1).astype(np.intp) for at, n in zip(along, shape, strict=True))
    return z, y, x


def kinds_of_voxels(seen: Seen, places: Places, bone: Mask) -> NDArray[np.uint8]:
    """Index into `KINDS` of each voxel [z, y, x].

    Where cells of several kinds meet, a voxel of ``bone`` is of the kind whose chance is greatest between their centres
    (trilinear); elsewhere it is that of its cell.
    """
    axes = places.axes
    kinds = seen.kind[np.ix_(*axes)]
    cells = seen.bone_cells()
    highest = ndimage.maximum_filter(np.where(cells, seen.kind, 0), 3)
    mixed = highest > ndimage.minimum_filter(np.where(cells, seen.kind, highest.max(initial=0)), 3)
    where = np.nonzero(bone & mixed[np.ix_(*axes)])
    at = np.stack([place[index] for place, index in zip(places.along, where, strict=True)])
    own = tuple(axis[index] for axis, index in zip(axes, where, strict=True))
    found = kinds[where]
    most = np.zeros(len(found), dtype=np.float32)
    for kind in np.unique(seen.kind[cells & mixed]).tolist():
        these = cells & (seen.kind == kind)
        near = np.flatnonzero(ndimage.maximum_filter(these, 3)[own])
        chance = ndimage.gaussian_filter(np.where(these, seen.sure, 0).astype(np.float32), _BLUR)
        here = ndimage.map_coordinates(chance, at[:, near], order=1, mode="nearest")
        more = here > most[near]
        most[near[more]], found[near[more]] = here[more], kind
    kinds[where] = found
    return kinds
