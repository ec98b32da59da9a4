"""Where the voxels of a body fall on both views."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.finding import Part, Region
from osteoscope.simulate.body import Body
from osteoscope.simulate.camera import Field, Floats
from osteoscope.simulate.motion import shift_rows


@dataclass(frozen=True, eq=False)
class Silhouettes:
    """Outlines of voxels.

    Args:
        body: labelled voxels.
        field: where they fall on the pictures.
        shifts: of each row of pixels, pixels to the right of the anterior view; None for a child that lies still.
    """

    body: Body
    field: Field
    shifts: Floats | None = None

    def seen(self, voxels: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether the camera looks at voxels (flat indices), where they are when it passes."""
        z, x = self.body.in_picture(voxels)
        rows, columns = self._pixel_of
        if self.shifts is None:
            return np.asarray((rows[z] >= 0) & (columns[x] >= 0))
        pixel_mm = self.field.column_edges[1] - self.field.column_edges[0]
        return np.asarray((rows[z] >= 0) & self.field.looks_at(self.field.columns[x] + pixel_mm * self.shifts[rows[z]]))

    def mask(self, voxels: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Their pixels on the anterior view, without motion: whose middle lies in a voxel, or that hold its middle."""
        hit = np.zeros((self.body.grid.shape[0], self.body.grid.shape[2]), dtype=bool)
        z, x = self.body.in_picture(voxels)
        hit.ravel()[z * hit.shape[1] + x] = True
        (rows, columns), (row, column) = self._voxel_of, self._pixel_of
        top, left = rows >= 0, columns >= 0
        mask = np.zeros((len(rows), len(columns)), dtype=bool)
        mask[np.ix_(top, left)] = hit[np.ix_(rows[top], columns[left])]
        z, x = np.nonzero(hit)
        inside = (row[z] >= 0) & (column[x] >= 0)
        mask[row[z[inside]], column[x[inside]]] = True
        return mask

    def region(self, voxels: NDArray[np.int64]) -> Region | None:
        """Their silhouette on both views as the camera sees it, None where they are out of the field."""
        mask = self._moved(voxels, self.shifts) if self.shifts is not None else self.mask(voxels)
        if not mask.any():
            return None
        front = Part.from_mask("anterior", mask)
        left = mask.shape[1] - front.box[1].stop
        return Region((front, Part("posterior", (front.offset[0], left), front.mask[:, ::-1])))

    def _moved(self, voxels: NDArray[np.int64], shifts: Floats) -> NDArray[np.bool_]:
        """Pixels of voxels that moved with their rows: what lay beyond the detector's edge may come into the field."""
        return self.field.recorded(shift_rows(self._beyond.mask(voxels), shifts))

    @cached_property
    def _beyond(self) -> Silhouettes:
        """The same body at rest over a detector wide enough for its motion."""
        most = np.abs(self.shifts).max() if self.shifts is not None else 0.0
        return Silhouettes(self.body, self.field.widened(int(np.ceil(most)) + 1))

    @cached_property
    def _pixel_of(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Row of pixels of each slice and column of pixels of each column of voxels, -1 outside the field."""
        return self.field.pixel_of_slices(), self.field.pixel_of_columns()

    @cached_property
    def _voxel_of(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Slice of each row of pixels and column of voxels of each column, -1 outside."""
        field = self.field
        return (
            _nearest(field.slices, field.row_edges, field.step_mm, field.seen[0]),
            _nearest(field.columns, field.column_edges, field.step_mm, field.seen[1]),
        )


def _nearest(at: Floats, edges: Floats, step: float, seen: slice) -> NDArray[np.int64]:
    """The voxel that the middle of each pixel lies in, -1 outside the body's box or the field."""
    middle = (edges[:-1] + edges[1:]) / 2
    index = np.rint((middle - at[0]) / (at[1] - at[0])).astype(np.int64) if len(at) > 1 else np.zeros(len(middle), int)
    inside = (index >= 0) & (index < len(at)) & (np.abs(middle - at[np.clip(index, 0, len(at) - 1)]) <= step)
    inside[: seen.start] = False
    inside[seen.stop :] = False
    return np.where(inside, index, -1)
