"""A volume in the making: shapes are painted into it with the exact share of each voxel that they cover."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter

from osteoscope.domain.geometry import Grid
from osteoscope.simulate.ct_implicit import Array, Place
from osteoscope.simulate.ct_noise import SmoothNoise

Box = tuple[slice, slice, slice]
Shape = Callable[[Place], Array]
FAR = np.float32(50.0)
_PATCHES, _TRABECULAE_HU = 0.2, 20.0


@dataclass(frozen=True)
class Bone:
    """A bone before it is painted.

    Args:
        site: its id.
        low, high: corners (x, y, z) of a box around it, mm.
        shape: implicit shape.
        cortex: thickness of the cortical shell, mm, everywhere or by place.
        marrow: HU of what the shell holds, everywhere or by place.
        cortex_hu: HU of the shell.
        lining: (HU, mm) by which marrow is denser beneath the shell, falling to a third over that depth.
        gap: width of the joint space to bones painted before, mm.
    """

    site: str
    low: tuple[float, float, float]
    high: tuple[float, float, float]
    shape: Shape
    cortex: Shape | float
    marrow: Shape | float
    cortex_hu: float = 1100.0
    lining: tuple[float, float] = (0.0, 4.0)
    gap: float = 1.5


@dataclass(frozen=True, eq=False)
class PlacedBone:
    """A painted bone within a box.

    Args:
        distance: to its surface, negative inside, mm.
        cortex: thickness of its shell, mm.
        mask: voxels that are at least half bone.
    """

    bone: Bone
    box: Box
    distance: Array
    cortex: Array
    mask: NDArray[np.bool_]


@dataclass(eq=False)
class Canvas:
    """HU on an axial grid, with the random fields that deform and texture what is painted.

    Args:
        grid: axial, spacing (slice, row, column).
        hu: values so far, shape of the grid.
        texture: fine noise of unit variance, shape of the grid.
        patches: coarse noise of unit variance: fatty and dense parts of marrow and muscle.
        warp: three fields of unit variance that displace bones (x, y, z).
        warp_mm: their amplitude.
        clearance: distance to the nearest bone painted so far, mm.
    """

    grid: Grid
    hu: Array
    texture: Array
    patches: SmoothNoise
    warp: tuple[SmoothNoise, SmoothNoise, SmoothNoise]
    warp_mm: float
    clearance: NDArray[np.float16] = field(init=False)

    def __post_init__(self) -> None:
        self.clearance = np.full(self.grid.shape, FAR, dtype=np.float16)

    @classmethod
    def on(cls, grid: Grid, rng: np.random.Generator, warp_mm: float) -> Canvas:
        """An empty canvas (air)."""
        corners = grid.to_position([(0, 0, 0), [n - 1 for n in grid.shape]])
        low, high = corners[:, ::-1].tolist()
        x, y, z = (SmoothNoise.over(rng, low, high, 35.0) for _ in range(3))
        patches = SmoothNoise.over(rng, low, high, 6.0)
        texture = rng.standard_normal(grid.shape, dtype=np.float32)
        sigma = [0.8 / s for s in grid.spacing]
        gaussian_filter(texture, sigma, output=texture, mode="wrap", truncate=2.5)
        texture /= texture[:: max(1, grid.shape[0] // 8)].std()
        return cls(grid, np.full(grid.shape, -1000, dtype=np.float32), texture, patches, (x, y, z), warp_mm)

    @property
    def whole(self) -> Box:
        """All of the grid."""
        z, y, x = (slice(0, n) for n in self.grid.shape)
        return z, y, x

    def box(self, low: ArrayLike, high: ArrayLike) -> Box | None:
        """The part of the grid between two corners (x, y, z), None where it is empty."""
        start = np.floor(self.grid.to_index(low)).astype(int)
        stop = np.ceil(self.grid.to_index(high)).astype(int) + 1
        start, stop = np.clip(start, 0, self.grid.shape), np.clip(stop, 0, self.grid.shape)
        if (stop - start < 2).any():
            return None
        z, y, x = (slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))
        return z, y, x

    def axes(self, box: Box) -> tuple[Array, Array, Array]:
        """Coordinates (z, y, x) of a box along its axes, mm."""
        origin = self.grid.matrix[:3, 3][::-1]
        z, y, x = (
            (np.arange(s.start, s.stop) * d + o).astype(np.float32)
            for s, d, o in zip(box, self.grid.spacing, origin, strict=True)
        )
        return z, y, x

    def place(self, box: Box) -> Place:
        """Positions of a box, to broadcast."""
        z, y, x = self.axes(box)
        return Place(x[None, None, :], y[None, :, None], z[:, None, None])

    def warped(self, box: Box) -> Place:
        """Positions of a box, displaced smoothly: each patient, and each side, is a little different."""
        axes = self.axes(box)
        plain = self.place(box)
        dx, dy, dz = (np.float32(self.warp_mm) * noise.on(axes) for noise in self.warp)
        return Place(plain.x + dx, plain.y + dy, plain.z + dz)

    def paint(self, box: Box, part: Array, hu: ArrayLike) -> None:
        """Mix HU into a box by the share (0..1) that a shape has of each voxel."""
        view = self.hu[box]
        view += part * (np.asarray(hu, dtype=np.float32) - view)

    def paint_shell(self, box: Box, shares: tuple[Array, Array], hu: tuple[ArrayLike, ArrayLike]) -> None:
        """Mix in a shell and its core by the shares of the whole and of the core, which lies inside the whole."""
        (whole, core), (shell_hu, core_hu) = shares, hu
        view = self.hu[box]
        view *= 1 - whole
        view += (whole - core) * np.asarray(shell_hu, dtype=np.float32) + core * np.asarray(core_hu, dtype=np.float32)

    def metric(self, shape: Array) -> tuple[Array, Array]:
        """Distance to the surface of an implicit shape in mm, and the width over which a voxel crosses it."""
        slope = [np.gradient(shape, d, axis=n) for n, d in enumerate(self.grid.spacing)]
        steep = np.sqrt(slope[0] ** 2 + slope[1] ** 2 + slope[2] ** 2) + np.float32(1e-3)
        step = sum(np.abs(g) * np.float32(d) for g, d in zip(slope, self.grid.spacing, strict=True)) / steep
        floor = np.float32(min(self.grid.spacing))
        return np.asarray(shape / steep, np.float32), np.maximum(step, floor).astype(np.float32)

    def add(self, bone: Bone) -> PlacedBone | None:
        """Paint a bone: a cortical shell around textured marrow, off the bones painted before."""
        box = self.box(bone.low, bone.high)
        if box is None:
            return None
        place = self.warped(box)
        distance, step = self.metric(np.maximum(bone.shape(place), bone.gap - self.clearance[box]))
        if distance.min() > 0:
            return None
        cortex = _by_place(bone.cortex, place)
        marrow = _by_place(bone.marrow, place) * (1 + np.float32(_PATCHES) * self.patches.on(self.axes(box)))
        marrow += np.float32(_TRABECULAE_HU) * self.texture[box]
        denser, depth = bone.lining
        if denser:
            marrow += np.float32(denser) * np.exp(np.minimum(distance + cortex, 0) / np.float32(depth))
        whole = share(distance, step)
        self.paint_shell(box, (whole, share(distance + cortex, step)), (bone.cortex_hu, marrow))
        self.clearance[box] = np.minimum(self.clearance[box], distance)
        return PlacedBone(bone, box, distance, cortex, whole > 0.5)


def _by_place(value: Shape | float, place: Place) -> Array:
    field = value(place) if callable(value) else np.float32(value)
    return np.broadcast_to(field, place.x.shape)


def share(distance: Array, step: ArrayLike) -> Array:
    """How much of a voxel lies inside a surface at that distance, for a plane that crosses ``step`` mm of it."""
    return np.clip(np.float32(0.5) - distance / np.asarray(step, dtype=np.float32), 0, 1)
