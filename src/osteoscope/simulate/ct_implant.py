"""What lesions and their mimics share: a place in a bone, an irregular outline, the bone around it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, label

from osteoscope.errors import InvalidValueError
from osteoscope.simulate.ct_canvas import Box, Canvas, PlacedBone
from osteoscope.simulate.ct_implicit import Array
from osteoscope.simulate.ct_noise import SmoothNoise

Floats = NDArray[np.float64]
_TRIES = 12
OUTSIDE = np.float32(30.0)


def no_room(what: str, site: str) -> InvalidValueError:
    """The error for a bone that cannot hold what was asked."""
    return InvalidValueError(
        f"implant {what} in {site}",
        "no room within the field of view",
        "Choose fewer or smaller ones, or a wider field",
    )


def choose_places(
    canvas: Canvas, bone: PlacedBone, radius: float, shallow: bool, rng: np.random.Generator
) -> Floats | None:
    """Some places (n, 3) with much bone around them, ``shallow`` ones under the surface; None where there is none."""
    around = gaussian_filter(
        bone.mask.astype(np.float32), [0.6 * radius / d for d in canvas.grid.spacing], truncate=2.5
    )
    allowed = bone.mask & (bone.distance > -0.65 * radius) if shallow else bone.mask
    weight = np.where(allowed, around**3, 0).ravel().astype(float)
    if not weight.any():
        return None
    chosen = rng.choice(weight.size, size=_TRIES, p=weight / weight.sum())
    index = np.stack(np.unravel_index(chosen, bone.mask.shape), axis=1) + [s.start for s in bone.box]
    return canvas.grid.to_position(index)


def by_distance(places: Floats, taken: Sequence[Floats], enough: float) -> Floats:
    """The places, those farthest from what is taken first; beyond ``enough`` mm all are equal."""
    if not taken:
        return places
    free = np.linalg.norm(places[:, None] - np.array(taken), axis=2).min(axis=1)
    return places[np.argsort(-np.minimum(free, enough), kind="stable")]


def within(box: Box, other: Box, values: Array, outside: np.float32 = OUTSIDE) -> Array:
    """Values of another box as seen in this one, a constant where that other box does not reach."""
    low = [max(a.start, b.start) for a, b in zip(box, other, strict=True)]
    high = [min(a.stop, b.stop) for a, b in zip(box, other, strict=True)]
    seen = np.full([s.stop - s.start for s in box], outside, dtype=np.float32)
    if all(lo < hi for lo, hi in zip(low, high, strict=True)):
        here, there = (
            tuple(slice(lo - s.start, hi - s.start) for lo, hi, s in zip(low, high, frame, strict=True))
            for frame in (box, other)
        )
        seen[here] = values[there]
    return seen


def noise_in(canvas: Canvas, box: Box, pitch: float, rng: np.random.Generator) -> Array:
    """Fresh smooth noise of unit variance over a box."""
    axes = canvas.axes(box)
    low, high = [float(a[0]) for a in axes], [float(a[-1]) for a in axes]
    return SmoothNoise.over(rng, low, high, max(pitch, 1.2)).on(axes)


def blob(canvas: Canvas, box: Box, centre: Floats, radius: float, rng: np.random.Generator) -> Array:
    """Distance to an ellipsoid whose surface two scales of noise push in and out."""
    stretch = np.exp(rng.normal(0, 0.16, 3))
    stretch *= radius / np.cbrt(stretch.prod())
    q = canvas.place(box).at(centre)
    reach = np.sqrt((q.x / stretch[0]) ** 2 + (q.y / stretch[1]) ** 2 + (q.z / stretch[2]) ** 2)
    for pitch, height in ((0.9 * radius, 0.20), (0.4 * radius, 0.08)):
        reach = reach + height * noise_in(canvas, box, pitch, rng)
    return canvas.metric(((reach - 1) * radius).astype(np.float32))[0]


def one_piece(distance: Array) -> Array:
    """The distance to the largest connected part alone."""
    pieces, count = label(distance < 0, np.ones((3, 3, 3)))
    if count < 2:
        return distance
    largest = int(np.argmax(np.bincount(pieces.ravel())[1:])) + 1
    return np.asarray(np.where((pieces > 0) & (pieces != largest), np.float32(1.0), distance))
