"""Simulated CTs written to disk, read by the baseline, and evaluated from the terminal."""

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
    """simulated/ and read/ of a CT with two lesions and of one without."""
    folder = tmp_path_factory.mktemp("cohort")
    for seed, lesions in enumerate((LESIONS, ())):
        recipe = CtRecipe(coverage="lumbar", spacing_mm=(4, 2.4, 2.4), lesions=lesions)
        write_trunk(recipe, seed, folder / "simulated" / f"ct-{seed}")
        scan = folder / "simulated" / f"ct-{seed}" / "dicom"
        said = CliRunner().invoke(app, ["read", str(scan), "-o", str(folder / "read" / str(seed)), *READ])
        assert said.exit_code == 0, said.output
    return folder


READ = ("--baseline", "--no-dicom")


def evaluate(cohort: Path, *options: str) -> tuple[int, str, Path]:
    out = cohort / "out"
    sources = [str(cohort / "simulated"), str(cohort / "read")]
    done = CliRunner().invoke(app, ["evaluate", *sources, "-o", str(out), "--draws", "100", *options])
    return done.exit_code, done.output, out


def test_simulated_scans_are_read_and_evaluated(cohort: Path) -> None:
    code, said, out = evaluate(cohort)
    assert code == 0, said
    assert "Sensitivity within 0.62 false positives per scan" in said
    document = json.loads((out / "evaluation.json").read_text())
    scans = {scan["study"]: scan for scan in document["detection"]["scans"]}
    assert {name: len(scan["lesions"]) for name, scan in scans.items()} == {"ct-0": 2, "ct-1": 0}
    figures = {(s["scale"], s["name"]): s["value"] for s in document["detection"]["statistics"]}
    reading = json.loads((cohort / "read" / "0" / "reading.json").read_text())
    assert len(scans["ct-0"]["findings"]) == len(reading["findings"])
    assert (
        figures["any_overlap", "sensitivity"] >= figures["iou_0.1", "sensitivity"] >= figures["iou_0.5", "sensitivity"]
    )
    assert figures["any_overlap", "sensitivity"] > 0
    assert document["readers"][0] == "osteoscope simulator"


def test_a_broken_reading_is_told_and_the_rest_evaluated(cohort: Path) -> None:
    broken = cohort / "read" / "1" / "reading.json"
    whole = broken.read_text()
    broken.write_text(whole.replace('"findings"', '"finding"', 1))
    try:
        code, said, out = evaluate(cohort, "--json")
    finally:
        broken.write_text(whole)
    assert code == 3
    assert "no reading.json of this version" in said
    assert len(json.loads((out / "evaluation.json").read_text())["detection"]["scans"]) == 1


def test_wrong_usage_and_nothing_there(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["evaluate"]).exit_code == 2
    done = CliRunner().invoke(app, ["evaluate", str(tmp_path), str(tmp_path / "absent")])
    assert done.exit_code == 1
    assert "no such file or folder" in str(done.exception)
