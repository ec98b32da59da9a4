"""Stored CT values to Hounsfield units (PS3.3 C.11.1), counting what had to be changed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoscope.dicom.options import AIR_HU

_CEILING = int(np.iinfo(np.int16).max)
# Whole numbers that were scaled in single precision are this near to whole again.
_WHOLE = 1e-3


@dataclass
class Tally:
    """What was met while converting; HU before clipping, numbers of elements."""

    lowest: float = float("inf")
    highest: float = float("-inf")
    padded: int = 0
    below_air: int = 0
    clipped: int = 0
    not_finite: int = 0
    fractional: int = 0
    kinds: set[float] = field(default_factory=set)

    def plain(self) -> dict[str, Any]:
        """As JSON; "kinds" is the number of distinct values, up to 257."""
        return asdict(self) | {"kinds": len(self.kinds)}


def to_hounsfield(
    stored: NDArray[Any], rescale: tuple[float, float], padding: tuple[float, float] | None, tally: Tally
) -> NDArray[np.int16]:
    """HU as int16: slope and intercept applied, padding and all below -1024 HU set to -1024.

    Args:
        stored: any shape.
        rescale: slope and intercept.
        padding: inclusive range of stored values that are no measurement, or None.
        tally: added to.
    """
    values = stored.astype(np.float32) if stored.dtype.itemsize <= 2 else stored.astype(np.float64)
    values *= rescale[0]
    values += rescale[1]
    outside = ~np.isfinite(values)
    tally.not_finite += int(outside.sum())
    if padding is not None:
        padded = (stored >= padding[0]) & (stored <= padding[1])
        tally.padded += int(padded.sum())
        outside |= padded
    measured = ~outside
    tally.lowest = min(tally.lowest, float(values.min(where=measured, initial=np.inf)))
    tally.highest = max(tally.highest, float(values.max(where=measured, initial=-np.inf)))
    values[outside] = AIR_HU
    tally.below_air += int((values < AIR_HU).sum())
    tally.clipped += int((values > _CEILING).sum())
    if len(tally.kinds) <= 256:
        tally.kinds.update(np.unique(values[..., ::3])[:257].tolist())
    np.clip(values, AIR_HU, _CEILING, out=values)
    rounded = np.rint(values)
    tally.fractional += int(np.count_nonzero(np.abs(values - rounded) > _WHOLE))
    return rounded.astype(np.int16)
