from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from ct_dates import CALLED, reading_of, simulations

from osteoscope.deliver.bone_map import bones_beside
from osteoscope.deliver.compare import CompareOptions, compare_dates
from osteoscope.deliver.outputs import read_reading, write_reading
from osteoscope.dicom.write_nifti import write_bone_labels
from osteoscope.domain.reading import Case, Gap
from osteoscope.errors import IntakeError, UnsuitableStudyError
from osteoscope.simulate.ct import CtSimulation

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "ct-response.schema.json"


def quiet(*_: object) -> None:
    pass


def written(made: CtSimulation, folder: Path) -> Path:
    """A folder as `osteoscope read --nifti` leaves it."""
    folder.mkdir()
    write_reading(reading_of(made), folder / "reading.json")
    write_bone_labels(Case(made.study, made.mapped), folder / "bones.nii.gz")
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    place = tmp_path_factory.mktemp("dates")
    first, second = simulations()
    return written(first, place / "before"), written(second, place / "after")


def test_two_folders_of_results_are_compared_without_the_images(folders: tuple[Path, Path], tmp_path: Path) -> None:
    compared = compare_dates(folders, tmp_path / "out", CompareOptions(), quiet)
    plain = json.loads((tmp_path / "out" / "response.json").read_text())
    assert plain == json.loads(json.dumps(compared.plain))
    jsonschema.validate(plain, json.loads(SCHEMA.read_text()))
    assert {lesion["site"]: lesion["call"] for lesion in plain["lesions"]} == CALLED
    assert compared.headline[0] == (
        "2000-01-01 to 2000-06-01: 1 new, 1 grown, 1 stable, 1 shrunk, 1 turned sclerotic, 1 gone."
    )
    page = (tmp_path / "out" / "response.html").read_text()
    assert "not a medical device" in page
    assert "images were not at hand" in page
    assert (tmp_path / "out" / "response.pdf").read_bytes().startswith(b"%PDF")
    assert not list((tmp_path / "out").glob("exam-*"))


def test_what_a_reading_says_of_levels_comes_with_its_bones(folders: tuple[Path, Path], tmp_path: Path) -> None:
    for name in ("bones.nii.gz", "bones.json"):
        shutil.copy(folders[0] / name, tmp_path)
    reading = read_reading(folders[0] / "reading.json")
    sites = [replace(site, notes=("level uncertain: a test",) * (site.site == "vertebra_L3")) for site in reading.sites]
    bones = bones_beside(tmp_path / "reading.json", replace(reading, sites=tuple(sites)))
    assert [bone.site for bone in bones if bone.level_uncertain] == ["vertebra_L3"]


def test_what_cannot_be_compared_is_said_with_a_remedy(folders: tuple[Path, Path], tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "reading.json").write_bytes((folders[1] / "reading.json").read_bytes())
    with pytest.raises(UnsuitableStudyError, match="bare: no outlines of bones beside it"):
        compare_dates([folders[0], bare], tmp_path / "out", CompareOptions(), quiet)
    with pytest.raises(UnsuitableStudyError, match="comes before"):
        compare_dates(folders[::-1], tmp_path / "out", CompareOptions(), quiet)
    (bare / "bones.nii.gz").write_bytes((folders[1] / "bones.nii.gz").read_bytes())
    (bare / "bones.json").write_text("{}")
    with pytest.raises(IntakeError, match=r"no legend of bones\.nii\.gz"):
        compare_dates([folders[0], bare], tmp_path / "out", CompareOptions(), quiet)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("step", ["sites", "findings"])
def test_a_date_that_was_not_searched_is_refused(folders: tuple[Path, Path], tmp_path: Path, step: str) -> None:
    failed = tmp_path / "failed"
    shutil.copytree(folders[1], failed)
    reading = read_reading(failed / "reading.json")
    gaps = (Gap("study", step, "MemoryError: 3 GiB"),)
    write_reading(replace(reading, findings=(), sites=(), measures=(), gaps=gaps), failed / "reading.json")
    said = rf"failed: not searched for lesions \({step}: MemoryError: 3 GiB\)\. Read the CT again"
    with pytest.raises(UnsuitableStudyError, match=said):
        compare_dates([folders[0], failed], tmp_path / "out", CompareOptions(), quiet)
    assert not (tmp_path / "out").exists()
