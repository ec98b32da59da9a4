"""A split is drawn once: who is away keeps a part of it, and nobody trained on is held out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from osteoscope.deliver.ct_outputs import read_kept
from osteoscope.deliver.ct_prepared import Prepared
from osteoscope.deliver.ct_split import Stored, divide
from osteoscope.deliver.ct_start import start_of
from osteoscope.errors import IntakeError, InvalidValueError, UnsuitableStudyError
from osteoscope.find.ct_lesion_windows import MODEL
from osteoscope.find.model import SHIPPED

Make = Callable[..., Prepared]
DRAWN = (0.2, 1)


@pytest.fixture
def ten(prepared: Make) -> list[Prepared]:
    return [prepared(name, name) for name in "ABCDEFGHIJ"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "split.json"


def test_a_held_out_patient_that_was_away_is_held_out_again(ten: list[Prepared], path: Path) -> None:
    first = divide(ten, path, DRAWN).split
    assert len(first.held_out) == 2
    away = first.held_out[0]
    without = divide([case for case in ten if case.whose.said != away], path, DRAWN)
    assert [case.patient for case in without.held_out] == [first.held_out[1]]
    (problem,) = without.problems
    assert f"{away} (held out)" in problem.found
    assert not problem.lost
    again = divide(ten, path, DRAWN)
    assert sorted(again.split.held_out) == sorted(first.held_out)
    assert sorted(case.patient for case in again.held_out) == sorted(first.held_out)
    assert again.problems == ()


def test_new_patients_join_training(ten: list[Prepared], prepared: Make, path: Path) -> None:
    first = divide(ten, path, DRAWN).split
    more = divide([*ten, prepared("K", "K"), prepared("A2", "A")], path, DRAWN).split
    assert set(more.training) - set(first.training) == {"K"}
    assert sorted(more.held_out) == sorted(first.held_out)


@pytest.mark.parametrize("drawn", [(0.4, 1), (0.2, 2)])
def test_another_share_or_seed_is_refused(ten: list[Prepared], path: Path, drawn: tuple[float, int]) -> None:
    divide(ten, path, DRAWN)
    with pytest.raises(IntakeError, match=r"drawn with --held-out 0\.2 --seed 1.*another folder"):
        divide(ten, path, drawn)


@pytest.mark.parametrize("text", ['{"calib', '{"training": ["A"], "calibration": ["B"], "held_out": ["C"]}'])
def test_a_damaged_split_or_one_of_before_is_refused(ten: list[Prepared], path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(IntakeError, match=r"split\.json is damaged or of an earlier version.*another folder with -o"):
        divide(ten, path, DRAWN)


def test_a_scan_keeps_its_part_under_another_name(prepared: Make, path: Path) -> None:
    cases = [prepared(f"x{n}") for n in range(10)]
    first = divide(cases, path, DRAWN)
    renamed = [prepared(f"y{n}", ct=f"x{n}") for n in range(10)]
    second = divide(renamed, path, DRAWN)
    assert [case.whose.ct for case in second.held_out] == [case.whose.ct for case in first.held_out]
    assert sorted(second.split.held_out) == sorted(first.split.held_out)


def test_a_name_that_stands_for_another_ct_is_refused(prepared: Make, path: Path) -> None:
    cases = [prepared(f"x{n}") for n in range(5)]
    divide(cases, path, DRAWN)
    with pytest.raises(IntakeError, match="x0: another CT than before"):
        divide([prepared("x0", ct="new"), *cases[1:]], path, DRAWN)
    # The CT of before may be there under another name too.
    with pytest.raises(IntakeError, match="x0: another CT than before"):
        divide([prepared("y", ct="x0"), prepared("x0", ct="new"), *cases[1:]], path, DRAWN)


def test_a_named_patient_may_have_another_ct(ten: list[Prepared], prepared: Make, path: Path) -> None:
    first = divide(ten, path, DRAWN).split
    name = first.held_out[0]
    later = [case if case.whose.said != name else prepared("later", name) for case in ten]
    assert name in [case.patient for case in divide(later, path, DRAWN).held_out]


def test_patients_of_two_parts_that_are_one_are_refused(ten: list[Prepared], path: Path) -> None:
    first = divide(ten, path, DRAWN).split
    trained, held = first.training[0], first.held_out[0]
    same = [replace(case, whose=replace(case.whose, header="777")) if case.whose.said in {trained, held} else case
            for case in ten]  # fmt: skip
    with pytest.raises(IntakeError, match="one patient now, of several parts of the split"):
        divide(same, path, DRAWN)


def test_nobody_left_of_a_part_is_refused_and_nothing_written(ten: list[Prepared], path: Path) -> None:
    first = divide(ten, path, DRAWN).split
    before = path.read_text()
    for role in (first.training, first.calibration, first.held_out):
        with pytest.raises(IntakeError, match="no longer in the dataset"):
            divide([case for case in ten if case.whose.said not in role], path, DRAWN)
    assert path.read_text() == before


def test_the_split_of_a_start_is_kept_where_it_knows_a_patient(ten: list[Prepared], prepared: Make, path: Path) -> None:
    first = divide(ten, path, DRAWN).split
    elder = read_kept(Stored, path)
    assert elder
    other = path.with_name("other.json")
    second = divide(ten[:-1], other, (0.4, 7), elder)
    assert set(second.split.held_out) == set(first.held_out)
    assert "that made the model to start from" in second.problems[0].found
    assert divide(ten, other, (0.4, 7)).split == second.split
    strangers = [prepared(f"Z{n}", f"Z{n}") for n in range(5)]
    assert divide(strangers, path.with_name("new.json"), DRAWN, elder).problems == ()


def test_a_start_of_unknown_training_is_said(ten: list[Prepared], tmp_path: Path) -> None:
    model = tmp_path / "training" / "model"
    model.mkdir(parents=True)
    weights = SHIPPED / "mibg_planar.onnx"
    card = json.loads((SHIPPED / "mibg_planar.json").read_text())
    (model / f"{MODEL}.json").write_text(json.dumps(card | {"weights": str(weights)}))
    (problem,) = start_of(model, anew=False).problems
    assert "who trained this model is not known" in problem.found
    assert not problem.lost
    divide(ten, model.parent / "split.json", DRAWN)
    known = start_of(model / f"{MODEL}.json", anew=False)
    assert known.problems == ()
    assert known.elder is not None
    assert start_of(SHIPPED, anew=False).problems == ()


def test_patients_that_are_too_few_because_they_are_one_are_told_why(prepared: Make, path: Path) -> None:
    cases = [prepared(name, f"P{name}", "STUDY-1") for name in "abcd"]
    with pytest.raises(UnsuitableStudyError, match=r"1 patients; 'Pa', 'Pb', 'Pc', 'Pd' are taken for one"):
        divide(cases, path, DRAWN)
    assert not path.exists()


def test_a_patient_has_one_part() -> None:
    with pytest.raises(InvalidValueError, match="two roles or of none"):
        Stored(("A",), ("A",), ("C",), {"A": (), "C": ()}, 0.2, 1)
