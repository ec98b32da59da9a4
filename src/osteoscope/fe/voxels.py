"""The finest lattice: voxels whose stiffness is their modulus times one matrix, which is never formed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoscope.fe import kernels, modes
from osteoscope.fe.model import Element, VoxelModel

Single = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Voxels:
    """Moduli [z, y, x]; ``spans`` int32 [z, y, 2] is the first and last + 1 voxel with a modulus in each row."""

    modulus: Single
    spans: NDArray[np.int32]
    spacing: tuple[float, float, float]
    poisson: float
    element: Element

    @classmethod
    def of(cls, model: VoxelModel) -> Voxels:
        """The voxels of a model."""
        filled = model.modulus > 0
        some = filled.any(2)
        first = np.where(some, filled.argmax(2), 0)
        last = np.where(some, filled.shape[2] - filled[:, :, ::-1].argmax(2), 0)
        spans = np.stack([first, last], 2).astype(np.int32)
        return cls(np.ascontiguousarray(model.modulus), spans, model.spacing, model.poisson, model.element)

    def apply(self, displacement: NDArray[Any], out: NDArray[Any]) -> None:
        """Forces [3, nz+1, ny+1, nx+1] of displacements, in the precision of both."""
        numbers = modes.coefficients(self.spacing, self.poisson, self.element).astype(displacement.dtype)
        kernels.apply_stiffness(self.modulus, self.spans, numbers, displacement, out)

    def diagonal(self) -> Single:
        """Diagonal [3, nz+1, ny+1, nx+1] of the stiffness."""
        total = np.zeros([n + 1 for n in self.modulus.shape], np.float32)
        for corner in np.ndindex(2, 2, 2):
            total[tuple(slice(c, c + n) for c, n in zip(corner, self.modulus.shape, strict=True))] += self.modulus
        per_axis = modes.diagonal(self.spacing, self.poisson, self.element).astype(np.float32)
        return np.stack([total * one for one in per_axis])
