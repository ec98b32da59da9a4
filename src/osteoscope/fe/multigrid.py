"""Geometric multigrid on voxels, without a matrix.

A coarse voxel has the mean modulus of its eight children (for trilinear bricks that is close to the Galerkin operator); the smoother is
Chebyshev's polynomial of the Jacobi-scaled stiffness, whose spectrum is bounded by that of one element. The coarsest lattice is
solved with a pseudo-inverse, so that a bone that may still slide is no obstacle. Single precision: it only preconditions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoscope.fe import kernels, modes
from osteoscope.fe.element import stiffness
from osteoscope.fe.model import Element
from osteoscope.fe.transfer_kernels import interpolate, restrict, smooth

Field = NDArray[np.float32]
COARSEST = 600
SWEEPS = 2
BAND = 8.0


@dataclass(frozen=True, eq=False)
class Voxels:
    """One lattice: moduli [z, y, x] and the stiffness of its voxels as coefficients.

    ``spans`` int32 [z, y, 2] is the first and last + 1 voxel with a modulus in each row.
    """

    modulus: Field
    spans: NDArray[np.int32]
    spacing: tuple[float, float, float]
    poisson: float
    element: Element

    @classmethod
    def of(cls, modulus: Field, spacing: tuple[float, float, float], poisson: float, element: Element) -> Voxels:
        """Voxels with their spans."""
        filled = modulus > 0
        some = filled.any(2)
        first = np.where(some, filled.argmax(2), 0)
        last = np.where(some, filled.shape[2] - filled[:, :, ::-1].argmax(2), 0)
        spans = np.stack([first, last], 2).astype(np.int32)
        return cls(np.ascontiguousarray(modulus, np.float32), spans, spacing, poisson, element)

    def apply(self, displacement: NDArray[Any], out: NDArray[Any]) -> None:
        """Forces [3, nz+1, ny+1, nx+1] of displacements, in the precision of both."""
        numbers = modes.coefficients(self.spacing, self.poisson, self.element).astype(displacement.dtype)
        kernels.apply_stiffness(self.modulus, self.spans, numbers, displacement, out)

    def inverse_diagonal(self, free: NDArray[np.bool_]) -> Field:
        """One over the diagonal [3, nz+1, ny+1, nx+1] of the stiffness; 0 where held or without an element."""
        total = np.zeros([n + 1 for n in self.modulus.shape], np.float32)
        for corner in np.ndindex(2, 2, 2):
            total[tuple(slice(c, c + n) for c, n in zip(corner, self.modulus.shape, strict=True))] += self.modulus
        per_axis = modes.diagonal(self.spacing, self.poisson, self.element).astype(np.float32)
        inverse = np.zeros(free.shape, np.float32)
        for axis in range(3):
            np.divide(1 / per_axis[axis], total, out=inverse[axis], where=free[axis] & (total > 0))
        return inverse

    def coarser(self) -> Voxels:
        """Half as many voxels along each axis, at least one."""
        even = np.pad(self.modulus, [(0, n % 2) for n in self.modulus.shape])
        nz, ny, nx = (n // 2 for n in even.shape)
        mean = even.reshape(nz, 2, ny, 2, nx, 2).mean((1, 3, 5), dtype=np.float32)
        dz, dy, dx = (2 * s for s in self.spacing)
        return Voxels.of(mean, (dz, dy, dx), self.poisson, "plain")


class Multigrid:
    """One V-cycle as a preconditioner.

    Args:
        voxels: the finest lattice.
        free: bool [3, nz+1, ny+1, nx+1] displacements that are not prescribed.
    """

    def __init__(self, voxels: Voxels, free: NDArray[np.bool_]) -> None:
        self.levels: list[Level] = []
        while True:
            level = Level(voxels, free)
            self.levels.append(level)
            if np.count_nonzero(level.inverse) <= COARSEST or max(voxels.modulus.shape) <= 1:
                break
            voxels, free = voxels.coarser(), _coarser(free)
        self.exact = _pseudo_inverse(self.levels[-1])
        self.bottom = np.flatnonzero(self.levels[-1].inverse)

    def __call__(self, residual: NDArray[Any]) -> Field:
        """An approximate solution [3, nz+1, ny+1, nx+1] of stiffness @ x = residual; valid until the next call."""
        top = self.levels[0]
        np.copyto(top.r, residual, casting="same_kind")
        self._cycle(0)
        return top.x

    def _cycle(self, depth: int) -> None:
        level = self.levels[depth]
        if depth == len(self.levels) - 1:
            level.x.fill(0)
            level.x.ravel()[self.bottom] = self.exact @ level.r.ravel()[self.bottom]
            return
        level.x.fill(0)
        level.q.fill(0)
        level.sweep(last=True)
        below = self.levels[depth + 1]
        restrict(level.r, below.r)
        self._cycle(depth + 1)
        interpolate(below.x, level.inverse, level.d)
        level.x += level.d
        level.voxels.apply(level.d, level.q)
        level.sweep(last=False)


class Level:
    """A lattice with the working fields of its smoother: solution x, residual r, direction d and its forces q."""

    def __init__(self, voxels: Voxels, free: NDArray[np.bool_]) -> None:
        self.voxels = voxels
        self.inverse = voxels.inverse_diagonal(free)
        self.x, self.r, self.d, self.q = (np.zeros_like(self.inverse) for _ in range(4))
        high = modes.largest_eigenvalue(voxels.spacing, voxels.poisson, voxels.element)
        low = high / BAND
        self.middle, self.half = (high + low) / 2, (high - low) / 2

    def sweep(self, *, last: bool) -> None:
        """Chebyshev smoothing from x and r with q still to be taken off r; with ``last`` r fits x at the end.

        Saad, Iterative Methods for Sparse Linear Systems (2003), algorithm 12.1.
        """
        flat = [field.ravel() for field in (self.r, self.q, self.d, self.x, self.inverse)]
        ratio = self.half / self.middle
        keep, step = 0.0, 1 / self.middle
        for turn in range(SWEEPS):
            smooth(*flat, np.float32(keep), np.float32(step))
            if last or turn < SWEEPS - 1:
                self.voxels.apply(self.d, self.q)
            following = 1 / (2 * self.middle / self.half - ratio)
            keep, step, ratio = following * ratio, 2 * following / self.half, following
        if last:
            np.subtract(self.r, self.q, out=self.r)
            self.r[self.inverse == 0] = 0


def _coarser(free: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A coarse displacement is held where the fine node on its place is."""
    shape = [(n - 1 + 1) // 2 + 1 for n in free.shape[1:]]
    coarse = np.ones([3, *shape], bool)
    taken = free[:, ::2, ::2, ::2]
    coarse[:, : taken.shape[1], : taken.shape[2], : taken.shape[3]] = taken
    return coarse


def _pseudo_inverse(level: Level) -> Field:
    """The pseudo-inverse of the stiffness between the free displacements of a small lattice."""
    voxels = level.voxels
    shape = level.inverse.shape[1:]
    number = np.arange(np.prod(shape)).reshape(shape)
    whole = np.zeros((3 * number.size, 3 * number.size))
    corners = np.asarray(list(np.ndindex(2, 2, 2)), float) * voxels.spacing
    brick = stiffness(corners, 1, voxels.poisson, voxels.element)
    for k, j, i in np.argwhere(voxels.modulus > 0):
        nodes = number[k : k + 2, j : j + 2, i : i + 2].ravel()
        places = (nodes[:, None] + number.size * np.arange(3)).ravel()
        whole[np.ix_(places, places)] += float(voxels.modulus[k, j, i]) * brick
    kept = np.flatnonzero(level.inverse)
    return np.linalg.pinv(whole[np.ix_(kept, kept)], rcond=1e-7, hermitian=True).astype(np.float32)
