"""A voxel's stiffness in its eight-fold symmetry.

The three mirror planes of a brick split its 24 displacements, written as products of 1, z, y, x (a Walsh-Hadamard
transform), into eight classes that do not talk to each other: three constant normal strains, three constant shears, and
twelve bending, torsion and hourglass patterns. What is a 24 x 24 product is 33 numbers then, and the constant strains
stand alone, which is what plasticity needs.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from osteoscope.fe.element import CORNERS, stiffness
from osteoscope.fe.model import Element

Z, Y, X, YX, ZX, ZY, ZYX = range(1, 8)
PATTERNS = np.stack(
    [
        np.ones(8),
        *CORNERS.T,
        CORNERS[:, 1] * CORNERS[:, 2],
        CORNERS[:, 0] * CORNERS[:, 2],
        CORNERS[:, 0] * CORNERS[:, 1],
        CORNERS.prod(1),
    ],
    1,
)
# (pattern, axis) of each class; the upper triangle of its block is kept, row by row.
CLASSES = (
    ((Z, 0), (Y, 1), (X, 2)),
    ((X, 1), (Y, 2)),
    ((X, 0), (Z, 2)),
    ((Y, 0), (Z, 1)),
    ((YX, 1), (ZX, 0)),
    ((YX, 2), (ZY, 0)),
    ((ZX, 2), (ZY, 1)),
    ((YX, 0), (ZX, 1), (ZY, 2)),
    ((ZYX, 0),),
    ((ZYX, 1),),
    ((ZYX, 2),),
)


@lru_cache(maxsize=64)
def coefficients(spacing: tuple[float, float, float], poisson: float, element: Element) -> NDArray[np.float64]:
    """The 33 numbers in mm of a voxel with modulus 1: forces = patterns @ block @ (patterns.T @ displacements)."""
    blocks = _blocks(spacing, poisson, element)
    return np.concatenate([block[np.triu_indices(len(block))] for block in blocks])


@lru_cache(maxsize=64)
def diagonal(spacing: tuple[float, float, float], poisson: float, element: Element) -> NDArray[np.float64]:
    """Stiffness [3] in mm of a corner against itself along each axis, modulus 1; the same at all corners."""
    brick = stiffness(_corners(spacing), 1, poisson, element)
    return np.asarray([brick[axis, axis] for axis in range(3)])


def _corners(spacing: tuple[float, float, float]) -> NDArray[np.float64]:
    return CORNERS * np.asarray(spacing, np.float64) / 2


def _blocks(spacing: tuple[float, float, float], poisson: float, element: Element) -> list[NDArray[np.float64]]:
    to_patterns = np.kron(PATTERNS, np.eye(3)) / 8
    whole = to_patterns.T @ stiffness(_corners(spacing), 1, poisson, element) @ to_patterns
    places = [[3 * pattern + axis for pattern, axis in group] for group in CLASSES]
    return [whole[np.ix_(place, place)] for place in places]
