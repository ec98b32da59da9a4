from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pydicom
import pytest
from examples import ct, grid_of
from files import on_disk
from pydicom.uid import SegmentationStorage

from osteoscope.deliver import outputs
from osteoscope.deliver.batch import Batch, BatchOptions, read_all, summarise
from osteoscope.deliver.outputs import Output, OutputOptions, read_reading, write_reading
from osteoscope.deliver.simulated import write_simulated
from osteoscope.dicom.load import IntakeOptions
from osteoscope.dicom.write_nifti import write_nifti
from osteoscope.domain.finding import Measure
from osteoscope.domain.geometry import Grid
from osteoscope.errors import InvalidValueError, OutputError
from osteoscope.reading.read import Outcome

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "reading.schema.json"


def quiet(*_: object) -> None:
    pass


def read_quietly(*paths: Path, to: Path, **intake: Any) -> Batch:
    return read_all(paths, to, BatchOptions(IntakeOptions(**intake)), quiet)


@pytest.fixture(scope="module")
def child(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated child: dicom/ and truth.json."""
    (folder,) = write_simulated("planar", [3], tmp_path_factory.mktemp("child"), quiet).folders
    return folder


@pytest.fixture(scope="module")
def results(child: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out of children")
    assert read_quietly(child / "dicom", to=out).read == 1
    return out


def test_one_study_fills_the_folder(results: Path) -> None:
    written = {path.name for path in results.iterdir()}
    assert written >= {"reading.json", "report.html", "report.pdf", "report.dcm", "measurements.dcm", "intake.json"}
    assert list((results / "key_images").glob("*.dcm"))
    assert not list(results.rglob("*.part"))


def test_reading_json_follows_the_schema_and_comes_back(results: Path, tmp_path: Path) -> None:
    plain = json.loads((results / "reading.json").read_text())
    jsonschema.validate(plain, json.loads(SCHEMA.read_text()))
    reading = read_reading(results / "reading.json")
    assert reading.gaps == tuple(g for g in reading.gaps if g.step in {"score"})
    assert reading.measure("siopen_total") is not None
    assert len(reading.provenance.inputs[0].sha256) == 64
    write_reading(reading, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (results / "reading.json").read_bytes()


def test_reading_twice_gives_the_same_but_for_the_time(child: Path, results: Path, tmp_path: Path) -> None:
    read_quietly(child / "dicom", to=tmp_path)
    first, second = (json.loads((f / "reading.json").read_text()) for f in (results, tmp_path))
    for plain in (first, second):
        del plain["provenance"]["started"], plain["provenance"]["seconds"]
    assert first == second


def test_the_report_names_patient_and_limits(results: Path) -> None:
    page = (results / "report.html").read_text()
    assert "SIM-" in page
    assert "not a medical device" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_many_studies_junk_and_a_bad_one(child: Path, tmp_path: Path) -> None:
    inbox = tmp_path / "in box"
    inbox.mkdir()
    (inbox / "notes.txt").write_text("call the ward")
    source = next((child / "dicom").rglob("*.dcm"))
    (inbox / "good one.dcm").write_bytes(source.read_bytes())
    (inbox / "cut.dcm").write_bytes(source.read_bytes()[:5000])
    write_nifti(Grid.axial((4, 8, 8), (5, 1, 1)), np.ones((4, 8, 8), np.uint8), inbox / "mask.nii.gz")
    with zipfile.ZipFile(inbox / "other.zip", "w") as archive:
        other = pydicom.dcmread(source)
        other.StudyInstanceUID, other.SOPInstanceUID = "1.2.3.4", "1.2.3.4.5"
        other.save_as(tmp_path / "other.dcm")
        archive.write(tmp_path / "other.dcm", "a/b.dcm")
    batch = read_quietly(inbox, to=tmp_path / "out")
    states = {row.state for row in batch.rows}
    assert batch.read == 2
    assert states == {"read", "refused"}
    report = (tmp_path / "out" / "intake.json").read_text()
    for name in ("notes.txt", "cut.dcm", "mask.nii.gz", "other.zip!a/b.dcm"):
        assert name in report
    assert all(Path(row.folder, "reading.json").exists() == (row.state == "read") for row in batch.rows)
    assert not (tmp_path / "out" / "reading.json").exists()


def test_a_single_reading_lies_in_the_folder_itself(child: Path, tmp_path: Path) -> None:
    mask = tmp_path / "mask.nii.gz"
    write_nifti(Grid.axial((4, 8, 8), (5, 1, 1)), np.ones((4, 8, 8), np.uint8), mask)
    batch = read_quietly(child / "dicom", mask, to=tmp_path / "out")
    assert sorted(row.state for row in batch.rows) == ["read", "refused"]
    assert (tmp_path / "out" / "reading.json").exists()
    assert not list((tmp_path / "out").glob("study-*"))


def test_files_given_one_by_one_are_one_input(child: Path, tmp_path: Path) -> None:
    files = sorted((child / "dicom").rglob("*.dcm"))
    assert read_quietly(*files, child / "truth.json", to=tmp_path).read == 1


def test_a_bone_scan_is_not_scored_unless_the_reader_insists(shared: Path, tmp_path: Path) -> None:
    scan = shared / "planar" / "nm_planar" / "wholebody_bone_NM1_JPEG-LL.dcm"
    read_quietly(scan, to=tmp_path / "a")
    plain = read_reading(tmp_path / "a" / "reading.json")
    assert plain.measures == ()
    assert plain.findings == ()
    assert any("not scored" in gap.reason for gap in plain.gaps)
    assert all(not site.measures for site in plain.sites)
    read_quietly(scan, to=tmp_path / "b", tracer="mIBG")
    assert read_reading(tmp_path / "b" / "reading.json").measure("siopen_total") is not None


def test_one_output_that_fails_is_a_gap(child: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise OutputError("write x", "no ink", "Add ink")

    rows = (Output("ink.txt", fail), *outputs.OUTPUTS)
    monkeypatch.setattr(outputs, "OUTPUTS", rows)
    read_quietly(child / "dicom", to=tmp_path)
    gaps = read_reading(tmp_path / "reading.json").gaps
    assert ("write ink.txt", "OutputError: write x: no ink. Add ink.") in [(g.step, g.reason) for g in gaps]
    assert (tmp_path / "report.html").exists()


@pytest.mark.parametrize("framed", [True, False])
def test_a_report_cites_the_segments_that_were_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, framed: bool
) -> None:
    wanted = {"lesions.dcm", "measurements.dcm"}
    monkeypatch.setattr(outputs, "OUTPUTS", tuple(row for row in outputs.OUTPUTS if row.name in wanted))
    example = on_disk(ct(grid_of((10.0, 6.0, 6.0)), 1), tmp_path / "ct")
    for source in example.case.study.sources if not framed else ():
        header = pydicom.dcmread(source.path)
        del header.FrameOfReferenceUID
        header.save_as(source.path)
    reading = outputs.deliver(Outcome(example.reading, example.case), tmp_path / "out", OutputOptions())
    lost = {"write lesions.dcm"} & {gap.step for gap in reading.gaps}
    cited = SegmentationStorage.encode() in (tmp_path / "out" / "measurements.dcm").read_bytes()
    assert (lost, cited) == ((set(), True) if framed else ({"write lesions.dcm"}, False))


def test_a_folder_that_cannot_be_written_is_said(child: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises((OutputError, OSError)) as caught:
        read_quietly(child / "dicom", to=tmp_path / "file")
    assert "file" in str(caught.value)


@pytest.mark.parametrize("kind", ["planar", "ct"])
def test_simulated_studies_repeat_by_seed(kind: str, tmp_path: Path) -> None:
    made = [write_simulated(kind, [5], tmp_path / name, quiet).folders[0] for name in ("a", "b")]
    files = [sorted(p for p in folder.rglob("*") if p.is_file()) for folder in made]
    assert [p.relative_to(made[0]) for p in files[0]] == [p.relative_to(made[1]) for p in files[1]]
    for one, other in zip(*files, strict=True):
        assert pixels(one) == pixels(other)


def pixels(path: Path) -> bytes:
    return bytes(pydicom.dcmread(path).PixelData) if path.suffix == ".dcm" else path.read_bytes()


def test_an_unknown_simulator_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="Choose one of"):
        write_simulated("mri", [0], tmp_path, quiet)


def test_a_scan_without_bone_is_not_said_to_be_without_lesions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "OUTPUTS", ())
    water = np.full((24, 48, 48), -1000, np.int16)
    water[:, 8:40, 8:40] = np.random.default_rng(0).normal(20, 8, (24, 32, 32))
    write_nifti(Grid.axial(water.shape, (3, 3, 3)), water, tmp_path / "water.nii.gz")
    batch = read_all([tmp_path / "water.nii.gz"], tmp_path / "out", BatchOptions(baseline=True), quiet)
    (row,) = batch.rows
    assert (row.state, batch.read) == ("not assessed", 0)
    assert row.summary.startswith("no statement can be made: no part of the skeleton was found")
    assert read_reading(tmp_path / "out" / "reading.json").measures == ()


def test_nifti_input_says_why_there_is_no_dicom(tmp_path: Path, small_ct: Callable[[Path], Path]) -> None:
    path = small_ct(tmp_path / "ct.nii.gz")
    read_all([path], tmp_path / "out", BatchOptions(outputs=OutputOptions(nifti=True)), quiet)
    reading = read_reading(tmp_path / "out" / "reading.json")
    assert [g.step for g in reading.gaps if "DICOM" in g.step] == ["write DICOM objects"]
    assert (tmp_path / "out" / "bones.json").exists()
    assert not list((tmp_path / "out").glob("*.dcm"))


def test_a_summary_gives_values_and_intervals_with_like_digits() -> None:
    share = Measure("lesion_share", 0.014597, "1", "m", (0.0115273, 0.0182187))
    volume = Measure("lesion_volume", 25.5941, "mL", "m", (20.2061, 31.9283))
    said = summarise(replace(ct().reading, measures=(share, volume)))
    assert said == "lesion share 0.015 [0.012-0.018], lesion volume 25.6 [20.2-31.9] mL"
