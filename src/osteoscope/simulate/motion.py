"""A child that moves while the camera sweeps: every row is seen at another time, so rows shift against each other."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from osteoscope.errors import InvalidValueError
from osteoscope.simulate.camera import Floats

_T = TypeVar("_T", bound=np.generic)


def row_motion(rng: np.random.Generator, rows: int, most: float, within: tuple[int, int] | None = None) -> Floats:
    """Shifts of rows to the right of the anterior view, in pixels, shape (rows,).

    A jump that stays or is taken back, a slow drift, or a trembling; after docs/background/mibg.md (0-30 mm).

    Args:
        rng: draws when, how far and how.
        rows: number of rows.
        most: largest shift, pixels.
        within: first and last row of the body, where it begins; default all.

    Raises:
        InvalidValueError: there are no rows, or the largest shift is negative.
    """
    if rows < 1 or most < 0:
        raise InvalidValueError(
            "draw a motion", f"{rows} rows, at most {most} pixels", "Give rows and a shift from 0 on"
        )
    first, last = within or (0, rows)
    at = np.arange(rows)
    start = rng.uniform(first, max(last, first + 1))
    reach = rng.uniform(0.25, 1) * most * rng.choice((-1.0, 1.0))
    length = max(rng.uniform(0.05, 0.4) * (last - first), 2.0)
    kind = rng.choice(4)
    if kind == 0:
        shifts = np.where(at >= start, reach, 0.0)
    elif kind == 1:
        shifts = np.where((at >= start) & (at < start + length), reach, 0.0)
    elif kind == 2:
        shifts = reach * np.clip((at - start) / length, 0, 1)
    else:
        wave = np.sin(2 * np.pi * (at - start) / max(rng.uniform(0.02, 0.1) * (last - first), 4.0))
        shifts = 0.3 * reach * wave * ((at >= start) & (at < start + length))
    return np.asarray(shifts, dtype=float)


def shift_rows(plane: NDArray[_T], shifts: Floats) -> NDArray[_T]:
    """A view or mask with every row moved to the right by `shifts` (rows,) pixels; what comes in at the edge is 0.

    Numbers are interpolated between pixels, masks and labels keep the nearest. On a posterior view, as seen from
    behind, give `-shifts`.

    Raises:
        InvalidValueError: not one shift per row.
    """
    if plane.ndim != 2 or shifts.shape != plane.shape[:1]:
        raise InvalidValueError("shift rows", f"{shifts.shape} shifts of {plane.shape}", "Give one per row")
    moved = np.asarray(shifts if plane.dtype.kind == "f" else np.rint(shifts))
    whole = np.floor(moved).astype(np.int64)
    near = _taken(plane, whole)
    share = (moved - whole)[:, None]
    if plane.dtype.kind != "f" or not share.any():
        return near
    return np.asarray(near * (1 - share) + _taken(plane, whole + 1) * share, dtype=plane.dtype)


def _taken(plane: NDArray[_T], whole: NDArray[np.int64]) -> NDArray[_T]:
    columns = np.arange(plane.shape[1])[None, :] - whole[:, None]
    inside = (columns >= 0) & (columns < plane.shape[1])
    found = np.take_along_axis(plane, np.clip(columns, 0, plane.shape[1] - 1), axis=1)
    return np.where(inside, found, np.zeros((), dtype=plane.dtype)).astype(plane.dtype)
