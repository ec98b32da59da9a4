"""A femur in stance and in a fall to the side.

Stance: the head is pushed down the mechanical axis through a cap of cement that slides, the shaft's end is held, as of
Derikx 2012, Sas 2020 (S61, S63 of docs/background/strength.md). Fall: the head is pushed towards the greater
trochanter, which rests on cement that slides, and the shaft's end is held across the load, as of Ogo (S82, S84); the
femur is adducted by 10 degrees and turned so that the trochanter is hit from 15 degrees behind.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.geometry import Grid
from osteoscope.errors import UnsuitableStudyError
from osteoscope.fe.bone import Bone
from osteoscope.fe.landmarks_femur import LEAST_SHAFT, MODELLED, FemurMarks, lateral
from osteoscope.fe.loads import (
    CAP_MM,
    UPRIGHT,
    Tilt,
    Trial,
    bottom_of,
    in_machine,
    layer,
    pot,
    pot_below,
    tilted,
    top_of,
)
from osteoscope.fe.mesh import Material, frame, mesh
from osteoscope.fe.model import Supports, nodes_of

Floats = NDArray[np.float64]
# Displacement at the end, as a share of the modelled length (stance: choice) and of the width (fall: S84).
STANCE, FALL = 0.05, 0.04
ADDUCTED, FROM_BEHIND = 10.0, 15.0
# In radii of the head: half widths of its cap and of the trochanter's.
_CAP, _SEAT = 0.7, 0.85
# The longest model, in radii of the head.
_LONGEST = 12.0
# In radii of the head, below its centre: sections of the whole bone begin.
_SECTIONS = 1.5
_BELOW_LESION_MM, _EDGE_MM = 60.0, 8.0


def modelled_length(bone: Bone, marks: FemurMarks, size: float) -> float:
    """How far below the head's centre the model reaches, mm: a fixed share of the head's size, and two shaft's widths
    below the lowest lesion of which anything can be modelled.

    Raises:
        UnsuitableStudyError: what the field shows is too short.
    """
    there = _most(marks, size)
    if there < LEAST_SHAFT * marks.radius:
        raise UnsuitableStudyError(
            f"load {bone.site}",
            f"the field shows {marks.foot:.0f} mm below the head's centre",
            f"Give a CT that shows {LEAST_SHAFT * marks.radius + CAP_MM + _EDGE_MM:.0f} mm and more",
        )
    lowest = max((float(deep.max()) for deep in _depths(bone, marks).values() if deep.min() < there), default=0.0)
    return min(max(MODELLED * marks.radius, lowest + _BELOW_LESION_MM), there)


def beyond(bone: Bone, marks: FemurMarks, size: float) -> dict[str, float]:
    """Lesions that reach below what is modelled -> the share of each that lies within it, 0 where nothing does."""
    there = _most(marks, size)
    within = {name: float(np.mean(deep < there)) for name, deep in _depths(bone, marks).items()}
    return {name: share for name, share in within.items() if share < 1}


def _most(marks: FemurMarks, size: float) -> float:
    return min(_LONGEST * marks.radius, marks.foot - _EDGE_MM - CAP_MM - 2 * size)


def _depths(bone: Bone, marks: FemurMarks) -> dict[str, Floats]:
    """How far below the head's centre the voxels of each lesion lie, mm; of healed ones too, so that twins are of one
    length."""
    return {
        name: np.asarray((marks.head - bone.grid.to_position(np.argwhere(mask))) @ marks.axis)
        for name, mask in (bone.lesions | bone.cured).items()
    }


def stance(bone: Bone, marks: FemurMarks, material: Material, size: float, tilt: Tilt = UPRIGHT) -> Trial:
    """A femur under its head's load.

    Args:
        bone, marks, material: what is loaded.
        size: of an element, mm.
        tilt: of the axis to the left and to the back, degrees.

    Raises:
        UnsuitableStudyError: too little of the shaft is in the field.
    """
    axis = tilted(marks.axis, tilt)
    length = modelled_length(bone, marks, size)
    margin = CAP_MM + 2 * size
    places = bone.positions
    kept = places[(marks.head - places) @ axis < length - margin]
    grid = frame(axis, lateral(marks), kept, size, margin)
    made = mesh(bone, grid, material)
    far = _from_line(grid, marks.head, axis)
    head = (made.share > 0) & (far[None] <= _CAP * marks.radius)
    head[: int(grid.to_index(marks.head)[0])] = False
    cap = pot(head, made, bone.site)
    pushed = Supports.at(top_of(cap), (-STANCE * length, None, None))
    held = Supports.at(layer(nodes_of(made.share > 0), 0, 0), (0.0, 0.0, 0.0))
    level = np.arange(grid.shape[0]) * size
    below = level.max() - level
    sections = (level > 4 * size) & (below > margin + 2.5 * marks.radius)
    return in_machine(made, cap, material, pushed + held, (length, sections))


def fall(bone: Bone, marks: FemurMarks, material: Material, size: float, tilt: Tilt = UPRIGHT) -> Trial:
    """A femur that falls on its trochanter; errors and arguments as ``stance``, but the tilt.

    The load is tilted up the shaft and across it, both at right angles to the load: the patient's left is its own way.
    """
    turn, lean = np.deg2rad(FROM_BEHIND), np.deg2rad(ADDUCTED)
    front = np.cross(marks.along, marks.medial)
    front *= -np.sign(front[1]) or 1.0
    flat = np.cos(turn) * marks.medial + np.sin(turn) * front
    axis = np.cos(lean) * flat - np.sin(lean) * marks.along
    across = np.cross(axis, marks.along)
    across /= np.linalg.norm(across)
    axis = tilted(axis, tilt, (np.cross(across, axis), across))
    length = modelled_length(bone, marks, size)
    margin = CAP_MM + 2 * size
    places = bone.positions
    kept = places[(marks.head - places) @ marks.along < length - margin]
    grid = frame(axis, marks.along, kept, size, margin)
    made = mesh(bone, grid, material)
    bony = made.share > 0
    head = bony & (_from_line(grid, marks.head, axis)[None] <= _CAP * marks.radius)
    head[: int(grid.to_index(marks.head)[0])] = False
    upper = pot(head, made, bone.site)
    lower = pot_below(_trochanter(grid, bony, marks), made, bone.site)
    width = (np.flatnonzero(upper.any(axis=(1, 2)))[-1] - np.flatnonzero(lower.any(axis=(1, 2)))[0] + 1) * size
    pushed = Supports.at(top_of(upper), (-FALL * width, None, None))
    seat = Supports.at(bottom_of(lower), (0.0, None, None))
    held = Supports.at(layer(nodes_of(bony), 2, 0), (None, 0.0, 0.0))
    trial = in_machine(
        made, upper | lower, material, pushed + seat + held, (float(width), np.zeros(grid.shape[0], bool))
    )
    level = np.arange(grid.shape[2])
    below = (grid.to_index(marks.head)[2] - level) * size
    return replace(trial, lengthwise=(level > 4) & (below > _SECTIONS * marks.radius))


def _from_line(grid: Grid, point: Floats, axis: Floats) -> Floats:
    """Distance in mm of the columns [y, x] of a grid from a line along axis 0."""
    rows, columns = np.indices(grid.shape[1:])
    places = grid.to_position(np.stack([np.zeros_like(rows), rows, columns], axis=-1)) - point
    return np.asarray(np.linalg.norm(places - (places @ axis)[..., None] * axis, axis=-1))


def _trochanter(grid: Grid, bony: NDArray[np.bool_], marks: FemurMarks) -> NDArray[np.bool_]:
    """Bone around the lowest place of the grid above the shaft, on the side away from the head."""
    index = np.argwhere(bony)
    places = grid.to_position(index)
    above = (places - marks.shaft) @ marks.along > 0.6 * marks.radius
    if not above.any():
        raise UnsuitableStudyError("seat the trochanter", "no bone above the shaft", "Check the mask of the femur")
    lowest = places[above][int(np.argmin(index[above, 0]))]
    part = np.zeros_like(bony)
    axis = grid.matrix[:3, 0] / grid.spacing[0]
    off = places - lowest
    near = np.linalg.norm(off - (off @ axis)[:, None] * axis, axis=1) <= _SEAT * marks.radius
    part[tuple(index[above & near & (off @ axis < marks.radius)].T)] = True
    return part
