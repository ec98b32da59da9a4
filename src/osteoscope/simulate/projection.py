"""Planes of cells blurred and summed into pixels: the numerical part of the gamma camera."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Reals = NDArray[np.floating[Any]]
_TRUNCATE = 4.0


def add_blurred(onto: Reals, plane: Reals, sigma: float, margin: int) -> None:
    """Add a blurred plane to one that is `margin` cells larger on each side; only where the plane holds anything.

    Args:
        onto: is added to.
        plane: what is blurred, [row, column].
        sigma: of the Gaussian, cells.
        margin: cells.
    """
    rows, columns = (np.flatnonzero(plane.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return
    reach = min(margin, int(_TRUNCATE * sigma + 0.5))
    part = np.pad(plane[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], reach)
    top, left = margin + rows[0] - reach, margin + columns[0] - reach
    onto[top : top + part.shape[0], left : left + part.shape[1]] += gaussian_filter(
        part, sigma, mode="constant", truncate=_TRUNCATE
    )


def summed_blocks(plane: Reals, block: int, margin: int) -> Floats:
    """Sums over square blocks of cells, with `margin` empty blocks around."""
    rows, columns = (np.arange(0, n, block) for n in plane.shape)
    summed = np.add.reduceat(np.add.reduceat(plane, rows, axis=0), columns, axis=1)
    return np.pad(summed.astype(np.float64), margin)


def on_pixels(
    plane: Reals, at: tuple[float, float], step: float, edges: tuple[Floats, Floats], seen: tuple[slice, slice]
) -> Floats:
    """Counts per pixel of a plane of cells, each spread as a hat of its own size; outside the field 0.

    Args:
        plane: counts of each cell; rows rise with mm downwards in the picture, columns to the right.
        at: mm of the first cell along rows and columns.
        step: size of a cell, mm.
        edges: of the pixels, mm, along rows and columns.
        seen: rows and columns of the field.
    """
    picture = np.zeros((len(edges[0]) - 1, len(edges[1]) - 1))
    (down, rows), (right, columns) = (
        _shares(first + sign * step * np.arange(count), all_edges, step, field)
        for first, sign, count, all_edges, field in zip(at, (-1, 1), plane.shape, edges, seen, strict=True)
    )
    if down.shape[0] and right.shape[0]:
        picture[rows, columns] = (right @ (down @ plane).T).T
    return picture


def _shares(at: Floats, edges: Floats, step: float, seen: slice) -> tuple[Any, slice]:
    """Sparse shares (pixels, cells) of each cell in each pixel of the field that any reaches, and which pixels."""
    reached = np.searchsorted(edges, (at.min() - step, at.max() + step))
    pixels = slice(max(seen.start, int(reached[0]) - 1), min(seen.stop, int(reached[1])))
    if pixels.stop <= pixels.start:
        return csr_array((0, len(at))), slice(0, 0)
    u = ((edges[pixels.start : pixels.stop + 1, None] - at[None, :]) / step).astype(np.float32)
    np.clip(u, -1, 1, out=u)
    below = 0.5 + u - 0.5 * u * np.abs(u)
    return csr_array(np.diff(below, axis=0)), pixels
