"""Lesions put into a piece of a CT: what each kind looks like is a row of a table.

Densities: soft tissue about 55 HU; untreated osteoblastic metastases 654 +- 176 HU (see
`osteoscope.simulate.ct_lesions`). Shapes, edges and how often each kind is drawn are choices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.find.ct_frame import Box
from osteoscope.find.ct_lesion_windows import STEP_MM
from osteoscope.train.ct_ground import LESION, Array, Ground

Limit = Literal["marrow", "bone", "beyond"]
Fill = Literal["soft", "dense", "patchy"]
Range = tuple[float, float]

# A lesion that changes HU by less is not seen, and not learnt: HU, and share of the noise.
_LEAST_CONTRAST, _LEAST_NOISE = 45.0, 0.9
_LEAST_VOXELS = round(10 / STEP_MM**3)
_LUNG_HU = -300.0
# A small lesion counts as much as this many voxels, within bounds.
_TYPICAL_VOXELS, _WEIGHT = 3375 / STEP_MM**3, (1.0, 5.0)


@dataclass(frozen=True)
class Looks:
    """How a kind of lesion looks.

    Args:
        often: how often it is drawn, relative to the others.
        fill: what replaces bone.
        limit: kept within the cortex, within the bone, or free to grow into soft tissue.
        diameter: least, most, mm (log-uniform).
        strength: least, most share of the bone that is replaced.
        edge: least, most width over which it passes into bone, mm.
        rim: least, most width of a sclerotic rim, mm.
    """

    often: float
    fill: Fill
    limit: Limit
    diameter: Range
    strength: Range = (0.85, 1.0)
    edge: Range = (0.3, 1.5)
    rim: Range = (0.0, 0.0)


LESIONS: Mapping[str, Looks] = MappingProxyType(
    {
        "lytic": Looks(3.0, "soft", "marrow", (4, 35)),
        "breach": Looks(2.5, "soft", "bone", (5, 50)),
        "mass": Looks(1.5, "soft", "beyond", (14, 80)),
        "rimmed": Looks(1.0, "soft", "marrow", (6, 35), rim=(0.8, 3.0)),
        "permeative": Looks(1.5, "soft", "bone", (10, 60), strength=(0.5, 0.85), edge=(2.0, 5.0)),
        "blastic": Looks(3.0, "dense", "bone", (4, 60), edge=(1.0, 4.0)),
        "faint": Looks(1.5, "dense", "bone", (6, 50), strength=(0.25, 0.6), edge=(2.0, 6.0)),
        "mixed": Looks(2.0, "patchy", "bone", (8, 70), edge=(1.0, 3.0)),
        "diffuse": Looks(0.8, "patchy", "bone", (40, 80), strength=(0.4, 0.9), edge=(3.0, 8.0)),
        "healed": Looks(0.8, "soft", "bone", (6, 35), rim=(2.0, 6.0)),
    }
)


def add_lesion(ground: Ground, kind: str, centre: NDArray[np.int64]) -> bool:
    """Put a lesion of a kind at a place; False, and nothing done, where it would not show in bone."""
    looks, rng = LESIONS[kind], ground.rng
    least, most = looks.diameter
    diameter = least * (most / least) ** float(rng.random())
    rim = float(rng.uniform(*looks.rim))
    box = ground.box(centre, 0.8 * diameter + rim + 4)
    distance = np.maximum(ground.blob(box, centre, diameter / 2), _limit(ground, box, looks.limit, diameter))
    distance = _main_piece(distance)
    mask = distance < 0
    usual = ground.smooth[box]
    hu = _filled(ground, box, looks, diameter)
    changed = np.abs(hu - usual)[mask & ground.bone[box]]
    if changed.size < _LEAST_VOXELS or changed.mean() < max(_LEAST_CONTRAST, _LEAST_NOISE * ground.noise):
        return False
    if rim:
        shell = np.maximum(distance - np.float32(rim), -ground.depth[box])
        ground.paint(box, shell, np.maximum(usual + 60, rng.uniform(350, 650)) + 30 * ground.waves(box, 3.0), 1.0)
    ground.paint(box, distance, hu, float(rng.uniform(*looks.edge)))
    whole = mask | ((distance < rim) & ground.bone[box]) if kind == "healed" else mask
    ground.mark(box, whole, LESION, weight_of(int(np.count_nonzero(whole))))
    return True


def weight_of(voxels: int) -> float:
    """How much each voxel of a lesion counts: small lesions are as worth finding as large ones."""
    return float(np.clip((_TYPICAL_VOXELS / max(voxels, 1)) ** 0.5, *_WEIGHT))


def random_kind(rng: np.random.Generator) -> str:
    """A kind of lesion, as often as its row says."""
    often = np.array([looks.often for looks in LESIONS.values()])
    return list(LESIONS)[int(rng.choice(len(often), p=often / often.sum()))]


def add_nothing(ground: Ground, centre: NDArray[np.int64]) -> None:
    """Replace bone by the same bone, with the same tools: an edit is no sign of a lesion."""
    radius = float(np.exp(ground.rng.uniform(np.log(3), np.log(20))))
    box = ground.box(centre, 1.6 * radius + 4)
    texture = float(ground.rng.uniform(0, 40)) * ground.waves(box, 2.0)
    ground.paint(box, ground.blob(box, centre, radius), ground.smooth[box] + texture, float(ground.rng.uniform(0.3, 4)))


def _limit(ground: Ground, box: Box, limit: Limit, diameter: float) -> Array:
    depth = ground.depth[box]
    if limit == "marrow":
        return np.asarray(np.float32(ground.rng.uniform(1.0, 2.5)) - depth)
    if limit == "bone":
        return np.asarray(-depth)
    held = np.where(ground.smooth[box] < _LUNG_HU, np.float32(2.0), -np.inf)
    return np.asarray(np.maximum(-depth - np.float32(0.3 * diameter), held), dtype=np.float32)


def _filled(ground: Ground, box: Box, looks: Looks, diameter: float) -> Array:
    """HU of the lesion, with what is left of the bone."""
    rng = ground.rng
    usual = ground.smooth[box]
    soft = float(np.clip(rng.normal(55, 15), 25, 100)) + 8 * ground.waves(box, 4.0)
    patches = ground.waves(box, max(diameter / 5, 2.5))
    dense = float(np.clip(rng.normal(654, 176), 380, 1150)) + 80 * patches + 40 * ground.waves(box, 2.0)
    dense = np.maximum(dense, usual + 120)
    fill = {"soft": soft, "dense": dense, "patchy": np.where(patches > rng.uniform(-0.6, 0.6), dense, soft)}[looks.fill]
    strength = np.float32(rng.uniform(*looks.strength))
    return np.asarray(strength * fill + (1 - strength) * usual, dtype=np.float32)


def _main_piece(distance: Array) -> Array:
    """The distance to the largest connected part alone."""
    pieces, count = ndimage.label(distance < 0, np.ones((3, 3, 3)))
    if count < 2:
        return distance
    largest = pieces == int(np.argmax(np.bincount(pieces.ravel())[1:])) + 1
    away = edt.edt(~largest, anisotropy=(STEP_MM,) * 3)
    return np.asarray(np.where(largest, distance, np.maximum(distance, away)), dtype=np.float32)
