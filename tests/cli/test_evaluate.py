"""A simulated CT written to disk, read by the baseline, and evaluated from the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from osteoscope.cli.app import app
from osteoscope.deliver.simulated import write_trunk
from osteoscope.simulate.ct import CtLesion, CtRecipe

LESIONS = (CtLesion("vertebra_L3", "blastic", 26), CtLesion("vertebra_L1", "lytic", 20))


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """simulated/ and read/ of a CT with two lesions."""
    folder = tmp_path_factory.mktemp("cohort")
    recipe = CtRecipe(coverage="lumbar", spacing_mm=(5, 3, 3), lesions=LESIONS)
    write_trunk(recipe, 0, folder / "simulated" / "ct-0")
    scan = folder / "simulated" / "ct-0" / "dicom"
    said = CliRunner().invoke(app, ["read", str(scan), "-o", str(folder / "read"), "--baseline", "--no-dicom"])
    assert said.exit_code == 0, said.output
    return folder


def evaluate(out: Path, *sources: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["evaluate", *map(str, sources), "-o", str(out), "--draws", "100"])
    return done.exit_code, done.output


def test_a_simulated_scan_is_read_and_evaluated(cohort: Path, tmp_path: Path) -> None:
    code, said = evaluate(tmp_path, cohort / "simulated", cohort / "read")
    assert code == 0, said
    assert "Sensitivity within 0.62 false positives per scan" in said
    document = json.loads((tmp_path / "evaluation.json").read_text())
    scan = document["detection"]["scans"][0]
    reading = json.loads((cohort / "read" / "reading.json").read_text())
    assert (scan["study"], len(scan["lesions"]), len(scan["findings"])) == ("ct-0", 2, len(reading["findings"]))
    figures = {(s["scale"], s["name"]): s["value"] for s in document["detection"]["statistics"]}
    shares = [figures[criterion["name"], "sensitivity"] for criterion in document["criteria"]]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0
    assert document["readers"][0] == "osteoscope simulator"


def test_a_broken_reading_is_told_and_the_rest_evaluated(cohort: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    truth = cohort / "simulated" / "ct-0" / "truth.json"
    table = tmp_path / "cohort.csv"
    table.write_text(f"study,reference,reading\ngood,{truth},{cohort / 'read'}\nbad,{truth},broken.json\n")
    code, said = evaluate(tmp_path / "out", table)
    assert code == 3
    assert "no reading.json of this version" in said
    assert "1 scan evaluated" in said


def test_wrong_usage_and_nothing_there(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["evaluate"]).exit_code == 2
    done = CliRunner().invoke(app, ["evaluate", str(tmp_path), str(tmp_path / "absent")])
    assert done.exit_code == 1
    assert "no such file or folder" in str(done.exception)
