"""A gamma camera with two heads over a lying patient: from activity in voxels to expected counts in pixels.

Parallel-hole projection with attenuation through the real tissue, depth-dependent Gaussian blur, scatter and septal
penetration. Activity is summed in slabs of depth, each blurred once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from osteoscope.simulate.projection import Reals, add_blurred, on_pixels, summed_blocks
from osteoscope.simulate.scanner import COLLIMATORS, Camera, Collimator, CollimatorName, Field, Floats, field_of

__all__ = [
    "COLLIMATORS", "FWHM_OF_SIGMA", "WATER_PER_MM", "Camera", "Collimator", "CollimatorName", "Field", "Floats",
    "Optics", "Reals", "detect", "field_of",
]  # fmt: skip

# Narrow beam, water at 159 keV (xraydb, xraylib: 0.1478 /cm). Scatter is added on its own, so no broad-beam value.
WATER_PER_MM = 0.0148

FWHM_OF_SIGMA = 2.0 * float(np.sqrt(2.0 * np.log(2.0)))
_SLAB_MM = 10.0
_COARSE_MM = 12.0
_WIDE_MARGIN_MM = 240.0


@dataclass(frozen=True, eq=False)
class Optics:
    """A body under a camera.

    Args:
        camera: both heads.
        field: where the voxels fall.
        reaching: share of the photons of each voxel that reach a head unscattered, by view.
    """

    camera: Camera
    field: Field
    reaching: Mapping[str, Reals]

    @classmethod
    def of(cls, attenuation: Reals, field: Field, camera: Camera) -> Optics:
        """The optics of a body with that attenuation, 1/mm per voxel [slice, row, column]."""
        depth = attenuation * np.float32(field.step_mm)
        passed = np.cumsum(depth, axis=1)
        whole = np.exp(-passed[:, -1:, :])
        passed -= depth / 2
        front = np.exp(-passed)
        # What lies behind a voxel is the whole less what lies before it: a division instead of another exponential.
        reaching = {"anterior": front, "posterior": whole / front}
        return cls(camera, field, MappingProxyType(reaching))

    def expose(self, activity: Reals) -> Mapping[str, Floats]:
        """Expected counts of both views, [row, column], the posterior as seen from behind.

        Linear in the activity (per voxel): one photon that passes a hole unscattered is one count.
        """
        anterior = self._view(activity, self.reaching["anterior"], self.camera.anterior_gap_mm)
        posterior = self._view(activity[:, ::-1], self.reaching["posterior"][:, ::-1], self.camera.posterior_gap_mm)
        return MappingProxyType({"anterior": anterior, "posterior": np.ascontiguousarray(posterior[:, ::-1])})

    def _view(self, activity: Reals, reaching: Reals, gap_mm: float) -> Floats:
        """One view as the anterior head sees it; depth is ordered from that head."""
        step = self.field.step_mm
        depth = activity.shape[1]
        thick = max(1, round(_SLAB_MM / step))
        margin = int(np.ceil(2 * self.camera.fwhm_mm(gap_mm + step * depth) / step))
        primary = np.zeros((activity.shape[0], activity.shape[2]), dtype=np.float32)
        sharp = np.pad(primary, margin)
        for start in range(0, depth, thick):
            slab = slice(start, min(start + thick, depth))
            plane = np.einsum("zyx,zyx->zx", activity[:, slab], reaching[:, slab])
            sigma = self.camera.fwhm_mm(gap_mm + step * (slab.start + slab.stop) / 2) / FWHM_OF_SIGMA
            # The hat that voxels are spread with has a variance of step^2 / 6, twice that of the voxel itself.
            add_blurred(sharp, plane, np.sqrt(max(sigma**2 - step**2 / 12, 0.0)) / step, margin)
            primary += plane
        emitted = activity.sum(axis=1, dtype=np.float32)
        return self._on_pixels(sharp, step, margin) + self._wide(emitted, primary)

    def _on_pixels(self, plane: Reals, step: float, margin: int) -> Floats:
        """Counts per pixel of a plane of cells with a margin around the body; outside the field 0."""
        field = self.field
        lead = (step - field.step_mm) / 2 - margin * step
        at = (field.slices[0] - lead, field.columns[0] + lead)
        return on_pixels(plane, at, step, (field.row_edges, field.column_edges), field.seen)

    def _wide(self, emitted: Reals, primary: Reals) -> Floats:
        """Scatter and septal penetration, on a coarse plane since their kernels are wide."""
        block = max(1, round(_COARSE_MM / self.field.step_mm))
        step = block * self.field.step_mm
        margin = int(np.ceil(_WIDE_MARGIN_MM / step))
        scattered = self.camera.scatter_share * summed_blocks(emitted - primary, block, margin)
        # Photons above 400 keV are attenuated less: taken as halfway between none and that of 159 keV.
        through = self.camera.holes.septal * summed_blocks((emitted + primary) / 2, block, margin)
        plane = gaussian_filter(scattered, self.camera.scatter_fwhm_mm / FWHM_OF_SIGMA / step, mode="constant")
        for width in self.camera.septal_fwhm_mm:
            share = through / len(self.camera.septal_fwhm_mm)
            plane += gaussian_filter(share, width / FWHM_OF_SIGMA / step, mode="constant")
        return self._on_pixels(plane, step, margin)


def detect(expected: Mapping[str, Floats], rng: np.random.Generator) -> Mapping[str, NDArray[np.int32]]:
    """Poisson counts of both views."""
    return MappingProxyType(
        {name: rng.poisson(np.maximum(view, 0)).astype(np.int32) for name, view in expected.items()}
    )
