"""Bones tested to failure: simulated ones whose lesions grow, and a vertebra of a real CT."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from redrawn import perturbed, smoothed
from simulated_bones import femur
from simulated_vertebra import drum

from osteoscope.domain.geometry import Grid
from osteoscope.errors import UnsuitableStudyError
from osteoscope.fe.bone import Bone
from osteoscope.fe.cases import CASES
from osteoscope.fe.density import Calibration, nominal
from osteoscope.fe.export import bricks, write_inp, write_vtu
from osteoscope.fe.interval import span
from osteoscope.fe.landmarks import vertebra_marks
from osteoscope.fe.landmarks_femur import femur_marks
from osteoscope.fe.laws import LAWS, law_for
from osteoscope.fe.loads import compression
from osteoscope.fe.loads_femur import stance
from osteoscope.fe.mesh import Material, frame
from osteoscope.fe.plastic import PushOptions, push
from osteoscope.fe.solve import solve
from osteoscope.fe.strain import estimates
from osteoscope.fe.strength import in_sections, strength
from osteoscope.fe.strength_record import Setting

FIXED = Calibration("fixed", "K2HPO4", 0.8e-3, 0.0, 0.05, True, "test")
NECK, TROCHANTER, GREATER = (108.0, -33.0, -110.0), (125.0, -30.0, -140.0), (135.0, -28.0, -128.0)


def vertebra_setting(calibration: Calibration = FIXED, interval_mm: float = 0.0) -> Setting:
    return Setting(CASES["compression"], Material(law_for("vertebra_L3"), calibration), 4.0, interval_mm, 70.0)


def with_ball(bone: Bone, centre: tuple[float, float, float], diameter: float) -> Bone:
    places = bone.grid.to_position(np.moveaxis(np.indices(bone.mask.shape), 0, -1))
    ball = (np.linalg.norm(places - centre, axis=-1) <= diameter / 2) & bone.mask
    hu = np.where(ball, np.float32(40), bone.hu)
    return replace(bone, hu=hu, lesions={"ball": ball})


def test_a_lesion_that_grows_in_a_femur_takes_strength_step_by_step() -> None:
    material = Material(law_for("femur_left"), FIXED)
    marks = femur_marks(femur())
    loads = []
    for diameter in (5.0, 22.0, 40.0):
        bone = femur({"a": (TROCHANTER, diameter)})
        trial = stance(bone, marks, material, 5.0)
        loads.append(push(trial.model, trial.supports, PushOptions(steps=4)).failure_load)
    assert all(later < before for before, later in pairwise(loads))
    assert loads[-1] < 0.75 * loads[0]
    assert 1_000 < loads[0] < 20_000


@pytest.mark.parametrize("case", ["stance", "fall"])
def test_a_lesion_of_the_neck_costs_more_than_one_of_the_trochanter(case: str) -> None:
    material = Material(law_for("femur_left"), FIXED)
    marks = femur_marks(femur())
    loads = {}
    for name, centre, diameter in (("none", NECK, 0.0), ("neck", NECK, 25.0), ("trochanter", GREATER, 25.0)):
        bone = femur({"a": (centre, diameter)} if diameter else {})
        trial = CASES[case].trial(bone, marks, material, 5.0, (0.0, 0.0))
        curve = push(trial.model, trial.supports, PushOptions(steps=4, corrections=30))
        assert curve.last.residual <= PushOptions().tolerance
        loads[name] = curve.failure_load
    assert 1_000 < loads["neck"] < 0.97 * loads["trochanter"] < loads["trochanter"] < 1.005 * loads["none"] < 15_000


def test_a_mask_drawn_a_little_otherwise_gives_the_same_load() -> None:
    bone = femur({"a": (NECK, 20.0)}, 1.5)
    marks, material = femur_marks(bone), Material(law_for("femur_left"), FIXED)
    trials = [stance(one, marks, material, 5.0) for one in (bone, perturbed(bone, 0), smoothed(bone))]
    true, *others = [push(trial.model, trial.supports, PushOptions(steps=4)).failure_load for trial in trials]
    assert true not in others
    assert others == pytest.approx([true, true], rel=0.05)


def test_a_mask_of_a_real_vertebra_drawn_otherwise_gives_the_same_load(shared: Path) -> None:
    """Within 5 % (and a tenth of that for the solver), with landmarks found anew in each: end plates are met over their
    whole width, whatever a reader drew."""
    folder = shared / "ct" / "tptbox_vertebra"
    if not folder.is_dir():
        pytest.skip("tptbox_vertebra is absent")
    from real_vertebra import bone_of  # noqa: PLC0415 - reads files that may be absent

    bone = bone_of(folder)
    drawn = [bone, *(perturbed(bone, seed) for seed in range(4)), smoothed(bone)]
    marks = [vertebra_marks(one) for one in drawn]
    material = Material(law_for("vertebra_L3"), FIXED)
    trials = [compression(one, own, material, 4.0) for one, own in zip(drawn, marks, strict=True)]
    true, *others = [push(trial.model, trial.supports).failure_load for trial in trials]
    assert true not in others
    assert others == pytest.approx([true] * 5, rel=0.055)
    assert all(np.rad2deg(np.arccos(min(1.0, float(own.axis @ marks[0].axis)))) < 4 for own in marks)


@pytest.mark.parametrize("axis", [1, 2])
def test_the_load_of_uneven_bone_does_not_hang_on_where_the_lattice_starts(
    monkeypatch: pytest.MonkeyPatch, axis: int
) -> None:
    """Voxels as large as elements, and upright: along each other, an element would be one voxel or parts of two, and
    the loads 4 to 5 % apart (9 % in a real L3)."""
    coarse = np.random.default_rng(1).uniform(-100, 700, (22, 39, 28))
    bone = drum((0, 0))
    bone = replace(bone, hu=np.kron(coarse, np.ones((2, 2, 2))).astype(np.float32))
    marks, material = vertebra_marks(bone), Material(law_for("vertebra_L3"), FIXED)
    loads = []
    for aside in (0.0, 0.25):

        def laid(*args: Any, by: float = aside) -> Grid:
            grid = frame(*args)
            matrix = grid.matrix.copy()
            matrix[:3, 3] += by * matrix[:3, axis]
            return Grid.from_matrix(grid.shape, matrix)

        monkeypatch.setattr("osteoscope.fe.loads.frame", laid)
        trial = compression(bone, marks, material, 2.0)
        loads.append(push(trial.model, trial.supports, PushOptions(steps=4)).failure_load)
    assert loads[1] == pytest.approx(loads[0], rel=0.02)


def test_result_of_a_vertebra_with_its_interval() -> None:
    bone = with_ball(drum((0, 0)), (0, -4, 0), 20.0)
    found = strength(bone, vertebra_setting(replace(FIXED, offset_spread=0.010), 5.0))
    load, loss = found.measure("failure_load"), found.measure("strength_loss")
    assert load is not None
    assert loss is not None
    assert load.interval is not None
    assert load.interval[0] < 0.95 * load.value < 1.05 * load.value < load.interval[1]
    assert 2 < loss.value < 60
    assert loss.interval is not None
    assert {term.name for term in found.terms} == {"calibration", "calibration offset", "mask", "axis", "lesion tissue"}
    moved = next(term for term in found.terms if term.name == "calibration")
    # Strength goes with density to the power of 1.39: 5 % of the slope is 7 % of the load.
    assert moved.load[1] == pytest.approx(1.05**1.39 - 1, abs=0.02)
    assert abs(moved.left[1]) < 0.02
    offset = next(term for term in found.terms if term.name == "calibration offset")
    # Of bone of 0.2 g/cm3, 5 % of the density.
    assert offset.load == pytest.approx((0.95**1.39 - 1, 1.05**1.39 - 1), abs=0.02)
    assert all("kopperdahl_2002" in m.method for m in (load, loss))
    assert all("calibration: fixed" in m.method for m in (load, loss))
    weight = found.measure("failure_load_by_weight")
    assert weight is not None
    assert weight.value == pytest.approx(load.value / (70 * 9.81))
    cost = found.lesions[0]
    assert [m.name for m in cost.measures] == ["strength_loss", "rigidity_loss"]
    assert cost.weakest is not None
    assert found.failure is not None
    assert found.failure.nearest == "ball"
    assert all(m.value > 0.2 * load.value for m in estimates(found))


def test_without_calibration_there_are_ratios_and_a_gap() -> None:
    bone = with_ball(drum((0, 0)), (0, -4, 0), 20.0)
    found = strength(bone, vertebra_setting(nominal()))
    assert found.measure("failure_load") is None
    assert found.measure("stiffness") is None
    assert found.measure("strength_loss") is not None
    assert [gap.step for gap in found.gaps] == ["failure_load"]
    assert estimates(found) == ()


def test_where_nothing_can_heal_a_lesion_the_failure_load_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    def healed(*_: Any) -> Bone:
        raise UnsuitableStudyError("heal", "no healthy tissue left", "Compare with the other side instead")

    monkeypatch.setattr(Bone, "healed", healed)
    found = strength(with_ball(drum((0, 0)), (0, -4, 0), 20.0), vertebra_setting(interval_mm=5.0))
    load = found.measure("failure_load")
    assert load is not None
    assert load.interval is None
    assert found.terms == ()
    assert [(gap.where, gap.step) for gap in found.gaps] == [("ball", "strength_loss"), ("vertebra_L3", "interval")]
    assert "no healthy tissue left" in found.gaps[1].reason


def test_a_lesion_through_the_whole_section_is_refused() -> None:
    bone = drum((0, 0))
    levels = np.arange(bone.mask.shape[0])[:, None, None]
    slab = bone.mask & (levels > 18) & (levels < 27)
    sick = replace(bone, hu=np.where(slab, np.float32(40), bone.hu), lesions={"slab": slab})
    with pytest.raises(UnsuitableStudyError, match="one whole section"):
        strength(sick, vertebra_setting())


@pytest.mark.parametrize("case", ["stance", "fall"])
def test_a_lesion_through_the_whole_shaft_is_refused_however_the_femur_is_loaded(case: str) -> None:
    bone = femur()
    marks = femur_marks(bone)
    places = bone.grid.to_position(np.moveaxis(np.indices(bone.mask.shape), 0, -1))
    slab = bone.mask & (np.abs((places - marks.shaft) @ marks.along + 20) < 12)
    sick = replace(bone, hu=np.where(slab, np.float32(40), bone.hu), lesions={"slab": slab})
    with pytest.raises(UnsuitableStudyError, match="one whole section"):
        strength(sick, Setting(CASES[case], Material(law_for("femur_left"), FIXED), 5.0, 0.0, 70.0))


def test_a_lesion_of_the_neck_has_no_rigidity_that_could_look_normal() -> None:
    bone = femur({"neck": ((108.0, -33.0, -110.0), 14.0), "trochanter": (TROCHANTER, 20.0)})
    trial = stance(bone, femur_marks(bone), Material(law_for("femur_left"), FIXED), 4.0)
    assert not in_sections(trial, "neck")
    assert in_sections(trial, "trochanter")


def test_terms_are_added_as_squares() -> None:
    assert span([(-0.3, 0.1), (-0.4, 0.0)]) == pytest.approx((0.5, 0.1))
    assert span([]) == (0.0, 0.0)


def test_vertebra_of_a_real_ct(shared: Path) -> None:
    """A healthy L3 in the range of published vertebrae, 0.2-6.2 kN (Ghosh 2026, S75), less with a hole in it."""
    folder = shared / "ct" / "tptbox_vertebra"
    if not folder.is_dir():
        pytest.skip("tptbox_vertebra is absent")
    from real_vertebra import bone_of  # noqa: PLC0415 - reads files that may be absent

    bone = bone_of(folder)
    setting = replace(vertebra_setting(), element_mm=3.0)
    whole = strength(bone, setting)
    load = whole.measure("failure_load")
    assert load is not None
    assert 500 < load.value < 8_000
    assert 20 < whole.marks.height < 32
    holed = strength(with_ball(bone, tuple(whole.marks.centre), 22.0), setting)
    loss = holed.measure("strength_loss")
    assert loss is not None
    assert 2 < loss.value < 60


def test_vtk_file_holds_every_brick_in_the_patients_axes(tmp_path: Path) -> None:
    bone = drum((0, 0))
    found = strength(bone, vertebra_setting())
    write_vtu(found.trial, found.curve, tmp_path / "a.vtu")
    piece = ElementTree.parse(tmp_path / "a.vtu").getroot().find("UnstructuredGrid/Piece")  # noqa: S314 - ours
    assert piece is not None
    nodes, elements = bricks(found.trial)
    assert (int(piece.attrib["NumberOfPoints"]), int(piece.attrib["NumberOfCells"])) == (len(nodes), len(elements))
    names = {array.attrib["Name"] for array in piece.iter("DataArray")}
    assert {"modulus_MPa", "plastic_strain", "failed", "displacement_mm"} <= names


@pytest.mark.skipif(shutil.which("ccx") is None, reason="CalculiX is not installed")
def test_calculix_finds_the_same_force_in_the_exported_mesh(tmp_path: Path) -> None:
    """Elastic, so that only the mesh, the materials' bins and the supports are compared."""
    bone = drum((3, 2))
    trial = compression(bone, vertebra_marks(bone), Material(LAWS["crawford_2003"], FIXED), 5.0)
    write_inp(trial, 0.3, tmp_path / "a.inp")
    text = (tmp_path / "a.inp").read_text(encoding="ascii")
    (tmp_path / "a.inp").write_text(text.replace("0.05, 1.", "1., 1.").replace("TOTALS=ONLY", "TOTALS=YES"))
    subprocess.run(["ccx", "a"], cwd=tmp_path, check=True, capture_output=True, timeout=120)
    nodes, _ = bricks(trial)
    rows = [line.split() for line in (tmp_path / "a.dat").read_text().splitlines()]
    forces = {int(r[0]): float(r[3]) for r in rows if len(r) == 4 and r[0].isdigit()}
    index = {tuple(int(v) for v in node): n for n, node in enumerate(nodes, 1)}
    pushed = trial.supports.nodes[trial.supports.value != 0]
    total = sum(forces[index[tuple(int(v) for v in node)]] for node in pushed)
    assert abs(total) == pytest.approx(solve(trial.model, trial.supports).force, rel=5e-3)
