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
from osteoscope.errors import IntakeError, LimitError

# Positions are written with 0.01 to 0.1 mm precision; errors below these change nothing that is measured.
_UNEVEN_MM, _UNEVEN_PART = 0.1, 0.05
_DRIFT_PIXELS = 0.25
HOLE_STEPS = 1.5

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
        LimitError: slices so far apart that the volume would exceed the limits.
    """
    order = np.argsort(heights(slices), kind="stable")
    ordered = tuple(slices[i] for i in order)
    height = heights(ordered)
    notes = _holes(ordered, height, options)
    wanted, step = _even(height)
    if wanted is not height and not notes:
        notes.append(_uneven_note(ordered, height, step))
    drift, drift_note = _drift(ordered, height)
    notes += [drift_note] if drift_note else []
    corner = np.floor(drift.min(axis=0) + 1e-6)
    rows, columns = np.ceil((drift - corner).max(axis=0) - 1e-6).astype(int) + ordered[0].matrix
    shape = (len(wanted), int(rows), int(columns))
    if math.prod(shape) > options.limits.pixels:
        found = f"slices spread over {' x '.join(map(str, shape))} voxels"
        raise LimitError("stack the slices", found, f"Limits.pixels allows {options.limits.pixels}")
    shifts = tuple((float(down), float(right)) for down, right in drift - corner)
    blends = _blends(height, wanted) if wanted is not height or drift_note else ()
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
    usual = _usual_step(height)
    notes = []
    for i in np.flatnonzero(steps > HOLE_STEPS * usual).tolist():
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


def _even(height: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Even heights to interpolate at, the given ones where they are even already; and the step in mm."""
    mean = float(height[-1] - height[0]) / (len(height) - 1)
    if np.abs(height - height[0] - mean * np.arange(len(height))).max() <= max(_UNEVEN_MM, _UNEVEN_PART * mean):
        return height, mean
    gaps = round(float(height[-1] - height[0]) / _usual_step(height))
    return np.linspace(height[0], height[-1], gaps + 1), float(height[-1] - height[0]) / gaps


def _usual_step(height: NDArray[np.float64]) -> float:
    """The median step, the smaller of two middle ones."""
    steps = np.sort(np.diff(height))
    return float(steps[(len(steps) - 1) // 2])


def _blends(height: NDArray[np.float64], wanted: NDArray[np.float64]) -> tuple[Blend, ...]:
    upper = np.clip(np.searchsorted(height, wanted), 1, len(height) - 1)
    weight = (wanted - height[upper - 1]) / (height[upper] - height[upper - 1])
    return tuple((int(u) - 1, int(u), float(w)) for u, w in zip(upper, weight.clip(0, 1), strict=True))


def _uneven_note(ordered: Sequence[Slice], height: NDArray[np.float64], step: float) -> IntakeNote:
    steps = np.diff(height)
    return ordered[0].found.note(
        "repaired",
        f"slices lie {steps.min():.2f} to {steps.max():.2f} mm apart",
        f"resampled to {step:.2f} mm by linear interpolation",
    )
