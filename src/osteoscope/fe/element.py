"""The brick element: eight nodes, trilinear, with or without incompatible modes.

Nodes are in the order of ``numpy.ndindex(2, 2, 2)``, so that the last axis runs fastest; degrees of freedom are ``3 *
node + axis``. The incompatible modes are those of Wilson (1973), with the gradients of Taylor, Beresford and Wilson
(Int J Numer Methods Eng 10:1211, 1976), which pass the patch test on distorted elements; they are condensed out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osteoscope.errors import InvalidValueError
from osteoscope.fe.model import Element

Array = NDArray[np.float64]
CORNERS: Array = np.asarray(list(np.ndindex(2, 2, 2)), float) * 2 - 1
GAUSS: Array = CORNERS / np.sqrt(3)
PAIRS = ((1, 2), (0, 2), (0, 1))


def elasticity(modulus: float, poisson: float) -> Array:
    """The isotropic 6 x 6 stiffness of Hooke's law in MPa, order ``STRAINS``, engineering shear."""
    shear = modulus / (2 * (1 + poisson))
    first = modulus * poisson / ((1 + poisson) * (1 - 2 * poisson))
    matrix = np.diag([2 * shear] * 3 + [shear] * 3)
    matrix[:3, :3] += first
    return matrix


def stiffness(corners: ArrayLike, modulus: float, poisson: float, element: Element = "incompatible") -> Array:
    """The 24 x 24 stiffness in N/mm of a brick of any shape.

    Args:
        corners: [8, 3] positions in mm.
        modulus: Young's modulus in MPa.
        poisson: Poisson's ratio.
        element: with or without incompatible modes.

    Raises:
        InvalidValueError: the brick is turned inside out.
    """
    place = np.asarray(corners, float)
    law = elasticity(modulus, poisson)
    centre = _gradients(np.zeros(3)).T @ place
    whole = np.zeros((33, 33))
    for point in GAUSS:
        local = _gradients(point)
        jacobian = local.T @ place
        volume = np.linalg.det(jacobian)
        if volume <= 0:
            raise InvalidValueError("integrate a brick", "a corner where it is inside out", "Give a convex brick")
        bubbles = np.diag(-2 * point) * (np.linalg.det(centre) / volume)
        slopes = np.vstack([local @ np.linalg.inv(jacobian).T, bubbles @ np.linalg.inv(centre).T])
        strain = strain_matrix(slopes)
        whole += strain.T @ law @ strain * volume
    if element == "plain":
        return whole[:24, :24]
    inner = np.linalg.solve(whole[24:, 24:], whole[24:, :24])
    condensed: Array = whole[:24, :24] - whole[:24, 24:] @ inner
    return (condensed + condensed.T) / 2


def centre_strain(corners: ArrayLike) -> Array:
    """The matrix 6 x 24 from displacements of the corners in mm to the strain at the centre."""
    local = _gradients(np.zeros(3))
    return strain_matrix(local @ np.linalg.inv(local.T @ np.asarray(corners, float)).T)


def strain_matrix(slopes: Array) -> Array:
    """Strain [6, 3 n] from gradients [n, 3] of shape functions."""
    matrix = np.zeros((6, 3 * len(slopes)))
    for axis in range(3):
        matrix[axis, axis::3] = slopes[:, axis]
        first, second = PAIRS[axis]
        matrix[3 + axis, first::3] = slopes[:, second]
        matrix[3 + axis, second::3] = slopes[:, first]
    return matrix


def _gradients(point: Array) -> Array:
    """Gradients [8, 3] of the trilinear shape functions in natural coordinates."""
    one = 1 + CORNERS * point
    return CORNERS * np.stack([one[:, 1] * one[:, 2], one[:, 0] * one[:, 2], one[:, 0] * one[:, 1]], 1) / 8
