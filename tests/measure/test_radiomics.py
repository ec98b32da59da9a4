"""Radiomics against the reference values of the IBSI, and on lesions whose features are known."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from osteoscope.deliver.outputs import OutputOptions
from osteoscope.deliver.radiomics import write_radiomics
from osteoscope.domain.finding import Finding, Part, Point, Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import Case
from osteoscope.domain.study import Patient, Study
from osteoscope.errors import DependencyError, InvalidValueError
from osteoscope.measure import radiomics as measured
from osteoscope.measure.radiomics import RadiomicsOptions, features, radiomics

GRID = Grid.axial((16, 40, 40), (2.0, 1.0, 1.0))
RADIUS_MM = 8.0


def case_of(*radii_mm: float) -> Case:
    """A bone of 200 HU in which each lesion, a ball at the centre, is 60 HU with a ramp of 1 HU a column."""
    hu = np.full(GRID.shape, 200, dtype=np.int16) + np.arange(40, dtype=np.int16)
    findings = []
    away = np.linalg.norm((np.moveaxis(np.indices(GRID.shape), 0, -1) - (8, 20, 20)) * GRID.spacing, axis=-1)
    for number, radius in enumerate(radii_mm):
        part = Part.from_mask("ct", away <= radius)
        findings.append(Finding(f"f{number}", "hip_left", "lytic", 0.5, Region((part,)), Point.centre_of(part, GRID)))
        hu[away <= radius] -= 140
    study = Study("1.2", "ct", "", Patient("p"), {"ct": Image(GRID, hu, "HU")})
    return Case(study, (), tuple(findings))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def reference(path: Path) -> Mapping[str, tuple[float, float]]:
    return {
        row["tag"]: (float(row["reference value"]), float(row["tolerance"] or 0))
        for row in rows_of(path)
        if row["reference value"] and "iagnostic" not in row["family"]
    }


def test_the_values_of_the_ibsi_on_its_ct(shared: Path) -> None:
    """Configuration C: 2 mm, linear, [-1000, 400] HU, bins of 25 HU. Tolerance: the IBSI's, at least 1 %."""
    folder = shared / "radiomics"
    ct = SimpleITK.ReadImage(folder / "ibsi1_ct/pat1_ct.nii.gz", SimpleITK.sitkFloat32)
    mask = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(folder / "ibsi1_ct/pat1_mask_GTV-1.nii.gz")) > 0
    options = RadiomicsOptions(spacing_mm=2.0, range_hu=(-1000, 400))
    got = features(SimpleITK.GetArrayFromImage(ct), mask, ct.GetSpacing()[::-1], options)
    wanted = reference(folder / "ibsi_reference/ibsi_1_reference_values_config_C.csv")
    both = wanted.keys() & got.keys()
    off = {tag for tag in both if abs(got[tag] - wanted[tag][0]) > max(wanted[tag][1], 0.01 * abs(wanted[tag][0]))}
    assert len(both) >= 165
    assert {tag.split("_")[0] for tag in both} >= {
        "morph",
        "stat",
        "ivh",
        "ih",
        "cm",
        "rlm",
        "szm",
        "dzm",
        "ngt",
        "ngl",
    }
    assert not off


def test_a_ball_has_its_shape_and_its_hu() -> None:
    case = case_of(RADIUS_MM)
    got = radiomics(case, case.findings[0]).features
    drawn = got["as drawn"]
    assert drawn["morph_volume"] == pytest.approx(4 / 3 * np.pi * RADIUS_MM**3, rel=0.05)
    assert drawn["stat_mean"] == pytest.approx(80, abs=8)
    assert drawn["morph_sphericity"] > 0.8
    assert got["one voxel smaller"]["morph_volume"] < drawn["morph_volume"] < got["one voxel larger"]["morph_volume"]
    assert got["one voxel larger"]["stat_mean"] > drawn["stat_mean"], "a larger boundary takes in bone"


def test_the_table_holds_every_lesion_and_says_how_it_was_made(tmp_path: Path) -> None:
    assert write_radiomics(case_of(RADIUS_MM, 1.2), tmp_path) == ()
    rows = rows_of(tmp_path / "radiomics.csv")
    assert [(row["finding"], row["boundary"]) for row in rows[::3]] == [("f0", "as drawn"), ("f1", "as drawn")]
    assert float(rows[3]["stat_min"]) < float(rows[0]["stat_mean"])
    settings = json.loads((tmp_path / "radiomics.json").read_text(encoding="utf-8"))
    assert settings["library"].startswith("mirp 2")
    assert settings["base_discretisation_bin_width"] == 25


def test_a_lesion_too_small_for_the_cubes_costs_no_other_and_not_its_other_boundaries(tmp_path: Path) -> None:
    """One voxel of 0.7 x 0.7 mm, what erosion leaves of 3 x 3 x 3, holds the centre of no cube of 1 mm."""
    grid = Grid.axial((12, 40, 40), (5.0, 0.7, 0.7))
    hu = np.random.default_rng(0).normal(200, 80, grid.shape).astype(np.int16)
    findings = []
    for number, box in enumerate((np.s_[5:8, 20:23, 20:23], np.s_[3:8, 5:15, 5:15])):
        mask = np.zeros(grid.shape, dtype=bool)
        mask[box] = True
        part = Part.from_mask("ct", mask)
        findings.append(Finding(f"f{number}", "hip_left", "lytic", 0.5, Region((part,)), Point.centre_of(part, grid)))
    case = Case(Study("1.2", "ct", "", Patient("p"), {"ct": Image(grid, hu, "HU")}), (), tuple(findings))
    (gap,) = write_radiomics(case, tmp_path)
    assert (gap.where, gap.reason) == ("f0", "one voxel smaller: nothing of it is left on cubes of 1 mm")
    rows = [(row["finding"], row["boundary"]) for row in rows_of(tmp_path / "radiomics.csv")]
    assert rows == [("f0", "as drawn"), ("f0", "one voxel larger")] + [
        ("f1", boundary) for boundary in ("as drawn", "one voxel smaller", "one voxel larger")
    ]


def test_whatever_the_library_raises_is_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> dict[str, float]:
        raise KeyError("absent")

    case = case_of(RADIUS_MM, 4.0)
    monkeypatch.setattr(measured, "_extracted", failing)
    gaps = write_radiomics(case, tmp_path)
    assert [gap.where for gap in gaps] == ["f0"] * 3 + ["f1"] * 3
    assert gaps[0].reason == "as drawn: KeyError: 'absent'"
    assert rows_of(tmp_path / "radiomics.csv") == []


def test_without_the_library_it_is_refused_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "find_spec", lambda _name: None)
    with pytest.raises(DependencyError, match=r"'\.\[radiomics\]'"):
        OutputOptions(radiomics=True)


@pytest.mark.parametrize("wrong", [{"spacing_mm": 0.0}, {"bin_hu": -1.0}, {"range_hu": (5.0, 5.0)}])
def test_settings_without_meaning_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidValueError):
        RadiomicsOptions(**wrong)  # type: ignore[arg-type]
