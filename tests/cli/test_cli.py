from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from osteoscope.cli.app import app
from osteoscope.cli.doctor import examine
from osteoscope.deliver.batch import Batch, Row
from osteoscope.dicom.write_nifti import write_nifti
from osteoscope.domain.geometry import Grid
from osteoscope.domain.study import IntakeNote


def osteoscope(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "osteoscope", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", ["", "read", "demo", "simulate", "doctor"])
def test_help_explains_itself(command: str) -> None:
    done = osteoscope(*filter(None, [command]), "--help")
    assert done.returncode == 0
    assert "Usage:" in done.stdout


def test_help_answers_at_once() -> None:
    clock = time.perf_counter()
    osteoscope("--help")
    assert time.perf_counter() - clock < 2


def test_version_and_disclaimer() -> None:
    assert osteoscope("--version").stdout.startswith("osteoscope 0.")
    assert "not a medical device" in osteoscope("--help").stdout.replace("\n", " ").replace("  ", " ")


def test_simulate_then_read_as_a_user(tmp_path: Path) -> None:
    made = osteoscope("simulate", "planar", "-n", "2", "--seed", "7", "-o", tmp_path / "studies")
    assert made.returncode == 0, made.stderr
    assert made.stdout.split() == [str(tmp_path / "studies" / f"planar-000{n}") for n in (7, 8)]
    done = osteoscope("read", tmp_path / "studies", "-o", tmp_path / "out", "--json", "--no-dicom")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    rows = json.loads(done.stdout)["rows"]
    assert [row["state"] for row in rows] == ["read", "read"]
    assert all("siopen total" in row["summary"] for row in rows)
    assert not list((tmp_path / "out").rglob("*.dcm"))


def test_exit_codes_of_bad_input(tmp_path: Path) -> None:
    missing = osteoscope("read", tmp_path / "nowhere")
    assert missing.returncode == 1
    assert "nowhere" in missing.stderr
    assert "Traceback" not in missing.stderr
    mask = tmp_path / "mask.nii.gz"
    write_nifti(Grid.axial((4, 8, 8), (5, 1, 1)), np.ones((4, 8, 8), np.uint8), mask)
    refused = osteoscope("read", mask, "-o", tmp_path / "out")
    assert refused.returncode == 4
    assert "mask.nii.gz" in refused.stdout
    assert osteoscope("read").returncode == 2
    assert osteoscope("simulate", "mri", "-o", tmp_path).returncode == 1


def _batch(notes: tuple[IntakeNote, ...], rows: int) -> Batch:
    return Batch(tuple(Row(f"NM {n}", "read", "out", "siopen total 0") for n in range(rows)), notes)


@pytest.mark.parametrize(("rows", "code"), [(1, 3), (0, 4)])
def test_refused_files_are_named_on_the_terminal(rows: int, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = (
        IntakeNote("refused", "a reconstructed SPECT", "Give the planar views", "spect.dcm"),
        IntakeNote("refused", "two frames", "Give one", "spect.dcm"),
        IntakeNote("set_aside", "not a DICOM, NIfTI or NRRD file", "not read", "README.md"),
    )
    monkeypatch.setattr("osteoscope.deliver.batch.read_all", lambda *_: _batch(notes, rows))
    done = CliRunner().invoke(app, ["read", "anything"])
    assert done.exit_code == code
    lines = [line for line in done.stdout.splitlines() if line.startswith("not read: ")]
    spect = "not read: spect.dcm: a reconstructed SPECT (Give the planar views); two frames (Give one)"
    readme = "not read: README.md: not a DICOM, NIfTI or NRRD file (not read)"
    assert lines == [spect, readme][: 2 - rows]


def test_a_readme_beside_a_study_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    notes = (IntakeNote("set_aside", "not a DICOM, NIfTI or NRRD file", "not read", "README.md"),)
    monkeypatch.setattr("osteoscope.deliver.batch.read_all", lambda *_: _batch(notes, 1))
    done = CliRunner().invoke(app, ["read", "anything"])
    assert (done.exit_code, "README" in done.stdout) == (0, False)


def test_many_refused_files_are_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    notes = tuple(IntakeNote("refused", "cut short", "Send it again", f"{n}.dcm") for n in range(23))
    monkeypatch.setattr("osteoscope.deliver.batch.read_all", lambda *_: _batch(notes, 1))
    done = CliRunner().invoke(app, ["read", "anything"])
    assert done.stdout.count("not read: ") == 20
    assert "and 3 more files not read" in done.stdout


def test_doctor_says_what_is_there(tmp_path: Path) -> None:
    done = osteoscope("doctor", "--json", "-o", tmp_path)
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert done.returncode == 0, done.stdout
    assert checks["pydicom"]["ok"]
    assert checks["output folder"]["found"].startswith(str(tmp_path))


def test_doctor_finds_fault_with_a_folder_that_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", closed)
    faults = [check for check in examine(tmp_path) if not check.ok]
    assert [check.name for check in faults] == ["output folder"]
    assert "choose another" in faults[0].found
