"""What is no bone: metal, and cement in vertebrae."""

from __future__ import annotations

import cc3d
import edt
import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.geometry import Grid
from osteoscope.errors import UnsuitableStudyError

Mask = NDArray[np.bool_]
Array = NDArray[np.float32]
# Choices of this program. Cement with barium is commonly 800 to 2500 HU; no spongy bone of a vertebra that is not
# cemented is as dense as this in one piece of so much, as deep below its surface.
METAL_HU, _METAL_MM3, _METAL_NEAR_MM = 2500.0, 40.0, 2.0
CEMENT_HU, _CEMENT_MM3, _CEMENT_DEEP_MM = 1400.0, 500.0, 3.0
_REMEDY = "Strength is not given for bones with implants or cement"


def refuse_foreign(hu: Array, mask: Mask, grid: Grid, site: str) -> None:
    """Refuse metal in or at a bone, and cement in a vertebra.

    Raises:
        UnsuitableStudyError: there is some.
    """
    near = edt.edt(~mask, anisotropy=grid.spacing, black_border=False) <= _METAL_NEAR_MM
    volume = float(np.count_nonzero(near & (hu > METAL_HU))) * grid.cell
    if volume > _METAL_MM3:
        found = f"{volume:.0f} mm3 above {METAL_HU:.0f} HU in or at the bone: metal"
        raise UnsuitableStudyError(f"load {site}", found, _REMEDY)
    if not site.startswith("vertebra_"):
        return
    deep = edt.edt(mask, anisotropy=grid.spacing, black_border=False) > _CEMENT_DEEP_MM
    pieces = np.asarray(cc3d.connected_components(deep & (hu > CEMENT_HU), connectivity=26))
    largest = float(np.bincount(pieces.ravel())[1:].max(initial=0)) * grid.cell
    if largest > _CEMENT_MM3:
        found = f"{largest / 1000:.1f} mL above {CEMENT_HU:.0f} HU in one piece within the bone: cement"
        raise UnsuitableStudyError(f"load {site}", found, _REMEDY)
