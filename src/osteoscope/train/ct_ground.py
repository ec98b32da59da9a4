"""A piece of a scan that is painted into: shapes soft as the scan's own blur, with noise like its own.

What is painted replaces HU by the share that the blurred shape has of each voxel. The share takes the scan's noise
along, so noise of the same strength and grain is added, and no edit shows by its noise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.find.ct_frame import Box
from osteoscope.find.ct_lesion_windows import STEP_MM
from osteoscope.simulate.ct_noise import SmoothNoise
from osteoscope.train.ct_scans import Triple

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]
LESION, LOOK_ALIKE = 1, 2
FAR = np.float32(50.0)
# Voxels: width of what is nearby, and smoothing that leaves no fine texture; ...
_NEARBY, _TEXTURE = 2 * round(6 / STEP_MM) + 1, 2.25 / STEP_MM
# ... half of a joint's widest gap, and what lies beside it.
_GAP, _BESIDE = round(6 / STEP_MM), round(3 / STEP_MM)


@dataclass(eq=False)
class Ground:
    """A piece of a scan.

    Args:
        hu: float32 [z, y, x] at ``STEP_MM``, painted in place.
        bone: of the same shape.
        label: uint8, ``LESION`` or ``LOOK_ALIKE``, painted in place.
        weight: float32, how much a voxel counts in the loss, painted in place.
        blur, noise, grain: see `osteoscope.train.ct_scans.Scan`.
    """

    hu: Array
    bone: Mask
    label: NDArray[np.uint8]
    weight: Array
    blur: Triple
    noise: float
    grain: Triple
    rng: np.random.Generator = field(default_factory=np.random.default_rng)

    @cached_property
    def depth(self) -> Array:
        """Distance to the surface of the bone, mm: positive inside, negative outside; faces of the piece are none."""
        inside, outside = (edt.edt(side, anisotropy=(STEP_MM,) * 3) for side in (self.bone, ~self.bone))
        return np.asarray(inside - outside, dtype=np.float32)

    @cached_property
    def thickness(self) -> Array:
        """Greatest depth nearby, mm: half the thickness of the bone there."""
        return np.asarray(ndimage.maximum_filter(self.depth, _NEARBY), dtype=np.float32)

    @cached_property
    def smooth(self) -> Array:
        """HU before any edit, without fine texture."""
        return np.asarray(ndimage.gaussian_filter(self.hu, _TEXTURE), dtype=np.float32)

    @cached_property
    def joint(self) -> Mask:
        """Bone next to a narrow gap: end plates, joints."""
        wide = np.pad(self.bone, _GAP + 1)
        closed = ndimage.binary_closing(wide, iterations=_GAP)[(slice(_GAP + 1, -_GAP - 1),) * 3]
        return np.asarray(ndimage.binary_dilation(closed & ~self.bone, iterations=_BESIDE) & self.bone)

    @property
    def whole(self) -> Box:
        """The box of all of it; `hu` may be replaced by a smaller piece."""
        z, y, x = (slice(0, n) for n in self.hu.shape)
        return z, y, x

    def box(self, centre: NDArray[np.int64], reach_mm: float) -> Box:
        """The part of the piece around a place."""
        reach = int(np.ceil(reach_mm / STEP_MM)) + 1
        z, y, x = (
            slice(max(0, int(c) - reach), min(n, int(c) + reach + 1))
            for c, n in zip(centre, self.hu.shape, strict=True)
        )
        return z, y, x

    def away(self, box: Box, centre: NDArray[np.int64]) -> tuple[Array, Array, Array]:
        """Distances (z, y, x) of the voxels of a box from a place, mm, to broadcast."""
        lines = [(np.arange(s.start, s.stop) - c) * STEP_MM for s, c in zip(box, centre, strict=True)]
        z, y, x = (line.astype(np.float32) for line in lines)
        return z[:, None, None], y[None, :, None], x[None, None, :]

    def rod(self, box: Box, centre: NDArray[np.int64]) -> tuple[Array, Array]:
        """Distances along and across a line of random direction through a place, mm, both without sign."""
        direction = self.rng.normal(0, 1, 3)
        direction /= np.linalg.norm(direction)
        away = self.away(box, centre)
        along = sum(a * np.float32(d) for a, d in zip(away, direction, strict=True))
        across = np.sqrt(np.maximum(sum(a**2 for a in away) - along**2, 0))
        return np.asarray(np.abs(along), dtype=np.float32), np.asarray(across, dtype=np.float32)

    def waves(self, box: Box, pitch_mm: float) -> Array:
        """Smooth noise of unit variance over a box."""
        axes = [np.arange(s.start, s.stop, dtype=np.float32) * STEP_MM for s in box]
        low, high = [float(a[0]) for a in axes], [float(a[-1]) for a in axes]
        return np.asarray(SmoothNoise.over(self.rng, low, high, max(pitch_mm, 1.5)).on(axes), dtype=np.float32)

    def blob(self, box: Box, centre: NDArray[np.int64], radius: float) -> Array:
        """Distance to a stretched, dented ball, mm, negative inside."""
        stretch = np.exp(self.rng.normal(0, 0.2, 3))
        stretch *= radius / np.cbrt(stretch.prod())
        away = self.away(box, centre)
        reach = np.sqrt(sum((a / np.float32(s)) ** 2 for a, s in zip(away, stretch, strict=True)))
        for pitch, height in ((0.9 * radius, 0.22), (0.4 * radius, 0.09)):
            reach = reach + np.float32(height) * self.waves(box, pitch)
        return np.asarray((reach - 1) * np.float32(radius), dtype=np.float32)

    def paint(self, box: Box, distance: Array, hu: NDArray[Any] | float, edge_mm: float = 0.5) -> None:
        """Put HU inside a surface, ``edge_mm`` wide before the scan's blur."""
        sharp = np.clip(0.5 - distance / np.float32(np.hypot(STEP_MM, edge_mm)), 0, 1).astype(np.float32)
        # Sampling at STEP_MM has blurred the shape by a box of that width already.
        blur = [float(np.sqrt(max(s**2 - 1 / 12, 0.0))) for s in self.blur]
        share = ndimage.gaussian_filter(sharp, blur)
        filled = ndimage.gaussian_filter(sharp * np.asarray(hu, dtype=np.float32), blur)
        view = self.hu[box]
        view *= 1 - share
        view += filled + np.sqrt(share * (2 - share)) * self.noise_like(share.shape)

    def noise_like(self, shape: tuple[int, ...]) -> Array:
        """Noise as of the scan."""
        white = self.rng.standard_normal(shape, dtype=np.float32)
        grained = ndimage.gaussian_filter(white, self.grain, mode="wrap")
        return np.asarray(grained * np.float32(self.noise / max(float(grained.std()), 1e-3)), dtype=np.float32)

    def mark(self, box: Box, mask: Mask, label: int, weight: float = 1.0) -> None:
        """Write a label where there is none of a lesion yet."""
        free = mask & (self.label[box] != LESION) if label != LESION else mask
        self.label[box][free] = label
        self.weight[box][free] = weight
