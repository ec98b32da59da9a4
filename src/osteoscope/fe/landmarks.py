"""Axes and landmarks of a vertebra, from the mask alone; positions in millimetres (LPS).

A hand may correct them: every load takes the landmarks as they are given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteoscope.errors import UnsuitableStudyError
from osteoscope.fe.bone import Bone
from osteoscope.fe.vertebral_body import LEFT, UP, vertebral_body

__all__ = ["LEFT", "UP", "VertebraMarks", "vertebra_marks"]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
# Atlas and axis have no body between two end plates.
_NO_BODY = frozenset({"vertebra_C1", "vertebra_C2"})


@dataclass(frozen=True)
class VertebraMarks:
    """A vertebral body.

    Args:
        axis: unit vector to the head, at right angles to the end plates on average.
        centre: of the body.
        upper, lower: centres of the end plates.
        radius: of the largest ball within the body, mm.
        body: voxels of the body, on the bone's crop.
    """

    axis: Floats
    centre: Floats
    upper: Floats
    lower: Floats
    radius: float
    body: Mask

    @property
    def height(self) -> float:
        """Between the end plates at the middle, mm."""
        return float((self.upper - self.lower) @ self.axis)


def vertebra_marks(bone: Bone) -> VertebraMarks:
    """The body and its end plates.

    Raises:
        UnsuitableStudyError: the mask holds no body, it is cut by the field of view, or it is the atlas or the axis.
    """
    if bone.site in _NO_BODY:
        found = "no body between two end plates: no load case suits"
        raise UnsuitableStudyError(f"load {bone.site}", found, "Strength is given for the vertebrae from C3 down")
    if bone.cut.any():
        raise UnsuitableStudyError(
            f"load {bone.site}", f"{int(bone.cut.sum())} voxels of it at the edge of the field of view",
            "Give a CT that shows the whole vertebra",
        )  # fmt: skip
    body = vertebral_body(bone.mask, bone.grid, bone.site)
    middle = (body.upper + body.lower) / 2
    return VertebraMarks(body.axis, middle, body.upper, body.lower, body.radius, body.mask)
