"""How a bone is held and pushed: a vertebra between end plates of cement.

The cement is that of published vertebra models (2500 MPa; S82, S84 of docs/background/ct.md). Its strength counts only
where it shares an element with bone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteoscope.errors import UnsuitableStudyError
from osteoscope.fe.bone import Bone
from osteoscope.fe.landmarks import LEFT, VertebraMarks
from osteoscope.fe.mesh import Material, Mesh, frame, mesh, sampled, with_caps
from osteoscope.fe.model import Supports, VoxelModel, nodes_of

Mask = NDArray[np.bool_]
CEMENT_MPA, CEMENT_STRENGTH_MPA = 2500.0, 100.0
CAP_MM = 6.0


@dataclass(frozen=True, eq=False)
class Trial:
    """A bone in the testing machine.

    Args:
        mesh: of bone and cement.
        caps: elements of cement.
        model, supports: for the solver, at the full displacement.
        length: the height that the displacement is a share of, mm.
    """

    mesh: Mesh
    caps: Mask
    model: VoxelModel
    supports: Supports
    length: float


def compression(
    bone: Bone, marks: VertebraMarks, material: Material, size: float, tilt: tuple[float, float] = (0.0, 0.0)
) -> Trial:
    """A vertebra pressed along its axis, both end plates potted and held sideways, by ``STRAIN`` of its height.

    Args:
        bone, marks, material: what is pressed.
        size: of an element, mm.
        tilt: of the axis to the left and to the back, degrees.

    Raises:
        UnsuitableStudyError: an end plate has no surface to pot.
    """
    lean = np.tan(np.deg2rad(tilt))
    axis = marks.axis + lean[0] * LEFT + lean[1] * np.array([0.0, 1.0, 0.0])
    grid = frame(axis, LEFT, bone.positions, size, CAP_MM + 2 * size)
    made = mesh(bone, grid, material)
    body = (sampled(marks.body, bone.grid, grid, 0) > 0.3) & (made.share > 0)
    upper = _cap(body, made.share > 0, size, bone.site)
    lower = _cap(body[::-1], made.share[::-1] > 0, size, bone.site)[::-1]
    caps = upper | lower
    full = with_caps(made, caps, CEMENT_MPA, CEMENT_STRENGTH_MPA)
    top, bottom = int(np.flatnonzero(upper.any(axis=(1, 2)))[-1]) + 1, int(np.flatnonzero(lower.any(axis=(1, 2)))[0])
    pushed = Supports.at(_layer(nodes_of(upper), top), (-STRAIN * marks.height, 0.0, 0.0))
    held = Supports.at(_layer(nodes_of(lower), bottom), (0.0, 0.0, 0.0))
    return Trial(full, caps, model_of(full, material), pushed + held, marks.height)


# Apparent strain at the end of vertebral compression (S41, S73).
STRAIN = 0.019
# Columns whose surface lies this far below the highest are not end plate.
_PLATE_MM = 9.0


def model_of(made: Mesh, material: Material) -> VoxelModel:
    """The solver's view of a mesh."""
    spacing = made.grid.spacing
    return VoxelModel(made.modulus, material.law.poisson, (spacing[0], spacing[1], spacing[2]), made.strength)


def _cap(body: Mask, bone: Mask, size: float, site: str) -> Mask:
    """Cement on the high end of a body, flat above; nothing where other bone is in the way."""
    column = body.any(axis=0)
    if not column.any():
        raise UnsuitableStudyError(f"pot {site}", "no end plate in its mask", "Check its mask")
    top = np.where(column, len(body) - 1 - np.argmax(body[::-1], axis=0), -1)
    high = int(np.percentile(top[column], 98))
    plate = column & (top >= high - _PLATE_MM / size)
    height = np.arange(len(body))[:, None, None]
    flat = high + int(np.ceil(CAP_MM / size))
    above = (height > top) & (height <= flat) & ~bone
    return np.asarray(plate & (above | (height == top)))


def _layer(nodes: Mask, level: int) -> Mask:
    chosen = np.zeros_like(nodes)
    chosen[level] = nodes[level]
    return chosen
