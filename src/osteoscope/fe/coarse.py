"""Coarse lattices of bricks: the Galerkin operator, element by element.

A coarse brick's stiffness is that of its voxels under trilinear displacements of the coarse brick. Up to three halvings
it is a sum of fixed matrices weighted with the voxels' moduli; beyond, it is gathered from its eight children. A
prescribed displacement is no place on a coarse lattice: what holds it there is the stiffness of the held places,
interpolated (``hold``), so that supports need not lie on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from osteoscope.fe.element import CORNERS, stiffness
from osteoscope.fe.kernels import FAST
from osteoscope.fe.model import Element
from osteoscope.fe.transfer_kernels import restrict

Single = NDArray[np.float32]
WEIGHED = 3


@dataclass(frozen=True, eq=False)
class Bricks:
    """A coarse lattice.

    Args:
        places: int64 [n, 3] index (z, y, x) of each brick.
        matrices: float32 [n, 24, 24] stiffness of each, in the order of ``osteoscope.fe.element``.
        hold: float32 [3, nz+1, ny+1, nx+1] stiffness of supports.
    """

    places: NDArray[np.int64]
    matrices: Single
    hold: Single

    def apply(self, displacement: NDArray[Any], out: NDArray[Any]) -> None:
        """Forces of displacements [3, nz+1, ny+1, nx+1]."""
        np.multiply(self.hold, displacement, out=out)
        _apply_bricks(*self._addresses(), self.matrices, displacement.ravel(), out.ravel())

    def diagonal(self) -> Single:
        """Diagonal [3, nz+1, ny+1, nx+1] of the stiffness."""
        whole = self.hold.copy()
        first, steps = self._addresses()
        np.add.at(whole.ravel(), first[:, None] + steps, np.diagonal(self.matrices, axis1=1, axis2=2))
        return whole

    def dense(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The stiffness between displacements that have any, and their places in a flat field."""
        kept = np.flatnonzero(self.diagonal())
        number = np.zeros(self.hold.size, np.int64)
        number[kept] = np.arange(len(kept))
        first, steps = self._addresses()
        whole = np.diag(self.hold.ravel()[kept].astype(float))
        for place, matrix in zip(first, self.matrices, strict=True):
            rows = number[place + steps]
            whole[np.ix_(rows, rows)] += matrix
        return whole, kept

    def _addresses(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Flat address of the first node of each brick along axis 0, and of its 24 displacements relative to it."""
        shape = self.hold.shape
        first = np.ravel_multi_index((np.zeros(len(self.places), np.int64), *self.places.T), shape)
        corners = np.asarray(list(np.ndindex(2, 2, 2)))
        steps = corners @ [shape[2] * shape[3], shape[3], 1]
        return first, (steps[:, None] + np.prod(shape[1:]) * np.arange(3)).ravel()


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def _apply_bricks(first, steps, matrices, u, out):  # type: ignore[no-untyped-def]  # pragma: no cover
    force = np.zeros(24, u.dtype)
    for n in range(first.size):
        force[:] = 0
        for b in range(24):
            value = u[first[n] + steps[b]]
            for a in range(24):
                force[a] += matrices[n, b, a] * value
        for a in range(24):
            out[first[n] + steps[a]] += force[a]


def coarse_lattices(
    modulus: Single, spacing: tuple[float, float, float], poisson: float, element: Element, hold: Single
) -> Iterator[Bricks]:
    """Ever coarser lattices of a model; ``hold`` [3, nz+1, ny+1, nx+1] is the stiffness of its prescribed places."""
    blocks = modulus[..., None]
    bricks: Bricks | None = None
    while True:
        hold = _restricted(hold)
        if bricks is None or blocks.shape[-1] < 8**WEIGHED:
            blocks = _grouped(blocks)
            places = np.argwhere(blocks.any(-1))
            table = _tables(spacing, poisson, element)[int(np.log2(blocks.shape[-1])) // 3 - 1]
            matrices = blocks[tuple(places.T)] @ table
            bricks = Bricks(places, matrices.reshape(-1, 24, 24), hold)
        else:
            bricks = _gathered(bricks, hold)
        yield bricks


def _restricted(hold: Single) -> Single:
    coarse = np.zeros([3, *(n // 2 + 1 for n in hold.shape[1:])], np.float32)
    restrict(hold, coarse)
    return coarse


def _grouped(blocks: Single) -> Single:
    """[z, y, x, m] to [z/2, y/2, x/2, 8 m], child after child."""
    even = np.pad(blocks, [*((0, n % 2) for n in blocks.shape[:3]), (0, 0)])
    nz, ny, nx = (n // 2 for n in even.shape[:3])
    split = even.reshape(nz, 2, ny, 2, nx, 2, -1)
    return np.ascontiguousarray(split.transpose(0, 2, 4, 1, 3, 5, 6)).reshape(nz, ny, nx, -1)


def _gathered(fine: Bricks, hold: Single) -> Bricks:
    parents, parent = np.unique(fine.places // 2, axis=0, return_inverse=True)
    child = (fine.places % 2) @ [4, 2, 1]
    matrices = np.zeros((len(parents), 24, 24), np.float32)
    for number, share in enumerate(_shares()):
        chosen = child == number
        np.add.at(matrices, parent.ravel()[chosen], (share.T @ fine.matrices[chosen] @ share).astype(np.float32))
    return Bricks(parents, matrices, hold)


@lru_cache(maxsize=16)
def _tables(spacing: tuple[float, float, float], poisson: float, element: Element) -> list[Single]:
    """For 1, 2, 3 halvings: the stiffness [8^halvings, 576] of a coarse brick in which one voxel has modulus 1."""
    matrices = stiffness(CORNERS * np.asarray(spacing) / 2, 1, poisson, element)[None]
    tables = []
    for _ in range(WEIGHED):
        matrices = np.concatenate([share.T @ matrices @ share for share in _shares()])
        tables.append(matrices.reshape(-1, 576).astype(np.float32))
    return tables


@lru_cache(maxsize=1)
def _shares() -> list[NDArray[np.float64]]:
    """For each child: its corners' displacements [24, 24] from those of the parent's corners."""
    shares = []
    for child in CORNERS:
        place = (child + CORNERS) / 2
        weights = np.prod((1 + place[:, None] * CORNERS) / 2, axis=2)
        shares.append(np.kron(weights, np.eye(3)))
    return shares
