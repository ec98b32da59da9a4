"""Whether values can be Hounsfield units at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from osteoscope.dicom.intake.found import Found, counted
from osteoscope.dicom.options import AIR_HU
from osteoscope.domain.study import IntakeNote
from osteoscope.errors import IntakeError

_SMALLEST_SPREAD = 300.0
_LABELS = 256


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
    few = 1 < int(tally["kinds"]) <= _LABELS and low >= 0
    guess = "as in a mask, a label map or an 8-bit picture" if few else "as in a normalised or rescaled image"
    raise IntakeError(
        f"read {name} as CT",
        f"values from {low:g} to {high:g}, {guess}, cannot be Hounsfield units",
        "Give the original CT with its Hounsfield units",
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
