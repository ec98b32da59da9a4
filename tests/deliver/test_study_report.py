from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from box_child import dated, foci
from evaluation_files import write, write_labels

from osteoscope.deliver.cohort import open_cohort
from osteoscope.deliver.outputs import read_reading, write_reading
from osteoscope.deliver.study_parts import StudyOptions
from osteoscope.deliver.study_report import write_study_report
from osteoscope.domain.anatomy import SIOPEN
from osteoscope.domain.finding import Measure
from osteoscope.errors import IntakeError
from osteoscope.report.study_figures import drawings
from osteoscope.stats.detection_figures import DetectionOptions
from osteoscope.stats.resampling import Resampling

DATES = ("2026-01-01", "2026-02-01")
DETECTION = DetectionOptions(smallest_mm=0.0, resampling=Resampling(100, 0))


def quiet(*_: object) -> None:
    pass


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    """Four CTs of three patients, and two planar scans."""
    boxes = [[(4, 0.9, "lytic")], [(4, 0.8, "lytic"), (30, 0.6, "blastic")], [], [(20, 0.7, "mixed")]]
    for number, found in enumerate(boxes):
        patient = f"P{min(number, 2)}"
        write(tmp_path / "cohort" / f"ct-{number}" / "reading.json", found, f"1.{number}", patient=patient)  # type: ignore[arg-type]
    for number, date in enumerate(DATES):
        folder = tmp_path / "cohort" / f"nm-{number}"
        folder.mkdir()
        write_reading(dated(foci("pelvis", number + 1), date=date).reading, folder / "reading.json")
    return tmp_path / "cohort"


def table(out: Path, name: str) -> list[list[str]]:
    with (out / "tables" / f"{name}.csv").open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))


def test_a_cohort_alone_is_reported_and_says_that_nothing_judges_it(cohort: Path, tmp_path: Path) -> None:
    (cohort / "broken").mkdir()
    (cohort / "broken" / "reading.json").write_text("{}")
    done = write_study_report(cohort, tmp_path / "out", StudyOptions(detection=DETECTION), quiet)
    page = (tmp_path / "out" / "study.html").read_text()
    assert (tmp_path / "out" / "study.pdf").read_bytes().startswith(b"%PDF")
    assert "not a medical device" in page
    assert "No reference, marks or other readers were given" in page
    assert done.report.summary[0] == "CT: 4 studies, 4 findings, median 1 a study; 1 without any."
    assert done.report.summary[1].startswith("Planar mIBG: 2 studies, 3 findings")
    assert [problem.file.endswith("broken/reading.json") for problem in done.problems] == [True]
    assert not done.lossless
    places = table(tmp_path / "out", "ct_findings_by_place_and_type")
    assert places[0] == ["Place", "Lytic", "Blastic", "Mixed", "All"]
    assert places[-1] == ["All", "2", "1", "1", "4"]
    studies = table(tmp_path / "out", "ct_studies")
    assert [row[:2] for row in studies[1:]] == [["ct-0", "P0"], ["ct-1", "P1"], ["ct-2", "P2"], ["ct-3", "P2"]]
    plain = json.loads((tmp_path / "out" / "study.json").read_text())
    assert [study["findings"] for study in plain["studies"]] == [1, 2, 0, 1, 1, 2]


def test_evaluation_marks_and_agreement_are_gathered(cohort: Path, tmp_path: Path) -> None:
    reference = tmp_path / "reference"
    for number, starts in enumerate(([4], [4], [], [20, 40])):
        (reference / f"ct-{number}").mkdir(parents=True)
        write_labels(reference / f"ct-{number}" / "lesions.nii.gz", starts)
    other = tmp_path / "other"
    for number, found in enumerate(([(4, 1.0, "lytic")], [(30, 1.0, "blastic")], [], [])):
        write(other / f"ct-{number}" / "reading.json", found, f"1.{number}")  # type: ignore[arg-type]
    for number, date in enumerate(DATES):
        (other / f"nm-{number}").mkdir()
        write_reading(dated(foci("pelvis", 1), date=date).reading, other / f"nm-{number}" / "reading.json")
    marks = tmp_path / "marks.csv"
    marks.write_text(
        "reader,study,finding,size,location,detection\n"
        "Ann,ct-0,f4,yes,yes,yes\nAnn,ct-1,f4,no,yes,yes\nAnn,ct-1,f30,,no,no\n"
        "Ben,ct-0,f4,yes,yes,yes\nBen,ct-1,f4,yes,yes,yes\nBen,ct-9,f1,yes,,\n"
        "Ann,ct-0,f99,no,no,no\n"
    )
    options = StudyOptions(reference, marks, (f"Ben={other}",), DETECTION)
    done = write_study_report(cohort, tmp_path / "out", options, quiet)
    titles = [section.title for section in done.report.sections]
    assert titles[:4] == ["Cohort", "Studies", "Reader analysis", "Agreement of readers of CT"]
    assert {"Evaluation: detection", "Agreement: siopen"} <= set(titles)
    text = " ".join(done.report.summary)
    assert "Ann: size right 50 %" in text.replace("\u00a0", " ")
    assert "Evaluation: Match by any overlap" in text
    adequacy = table(tmp_path / "out", "adequacy_of_size_place_and_detection")
    rows = {(row[0], row[1]): row[2].replace("\u00a0", " ") for row in adequacy[1:]}
    assert rows["Ann", "Place right"].startswith("67 %")
    assert rows["Ann – Ben", "Same answer: size"].startswith("50 %")
    pairs = table(tmp_path / "out", "pairs_of_readers")
    assert pairs[1][:2] == ["cohort", "Ben"]
    assert pairs[1][2].replace("\u00a0", " ").startswith("50 %")  # of the cohort's four findings Ben has two
    names = [figure.name for figure in done.report.figures]
    assert len(set(names)) == len(names)
    assert any("ct-9" in str(problem) for problem in done.problems)
    assert any("row 8, column finding: 'f99'" in str(problem) for problem in done.problems)
    assert (tmp_path / "out" / "evaluation" / "evaluation.json").is_file()
    assert (tmp_path / "out" / "agreement" / "agreement.json").is_file()
    assert (tmp_path / "out" / "agreement-ct" / "cohort-ben" / "evaluation.json").is_file()
    files = [path.stem for path in (tmp_path / "out" / "tables").iterdir()]
    assert len(files) == len([t for section in done.report.sections for t in section.tables]) + 1  # and the marks
    assert {"evaluation_methods", "agreement_methods", "faults_of_the_input"} <= set(files)


def test_a_long_lesion_stands_in_the_bar_of_long_ones(tmp_path: Path) -> None:
    path = write(tmp_path / "reading.json", [(0, 0.9, "lytic"), (4, 0.9, "lytic")], "1.1")
    reading = read_reading(path)
    sizes = ((Measure("long_axis", length, "mm", "test"),) for length in (150.0, 79.0))
    found = tuple(replace(f, measures=m) for f, m in zip(reading.findings, sizes, strict=True))
    (drawing,) = drawings({"one": replace(reading, findings=found)})
    axes = drawing.figure.axes[0]
    bars = dict(zip((label.get_text() for label in axes.get_xticklabels()), axes.containers[0], strict=True))
    assert {name: bar.get_height() for name, bar in bars.items() if bar.get_height()} == {"60–80": 1, "80 or more": 1}


def test_a_mixed_cohort_without_a_fault_is_reported_without_one(cohort: Path, tmp_path: Path) -> None:
    scores = tmp_path / "scores.csv"
    rows = [f"{dated(foci('pelvis', 1), date=date).reading.study.uid}{',0' * 12}" for date in DATES]
    scores.write_text("\n".join([",".join(("study", *SIOPEN)), *rows]))
    options = StudyOptions(cohort, None, (f"Ann={cohort}", f"Sheet={scores}"), DETECTION)
    done = write_study_report(cohort, tmp_path / "out", options, quiet)
    assert done.problems == ()
    assert done.lossless
    assert [row[:2] for row in table(tmp_path / "out", "pairs_of_readers")[1:]] == [["cohort", "Ann"]]
    document = json.loads((tmp_path / "out" / "agreement" / "agreement.json").read_text())
    assert [(r["name"], r["studies"]) for r in document["readers"]] == [("cohort", 2), ("Ann", 2), ("Sheet", 2)]


def test_a_reader_of_another_kind_than_the_cohort_is_told(cohort: Path, tmp_path: Path) -> None:
    for number in range(2):
        (cohort / f"nm-{number}" / "reading.json").unlink()
    (tmp_path / "scores.csv").write_text(",".join(("study", *SIOPEN)))
    options = StudyOptions(None, None, (str(tmp_path / "scores.csv"),), DETECTION)
    (problem,) = write_study_report(cohort, tmp_path / "out", options, quiet).problems
    assert problem.lost
    assert "no study of a kind that the cohort has (ct)" in str(problem)


def test_readers_of_one_folder_name_are_kept_apart(cohort: Path, tmp_path: Path) -> None:
    for who, start in (("ann", 4), ("ben", 30)):
        for number in range(2):
            write(tmp_path / who / "ct" / f"ct-{number}" / "reading.json", [(start, 1.0, "lytic")], f"1.{number}")
    readers = (str(tmp_path / "ann" / "ct"), str(tmp_path / "ben" / "ct"))
    done = write_study_report(cohort, tmp_path / "out", StudyOptions(readers=readers, detection=DETECTION), quiet)
    pairs = {(row[0], row[1]): row[2] for row in table(tmp_path / "out", "pairs_of_readers")[1:]}
    assert list(pairs) == [("cohort", "ann/ct"), ("cohort", "ben/ct"), ("ann/ct", "ben/ct")]
    assert pairs["cohort", "ann/ct"].startswith("67")
    assert pairs["ann/ct", "ben/ct"].startswith("0")
    assert len(list((tmp_path / "out" / "agreement-ct").iterdir())) == 3
    twice = (f"A={tmp_path / 'ann' / 'ct'}", f"A={tmp_path / 'ann' / 'ct'}")
    done = write_study_report(cohort, tmp_path / "out", StudyOptions(readers=twice, detection=DETECTION), quiet)
    assert ["two readers named ann/A" in str(problem) for problem in done.problems] == [True]


def test_readings_of_one_file_name_are_all_reported(tmp_path: Path) -> None:
    for name in ("date1/P01", "date2/P01", "date1/P02"):
        write(tmp_path / "cohort" / f"{name}.json", [(4, 0.9, "lytic")], f"1.{name}", patient=name[-3:])
    done = write_study_report(tmp_path / "cohort", tmp_path / "out", StudyOptions(detection=DETECTION), quiet)
    assert done.report.patient[0].value == "3 of 2 patients"
    studies = table(tmp_path / "out", "ct_studies")
    assert [row[0] for row in studies[1:]] == ["P02", "date1/P01", "date2/P01"]
    assert done.lossless


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace('"confidence": 0.9', f'"confidence": {10**400}', 1),
        lambda text: re.sub(r'"runs": \[[^]]*\]', '"runs": ["x"]', text, count=1),
        lambda text: re.sub(r'"runs": \[[^]]*\]', '"runs": null', text, count=1),
        lambda _: "[" * 100_000,
    ],
)
def test_a_damaged_reading_loses_no_other(tmp_path: Path, damage: Callable[[str], str]) -> None:
    for name in ("one", "two"):
        write(tmp_path / "cohort" / f"{name}.json", [(4, 0.9, "lytic")], name)
    path = tmp_path / "cohort" / "one.json"
    damaged = damage(path.read_text())
    assert damaged != path.read_text()
    path.write_text(damaged)
    cohort = open_cohort(tmp_path / "cohort")
    assert [member.study for member in cohort.members] == ["two"]


def test_marks_that_cannot_be_used_do_not_lose_the_report(cohort: Path, tmp_path: Path) -> None:
    (tmp_path / "marks.csv").write_text("Case;Size\nct-0;yes\n")
    options = StudyOptions(marks=tmp_path / "marks.csv", detection=DETECTION)
    (problem,) = write_study_report(cohort, tmp_path / "out", options, quiet).problems
    assert problem.lost
    assert "Reader analysis: read marks" in str(problem)
    assert "columns case, size" in str(problem)
    assert (tmp_path / "out" / "study.html").is_file()


def test_a_part_that_cannot_be_made_does_not_lose_the_others(cohort: Path, tmp_path: Path) -> None:
    options = StudyOptions(tmp_path / "nowhere", None, (), DETECTION)
    done = write_study_report(cohort, tmp_path / "out", options, quiet)
    assert ["nowhere" in str(problem) for problem in done.problems] == [True]
    assert "Evaluation" not in " ".join(section.title for section in done.report.sections)
    (tmp_path / "empty").mkdir()
    with pytest.raises(IntakeError, match=r"no reading\.json that can be used"):
        write_study_report(tmp_path / "empty", tmp_path / "out", StudyOptions(), quiet)
