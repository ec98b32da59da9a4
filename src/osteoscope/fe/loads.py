"""How bones are held and pushed: the testing machine, and a vertebra in it.

The cement is that of published models (2500 MPa; S82, S84 of docs/background/strength.md). It never yields.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osteoscope.errors import UnsuitableStudyError
from osteoscope.fe.bone import Bone
from osteoscope.fe.landmarks import VertebraMarks
from osteoscope.fe.mesh import Material, Mesh, frame, mesh, shares, with_caps
from osteoscope.fe.model import Supports, VoxelModel, nodes_of
from osteoscope.fe.vertebral_body import LEFT

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
Tilt = tuple[float, float]
UPRIGHT: Tilt = (0.0, 0.0)
BACK = np.array([0.0, 1.0, 0.0])
CEMENT_MPA, CAP_MM = 2500.0, 6.0
# Apparent strain at the end of vertebral compression (S41, S73).
STRAIN = 0.019
# Rows of elements run this much aside of those of the CT: along voxels of their own size each would be one voxel or
# halves of two, and the load of a real L3 hang by 9 % on where the lattice starts.
_ASIDE = np.deg2rad(10.0)
# Columns whose surface lies this far below the highest are not potted.
_POT_MM = 9.0


@dataclass(frozen=True, eq=False)
class Trial:
    """A bone in the testing machine.

    Args:
        mesh: of the bone alone.
        caps: elements of cement.
        model, supports: bone and cement for the solver, supports at the full displacement.
        length: what the displacement is a share of, mm.
        sections: layers of axis 0 in which cross-sections are compared.
        lengthwise: layers of axis 2 that are cross-sections too, where the bone lies across the load.
    """

    mesh: Mesh
    caps: Mask
    model: VoxelModel
    supports: Supports
    length: float
    sections: NDArray[np.bool_]
    lengthwise: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))


def compression(bone: Bone, marks: VertebraMarks, material: Material, size: float, tilt: Tilt = UPRIGHT) -> Trial:
    """A vertebra pressed along its axis, both end plates potted and held sideways, by ``STRAIN`` of its height.

    Args:
        bone, marks, material: what is pressed.
        size: of an element, mm.
        tilt: of the axis to the left and to the back, degrees.

    Raises:
        UnsuitableStudyError: an end plate has no surface to pot.
    """
    across = np.array([np.cos(_ASIDE), np.sin(_ASIDE), 0.0])
    grid = frame(tilted(marks.axis, tilt), across, bone.positions, size, CAP_MM + 2 * size)
    made = mesh(bone, grid, material)
    body = (shares(marks.body, bone.grid, grid) >= made.share / 2) & (made.share > 0)
    upper, lower = pot(body, made, bone.site), pot_below(body, made, bone.site)
    pushed = Supports.at(top_of(upper), (-STRAIN * marks.height, 0.0, 0.0))
    held = Supports.at(bottom_of(lower), (0.0, 0.0, 0.0))
    level = np.arange(grid.shape[0])
    low, high = (grid.to_index(plate)[0] for plate in (marks.lower, marks.upper))
    rim = 0.15 * (high - low)
    return in_machine(
        made, upper | lower, material, pushed + held, (marks.height, (level > low + rim) & (level < high - rim))
    )


def tilted(axis: Floats, tilt: Tilt, ways: tuple[Floats, Floats] = (LEFT, BACK)) -> Floats:
    """A direction leaned two ways, to the patient's left and back unless others are given, by degrees."""
    lean = np.tan(np.deg2rad(tilt))
    way = axis + lean[0] * ways[0] + lean[1] * ways[1]
    return np.asarray(way / np.linalg.norm(way))


def in_machine(
    made: Mesh, caps: Mask, material: Material, supports: Supports, of: tuple[float, NDArray[np.bool_]]
) -> Trial:
    """A trial of a mesh with cement; ``of``: its length in mm, and its sections."""
    full = with_caps(made, caps, CEMENT_MPA)
    spacing = made.grid.spacing
    size = (spacing[0], spacing[1], spacing[2])
    model = VoxelModel(full.modulus, material.law.poisson, size, full.strength)
    return Trial(made, caps, model, supports, *of)


def pot(part: Mask, made: Mesh, site: str) -> Mask:
    """Cement on the high end of a part of the bone, flat above; nothing where other bone is in the way.

    It is ``CAP_MM`` thick, to half an element, where the bone is highest.

    Raises:
        UnsuitableStudyError: there is no such part.
    """
    return _pot(part, made.share, made.grid.spacing[0], site)


def pot_below(part: Mask, made: Mesh, site: str) -> Mask:
    """Cement under the low end."""
    return _pot(part[::-1], made.share[::-1], made.grid.spacing[0], site)[::-1]


def _pot(part: Mask, share: NDArray[np.float32], size: float, site: str) -> Mask:
    column = part.any(axis=0)
    if not column.any():
        raise UnsuitableStudyError(f"pot {site}", "no surface where the load acts in its mask", "Check its mask")
    top = np.where(column, len(part) - 1 - np.argmax(part[::-1], axis=0), -1)
    surface = top + np.take_along_axis(share, np.maximum(top, 0)[None], axis=0)[0]
    high = float(np.percentile(surface[column], 98))
    seat = column & (surface >= high - _POT_MM / size)
    height = np.arange(len(part))[:, None, None]
    above = (height > top) & (height < round(high + CAP_MM / size)) & (share <= 0)
    return np.asarray(seat & (above | (height == top)))


def top_of(cap: Mask) -> Mask:
    """Nodes of the flat upper face of cement."""
    return layer(nodes_of(cap), 0, int(np.flatnonzero(cap.any(axis=(1, 2)))[-1]) + 1)


def bottom_of(cap: Mask) -> Mask:
    """Nodes of the flat lower face of cement."""
    return layer(nodes_of(cap), 0, int(np.flatnonzero(cap.any(axis=(1, 2)))[0]))


def layer(nodes: ArrayLike, axis: int, level: int) -> Mask:
    """The nodes of one layer alone."""
    given = np.asarray(nodes, bool)
    chosen = np.zeros_like(given)
    np.moveaxis(chosen, axis, 0)[level] = np.moveaxis(given, axis, 0)[level]
    return chosen
