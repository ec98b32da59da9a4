"""Metastases in bones of a Canvas: irregular, lytic, blastic or mixed, within the cortex or through it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from osteoscope.errors import InvalidValueError
from osteoscope.simulate.ct_canvas import Box, Canvas, PlacedBone, share
from osteoscope.simulate.ct_implicit import Array
from osteoscope.simulate.ct_noise import SmoothNoise

LesionKind = Literal["lytic", "blastic", "mixed"]
SMALLEST_MM, LARGEST_MM = 3.0, 80.0


@dataclass(frozen=True)
class CtLesion:
    """A metastasis to implant.

    Args:
        site: id of the bone.
        diameter_mm: mean diameter before the bone's surface cuts it, 3..80.
        breach: eats through the cortex.
        soft_tissue: grows out of the bone (implies a breach).
        rim_mm: width of a sclerotic rim around a lytic lesion.

    Raises:
        InvalidValueError: a diameter out of range.
    """

    site: str
    kind: LesionKind = "lytic"
    diameter_mm: float = 18.0
    breach: bool = False
    soft_tissue: bool = False
    rim_mm: float = 0.0

    def __post_init__(self) -> None:
        if not SMALLEST_MM <= self.diameter_mm <= LARGEST_MM:
            raise InvalidValueError(
                f"build a lesion of {self.site}",
                f"diameter {self.diameter_mm} mm",
                f"Give {SMALLEST_MM:g} to {LARGEST_MM:g} mm",
            )


@dataclass(frozen=True, eq=False)
class PlacedLesion:
    """A painted lesion: signed distance to its true surface (mm) within a box of the grid."""

    lesion: CtLesion
    box: Box
    distance: Array
    mask: NDArray[np.bool_]


def implant(
    canvas: Canvas, bone: PlacedBone, lesion: CtLesion, others: list[PlacedLesion], rng: np.random.Generator
) -> PlacedLesion:
    """Paint a lesion at a random place of its bone, away from the lesions painted before.

    Raises:
        InvalidValueError: the bone has no room left within the field of view.
    """
    centre = _centre(canvas, bone, lesion, others, rng)
    reach = 0.8 * lesion.diameter_mm + 4
    box = canvas.box(centre - reach, centre + reach)
    if box is None:
        raise _no_room(lesion)
    own, cortex = _bone_around(bone, box)
    blob = _blob(canvas, box, centre, lesion.diameter_mm / 2, rng)
    distance = np.maximum(blob, _limit(canvas, box, own, cortex, lesion))
    for other in others:
        distance = np.maximum(distance, 1.0 - _resampled(other, box))
    mask = distance < 0
    if not mask.any():
        raise _no_room(lesion)
    _paint(canvas, box, (distance, own + cortex), lesion, rng)
    return PlacedLesion(lesion, box, distance, mask)


def _no_room(lesion: CtLesion) -> InvalidValueError:
    return InvalidValueError(
        f"implant a lesion in {lesion.site}",
        f"no room for {lesion.diameter_mm:g} mm within the field of view",
        "Choose fewer or smaller lesions, or a wider field",
    )


def _centre(
    canvas: Canvas, bone: PlacedBone, lesion: CtLesion, others: list[PlacedLesion], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Where there is much bone around, under the surface for a breach; of some places the one farthest from others."""
    radius = lesion.diameter_mm / 2
    mask = bone.mask
    around = gaussian_filter(mask.astype(np.float32), [0.6 * radius / d for d in canvas.grid.spacing], truncate=2.5)
    weight = np.where(mask, around**3, 0)
    if lesion.breach or lesion.soft_tissue:
        weight = np.where(bone.distance > -0.65 * radius, weight, 0.0)
    if not weight.any():
        raise _no_room(lesion)
    flat = weight.ravel().astype(float)
    chosen = rng.choice(flat.size, size=12, p=flat / flat.sum())
    index = np.stack(np.unravel_index(chosen, weight.shape), axis=1) + [s.start for s in bone.box]
    places = canvas.grid.to_position(index)
    if not others:
        return np.asarray(places[0])
    taken = np.array([canvas.grid.to_position([(s.start + s.stop) / 2 for s in o.box]) for o in others])
    free = np.linalg.norm(places[:, None] - taken, axis=2).min(axis=1)
    return np.asarray(places[int(np.argmax(np.minimum(free, 1.5 * lesion.diameter_mm)))])


def _bone_around(bone: PlacedBone, box: Box) -> tuple[Array, Array]:
    """Distance to the bone's surface and thickness of its cortex in another box, far where the bone has none."""
    shape = tuple(s.stop - s.start for s in box)
    distance, cortex = np.full(shape, 30, dtype=np.float32), np.ones(shape, dtype=np.float32)
    here, there = _overlap(box, bone.box)
    if here is not None and there is not None:
        distance[here], cortex[here] = bone.distance[there], bone.cortex[there]
    return distance, cortex


def _overlap(box: Box, other: Box) -> tuple[Box | None, Box | None]:
    low = [max(a.start, b.start) for a, b in zip(box, other, strict=True)]
    high = [min(a.stop, b.stop) for a, b in zip(box, other, strict=True)]
    if any(lo >= hi for lo, hi in zip(low, high, strict=True)):
        return None, None

    def cut(frame: Box) -> Box:
        z, y, x = (slice(lo - s.start, hi - s.start) for lo, hi, s in zip(low, high, frame, strict=True))
        return z, y, x

    return cut(box), cut(other)


def _resampled(other: PlacedLesion, box: Box) -> Array:
    distance = np.full(tuple(s.stop - s.start for s in box), 30, dtype=np.float32)
    here, there = _overlap(box, other.box)
    if here is not None and there is not None:
        distance[here] = other.distance[there]
    return distance


def _blob(canvas: Canvas, box: Box, centre: NDArray[np.float64], radius: float, rng: np.random.Generator) -> Array:
    """An ellipsoid whose surface two scales of noise push in and out."""
    axes = canvas.axes(box)
    stretch = np.exp(rng.normal(0, 0.16, 3))
    stretch *= radius / np.cbrt(stretch.prod())
    q = canvas.place(box).at(centre)
    reach = np.sqrt((q.x / stretch[0]) ** 2 + (q.y / stretch[1]) ** 2 + (q.z / stretch[2]) ** 2)
    for pitch, height in ((0.9 * radius, 0.20), (0.4 * radius, 0.08)):
        low, high = (axis[0] for axis in axes), (axis[-1] for axis in axes)
        noise = SmoothNoise.over(rng, tuple(map(float, low)), tuple(map(float, high)), max(pitch, 1.2))
        reach = reach + np.float32(height) * noise.on(axes)
    return canvas.metric(((reach - 1) * radius).astype(np.float32))[0]


def _limit(canvas: Canvas, box: Box, own: Array, cortex: Array, lesion: CtLesion) -> Array:
    """What holds the lesion: the inner face of the cortex, the bone's surface, or a mass beyond it."""
    if lesion.soft_tissue:
        others = np.where(canvas.clearance[box].astype(np.float32) < own - 0.5, 1.0 - canvas.clearance[box], -np.inf)
        return np.asarray(np.maximum(own - 0.3 * lesion.diameter_mm, others), dtype=np.float32)
    if lesion.breach or lesion.kind != "lytic":
        return own
    return own + 0.7 * cortex


def _paint(canvas: Canvas, box: Box, shapes: tuple[Array, Array], lesion: CtLesion, rng: np.random.Generator) -> None:
    distance, marrow = shapes
    step = np.float32(np.mean(canvas.grid.spacing))
    texture = canvas.texture[box]
    soft = rng.normal(52, 12) + 9 * texture
    dense = np.clip(rng.normal(654, 176), 380, 1150) + 60 * texture
    if lesion.rim_mm:
        shell = share(distance - lesion.rim_mm, step) * share(marrow, step)
        canvas.paint(box, shell, rng.uniform(350, 600) + 50 * texture)
    axes = canvas.axes(box)
    low, high = tuple(float(a[0]) for a in axes), tuple(float(a[-1]) for a in axes)
    pattern = SmoothNoise.over(rng, low, high, max(lesion.diameter_mm / 5, 2.0)).on(axes)
    if lesion.kind == "mixed":
        hu = np.where(pattern > 0, dense, soft)
    else:
        hu = soft if lesion.kind == "lytic" else dense + 90 * pattern
    edge = 0.5 if lesion.kind == "lytic" else 2.5
    canvas.paint(box, share(distance, np.hypot(step, edge)), hu)
