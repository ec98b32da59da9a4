"""Linear equilibrium of a voxel model: conjugate gradients, preconditioned with multigrid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteoscope.errors import InvalidValueError, NotConvergedError
from osteoscope.fe.gradients import Balance, conjugate_gradients
from osteoscope.fe.held import held_part
from osteoscope.fe.model import Loads, Supports, VoxelModel
from osteoscope.fe.multigrid import Multigrid
from osteoscope.fe.solution import Solution
from osteoscope.fe.voxels import Voxels

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SolveOptions:
    """How exactly to solve.

    Args:
        tolerance: forces out of balance at free nodes over the forces that act (2-norms) at which to stop.
        iterations: after how many conjugate gradients to give up.
    """

    tolerance: float = 1e-7
    iterations: int = 500


def solve(
    model: VoxelModel,
    supports: Supports,
    loads: Loads | None = None,
    start: Array | None = None,
    options: SolveOptions | None = None,
) -> Solution:
    """The elastic equilibrium.

    Args:
        model: the bone.
        supports: prescribed displacements.
        loads: forces, or none.
        start: displacements [nz+1, ny+1, nx+1, 3] in mm to start from, of a similar problem.
        options: tolerance and patience.

    Raises:
        InvalidValueError: a support or load is not at a node of an element, or a load acts on a loose piece.
        NotConvergedError: forces stayed out of balance: where the largest is, and its size.
    """
    held, notes = held_part(model, supports, loads)
    system = System(held, supports)
    forces, moved = system.loads(loads), system.starting(start)
    residual = forces - system.forces(moved)
    outcome = system.balance(residual, moved, forces, options or SolveOptions())
    return system.solution(moved, residual, outcome, notes)


class System:
    """A model with its supports, ready to be solved: fields are [3, nz+1, ny+1, nx+1].

    Args:
        model: the bone, held.
        supports: which displacements are prescribed.
    """

    def __init__(self, model: VoxelModel, supports: Supports) -> None:
        self.model, self.supports = model, supports
        self.voxels = Voxels.of(model)
        self.shape = (3, *model.lattice)
        self.places = (supports.axis, *supports.nodes.T)
        free = np.ones(self.shape, bool)
        free[self.places] = False
        self.precondition = Multigrid(self.voxels, free)
        self.free = self.precondition.levels[0].inverse.ravel()

    def loads(self, loads: Loads | None) -> Array:
        """External forces on the nodes."""
        forces = np.zeros(self.shape)
        if loads is not None:
            for axis in range(3):
                np.add.at(forces[axis], tuple(loads.nodes.T), loads.forces[:, axis])
        return forces

    def starting(self, start: Array | None) -> Array:
        """Displacements that keep to the supports."""
        moved = np.zeros(self.shape)
        if start is not None:
            if start.shape != (*self.shape[1:], 3):
                raise InvalidValueError(
                    "start from displacements", f"shape {start.shape}", f"Give an array of shape {(*self.shape[1:], 3)}"
                )
            moved[:] = np.moveaxis(start, -1, 0)
        moved[self.places] = self.supports.value
        return moved

    def forces(self, moved: Array) -> Array:
        """What the elastic voxels exert against displacements."""
        out = np.zeros(self.shape)
        self.voxels.apply(moved, out)
        return out

    def balance(self, residual: Array, moved: Array, loads: Array, options: SolveOptions) -> tuple[int, float]:
        """Change ``moved`` and with it ``residual`` until forces balance; returns iterations and relative residual.

        Raises:
            NotConvergedError: they do not.
        """
        outer = float(np.vdot(loads, loads))

        def enough(now: Balance) -> bool:
            return now.loose <= options.tolerance**2 * (now.held + outer)

        stiffness = (self.voxels.apply, self.precondition)
        end = conjugate_gradients(stiffness, residual, moved, self.free, (enough, options.iterations))
        relative = float(np.sqrt(end.loose / (end.held + outer))) if end.loose else 0.0
        if not enough(end):
            raise self.stuck(residual, relative, f"{end.iterations} iterations ({options.tolerance:.0e} allowed)")
        return end.iterations, relative

    def stuck(self, residual: Array, relative: float, effort: str) -> NotConvergedError:
        """The error that says where forces are out of balance, and by how much."""
        loose = np.where(self.free.reshape(self.shape) != 0, np.abs(residual), 0)
        axis, *node = (int(i) for i in np.unravel_index(int(loose.argmax()), self.shape))
        return NotConvergedError(
            f"solve {np.count_nonzero(self.free)} displacements",
            f"after {effort} forces are out of balance by {relative:.1e} of those that act, "
            f"most at node {tuple(node)} along axis {axis} ({loose.max():.2e} N)",
            "Look for a part there that hangs on an edge or a corner, or for loads on a part that is free to move",
        )

    def solution(self, moved: Array, residual: Array, outcome: tuple[int, float], notes: tuple[str, ...]) -> Solution:
        """The noun; at held places the residual is minus the reaction."""
        displacement = np.ascontiguousarray(np.moveaxis(moved, 0, -1))
        return Solution(self.model, self.supports, displacement, -residual[self.places], outcome[1], outcome[0], notes)
