"""What a bone resists in every cross-section, without a solver: axial, bending and torsional rigidity (CTRA).

Section 3.5 of the clinical reference: EA = sum E dA; EI about the modulus-weighted centroid, least over all directions
of bending; GJ = sum G r^2 dA with G = E / (2 (1 + nu)). Damron and co-workers call a fracture where one of them is
reduced by more than 35 % (33-35 %, from memory): shown as literature, not as advice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteoscope.fe.mesh import Mesh

Array = NDArray[np.float64]
KINDS = ("axial", "bending", "torsion")
CRITICAL_LOSS = 0.35


@dataclass(frozen=True, eq=False)
class Rigidity:
    """A profile along a bone.

    Args:
        height: [n] mm along axis 0 of the mesh's grid.
        axial: [n] EA in N.
        bending: [n] least EI in N mm2.
        torsion: [n] GJ in N mm2.
    """

    height: Array
    axial: Array
    bending: Array
    torsion: Array

    def of(self, kind: str) -> Array:
        """One of ``KINDS``."""
        profile: Array = getattr(self, kind)
        return profile


@dataclass(frozen=True)
class Weakest:
    """The section with the greatest loss.

    Args:
        kind: one of ``KINDS``.
        loss: 0..1 of what the section would resist without the lesion.
        height: mm along axis 0.
    """

    kind: str
    loss: float
    height: float


def rigidity(made: Mesh, poisson: float) -> Rigidity:
    """The rigidities of every layer of elements along axis 0."""
    modulus: Array = made.modulus.astype(np.float64)
    _, y, x = (np.arange(n) * s for n, s in zip(modulus.shape, made.grid.spacing, strict=True))
    area = made.grid.spacing[1] * made.grid.spacing[2]
    total = modulus.sum(axis=(1, 2))
    safe = np.where(total > 0, total, 1.0)
    rows, columns = modulus.sum(axis=2), modulus.sum(axis=1)
    mean_y, mean_x = (rows @ y) / safe, (columns @ x) / safe
    # The moment of an element about its own middle: an element is no point.
    yy = rows @ y**2 - total * mean_y**2 + total * made.grid.spacing[1] ** 2 / 12
    xx = columns @ x**2 - total * mean_x**2 + total * made.grid.spacing[2] ** 2 / 12
    xy = np.einsum("kji,j,i->k", modulus, y, x) - total * mean_y * mean_x
    least: Array = (yy + xx) / 2 - np.sqrt(((yy - xx) / 2) ** 2 + xy**2)
    height: Array = np.arange(len(modulus), dtype=float) * made.grid.spacing[0]
    return Rigidity(height, total * area, least * area, (yy + xx) * area / (2 * (1 + poisson)))


def weakest(with_lesions: Rigidity, healed: Rigidity, sections: NDArray[np.bool_]) -> Weakest | None:
    """Where, among the chosen sections [n], most is lost against the healed bone; None where there is none."""
    found = []
    for kind in KINDS:
        own, healthy = with_lesions.of(kind), healed.of(kind)
        loss = np.where(sections & (healthy > 0), 1 - own / np.where(healthy > 0, healthy, 1), -np.inf)
        place = int(np.argmax(loss))
        if np.isfinite(loss[place]):
            found.append(Weakest(kind, float(loss[place]), float(with_lesions.height[place])))
    return max(found, key=lambda one: one.loss, default=None)
