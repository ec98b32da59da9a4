"""`osteoscope train mibg` and `read --adapt` on a small cohort of readings."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from score_cases import case, foci, patch

from osteoscope.deliver import adaptation
from osteoscope.deliver.adaptation import AdaptOptions, train_adaptation
from osteoscope.deliver.adaptation_cohort import read_cohort
from osteoscope.deliver.outputs import read_reading, write_reading
from osteoscope.deliver.ratings import Problem
from osteoscope.deliver.simulated import write_child
from osteoscope.domain.anatomy import SIOPEN
from osteoscope.domain.finding import Finding
from osteoscope.domain.reading import Provenance, Reader, Reading, StudyRecord
from osteoscope.domain.study import Patient
from osteoscope.errors import IntakeError, OutputError
from osteoscope.measure.adaptation_card import Card
from osteoscope.simulate.planar import ChildRecipe, Foci
from osteoscope.stats.resampling import Resampling

BASE = Reader("program", "osteoscope mibg-planar, baseline", "0")
QUICK = AdaptOptions(resampling=Resampling(draws=100))
STUDIES = 24
Rows = list[dict[str, Any]]


def quiet(*_: object) -> None:
    pass


def osteoscope(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "osteoscope", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def reading(number: int, rng: np.random.Generator, reader: Reader = BASE) -> Reading:
    """What a program found in a box-shaped child: foci and a patch here and there."""
    found: list[Finding] = []
    for segment in SIOPEN.values():
        found += foci(segment[0], int(rng.choice(5, p=(0.5, 0.15, 0.1, 0.2, 0.05))), 0.85, start=10 * len(found))
    found += [patch("pelvis", int(rng.integers(2, 20)))] if rng.random() < 0.4 else []
    made = case(found)
    record = replace(StudyRecord.of(made.study), uid=f"1.2.{number}", patient=Patient(f"Child {number // 2}"))
    return Reading(record, reader, made.findings, made.sites, (), Provenance("test"))


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Rows]:
    """A folder of readings and the rows of a reader who calls level 4 from three foci."""
    folder, rng, made = tmp_path_factory.mktemp("cohort"), np.random.default_rng(0), []
    for number in range(STUDIES):
        one = reading(number, rng)
        (folder / f"s{number}").mkdir()
        write_reading(one, folder / f"s{number}" / "reading.json")
        row: dict[str, Any] = {"id": number, "patient": f"Smith {number // 2}", "study": f"s{number}"}
        for segment in SIOPEN:
            site = one.site(segment)
            level = site.measure("siopen") if site else None
            assert level
            row[segment] = 4 if level.value == 3 else int(level.value)
        made.append(row)
    made[0]["study"], made[1]["skull"] = "s0/reading.json", "not assessable"
    return folder, made


def write(path: Path, rows: Rows) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def run(rows: tuple[Path, Rows], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of one run on the terminal, and what it said."""
    out = tmp_path_factory.mktemp("adaptation")
    done = osteoscope("train", "mibg", write(rows[0] / "good.csv", rows[1]), "-o", out, "--release", "7")
    assert (done.returncode, done.stderr) == (0, "")
    return out, done.stdout


def test_the_card_says_what_it_is(run: tuple[Path, str]) -> None:
    out, said = run
    card = Card.load(out / "adaptation.json")
    assert (card.name, card.version, card.verdict) == ("siopen-adaptation", "7", "helps")
    assert (card.cohort.studies, card.cohort.patients, sum(card.cohort.levels)) == (24, 12, 24 * 12 - 1)
    assert card.base.reader == BASE.name
    assert "Research use only" in card.purpose
    assert "The adaptation helps" in said
    assert "pooled: kappa, quadratic weights" in said
    text = (out / "adaptation.json").read_text()
    assert "Smith" not in text
    assert "1.2." not in text.replace("0.1.2", "")
    page = (out / "adaptation.html").read_text()
    assert "not a medical device" in page
    assert "data:image/png;base64," in page
    assert "Smith" not in page


def test_a_study_is_read_with_it(run: tuple[Path, str], tmp_path: Path) -> None:
    lesions = (Foci("proximal_lower_limb_left", 3, 20, 40),)
    write_child(ChildRecipe(age_years=5, lesions=lesions), 11, tmp_path / "child")
    for name, extra in (("plain", ()), ("adapted", ("--adapt", run[0] / "adaptation.json"))):
        done = osteoscope("read", tmp_path / "child" / "dicom", "-o", tmp_path / name, "--baseline", *extra)
        assert done.returncode == 0, done.stderr
    plain, adapted = (read_reading(tmp_path / name / "reading.json") for name in ("plain", "adapted"))
    card = Card.load(run[0] / "adaptation.json")
    assert adapted.reader.models == (*plain.reader.models, card.record)
    assert [(f.id, f.site, f.confidence) for f in adapted.findings] == [
        (f.id, f.site, f.confidence) for f in plain.findings
    ]
    total = 0.0
    for segment in SIOPEN:
        before, after = plain.site(segment), adapted.site(segment)
        assert before
        assert after
        assert before.evidence == after.evidence
        level, kept, shipped = after.measure("siopen"), after.measure("siopen_unadapted"), before.measure("siopen")
        assert level
        assert kept
        assert shipped
        assert (kept.value, kept.interval) == (shipped.value, shipped.interval)
        assert before.measure("curie") == after.measure("curie")
        total += level.value
    found = adapted.measure("siopen_total")
    assert found
    assert found.value == total
    assert "adapted by siopen-adaptation 7" in found.method
    assert adapted.measure("curie_total") == plain.measure("curie_total")
    assert not [gap for gap in adapted.gaps if "Error" in gap.reason]
    assert any("adapted to one reader's 24 studies" in gap.reason for gap in adapted.gaps)
    other = osteoscope(
        "read", tmp_path / "child" / "dicom", "-o", tmp_path / "x", "--adapt", run[0] / "adaptation.json"
    )
    assert other.returncode == 4
    assert "it was fitted to 'osteoscope mibg-planar, baseline' without a trained model" in other.stdout


def test_a_tampered_card_ends_in_one_plain_line(run: tuple[Path, str], tmp_path: Path) -> None:
    text = (run[0] / "adaptation.json").read_text()
    (tmp_path / "card.json").write_text(text.replace('"verdict": "helps"', '"verdict": "harms"'))
    done = osteoscope("read", tmp_path, "-o", tmp_path / "out", "--adapt", tmp_path / "card.json")
    assert done.returncode == 1
    assert "It was changed or damaged" in done.stderr
    assert "Traceback" not in done.stderr


def person(one: Reading) -> Reading:
    return replace(one, reader=Reader("person", "Dr A"))


def other_base(one: Reading) -> Reading:
    return replace(one, reader=Reader("program", "osteoscope old"))


def unscored(one: Reading) -> Reading:
    return replace(one, sites=tuple(replace(s, status="not_acquired", measures=()) for s in one.sites))


def under_other_choices(one: Reading) -> Reading:
    return replace(one, provenance=Provenance("test", settings={"sacrum": "pelvis", "half_reaches_5": "false"}))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"skull": "7"}, "row 4, column skull: '7' is no level. Give 0 to 6"),
        ({"study": "nowhere"}, "row 4, column study: no such file or folder"),
        ({"study": ""}, "row 4, column study: no study in this row"),
        ({"study": "junk.json"}, "row 4, column study: it is no reading.json of this version"),
        ({"study": "s5"}, "row 4, column study: the same study as another row"),
        (person, "row 4, column study: a Reading of kind 'nm-planar' by a person"),
        (other_base, "row 4, column study: read by 'osteoscope old' without a trained model, most others by"),
        (unscored, "row 4, column study: no segment with both a level"),
        (
            under_other_choices,
            "row 4, column study: scored under half_reaches_5=false, sacrum=pelvis, and an adaptation is learnt under "
            "the default choices. Read the study again without --score",
        ),
    ],
)
def test_bad_rows_are_told_and_the_rest_goes_on(
    rows: tuple[Path, Rows], tmp_path: Path, change: dict[str, str] | Callable[[Reading], Reading], told: str
) -> None:
    folder, good = rows
    changed = [dict(row) for row in good]
    (folder / "junk.json").write_text("{}")
    if callable(change):
        (folder / change.__name__).mkdir(exist_ok=True)
        write_reading(change(read_reading(folder / "s2" / "reading.json")), folder / change.__name__ / "reading.json")
        changed[2]["study"] = change.__name__
    else:
        changed[2] |= change
    path = write(folder / f"{tmp_path.name}.csv", changed)
    read = read_cohort(path, QUICK.intake, quiet)
    assert len(read.members) == STUDIES - (2 if change == {"study": "s5"} else 1)
    assert any(told in str(problem) and problem.lost for problem in read.problems), read.problems


def test_a_bad_row_costs_exit_code_3(rows: tuple[Path, Rows], tmp_path: Path) -> None:
    changed = [*map(dict, rows[1])]
    changed[3]["pelvis"] = "high"
    done = osteoscope("train", "mibg", write(rows[0] / "bad.csv", changed), "-o", tmp_path, "--json")
    assert done.returncode == 3
    assert "bad.csv, row 5, column pelvis: 'high' is no level" in done.stderr
    assert json.loads(done.stdout) == json.loads((tmp_path / "adaptation.json").read_text())


def test_too_few_studies_are_refused_with_the_reason(rows: tuple[Path, Rows], tmp_path: Path) -> None:
    for few, found in ((rows[1][:14], "14 usable studies of 7"), (rows[1][:18], "18 usable studies of 9")):
        with pytest.raises(IntakeError, match=f"{found} patients.*Give at least 15 studies of 10 patients"):
            train_adaptation(write(rows[0] / "few.csv", few), tmp_path, QUICK, quiet)


def without(rows: Rows, *columns: str) -> Rows:
    return [{key: value for key, value in row.items() if key not in columns} for row in rows]


def without_patient(rows: tuple[Path, Rows], number: int) -> str:
    """A copy of a Reading that names no patient."""
    folder = rows[0] / f"nobody{number}"
    folder.mkdir(exist_ok=True)
    one = read_reading(rows[0] / f"s{number}" / "reading.json")
    write_reading(replace(one, study=replace(one.study, patient=Patient(""))), folder / "reading.json")
    return folder.name


def doubts(problems: tuple[Problem, ...]) -> list[str]:
    assert not any(problem.lost for problem in problems)
    return [problem.found for problem in problems if problem.column == "patient"]


def test_an_id_is_of_the_row_and_names_no_patient(rows: tuple[Path, Rows]) -> None:
    read = read_cohort(write(rows[0] / "ids.csv", without(rows[1], "patient")), QUICK.intake, quiet)
    assert len(set(read.patients)) == STUDIES // 2
    assert set(read.patients) == {member.patient for member in read.members}
    assert doubts(read.problems) == []


def test_patients_that_the_file_does_not_name_are_those_of_the_readings(
    rows: tuple[Path, Rows], tmp_path: Path
) -> None:
    path = write(rows[0] / "bare.csv", without(rows[1], "patient", "id"))
    done = train_adaptation(path, tmp_path, QUICK, quiet)
    assert done.card.cohort.patients == STUDIES // 2
    assert not any("no patient" in limit for limit in done.card.limits)
    assert doubts(done.problems) == []
    assert "Child" not in (tmp_path / "adaptation.json").read_text() + (tmp_path / "adaptation.html").read_text()


def test_blanks_of_a_path_are_kept_beside_an_id_column(rows: tuple[Path, Rows]) -> None:
    folder, changed = rows[0], [dict(row) for row in rows[1]]
    shutil.copytree(folder / "s3", folder / "s  3")
    changed[3] |= {"study": "s  3", "patient": "Smith\n1"}
    read = read_cohort(write(folder / "blanks.csv", changed), QUICK.intake, quiet)
    assert [str(problem) for problem in read.problems] == []
    assert (len(read.members), read.patients[3]) == (STUDIES, "Smith 1")
    assert [m.rated.row for m in read.members[3:6]] == [5, 7, 8]


def test_a_blank_patient_is_the_one_that_another_row_gives_to_its_reading(rows: tuple[Path, Rows]) -> None:
    changed = without(rows[1], "id")
    for number in (0, 6, 7):
        changed[number]["patient"] = ""
    read = read_cohort(write(rows[0] / "partly.csv", changed), QUICK.intake, quiet)
    assert read.patients[:2] == ("Smith 0", "Smith 0")
    assert read.patients[6:8] == ("Child 3", "Child 3")
    assert len(set(read.patients)) == STUDIES // 2
    assert doubts(read.problems) == []


def test_a_row_whose_patient_nobody_names_is_told(rows: tuple[Path, Rows], tmp_path: Path) -> None:
    changed = without(rows[1], "id")
    changed[4] |= {"patient": "", "study": without_patient(rows, 4)}
    done = train_adaptation(write(rows[0] / "nobody.csv", changed), tmp_path, QUICK, quiet)
    assert done.card.cohort.patients == STUDIES // 2 + 1
    assert doubts(done.problems) == [
        "rows 6 name no patient and neither do their Readings: each is taken as a child of its own"
    ]
    assert any("1 of 24 studies name no patient" in limit for limit in done.card.limits)


def test_a_file_that_joins_patients_of_several_readings_is_told(rows: tuple[Path, Rows]) -> None:
    changed = without(rows[1], "id")
    changed[2]["patient"] = "Smith 0"
    read = read_cohort(write(rows[0] / "joined.csv", changed), QUICK.intake, quiet)
    assert doubts(read.problems) == [
        "rows 4, 5 are of one patient by their Readings and of several by this file, which is followed",
        "rows 2, 3, 4 are of several patients by their Readings and of one by this file, which is followed",
    ]
    assert read.patients[2] == "Smith 0"


def test_files_that_are_no_cohort(rows: tuple[Path, Rows], tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("patient,skull\n1,0\n")
    (tmp_path / "b.csv").write_text("study,skull\ns1,0\n")
    (tmp_path / "c.csv").write_text("")
    for name, told in (
        ("a.csv", "no column 'study'"),
        ("b.csv", "the column is missing"),
        ("c.csv", "an empty first line"),
        ("none.csv", "No such file"),
    ):
        with pytest.raises(IntakeError, match=told):
            train_adaptation(tmp_path / name, tmp_path, QUICK, quiet)
    with pytest.raises(OutputError, match="-o"):
        train_adaptation(write(rows[0] / "out.csv", rows[1]), tmp_path / "a.csv" / "below", QUICK, quiet)


def test_a_folder_that_cannot_be_written_is_told_before_the_work(
    rows: tuple[Path, Rows], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adaptation, "read_cohort", lambda *_: pytest.fail("the cohort was read"))
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="-o"):
        train_adaptation(write(rows[0] / "before.csv", rows[1]), tmp_path / "file" / "below", QUICK, quiet)


def test_the_same_cohort_gives_the_same_card(rows: tuple[Path, Rows], tmp_path: Path) -> None:
    path = write(rows[0] / "twice.csv", rows[1])
    one, two = (train_adaptation(path, tmp_path / name, QUICK, quiet) for name in "ab")
    assert one.card.record == two.card.record
    assert json.loads((tmp_path / "a" / "adaptation.json").read_text())["sha256"] == one.card.record.sha256


def test_help_explains_itself() -> None:
    shown = osteoscope("train", "mibg", "--help").stdout
    assert "Usage: " in shown
    assert "--release" in shown
