"""Benign findings that look like metastases: what a detector must leave alone.

Enostoses by their published density (1190 +- 239 HU); the other appearances are choices.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from osteoscope.errors import InvalidValueError
from osteoscope.simulate.ct_canvas import Box, Canvas, PlacedBone, share
from osteoscope.simulate.ct_implant import blob, choose_places, no_room, within
from osteoscope.simulate.ct_implicit import Array, ellipsoid
from osteoscope.simulate.ct_spine import Vertebra

MimicKind = Literal["enostosis", "schmorl_node", "haemangioma", "endplate_sclerosis"]
OF_VERTEBRAE: tuple[MimicKind, ...] = ("schmorl_node", "haemangioma", "endplate_sclerosis")


@dataclass(frozen=True)
class CtMimic:
    """A benign finding to implant.

    Raises:
        InvalidValueError: a finding of vertebrae in another bone.
    """

    site: str
    kind: MimicKind = "enostosis"

    def __post_init__(self) -> None:
        if self.kind in OF_VERTEBRAE and not self.site.startswith("vertebra_"):
            raise InvalidValueError(f"build a {self.kind}", f"site {self.site}", "Choose a vertebra")


@dataclass(frozen=True, eq=False)
class PlacedMimic:
    """A painted benign finding: its voxels within a box of the grid."""

    mimic: CtMimic
    box: Box
    mask: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Ground:
    """Where a mimic is painted."""

    canvas: Canvas
    bone: PlacedBone
    vertebrae: Mapping[str, Vertebra]
    rng: np.random.Generator

    @property
    def vertebra(self) -> Vertebra:
        """The vertebra that the bone was made from."""
        return self.vertebrae[self.bone.bone.site]


def implant_mimic(
    canvas: Canvas, bone: PlacedBone, vertebrae: Mapping[str, Vertebra], mimic: CtMimic, rng: np.random.Generator
) -> PlacedMimic:
    """Paint a benign finding in its bone; ``vertebrae`` by site id are those that the bones were made from.

    Raises:
        InvalidValueError: no room within the field of view.
    """
    box, distance = _PAINTERS[mimic.kind](_Ground(canvas, bone, vertebrae, rng))
    mask = np.asarray(distance < 0)
    if not mask.any():
        raise no_room(f"a {mimic.kind}", mimic.site)
    return PlacedMimic(mimic, box, mask)


def _enostosis(ground: _Ground) -> tuple[Box, Array]:
    """A small, very dense island with a sharp edge."""
    canvas, bone, rng = ground.canvas, ground.bone, ground.rng
    radius = rng.uniform(1.6, 6)
    places = choose_places(canvas, bone, radius, shallow=False, rng=rng)
    if places is None:
        raise no_room("an enostosis", bone.bone.site)
    box = canvas.box(places[0] - 2 * radius - 3, places[0] + 2 * radius + 3)
    if box is None:
        raise no_room("an enostosis", bone.bone.site)
    distance = np.maximum(blob(canvas, box, places[0], radius, rng), within(box, bone.box, bone.distance))
    hu = np.clip(rng.normal(1190, 239), 750, 1800) + 40 * canvas.texture[box]
    canvas.paint(box, share(distance, float(np.mean(canvas.grid.spacing))), hu)
    return box, distance


def _pocket(
    ground: _Ground, centre: tuple[float, float, float], radii: tuple[float, float, float]
) -> tuple[Box, Array]:
    """Distance to an ellipsoid of the vertebra's own axes, cut by its surface."""
    vertebra, canvas = ground.vertebra, ground.canvas
    middle = np.asarray(vertebra.outside(*centre))
    reach = max(radii) + 4 * canvas.warp_mm + 4
    box = canvas.box(middle - reach, middle + reach)
    if box is None:
        raise no_room("a finding", vertebra.site)
    local = canvas.warped(box).at(vertebra.centre).pitched(vertebra.lean)
    distance, _ = canvas.metric(ellipsoid(local, centre, radii))
    return box, np.maximum(distance, within(box, ground.bone.box, ground.bone.distance))


def _near_endplate(ground: _Ground, inset: float) -> float:
    return float(ground.rng.choice((-1, 1)) * (ground.vertebra.size.height / 2 - inset))


def _schmorl_node(ground: _Ground) -> tuple[Box, Array]:
    """Disc that has sunk through an end plate, with a sclerotic rim."""
    canvas, rng = ground.canvas, ground.rng
    radius = rng.uniform(3, 6.5)
    centre = (rng.uniform(-6, 6), rng.uniform(-6, 5), _near_endplate(ground, 0.2 * radius))
    box, distance = _pocket(ground, centre, (radius, radius, 0.8 * radius))
    step, own = float(np.mean(canvas.grid.spacing)), within(box, ground.bone.box, ground.bone.distance)
    canvas.paint(box, share(distance - 1.5, step) * share(own, step), rng.uniform(350, 550))
    canvas.paint(box, share(distance, step), 85 + 8 * canvas.texture[box])
    return box, distance


def _haemangioma(ground: _Ground) -> tuple[Box, Array]:
    """Fat between few, thick, upright trabeculae."""
    canvas, rng = ground.canvas, ground.rng
    radii = (rng.uniform(6, 11), rng.uniform(6, 10), rng.uniform(6, 11))
    box, distance = _pocket(ground, (rng.uniform(-7, 7), rng.uniform(-4, 3), 0.0), radii)
    place = canvas.place(box)
    struts = np.cos(place.x * np.float32(2 * np.pi / 4.5)) * np.cos(place.y * np.float32(2 * np.pi / 4.5))
    hu = -15 + 420 * np.clip(struts - 0.25, 0, 1) + 12 * canvas.texture[box]
    canvas.paint(box, share(distance, float(np.mean(canvas.grid.spacing))), hu)
    return box, distance


def _endplate_sclerosis(ground: _Ground) -> tuple[Box, Array]:
    """A blurred dense band under an end plate, in front."""
    canvas, rng = ground.canvas, ground.rng
    wide = ground.vertebra.size.width * rng.uniform(0.25, 0.42)
    centre = (rng.uniform(-6, 6), rng.uniform(-12, -4), _near_endplate(ground, 1.0))
    box, distance = _pocket(ground, centre, (wide, rng.uniform(7, 12), rng.uniform(3, 6)))
    step = float(np.hypot(np.mean(canvas.grid.spacing), 3.0))
    canvas.paint(box, share(distance, step), rng.uniform(350, 600) + 40 * canvas.texture[box])
    return box, distance


_PAINTERS: Mapping[MimicKind, Callable[[_Ground], tuple[Box, Array]]] = MappingProxyType(
    {
        "enostosis": _enostosis,
        "schmorl_node": _schmorl_node,
        "haemangioma": _haemangioma,
        "endplate_sclerosis": _endplate_sclerosis,
    }
)
