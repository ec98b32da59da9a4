"""Soft parts as painted shapes: tissues with their HU by contrast phase, balls and cords."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osteoscope.simulate.ct_body import Figure
from osteoscope.simulate.ct_canvas import Canvas, share
from osteoscope.simulate.ct_implicit import Array, Place, chain, ellipsoid

Floats = NDArray[np.float64]
Contrast = Literal["none", "arterial", "portal"]
Within = Literal["belly", "lung", "anywhere"]

# HU of tissues without contrast agent, in the arterial and in the portal venous phase: usual values, rounded.
TISSUES: Mapping[str, Mapping[Contrast, float]] = MappingProxyType(
    {
        name: MappingProxyType({"none": none, "arterial": arterial, "portal": portal})
        for name, (none, arterial, portal) in {
            "muscle": (58, 62, 68), "artery": (43, 310, 150), "vein": (42, 70, 145), "heart": (42, 190, 130),
            "liver": (58, 68, 112), "spleen": (48, 110, 122), "kidney": (32, 140, 190), "gut": (38, 52, 78),
            "fluid": (8, 8, 8), "disc": (88, 88, 88), "cartilage": (98, 98, 98), "theca": (24, 24, 26),
            "gas": (-990, -990, -990), "fat": (-100, -100, -100), "vessel": (20, 150, 90), "calcium": (420, 430, 430),
            "brain": (36, 40, 42),
        }.items()
    }
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Organ:
    """A soft part: an implicit shape in a box, the tissue that fills it, and the cavity that cuts it."""

    tissue: str
    low: Floats
    high: Floats
    shape: Callable[[Place], Array]
    within: Within = "anywhere"


def ball(tissue: str, centre: ArrayLike, radii: ArrayLike, within: Within = "anywhere") -> Organ:
    """An ellipsoid."""
    c, r = np.asarray(centre, float), np.broadcast_to(np.asarray(radii, float), 3)
    (cx, cy, cz), (rx, ry, rz) = c.tolist(), r.tolist()
    return Organ(tissue, c - r - 3, c + r + 3, lambda p: ellipsoid(p, (cx, cy, cz), (rx, ry, rz)), within)


def cord(tissue: str, points: ArrayLike, radii: ArrayLike, within: Within = "anywhere") -> Organ:
    """A chain of capsules through points (n, 3)."""
    path, sizes = np.asarray(points, float), np.asarray(radii, float)
    margin = sizes.max() + 3
    low, high = path.min(axis=0) - margin, path.max(axis=0) + margin
    return Organ(tissue, low, high, lambda p: chain(p, path, sizes.tolist(), 5.0), within)


def paint_organs(canvas: Canvas, organs: Sequence[Organ], body: Figure, contrast: Contrast) -> None:
    """Paint organs in their order; those of the belly stay below the diaphragm and within its wall."""
    for organ in organs:
        box = canvas.box(organ.low, organ.high)
        if box is None:
            continue
        shape = organ.shape(canvas.warped(box))
        plain = canvas.place(box)
        if organ.within == "belly":
            shape = np.maximum(shape, np.maximum(body.hollow(plain) + 3, 4 - body.lung(plain)))
        if organ.within == "lung":
            shape = np.maximum(shape, body.lung(plain) + 1)
        hu = np.float32(TISSUES[organ.tissue][contrast])
        canvas.paint(box, share(shape, canvas.grid.spacing[1]), hu + 6 * canvas.texture[box])
