"""Soft tissue of an adult on his back: skin, fat, muscle, the cavities of chest and belly, the table below.

Lengths in millimetres for a stature of 170 cm; chosen for the look of a CT, no morphometric reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteoscope.simulate.ct_canvas import Canvas, share
from osteoscope.simulate.ct_head import Head
from osteoscope.simulate.ct_implicit import Array, Place, capsule, ellipsoid, union
from osteoscope.simulate.ct_noise import SmoothNoise
from osteoscope.simulate.ct_shoulder import UPPER_ARM
from osteoscope.simulate.ct_spine import Vertebra
from osteoscope.simulate.ct_thorax import Cage

Floats = NDArray[np.float64]
Limb = tuple[Floats, Floats, float, float]
FAT, MUSCLE, SKIN, LUNG, SHELL, FOAM = -105.0, 50.0, 5.0, -865.0, 90.0, -930.0
# Which way half width, front and back of a cross-section move when it grows.
_OUTWARD = np.array([1, -1, 1])
_CROTCH = -178.0

# Trunk by height above the upper end plate of S1: muscle wall (half width, in front of the spine, behind it), then the
# cavity within it, in the same way.
_TRUNK = np.array(
    [
        (-175, 150, 100, 92, 30, 40, 20),
        (-140, 168, 106, 94, 42, 80, 44),
        (-95, 168, 108, 94, 56, 86, 50),
        (-50, 160, 106, 90, 80, 92, 40),
        (0, 148, 118, 86, 106, 106, 16),
        (40, 144, 108, 80, 122, 96, 18),
        (80, 142, 108, 80, 126, 96, 20),
        (120, 142, 120, 76, 127, 108, 24),
    ],
    dtype=float,
)
_FAT_AT = np.array([-175, -120, -60, 0, 60, 140, 250, 400, 460])
_FAT_SIDE = np.array([26, 32, 30, 24, 22, 16, 13, 13, 8])
_FAT_FRONT = np.array([22, 26, 28, 26, 24, 16, 10, 10, 6])
_FAT_BACK = np.array([22, 30, 30, 26, 24, 14, 10, 12, 8])


@dataclass(frozen=True, eq=False)
class Outline:
    """Cross-sections by height: half width, y of the front, y of the back, shape (n, 3)."""

    heights: Floats
    rows: Floats

    def inside(self, p: Place) -> Array:
        """Implicit shape between an ellipse and a rounded rectangle (p.z of shape (n, 1, 1))."""
        wide, front, back = (np.interp(p.z, self.heights, c).astype(np.float32) for c in self.rows.T)
        deep = (back - front) / 2
        u, v = np.abs(p.x) / wide, np.abs(p.y - (front + back) / 2) / deep
        return np.asarray(
            (np.sqrt(u * u + v * v) - 0.16 * np.minimum(u * v, 1) - 1) * np.minimum(wide, deep), dtype=np.float32
        )


@dataclass(frozen=True, eq=False)
class Figure:
    """The soft outline of a patient as implicit shapes.

    Args:
        limbs: capsules of muscle of the left side: start, end, radius at both.
        limb_fat: thickness of fat over them, mm.
        bust: centre and half axes of the left breast, None for a flat chest.
        crotch: height at which the trunk ends.
        table: y of the table's upper face below the midline.
    """

    skin: Outline
    muscle: Outline
    cavity: Outline
    cage: Cage
    head: Head
    limbs: tuple[Limb, ...]
    limb_fat: float
    bust: tuple[tuple[float, float, float], tuple[float, float, float]] | None
    crotch: float
    table: float

    def body(self, p: Place) -> Array:
        """Skin surface, flattened where it lies on the table."""
        trunk = np.maximum(self.skin.inside(p), self._seat(p) - 14)
        parts = [trunk, *self._limbs(p, self.limb_fat), *self.head.cover(p)]
        if self.bust:
            parts.append(ellipsoid(p.folded(), *self.bust))
        return np.asarray(np.maximum(union(parts, 24.0), p.y - self.table))

    def flesh(self, p: Place) -> Array:
        """Outer surface of the muscles."""
        trunk = np.maximum(self.muscle.inside(p), self._seat(p))
        return union([trunk, *self._limbs(p, 0.0), *(cover + 7 for cover in self.head.cover(p))], 14.0)

    def _seat(self, p: Place) -> Array:
        """How far a place is below the end of the trunk, rounded off to front and back."""
        return self.crotch - p.z + np.float32(0.004) * p.y**2

    def _limbs(self, p: Place, grow: float) -> list[Array]:
        q = p.folded()
        return [
            capsule(q, a, b, ra + grow, rb + grow)
            for a, b, ra, rb in self.limbs
            if min(a[2], b[2]) - ra < p.z.max() and max(a[2], b[2]) + ra > p.z.min()
        ]

    def hollow(self, p: Place) -> Array:
        """Cavity of belly and pelvis, up into the cage."""
        return np.asarray(np.maximum(self.cavity.inside(p), self.crotch + 30 - p.z))

    def lung(self, p: Place) -> Array:
        """Both lungs: the cage above the diaphragm, beside the mediastinum."""
        _, centre, deep = (np.asarray(a, np.float32) for a in self.cage.section(p.z))
        low, high = self.cage.heights[0], self.cage.heights[-1]
        top = low + 0.56 * (high - low)
        domes = [
            top + lift - 90 * (((p.x - side * 62) / 78) ** 2 + ((p.y - centre + 12) / 92) ** 2)
            for side, lift in ((-1, 0.0), (1, -14.0))
        ]
        floor = np.maximum(*domes)
        ahead = (centre - p.y) / deep
        middle = 26 + 16 * np.clip(ahead + 0.3, 0, 1) - 30 * np.clip(ahead - 0.5, 0, 1)
        side = middle - np.abs(p.x - 4)
        above = np.maximum((floor - p.z) * 0.5, p.z - high + 8)
        return np.asarray(np.maximum(np.maximum(self.cage.inside(p, 7.0), above), side))


def figure(vertebrae: Mapping[str, Vertebra], cage: Cage, build: tuple[float, float], sex: str) -> Figure:
    """The outline around a skeleton.

    Args:
        build: scale of lengths, and girth (1 for a slim adult, 1.6 for a stout one).
    """
    scale, girth = build
    heights, muscle, cavity = _walls(vertebrae, cage, scale, girth)
    fat = np.stack([np.interp(heights / scale, _FAT_AT, f) for f in (_FAT_SIDE, _FAT_FRONT, _FAT_BACK)], axis=1)
    fat *= max(girth - 0.55, 0.12) * scale * (1.15 if sex == "F" else 0.9)
    skin = muscle + (fat + 2) * _OUTWARD
    chest = vertebrae["vertebra_T7"].centre[2]
    bust = (78 * scale, _front(cage, chest) + 8, chest - 10), (56 * scale, 34 * girth, 58 * scale)
    return Figure(
        skin=Outline(heights, skin),
        muscle=Outline(heights, muscle),
        cavity=Outline(heights, cavity),
        cage=cage,
        head=Head(vertebrae["vertebra_C1"].centre, scale),
        limbs=_limbs(vertebrae, cage, scale),
        limb_fat=16 * max(girth - 0.5, 0.15),
        bust=bust if sex == "F" else None,
        crotch=_CROTCH * scale,
        table=float(skin[:, 2].max()) - 11 * girth,
    )


def _front(cage: Cage, z: float) -> float:
    _, centre, deep = cage.section(np.array([z]))
    return float(centre[0] - deep[0])


def _limbs(vertebrae: Mapping[str, Vertebra], cage: Cage, scale: float) -> tuple[Limb, ...]:
    """Thigh, buttock, collar bone, shoulder, raised arm and armpit of the left side."""
    _, y, z = vertebrae["vertebra_T2"].centre
    joint = np.array([162 * scale, y + 4, z + 2])
    collar = np.array([30 * scale, _front(cage, z - 8) + 24 * scale, z + 2])
    return (
        (np.array([94, -18, -165]) * scale, np.array([80, -34, -680]) * scale, 74 * scale, 44 * scale),
        (np.array([104, -10, -120]) * scale, np.array([104, 0, -150]) * scale, 78 * scale, 78 * scale),
        (collar, joint + np.array([-42, -2, 16]) * scale, 27 * scale, 40 * scale),
        (np.array([45 * scale, y + 18, z + 18]), joint, 50 * scale, 49 * scale),
        (joint, joint + UPPER_ARM * scale, 46 * scale, 38 * scale),
        (np.array([104 * scale, y - 10, z - 120 * scale]), joint, 26 * scale, 42 * scale),
    )


def _walls(vertebrae: Mapping[str, Vertebra], cage: Cage, scale: float, girth: float) -> tuple[Floats, Floats, Floats]:
    """Heights from pelvis to neck with muscle wall and cavity as rows (half width, front, back)."""
    z, y = (np.array([v.centre[axis] for v in vertebrae.values()]) for axis in (2, 1))
    trunk = _TRUNK * scale
    spine = np.interp(trunk[:, 0], z, y, left=0.0)[:, None] * (0, 1, 1)
    belly = 0.22 * (girth - 1) * np.clip((trunk[:, :1] + 60) / 60, 0, 1) * trunk[:, 4:] * (1, 1, 0)
    low_muscle, low_cavity = (spine + (rows + belly) * _OUTWARD for rows in (trunk[:, 1:4], trunk[:, 4:]))
    chest = cage.heights > trunk[-1, 0] + 35 * scale
    frame = cage.rows[chest]
    _, nape, top = vertebrae["vertebra_C7"].centre
    neck = np.array([(60, nape - 62 * scale, nape + 70 * scale)] * 2)
    throat = np.array([(1, nape - 1, nape + 1)] * 2)
    return (
        np.concatenate([trunk[:, 0], cage.heights[chest], [top + 20, top + 200]]),
        np.concatenate([low_muscle, frame + np.array([16, 12, 27]) * scale * _OUTWARD, neck]),
        np.concatenate([low_cavity, frame - 7 * _OUTWARD, throat]),
    )


def paint_body(canvas: Canvas, body: Figure, rng: np.random.Generator) -> None:
    """Paint skin, fat, muscle with fat planes, cavity fat and lungs, a few slices at a time."""
    _, rows, columns = whole = canvas.whole
    z, y, x = canvas.axes(whole)
    low, high = (z[0], y[0], x[0]), (z[-1], y[-1], x[-1])
    bumps, planes = SmoothNoise.over(rng, low, high, 55.0), SmoothNoise.over(rng, low, high, 16.0)
    step = np.float32(canvas.grid.spacing[1])
    for start in range(0, len(z), 4):
        part = slice(start, min(start + 4, len(z)))
        box = (part, rows, columns)
        axes = (z[part], y, x)
        p = canvas.place(box)
        bump = bumps.on(axes)
        skin, flesh = body.body(p) + 2.0 * bump, body.flesh(p) + 3.5 * bump
        hollow, lung = body.hollow(p) + 3.0 * bump, body.lung(p) + 2.0 * bump
        seam = np.clip(1.5 + 0.5 * bump - np.abs(planes.on(axes)) * 13, 0, 0.9)
        texture = canvas.texture[part]
        canvas.paint_shell(box, (share(skin, step), share(skin + 1.8, step)), (SKIN, FAT + 5 * texture))
        canvas.paint(box, share(flesh, step) * (1 - seam), MUSCLE + 9 * canvas.patches.on(axes) + 5 * texture)
        canvas.paint(box, share(hollow, step), FAT + 6 * texture)
        canvas.paint(box, share(lung, step), LUNG + 22 * texture)


def paint_table(canvas: Canvas, top: float) -> None:
    """A curved carbon shell around a foam core, just below the patient, where there is still air."""
    box = canvas.box((-1e4, top - 45, -1e4), (1e4, top + 50, 1e4))
    if box is None:
        return
    p, step = canvas.place(box), canvas.grid.spacing[1]
    sag = top + 3 - (p.x / 215) ** 2 * 34
    shape = np.maximum(np.maximum(sag - p.y, p.y - (top + 42)), np.abs(p.x) - 205)
    free = np.clip((-300 - canvas.hu[box]) / 600, 0, 1)
    canvas.paint_shell(box, (share(shape, step) * free, share(shape + 2.2, step) * free), (SHELL, FOAM))
