"""The load at which a bone gives: von Mises flow under a growing displacement.

Each element flows at its own yield stress and carries it from then on (a plateau: no hardening, no softening). The
material is updated along the displacement with Newton's method, whose linear systems are solved as the elastic ones,
with the same multigrid. An element flows on the mean of its strain: a wall that bends must be two elements thick to
fail by bending.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteoscope.errors import InvalidValueError, NotConvergedError
from osteoscope.fe import modes
from osteoscope.fe.flow_kernels import SIGNS, flow, weaken
from osteoscope.fe.gradients import Balance, conjugate_gradients
from osteoscope.fe.held import held_part
from osteoscope.fe.model import Supports, VoxelModel
from osteoscope.fe.solution import Curve, largest_displacement, work_force
from osteoscope.fe.solve import SolveOptions, System
from osteoscope.fe.transfer_kernels import dot, squares

Array = NDArray[np.float64]
Single = NDArray[np.float32]

SEARCHES = 6
# The share of a voxel's depth that flows is held during a balance; a second follows with its share at the first, which
# is so much looser.
LOOSENESS = (10.0, 1.0)
# A step that does not come to balance is halved, down to this part of it.
SHORTEST = 0.2


@dataclass(frozen=True)
class PushOptions:
    """How to push.

    Args:
        steps: number of equal steps to the full displacement; those before anything flows are one.
        flat: the force has peaked where it grew by less than this part of the elastic slope over the last step.
        tolerance: forces out of balance over the reactions (2-norms) that end a step.
        corrections: Newton corrections after which a step is halved, and given up where it was halved twice or more.
        exactness: of the linear solution of a correction.
        patience: gradients per correction.
    """

    steps: int = 8
    flat: float = 0.03
    tolerance: float = 2e-3
    corrections: int = 60
    exactness: float = 0.5
    patience: int = 60


def push(
    model: VoxelModel, supports: Supports, options: PushOptions | None = None, start: Array | None = None
) -> Curve:
    """Displace the supports step by step up to their values.

    Args:
        model: the bone, with yield stresses.
        supports: prescribed displacements at the end of the push.
        options: steps and tolerances.
        start: elastic displacements [nz+1, ny+1, nx+1, 3] in mm at the full displacement of a similar bone.

    Raises:
        InvalidValueError: the model has no yield stress, nothing is displaced, or as ``solve``.
        NotConvergedError: a step, halved, did not come to balance: where, and by how much.
    """
    choice = options or PushOptions()
    if model.yield_stress is None or not largest_displacement(supports):
        raise InvalidValueError(
            "push a bone until it gives",
            "no yield stress" if model.yield_stress is None else "supports that displace nothing",
            "Give the model a yield stress and a support a displacement",
        )
    held, notes = held_part(model, supports, None)
    system = System(held, supports)
    state = _State(system, model.yield_stress, choice)
    moved = system.starting(start)
    residual = -system.forces(moved)
    system.balance(residual, moved, np.zeros(()), SolveOptions(tolerance=choice.tolerance / 20))
    return _follow(state, moved, residual, notes)


def _follow(state: _State, moved: Array, residual: Array, notes: tuple[str, ...]) -> Curve:
    """The course of the force, from the elastic displacements at the end of the push."""
    system, choice = state.system, state.choice
    whole = largest_displacement(system.supports)
    elastic = work_force(system.supports, -residual[system.places])
    yielding = min(1.0, 1 / state.utilisation(moved))
    factors, forces = [0.0, yielding], [0.0, elastic * yielding]
    last, rest, rate = moved * yielding, residual * yielding, moved
    ends = [n / choice.steps for n in range(choice.steps, 0, -1) if n / choice.steps > yielding]
    while ends:
        factor = ends[-1]
        ahead = factor - factors[-1]
        trial = last + ahead * rate
        try:
            rest = state.balance(trial, factor)
        except NotConvergedError:
            if ahead * choice.steps < SHORTEST:
                raise
            ends.append(factor - ahead / 2)
            continue
        rate, last = (trial - last) / ahead, trial
        factors.append(ends.pop())
        forces.append(work_force(system.supports.scaled(factor), -rest[system.places]))
    slope = (forces[-1] - forces[-2]) / (factors[-1] - factors[-2])
    reached = system.solution(last, rest, (state.iterations, state.relative), notes)
    return Curve(
        displacement=np.asarray(factors) * whole,
        force=np.asarray(forces),
        failure_load=max(forces),
        peaked=slope < choice.flat * elastic,
        failed=state.flowed > 0,
        plastic_strain=state.flowed,
        last=reached,
    )


class _State:
    """Plastic strain so far, and the tangent of the last correction."""

    def __init__(self, system: System, strength: Single, choice: PushOptions) -> None:
        model = system.model
        self.system, self.choice = system, choice
        self.strength = np.where(model.modulus > 0, strength, np.float32(np.inf))
        self.before = np.zeros((*model.modulus.shape, 6), np.float32)
        self.after, self.way = np.zeros_like(self.before), np.zeros_like(self.before)
        self.limit = self.strength.copy()
        self.soft, self.theta = np.ones_like(model.modulus), np.ones_like(model.modulus)
        self.flowed = np.zeros_like(model.modulus)
        self.flowing = np.zeros((0, 3), np.int64)
        self.iterations, self.relative = 0, 0.0
        numbers = modes.coefficients(model.spacing, model.poisson, model.element)
        self.law = (numbers, np.asarray(model.spacing), model.poisson, SIGNS)

    def utilisation(self, moved: Array) -> float:
        """The largest elastic von Mises stress over yield stress, of displacements without plastic strain."""
        self.limit.fill(1e-30)
        self.forces(moved)
        scale = self.strength / np.float32(1e-30)
        return float(1 / (self.theta * scale)[self.system.model.modulus > 0].min())

    def forces(self, moved: Array, *, renew: bool = False) -> Array:
        """Internal forces, updating what the tangent needs."""
        out = np.zeros_like(moved)
        voxels = (self.system.model.modulus, self.strength, self.system.voxels.spans, self.before)
        flow(voxels, self.law, moved, self.after, out, (self.limit, self.soft, self.theta, self.way), renew)
        return out

    def tangent(self, direction: Array, out: Array) -> None:
        """Forces of a small displacement."""
        self.system.voxels.apply(direction, out)
        weaken(
            self.flowing,
            self.system.model.modulus,
            self.law,
            (self.limit, self.soft, self.theta, self.way),
            direction,
            out,
        )

    def balance(self, moved: Array, factor: float) -> Array:
        """Bring displacements into balance at this part of the push; returns the residual, keeps the plastic strain."""
        moved[self.system.places] = self.system.supports.value * factor
        looser = iter(LOOSENESS)
        residual, loosest = -self.forces(moved, renew=True), next(looser)
        for _ in range(self.choice.corrections):
            self.flowing = np.argwhere((self.theta < 1) | (self.soft < 1))
            loose, held = squares(residual.ravel(), self.system.free)
            self.relative = float(np.sqrt(loose / held))
            if self.relative <= self.choice.tolerance * loosest:
                loosest = next(looser, 0.0)
                if not loosest:
                    self._keep()
                    return residual
                residual = -self.forces(moved, renew=True)
                continue
            residual = self._search(moved, residual, self._correction(residual, loose * self.choice.exactness**2))
        raise self.system.stuck(residual, self.relative, f"{self.choice.corrections} corrections of the material")

    def _correction(self, residual: Array, goal: float) -> Array:
        """Newton's change of the displacements."""

        def enough(now: Balance) -> bool:
            return now.loose <= goal

        change, rest = np.zeros_like(residual), residual.copy()
        stiffness = (self.tangent, self.system.precondition)
        end = conjugate_gradients(stiffness, rest, change, self.system.free, (enough, self.choice.patience))
        self.iterations += end.iterations
        return change

    def _search(self, moved: Array, before: Array, change: Array) -> Array:
        """Move along the change, less far where the forces turn against it; returns the new residual."""
        slope = float(dot(before.ravel(), change.ravel()))
        length = 1.0
        moved += change
        for _ in range(SEARCHES):
            residual = -self.forces(moved)
            end = float(dot(residual.ravel(), change.ravel()))
            if end >= -slope / 2:
                break
            shorter = length * max(0.1, slope / (slope - end))
            moved += (shorter - length) * change
            length = shorter
        return residual

    def _keep(self) -> None:
        change = self.after - self.before
        square = (change[..., :3] ** 2).sum(-1) + (change[..., 3:] ** 2).sum(-1) / 2
        self.flowed += np.sqrt(square * np.float32(2 / 3))
        self.before, self.after = self.after, self.before
