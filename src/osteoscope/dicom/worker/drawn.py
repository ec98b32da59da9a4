"""A mask on the grid of a CT, with what of it is not there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Drawn:
    """A segment or region on the grid of a CT.

    Args:
        label: as its file names it.
        meaning: code meaning of what it is said to be, "" where nothing is.
        mask: cropped; None where nothing of it lies on the grid.
        offset: of the mask in the grid.
        notes: what of it is not in the mask.
    """

    label: str
    meaning: str
    mask: Mask | None
    offset: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


def off_note(lost: int, whole: int) -> tuple[str, ...]:
    """How much of a mask of ``whole`` voxels lies off the CT, where some does."""
    if not lost:
        return ()
    share = 100 * lost / whole
    said = "less than 1 %" if share < 1 else f"{share:.0f} %"
    return (f"{said} of it lies off the CT",)
