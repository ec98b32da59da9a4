"""A bone -> brick elements along an axis of choice: modulus and yield stress integrated over each element.

The law is applied to every voxel, and an element takes the integral over the voxels within it (after Bonemat, Taddei
2007; S87 of docs/background/strength.md), what is not bone being nothing: boundary elements are weighted by the share
of them that is bone. Voxels are sampled as they are: blurring them first would lose stiffness at every edge, since the
law is convex.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import edt
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from osteoscope.domain.geometry import Grid
from osteoscope.errors import InvalidValueError
from osteoscope.fe.bone import Bone
from osteoscope.fe.density import Calibration
from osteoscope.fe.laws import MaterialLaw

Array = NDArray[np.float32]
Floats = NDArray[np.float64]
# An element with less bone than this is left out. Samples along an element's edge, also where voxels are as large as
# elements: those are turned against them, and one sample each would tear walls open (a fifth of a vertebra's strength).
_LEAST_SHARE, _SAMPLES = 0.15, 4
# Of bone nearer to its surface (mm) it is not asked whether it is denser than the law's range.
_WALL_MM = 3.0
# Samples of as many elements take 1 GB an array.
_MOST_ELEMENTS = 4_000_000


@dataclass(frozen=True)
class Material:
    """What tissue is made of.

    Args:
        law, calibration: as they say.
        lesion_factor: on modulus and yield stress of lesions, 1 for the law as it is.
    """

    law: MaterialLaw
    calibration: Calibration
    lesion_factor: float = 1.0


@dataclass(frozen=True, eq=False)
class Mesh:
    """Elements of a bone.

    Args:
        grid: axis 0 runs against the load; isotropic.
        share: float32, how much of each element is bone, 0 where there is none.
        modulus: float32 MPa, 0 where there is no element.
        strength: float32 yield stress in MPa, infinity where there is no element; None: the law is elastic only.
        lesions: id -> share of each element.
        extrapolated: share, of the bone or of the lesion where it is greatest, that is denser than the law's range.
            Walls and end plates are left out, for all are denser than the spongy specimens of most laws.
    """

    grid: Grid
    share: Array
    modulus: Array
    strength: Array | None
    lesions: dict[str, Array] = field(default_factory=dict)
    extrapolated: float = 0.0


def frame(axis: ArrayLike, across: ArrayLike, points: ArrayLike, size: float, margin: float = 0.0) -> Grid:
    """The grid of elements around points: axis 0 along ``axis``, axis 2 near ``across``, axis 1 at right angles.

    Args:
        axis, across: LPS directions.
        points: LPS positions [n, 3] in mm that it must hold, with ``margin`` mm around.
        size: of an element, mm.

    Raises:
        InvalidValueError: the two directions are one, there are no points, or too many elements.
    """
    if not np.size(points):
        raise InvalidValueError("lay a frame", "no points to lay it around", "Check the landmarks and the mask")
    first = np.asarray(axis, float) / np.linalg.norm(axis)
    last = np.asarray(across, float) - (np.asarray(across, float) @ first) * first
    if np.linalg.norm(last) < 1e-6:
        raise InvalidValueError("lay a frame", "two directions that are one", "Give two that differ")
    last /= np.linalg.norm(last)
    turn = np.stack([first, np.cross(first, last), last], axis=1)
    places = np.asarray(points, float) @ turn
    low, high = places.min(axis=0) - margin, places.max(axis=0) + margin
    shape = np.maximum(1, np.ceil((high - low) / size)).astype(int)
    elements = math.prod(shape.tolist())
    if elements > _MOST_ELEMENTS:
        found = f"{elements:,} elements of {size:g} mm, and {_MOST_ELEMENTS:,} are the most"
        raise InvalidValueError("lay elements", found, "Give larger elements")
    start = (low + high) / 2 - (shape - 1) * size / 2
    matrix = np.eye(4)
    matrix[:3, :3] = turn * size
    matrix[:3, 3] = turn @ start
    return Grid.from_matrix(shape.tolist(), matrix)


def mesh(bone: Bone, grid: Grid, material: Material) -> Mesh:
    """The elements of a bone on a grid.

    Raises:
        InvalidValueError: the bone does not reach into the grid, or the law has no conversion from the calibration.
    """
    sub = finer(grid, _SAMPLES)
    inside = sampled(bone.mask, bone.grid, sub, 0) > 0.5
    if not inside.any():
        raise InvalidValueError("mesh a bone", "no voxel of it within the grid", "Lay the grid around the bone")
    law, calibration = material.law, material.calibration
    hu = sampled(bone.hu, bone.grid, sub, 0)[inside]
    density = law.density_of(calibration.density(hu), calibration.phantom)
    sick = {name: sampled(mask, bone.grid, sub, 0) > 0.5 for name, mask in bone.lesions.items()}
    factor = np.ones(hu.shape, np.float32)
    if material.lesion_factor != 1.0:
        for mask in sick.values():
            factor[mask[inside]] = material.lesion_factor
    share = _mean(inside.astype(np.float32), _SAMPLES)
    there = share >= _LEAST_SHARE

    def per_element(values: Array) -> Array:
        spread = np.zeros(sub.shape, np.float32)
        spread[inside] = values
        return _mean(spread, _SAMPLES) * there

    strength = None
    if law.plastic:
        strength = np.where(there, per_element(law.strength_of(density) * factor), np.float32(np.inf))
    # Marrow fat and tumour lie below every law's range by nature: counted is what is denser.
    deep = sampled(_deeper(bone, _WALL_MM), bone.grid, sub, 0)[inside] > 0.5
    dense = density > law.valid[1]
    parts = [deep, *(deep & mask[inside] for mask in sick.values())]
    return Mesh(
        grid, share * there, per_element(law.modulus_of(density) * factor), strength,
        {name: _mean(mask.astype(np.float32), _SAMPLES) * there for name, mask in sick.items()},
        max(float(dense[part].mean()) if part.any() else 0.0 for part in parts),
    )  # fmt: skip


def _deeper(bone: Bone, depth: float) -> NDArray[np.bool_]:
    """What lies deeper (mm) below the surface."""
    return np.asarray(edt.edt(bone.mask, anisotropy=bone.grid.spacing, black_border=False) > depth)


def with_caps(made: Mesh, caps: NDArray[np.bool_], modulus: float) -> Mesh:
    """The mesh with cement (MPa) where ``caps`` says and no bone is; cement fills boundary elements up.

    The load passes through cement and bone one after the other: a filled element is as compliant as both layers
    together, and flows where its bone does. Side by side, a soft bone would be hidden behind the cement's stiffness,
    by how much hanging on where elements happen to end. Cement never yields.
    """
    share = np.where(caps, made.share, 1)
    limit = made.strength
    if limit is not None:
        limit = np.where(caps & (made.share > 0), limit / np.where(share > 0, share, 1), limit)
    filled = in_series(made.modulus, share, modulus)
    return replace(made, modulus=np.where(caps, filled, made.modulus), strength=limit)


def in_series(modulus: Array, share: Array, cement: float) -> Array:
    """Modulus of bone (its integral over the element) and of cement that fills the rest, as layers across the load."""
    bone = np.divide(share**2, modulus, out=np.zeros_like(modulus), where=modulus > 0)
    return np.asarray(1 / np.maximum(bone + (1 - share) / cement, 1e-9), np.float32)


def shares(mask: NDArray[np.bool_], source: Grid, grid: Grid) -> Array:
    """How much of each element of ``grid`` a mask on the grid ``source`` fills, 0..1."""
    inside = sampled(mask, source, finer(grid, _SAMPLES), 0) > 0.5
    return _mean(inside.astype(np.float32), _SAMPLES)


def finer(grid: Grid, samples: int) -> Grid:
    """The grid with each voxel parted into ``samples`` along each axis."""
    matrix = grid.matrix.copy()
    matrix[:3, :3] /= samples
    matrix[:3, 3] = grid.to_position([(1 / samples - 1) / 2] * 3)
    return Grid.from_matrix([n * samples for n in grid.shape], matrix)


def sampled(values: NDArray[np.generic], source: Grid, target: Grid, outside: float) -> Array:
    """Values of one grid at the voxels of another, those of the voxel that they lie in."""
    step = np.linalg.inv(source.matrix) @ target.matrix
    return np.asarray(
        ndimage.affine_transform(
            np.asarray(values, np.float32), step[:3, :3], step[:3, 3], target.shape, np.float32, order=0, cval=outside,
            mode="grid-constant", prefilter=False,
        )
    )  # fmt: skip


def _mean(values: Array, samples: int) -> Array:
    shape = [n for size in values.shape for n in (size // samples, samples)]
    return np.asarray(values.reshape(shape).mean(axis=(1, 3, 5)), np.float32)
