"""What is as bright as bone and is none: calcified walls of vessels, contrast agent, calcified nodes, stones.

Simulated bodies and voxel phantoms have none of it beside bone. All numbers are choices.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osteoscope.train.ct_ground import Ground

# How many of each are put into a piece, and how far from bone, mm, they are: at most, and at least.
_VESSELS, _LUMPS = (0.35, 0.4, 0.25), (0.7, 0.2, 0.1)
_NEAR_MM, _GAP_MM = 30.0, (0.5, 4.0)
_TISSUE_HU = (-150.0, 200.0)
# Radius, thickness and length of a calcified wall, mm; how much of it is calcified; HU of the wall and of the blood.
_RADIUS_MM, _WALL_MM, _LENGTH_MM, _BARE = (1.5, 16.0), (0.8, 3.5), (4.0, 60.0), (-1.0, 1.2)
_WALL_HU, _BLOOD_HU, _WITH_AGENT = (150.0, 1300.0), (60.0, 380.0), 0.5
_LUMP_MM, _LUMP_HU = (1.0, 14.0), (130.0, 1000.0)


def add_bright_tissue(ground: Ground) -> None:
    """Paint some into the soft tissue beside the bone of a piece; bone and labels stay as they are."""
    rng = ground.rng
    soft = (ground.hu > _TISSUE_HU[0]) & (ground.hu < _TISSUE_HU[1])
    places = np.argwhere(soft & (ground.depth < -_GAP_MM[0]) & (ground.depth > -_NEAR_MM))
    if not len(places):
        return
    for often, add in ((_VESSELS, _vessel), (_LUMPS, _lump)):
        for _ in range(int(rng.choice(len(often), p=often))):
            add(ground, places[int(rng.integers(len(places)))])


def _vessel(ground: Ground, centre: NDArray[np.int64]) -> None:
    """A tube with blood in it, or contrast agent, and a wall that is calcified in places."""
    rng = ground.rng
    radius = float(rng.uniform(*_RADIUS_MM))
    length = float(rng.uniform(*_LENGTH_MM))
    box = ground.box(centre, np.hypot(length / 2, radius) + 3)
    along, across = ground.rod(box, centre)
    across = across + np.float32(0.12 * radius) * ground.waves(box, 2 * radius)
    beyond = np.maximum(along - np.float32(length / 2), ground.depth[box] + np.float32(rng.uniform(*_GAP_MM)))
    if rng.random() < _WITH_AGENT:
        ground.paint(box, np.maximum(across - np.float32(radius), beyond), float(rng.uniform(*_BLOOD_HU)))
    bare = (np.float32(rng.uniform(*_BARE)) - ground.waves(box, float(rng.uniform(3, 20)))) * 3
    wall = np.maximum(np.abs(across - np.float32(radius)) - np.float32(rng.uniform(*_WALL_MM) / 2), bare)
    hu = float(np.exp(rng.uniform(*np.log(_WALL_HU)))) * (1 + 0.25 * ground.waves(box, 4.0))
    ground.paint(box, np.maximum(wall, beyond), hu)


def _lump(ground: Ground, centre: NDArray[np.int64]) -> None:
    """A node, a stone, or contrast agent in the bowel."""
    rng = ground.rng
    radius = float(np.exp(rng.uniform(*np.log(_LUMP_MM))))
    box = ground.box(centre, 1.6 * radius + 3)
    distance = np.maximum(ground.blob(box, centre, radius), ground.depth[box] + np.float32(rng.uniform(*_GAP_MM)))
    hu = float(np.exp(rng.uniform(*np.log(_LUMP_HU)))) * (1 + rng.uniform(0, 0.4) * ground.waves(box, 3.0))
    ground.paint(box, distance, hu)
