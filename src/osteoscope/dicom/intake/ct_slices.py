"""CT images as slices: one per classic file, one per frame of an Enhanced CT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from osteoscope.dicom.intake.found import Found, counted
from osteoscope.dicom.intake.header import Entry, Header
from osteoscope.dicom.intake.screen import pixel_spacing
from osteoscope.domain.study import IntakeNote

# Cosines off by more than rounding are repaired and said so; off by more than the second, refused.
_ROUNDING, _REPAIRABLE = 1e-3, 2e-2
_PLAUSIBLE_MM = 100_000.0
_HU_TYPES = frozenset({"", "HU", "US"})

# What may tell two images at one place apart, in the order of asking.
SPLIT_KEYS = (
    "AcquisitionNumber",
    "FrameAcquisitionNumber",
    "TemporalPositionIdentifier",
    "TemporalPositionIndex",
    "NominalPercentageOfCardiacPhase",
    "TriggerTime",
    "ConvolutionKernel",
    "KVP",
    "SliceThickness",
    "ImageType",
    "FrameType",
    "AcquisitionDateTime",
    "AcquisitionTime",
    "ContentTime",
)


@dataclass(frozen=True, eq=False)
class Slice:
    """One CT image and its place.

    Args:
        header: of the file, with what holds for this frame alone laid over it.
        frame: its number in the file, from 0.
        position: LPS mm of the centre of pixel (0, 0).
        along_row, along_column: orthonormal directions in which the column and the row index grow.
        spacing: (row, column) distance in mm.
        rescale: slope and intercept to HU.
        repair: largest error of the direction cosines where it is beyond rounding, else 0.
        splits: values of SPLIT_KEYS.
    """

    entry: Entry
    header: Header
    frame: int
    position: tuple[float, float, float]
    along_row: tuple[float, float, float]
    along_column: tuple[float, float, float]
    spacing: tuple[float, float]
    matrix: tuple[int, int]
    rescale: tuple[float, float]
    repair: float
    splits: tuple[str, ...]

    @property
    def found(self) -> Found:
        """The file."""
        return self.entry.found

    @property
    def normal(self) -> tuple[float, float, float]:
        """Row direction x column direction."""
        x, y, z = np.cross(self.along_row, self.along_column)
        return float(x), float(y), float(z)


def slices_of(entry: Entry) -> list[Slice] | IntakeNote:
    """The slices of a CT file, or why it has none."""
    frames = _frame_headers(entry.header)
    stated = entry.header.integer("NumberOfFrames") or 1
    if stated != len(frames):
        problem = f"{counted(stated, 'frame')} stated, {len(frames)} placed"
        return entry.found.note("refused", problem, "Give an object whose header places each of its frames")
    slices = []
    for number, header in enumerate(frames):
        made = _slice(entry, header, number)
        if isinstance(made, tuple):
            where = f"frame {number + 1}: " if len(frames) > 1 else ""
            return entry.found.note("refused", where + made[0], made[1])
        slices.append(made)
    return slices


def _slice(entry: Entry, header: Header, frame: int) -> Slice | tuple[str, str]:
    position, cosines = header.numbers("ImagePositionPatient", 3), header.numbers("ImageOrientationPatient", 6)
    spacing = pixel_spacing(header)
    if not position or not cosines or max(map(abs, position)) > _PLAUSIBLE_MM:
        return "no usable position and orientation", "Give images whose header places them in the patient"
    if spacing is None:
        return "no usable pixel spacing", "Give images whose header states PixelSpacing in mm"
    slope, intercept = header.number("RescaleSlope"), header.number("RescaleIntercept")
    if slope is None or intercept is None or slope == 0:
        return "no rescale slope and intercept, so its values are not HU", "Give the original images of the scanner"
    if header.text("RescaleType").upper() not in _HU_TYPES:
        return f"values in {header.text('RescaleType')!r}, not HU", "Give the series in Hounsfield units"
    directions = _orthonormal(cosines)
    if directions is None:
        return f"direction cosines {cosines} that are not orthonormal", "Export the images again from their source"
    along_row, along_column, error = directions
    return Slice(
        entry=entry,
        header=header,
        frame=frame,
        position=(position[0], position[1], position[2]),
        along_row=along_row,
        along_column=along_column,
        spacing=spacing,
        matrix=(header.integer("Rows") or 0, header.integer("Columns") or 0),
        rescale=(slope, intercept),
        repair=error if error > _ROUNDING else 0.0,
        splits=tuple("\\".join(header.texts(key)) for key in SPLIT_KEYS),
    )


def _orthonormal(
    cosines: tuple[float, ...],
) -> tuple[tuple[float, float, float], tuple[float, float, float], float] | None:
    pair = np.reshape(cosines, (2, 3))
    error = float(np.abs(pair @ pair.T - np.eye(2)).max())
    if error > _REPAIRABLE:
        return None
    left, _, right = np.linalg.svd(pair, full_matrices=False)
    (a, b, c), (d, e, f) = (left @ right).tolist()
    return (a, b, c), (d, e, f), error


def _frame_headers(header: Header) -> list[Header]:
    """Per frame the file's header with its functional groups laid over it (PS3.3 C.7.6.16)."""
    per_frame = header.items("PerFrameFunctionalGroupsSequence")
    if not per_frame:
        return [header]
    shared = _flattened(header.item("SharedFunctionalGroupsSequence"))
    common = {key: value for key, value in header.fields.items() if not key.endswith("FunctionalGroupsSequence")}
    return [Header(common | shared | _flattened(item)) for item in per_frame]


def _flattened(groups: Header) -> dict[str, Any]:
    return {key: value for name in groups.fields for key, value in groups.item(name).fields.items()}
