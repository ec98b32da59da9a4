"""Streaks of metal that are as bright as bone."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from osteoscope.domain.geometry import Grid
from osteoscope.find.ct_bones import bone_mask
from osteoscope.find.ct_frame import Frame

SHAPE, MM = (30, 60, 100), 1.5
GRID = Grid.axial(SHAPE, (MM,) * 3, (0, 0, 0))
BONE = (slice(2, 28), slice(20, 40), slice(20, 34))
MARROW = (slice(4, 26), slice(22, 38), slice(22, 32))
METAL = (slice(10, 20), slice(25, 35), slice(60, 68))
STREAK = (slice(12, 18), slice(28, 32), slice(34, 50))
NEAREST = 3  # voxels of the streak that are as near to the bone as its own edge may be


def bone_of(metal_hu: int, seen: bool | None) -> NDArray[np.bool_]:
    """Bone found beside metal and a streak from one to the other; whether the network takes that for bone."""
    hu = np.full(SHAPE, -1000, dtype=np.int16)
    hu[:, 8:52, 8:92] = 40 + np.random.default_rng(0).normal(0, 8, (30, 44, 84)).astype(np.int16)
    hu[BONE], hu[MARROW], hu[METAL], hu[STREAK] = 600, 150, metal_hu, 300
    chance = np.zeros(SHAPE, dtype=np.uint8)
    chance[BONE] = 250
    chance[STREAK] = 250 if seen else 0
    return bone_mask(Frame(hu, GRID, GRID), chance=None if seen is None else chance).bone


def test_a_streak_that_the_network_takes_for_no_bone_is_none() -> None:
    bone = bone_of(3000, seen=False)
    assert not bone[STREAK][..., NEAREST:].any()
    assert bone[BONE].mean() > 0.95


@pytest.mark.parametrize(
    ("metal_hu", "seen"), [(3000, True), (3000, None), (40, False)], ids=["seen as bone", "no network", "no metal"]
)
def test_what_may_be_bone_stays(metal_hu: int, seen: bool | None) -> None:
    assert bone_of(metal_hu, seen)[STREAK].mean() > 0.9
