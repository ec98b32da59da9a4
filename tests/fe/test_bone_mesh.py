"""From HU to elements: laws, calibration, the mask, the integral over voxels, rigidity without a solver."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage
from simulated_bones import block, femur

from osteoscope.domain.finding import Part
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.errors import InvalidValueError, UnsuitableStudyError
from osteoscope.fe.bone import bone_from, shifted
from osteoscope.fe.density import REFERENCES, Calibration, by_air_fat_muscle, from_rods, nominal
from osteoscope.fe.laws import DEFAULTS, LAWS, law_for
from osteoscope.fe.mesh import Material, frame, mesh
from osteoscope.fe.rigidity import rigidity, weakest

FIXED = Calibration("fixed", "K2HPO4", 0.8e-3, 0.0, 0.05, True, "test")


def single(*values: float) -> NDArray[np.float32]:
    return np.asarray(values, np.float32)


@pytest.mark.parametrize("name", sorted(LAWS))
def test_law_is_stiffer_and_stronger_with_density_and_never_0(name: str) -> None:
    law = LAWS[name]
    density = np.linspace(0, 1.3, 200, dtype=np.float32)
    modulus = law.modulus_of(density)
    assert modulus.min() >= 1
    assert modulus[-1] > 10 * modulus[20]
    assert 1_000 < law.modulus_of(single(1.2))[0] < 30_000
    if law.plastic:
        strength = law.strength_of(density)
        assert strength.min() > 0
        assert 0.002 < strength[100] / modulus[100] < 0.05
    else:
        with pytest.raises(InvalidValueError, match="without a strength"):
            law.strength_of(density)


def test_laws_known_values() -> None:
    density = single(1.0)
    assert law_for("femur_left").modulus_of(density)[0] == pytest.approx(14900)
    assert law_for("femur_left").strength_of(density)[0] == pytest.approx(102)
    assert law_for("vertebra_L3").modulus_of(single(0.2))[0] == pytest.approx(2980 * 0.2**1.05, rel=1e-5)
    assert law_for("femur_left").density_of(single(0.5), "K2HPO4")[0] == pytest.approx(1.06 * 0.5 + 0.0389)


def test_both_phantoms_mean_one_ash_density() -> None:
    """Kopperdahl's conversion from HA keeps the ash density of Keyak's two lines."""
    law, ash = LAWS["kopperdahl_2002"], LAWS["keyak_2005"]
    ha = single(0.1, 0.4)
    potassium = law.density_of(ha, "HA")
    assert ash.density_of(potassium, "K2HPO4") == pytest.approx(ash.density_of(ha, "HA"), rel=1e-4)


def test_laws_are_never_mixed_and_unverified_ones_say_so() -> None:
    with pytest.raises(InvalidValueError, match="kopperdahl_2002"):
        law_for("femur_left", "kopperdahl_2002")
    with pytest.raises(InvalidValueError, match="no validated law"):
        law_for("hip_left")
    with pytest.raises(InvalidValueError, match="no conversion"):
        LAWS["yosibash"].density_of(single(0.1), "HA")
    assert any("not verified" in text for text in LAWS[DEFAULTS["femur"]].caveats("K2HPO4"))
    assert LAWS["kopperdahl_2002"].caveats("K2HPO4") == ()


@pytest.mark.parametrize("name", ["crawford_2003", "keller_ogo", "no_such_law"])
def test_a_law_that_gives_no_failure_load_is_refused_with_those_that_do(name: str) -> None:
    with pytest.raises(InvalidValueError, match="vertebra kopperdahl_2002, morgan_2003_vertebra"):
        law_for("vertebra_L3", name)


@given(st.floats(0.5e-3, 1.2e-3), st.floats(-0.02, 0.02))
def test_rods_give_back_the_line(slope: float, intercept: float) -> None:
    hu = [-20.0, 60.0, 140.0, 260.0]
    made = from_rods(hu, [slope * h + intercept for h in hu])
    assert made.slope == pytest.approx(slope)
    assert made.intercept == pytest.approx(intercept, abs=1e-9)
    assert made.spread >= 0.05


def test_rods_that_make_no_sense_are_refused() -> None:
    for hu, density in (([50.0], [0.05]), ([200.0, 10.0], [0.0, 0.2]), ([10.0, 12.0], [0.0, 0.2])):
        with pytest.raises(UnsuitableStudyError, match="calibrate by a phantom"):
            from_rods(hu, density)


@pytest.mark.parametrize(
    ("hu", "density"),
    [
        ((62.0, 250.0), (0.05e-3, 0.2e-3)),  # g/cm3 given as mg/cm3
        ((30.0, 120.0), (0.05, 0.2)),  # the wrong way round, 0.6 mg/cm3 per HU
        ((62.0, 250.0), (0.15, 0.3)),  # 101 mg/cm3 at 0 HU
        ((float("nan"), 250.0), (0.05, 0.2)),
        ((62.0, 250.0), (0.05, float("inf"))),
    ],
)
def test_rods_that_no_scanner_gives_are_refused_with_the_likely_slip(
    hu: tuple[float, ...], density: tuple[float, ...]
) -> None:
    with pytest.raises(UnsuitableStudyError, match=r"DENSITY=HU, not the other way round.*mg/cm3, not g/cm3"):
        from_rods(hu, density)


def test_rods_with_an_unusual_slope_say_so() -> None:
    swapped = from_rods((50.0, 200.0), (0.062, 0.25))
    assert any("1.25 mg/cm3 per HU" in text for text in swapped.caveats)
    assert from_rods((62.0, 250.0), (0.05, 0.2)).caveats == ()


def test_a_calibration_is_moved_in_slope_and_in_offset() -> None:
    tissues = by_air_fat_muscle(histogram(-104, 52), 120.0)
    assert tissues.slopes == pytest.approx((0.85, 1.05))
    assert tissues.offset_spread == pytest.approx(0.010)
    assert by_air_fat_muscle(histogram(-104, 52)).slopes[0] < 0.83
    assert tissues.noting(120.0, "iodine").offset_spread > 2 * tissues.offset_spread
    names = [name for name, _ in tissues.moved()]
    assert names == ["calibration", "calibration", "calibration offset", "calibration offset"]
    changes = [made.density(single(100.0))[0] - tissues.density(single(100.0))[0] for _, made in tissues.moved()]
    by_slope = 100 * tissues.slope
    assert changes == pytest.approx([-0.15 * by_slope, 0.05 * by_slope, -0.010, 0.010], abs=1e-5)
    assert [name for name, _ in FIXED.moved()] == ["calibration", "calibration"]
    noisy = from_rods((0.0, 100.0, 200.0, 300.0), (0.010, 0.075, 0.170, 0.235))
    assert noisy.offset_spread > 0.015


def histogram(fat: float, muscle: float) -> NDArray[np.float64]:
    rng = np.random.default_rng(0)
    parts = ((-1000, 5, 40_000), (fat, 12, 20_000), (muscle, 12, 30_000), (400, 250, 5_000))
    return np.concatenate([rng.normal(mean, width, n) for mean, width, n in parts])


def test_air_fat_and_muscle_are_found_in_a_histogram() -> None:
    made = by_air_fat_muscle(histogram(-104, 52), 120.0)
    assert made.phantom == "HA"
    assert made.absolute
    assert made.density(single(52.0))[0] == pytest.approx(0.038, abs=0.03)
    assert made.density(single(-1000.0))[0] == pytest.approx(-0.797, abs=0.03)
    assert any("from memory" in text for text in made.caveats)
    hu = histogram(-104, 52)
    with pytest.raises(UnsuitableStudyError, match="air"):
        by_air_fat_muscle(hu[hu > -500])


def test_an_unverified_reference_is_a_few_per_cent_off_and_says_so() -> None:
    ours, remembered = (by_air_fat_muscle(histogram(-104, 52), 120.0, name) for name in sorted(REFERENCES)[::-1])
    assert remembered.slope == pytest.approx(ours.slope, rel=0.06)
    assert any("not verified" in text for text in remembered.caveats)


@pytest.mark.parametrize(
    ("kvp", "fat", "muscle", "slope", "at_120"),
    [(80, -103.5, 45.8, 0.4888, 0.6757), (100, -80.8, 43.3, 0.7032, 0.8096), (140, -69.3, 42.1, 0.9041, 0.8096)],
)
def test_tube_voltage_is_corrected(kvp: float, fat: float, muscle: float, slope: float, at_120: float) -> None:
    """HU of tissues and mg/cm3 of HA per HU by spectra behind 15 cm (first) and 35 cm of water, as in the module."""
    corrected, blind = (by_air_fat_muscle(histogram(fat, muscle), v) for v in (kvp, 120.0))
    assert corrected.slope / blind.slope == pytest.approx(slope / at_120, rel=0.02)
    assert abs(slope / at_120 - 1) > 0.09
    assert corrected.spread < by_air_fat_muscle(histogram(fat, muscle)).spread
    assert any("no correction" in text for text in by_air_fat_muscle(histogram(fat, muscle), 40.0).caveats)


def test_without_calibration_nothing_is_absolute() -> None:
    made = nominal().noting(100.0, "iodine, portal phase")
    assert not made.absolute
    assert any("100 kVp" in text for text in made.caveats)
    assert any("contrast" in text for text in made.caveats)


def test_element_takes_the_integral_over_its_voxels_not_the_law_of_their_mean() -> None:
    """Half marrow, half cortex: the mean of two moduli, which a law with an exponent does not give from mean HU."""
    hu = np.full((8, 8, 8), 100.0, np.float32)
    hu[:, :, 4:] = 1200.0
    bone = block(hu)
    law = LAWS["keyak_2005"]
    grid = Grid.axial((1, 1, 1), (8.0, 8.0, 8.0), (3.5, 3.5, 3.5))
    made = mesh(bone, grid, Material(law, FIXED))
    each = law.modulus_of(law.density_of(FIXED.density(single(100.0, 1200.0)), "K2HPO4"))
    mean = law.modulus_of(law.density_of(FIXED.density(single(650.0)), "K2HPO4"))
    assert made.modulus[0, 0, 0] == pytest.approx(each.mean(), rel=0.06)
    assert made.modulus[0, 0, 0] > 1.1 * mean[0]


@settings(max_examples=5)
@given(st.floats(-4, 4), st.floats(-20, 20), st.sampled_from([2.0, 3.0]))
def test_volume_and_rigidity_of_a_tube_do_not_depend_on_how_it_lies(shift: float, turn: float, size: float) -> None:
    """Partial volume: EA and EI of a tube (case 13 of the ladder) within 4 % and 5 %, wherever the elements fall."""
    grid = Grid.axial((60, 44, 44), (1.0, 1.0, 1.0), (-21.5, -21.5, 0.0))
    places = grid.to_position(np.moveaxis(np.indices(grid.shape), 0, -1))
    axis = np.array([np.sin(np.deg2rad(turn)) * 0.3, 0.0, 1.0])
    axis /= np.linalg.norm(axis)
    off = places - np.array([shift / 4, shift / 8, 30.0])
    radius = np.linalg.norm(off - (off @ axis)[..., None] * axis, axis=-1)
    hu = np.where((radius <= 14) & (radius >= 7), 1000.0, 0.0).astype(np.float32)
    bone = block(hu, grid=grid)
    law = LAWS["keyak_2005"]
    target = frame(axis, (1, 0, 0), places[(radius < 15) & (np.abs(off @ axis) < 20)], size)
    made = mesh(bone, target, Material(law, FIXED))
    modulus = float(law.modulus_of(law.density_of(FIXED.density(single(1000.0)), "K2HPO4"))[0])
    found = rigidity(made, 0.3)
    middle = slice(len(found.axial) // 4, 3 * len(found.axial) // 4)
    area, second = np.pi * (14**2 - 7**2), np.pi / 4 * (14**4 - 7**4)
    assert np.median(found.axial[middle]) / modulus == pytest.approx(area, rel=0.04)
    assert np.median(found.bending[middle]) / modulus == pytest.approx(second, rel=0.05)
    assert np.median(found.torsion[middle]) == pytest.approx(modulus / 2.6 * 2 * second, rel=0.05)


def test_weakest_section_is_where_the_lesion_is() -> None:
    hu = np.full((30, 20, 20), 800.0, np.float32)
    lesion = np.zeros(hu.shape, bool)
    lesion[12:18, 5:20, 5:15] = True
    hu[lesion] = 40.0
    bone = block(hu, lesion=lesion)
    material = Material(LAWS["keyak_2005"], FIXED)
    grid = Grid.axial((15, 10, 10), (2.0, 2.0, 2.0), (0.5, 0.5, 0.5))
    own = rigidity(mesh(bone, grid, material), 0.3)
    healed = rigidity(mesh(bone.healed(["lesion"]), grid, material), 0.3)
    found = weakest(own, healed, np.ones(15, bool))
    assert found is not None
    assert 12 <= found.height <= 18
    assert 0.3 < found.loss < 1


def test_lesion_is_soft_bone_not_a_hole_and_heals_to_its_own_tissue() -> None:
    bone = femur({"a": ((125.0, -30.0, -140.0), 24.0)})
    assert (bone.lesions["a"] & ~bone.mask).sum() == 0
    healed = bone.healed(["a"])
    before = femur()
    assert healed.lesions == {}
    off = healed.hu[bone.lesions["a"]] - before.hu[bone.lesions["a"]]
    assert abs(np.median(off)) < 60
    assert healed.hu[~bone.lesions["a"]] == pytest.approx(bone.hu[~bone.lesions["a"]])


def test_a_lesion_in_the_middle_of_a_small_bone_heals_to_the_nearest_depth_that_is_healthy() -> None:
    """A ball of 14 mm holds all that lies deepest in a body of 19 x 26 x 30 mm."""
    grid = Grid.axial((23, 30, 34), (1.0, 1.0, 1.0), (-16.5, -14.5, -11.0))
    x, y, z = np.moveaxis(grid.to_position(np.moveaxis(np.indices(grid.shape), 0, -1)), -1, 0)
    ball = x**2 + y**2 + z**2 <= 7**2
    depth = ndimage.distance_transform_edt(((x / 15) ** 2 + (y / 13) ** 2 <= 1) & (np.abs(z) < 10))
    healthy = np.where(depth > 0, 400 - 20 * depth, 0).astype(np.float32)
    bone = block(np.where(ball, np.float32(40), healthy), lesion=ball, grid=grid)
    deepest = depth >= 9
    assert ball[deepest].all()
    # A femur, which has no body to look for the like in.
    healed = replace(bone, site="femur_left").healed(["lesion"])
    assert healed.hu[deepest] == pytest.approx(np.median(healthy[~ball & (depth >= 6)]))
    with pytest.raises(UnsuitableStudyError, match="no healthy tissue left"):
        block(bone.hu, lesion=bone.mask, grid=grid).healed(["lesion"])


def test_a_cortex_cut_by_one_voxel_is_taken_back_whole_and_soft_tissue_is_not() -> None:
    grid = Grid.axial((30, 40, 40), (1.0, 1.0, 1.0))
    z, y, x = np.indices(grid.shape)
    radius = np.hypot(y - 20, x - 20)
    bone, inner = (radius <= 12) & (z >= 5) & (z < 25), (radius <= 11) & (z >= 5) & (z < 25)
    image = Image(grid, np.where(bone, np.where(radius > 9, 900, 60), 40).astype(np.int16), "HU")
    made, drawn_in = (bone_from(image, "femur_left", Part.from_mask("ct", mask)) for mask in (bone, inner))
    assert made.mask.sum() == bone.sum()
    assert drawn_in.mask.sum() == bone.sum()
    smaller, larger = made.grown(-1), made.grown(1)
    assert (smaller.hu[made.mask & ~smaller.mask] == 60).all()
    assert smaller.mask.sum() < made.mask.sum() < larger.mask.sum()


def test_fat_that_a_mask_took_in_at_its_outside_is_left_out_and_marrow_is_not() -> None:
    grid = Grid.axial((30, 40, 40), (1.0, 1.0, 1.0))
    depth = 12 - np.abs(np.moveaxis(np.indices(grid.shape), 0, -1) - (15, 20, 20)).max(axis=-1)
    bone = depth >= 0
    hu = np.where(bone, np.where(depth < 3, 900, -60), -100)
    image = Image(grid, hu.astype(np.int16), "HU")
    drawn = shifted(bone, grid, 1)
    made, too_large = (bone_from(image, "femur_left", Part.from_mask("ct", mask)) for mask in (bone, drawn))
    assert drawn.sum() > 1.2 * bone.sum()
    assert made.mask.sum() == too_large.mask.sum() == made.grown(1).mask.sum() == bone.sum()


def test_lesion_outside_of_the_mask_is_taken_back_into_the_bone() -> None:
    """A mask that leaves a lytic hole out is filled by the lesion; what grows out of the bone is not bone."""
    grid = Grid.axial((40, 40, 40), (1.0, 1.0, 1.0))
    z, y, x = np.indices(grid.shape)
    bone = (np.hypot(y - 20, x - 20) <= 10) & (z >= 5) & (z < 35)
    ball = (z - 20) ** 2 + (y - 20) ** 2 + (x - 30) ** 2 <= 36
    image = Image(grid, np.where(bone, 300, 40).astype(np.int16), "HU")
    made = bone_from(image, "femur_left", Part.from_mask("ct", bone & ~ball), [("a", Part.from_mask("ct", ball))])
    box = tuple(slice(1, 39) for _ in range(3))
    assert made.mask.sum() >= 0.97 * bone.sum()
    assert made.mask.sum() <= 1.05 * bone[box].sum()


def test_a_mask_without_its_large_lesion_is_filled_by_it_and_one_beside_it_is_told() -> None:
    grid = Grid.axial((40, 40, 40), (1.0, 1.0, 1.0))
    places = np.moveaxis(np.indices(grid.shape), 0, -1)
    whole = np.abs(places - 20).max(axis=-1) <= 14
    ball, beside = np.linalg.norm(places - 20, axis=-1) <= 11, places[..., 0] > 37
    image = Image(grid, np.where(whole & ~ball, 300, 40).astype(np.int16), "HU")
    lesions = [(name, Part.from_mask("ct", mask)) for name, mask in (("in it", ball), ("beside it", beside))]
    made = bone_from(image, "femur_left", Part.from_mask("ct", whole & ~ball), lesions)
    assert made.mask.sum() == whole.sum()
    assert {name: mask.sum() for name, mask in made.lesions.items()} == {"in it": ball.sum()}
    assert made.notes == ("lesion beside it has no voxel within the bone: left out",)
    assert made.grown(-1).lesions.keys() == {"in it"}


def test_a_lesion_that_a_smaller_mask_loses_is_no_lesion_of_it() -> None:
    hu = np.full((12, 12, 12), 100, np.float32)
    bone = block(np.pad(hu, 2), lesion=np.pad(np.indices(hu.shape)[0] == 0, 2))
    assert bone.lesions
    assert not bone.grown(-1).lesions


@pytest.mark.parametrize("thick", [1, 12])
def test_a_mask_of_air_is_refused(thick: int) -> None:
    mask = np.zeros((30, 30, 30), bool)
    mask[4 : 4 + thick, 4:26, 4:26] = True
    image = Image(Grid.axial(mask.shape, (1.0, 1.0, 1.0)), np.full(mask.shape, -900, np.int16), "HU")
    with pytest.raises(UnsuitableStudyError, match="nothing denser than fat"):
        bone_from(image, "femur_left", Part.from_mask("ct", mask))


def test_more_elements_than_memory_holds_are_refused() -> None:
    bone = block(np.full((20, 20, 20), 300, np.float32))
    with pytest.raises(InvalidValueError, match=r"6,859,000 elements of 0.1 mm.*larger elements"):
        frame((0, 0, 1), (1, 0, 0), bone.positions, 0.1)


def test_metal_and_two_bones_are_refused() -> None:
    grid = Grid.axial((30, 30, 30), (1.0, 1.0, 1.0))
    hu = np.full(grid.shape, 300, np.int16)
    mask = np.zeros(grid.shape, bool)
    mask[4:26, 4:12, 4:12] = True
    hu[10:20, 6:10, 6:10] = 3000
    with pytest.raises(UnsuitableStudyError, match="metal"):
        bone_from(Image(grid, hu, "HU"), "femur_left", Part.from_mask("ct", mask))
    mask[4:26, 4:12, 18:26] = True
    with pytest.raises(UnsuitableStudyError, match="several pieces"):
        bone_from(Image(grid, np.full_like(hu, 300), "HU"), "femur_left", Part.from_mask("ct", mask))
