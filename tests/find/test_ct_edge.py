"""Where bone ends, on bodies whose border is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.geometry import Grid
from osteoscope.find.ct_body import SoftTissue
from osteoscope.find.ct_bones import BoneMask
from osteoscope.find.ct_discs import Discs
from osteoscope.find.ct_edge import trimmed, without_discs
from osteoscope.find.ct_frame import Frame
from osteoscope.find.ct_spine import SpineLine

STEP, SOFT, THRESHOLD = 1.5, 50.0, 115.0
# A spine upright in the middle of these voxels: two bodies of 27 mm about a disc of 6 mm.
SHAPE, MIDDLE, HALF_DISC = (40, 40, 40), 20, 3.0


def scanned(hu: NDArray[np.float64], open_marrow: NDArray[np.bool_] | None = None) -> BoneMask:
    values = hu.round().astype(np.int16)
    frame = Frame(values, Grid.axial(hu.shape, (STEP,) * 3), Grid.axial(hu.shape, (STEP,) * 3))
    none = np.zeros(hu.shape, dtype=bool)
    marrow = none if open_marrow is None else open_marrow
    return BoneMask(frame, values, (hu > THRESHOLD) | marrow, marrow, none, ~none, SoftTissue(SOFT, 10.0), THRESHOLD)


def ball(radius_mm: float, hu: float, blur_mm: float) -> NDArray[np.float64]:
    """A ball of bone in soft tissue, as a scanner of that blur (sigma) shows it."""
    fine = np.indices((90,) * 3) * (STEP / 3) - 44.5 * STEP / 3
    sharp = np.where((fine**2).sum(axis=0) < radius_mm**2, hu, SOFT)
    seen = ndimage.gaussian_filter(sharp, blur_mm / (STEP / 3))
    return np.asarray(seen.reshape(30, 3, 30, 3, 30, 3).mean(axis=(1, 3, 5)))


@settings(max_examples=12)
@given(st.floats(8, 16), st.floats(300, 640), st.floats(0.6, 1.3))
def test_a_ball_is_as_large_as_it_is(radius_mm: float, hu: float, blur_mm: float) -> None:
    bones = scanned(ball(radius_mm, hu, blur_mm))
    found = np.cbrt(0.75 / np.pi * np.count_nonzero(trimmed(bones).bone) * STEP**3)
    assert abs(found - radius_mm) < 0.5  # a third of a voxel


def test_marrow_that_only_walls_make_bone_stays() -> None:
    hu = ball(14.0, 500.0, 0.8)
    eaten = np.zeros(hu.shape, dtype=bool)
    eaten[12:18, 12:18, :12] = hu[12:18, 12:18, :12] > THRESHOLD
    assert trimmed(scanned(np.where(eaten, 30.0, hu), eaten)).bone[eaten].all()


def spine() -> SpineLine:
    points = np.stack([np.arange(60.0), np.full(60, 45.0), np.full(60, 30.0)], axis=1)
    up, front, left = (np.tile(vector, (60, 1)) for vector in ((1.0, 0, 0), (0, -1.0, 0), (0, 0, 1.0)))
    return SpineLine(points, up, front, left, wall=np.full(60, 8.0), face=np.full(60, 38.0))


def column(disc_hu: float, marrow_hu: float = 180.0, plate_hu: float = 420.0) -> NDArray[np.float64]:
    """Two vertebral bodies about a disc in the middle, each end plate one voxel thick."""
    z, y, x = np.indices(SHAPE) * STEP
    body = (np.abs(y - 22.0) < 15) & (np.abs(x - 30.0) < 18) & (z > 3) & (z < 56)
    away = np.abs(z - MIDDLE * STEP)
    inside = np.where(away < HALF_DISC, disc_hu, np.where(away < HALF_DISC + STEP, plate_hu, marrow_hu))
    return np.where(body, inside, SOFT)


@pytest.mark.parametrize("disc_hu", [120.0, 150.0])
def test_a_disc_denser_than_the_threshold_is_no_bone(disc_hu: float) -> None:
    hu = column(disc_hu)
    bones = scanned(hu)
    found = without_discs(bones, bones.bone, spine(), Discs(np.array([30]), np.array([3.0]))).bone
    assert not found[hu == disc_hu].any()
    assert found[bones.bone & (hu != disc_hu)].all()


def test_marrow_at_a_place_wrongly_taken_for_a_disc_stays() -> None:
    bones = scanned(column(120.0))
    found = without_discs(bones, bones.bone, spine(), Discs(np.array([12]), np.array([0.1]))).bone
    assert np.count_nonzero(bones.bone & ~found) == 0


def test_without_discs_nothing_changes() -> None:
    bones = scanned(column(120.0))
    assert without_discs(bones, bones.bone, spine(), Discs.none()) is bones
    assert without_discs(bones, np.zeros(SHAPE, dtype=bool), spine(), Discs(np.array([30]), np.array([3.0]))) is bones
