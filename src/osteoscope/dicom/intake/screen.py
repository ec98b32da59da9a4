"""What each DICOM file is: a CT image, a planar NM image, or something that is passed over by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from osteoscope.dicom.intake.header import Entry, Header
from osteoscope.dicom.options import Limits
from osteoscope.domain.study import IntakeNote, NoteLevel

CT_CLASSES = frozenset({"1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2"})
NM_CLASS = "1.2.840.10008.5.1.4.1.1.20"
_SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
_DICOMDIR = "1.2.840.10008.1.3.10"

_LOSSY_SYNTAXES: Mapping[str, str] = {
    "1.2.840.10008.1.2.4.50": "compressed with loss (JPEG baseline)",
    "1.2.840.10008.1.2.4.51": "compressed with loss (JPEG extended)",
    "1.2.840.10008.1.2.4.81": "compressed with loss (JPEG-LS near-lossless)",
    "1.2.840.10008.1.2.4.91": "possibly compressed with loss (JPEG 2000)",
    "1.2.840.10008.1.2.4.203": "possibly compressed with loss (HTJ2K)",
}
_FINEST_MM, _COARSEST_MM = 0.01, 50.0

Role = Literal["ct", "nm"]


@dataclass(frozen=True)
class _Rule:
    """A reason to pass over a file of a role (None: of any)."""

    role: Role | None
    holds: Callable[[Header], bool]
    level: NoteLevel
    problem: str
    action: str


def _image_type(header: Header) -> frozenset[str]:
    return frozenset(word.upper() for word in header.texts("ImageType"))


_RULES = (
    _Rule(
        None,
        lambda h: h.fields.get("PixelBytes") is None,
        "refused",
        "no pixel data (an icon at most)",
        "Export the file again with its pixels",
    ),
    _Rule("ct", lambda h: "LOCALIZER" in _image_type(h), "set_aside", "a localiser", "not part of the volume"),
    _Rule(
        "ct",
        lambda h: bool(_image_type(h) & {"MIP", "MINIP", "VRT", "VOLREN", "PROJECTION IMAGE", "SCREEN SAVE", "DOSE"}),
        "set_aside",
        "a picture made from the volume",
        "not part of the volume",
    ),
    _Rule(
        None,
        lambda h: h.text("BurnedInAnnotation").upper() == "YES",
        "set_aside",
        "text is burned into the pixels",
        "its values are no measurement; give the original image",
    ),
    _Rule(
        "ct",
        lambda h: (
            h.text("PhotometricInterpretation") not in {"", "MONOCHROME1", "MONOCHROME2"}
            or h.integer("SamplesPerPixel") not in {1, None}
        ),
        "set_aside",
        "a colour picture",
        "its values are no Hounsfield units; give the original series",
    ),
    _Rule(
        "nm",
        lambda h: (
            h.integer("SamplesPerPixel") not in {1, None}
            or h.text("PhotometricInterpretation") not in {"", "MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"}
        ),
        "refused",
        "a colour screenshot, whose values are no counts",
        "Export the original NM object from the camera or the PACS",
    ),
)


def screen(entry: Entry, limits: Limits) -> Role | IntakeNote:
    """The role of a file, or the note that says why it has none."""
    header = entry.header
    role = _role(header)
    if role is None:
        return entry.found.note("set_aside", _what(header), "not a CT or planar NM image")
    for rule in _RULES:
        if rule.role in {None, role} and rule.holds(header):
            return entry.found.note(rule.level, rule.problem, rule.action)
    problem = _pixel_problem(header, limits)
    return entry.found.note("refused", *problem) if problem else role


def _role(header: Header) -> Role | None:
    kind, modality = header.text("SOPClassUID"), header.text("Modality").upper()
    if kind in CT_CLASSES:
        return "ct"
    if kind == NM_CLASS or (modality == "NM" and kind.startswith(_SECONDARY)):
        return "nm"
    return None


def _what(header: Header) -> str:
    kind = header.text("SOPClassUID")
    if kind == _DICOMDIR:
        return "a DICOMDIR (the files beside it are found without it)"
    name = header.text("SOPClassName") or "an unknown kind of object"
    modality = header.text("Modality")
    return f"{name}{f', modality {modality}' if modality else ''}"


def _pixel_problem(header: Header, limits: Limits) -> tuple[str, str] | None:
    """(problem, remedy) where the declared sizes are impossible, too large, or not those of the pixel data."""
    rows, columns = header.integer("Rows"), header.integer("Columns")
    frames = header.integer("NumberOfFrames") or 1
    bits = header.integer("BitsAllocated")
    if not rows or not columns or min(rows, columns, frames) < 1 or bits not in {8, 16, 32, 64}:
        return (
            f"an image of {rows} x {columns} pixels, {frames} frames and {bits} bits",
            "Export the file again from its source",
        )
    if rows * columns * frames > limits.pixels:
        return f"{rows} x {columns} x {frames} pixels declared", f"Limits.pixels allows {limits.pixels}"
    declared, held = rows * columns * frames * (bits // 8), int(header.fields["PixelBytes"])
    if 0 <= held < declared:
        return f"{held} of {declared} bytes of pixel data", "The transfer was cut short; send or export it again"
    return None


def lossy(header: Header) -> str:
    """How the pixels were compressed with loss, "" where they were not (PS3.3 C.7.6.1.1.5)."""
    if header.text("LossyImageCompression") == "01":
        ratio = header.number("LossyImageCompressionRatio")
        return "compressed with loss" + (f" {ratio:g}:1" if ratio else "")
    stated = header.text("LossyImageCompression") == "00"
    return "" if stated else _LOSSY_SYNTAXES.get(header.text("TransferSyntaxUID"), "")


def pixel_spacing(header: Header) -> tuple[float, float] | None:
    """(row, column) distance in mm where it is stated and credible."""
    down, right = header.numbers("PixelSpacing", 2) or (math.nan, math.nan)
    return (down, right) if min(down, right) > _FINEST_MM and max(down, right) < _COARSEST_MM else None
