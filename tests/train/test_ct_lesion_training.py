"""The training of the lesion network of CT at toy size: scans, implants, examples, a few steps, export, findings."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from osteoscope.dicom.write_nifti import write_nifti
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import regions_of
from osteoscope.domain.study import Patient, Study
from osteoscope.errors import ModelError, UnsuitableStudyError
from osteoscope.find.ct_lesion_network import find_lesions
from osteoscope.find.ct_lesion_windows import CLASSES, planes
from osteoscope.find.model import Model
from osteoscope.reading.ct_plans import CT_BASELINE, CT_PLAN
from osteoscope.reading.plan import Plan
from osteoscope.simulate.ct import CtLesion, CtMimic, CtPatient, CtRecipe, CtSimulation, Scanner, simulate_ct
from osteoscope.train import ct_lesion_confidences
from osteoscope.train.ct_backgrounds import Real, find_real, may_train, read_study, write_real
from osteoscope.train.ct_ground import LESION, LOOK_ALIKE, Ground
from osteoscope.train.ct_held_out import with_implants
from osteoscope.train.ct_implants import LESIONS, add_lesion, add_nothing
from osteoscope.train.ct_lesion_export import export
from osteoscope.train.ct_lesion_fit import fit
from osteoscope.train.ct_lesion_loss import WEIGHTS, losses
from osteoscope.train.ct_lesion_net import LesionNet
from osteoscope.train.ct_lesion_patches import PATCH, deep_place, draw, thin_place
from osteoscope.train.ct_look_alikes import LOOK_ALIKES, add_look_alike
from osteoscope.train.ct_scans import LOOK_ALIKE as FIRST_LOOK_ALIKE
from osteoscope.train.ct_scans import Scan, of_lesion, prepare
from osteoscope.train.exporting import Story, logistic
from osteoscope.train.fitting import FitOptions, Task, fit_task

RECIPE = CtRecipe(
    CtPatient(bone_density=1.4),
    "lumbar",
    (2.5, 1.4, 1.4),
    Scanner(noise_hu=12),
    lesions=(CtLesion("vertebra_L2", "lytic", 18), CtLesion("vertebra_L4", "blastic", 16)),
    mimics=(CtMimic("vertebra_L3", "enostosis"),),
)


@pytest.fixture(scope="module")
def simulated() -> CtSimulation:
    return simulate_ct(RECIPE, 4)


@pytest.fixture(scope="module")
def scan(simulated: CtSimulation) -> Scan:
    asides = [aside.region for aside in simulated.reading.set_aside]
    return prepare(
        simulated.study,
        regions_of(simulated.mapped),
        [finding.region for finding in simulated.reading.findings],
        asides,
    )


@pytest.fixture(scope="module")
def plain(scan: Scan) -> Scan:
    """As a real scan is: nothing marked."""
    return Scan(scan.hu, scan.bone, np.zeros_like(scan.label), scan.blur, scan.noise, scan.grain)


def test_a_prepared_scan_keeps_its_marks_and_comes_back(scan: Scan, tmp_path: Path) -> None:
    assert set(np.unique(scan.label)) == {0, 1, 2, FIRST_LOOK_ALIKE}
    assert np.median(scan.hu[scan.label == 1]) < 120
    assert np.median(scan.hu[scan.label == 2]) > 350
    assert scan.bone[scan.label == 1].mean() > 0.95
    assert 4 < scan.noise < 25
    scan.save(tmp_path / "s.npz")
    found = Scan.load(tmp_path / "s.npz")
    assert all(np.array_equal(getattr(found, name), getattr(scan, name)) for name in ("hu", "bone", "label"))
    assert (found.blur, found.noise, found.grain) == (scan.blur, scan.noise, scan.grain)
    assert found.numbers.tolist() == [1, 2, FIRST_LOOK_ALIKE]
    with np.load(tmp_path / "s.npz") as stored:
        np.savez(tmp_path / "other.npz", **{**stored, "step_mm": 1.0})
    with pytest.raises(UnsuitableStudyError, match=r"other\.npz.* another version prepared\. Remove it"):
        Scan.load(tmp_path / "other.npz")


def test_a_scan_without_bone_is_refused() -> None:
    grid = Grid.axial((8, 30, 30), (3, 2, 2))
    study = Study("1.3", "ct", "", Patient("p"), {"ct": Image(grid, np.full(grid.shape, 30, np.int16), "HU")})
    with pytest.raises(UnsuitableStudyError, match="0 voxels of bone"):
        prepare(study, (), (), ())


def uniform(seed: int, noise: float = 15.0) -> Ground:
    """Marrow of 250 HU with noise, in the middle of soft tissue."""
    rng = np.random.default_rng(seed)
    bone = np.zeros((56,) * 3, dtype=bool)
    bone[8:-8, 8:-8, 8:-8] = True
    grain = (0.6, 0.4, 0.4)
    ground = Ground(
        np.where(bone, 250.0, 50.0).astype(np.float32), bone, np.zeros(bone.shape, np.uint8),
        np.ones(bone.shape, np.float32), (0.8, 0.5, 0.5), noise, grain, rng,
    )  # fmt: skip
    ground.hu += ground.noise_like(bone.shape)
    return ground


MIDDLE, SHALLOW = np.array([28, 28, 28]), np.array([10, 28, 28])


@pytest.mark.parametrize("kind", LESIONS)
def test_every_kind_of_lesion_changes_bone_where_it_is_marked(kind: str) -> None:
    ground = uniform(6)
    before = ground.hu.copy()
    assert add_lesion(ground, kind, MIDDLE)
    mask = ground.label == LESION
    assert np.abs(ground.hu - before)[mask].mean() > 40
    far = ~np.asarray(torch.nn.functional.max_pool3d(torch.from_numpy(mask[None].astype(np.float32)), 25, 1, 12)[0] > 0)
    assert np.array_equal(ground.hu[far], before[far])


def test_a_lesion_that_would_not_show_is_not_put_in() -> None:
    ground = uniform(2)
    ground.hu -= 195  # marrow as dense as tumour
    before = ground.hu.copy()
    assert not add_lesion(ground, "lytic", MIDDLE)
    assert np.array_equal(ground.hu, before)
    assert not ground.label.any()


@pytest.mark.parametrize("kind", LOOK_ALIKES)
def test_every_look_alike_changes_bone_and_is_never_a_lesion(kind: str) -> None:
    ground = uniform(7)
    before = ground.hu.copy()
    add_look_alike(ground, kind, SHALLOW)
    assert np.abs(ground.hu - before).max() > 60
    assert (ground.label == LOOK_ALIKE).any() == (kind != "metal")
    assert not (ground.label == LESION).any()


def test_an_edit_leaves_noise_as_it_was() -> None:
    """What is replaced by the same has the noise of what was there, inside and at its edge."""
    spreads = []
    for seed in range(12):
        ground = uniform(seed, 30.0)
        ground.smooth[:] = 250  # so that noise alone is left
        before = ground.hu.copy()
        add_nothing(ground, MIDDLE)
        changed = np.abs(ground.hu - before) > 1e-3
        spreads.append((ground.hu[changed & ground.bone] - 250).std())
    assert 25 < np.mean(spreads) < 45  # texture of up to 40 HU is part of the edit


def test_examples_differ_are_marked_and_can_be_made_again(scan: Scan, plain: Scan) -> None:
    rng = np.random.default_rng(5)
    examples = [draw(each, rng) for each in (scan, plain) * 6]
    assert len({example.picture.tobytes() for example in examples}) == len(examples)
    for example in examples:
        assert example.picture.shape == (2, PATCH, PATCH, PATCH)
        assert np.isfinite(example.picture).all()
        assert example.weight.min() > 0
        assert example.label.max() < len(CLASSES)
    marked = [np.unique(example.label) for example in examples]
    assert sum(1 in labels for labels in marked) > 5
    assert any(2 in labels for labels in marked)
    first, second = (draw(plain, np.random.default_rng(8)) for _ in range(2))
    assert np.array_equal(first.picture, second.picture)


def test_of_very_many_lesions_none_becomes_a_look_alike(simulated: CtSimulation) -> None:
    (lesion, *_), bones = [f.region for f in simulated.reading.findings], regions_of(simulated.mapped)
    (aside, *_) = [aside.region for aside in simulated.reading.set_aside]
    made = prepare(simulated.study, bones, [lesion] * 300, [aside] * 300)
    assert of_lesion(made.label).any()
    assert (made.label >= FIRST_LOOK_ALIKE).any()
    few = prepare(simulated.study, bones, [lesion], [aside])
    assert np.array_equal(of_lesion(made.label), of_lesion(few.label))


def test_implants_of_a_whole_scan_are_told_apart(plain: Scan) -> None:
    made = with_implants(plain, np.random.default_rng(1), lesions=3)
    numbers = set(np.unique(made.label).tolist()) - {0, FIRST_LOOK_ALIKE}
    assert numbers == set(range(1, len(numbers) + 1))
    assert numbers
    assert plain.hu is not made.hu
    assert not plain.label.any()


@pytest.mark.parametrize(
    ("source", "free"),
    [
        ("repo: x\nlicence: Apache License 2.0 (repository LICENSE)\nwhat: CT", True),
        ("Repository licence: MIT License (repository)\nLicence of the images: CC BY 3.0 [from knowledge]", True),
        ("licence: CC BY 4.0", True),
        ("licence: none in repo; TCIA lists CC BY 3.0 [from knowledge]", False),
        ("licence: CC BY 3.0 [from knowledge]", False),
        ("licence: CC BY-NC 3.0 Unported", False),
        ("Repository licence: none stated", False),
        ("a CT of a friend", False),
    ],
)
def test_only_a_stated_free_licence_lets_a_scan_train(source: str, free: bool) -> None:
    assert may_train(source) is free


def test_label_maps_are_no_scans(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "SOURCE.txt").write_text("licence: none")
    for name in ("ct", "ct_seg", "example_seg_v1"):
        (folder / f"{name}.nii.gz").touch()
    assert [(real.name, real.free) for real in find_real(tmp_path)] == [("a_ct", False)]


def test_a_real_scan_is_prepared_with_the_bones_that_a_reading_maps(simulated: CtSimulation, tmp_path: Path) -> None:
    """Lesions put into cartilage or an organ that geometry alone takes for bone would teach to find them there."""
    image, path = simulated.study.images["ct"], tmp_path / "a.nii.gz"
    write_nifti(image.grid, image.values, path)
    study = read_study(path)

    def bone(plan: Plan) -> np.ndarray:
        return prepare(study, regions_of(plan.map_sites(study)), (), ()).bone

    prepared = Scan.load(write_real(Real(path, "a", free=True), tmp_path)).bone
    np.testing.assert_array_equal(prepared, bone(CT_PLAN))
    assert not np.array_equal(prepared, bone(CT_BASELINE))


def test_training_learns(scan: Scan, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    centre = np.argwhere(scan.label == 1).mean(axis=0).astype(int)
    box = tuple(slice(max(0, at - 16), max(0, at - 16) + 32) for at in centre.tolist())
    hu, label = scan.hu[box], (scan.label[box] > 0).astype(np.uint8)
    example: dict[str, np.ndarray] = {"picture": planes(hu), "label": label, "weight": np.ones(hu.shape, np.float32)}
    task = Task(LesionNet((8, 16)), lambda _: example, losses, WEIGHTS)
    options = FitOptions(examples=40, batch=2, warm=4, workers=0, every=20, rate=5e-3)
    first, last = fit_task(task, tmp_path, options, {})
    assert all(last[name] < first[name] for name in ("classes", "lesion"))
    with pytest.raises(ModelError, match="weights of another network"):
        next(fit_task(replace(task, net=LesionNet((8, 8))), tmp_path, options, {}))


def test_training_goes_on_ships_and_reads(scan: Scan, plain: Scan, simulated: CtSimulation, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    paths = [tmp_path / "simulated.npz", tmp_path / "real.npz"]
    for each, path in zip((scan, plain), paths, strict=True):
        each.save(path)
    options = FitOptions(examples=8, batch=2, warm=2, workers=0, every=4, rate=3e-3)
    widths = (8, 16, 16, 24)
    lines = list(fit({"simulated": paths[:1], "real": paths[1:]}, tmp_path, options, LesionNet(widths)))
    assert [line["examples"] for line in lines] == [4, 8]
    options = FitOptions(examples=10, batch=2, workers=0, every=2)
    more = list(fit({"simulated": paths[:1], "real": paths[1:]}, tmp_path, options, LesionNet(widths)))
    assert [line["examples"] for line in more] == [10]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own making
        story, net = Story("0", "a toy", ("a toy",)), LesionNet(widths)
        card = export(tmp_path / "weights.pt", tmp_path / "model", paths[:1], story, window=48, net=net)
    assert b"osteoscope/train" not in card.with_suffix(".onnx").read_bytes()
    assert json.loads(card.read_text())["settings"].keys() == {"window", "stride", "step_mm", "mirrored", "confidence"}
    found = find_lesions(simulated.study, simulated.mapped, model=Model.load(card))
    assert all(0 <= finding.confidence <= 1 for finding in found.findings)


def test_confidences_of_a_network_are_fitted_anew(plain: Scan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    middle = tuple(slice(n // 2 - 30, n // 2 + 30) for n in plain.hu.shape)
    part = replace(plain, hu=plain.hu[middle], bone=plain.bone[middle], label=plain.label[middle])
    net = LesionNet((8, 16))
    torch.save(net.state_dict(), tmp_path / "weights.pt")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own making
        card = export(tmp_path / "weights.pt", tmp_path, [], Story("0", "toy", ()), 48, LesionNet((8, 16)))
    reals = [Real(tmp_path, name, free=name != "bound") for name in ("one", "other", "bound")]
    monkeypatch.setattr(ct_lesion_confidences, "shipped", lambda _: Model.load(card))
    monkeypatch.setattr(ct_lesion_confidences, "find_real", lambda _: reals)
    monkeypatch.setattr(ct_lesion_confidences, "write_real", lambda real, _: part.save(tmp_path / f"{real.name}.npz"))
    ct_lesion_confidences.main(tmp_path / "work", [tmp_path], leave_out=["oth"])
    before, after = (json.loads((tmp_path / name).read_text()) for name in ("ct_lesions.json", "work/ct_lesions.json"))
    assert after["sha256"] == before["sha256"]
    assert after["settings"]["confidence"].keys() == {"constant", "mean", "unlike_twins"}
    assert after["data"] == "toy; 4 copies of each of 1 real scans calibrate"


def test_lesions_are_put_into_thin_bone_where_that_is_wanted() -> None:
    """A block and two rods of bone."""
    bone = np.zeros((60, 60, 90), dtype=bool)
    bone[10:50, 10:50, 5:45] = True
    for y in (5, 15, 25, 35, 45):
        bone[5:55, y : y + 5, 60:65] = bone[5:55, y : y + 5, 75:80] = True
    zero = np.zeros(bone.shape, dtype=np.uint8)
    soft = (0.5, 0.5, 0.5)
    counts = []
    for place in (deep_place, thin_place):
        hu = np.where(bone, 300.0, 40.0).astype(np.float32)
        ground = Ground(hu, bone, zero, np.ones(hu.shape, np.float32), soft, 8.0, soft, np.random.default_rng(1))
        counts.append(sum(place(ground, np.argwhere(bone))[2] >= 52 for _ in range(40)))
    assert counts[1] >= counts[0] + 10


def test_a_feature_that_may_only_speak_for_a_lesion_never_speaks_against_one() -> None:
    rng = np.random.default_rng(2)
    features = rng.normal(0, 1, (400, 2))
    right = features[:, 0] - 0.5 * features[:, 1] + rng.normal(0, 0.5, 400) > 0
    free = logistic(features.tolist(), right.tolist(), ("a", "b"))
    held = logistic(features.tolist(), right.tolist(), ("a", "b"), rising=("a", "b"))
    assert free["b"] < -1
    assert held["b"] == 0
    assert held["a"] > 1
