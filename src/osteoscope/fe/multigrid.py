"""Geometric multigrid on voxels as a preconditioner, in single precision.

The finest lattice has no matrix, the coarser ones are Galerkin bricks (``coarse``); the smoother is Chebyshev's
polynomial of the Jacobi-scaled stiffness (Adams et al., J Comput Phys 188:593, 2003). The coarsest lattice is solved
with a pseudo-inverse, so that a bone that may still slide is no obstacle.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from osteoscope.fe.coarse import Bricks, coarse_lattices
from osteoscope.fe.transfer_kernels import interpolate, remove, restrict, smooth
from osteoscope.fe.voxels import Voxels

Single = NDArray[np.float32]
COARSEST = 200
SWEEPS = 2
BAND = 8.0


class Operator(Protocol):
    """A stiffness that can be applied."""

    def apply(self, displacement: NDArray[Any], out: NDArray[Any]) -> None:
        """Forces of displacements."""


class Multigrid:
    """One V-cycle.

    Args:
        voxels: the finest lattice.
        free: bool [3, nz+1, ny+1, nx+1] displacements that are not prescribed.
    """

    def __init__(self, voxels: Voxels, free: NDArray[np.bool_]) -> None:
        diagonal = voxels.diagonal()
        self.levels = [Level(voxels, np.where(free, diagonal, 0))]
        hold = np.where(free, 0, diagonal).astype(np.float32)
        lattices = coarse_lattices(voxels.modulus, voxels.spacing, voxels.poisson, voxels.element, hold)
        while True:
            bricks = next(lattices)
            diagonal = bricks.diagonal()
            self.levels.append(Level(bricks, diagonal))
            if np.count_nonzero(diagonal) <= COARSEST or len(bricks.places) == 1:
                break
        self.exact, self.bottom = _pseudo_inverse(bricks)

    def __call__(self, residual: NDArray[Any]) -> Single:
        """An approximate solution [3, nz+1, ny+1, nx+1] of stiffness @ x = residual; valid until the next call."""
        top = self.levels[0]
        np.copyto(top.r, residual, casting="same_kind")
        self._cycle(0)
        return top.x

    def _cycle(self, depth: int) -> None:
        level = self.levels[depth]
        level.x.fill(0)
        if depth == len(self.levels) - 1:
            level.x.ravel()[self.bottom] = self.exact @ level.r.ravel()[self.bottom]
            return
        level.q.fill(0)
        level.sweep(last=True)
        below = self.levels[depth + 1]
        restrict(level.r, below.r)
        self._cycle(depth + 1)
        interpolate(below.x, level.inverse, level.d)
        level.x += level.d
        level.operator.apply(level.d, level.q)
        level.sweep(last=False)


class Level:
    """A lattice with the working fields of its smoother: solution x, residual r, direction d and its forces q.

    Args:
        operator: its stiffness.
        diagonal: [3, nz+1, ny+1, nx+1] of the stiffness, 0 where prescribed.
    """

    def __init__(self, operator: Operator, diagonal: Single) -> None:
        self.operator = operator
        self.inverse = np.zeros_like(diagonal)
        np.divide(1, diagonal, out=self.inverse, where=diagonal > 0)
        self.x, self.r, self.d, self.q = (np.zeros_like(self.inverse) for _ in range(4))
        high = self._largest_eigenvalue()
        low = high / BAND
        self.middle, self.half = (high + low) / 2, (high - low) / 2

    def sweep(self, *, last: bool) -> None:
        """Chebyshev smoothing from x and r, with q still to be taken off r; with ``last`` r fits x at the end.

        Saad, Iterative Methods for Sparse Linear Systems (2003), algorithm 12.1.
        """
        r, q, d, x, inverse = (field.ravel() for field in (self.r, self.q, self.d, self.x, self.inverse))
        ratio = self.half / self.middle
        keep, step = 0.0, 1 / self.middle
        for turn in range(SWEEPS):
            smooth(r, q, d, x, inverse, np.float32(keep), np.float32(step))
            if last or turn < SWEEPS - 1:
                self.operator.apply(self.d, self.q)
            following = 1 / (2 * self.middle / self.half - ratio)
            keep, step, ratio = following * ratio, 2 * following / self.half, following
        if last:
            remove(r, q, inverse)

    def _largest_eigenvalue(self, rounds: int = 12) -> float:
        """Of the stiffness over its diagonal, from power iterations, and a tenth more."""
        self.d[:] = np.random.default_rng(0).uniform(-1, 1, self.d.shape)
        self.d[self.inverse == 0] = 0
        largest = 1.0
        for _ in range(rounds):
            self.d /= np.linalg.norm(self.d)
            self.operator.apply(self.d, self.q)
            np.multiply(self.q, self.inverse, out=self.d)
            largest = float(np.linalg.norm(self.d))
        return 1.1 * largest


def _pseudo_inverse(bricks: Bricks) -> tuple[Single, NDArray[np.int64]]:
    whole, kept = bricks.dense()
    return np.linalg.pinv(whole, rcond=1e-7, hermitian=True).astype(np.float32), kept
