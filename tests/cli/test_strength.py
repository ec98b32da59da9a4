"""`osteoscope strength` from files to a folder of results."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import typer
from simulated_vertebra import drum
from typer.testing import CliRunner

from osteoscope.cli.app import app
from osteoscope.deliver.strength_record import SCHEMA, StrengthRecord
from osteoscope.dicom.write_nifti import write_nifti
from osteoscope.domain import codec
from osteoscope.domain.finding import Measure
from osteoscope.errors import NotConvergedError
from osteoscope.fe.laws import usable
from osteoscope.fe.strength_record import Strength

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CT of a vertebra with a lytic ball, its mask with label 7, and the ball's."""
    place = tmp_path_factory.mktemp("strength")
    bone = drum((0, 0))
    rng = np.random.default_rng(0)
    places = bone.grid.to_position(np.moveaxis(np.indices(bone.mask.shape), 0, -1))
    ball = (np.linalg.norm(places, axis=-1) <= 9) & bone.mask
    hu = np.where(ball, 40, bone.hu) + rng.normal(0, 8, bone.mask.shape)
    hu[:, -2:] = -950
    write_nifti(bone.grid, np.rint(hu).astype(np.int16), place / "ct.nii.gz")
    write_nifti(bone.grid, 7 * bone.mask.astype(np.uint8), place / "bones.nii.gz")
    write_nifti(bone.grid, ball.astype(np.uint8), place / "lesions.nii.gz")
    return place


def run(folder: Path, *more: str) -> tuple[int, str]:
    return load(folder, ("--bone", f"vertebra_L3={folder / 'bones.nii.gz'}:7", *lesions_of(folder)), *more)


def lesions_of(folder: Path) -> tuple[str, str]:
    return "--lesions", str(folder / "lesions.nii.gz")


def load(folder: Path, masks: tuple[str, ...], *more: str) -> tuple[int, str]:
    given = ("strength", str(folder / "ct.nii.gz"), *masks, "--element-mm", "5", "--no-interval", *more)
    result = RUNNER.invoke(app, given)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return 1, str(result.exception)
    return result.exit_code, result.output


def test_calibrated_by_rods(folder: Path, tmp_path: Path) -> None:
    rods = ("--rod", "0=0", "--rod", "100=124", "--rod", "100=126", "--rod", "200=250", "--weight-kg", "70")
    code, text = run(folder, "--site", "vertebra_L3", "-o", str(tmp_path), *rods, "--tets-mm", "5")
    assert code == 0, text
    assert "failure load" in text
    record = codec.decode(StrengthRecord, json.loads((tmp_path / "strength.json").read_text(encoding="utf-8")))
    assert record.schema == SCHEMA
    bone = record.bones[0]
    assert {"failure_load", "failure_load_by_weight", "stiffness", "strength_loss"} == {m.name for m in bone.measures}
    assert bone.curve.unit == "N"
    assert bone.calibration.method == "phantom of 4 rods"
    assert bone.lesions[0].lesion == "lesion-1"
    for file in ("strength.html", "strength.pdf", "meshes/vertebra_L3.inp", "meshes/vertebra_L3.vtu"):
        assert (tmp_path / file).stat().st_size > 1000
    assert "TYPE=C3D10" in (tmp_path / "meshes/vertebra_L3_tets.inp").read_text(encoding="ascii")
    assert "lesion_lesion-1" in (tmp_path / "meshes/vertebra_L3_tets.vtu").read_text(encoding="ascii")
    page = (tmp_path / "strength.html").read_text(encoding="utf-8")
    assert "not a medical device" in page
    assert "What is not given" in page


def test_without_calibration_no_newtons_anywhere(folder: Path, tmp_path: Path) -> None:
    code, text = run(folder, "--site", "vertebra_L3", "--site", "vertebra_L4", "-o", str(tmp_path))
    assert code == 3, text
    record = json.loads((tmp_path / "strength.json").read_text(encoding="utf-8"))
    assert [gap["where"] for gap in record["refused"]] == ["vertebra_L4"]
    bone = record["bones"][0]
    assert [m["name"] for m in bone["measures"]] == ["strength_loss"]
    assert bone["curve"]["unit"] == "1"
    assert max(bone["curve"]["force"]) == pytest.approx(1, abs=1e-6)
    assert {gap["step"] for gap in bone["gaps"]} == {"failure_load", "calibration"}
    page = (tmp_path / "strength.html").read_text(encoding="utf-8")
    assert " N<" not in page


def test_masks_that_leave_lesions_out_or_hold_no_bone(folder: Path, tmp_path: Path) -> None:
    """A bone without its lesion is filled by it; a lesion apart from every bone and a mask of air are told."""
    bone = drum((0, 0))
    places = bone.grid.to_position(np.moveaxis(np.indices(bone.mask.shape), 0, -1))
    ball = (np.linalg.norm(places, axis=-1) <= 9) & bone.mask
    bones, lesions = (bone.mask & ~ball).astype(np.uint8), ball.astype(np.uint8)
    bones[10:20, -1] = 2
    lesions[:4, :4, :4] = 2
    write_nifti(bone.grid, bones, tmp_path / "bones.nii.gz")
    write_nifti(bone.grid, lesions, tmp_path / "lesions.nii.gz")
    sites = {f"vertebra_L{level}": f"{tmp_path / 'bones.nii.gz'}:{label}" for level, label in ((3, 1), (4, 2))}
    masks = [text for site, place in sites.items() for text in ("--site", site, "--bone", f"{site}={place}")]
    code, text = load(folder, (*masks, *lesions_of(tmp_path)), "-o", str(tmp_path / "out"))
    assert code == 3, text
    record = json.loads((tmp_path / "out" / "strength.json").read_text(encoding="utf-8"))
    assert [(gap["where"], "denser than fat" in gap["reason"]) for gap in record["refused"]] == [("vertebra_L4", True)]
    tested = record["bones"][0]
    assert [cost["lesion"] for cost in tested["lesions"]] == ["lesion-1"]
    assert tested["measures"][0]["value"] > 1
    (told,) = record["gaps"]
    assert told["where"] == "lesion-2"
    assert "label 2 of lesions.nii.gz lies in none of the bones" in told["reason"]
    assert text.count("lies in none of the bones") == 1
    page = (tmp_path / "out" / "strength.html").read_text(encoding="utf-8")
    assert page.count("lies in none of the bones") == 1


def test_a_lesion_in_no_bone_is_told_once_however_many_bones_are_tested(folder: Path, tmp_path: Path) -> None:
    bone = drum((0, 0))
    write_nifti(bone.grid, np.pad(np.ones((4, 4, 4), np.uint8), [(0, n - 4) for n in bone.mask.shape]),
                tmp_path / "lesions.nii.gz")  # fmt: skip
    levels = [f"vertebra_L{level}" for level in (3, 4)]
    masks = [t for site in levels for t in ("--site", site, "--bone", f"{site}={folder / 'bones.nii.gz'}:7")]
    code, text = load(folder, (*masks, *lesions_of(tmp_path)), "-o", str(tmp_path / "out"))
    assert code == 0, text
    assert text.count("lies in none of the bones") == 1
    record = json.loads((tmp_path / "out" / "strength.json").read_text(encoding="utf-8"))
    assert [gap["where"] for gap in record["gaps"]] == ["lesion-1"]
    assert len(record["bones"]) == 2
    assert not any(gap["where"] == "lesion-1" for tested in record["bones"] for gap in tested["gaps"])


def test_edges_that_would_fill_the_memory_are_refused_with_the_least_one(folder: Path, tmp_path: Path) -> None:
    code, text = run(folder, "--site", "vertebra_L3", "-o", str(tmp_path), "--tets-mm", "0.3")
    assert code == 0, text
    bone = json.loads((tmp_path / "strength.json").read_text(encoding="utf-8"))["bones"][0]
    (told,) = [gap["reason"] for gap in bone["gaps"] if gap["step"] == "tetrahedra"]
    assert "million tetrahedra at edges of 0.3 mm" in told
    assert "Give edges of 0.6 mm or longer" in told
    assert not list((tmp_path / "meshes").glob("*_tets*"))


@pytest.mark.parametrize(
    "twice",
    [
        ("--bone", "vertebra_L4=a.nii.gz:1", "--bone", "vertebra_L4=b.nii.gz:2"),
        ("--landmark", "axis=0,0,1", "--landmark", "axis=0,1,0"),
    ],
)
def test_a_name_given_twice_is_refused(folder: Path, tmp_path: Path, twice: tuple[str, ...]) -> None:
    code, text = run(folder, "--site", "vertebra_L3", *twice, "-o", str(tmp_path))
    assert code == 2, text
    assert "given more than once" in text


def test_estimates_that_do_not_converge_are_a_gap(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: Strength) -> tuple[Measure, ...]:
        raise NotConvergedError("solve", "a residual of 0.1", "Check the mask")

    monkeypatch.setattr("osteoscope.deliver.strength_record.estimates", fails)
    code, text = run(folder, "--site", "vertebra_L3", "-o", str(tmp_path))
    assert code == 0, text
    bone = json.loads((tmp_path / "strength.json").read_text(encoding="utf-8"))["bones"][0]
    assert bone["estimates"] == []
    assert [gap["reason"] for gap in bone["gaps"] if gap["step"] == "estimates"] == ["solve: a residual of 0.1"]
    assert "a residual of 0.1" in (tmp_path / "strength.html").read_text(encoding="utf-8")


def test_inputs_that_would_be_left_aside_are_refused(folder: Path, tmp_path: Path) -> None:
    code, text = load(folder, lesions_of(folder), "--site", "vertebra_L3", "-o", str(tmp_path))
    assert code == 1
    assert "Give the bone too" in text
    (tmp_path / "reading.json").write_text("{}", encoding="utf-8")
    code, text = run(folder, str(tmp_path), "--site", "vertebra_L3", "-o", str(tmp_path))
    assert code == 1
    assert "the reading's folder or --bone" in text
    landmark = ("--landmark", "axis=0,0,1")
    code, text = run(folder, *landmark, "--site", "vertebra_L3", "--site", "vertebra_L4", "-o", str(tmp_path))
    assert code == 2, text
    assert "one --site" in text


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (("--rod", "nan=62", "--rod", "200=250"), 2, "finite numbers"),
        (("--rod", "0.05=62", "--rod", "0.2=250"), 1, "mg/cm3, not g/cm3"),
        (("--law", "crawford_2003"), 1, "for a vertebra kopperdahl_2002, morgan_2003_vertebra"),
    ],
)
def test_a_slip_in_rods_or_law_is_told_at_once(
    folder: Path, tmp_path: Path, more: tuple[str, ...], code: int, said: str
) -> None:
    found, text = load(folder, (), "--site", "vertebra_L3", *more, "-o", str(tmp_path / "out"))
    assert found == code, text
    assert said in " ".join(text.replace("│", " ").split())
    assert not (tmp_path / "out").exists()


def test_a_landmark_off_the_bone_refuses_that_bone_alone(folder: Path, tmp_path: Path) -> None:
    code, text = run(folder, "--site", "vertebra_L3", "--landmark", "upper=500,0,0", "-o", str(tmp_path))
    assert code == 4, text
    record = json.loads((tmp_path / "strength.json").read_text(encoding="utf-8"))
    assert "away from the bone" in record["refused"][0]["reason"]


def test_the_help_names_the_laws_that_give_a_load() -> None:
    command = typer.main.get_command(app)
    assert isinstance(command, typer.core.TyperGroup)
    law = next(option for option in command.commands["strength"].params if option.name == "law")
    assert set(re.findall(r"\w+_\w+|yosibash", getattr(law, "help", ""))) == set(usable())


def test_what_cannot_be_used_is_told(folder: Path, tmp_path: Path) -> None:
    assert run(folder, "--site", "hip_left", "-o", str(tmp_path))[0] == 4
    code, text = run(folder, "--site", "vertebra_L3", "--rod", "100", "-o", str(tmp_path))
    assert code == 2, text
    code, text = run(tmp_path, "--site", "vertebra_L3", "-o", str(tmp_path))
    assert code == 1
    assert "ct.nii.gz" in text
