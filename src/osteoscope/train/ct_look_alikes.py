"""What looks like a lesion and is none, put into a piece of a CT.

Enostoses by their published density (1190 +- 239 HU, see `osteoscope.simulate.ct_mimics`); the others are choices.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from osteoscope.find.ct_frame import Box
from osteoscope.train.ct_ground import LOOK_ALIKE, Array, Ground

Place = NDArray[np.int64]


def add_look_alike(ground: Ground, kind: str, centre: Place) -> None:
    """Put one of ``LOOK_ALIKES`` at a place."""
    LOOK_ALIKES[kind](ground, centre)


def _put(ground: Ground, box: Box, distance: Array, hu: Array | float, edge: float = 0.5) -> None:
    ground.paint(box, distance, hu, edge)
    ground.mark(box, distance < 0, LOOK_ALIKE)


def _enostosis(ground: Ground, centre: Place) -> None:
    """A small, very dense island with a sharp edge."""
    radius = float(ground.rng.uniform(1.6, 6))
    box = ground.box(centre, 1.6 * radius + 4)
    distance = np.maximum(ground.blob(box, centre, radius), -ground.depth[box])
    _put(ground, box, distance, float(np.clip(ground.rng.normal(1190, 239), 750, 1800)) + 40 * ground.waves(box, 2.0))


def _haemangioma(ground: Ground, centre: Place) -> None:
    """Fat between few, thick, upright trabeculae."""
    rng = ground.rng
    radius = float(rng.uniform(5, 12))
    box = ground.box(centre, 1.6 * radius + 4)
    _, y, x = ground.away(box, centre)
    pitch = np.float32(2 * np.pi / rng.uniform(4.0, 6.0))
    struts = np.cos(x * pitch + rng.uniform(0, 6)) * np.cos(y * pitch + rng.uniform(0, 6))
    hu = np.broadcast_to(
        rng.uniform(-50, 10) + rng.uniform(300, 450) * np.clip(struts - 0.25, 0, 1), ground.hu[box].shape
    )
    _put(ground, box, np.maximum(ground.blob(box, centre, radius), 1.5 - ground.depth[box]), hu.astype(np.float32))


def _wear(ground: Ground, centre: Place) -> None:
    """A blurred dense band along a joint or end plate."""
    at = _joint(ground, centre)
    radius = float(ground.rng.uniform(5, 14))
    box = ground.box(at, 1.6 * radius + 4)
    layer = ground.depth[box] - np.float32(ground.rng.uniform(3, 6))
    distance = np.maximum(np.maximum(ground.blob(box, at, radius), layer), -ground.depth[box])
    hu = np.maximum(ground.smooth[box] + 100, ground.rng.uniform(350, 650)) + 40 * ground.waves(box, 2.0)
    _put(ground, box, distance, hu, float(ground.rng.uniform(1.5, 4)))


def _node(ground: Ground, centre: Place) -> None:
    """A Schmorl node or a cyst under a joint: a pocket at the surface with a dense rim."""
    rng = ground.rng
    at = _joint(ground, centre)
    radius = float(rng.uniform(2.5, 6.5))
    box = ground.box(at, 1.6 * radius + 6)
    blob = ground.blob(box, at, radius)
    rim = np.maximum(blob - np.float32(rng.uniform(1.0, 2.5)), -ground.depth[box])
    ground.paint(box, rim, float(rng.uniform(380, 650)) + 30 * ground.waves(box, 2.0), 0.8)
    _put(ground, box, np.maximum(blob, -ground.depth[box]), float(rng.uniform(20, 100)) + 8 * ground.waves(box, 3.0))


def _channel(ground: Ground, centre: Place) -> None:
    """A vessel's channel, straight and thin."""
    rng = ground.rng
    length, radius = float(rng.uniform(12, 35)), float(rng.uniform(0.8, 1.8))
    box = ground.box(centre, length / 2 + 3)
    along, across = ground.rod(box, centre)
    distance = np.maximum(np.maximum(across - np.float32(radius), along - np.float32(length / 2)), -ground.depth[box])
    _put(ground, box, distance, float(rng.uniform(0, 150)), 0.3)


def _fracture(ground: Ground, centre: Place) -> None:
    """A plane of impacted, or of parted, bone."""
    rng = ground.rng
    box = ground.box(centre, 26)
    along, across = ground.rod(box, centre)
    along = along + 1.2 * ground.waves(box, 6.0)
    half, reach = float(rng.uniform(0.7, 2.2)), float(rng.uniform(8, 24))
    distance = np.maximum(np.maximum(along - np.float32(half), across - np.float32(reach)), -ground.depth[box])
    usual = ground.smooth[box]
    hu = (
        np.maximum(usual + 150, rng.uniform(350, 700)) if rng.random() < 0.65 else np.minimum(usual, rng.uniform(0, 80))
    )
    _put(ground, box, distance, hu.astype(np.float32), float(rng.uniform(0.5, 2.5)))


def _metal(ground: Ground, centre: Place) -> None:
    """A rod of metal and the streaks that it throws within its slices; no label."""
    rng = ground.rng
    box = ground.box(centre, 60)
    z, y, x = ground.away(box, centre)
    angle = np.arctan2(y, x)
    away = np.sqrt(x**2 + y**2)
    fan = sum(np.cos(n * angle + rng.uniform(0, 6)) * rng.normal(0, 1) for n in range(2, 26, 3))
    length = float(rng.uniform(6, 25))
    slices = expit(length - np.abs(z))
    streaks = rng.uniform(60, 250) * fan / 3 * slices / (1 + away / 8)
    ground.hu[box] += streaks.astype(np.float32)
    rod = np.maximum(away - rng.uniform(2, 4), np.abs(z) - length)
    ground.paint(box, rod.astype(np.float32), 3071.0, 0.3)


def _joint(ground: Ground, centre: Place) -> Place:
    """The nearest of some places at joints, or the place itself where there is none."""
    places = np.argwhere(ground.joint)
    if not len(places):
        return centre
    some = places[ground.rng.integers(len(places), size=30)]
    return np.asarray(some[np.argmin(((some - centre) ** 2).sum(axis=1))])


LOOK_ALIKES: Mapping[str, Callable[[Ground, Place], None]] = MappingProxyType(
    {
        "enostosis": _enostosis,
        "haemangioma": _haemangioma,
        "wear": _wear,
        "node": _node,
        "channel": _channel,
        "fracture": _fracture,
        "metal": _metal,
    }
)
# Metal is rarer than the others: its streaks fill a piece.
_OFTEN = np.array([0.3 if kind == "metal" else 1.0 for kind in LOOK_ALIKES])


def random_look_alike(rng: np.random.Generator) -> str:
    """One of ``LOOK_ALIKES``."""
    return str(rng.choice(list(LOOK_ALIKES), p=_OFTEN / _OFTEN.sum()))
