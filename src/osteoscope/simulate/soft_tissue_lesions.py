"""Tumours and nodes beside the spine."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from osteoscope.simulate.body import SOFT_TISSUE, Body
from osteoscope.simulate.lesion_kinds import Mass, MassPlace, NodePlace, Nodes
from osteoscope.simulate.lesion_shapes import Placed, ball, in_joined_balls
from osteoscope.simulate.shapes import Floats

Place = tuple[float, float, float]
_TOUCHING = 1.3

# From the middle of the thoracic spine, in lengths of the way to the middle of the lumbar spine: (down, left, front).
_MASS_PLACES: Mapping[MassPlace, Place] = MappingProxyType(
    {
        "adrenal_right": (0.72, -0.24, 0.16), "adrenal_left": (0.70, 0.26, 0.16), "abdomen": (0.95, 0.10, 0.30),
        "mediastinum": (-0.25, 0.10, 0.12), "neck": (-0.85, 0.22, 0.12), "pelvis": (1.60, 0.10, 0.15),
    }
)  # fmt: skip
_CHAINS: Mapping[NodePlace, tuple[Place, Place]] = MappingProxyType(
    {
        "neck_right": ((-1.0, -0.13, 0.10), (-0.68, -0.20, 0.06)),
        "neck_left": ((-1.0, 0.13, 0.10), (-0.68, 0.20, 0.06)),
        "mediastinum": ((-0.5, 0.04, 0.15), (0.25, -0.04, 0.22)),
        "retroperitoneum": ((0.65, 0.08, 0.16), (1.4, -0.03, 0.16)),
    }
)  # fmt: skip


def _beside_the_spine(body: Body, place: Place | Floats) -> Floats:
    upper, lower = (body.positions(body.bone((unit,))).mean(axis=0) for unit in ("thoracic_spine", "lumbar_spine"))
    down, left, front = place
    reach = float(np.linalg.norm(lower - upper))
    return np.asarray(upper + down * (lower - upper) + reach * np.array([left, -front, 0.0]))


def mass(body: Body, lesion: Mass, rng: np.random.Generator) -> Placed:
    """A tumour beside the spine."""
    centre = _beside_the_spine(body, np.add(_MASS_PLACES[lesion.place], lesion.aside))
    near = ball(body, centre, lesion.diameter_mm / 2)
    if lesion.lobed:
        near = near[in_joined_balls(body.positions(near) - centre, lesion.diameter_mm, rng)]
    return Placed(SOFT_TISSUE, "focal", near[body.unit(near) < 0], lesion.contrast)


def nodes(body: Body, lesion: Nodes, rng: np.random.Generator) -> list[Placed]:
    """A chain of nodes; those that would touch another in the picture are left out."""
    start, end = (np.array(place) for place in _CHAINS[lesion.place])
    placed: list[Placed] = []
    held: list[tuple[Floats, float]] = []
    for share in np.linspace(0, 1, lesion.count) if lesion.count > 1 else [0.5]:
        centre = _beside_the_spine(body, start + share * (end - start) + rng.normal(0, 0.02, 3))
        radius = lesion.diameter_mm / 2 * float(rng.uniform(0.6, 1.0))
        if any(np.linalg.norm((centre - c)[[0, 2]]) < _TOUCHING * (radius + r) for c, r in held):
            continue
        near = ball(body, centre, radius)
        held.append((centre, radius))
        heat = lesion.contrast * float(rng.lognormal(0, 0.3))
        placed.append(Placed(SOFT_TISSUE, "focal", near[body.unit(near) < 0], heat))
    return placed
