"""What a bone's own CT says against testing it: a field that ends at it, thick slices, metal and cement, odd names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from simulated_bones import _painted, block
from simulated_vertebra import drum

from osteoscope.domain.finding import Part
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.errors import UnsuitableStudyError
from osteoscope.fe.bone import Bone, bone_from
from osteoscope.fe.density import Calibration
from osteoscope.fe.landmarks import vertebra_marks
from osteoscope.fe.landmarks_femur import femur_marks
from osteoscope.fe.laws import LAWS
from osteoscope.fe.mesh import Material, frame, mesh

FIXED = Calibration("fixed", "K2HPO4", 0.8e-3, 0.0, 0.05, True, "test")


def read(bone: Bone, hu: np.ndarray | None = None) -> Bone:
    image = Image(bone.grid, np.asarray(bone.hu if hu is None else hu, np.int16), "HU")
    return bone_from(image, bone.site, Part.from_mask("ct", bone.mask))


@pytest.mark.parametrize("gap_mm", [0, 1, 3])
def test_a_vertebra_cut_by_the_field_is_refused_also_where_its_mask_ends_before(gap_mm: int) -> None:
    whole = drum((0, 0))
    middle = 22
    part = whole.mask[middle:].copy()
    part[:gap_mm] = False
    grid = Grid.axial(part.shape, (1.0, 1.0, 1.0), (-27, -30, 0))
    bone = read(Bone(whole.site, grid, whole.hu[middle:], part, {}, np.zeros_like(part)))
    with pytest.raises(UnsuitableStudyError, match="edge of the field"):
        vertebra_marks(bone)
    assert not read(whole).cut.any()


def test_a_vertebra_cut_by_the_circle_of_reconstruction_is_refused() -> None:
    whole = drum((0, 0))
    y = whole.grid.to_position(np.moveaxis(np.indices(whole.mask.shape), 0, -1))[..., 1]
    bone = replace(whole, mask=whole.mask & (y < 34))
    lost, noisy = np.where(y > 36, -1024, whole.hu), np.where((y > 36) & (y % 2 == 0), -1024, whole.hu)
    assert read(bone, lost).cut.any()
    # Single voxels of -1024 are noise in gas, not the edge of the field.
    assert not read(bone, noisy).cut.any()


@pytest.mark.parametrize("short", [0, 1, 4])
def test_the_low_end_of_a_shaft_that_is_cut_is_no_knee(short: int) -> None:
    grid, hu, placed = _painted(2.0)
    mask = np.zeros(grid.shape, bool)
    mask[placed.box] = placed.mask
    lowest = int(np.flatnonzero(mask.any(axis=(1, 2)))[0])
    mask[lowest : lowest + short] = False
    bone = bone_from(Image(grid, np.rint(hu).astype(np.int16), "HU"), "femur_left", Part.from_mask("ct", mask))
    assert not femur_marks(bone).knee_seen


def test_condyles_are_a_knee() -> None:
    """A ball of a head, a straight shaft and, where it ends, something three times as wide."""
    grid = Grid.axial((170, 50, 60), (3.0, 3.0, 3.0), (20, -100, -500))
    x, y, z = np.moveaxis(grid.to_position(np.moveaxis(np.indices(grid.shape), 0, -1)), -1, 0)
    head = (x - 80) ** 2 + (y + 35) ** 2 + (z + 40) ** 2 <= 24**2
    neck = (np.abs(z + 60 + (x - 105) * 0.6) <= 14) & (np.abs(y + 35) <= 14) & (x > 80) & (x < 135)
    shaft = (np.hypot(x - 125, y + 35) <= 14) & (z < -60) & (z > -455)
    condyles = (np.abs(x - 120) <= 40) & (np.abs(y + 35) <= 28) & (z < -420) & (z > -455)
    seen = []
    for mask in (head | neck | shaft | condyles, head | neck | shaft):
        image = Image(grid, np.where(mask, 500, 40).astype(np.int16), "HU")
        marks = femur_marks(bone_from(image, "femur_left", Part.from_mask("ct", mask)))
        seen.append(marks.knee_seen)
    assert seen == [True, False]


def test_masks_move_by_half_a_thick_slice_and_thick_slices_are_noted() -> None:
    mask = np.zeros((14, 40, 40), bool)
    mask[3:11, 10:30, 10:30] = True
    hu = np.where(mask, 180, 40).astype(np.int16)
    image = Image(Grid.axial(mask.shape, (4.0, 1.0, 1.0)), hu, "HU")
    bone = bone_from(image, "femur_left", Part.from_mask("ct", mask))
    heights = [np.ptp(one.positions[:, 2]) + one.grid.spacing[0] for one in (bone.grown(-1), bone, bone.grown(1))]
    widths = [np.ptp(one.positions[:, 0]) + 1 for one in (bone.grown(-1), bone, bone.grown(1))]
    assert heights == pytest.approx([28, 32, 36])
    assert widths == pytest.approx([18, 20, 22])
    assert any("slices of 4.0 mm" in note for note in bone.notes)
    assert not read(drum((0, 0))).notes


def test_cement_in_a_vertebra_is_refused_and_dense_bone_is_not() -> None:
    bone = drum((0, 0))
    places = bone.grid.to_position(np.moveaxis(np.indices(bone.mask.shape), 0, -1))
    plug = np.linalg.norm(places, axis=-1) <= 6
    with pytest.raises(UnsuitableStudyError, match=r"0.9 mL above 1400 HU.*cement"):
        read(bone, np.where(plug, 1800, bone.hu))
    assert read(bone, np.where(plug, 1100, bone.hu)).mask.any()
    # A thick cortex of a femur is as dense.
    assert read(replace(bone, site="femur_left"), np.where(plug, 1800, bone.hu)).mask.any()


@pytest.mark.parametrize("site", ["vertebra_C1", "vertebra_C2"])
def test_atlas_and_axis_are_refused(site: str) -> None:
    with pytest.raises(UnsuitableStudyError, match="from C3 down"):
        vertebra_marks(replace(drum((0, 0)), site=site))


def test_a_crumb_and_a_ring_are_no_vertebral_body() -> None:
    crumb = np.zeros((12, 12, 12), np.float32)
    crumb[4:8, 4:8, 4:8] = 300
    with pytest.raises(UnsuitableStudyError, match="where the body should be"):
        vertebra_marks(block(crumb))
    grid = Grid.axial((40, 70, 100), (1.0, 1.0, 1.0), (-50, -35, -20))
    x, y, z = np.moveaxis(grid.to_position(np.moveaxis(np.indices(grid.shape), 0, -1)), -1, 0)
    ring = (np.abs(np.hypot(x / 24, y / 20) - 1) < 0.18) & (np.abs(z) <= 6)
    masses = (np.hypot((np.abs(x) - 24) / 10, y / 11) < 1) & (np.abs(z) <= 9)
    hu = np.where(ring | masses, 400, 0).astype(np.float32)
    with pytest.raises(UnsuitableStudyError, match="beside the middle of its mask"):
        vertebra_marks(block(hu, grid=grid))


def test_bone_denser_than_the_law_is_counted_and_marrow_tumour_and_walls_are_not() -> None:
    """0.35 g/cm3 is the end of the law, 0.48 the sclerotic ball, which is a small part of the bone."""
    bone = drum((0, 0))
    places = bone.grid.to_position(np.moveaxis(np.indices(bone.mask.shape), 0, -1))
    ball = np.linalg.norm(places, axis=-1) <= 8
    wall = bone.mask & (np.abs(places[..., 2]) > 11)
    grid = frame((0, 0, 1), (1, 0, 0), bone.positions, 3.0, 3.0)
    counted = []
    for inner, outer in ((40.0, 250.0), (40.0, 600.0), (600.0, 250.0)):
        hu = np.where(ball, inner, np.where(wall, outer, bone.hu)).astype(np.float32)
        one = replace(bone, hu=hu, lesions={"a": ball})
        counted.append(mesh(one, grid, Material(LAWS["kopperdahl_2002"], FIXED)).extrapolated)
    assert counted == pytest.approx([0, 0, 1], abs=0.02)
