"""The text header of a NRRD file (teem.sourceforge.net/nrrd/format.html): what ITK's reader does not say of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from osteoscope.dicom.options import MIB
from osteoscope.errors import IntakeError

# Spaces of the patient's own sides, which ITK turns to LPS; it takes the axes of any other as they are.
_OF_THE_PATIENT = frozenset({"leftposteriorsuperior", "rightanteriorsuperior", "leftanteriorsuperior"})
_SHORT: Mapping[str, str] = {
    "lps": "leftposteriorsuperior", "ras": "rightanteriorsuperior", "las": "leftanteriorsuperior",
}  # fmt: skip
_MM: Mapping[str, float] = {
    "": 1.0, "mm": 1.0, "millimeter": 1.0, "millimeters": 1.0, "millimetre": 1.0, "millimetres": 1.0,
    "cm": 10.0, "m": 1000.0, "um": 0.001, "\u00b5m": 0.001, "\u03bcm": 0.001,
}  # fmt: skip
_STEPS = ("spacedirections", "spacings")


@dataclass(frozen=True)
class NrrdHeader:
    """What a NRRD says of its place.

    Args:
        oriented: it names how its axes lie in the patient.
        unit_mm: length of the unit of its spacing and origin in mm.
    """

    oriented: bool
    unit_mm: float


def nrrd_header(path: Path) -> NrrdHeader:
    """The header of a file that holds its pixels too.

    Raises:
        IntakeError: pixels in another file, no end of the header, no spacing, or a spacing in a unit that is no length.
    """
    fields = _fields(path)
    if not any(re.search(r"\d", fields.get(name, "")) for name in _STEPS):
        raise IntakeError("read the volume", "a NRRD header without spacing", "Save it with its spacing in mm")
    space = re.sub(r"[\s_-]", "", fields.get("space", "").lower())
    named = _SHORT.get(space, space) in _OF_THE_PATIENT
    return NrrdHeader(named and "spacedirections" in fields, _unit(fields))


def _fields(path: Path) -> Mapping[str, str]:
    """By name, in small letters without spaces, as some writers set none."""
    with path.open("rb") as file:
        head, blank, _ = file.read(MIB).replace(b"\r\n", b"\n").partition(b"\n\n")
    found = re.findall(r"(?m)^([A-Za-z][A-Za-z ]*): ?(?!=)(.*)$", head.decode("utf-8", "replace"))
    fields = {name.replace(" ", "").lower(): value.strip() for name, value in found}
    if not blank or "datafile" in fields:
        raise IntakeError(
            "read the volume",
            "a NRRD header that points to pixels in another file or has no end",
            "Save header and pixels in one .nrrd file",
        )
    return fields


def _unit(fields: Mapping[str, str]) -> float:
    stated = [*re.findall(r'"([^"]*)"', fields.get("spaceunits", "") or fields.get("units", ""))][:3]
    lengths = {_MM.get(unit.strip().lower()) for unit in stated} or {1.0}
    (length, *others) = lengths
    if others or length is None:
        found = f"a NRRD whose spacing is in {', '.join(repr(unit) for unit in stated)}"
        raise IntakeError("read the volume", found, "Save it with its spacing in mm")
    return length
