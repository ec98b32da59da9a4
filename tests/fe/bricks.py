"""Meshes of bricks of any shape for tests: a block that is bent into shape, assembled and solved."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve

from osteoscope.fe.element import centre_strain, stiffness
from osteoscope.fe.model import Element

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
E, NU = 17000.0, 0.3


def block(n: tuple[int, int, int], place: Callable[[Array], Array]) -> tuple[Array, Ints]:
    """A block of bricks in the unit cube, its points moved by ``place``: points [m, 3], nodes [bricks, 8]."""
    grid = np.stack(np.meshgrid(*(np.linspace(0, 1, k + 1) for k in n), indexing="ij"), -1)
    number = np.arange(grid[..., 0].size).reshape(grid.shape[:3])
    corners = [number[i : i + n[0], j : j + n[1], k : k + n[2]].ravel() for i, j, k in np.ndindex(2, 2, 2)]
    return place(grid.reshape(-1, 3)), np.stack(corners, 1)


def displaced(
    points: Array,
    bricks: Ints,
    held: dict[int, float],
    forces: Array,
    element: Element = "incompatible",
    material: tuple[float, float] = (E, NU),
) -> Array:
    """Displacements [m, 3] of an assembled mesh: ``held`` maps degree of freedom to displacement."""
    places = (3 * bricks[:, :, None] + np.arange(3)).reshape(len(bricks), 24)
    values = np.stack([stiffness(points[brick], *material, element) for brick in bricks])
    rows, columns = np.repeat(places, 24, 1).ravel(), np.tile(places, (1, 24)).ravel()
    whole = coo_matrix((values.ravel(), (rows, columns))).tocsr()
    u = np.zeros(points.size)
    u[list(held)] = list(held.values())
    free = np.setdiff1d(np.arange(points.size), list(held))
    u[free] = spsolve(whole[free][:, free].tocsc(), (forces.ravel() - whole @ u)[free])
    return u.reshape(-1, 3)


def strains(points: Array, bricks: Ints, u: Array) -> Array:
    return np.stack([centre_strain(points[brick]) @ u[brick].ravel() for brick in bricks])


def pressed(points: Array, bricks: Ints, wall: Ints, pressure: float) -> Array:
    """Forces of a pressure on the bricks' first faces along their last axis, where these lie on the wall."""
    forces = np.zeros_like(points)
    for brick in bricks[np.isin(bricks[:, 0], wall)]:
        face = brick[[0, 2, 4, 6]]
        a, b, c, d = points[face]
        normal = np.cross(c + d - a - b, b + d - a - c) / 4
        forces[face] += pressure * normal * np.sign(normal @ (points[brick].mean(0) - a)) / 4
    return forces


def flat(points: Array, axis: int, where: float = 0.0) -> Ints:
    return np.flatnonzero(np.abs(points[:, axis] - where) < 1e-9)
