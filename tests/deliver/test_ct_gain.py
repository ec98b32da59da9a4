"""What may be said of a new model: better, worse, neither, or nothing."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from examples import ct, grid_of

from osteoscope.deliver.ct_gain import Gain, gain
from osteoscope.deliver.outputs import write_reading
from osteoscope.stats.detection_figures import DetectionOptions
from osteoscope.stats.resampling import Resampling

OPTIONS = DetectionOptions(resampling=Resampling(200, 0))
# Of the model before and of the new one, a letter per patient: f all lesions found, n none, - none there; what is said.
CASES = {
    "better": ("nnnnnnnn", "ffffffff", "difference +100 points (+100 to +100), better"),
    "worse": ("ffffffff", "nnnnnnnf", "worse: do not use it"),
    "alike": ("ffffnnnn", "nnnnffff", "difference +0 points"),
    "one more": ("fnnnnnnn", "ffnnnnnn", "not distinguishable"),
    "few": ("nnn", "fff", "cannot be told from 3 held-out patients with lesions"),
    "none": ("----", "----", "cannot be told: no lesion is held out"),
}


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("readings")
    one = ct(grid_of((10.0, 6.0, 6.0))).reading
    for name, findings in (("f", one.findings), ("n", ())):
        write_reading(replace(one, findings=findings, sites=(), measures=()), folder / f"{name}.json")
    return folder


def table(path: Path, readings: Path, found: str) -> Path:
    rows: list[tuple[str, ...]] = [("study", "patient", "reference", "reading")]
    for number, letter in enumerate(found):
        files = (readings / ("n.json" if letter == "-" else "f.json"), readings / f"{letter.replace('-', 'n')}.json")
        rows.append((f"s{number}", f"P{number}", *map(str, files)))
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return path


@pytest.mark.parametrize("case", CASES)
def test_a_gain_is_said_as_far_as_it_can_be_told(readings: Path, tmp_path: Path, case: str) -> None:
    before, after, said = CASES[case]
    tables = table(tmp_path / "a.csv", readings, before), table(tmp_path / "b.csv", readings, after)
    assert said in str(gain(*tables, OPTIONS))


def test_scans_that_were_not_read_both_times_do_not_count(readings: Path, tmp_path: Path) -> None:
    tables = table(tmp_path / "a.csv", readings, "nnnnnnnn"), table(tmp_path / "b.csv", readings, "f")
    assert gain(*tables, OPTIONS) == Gain(1, 1.0, (1.0, 1.0))
    empty = table(tmp_path / "c.csv", readings, "")
    assert gain(tables[0], empty, OPTIONS) == Gain(0, None, None)
