"""What came out of a test of strength: one equilibrium, or the course of a push until the bone gave.

Axes and units are those of `osteoscope.fe.model`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteoscope.fe.model import Supports, VoxelModel


@dataclass(frozen=True, eq=False)
class Solution:
    """A bone in equilibrium.

    Args:
        model: what was solved; elements that no support holds have modulus 0 here (see ``notes``).
        supports: as given.
        displacement: float64 [nz+1, ny+1, nx+1, 3] mm along z, y, x; 0 at nodes without an element.
        reactions: float64 [n] force in N that each support exerts on the bone, along its axis.
        residual: forces out of balance at free nodes, relative to the forces that act (2-norms).
        iterations: of the conjugate gradients.
        notes: what was left out, in words.
    """

    model: VoxelModel
    supports: Supports
    displacement: NDArray[np.float64]
    reactions: NDArray[np.float64]
    residual: float
    iterations: int
    notes: tuple[str, ...] = ()

    @property
    def force(self) -> float:
        """Force in N along the prescribed displacement: work of the reactions over the largest displacement."""
        return work_force(self.supports, self.reactions)

    @property
    def stiffness(self) -> float:
        """Force over the largest prescribed displacement in N/mm."""
        return self.force / largest_displacement(self.supports)


@dataclass(frozen=True, eq=False)
class Curve:
    """Pushed until it gives: the course of the force.

    Args:
        displacement: float [steps] largest prescribed displacement in mm, from 0.
        force: float [steps] force along it in N, from 0.
        failure_load: N; the peak of the force, or the force at the end displacement where it was still rising.
        peaked: whether the force had reached its peak (or plateau) before the end.
        failed: bool [z, y, x] elements that had flowed when the failure load was reached.
        plastic_strain: float32 [z, y, x] accumulated equivalent plastic strain then.
        last: the elastoplastic state then.
    """

    displacement: NDArray[np.float64]
    force: NDArray[np.float64]
    failure_load: float
    peaked: bool
    failed: NDArray[np.bool_]
    plastic_strain: NDArray[np.float32]
    last: Solution

    @property
    def stiffness(self) -> float:
        """Force over displacement of the first, elastic step in N/mm."""
        return float(self.force[1] / self.displacement[1])


def largest_displacement(supports: Supports) -> float:
    """Length in mm of the longest prescribed displacement of a node."""
    _, node = np.unique(supports.nodes, axis=0, return_inverse=True)
    return float(np.sqrt(np.bincount(node.ravel(), supports.value**2).max()))


def work_force(supports: Supports, reactions: NDArray[np.float64]) -> float:
    """The force in N that does the reactions' work over the largest displacement; 0 where nothing is displaced."""
    length = largest_displacement(supports)
    return float(reactions @ supports.value / length) if length else 0.0
