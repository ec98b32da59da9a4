"""Metastases in bones of a Canvas: irregular, lytic, blastic or mixed, within the cortex or through it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from osteoscope.errors import InvalidValueError
from osteoscope.simulate.ct_canvas import Box, Canvas, PlacedBone, share
from osteoscope.simulate.ct_implant import blob, by_distance, choose_places, no_room, noise_in, one_piece, within
from osteoscope.simulate.ct_implicit import Array

LesionKind = Literal["lytic", "blastic", "mixed"]
SMALLEST_MM, LARGEST_MM = 3.0, 80.0
# Width over which a lesion passes into marrow, mm.
_LYTIC_EDGE, _BLASTIC_EDGE = 0.5, 2.5
# A place will do that keeps this share of the sphere; after some tries the best is taken.
_SHARE_KEPT, _TRIES = 0.45, 5


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
    centre: NDArray[np.float64]
    box: Box
    distance: Array

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Voxels of the box whose centre lies inside."""
        return np.asarray(self.distance < 0)


def implant(
    canvas: Canvas, bone: PlacedBone, lesion: CtLesion, others: list[PlacedLesion], rng: np.random.Generator
) -> PlacedLesion:
    """Paint a lesion at a random place of its bone that holds most of it, away from the lesions painted before.

    Raises:
        InvalidValueError: the bone has no room left within the field of view.
    """
    places = choose_places(canvas, bone, lesion.diameter_mm / 2, lesion.breach or lesion.soft_tissue, rng)
    if places is None:
        raise no_room("a lesion", lesion.site)
    enough = _SHARE_KEPT * np.pi / 6 * lesion.diameter_mm**3 / canvas.grid.cell
    best: PlacedLesion | None = None
    for centre in by_distance(places, [other.centre for other in others], 1.5 * lesion.diameter_mm)[:_TRIES]:
        placed = _shaped(canvas, bone, (lesion, centre), others, rng)
        if placed and (best is None or placed.mask.sum() > best.mask.sum()):
            best = placed
        if best and best.mask.sum() > enough:
            break
    if best is None:
        raise no_room("a lesion", lesion.site)
    _paint(canvas, best, _marrow(bone, best.box), rng)
    return best


def _shaped(
    canvas: Canvas,
    bone: PlacedBone,
    what: tuple[CtLesion, NDArray[np.float64]],
    others: list[PlacedLesion],
    rng: np.random.Generator,
) -> PlacedLesion | None:
    """The lesion as its bone and its neighbours cut it; None where nothing is left of it."""
    lesion, centre = what
    reach = 0.8 * lesion.diameter_mm + 4
    box = canvas.box(centre - reach, centre + reach)
    if box is None:
        return None
    distance = np.maximum(blob(canvas, box, centre, lesion.diameter_mm / 2, rng), _limit(canvas, bone, box, lesion))
    for other in others:
        distance = np.maximum(distance, 1.0 - within(box, other.box, other.distance))
    placed = PlacedLesion(lesion, centre, box, one_piece(distance))
    return placed if placed.mask.any() else None


def _marrow(bone: PlacedBone, box: Box, share_of_cortex: float = 1.0) -> Array:
    """Distance to the inner face of the cortex, or to a face within it."""
    return within(box, bone.box, bone.distance + np.float32(share_of_cortex) * bone.cortex)


def _limit(canvas: Canvas, bone: PlacedBone, box: Box, lesion: CtLesion) -> Array:
    """What holds the lesion: the inner part of the cortex, the bone's surface, or a mass beyond it."""
    own = within(box, bone.box, bone.distance)
    if lesion.soft_tissue:
        nearest = canvas.clearance[box].astype(np.float32)
        others = np.where(nearest < own - 0.5, 1.0 - nearest, -np.inf)
        return np.asarray(np.maximum(own - 0.3 * lesion.diameter_mm, others), dtype=np.float32)
    if lesion.breach or lesion.kind != "lytic":
        return own
    return _marrow(bone, box, 0.7)


def _paint(canvas: Canvas, placed: PlacedLesion, marrow: Array, rng: np.random.Generator) -> None:
    """Soft tissue, dense bone (654 +- 176 HU, as of untreated osteoblastic metastases) or patches of both."""
    lesion, box, step = placed.lesion, placed.box, float(np.mean(canvas.grid.spacing))
    texture = canvas.texture[box]
    soft = rng.normal(52, 12) + 9 * texture
    dense = np.clip(rng.normal(654, 176), 380, 1150) + 60 * texture
    if lesion.rim_mm:
        shell = share(placed.distance - lesion.rim_mm, step) * share(marrow, step)
        canvas.paint(box, shell, rng.uniform(350, 600) + 50 * texture)
    pattern = noise_in(canvas, box, max(lesion.diameter_mm / 5, 2.0), rng)
    hu = {"lytic": soft, "blastic": dense + 90 * pattern, "mixed": np.where(pattern > 0, dense, soft)}[lesion.kind]
    edge = _LYTIC_EDGE if lesion.kind == "lytic" else _BLASTIC_EDGE
    canvas.paint(box, share(placed.distance, float(np.hypot(step, edge))), hu)
