from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from evaluation_files import GRID, write, write_labels
from jsonschema import Draft202012Validator

from osteoscope.deliver.evaluation import Evaluated, EvaluationOptions, evaluate
from osteoscope.deliver.evaluation_inputs import Entry
from osteoscope.deliver.evaluation_marks import Marked, read_marks
from osteoscope.deliver.evaluation_scans import load_scan
from osteoscope.deliver.outputs import read_reading, write_reading
from osteoscope.dicom.write_nifti import write_nifti
from osteoscope.domain.geometry import Grid
from osteoscope.domain.reading import Gap
from osteoscope.errors import IntakeError
from osteoscope.stats.detection_figures import DetectionOptions
from osteoscope.stats.resampling import Resampling

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "evaluation.schema.json"
QUICK = EvaluationOptions(DetectionOptions(resampling=Resampling(draws=50)))


def quiet(*_: object) -> None:
    pass


def run(*sources: Path, to: Path, options: EvaluationOptions = QUICK) -> Evaluated:
    return evaluate(sources, to, options, quiet)


def value(done: Evaluated, name: str, criterion: str = "any_overlap") -> float | None:
    found = done.evaluation.detection.find(criterion, name)
    assert found is not None
    return found.value


@pytest.fixture
def cohort(tmp_path: Path) -> tuple[Path, Path]:
    """Three studies: one found and one missed, one found with a surplus, none with a surplus."""
    truth, read = tmp_path / "truth", tmp_path / "read"
    write(truth / "a" / "truth.json", [(0, 1.0, "lytic"), (20, 1.0, "blastic")], "1.1", "truth")
    write(truth / "b" / "truth.json", [(0, 1.0, "mixed")], "1.2", "truth")
    write(truth / "c" / "truth.json", [], "1.3", "truth")
    write(read / "study-001" / "reading.json", [(0, 0.9, "lytic")], "1.1")
    write(read / "study-002" / "reading.json", [(1, 0.8, "lytic"), (40, 0.7, "lytic")], "1.2")
    write(read / "study-003" / "reading.json", [(40, 0.6, "lytic")], "1.3")
    return truth, read


def test_two_folders_are_matched_by_study_id(cohort: tuple[Path, Path], tmp_path: Path) -> None:
    done = run(*cohort, to=tmp_path / "out")
    assert done.lossless
    assert done.evaluation.detection.find("any_overlap", "sensitivity_with_unread") is None
    assert value(done, "sensitivity") == pytest.approx(2 / 3)
    assert value(done, "false_positives") == pytest.approx(2 / 3)
    assert value(done, "false_positives_negative") == 1.0
    assert value(done, "dice") == pytest.approx((1 + 0.75) / 2)
    assert [scan.study for scan in done.evaluation.detection.scans] == ["a", "b", "c"]
    assert done.evaluation.readers == ("truth", "program")


def test_lesions_of_a_scan_without_a_reading_are_missed_in_a_figure_beside(
    cohort: tuple[Path, Path], tmp_path: Path
) -> None:
    (cohort[1] / "study-002" / "reading.json").unlink()
    done = run(*cohort, to=tmp_path / "out")
    assert not done.lossless
    assert [scan.study for scan in done.evaluation.detection.scans] == ["a", "c"]
    assert [(scan.study, len(scan.lesions)) for scan in done.evaluation.detection.unread] == [("b", 1)]
    assert value(done, "sensitivity") == pytest.approx(1 / 2)
    assert value(done, "sensitivity_with_unread") == pytest.approx(1 / 3)
    assert value(done, "sensitivity_at_rate_with_unread") == pytest.approx(1 / 3)
    assert value(done, "false_positives") == pytest.approx(1 / 2)
    document = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    Draft202012Validator(json.loads(SCHEMA.read_text())).validate(document)
    page = (tmp_path / "out" / "evaluation.html").read_text()
    assert "1 more without a reading" in page
    assert "lesions of scans without a reading missed" in page


def unsearched(path: Path) -> None:
    """The reading as it is where the search for lesions failed."""
    gaps = (Gap("study", "findings", "MemoryError: 3 GiB"),)
    write_reading(replace(read_reading(path), findings=(), gaps=gaps), path)


def test_a_reading_whose_search_failed_is_none(cohort: tuple[Path, Path], tmp_path: Path) -> None:
    for name in ("study-002", "study-003"):
        unsearched(cohort[1] / name / "reading.json")
    done = run(*cohort, to=tmp_path / "out")
    assert not done.lossless
    assert [scan.study for scan in done.evaluation.detection.scans] == ["a"]
    assert [scan.study for scan in done.evaluation.detection.unread] == ["b", "c"]
    assert value(done, "sensitivity_with_unread") == pytest.approx(1 / 3)
    said = [str(problem) for problem in done.evaluation.problems]
    assert sum("not searched for lesions (findings: MemoryError: 3 GiB)" in text for text in said) == 2
    unsearched(cohort[0] / "c" / "truth.json")
    assert [scan.study for scan in run(*cohort, to=tmp_path / "out").evaluation.detection.unread] == ["b"]


def test_series_of_one_study_are_matched_by_name(tmp_path: Path) -> None:
    truth, read = tmp_path / "truth", tmp_path / "read"
    write(truth / "study-001" / "reading.json", [(0, 1.0, "lytic")], "1.1", "truth")
    write(read / "study-001" / "reading.json", [(0, 0.9, "lytic")], "1.1")
    write(read / "study-002" / "reading.json", [(40, 0.9, "lytic")], "1.1")
    done = run(truth, read, to=tmp_path / "out")
    assert value(done, "sensitivity") == 1.0
    assert [str(problem) for problem in done.evaluation.problems] == [
        f"{read / 'study-002' / 'reading.json'}: study 'study-002' has no reference. Name it alike in both folders."
    ]


def test_series_that_neither_name_nor_study_id_tells_apart_are_not_paired(
    cohort: tuple[Path, Path], tmp_path: Path
) -> None:
    write(cohort[1] / "study-004" / "reading.json", [], "1.2")
    done = run(*cohort, to=tmp_path / "out")
    assert [scan.study for scan in done.evaluation.detection.scans] == ["a", "c"]
    assert [scan.study for scan in done.evaluation.detection.unread] == ["b"]
    said = [str(problem) for problem in done.evaluation.problems]
    assert len(said) == 3
    for name, others in (("b", "study-002, study-004"), ("study-002", "b"), ("study-004", "b")):
        assert any(f"study {name!r} shares its study id with {others}" in text for text in said)


@pytest.mark.usefixtures("cohort")
def test_a_reading_that_cannot_be_used_leaves_its_lesions_missed(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text(
        "study,reference,reading\na,truth/a,read/study-001\nb,truth/b,read/absent\nc,truth/c,\nd,truth/absent,read\n"
    )
    done = run(table, to=tmp_path / "out")
    assert [scan.study for scan in done.evaluation.detection.unread] == ["c", "b"]
    assert value(done, "sensitivity_with_unread") == pytest.approx(1 / 3)
    said = [str(problem) for problem in done.evaluation.problems]
    assert any(text.startswith("d: not even its reference can be used") for text in said)


def test_files_of_an_evaluation(cohort: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(*cohort, to=out)
    document = json.loads((out / "evaluation.json").read_text())
    Draft202012Validator(json.loads(SCHEMA.read_text())).validate(document)
    page = (out / "evaluation.html").read_text()
    assert "not a medical device" in page
    assert "By long axis" in page
    assert (out / "evaluation.pdf").read_bytes().startswith(b"%PDF")
    assert (out / "figures" / "froc.png").read_bytes().startswith(b"\x89PNG")
    with (out / "tables" / "lesions.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(r["study"], r["reader"], r["any_overlap"]) for r in rows][:3] == [
        ("a", "reference", "f0"),
        ("a", "reference", ""),
        ("a", "reading", "f0"),
    ]


def test_the_lesions_one_by_one_make_the_figures(cohort: tuple[Path, Path], tmp_path: Path) -> None:
    (cohort[1] / "study-003" / "reading.json").unlink()
    write(cohort[0] / "d" / "truth.json", [(0, 1.0, "lytic"), (20, 1.0, "lytic")], "1.4", "truth")
    options = EvaluationOptions(replace(QUICK.detection, confidence=0.75))
    done = run(*cohort, to=tmp_path / "out", options=options)
    with (tmp_path / "out" / "tables" / "lesions.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["counts"] == "True"]
    lesions = [row for row in rows if row["reader"] == "reference"]
    read = [row for row in lesions if row["scan_read"] == "True"]
    hits = [row for row in read if row["any_overlap"]]
    assert {row["study"] for row in lesions if row["scan_read"] == "False"} == {"d"}
    assert (value(done, "sensitivity"), value(done, "sensitivity_with_unread")) == (
        len(hits) / len(read),
        len(hits) / len(lesions),
    )
    surplus = [row for row in rows if row["reader"] == "reading" and not row["any_overlap"]]
    assert value(done, "false_positives") == len(surplus) / len(done.evaluation.detection.scans) == 0


def test_one_bad_study_stops_nothing(cohort: tuple[Path, Path], tmp_path: Path) -> None:
    (cohort[1] / "study-002" / "reading.json").write_text("{")
    write(cohort[1] / "b" / "reading.json", [], "1.9")
    done = run(*cohort, to=tmp_path / "out")
    assert not done.lossless
    assert len(done.evaluation.detection.scans) == 3
    said = [str(problem) for problem in done.evaluation.problems]
    assert any("study-002" in text and "no reference" in text for text in said)
    assert any("two study ids, 1.2 and 1.9" in text for text in said)


@pytest.mark.usefixtures("cohort")
def test_a_table_names_files_beside_it(tmp_path: Path) -> None:
    table = tmp_path / "cohort.csv"
    table.write_text(
        "study;patient;reference;reading;remark\n"
        "one;P1;truth/a/truth.json;read/study-001;x\n"
        "two;P1;truth/b;read/study-002/reading.json;\n"
        "two;P1;truth/b;read/study-002;\n"
        "three;;truth/c;absent/reading.json;\n"
        "four;;;read/study-003;\n"
    )
    done = run(table, to=tmp_path / "out")
    assert [(s.study, s.patient) for s in done.evaluation.detection.scans] == [("one", "P1"), ("two", "P1")]
    said = "\n".join(str(problem) for problem in done.evaluation.problems)
    for words in ("remark: an unknown column", "'two' a second time", "row 6, column reference: nothing", "three"):
        assert words in said


def test_label_maps_stand_for_readings(cohort: tuple[Path, Path], tmp_path: Path) -> None:
    for name, starts in (("study-001", [0, 20]), ("study-002", [0]), ("study-003", [])):
        write_labels(tmp_path / "maps" / f"{name}.nii.gz", starts)
    done = run(tmp_path / "maps", cohort[1], to=tmp_path / "out")
    assert done.lossless
    assert value(done, "sensitivity") == pytest.approx(2 / 3)
    assert value(done, "kind_exact") is None
    assert value(done, "long_axis_bias") is not None


def test_pieces_of_one_label_are_lesions_and_it_is_said(cohort: tuple[Path, Path], tmp_path: Path) -> None:
    path = write_labels(tmp_path / "mask.nii.gz", [0, 20, 40], same_label=True)
    loaded = load_scan(Entry("a", "", path, cohort[1] / "study-001" / "reading.json"))
    assert len(loaded.scan.reference) == 3
    assert "one label in 3 pieces" in loaded.remarks[0].found


def test_a_map_with_other_axes_and_a_crop_is_brought_to_the_grid(cohort: tuple[Path, Path], tmp_path: Path) -> None:
    plain = load_scan(Entry("a", "", write_labels(tmp_path / "plain.nii.gz", [4, 20]), cohort[1] / "study-001"))
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    labels[4:8, 2:10, 2:10], labels[20:24, 2:10, 2:10] = 1, 2
    box = (slice(2, 40), slice(1, 20), slice(0, 24))
    crop = GRID.crop(box)
    matrix = crop.matrix.copy()
    matrix[:3, 3] = crop.to_position([37, 0, 0])
    matrix[:3, 0] *= -1
    turned = np.transpose(labels[box][::-1], (1, 0, 2))
    grid = Grid.from_matrix(turned.shape, matrix[:, [1, 0, 2, 3]])
    write_nifti(grid, np.ascontiguousarray(turned), tmp_path / "turned.nii.gz")
    other = load_scan(Entry("a", "", tmp_path / "turned.nii.gz", cohort[1] / "study-001"))
    assert [a.region for a in other.scan.reference] == [a.region for a in plain.scan.reference]


@pytest.mark.parametrize(
    ("values", "grid", "said"),
    [
        (np.linspace(0, 1, GRID.shape[0] * 576, dtype=np.float32).reshape(GRID.shape), GRID, "not all of them labels"),
        (np.ones(GRID.shape, np.int16) * -3, GRID, "not all of them labels"),
        (np.ones(GRID.shape, np.uint8), Grid.axial(GRID.shape, (2.0, 1.0, 1.1), (-10, 20, 30)), "its grid of"),
    ],
)
def test_what_is_no_label_map_of_this_scan_is_named(
    cohort: tuple[Path, Path], tmp_path: Path, values: np.ndarray, grid: Grid, said: str
) -> None:
    write_nifti(grid, values, tmp_path / "map.nii.gz")
    with pytest.raises(IntakeError, match=f"no study that can be used.*map.nii.gz.*{said}"):
        run(tmp_path / "map.nii.gz", cohort[1] / "study-001" / "reading.json", to=tmp_path / "out")


def test_marks_of_a_radiologist(cohort: tuple[Path, Path], tmp_path: Path) -> None:
    marks = tmp_path / "marks.csv"
    marks.write_text(
        "study,finding,size_right,location,detection\na,f0,yes,1,\nb,f1,no,yes,\nb,f40,,no,maybe\nz,f,1,1,1\n"
    )
    done = run(*cohort, to=tmp_path / "out", options=EvaluationOptions(QUICK.detection, marks))
    found = {s.name: (s.value, s.observations, s.patients) for s in done.evaluation.adequacy}
    assert found == {
        "size_right": (0.5, 2, 2),
        "location_right": (pytest.approx(2 / 3), 3, 2),
        "detection_right": (None, 0, 0),
    }
    first = done.evaluation.adequacy[0].intervals[0]
    assert [first.low, first.high] == pytest.approx([0.0945, 0.9055], abs=1e-3)
    said = "\n".join(str(problem) for problem in done.evaluation.problems)
    assert "'z', not evaluated" in said
    assert "'maybe'" in said


def test_marks_on_no_finding_and_marks_that_contradict_are_told_and_not_counted(tmp_path: Path) -> None:
    marks = tmp_path / "marks.csv"
    marks.write_text(
        "study,finding,reader,size,location,detection\n"
        "a,f0,A,no,yes,\n"
        "a,f99,A,yes,yes,yes\n"
        "a,f0,A,yes,yes,yes\n"
        "a,f0,B,yes,,no\n"
        "a,,A,yes,,\na,,A,no,,\n"
    )
    made = read_marks(marks, {"a": Marked("P", frozenset({"f0", "f1"}))})
    kept = [(mark.reader, mark.finding, mark.question, mark.right) for mark in made.rows]
    assert kept == [
        ("A", "f0", "location", True), ("A", "f0", "detection", True), ("B", "f0", "size", True),
        ("B", "f0", "detection", False), ("A", "", "size", True), ("A", "", "size", False),
    ]  # fmt: skip
    assert made.answers["size"] == (("P", True), ("P", True), ("P", False))
    told = [(problem.row, problem.column, problem.lost) for problem in made.problems]
    assert told == [(3, "finding", True), (4, "size", True), (4, "location", False)]
    said = [str(problem) for problem in made.problems]
    assert "'f99', which 'a' does not have (f0, f1). Name it by its id in the reading" in said[0]
    assert "answers that contradict, of reader 'A' on 'f0' of 'a', also in row 2; none is counted. Keep one" in said[1]
    assert "the same answer" in said[2]


def test_sources_that_cannot_be_used(cohort: tuple[Path, Path], tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("study,reading\n1,2\n")
    for sources, said in (
        ((tmp_path / "absent", cohort[1]), "no such file or folder"),
        ((cohort[0],), "one CSV table"),
        ((table,), "no column reference"),
        ((cohort[0], tmp_path / "empty"), "no study with a reference and a reading"),
    ):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(IntakeError, match=said):
            run(*sources, to=tmp_path / "out")
