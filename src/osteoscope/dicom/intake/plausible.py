"""Whether values can be Hounsfield units at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoscope.dicom.intake.found import Found, counted
from osteoscope.dicom.options import AIR_HU
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.study import IntakeNote
from osteoscope.errors import IntakeError

_SMALLEST_SPREAD = 300.0
_LABELS = 256
# Below this all is air or lung. Values that were halved, or stretched from 8 bits, end above it; a choice.
_AIRY_HU, _LEAST_AIR = -600, 1e-5
# A scanner's own limits are far apart, and hardly a voxel meets the upper one.
_WINDOW_HU, _AT_LOWEST, _AT_HIGHEST = 2000, 0.01, 0.001
# Bone, metal and contrast as dense as this fill a few hundredths of a scan; in an inverted one the air around does.
_DENSE_HU, _MOST_DENSE = 700, 0.25
# The narrowest whole slice of a limb; a trunk in centimetres is 30 to 50 wide.
_NARROWEST_MM = 80.0
# Whole-body scans are 2 m long and less than 1 m across, the width of a gantry; a choice well beyond both.
_LONGEST_MM, _WIDEST_MM = 3000.0, 2000.0


def refuse_other_quantities(tally: Mapping[str, Any], name: str) -> None:
    """Refuse label maps, rescaled and normalised images by their range.

    A CT of a patient holds fat or air below 0 HU (fat lies near -100) and tissue above 0 HU, and spans
    at least 300 HU; the 300 HU are a choice.

    Args:
        tally: "lowest", "highest" and "kinds" (distinct values, up to 257) of HU before clipping.
        name: of the file or series, for the text.

    Raises:
        IntakeError: the values cannot be HU.
    """
    low, high = float(tally["lowest"]), float(tally["highest"])
    if low < 0 < high and high - low >= _SMALLEST_SPREAD:
        return
    if low > high:
        raise IntakeError(f"read {name} as CT", "not one measured voxel", "Give the original CT")
    few = 1 < int(tally["kinds"]) <= _LABELS and low >= 0
    guess = "as in a mask, a label map or an 8-bit picture" if few else "as in a normalised or rescaled image"
    raise IntakeError(
        f"read {name} as CT",
        f"values from {low:g} to {high:g}, {guess}, cannot be Hounsfield units",
        "Give the original CT with its Hounsfield units",
    )


def refuse_wide_field(grid: Grid, name: str) -> None:
    """Refuse a field that no scanner images: its spacing is in another unit than mm.

    Args:
        grid: of the volume, mm.
        name: of the file or series, for the text.

    Raises:
        IntakeError: a side is longer than 3 m, or two are longer than 2 m.
    """
    sides = [count * step for count, step in zip(grid.shape, grid.spacing, strict=True)]
    if max(sides) > _LONGEST_MM or sorted(sides)[-2] > _WIDEST_MM:
        size = " x ".join(f"{step:.3g}" for step in grid.spacing)
        raise IntakeError(
            f"read {name} as CT",
            f"a field of {' x '.join(f'{side / 1000:.3g}' for side in sides)} m, in voxels of {size} mm",
            "Check that the file states its spacing in mm; a field of up to 3 x 2 x 2 m is read",
        )


def value_notes(tally: Mapping[str, Any], found: Found) -> Iterator[IntakeNote]:
    """What was changed in the values on the way to int16 HU."""
    if tally["padded"]:
        problem = f"{counted(tally['padded'], 'padding voxel')} outside the scan"
        yield found.note("repaired", problem, f"set to {AIR_HU} HU")
    if tally["below_air"]:
        problem = f"{counted(tally['below_air'], 'voxel')} below {AIR_HU} HU (to {tally['lowest']:g})"
        yield found.note("repaired", problem, f"set to {AIR_HU} HU")
    if tally["clipped"]:
        yield found.note("repaired", f"{counted(tally['clipped'], 'voxel')} above 32767 HU", "set to 32767 HU")
    if tally["not_finite"]:
        problem = f"{counted(tally['not_finite'], 'voxel')} not finite"
        yield found.note("repaired", problem, f"set to {AIR_HU} HU")


@dataclass(frozen=True)
class _Spread:
    """How the measured values of a volume are spread, in shares of its voxels."""

    lowest: int
    highest: int
    airy: float
    dense: float
    at_lowest: float
    at_highest: float


def doubts(image: Image, unmeasured: int, found: Found) -> Iterator[IntakeNote]:
    """Why values in the range of HU may yet be none, or may not lie where the file says: warnings, never a refusal.

    Args:
        image: in HU.
        unmeasured: number of its voxels that were set to air without having been measured.
        found: what to name in the notes.
    """
    spread = _spread_of(image.values, unmeasured)
    span = f"{spread.lowest} to {spread.highest} HU"
    if spread.airy < _LEAST_AIR:
        problem = f"no air: no voxel below {_AIRY_HU} HU ({span})"
        yield found.note("warning", problem, "if this is no narrow cut of a CT, its values are not Hounsfield units")
    window = spread.highest - spread.lowest < _WINDOW_HU
    if window and spread.at_lowest > _AT_LOWEST and spread.at_highest > _AT_HIGHEST:
        cut = f"{100 * spread.at_lowest:.3g} % and {100 * spread.at_highest:.2g} % of the voxels"
        problem = f"values end at {spread.lowest} and {spread.highest} HU, where {cut} lie"
        yield found.note("warning", problem, "they were cut off to a window; give the original CT")
    if spread.dense > _MOST_DENSE:
        problem = f"{100 * spread.dense:.0f} % of the voxels above {_DENSE_HU} HU, more than bone takes ({span})"
        yield found.note("warning", problem, "if this is no cut through bone alone, its values are inverted or shifted")
    sides = np.asarray(image.grid.shape[1:]) * np.asarray(image.grid.spacing[1:])
    if sides.max() < _NARROWEST_MM:
        problem = f"a field of {sides[0]:.3g} x {sides[1]:.3g} mm, narrow for a CT of a body"
        yield found.note("warning", problem, "check that the file states its spacing in mm, not in cm")


def _spread_of(values: NDArray[np.int16], unmeasured: int) -> _Spread:
    counts = np.zeros(2**16, dtype=np.int64)
    for plane in values:
        counts += np.bincount(plane.ravel().view(np.uint16) ^ 2**15, minlength=2**16)
    air = AIR_HU + 2**15
    counts[air] = max(counts[air] - unmeasured, 0)
    levels = np.flatnonzero(counts)
    ends = levels[[0, -1]]
    shares = counts / counts.sum()
    return _Spread(
        lowest=int(ends[0]) - 2**15,
        highest=int(ends[1]) - 2**15,
        airy=float(shares[: _AIRY_HU + 2**15].sum()),
        dense=float(shares[_DENSE_HU + 1 + 2**15 :].sum()),
        at_lowest=float(shares[ends[0]]),
        at_highest=float(shares[ends[1]]),
    )
