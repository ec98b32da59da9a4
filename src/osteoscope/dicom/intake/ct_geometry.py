"""From slice positions to one rectangular grid: order, holes, uneven spacing, gantry tilt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteoscope.dicom.intake.ct_slices import Slice
from osteoscope.dicom.options import IntakeOptions
from osteoscope.domain.geometry import Grid
from osteoscope.domain.study import IntakeNote
from osteoscope.errors import IntakeError

# Positions are written with 0.01 to 0.1 mm precision; errors below these change nothing that is measured.
_UNEVEN_MM, _UNEVEN_PART = 0.1, 0.05
_DRIFT_PIXELS = 0.25
_HOLE_STEPS = 1.5

Blend = tuple[int, int, float]


@dataclass(frozen=True, eq=False)
class StackPlan:
    """How slices become a volume.

    Args:
        slices: in the order of their projection on the slice normal.
        grid: of the volume, LPS mm.
        shifts: (rows, columns) that each slice moves in the volume's plane, in pixels.
        blends: per slice of the volume (lower slice, upper slice, weight of the upper); () where all fit as they are.
        notes: repairs.
    """

    slices: tuple[Slice, ...]
    grid: Grid
    shifts: tuple[tuple[float, float], ...]
    blends: tuple[Blend, ...]
    notes: tuple[IntakeNote, ...]


def heights(slices: Sequence[Slice]) -> NDArray[np.float64]:
    """Projection of each slice position on the normal of the first, in mm."""
    return np.asarray(np.asarray([s.position for s in slices]) @ np.asarray(slices[0].normal))


def plan_stack(slices: Sequence[Slice], options: IntakeOptions) -> StackPlan:
    """Order the slices and lay a rectangular grid through them.

    Args:
        slices: of one orientation, spacing and matrix, no two at one height.

    Raises:
        IntakeError: a hole wider than allowed; names the files on both sides.
    """
    order = np.argsort(heights(slices), kind="stable")
    ordered = tuple(slices[i] for i in order)
    height = heights(ordered)
    notes = _holes(ordered, height, options)
    drift, drift_note = _drift(ordered, height)
    blends, step = _blends(height)
    if blends and not notes:
        notes.append(_uneven_note(ordered, height, step))
    notes += [drift_note] if drift_note else []
    corner = np.floor(drift.min(axis=0) + 1e-6) if drift_note else np.zeros(2)
    extra = np.ceil((drift - corner).max(axis=0) - 1e-6).astype(int) if drift_note else np.zeros(2, dtype=int)
    depth = len(blends) or len(ordered)
    shape = (depth, ordered[0].matrix[0] + int(extra[0]), ordered[0].matrix[1] + int(extra[1]))
    shifts = tuple((float(row), float(column)) for row, column in drift - corner)
    if drift_note and not blends:
        blends = tuple((i, i, 0.0) for i in range(len(ordered)))
    return StackPlan(ordered, _grid(ordered[0], shape, step, corner), shifts, blends, tuple(notes))


def _grid(first: Slice, shape: tuple[int, ...], step: float, corner: NDArray[np.float64]) -> Grid:
    matrix = np.eye(4)
    matrix[:3, 0] = np.asarray(first.normal) * step
    matrix[:3, 1] = np.asarray(first.along_column) * first.spacing[0]
    matrix[:3, 2] = np.asarray(first.along_row) * first.spacing[1]
    matrix[:3, 3] = np.asarray(first.position) + matrix[:3, 1:3] @ corner
    return Grid.from_matrix(shape, matrix)


def _holes(ordered: Sequence[Slice], height: NDArray[np.float64], options: IntakeOptions) -> list[IntakeNote]:
    steps = np.diff(height)
    usual = float(np.median(steps))
    notes = []
    for i in np.flatnonzero(steps > _HOLE_STEPS * usual).tolist():
        below, above = ordered[i].found, ordered[i + 1].found
        found = f"{steps[i]:.2f} mm between {below.name} and {above.name} where slices lie {usual:.2f} mm apart"
        if steps[i] > options.largest_gap_mm and not options.allow_gaps:
            raise IntakeError(
                "stack the slices",
                found,
                f"Give the missing slices; holes beyond {options.largest_gap_mm:g} mm are filled only when "
                "gaps are allowed (research)",
            )
        notes.append(above.note("repaired", found, "the missing slices were interpolated; nothing was imaged there"))
    return notes


def _drift(ordered: Sequence[Slice], height: NDArray[np.float64]) -> tuple[NDArray[np.float64], IntakeNote | None]:
    """In-plane (row, column) offset of each slice from the first in pixels, and a note where it matters."""
    first = ordered[0]
    offsets = np.asarray([s.position for s in ordered]) - np.asarray(first.position)
    plane = np.stack([offsets @ np.asarray(first.along_column), offsets @ np.asarray(first.along_row)], axis=1)
    drift = plane / np.asarray(first.spacing)
    if np.ptp(drift, axis=0).max() <= _DRIFT_PIXELS:
        return np.zeros_like(drift), None
    rise = height - height.mean()
    slope = rise @ (plane - plane.mean(axis=0)) / (rise @ rise)
    straight = plane.mean(axis=0) + np.outer(rise, slope)
    tilt = math.degrees(math.atan(float(np.linalg.norm(slope))))
    rest = float(np.abs(plane - straight).max())
    problem = f"the stack is sheared by {tilt:.2f} degrees (gantry tilt)"
    if rest > _DRIFT_PIXELS * max(first.spacing):
        problem = f"slices are shifted against each other by up to {float(np.ptp(plane, axis=0).max()):.2f} mm in plane"
    return drift, first.found.note("repaired", problem, "resampled to a rectangular grid by linear interpolation")


def _blends(height: NDArray[np.float64]) -> tuple[tuple[Blend, ...], float]:
    """Interpolation onto even heights, () where they are even already; and the even step in mm."""
    count = len(height)
    mean = float(height[-1] - height[0]) / (count - 1)
    even = height[0] + mean * np.arange(count)
    if np.abs(height - even).max() <= max(_UNEVEN_MM, _UNEVEN_PART * mean):
        return (), mean
    usual = float(np.median(np.diff(height)))
    count = round(float(height[-1] - height[0]) / usual) + 1
    even = np.linspace(height[0], height[-1], count)
    upper = np.clip(np.searchsorted(height, even), 1, len(height) - 1)
    weight = (even - height[upper - 1]) / (height[upper] - height[upper - 1])
    blends = tuple((int(u) - 1, int(u), float(w)) for u, w in zip(upper, weight.clip(0, 1), strict=True))
    return blends, float(even[1] - even[0])


def _uneven_note(ordered: Sequence[Slice], height: NDArray[np.float64], step: float) -> IntakeNote:
    steps = np.diff(height)
    return ordered[0].found.note(
        "repaired",
        f"slices lie {steps.min():.2f} to {steps.max():.2f} mm apart",
        f"resampled to {step:.2f} mm by linear interpolation",
    )
