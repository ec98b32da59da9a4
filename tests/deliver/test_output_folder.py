"""What `osteoscope read` removes from its output folder, what stops it, and what a full disk leaves there."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from examples import planar
from files import on_disk
from limited_disk import limited_disk

from osteoscope.deliver import batch, outputs
from osteoscope.deliver.batch import Batch, BatchOptions, read_all
from osteoscope.deliver.outputs import Output, OutputOptions, Parcel, deliver
from osteoscope.errors import OutputError
from osteoscope.reading.read import Outcome

PLAIN = Output("report.html", lambda p: (p.folder / "report.html").write_text("a report"))


def quiet(*_: object) -> None:
    pass


def run(given: Path, out: Path) -> Batch:
    return read_all([given], out, BatchOptions(outputs=OutputOptions(dicom=False)), quiet)


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def outcome(tmp_path: Path) -> Outcome:
    """A planar Reading; its images lie in dicom/."""
    example = on_disk(planar(), tmp_path / "dicom")
    return Outcome(example.reading, example.case)


@pytest.fixture
def scan(outcome: Outcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study whose reading is at hand at once, and has one output."""
    monkeypatch.setattr(batch, "read", lambda *_: outcome)
    monkeypatch.setattr(outputs, "OUTPUTS", (PLAIN,))
    return tmp_path / "dicom"


def test_a_later_run_removes_what_an_earlier_one_wrote_and_nothing_else(
    scan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, two = tmp_path / "out", tmp_path / "two.zip"
    with zipfile.ZipFile(two, "w") as archive:
        for name, uid in (("a", "2.25.11"), ("b", "2.25.12")):
            archive.write(_renamed(scan, tmp_path / f"{name}.dcm", uid), f"{name}.dcm")
    pictures = Output("key_images", lambda p: _write(p.folder / "key_images" / "views.dcm", "a picture"))
    monkeypatch.setattr(outputs, "OUTPUTS", (PLAIN, pictures))
    assert run(two, out).read == 2
    _write(out / "study-001" / "own notes.txt", "kept")
    _write(out / "study-002" / "key_images" / ".DS_Store", "kept")
    assert set(files_of(out / "study-002")) >= {"key_images/views.dcm", "reading.json", "report.html", "written.json"}
    monkeypatch.setattr(outputs, "OUTPUTS", ())
    assert run(scan, out).rows[0].folder == str(out)
    kept = {"study-001/own notes.txt", "study-002/key_images/.DS_Store"}
    assert set(files_of(out)) == {"reading.json", "intake.json", "written.json", *kept}


def _renamed(scan: Path, path: Path, uid: str) -> Path:
    header = pydicom.dcmread(next(scan.rglob("*.dcm")))
    header.StudyInstanceUID, header.SOPInstanceUID = uid, f"{uid}.1"
    header.save_as(path)
    return path


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _as_scans(out: Path) -> None:
    _write(out / "study-001" / "slice.dcm", "a slice")


def _as_file(out: Path) -> None:
    _write(out / "study-001", "a file")


def _with_a_mask(out: Path) -> None:
    _write(out / "lesions.nii.gz", "an expert's mask")


def _with_old_results(out: Path) -> None:
    _write(out / "reading.json", "{}")
    _write(out / "intake.json", "{}")


def _with_a_list_of_another_program(out: Path) -> None:
    _write(out / "written.json", "{}")


@pytest.mark.parametrize(
    "prepare", [_as_scans, _as_file, _with_a_mask, _with_old_results, _with_a_list_of_another_program]
)
def test_files_of_the_user_under_names_of_results_stop_it_before_it_begins(
    scan: Path, tmp_path: Path, prepare: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "scan", lambda *_: pytest.fail("it began"))
    out = tmp_path / "out"
    prepare(out)
    before = files_of(out)
    with pytest.raises(OutputError, match="Choose another folder with -o"):
        run(scan, out)
    assert files_of(out) == before


def test_a_result_that_was_corrected_since_is_the_users(scan: Path, tmp_path: Path) -> None:
    run(scan, tmp_path / "out")
    _write(tmp_path / "out" / "report.html", "corrected")
    with pytest.raises(OutputError, match=r"report\.html.* changed since"):
        run(scan, tmp_path / "out")
    assert (tmp_path / "out" / "report.html").read_text() == "corrected"


@pytest.mark.parametrize(
    ("named", "out", "said"),
    [
        ("case1", "case1", "it is the input itself"),
        ("study-001", ".", "lies where study-001 is to be written"),
        ("out/study-002/images", "out", "lies where study-002 is to be written"),
        ("key_images", ".", "lies where key_images is to be written"),
    ],
)
def test_results_do_not_go_among_images(scan: Path, tmp_path: Path, named: str, out: str, said: str) -> None:
    given = tmp_path / named
    given.parent.mkdir(parents=True, exist_ok=True)
    scan.rename(given)
    before = files_of(tmp_path)
    with pytest.raises(OutputError, match=said):
        run(given, tmp_path / out)
    assert files_of(tmp_path) == before


def test_images_may_lie_in_the_output_folder_beside_results(scan: Path, tmp_path: Path) -> None:
    archive = tmp_path / "out" / "study-001.zip"
    archive.parent.mkdir()
    with zipfile.ZipFile(archive, "w") as made:
        made.write(next(scan.rglob("*.dcm")), "a.dcm")
    assert [run(archive, archive.parent).read for _ in range(2)] == [1, 1]
    assert set(files_of(archive.parent)) == {
        "study-001.zip", "reading.json", "report.html", "intake.json", "written.json"
    }  # fmt: skip


def test_a_list_names_nothing_outside_its_folder(scan: Path, tmp_path: Path) -> None:
    run(scan, tmp_path / "out")
    listed = tmp_path / "out" / "written.json"
    _write(tmp_path / "mine", "a report")
    listed.write_text(listed.read_text().replace("report.html", "../mine"))
    (tmp_path / "out" / "report.html").unlink()
    run(scan, tmp_path / "out")
    assert (tmp_path / "mine").exists()


def _fill(parcel: Parcel) -> None:
    with limited_disk(1000):
        (parcel.folder / "large.dcm").write_bytes(bytes(5000))


def _fail(parcel: Parcel) -> None:
    (parcel.folder / "large.dcm").write_bytes(bytes(10))
    (parcel.folder / "large.json").write_bytes(bytes(10))
    raise ValueError("no ink")


def test_a_full_disk_leaves_the_results_of_an_earlier_run(
    scan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(scan, tmp_path / "out")
    before = files_of(tmp_path / "out")
    monkeypatch.setattr(outputs, "OUTPUTS", (PLAIN, Output("large.dcm", _fill)))
    (row,) = run(scan, tmp_path / "out").rows
    assert (row.state, row.folder) == ("failed", "")
    assert "File too large" in row.summary
    changed = {"intake.json", "written.json"}
    after = files_of(tmp_path / "out")
    assert {k: v for k, v in after.items() if k not in changed} == {k: v for k, v in before.items() if k not in changed}


def test_no_stump_of_an_output_stays(outcome: Outcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    monkeypatch.setattr(outputs, "OUTPUTS", (Output("large.dcm", _fill),))
    with pytest.raises(OutputError, match="File too large"):
        deliver(outcome, out, OutputOptions(dicom=False))
    assert files_of(out) == {}
    monkeypatch.setattr(outputs, "OUTPUTS", (Output("large.dcm", _fail, beside=("large.json",)),))
    told = deliver(outcome, out, OutputOptions(dicom=False)).gaps
    assert [gap.reason for gap in told if gap.step == "write large.dcm"] == ["ValueError: no ink"]
    assert set(files_of(out)) == {"reading.json"}
    with pytest.raises(OutputError, match="another Reading"):
        deliver(outcome, out, OutputOptions(dicom=False))
