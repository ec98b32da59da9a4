"""Simulated studies as files: none stops the others, and none mixes with what lies there."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import dcmread
from typer.testing import CliRunner

from osteoscope.cli.app import app
from osteoscope.deliver import simulated
from osteoscope.deliver.outputs import read_reading
from osteoscope.deliver.simulated import write_child, write_simulated
from osteoscope.errors import InvalidValueError, OutputError
from osteoscope.simulate.ct import CtRecipe, simulate_ct
from osteoscope.simulate.planar import Camera, ChildRecipe

SMALL = ChildRecipe(age_years=1, camera=Camera(rows=512, columns=128, pixel_mm=4.8))


def quiet(*_: object) -> None:
    pass


def _without_room(seed: int, folder: Path) -> None:
    if seed == 1:
        raise InvalidValueError("implant in rib_7_left", "no room for 40 mm", "Choose another bone")
    folder.mkdir()


def test_a_study_without_room_does_not_stop_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulated, "SIMULATORS", {"ct": _without_room})
    done = CliRunner().invoke(app, ["simulate", "ct", "-n", "3", "-o", str(tmp_path)])
    assert done.exit_code == 3
    *folders, told = done.stdout.splitlines()
    assert folders == [str(tmp_path / "ct-0000"), str(tmp_path / "ct-0002")]
    assert told == "not made: ct-0001: implant in rib_7_left: no room for 40 mm. Choose another bone."
    assert CliRunner().invoke(app, ["simulate", "ct", "--seed", "1", "-o", str(tmp_path)]).exit_code == 4


def test_a_negative_seed_is_wrong_usage(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["simulate", "planar", "--seed", "-1", "-o", str(tmp_path / "out")])
    assert (done.exit_code, done.exception.__class__) == (2, SystemExit)
    for make in (lambda: write_simulated("ct", (-1,), tmp_path / "out", quiet), lambda: simulate_ct(CtRecipe(), -1)):
        with pytest.raises(InvalidValueError, match="seed -1"):
            make()
    assert not (tmp_path / "out").exists()


def test_files_of_a_longer_series_are_not_mixed_with_a_new_one(tmp_path: Path) -> None:
    write_child(SMALL, 1, tmp_path)
    other = tmp_path / "dicom" / "NM0002.dcm"
    (tmp_path / "dicom" / "NM0001.dcm").rename(other)
    before = (tmp_path / "truth.json").read_bytes()
    with pytest.raises(OutputError, match=r"1 files of another series \(NM0002.dcm\)"):
        write_child(SMALL, 2, tmp_path)
    assert (tmp_path / "truth.json").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dicom", "truth.json"]
    other.unlink()
    write_child(SMALL, 2, tmp_path)
    (file,) = (tmp_path / "dicom").iterdir()
    assert dcmread(file).StudyInstanceUID == read_reading(tmp_path / "truth.json").study.uid


def test_a_folder_that_cannot_be_made_is_told_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        write_simulated("planar", range(2), tmp_path / "file" / "out", quiet)
