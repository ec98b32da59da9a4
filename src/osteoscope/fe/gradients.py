"""Conjugate gradients on fields of nodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteoscope.fe.transfer_kernels import advance, dot, turn

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Balance:
    """Sums of squares of the residual in N^2 at free and at held places, after so many iterations."""

    loose: float
    held: float
    iterations: int = 0


def conjugate_gradients(
    stiffness: tuple[Callable[[Array, Array], None], Callable[[Array], NDArray[np.float32]]],
    residual: Array,
    moved: Array,
    free: NDArray[np.float32],
    stop: tuple[Callable[[Balance], bool], int],
) -> Balance:
    """Change ``moved`` and with it ``residual`` until ``stop``.

    Args:
        stiffness: writes forces of a displacement into its second argument; an approximate inverse, 0 where held.
        residual: forces out of balance; at held places minus the reactions.
        moved: displacements.
        free: flat, not 0 at free places.
        stop: is it enough; and after how many iterations to stop anyway.
    """
    apply, precondition = stiffness
    enough, patience = stop
    direction, reply = np.zeros_like(moved), np.zeros_like(moved)
    u, r, p, q = moved.ravel(), residual.ravel(), direction.ravel(), reply.ravel()
    loose, held = advance(u, r, p, q, 0.0, free)
    balance = Balance(loose, held)
    before = 0.0
    while balance.iterations < patience and not enough(balance):
        z = precondition(residual).ravel()
        now = dot(r, z)
        turn(p, z, now / before if balance.iterations else 0.0)
        apply(direction, reply)
        work = dot(p, q)
        if not work > 0:
            break
        loose, held = advance(u, r, p, q, now / work, free)
        balance = Balance(loose, held, balance.iterations + 1)
        before = now
    return balance
