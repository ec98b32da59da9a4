"""What the neck and head of a femur resist, in sections across the neck's axis: the axis of the load misses them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from osteoscope.fe.bone import Bone
from osteoscope.fe.landmarks_femur import FemurMarks
from osteoscope.fe.mesh import Material, Mesh, frame, mesh
from osteoscope.fe.rigidity import Weakest, rigidity, weakest

# Conventions of this program. Sections run from beyond the head's centre, in its radii, down a share of the way to the
# shaft; bone farther from the neck's axis, in radii, is the trochanter's.
_BEYOND, _DOWN, _WIDE = 0.5, 0.75, 1.25


def neck_loss(bone: Bone, lesion: str, marks: FemurMarks, material: Material, size: float) -> Weakest | None:
    """The section across the neck's axis that a lesion costs most; None where less than half of it lies in these.

    Args:
        bone: with its lesions.
        lesion: its id.
        marks: of the femur; ``neck`` and ``head`` give the axis.
        material: what tissue is made of.
        size: of the elements that are summed, mm.

    Raises:
        UnsuitableStudyError: there is no healthy tissue to compare with.
    """
    way = marks.head - marks.neck
    axis, length = way / np.linalg.norm(way), float(np.linalg.norm(way))
    off = bone.positions - marks.head
    along = off @ axis
    far = np.linalg.norm(off - along[:, None] * axis, axis=1)
    low, high = -_DOWN * length, _BEYOND * marks.radius
    near = (far <= _WIDE * marks.radius) & (along >= low - size) & (along <= high + size)
    if not near.any():
        return None
    part = np.zeros_like(bone.mask)
    part[bone.mask] = near
    grid = frame(axis, marks.along, bone.positions[near], size, size)

    def of(whole: Bone) -> Mesh:
        own = {name: mask & part for name, mask in whole.lesions.items()}
        return mesh(replace(whole, mask=part, lesions=own), grid, material)

    made = of(bone)
    level = (grid.to_position([0.0, 0.0, 0.0]) - marks.head) @ axis + np.arange(grid.shape[0]) * size
    sections = (level >= low) & (level <= high)
    inside = made.lesions[lesion].sum(axis=(1, 2))[sections].sum() * grid.cell
    if inside < 0.5 * np.count_nonzero(bone.lesions[lesion]) * bone.grid.cell:
        return None
    poisson = material.law.poisson
    return weakest(rigidity(made, poisson), rigidity(of(bone.healed((lesion,))), poisson), sections)
