from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from box_child import dated, foci, patch, spot

from osteoscope.deliver.compare import CompareOptions, compare_studies
from osteoscope.deliver.outputs import read_reading, write_reading
from osteoscope.deliver.review.draft import Ground
from osteoscope.deliver.review.edits import Person, edited
from osteoscope.deliver.unit_map import read_units, write_units
from osteoscope.dicom.write_nm import write_nm
from osteoscope.domain.reading import Case
from osteoscope.errors import IntakeError, OsteoscopeError, UnsuitableStudyError
from osteoscope.report.response_document import headline
from osteoscope.report.response_views import DatedView
from osteoscope.simulate.planar import Camera, ChildRecipe, simulate_planar
from osteoscope.stats.lesion_identity import Exam
from osteoscope.stats.response_record import Response

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "response.schema.json"


def quiet(*_: object) -> None:
    pass


def compared(*paths: Path, to: Path) -> Response:
    return compare_studies(paths, to, CompareOptions(), quiet)


def written(exam: Exam, folder: Path, outlines: bool = True) -> Path:
    """A folder as `osteoscope read` leaves it."""
    folder.mkdir()
    write_reading(exam.reading, folder / "reading.json")
    if outlines:
        case = Case(DatedView(exam.reading, exam.mapped, {}).case().study, exam.mapped)
        write_units(case, folder / "units.json")
    return folder


@pytest.fixture
def before(tmp_path: Path) -> Path:
    return written(dated([*foci("pelvis", 3), spot(9, "thoracic_cage", 0)]), tmp_path / "before")


@pytest.fixture
def after(tmp_path: Path) -> Path:
    found = [*foci("pelvis", 3), spot(9, "thoracic_cage", 17)]
    return written(dated(found, date="2026-05-01"), tmp_path / "after")


def test_folders_of_results_are_compared_by_place(before: Path, after: Path, tmp_path: Path) -> None:
    response = compared(before, after, to=tmp_path / "out")
    assert response.comparisons[0].new == ("L5",)
    plain = json.loads((tmp_path / "out" / "response.json").read_text())
    jsonschema.validate(plain, json.loads(SCHEMA.read_text()))
    page = (tmp_path / "out" / "response.html").read_text()
    assert "not a medical device" in page
    assert "outlines alone" in page
    assert "L5" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert not list((tmp_path / "out").glob("exam-*"))


def test_a_site_that_a_reviewer_set_by_hand_is_said_on_the_page(before: Path, tmp_path: Path) -> None:
    now = dated(foci("pelvis", 1), date="2026-05-01")
    reading = edited(now.reading, [{"op": "level", "site": "skull", "level": 1}], Person("Ana"), Ground())
    response = compared(before, written(replace(now, reading=reading), tmp_path / "after"), to=tmp_path / "out")
    assert response.comparisons[0].scores[0].verdict.category == "PD"
    assert "counted as a new bone site" in (tmp_path / "out" / "response.html").read_text()
    (told,) = headline(response)
    assert "PD (progressive disease)" in told
    assert "no new bone lesion listed, but a bone site new by its level alone, 3 resolved" in told


def test_uptake_where_there_was_none_is_new_in_the_headline_too(tmp_path: Path) -> None:
    none, now = dated([]), dated([], date="2026-05-01")
    reading = edited(now.reading, [{"op": "level", "site": "skull", "level": 1}], Person("Ana"), Ground())
    exams = (written(none, tmp_path / "none"), written(replace(now, reading=reading), tmp_path / "now"))
    (told,) = headline(compared(*exams, to=tmp_path / "out"))
    assert "PD (progressive disease)" in told
    assert "a bone site new by its level alone" in told


def test_progression_by_the_score_alone_has_no_new_site_in_its_headline(tmp_path: Path) -> None:
    two = [dated(foci("pelvis", 1)), dated([patch("pelvis", 14)], date="2026-05-01")]
    paths = [written(exam, tmp_path / str(n)) for n, exam in enumerate(two)]
    (told,) = headline(compared(*paths, to=tmp_path / "out"))
    assert "PD (progressive disease)" in told
    assert "; no new bone lesion, 0 resolved" in told


def test_a_reading_alone_is_matched_by_number_and_says_so(before: Path, after: Path, tmp_path: Path) -> None:
    (after / "units.json").unlink()
    response = compared(before / "reading.json", after / "reading.json", to=tmp_path / "out")
    assert response.comparisons[0].new == ()
    assert any("No outlines of the units for" in note for note in response.notes)
    assert [exam.outlines for exam in response.exams] == [True, False]


def test_outlines_of_another_study_are_not_used(before: Path, after: Path, tmp_path: Path) -> None:
    (after / "units.json").write_bytes((before / "units.json").read_bytes())
    assert [e.outlines for e in compared(before, after, to=tmp_path / "out").exams] == [True, False]


def test_units_come_back(before: Path) -> None:
    assert read_units(before / "units.json").units == dated().mapped


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("absent", None, "no such file or folder"),
        ("other.json", '{"a": 1}', "no reading.json of this version"),
        ("broken.json", "{", "no reading.json of this version"),
        ("notes.txt", "call the ward", "no study in it"),
    ],
)
def test_what_is_no_study_is_named(before: Path, tmp_path: Path, name: str, content: str | None, said: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(IntakeError) as caught:
        compared(before, path, to=tmp_path / "out")
    assert said in str(caught.value)
    assert name in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("site", "change", "said"),
    [
        ("skull", {"value": 9, "interval": None}, "siopen of skull is level 9. Give whole levels of 0 to 6"),
        ("skull", {"value": -1, "interval": None}, "siopen of skull is level -1"),
        ("skull", {"value": 1.5, "interval": None}, "siopen of skull is level 1.5"),
        ("thoracic_cage", {"value": 1, "interval": (0, 8)}, "is level 1 with the interval 0 to 8"),
        ("femurs", {"value": 4, "interval": None}, "curie of femurs is level 4. Give whole levels of 0 to 3"),
    ],
)
def test_a_level_that_its_score_does_not_have_is_refused(
    before: Path, tmp_path: Path, site: str, change: dict[str, Any], said: str
) -> None:
    made = dated(foci("skull", 1), date="2026-05-01").reading
    sites = tuple(
        replace(one, measures=tuple(replace(m, **change) for m in one.measures)) if one.site == site else one
        for one in made.sites
    )
    path = written(Exam("after", replace(made, sites=sites)), tmp_path / "after", outlines=False)
    with pytest.raises(IntakeError) as caught:
        compared(before, path, to=tmp_path / "out")
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_one_study_is_not_enough_and_two_in_one_folder_are_too_many(before: Path, tmp_path: Path) -> None:
    with pytest.raises(UnsuitableStudyError, match="two or more"):
        compared(before, to=tmp_path / "out")
    with pytest.raises(OsteoscopeError, match="twice"):
        compared(before, before, to=tmp_path / "out")
    camera = Camera(rows=256, columns=128, pixel_mm=5.0)
    for seed in (1, 2):
        write_nm(simulate_planar(ChildRecipe(camera=camera), seed).study, tmp_path / "many" / str(seed))
    with pytest.raises(IntakeError, match="2 studies in it"):
        compared(before, tmp_path / "many", to=tmp_path / "out")


def test_three_dates_and_an_unscored_one(before: Path, after: Path, tmp_path: Path) -> None:
    third = written(dated(date="2026-08-01"), tmp_path / "third")
    response = compared(before, after, third, to=tmp_path / "out")
    assert [(c.prior, c.current) for c in response.comparisons] == [(0, 2), (1, 2), (0, 1)]
    assert response.comparisons[0].scores[0].verdict.category == "CR"
    reading = read_reading(third / "reading.json")
    unscored = replace(reading, sites=tuple(replace(s, measures=()) for s in reading.sites), measures=())
    write_reading(unscored, third / "reading.json")
    with pytest.raises(UnsuitableStudyError, match=r"third.*no segment has a SIOPEN level"):
        compared(before, third, to=tmp_path / "out")
