"""Voxels of lesions: balls, joined balls, and the length from which confluent foci are called diffuse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from osteoscope.simulate.body import Body
from osteoscope.simulate.shapes import Floats

# Confluent foci longer than this share of their unit, and than the longest single focus, are one diffuse lesion:
# docs/background/mibg.md, "Confluent foci" (choice).
CONFLUENT_SHARE, CONFLUENT_FLOOR_MM = 0.25, 30.0


@dataclass(frozen=True, eq=False)
class Placed:
    """One lesion, or the part of a diffuse one within one unit.

    Args:
        unit: planar unit ("soft_tissue" for a mass).
        kind: focal or diffuse.
        voxels: flat indices into the body's labels.
        contrast: concentration, mediastinum = 1.
    """

    unit: str
    kind: Literal["focal", "diffuse"]
    voxels: NDArray[np.int64]
    contrast: float


def diffuse_from_mm(body: Body, unit: str) -> float:
    """Length in mm beyond which confluent foci of a planar unit count as one diffuse lesion."""
    bone = body.positions(body.bone((unit,)))
    return max(CONFLUENT_SHARE * length_mm(bone), CONFLUENT_FLOOR_MM)


def length_mm(at: Floats) -> float:
    """Largest extent of positions (n, 3) along x, z or a diagonal of the picture, mm."""
    if not len(at):
        return 0.0
    x, z = at[:, 0], at[:, 2]
    half = np.sqrt(0.5)
    return float(max(np.ptp(v) for v in (x, z, half * (x + z), half * (x - z))))


def ball(body: Body, centre: Floats, radius_mm: float) -> NDArray[np.int64]:
    """Flat indices of all voxels but air around a position, which may lie beyond the grid."""
    middle, step = body.grid.to_index(centre), np.asarray(body.grid.spacing)
    low = np.clip(np.floor(middle - radius_mm / step), 0, body.grid.shape).astype(int)
    high = np.clip(np.ceil(middle + radius_mm / step) + 1, low, body.grid.shape).astype(int)
    index = np.stack([m.ravel() for m in np.mgrid[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]])
    near = (((index.T - middle) * step) ** 2).sum(axis=1) <= radius_mm**2
    flat = np.ravel_multi_index(tuple(index[:, near]), body.grid.shape)
    return np.asarray(flat[body.labels.ravel()[flat] > 0], dtype=np.int64)


def in_joined_balls(away: Floats, diameter_mm: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which of the positions (n, 3), relative to the middle, lie in balls joined within a ball of that diameter."""
    half = diameter_mm / 2
    count = int(rng.integers(2, 6))
    radii = half * rng.uniform(0.45, 0.75, count)
    turned = rng.normal(size=(count, 3))
    centres = turned / np.linalg.norm(turned, axis=1, keepdims=True) * (half - radii)[:, None]
    inside = np.linalg.norm(away, axis=1) <= 0.6 * half
    for centre, radius in zip(centres, radii, strict=True):
        inside |= np.linalg.norm(away - centre, axis=1) <= radius
    return np.asarray(inside)
