"""Bones by a local nnU-Net: a tiny network in its folder format, run by a minimal program with its command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - the name that its own documentation uses
import torch

from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.study import Patient, Study
from osteoscope.errors import DependencyError, InvalidValueError, ModelError
from osteoscope.find import ct_bones_nnunet
from osteoscope.find.ct_bone_order import impossible
from osteoscope.find.ct_bones_nnunet import _PROGRAM, check, classes, folders_of, map_bones

# Does what the network of the test needs and no more: one layer on HU, each class where its plane is highest.
RUNNER = """#!{python}
import argparse, json, pathlib, torch
import SimpleITK as sitk
asked = argparse.ArgumentParser()
for name in ("-i", "-o", "-m", "-chk", "-device", "-npp", "-nps"):
    asked.add_argument(name)
asked.add_argument("-f", nargs="+")
asked.add_argument("--disable_tta", action="store_true")
got = asked.parse_args()
folder = pathlib.Path(got.m)
assert json.loads((folder / "plans.json").read_text())["plans_name"] == "nnUNetPlans"
weights = torch.load(folder / f"fold_{{got.f[0]}}" / got.chk, weights_only=True)["network_weights"]
image = sitk.ReadImage(str(pathlib.Path(got.i) / "ct_0000.nii.gz"), sitk.sitkFloat32)
assert image.GetDirection() == (-1, 0, 0, 0, -1, 0, 0, 0, 1), image.GetDirection()
net = torch.nn.Conv3d(1, len(weights["bias"]), 1)
net.load_state_dict(weights)
said = net(torch.from_numpy(sitk.GetArrayFromImage(image))[None, None]).argmax(1)[0]
found = sitk.GetImageFromArray(said.to(torch.uint8).numpy())
found.CopyInformation(image)
sitk.WriteImage(found, str(pathlib.Path(got.o) / "ct.nii.gz"))
"""


@pytest.fixture
def model(nnunet: Path) -> Path:
    """Classes by HU: liver from 30, L3 from 200, the left femur from 800."""
    steep, edges = np.arange(4.0), np.array([0.0, 30, 200, 800])
    weights = {
        "weight": torch.tensor(steep, dtype=torch.float32).reshape(4, 1, 1, 1, 1),
        "bias": torch.tensor(-np.cumsum(edges), dtype=torch.float32),
    }
    torch.save(
        {"network_weights": weights, "trainer_name": "nnUNetTrainer"}, nnunet / "fold_0" / "checkpoint_final.pth"
    )
    return nnunet


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "bin" / _PROGRAM
    path.parent.mkdir()
    path.write_text(RUNNER.format(python=sys.executable))
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(path.parent), prepend=":")
    return path


@pytest.fixture
def study() -> Study:
    """A block of L3 on the midline, of femur on the patient's left, of liver on the right, on a slanted stack."""
    values = np.zeros((12, 30, 40), dtype=np.int16)
    values[2:6, 10:18, 16:22], values[7:11, 12:18, 28:36], values[7:11, 4:10, 4:10] = 400, 1200, 60
    matrix = Grid.axial(values.shape, (-3.0, 1.5, 1.5), (-30, -20, 50)).matrix
    return Study("1.2", "ct", "", Patient("p"), {"ct": Image(Grid.from_matrix(values.shape, matrix), values, "HU")})


@pytest.mark.usefixtures("program")
def test_bones_of_a_local_network_lie_where_they_are(study: Study, model: Path) -> None:
    sites = {place.site: place for place in map_bones(study, f"nnunet:{model}")}
    assert set(sites) == {"vertebra_L3", "femur_left"}
    values = study.images["ct"].values
    for site, hu in (("vertebra_L3", 400), ("femur_left", 1200)):
        region = sites[site].region
        assert region is not None
        mask, wanted = region.parts[0].full(values.shape), values == hu
        assert 2 * (mask & wanted).sum() / (mask.sum() + wanted.sum()) > 0.8
        assert any("nnU-Net" in note for note in sites[site].notes)


@pytest.fixture
def by_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same classes by HU without starting a program, which takes seconds."""

    def run(_: str, __: Path, scratch: Path) -> Path:
        image = sitk.ReadImage(str(scratch / "in" / "ct_0000.nii.gz"), sitk.sitkFloat32)
        found = sitk.GetImageFromArray(np.digitize(sitk.GetArrayFromImage(image), (30, 200, 800)).astype(np.uint8))
        sitk.WriteImage(found, str(scratch / "ct.nii.gz"))
        return scratch / "ct.nii.gz"

    monkeypatch.setattr(ct_bones_nnunet, "_run", run)


def with_labels(folder: Path, **numbers: int | list[int]) -> Path:
    (folder / "dataset.json").write_text(json.dumps({"labels": {"background": 0, "liver": 1, **numbers}}))
    return folder


@pytest.mark.usefixtures("program", "by_threshold")
@pytest.mark.parametrize(
    ("name", "site"),
    [
        ("rib_left_13", "rib_left_unknown_1"), ("vertebrae_T13", "vertebra_unknown_1"), ("tibia", "bone_unknown_1"),
        ("ribs", "bone_unknown_1"), ("tibia_left", "tibia_left"), ("patella_right", "patella_right"),
    ],
)  # fmt: skip
def test_a_bone_without_a_site_id_stays_bone_and_is_told(study: Study, nnunet: Path, name: str, site: str) -> None:
    choice = f"nnunet:{with_labels(nnunet, vertebrae_L6=2, **{name: 3})}"
    check(choice)
    found = {place.site: place for place in map_bones(study, choice)}
    sixth = "vertebra_unknown_1"
    wanted = "vertebra_unknown_2" if site == sixth else site
    assert set(found) == {sixth, wanted}
    assert any("vertebrae_L6, which has no site id" in note for note in found[sixth].notes)
    assert any(f"{name}, which has no site id" in note for note in found[wanted].notes) == ("unknown" in site)


@pytest.mark.usefixtures("program", "by_threshold")
def test_an_order_that_no_spine_has_makes_levels_uncertain(study: Study, nnunet: Path) -> None:
    found = map_bones(study, f"nnunet:{with_labels(nnunet, vertebrae_T3=2, vertebrae_L5=3)}")
    assert {place.notes[0] for place in found} == {"level uncertain: T3 lies directly above L5"}
    assert all(place.confidence < 0.5 for place in found)


@pytest.mark.parametrize(
    ("heights", "said"),
    [
        ({"L1": 120, "L2": 80, "L3": 40}, ()),
        ({"T11": 100, "T12": 75, "L2": 10, "L3": -27}, ()),  # L1 was not found, and its place is there
        ({"L1": 120, "L2": 85, "L4": 48, "L5": 10}, ("L2 lies directly above L4",)),
        ({"L1": 40, "L2": 80}, ("L2 lies directly above L1",)),
        ({"T3": 40, "L5": 0}, ("T3 lies directly above L5",)),
        ({"T3": 400, "L5": 0}, ()),
        ({}, ()),
    ],
)
def test_vertebrae_are_checked_for_an_order_that_can_be(heights: dict[str, float], said: tuple[str, ...]) -> None:
    assert impossible({f"vertebra_{level}": mm for level, mm in heights.items()}) == said


def test_classes_that_are_regions_are_refused_by_name(nnunet: Path) -> None:
    with pytest.raises(ModelError, match=r"regions of several labels \(bone \[1, 2\]\)"):
        classes(with_labels(nnunet, bone=[1, 2]))


@pytest.mark.usefixtures("program")
def test_a_network_that_fails_is_named(study: Study, nnunet: Path) -> None:
    with pytest.raises(ModelError, match="Dataset001_Toy"):
        map_bones(study, f"nnunet:{nnunet}")


def test_without_nnunet_one_says_what_to_install(
    study: Study, nnunet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(DependencyError, match="pip install nnunetv2"):
        map_bones(study, f"nnunet:{nnunet}")


def test_a_folder_without_a_network_is_refused(nnunet: Path) -> None:
    (nnunet / "plans.json").unlink()
    with pytest.raises(ModelError, match=r"plans\.json"):
        classes(nnunet)


def test_a_network_without_bones_is_refused(nnunet: Path) -> None:
    (nnunet / "dataset.json").write_text(json.dumps({"labels": {"background": 0, "liver": 1}}))
    with pytest.raises(ModelError, match="none of them a bone"):
        classes(nnunet)


def test_totalsegmentator_is_found_where_its_weights_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOTALSEG_WEIGHTS_PATH", str(tmp_path))
    with pytest.raises(ModelError, match="totalseg_download_weights"):
        folders_of("totalsegmentator")
    for number in (291, 292, 294, 295):
        folder = tmp_path / f"Dataset{number}_Total" / "nnUNetTrainer__nnUNetPlans__3d_fullres"
        folder.mkdir(parents=True)
        (folder / "plans.json").write_text("{}")
    assert [f.parent.name for f in folders_of("totalsegmentator")] == [f"Dataset{n}_Total" for n in (292, 294, 295)]


def test_other_choices_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="totalsegmentator"):
        folders_of("moose")
