"""A bone in the testing machine as tetrahedra: the same materials and supports as its bricks, with a smooth surface.

The surface is where the share of bone and cement in fine elements is one half; the share does not weigh elements here,
since they follow the surface. A tetrahedron takes the integral of modulus and yield stress over its volume (after
Bonemat, S87 of docs/background/strength.md); where its rim leaves the mask, the nearest bone's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.geometry import Grid
from osteoscope.errors import UnsuitableStudyError
from osteoscope.fe.bone import Bone
from osteoscope.fe.loads import CEMENT_MPA, Trial
from osteoscope.fe.mesh import Material, finer, in_series, mesh
from osteoscope.fe.model import Supports
from osteoscope.fe.tetrahedra import quadratic, stuff, volumes

Floats = NDArray[np.float64]
Single = NDArray[np.float32]
Ints = NDArray[np.int64]
# Points of a tetrahedron at which its materials are taken; how far off a supported plane a node lies, in elements.
_LEVELS, _OFF_PLANE, _ALL_CEMENT = 4, 0.1, 0.999
# More cubes of the lattice than these in the box around a bone would fill several GB.
_MOST_CUBES, _LONGER = 4e6, "Give longer edges"


@dataclass(frozen=True, eq=False)
class TetModel:
    """Tetrahedra of ten nodes (straight edges), in the lattice of the bricks that they replace.

    Args:
        points: [n, 3] along axes 0, 1, 2 of ``grid`` in mm, from the low corner of its first element.
        cells: [m, 10] rows of ``points``, in the order of Abaqus' C3D10 and of VTK.
        grid: of the bricks.
        modulus, strength: [m] MPa; yield stress infinity where it never yields, None: elastic only.
        cement: [m] share of cement.
        lesions: id -> [m] share.
        held: node, axis and displacement in mm of each support.
    """

    points: Floats
    cells: Ints
    grid: Grid
    modulus: Single
    strength: Single | None
    cement: Single
    lesions: dict[str, Single]
    held: tuple[Ints, Ints, Floats]

    @property
    def volume(self) -> Floats:
        """Of each tetrahedron, mm3."""
        return volumes(self.points, self.cells)


def tetrahedra(bone: Bone, material: Material, trial: Trial, edge: float) -> TetModel:
    """The tetrahedra of a bone and its cement.

    Args:
        bone, material: what ``trial`` was made of.
        trial: how it is held.
        edge: of a tetrahedron, about, mm.

    Raises:
        UnsuitableStudyError: the bone is too thin for such edges, or a support has no node left.
    """
    grid, size = trial.mesh.grid, trial.mesh.grid.spacing[0]
    step = int(np.clip(np.ceil(size / min(bone.grid.spacing)), 2, 4))
    fine = mesh(bone, finer(grid, step), material)
    caps = _repeated(trial.caps, step)
    share = fine.share + np.where(caps, 1 - fine.share, 0)
    padded = np.pad(share, 1).astype(np.float64)

    def inside(points: Floats) -> Floats:
        place = (points * step / size + 0.5).T
        return np.asarray(ndimage.map_coordinates(padded, place, order=1, mode="nearest") - 0.5)

    filled = np.argwhere(share > 0)
    low, high = filled.min(axis=0) * size / step, (filled.max(axis=0) + 1) * size / step
    if np.prod((high - low) / edge) > _MOST_CUBES:
        raise UnsuitableStudyError(f"mesh {bone.site}", f"too many tetrahedra at edges of {edge:g} mm", _LONGER)
    corners, cells = stuff(inside, low, high, edge)
    if not len(cells):
        raise UnsuitableStudyError(f"mesh {bone.site}", f"nothing left at edges of {edge:g} mm", "Give shorter edges")
    _, nearest = ndimage.distance_transform_edt(share < 0.25, return_indices=True)
    spots = np.einsum("kc,mcd->mkd", _inner_points(), corners[cells]) * step / size
    index = np.clip(np.floor(spots).astype(int), 0, np.asarray(share.shape) - 1)
    own = tuple(nearest[(slice(None), *np.moveaxis(index, -1, 0))])

    def mean(values: NDArray[np.floating]) -> Single:
        return np.asarray(np.mean(values[own] / share[own], axis=1), np.float32)

    points, tens = quadratic(corners, cells)
    cement, limit = mean(share - fine.share), None
    if fine.strength is not None:
        yields = mean(np.where(fine.share > 0, fine.strength, 0))
        limit = np.where(cement > _ALL_CEMENT, np.float32(np.inf), yields / np.maximum(1 - cement, 1e-6))
    lesions = {name: mean(part) for name, part in fine.lesions.items()}
    held = _held(trial.supports, trial.model.lattice, points / size, bone.site)
    modulus = in_series(mean(fine.modulus), 1 - cement, CEMENT_MPA)
    return TetModel(points, tens, grid, modulus, limit, cement, lesions, held)


def _repeated(values: NDArray[np.bool_], step: int) -> NDArray[np.bool_]:
    for axis in range(3):
        values = np.repeat(values, step, axis=axis)
    return values


def _inner_points() -> Floats:
    """Barycentric coordinates [20, 4] of points spread evenly over a tetrahedron."""
    counts = np.array([c for c in np.ndindex((_LEVELS,) * 4) if sum(c) == _LEVELS - 1])
    return np.asarray((counts + 0.5) / (_LEVELS + 1))


def _held(supports: Supports, lattice: tuple[int, int, int], places: Floats, site: str) -> tuple[Ints, Ints, Floats]:
    """The supports of the lattice (places in elements) at nodes on the same planes."""
    nearest = np.clip(np.rint(places).astype(int), 0, np.asarray(lattice) - 1)
    off = np.abs(places - nearest)
    found = []
    for axis in range(3):
        along = supports.axis == axis
        if not along.any():
            continue
        value = np.full(lattice, np.nan)
        value[tuple(supports.nodes[along].T)] = supports.value[along]
        there = np.isfinite(value)
        across = np.stack([~_beside(there, k) for k in range(3)], axis=-1)[tuple(nearest.T)]
        own = there[tuple(nearest.T)] & (~across | (off <= _OFF_PLANE)).all(axis=1)
        number = np.flatnonzero(own)
        found.append((number, np.full(len(number), axis), value[tuple(nearest[own].T)]))
        lost = set(np.unique(supports.value[along])) - set(np.unique(found[-1][2]))
        if lost:
            raise UnsuitableStudyError(
                f"mesh {site}", f"no node left on what is moved by {min(lost):g} mm", "Give shorter edges"
            )
    number, axes, values = (np.concatenate(column) for column in zip(*found, strict=True))
    return number, axes, values


def _beside(there: NDArray[np.bool_], axis: int) -> NDArray[np.bool_]:
    """Where a neighbour along an axis is supported too."""
    wide = np.moveaxis(np.pad(there, 1), axis, 0)
    either = np.moveaxis(wide[:-2] | wide[2:], 0, axis)
    inner = [slice(1, -1)] * 3
    inner[axis] = slice(None)
    return np.asarray(either[tuple(inner)])
