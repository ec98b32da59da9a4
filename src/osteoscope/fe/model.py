"""The nouns of a test of strength: a bone as voxel elements, how it is held and how it is loaded.

Arrays of elements are ``[z, y, x]``; the nodes are the corners of the voxels, a lattice of ``(nz+1, ny+1, nx+1)``
points, and node ``(k, j, i)`` is the low corner of element ``(k, j, i)``. Directions (axis 0, 1, 2, and the last axis
of displacements and forces) follow the axes of the array: z, y, x. Millimetres, newtons, megapascals. Strain and stress
are in the order ``STRAINS`` with engineering shear.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osteoscope.errors import InvalidValueError

Element = Literal["incompatible", "plain"]
STRAINS = ("zz", "yy", "xx", "yx", "zx", "zy")


@dataclass(frozen=True, eq=False)
class VoxelModel:
    """A bone as brick elements, one per voxel.

    Args:
        modulus: float32 [z, y, x] Young's modulus in MPa; 0 where there is no element.
        poisson: Poisson's ratio, the same everywhere, at least 0 and below 0.5.
        spacing: size of a voxel (z, y, x) in mm.
        yield_stress: float32 [z, y, x] von Mises stress in MPa at which an element flows, infinity where it never does;
            None: elastic.
        element: ``incompatible`` bends without locking (Wilson, Taylor); ``plain`` is the trilinear brick of most
            published voxel models.

    Raises:
        InvalidValueError: values that are not finite, negative moduli, no element at all, a yield stress of 0.
    """

    modulus: NDArray[np.float32]
    poisson: float
    spacing: tuple[float, float, float]
    yield_stress: NDArray[np.float32] | None = None
    element: Element = "incompatible"

    def __post_init__(self) -> None:
        modulus = np.asarray(self.modulus, np.float32)
        object.__setattr__(self, "modulus", modulus)
        object.__setattr__(self, "spacing", tuple(float(s) for s in self.spacing))
        if modulus.ndim != 3 or not np.isfinite(modulus).all() or modulus.min() < 0 or not modulus.any():
            raise InvalidValueError(
                "build a VoxelModel",
                f"moduli of shape {modulus.shape} that are not all finite and at least 0, or all 0",
                "Give a [z, y, x] array in MPa with 0 where there is no element",
            )
        if not 0 <= self.poisson < 0.5 or len(self.spacing) != 3 or not all(0 < s < np.inf for s in self.spacing):
            raise InvalidValueError(
                "build a VoxelModel",
                f"Poisson's ratio {self.poisson}, spacing {self.spacing} mm",
                "Give a ratio from 0 to below 0.5 and three sizes above 0",
            )
        if self.yield_stress is not None:
            strength = np.asarray(self.yield_stress, np.float32)
            object.__setattr__(self, "yield_stress", strength)
            if strength.shape != modulus.shape or not (strength[modulus > 0] > 0).all():
                raise InvalidValueError(
                    "build a VoxelModel",
                    f"yield stresses of shape {strength.shape} for {modulus.shape} elements, or some not above 0",
                    "Give one stress above 0 MPa for each element",
                )

    @property
    def lattice(self) -> tuple[int, int, int]:
        """Number of nodes along z, y, x."""
        nz, ny, nx = self.modulus.shape
        return nz + 1, ny + 1, nx + 1

    @cached_property
    def nodes(self) -> NDArray[np.bool_]:
        """Nodes [nz+1, ny+1, nx+1] that belong to an element."""
        return nodes_of(self.modulus > 0)


def nodes_of(elements: ArrayLike) -> NDArray[np.bool_]:
    """The nodes [nz+1, ny+1, nx+1] of the chosen elements [z, y, x]."""
    chosen = np.asarray(elements, bool)
    nodes = np.zeros([n + 1 for n in chosen.shape], bool)
    for corner in np.ndindex(2, 2, 2):
        nodes[tuple(slice(c, c + n) for c, n in zip(corner, chosen.shape, strict=True))] |= chosen
    return nodes


@dataclass(frozen=True, eq=False)
class Supports:
    """Prescribed displacements.

    A direction that is oblique to the lattice needs all three axes at its nodes; where only one direction may be
    prescribed (a cap that slides), turn the image so that it is an axis.

    Args:
        nodes: int [n, 3] indices (z, y, x) of nodes; a node appears once per prescribed axis.
        axis: int [n] axis of the array, 0..2.
        value: float [n] displacement in mm, 0 where held.

    Raises:
        InvalidValueError: lengths differ, an axis is not 0..2, a value is not finite, a node is held twice.
    """

    nodes: NDArray[np.int64]
    axis: NDArray[np.int64]
    value: NDArray[np.float64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", np.asarray(self.nodes, np.int64).reshape(-1, 3))
        object.__setattr__(self, "axis", np.asarray(self.axis, np.int64).reshape(-1))
        object.__setattr__(self, "value", np.asarray(self.value, np.float64).reshape(-1))
        if not len(self.nodes) == len(self.axis) == len(self.value) > 0 or not np.isfinite(self.value).all():
            raise InvalidValueError(
                "build Supports",
                f"{len(self.nodes)} nodes, {len(self.axis)} axes, {len(self.value)} displacements, or some not finite",
                "Give at least one node, and one axis and one finite displacement for each",
            )
        places = np.column_stack([self.nodes, self.axis])
        if (
            self.nodes.min() < 0
            or not np.isin(self.axis, (0, 1, 2)).all()
            or len(np.unique(places, axis=0)) < len(places)
        ):
            raise InvalidValueError(
                "build Supports",
                "a negative index, an axis that is not 0, 1 or 2, or a node prescribed twice along one axis",
                "Give each node once per axis",
            )

    @classmethod
    def at(cls, nodes: ArrayLike, displacement: tuple[float | None, float | None, float | None]) -> Supports:
        """Prescribe the displacement (z, y, x) mm, None where free, at the nodes of a mask [nz+1, ny+1, nx+1]."""
        places = np.argwhere(np.asarray(nodes, bool))
        held = [(axis, value) for axis, value in enumerate(displacement) if value is not None]
        return cls(
            np.tile(places, (len(held), 1)),
            np.repeat([axis for axis, _ in held], len(places)),
            np.repeat([value for _, value in held], len(places)),
        )

    def __add__(self, other: Supports) -> Supports:
        """Both together."""
        return Supports(
            np.concatenate([self.nodes, other.nodes]),
            np.concatenate([self.axis, other.axis]),
            np.concatenate([self.value, other.value]),
        )

    def scaled(self, factor: float) -> Supports:
        """The same places, every displacement multiplied."""
        return Supports(self.nodes, self.axis, self.value * factor)

    @cached_property
    def places(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Index into arrays [nz+1, ny+1, nx+1, 3]."""
        return (*self.nodes.T, self.axis)


@dataclass(frozen=True, eq=False)
class Loads:
    """Forces on nodes.

    Args:
        nodes: int [n, 3] indices (z, y, x) of nodes; forces on the same node add up.
        forces: float [n, 3] force along z, y, x in N.

    Raises:
        InvalidValueError: shapes differ or a force is not finite.
    """

    nodes: NDArray[np.int64]
    forces: NDArray[np.float64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", np.asarray(self.nodes, np.int64).reshape(-1, 3))
        object.__setattr__(self, "forces", np.asarray(self.forces, np.float64).reshape(-1, 3))
        if len(self.nodes) != len(self.forces) or not np.isfinite(self.forces).all() or self.nodes.min(initial=0) < 0:
            raise InvalidValueError(
                "build Loads",
                f"{len(self.nodes)} nodes and {len(self.forces)} forces, some not finite, or a negative index",
                "Give one finite force (z, y, x) for each node",
            )
