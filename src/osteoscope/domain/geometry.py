"""Where an array lies: a Grid maps array indices to millimetres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osteoscope.errors import InvalidValueError

Frame = Literal["LPS", "anterior", "posterior"]
Unit = Literal["mm", "pixel"]
Matrix = tuple[tuple[float, ...], ...]
Box = tuple[slice, ...]


def meet(one: Box, other: Box) -> bool:
    """Whether two boxes share an element."""
    return all(a.start < b.stop and b.start < a.stop for a, b in zip(one, other, strict=True))


def widened(box: Box, margin: int, shape: tuple[int, ...]) -> Box:
    """The box grown by ``margin`` elements, kept within an array of that shape."""
    return tuple(slice(max(0, s.start - margin), min(n, s.stop + margin)) for s, n in zip(box, shape, strict=True))


@dataclass(frozen=True)
class Turn:
    """How an array becomes one of the same elements in another order: axes swapped, then some of them reversed.

    Args:
        axes: for each new axis the old one.
        flipped: for each new axis whether it runs the other way.
    """

    axes: tuple[int, ...]
    flipped: tuple[bool, ...]

    def array(self, values: NDArray[Any]) -> NDArray[Any]:
        """The array in the new order."""
        reverse = tuple(axis for axis, flip in enumerate(self.flipped) if flip)
        return np.flip(values.transpose(self.axes), reverse)


@dataclass(frozen=True)
class Grid:
    """The place of an n-dimensional array in space.

    A volume (n = 3) is indexed ``[slice, row, column]`` and mapped to millimetres of the DICOM
    patient system (PS3.3 C.7.6.2.1.1: x to the patient's left, y to the back, z to the head).
    A planar view (n = 2) is indexed ``[row, column]`` and mapped to ``(x to the right of the
    picture, y downwards)`` of that view, in millimetres, or in pixels where the size of a pixel
    is not known. A posterior view is kept as seen from behind: the patient's left is on its left.

    Args:
        shape: size along each array axis.
        affine: (n+1, n+1) matrix from ``(*index, 1)``, index in array order, to ``(*position, 1)``.
        frame: the system that positions are given in.
        unit: unit of positions.

    Raises:
        InvalidValueError: the shape is empty, or the matrix has another size or no inverse.
    """

    shape: tuple[int, ...]
    affine: Matrix
    frame: Frame = "LPS"
    unit: Unit = "mm"

    def __post_init__(self) -> None:
        size = len(self.shape) + 1
        if not self.shape or min(self.shape) < 1:
            raise InvalidValueError("build a Grid", f"shape {self.shape}", "Give sizes of at least 1")
        if len(self.affine) != size or any(len(row) != size for row in self.affine):
            raise InvalidValueError(
                "build a Grid",
                f"affine of {len(self.affine)} rows for {size - 1} axes",
                f"Give {size} x {size} numbers",
            )
        if not np.isfinite(self.matrix).all() or abs(np.linalg.det(self.matrix[:-1, :-1])) < 1e-12:
            raise InvalidValueError("build a Grid", f"affine {self.affine}", "Give finite, independent axes")

    @classmethod
    def from_matrix(cls, shape: Sequence[int], matrix: ArrayLike, frame: Frame = "LPS", unit: Unit = "mm") -> Grid:
        """A Grid from any array-like matrix."""
        rows = tuple(tuple(float(v) for v in row) for row in np.asarray(matrix, dtype=float))
        return cls(tuple(int(n) for n in shape), rows, frame, unit)

    @classmethod
    def planar(cls, shape: Sequence[int], spacing: tuple[float, float] | None, frame: Frame) -> Grid:
        """A planar view; ``spacing`` is (row, column) distance in mm, or None where unknown."""
        down, right = spacing or (1.0, 1.0)
        matrix = np.asarray([[0, right, 0], [down, 0, 0], [0, 0, 1]], dtype=float)
        return cls.from_matrix(shape, matrix, frame, "mm" if spacing else "pixel")

    @classmethod
    def axial(cls, shape: Sequence[int], spacing: Sequence[float], origin: Sequence[float] = (0, 0, 0)) -> Grid:
        """A volume without rotation: spacing (slice, row, column) mm, origin (x, y, z) mm of voxel 0."""
        matrix = np.eye(4)
        matrix[:3, :3] = np.asarray([[0, 0, spacing[2]], [0, spacing[1], 0], [spacing[0], 0, 0]])
        matrix[:3, 3] = origin
        return cls.from_matrix(shape, matrix)

    @cached_property
    def matrix(self) -> NDArray[np.float64]:
        """The affine as a read-only array, shape (n+1, n+1)."""
        matrix = np.array(self.affine, dtype=float)
        matrix.setflags(write=False)
        return matrix

    @property
    def ndim(self) -> int:
        """Number of array axes."""
        return len(self.shape)

    @property
    def spacing(self) -> tuple[float, ...]:
        """Distance between neighbours along each array axis, in ``unit``."""
        return tuple(float(v) for v in np.linalg.norm(self.matrix[:-1, :-1], axis=0))

    @property
    def cell(self) -> float:
        """Volume (n = 3) or area (n = 2) of one element, in ``unit`` to the n."""
        return float(abs(np.linalg.det(self.matrix[:-1, :-1])))

    def to_position(self, index: ArrayLike) -> NDArray[np.float64]:
        """Positions, shape (..., n), of array indices, shape (..., n)."""
        return np.asarray(index, dtype=float) @ self.matrix[:-1, :-1].T + self.matrix[:-1, -1]

    def to_index(self, position: ArrayLike) -> NDArray[np.float64]:
        """Fractional array indices, shape (..., n), of positions, shape (..., n)."""
        shifted = np.asarray(position, dtype=float) - self.matrix[:-1, -1]
        return np.asarray(shifted @ np.linalg.inv(self.matrix[:-1, :-1]).T)

    def crop(self, box: Sequence[slice]) -> Grid:
        """The Grid of ``array[box]``; every slice needs a start and a stop."""
        offset = [s.start for s in box]
        matrix = self.matrix.copy()
        matrix[:-1, -1] = self.to_position(offset)
        return Grid.from_matrix([s.stop - s.start for s in box], matrix, self.frame, self.unit)

    def resample(self, spacing: Sequence[float]) -> Grid:
        """A Grid over the same extent with another spacing (array order, same unit).

        The outer faces stay where they are up to one new element.
        """
        ratio = np.asarray(spacing, dtype=float) / np.asarray(self.spacing)
        shape = np.maximum(1, np.ceil(np.asarray(self.shape) / ratio - 1e-6)).astype(int)
        matrix = self.matrix.copy()
        matrix[:-1, :-1] *= ratio
        matrix[:-1, -1] = self.to_position((ratio - 1) / 2)
        return Grid.from_matrix(shape.tolist(), matrix, self.frame, self.unit)

    def turn_to(self, other: Grid, tolerance: float = 1e-3) -> Turn | None:
        """How an array on this grid lies on another of the same elements; None where they are not the same.

        Args:
            other: the grid whose order of axes and indices is wanted.
            tolerance: as of ``matches``.
        """
        if self.ndim != other.ndim:
            return None
        along = (self.matrix[:-1, :-1] / self.spacing).T @ (other.matrix[:-1, :-1] / other.spacing)
        axes = tuple(int(axis) for axis in np.abs(along).argmax(axis=0))
        if sorted(axes) != list(range(self.ndim)):
            return None
        turn = Turn(axes, tuple(bool(along[axis, n] < 0) for n, axis in enumerate(axes)))
        return turn if self.turned(turn).matches(other, tolerance) else None

    def turned(self, turn: Turn) -> Grid:
        """The Grid of the array that a Turn makes of one on this grid."""
        first = [self.shape[axis] - 1 if flip else 0 for axis, flip in zip(turn.axes, turn.flipped, strict=True)]
        start = np.empty(self.ndim)
        start[list(turn.axes)] = first
        matrix = self.matrix.copy()
        matrix[:-1, :-1] = self.matrix[:-1, list(turn.axes)] * np.where(turn.flipped, -1, 1)
        matrix[:-1, -1] = self.to_position(start)
        return Grid.from_matrix([self.shape[axis] for axis in turn.axes], matrix, self.frame, self.unit)

    def matches(self, other: Grid, tolerance: float = 1e-3) -> bool:
        """Whether both grids hold the same elements within ``tolerance`` (in ``unit``)."""
        if (self.shape, self.frame, self.unit) != (other.shape, other.frame, other.unit):
            return False
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in self.shape])).reshape(self.ndim, -1).T
        return bool(np.abs(self.to_position(corners) - other.to_position(corners)).max() <= tolerance)
