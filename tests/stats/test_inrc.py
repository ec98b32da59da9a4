from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osteoscope.stats.inrc import CATEGORIES, NewSites, Score, category, judge, possible, relative

scores = st.integers(0, 72)


@pytest.mark.parametrize(
    ("before", "now", "new", "wanted"),
    [
        (0, 0, False, "NI"),
        (0, 1, False, "PD"),
        (0, 1, True, "PD"),
        (20, 0, False, "CR"),
        (20, 10, False, "PR"),
        (20, 10, True, "PD"),
        (20, 11, False, "SD"),
        (20, 20, False, "SD"),
        (20, 23, False, "SD"),
        (20, 24, False, "PD"),
        (5, 6, False, "PD"),
        (1, 1, False, "SD"),
        (72, 72, True, "PD"),
        (72, 72, False, "SD"),
    ],
)
def test_the_table_of_the_inrc(before: int, now: int, new: bool, wanted: str) -> None:
    assert category(before, now, new) == wanted


@given(scores, scores, st.booleans())
def test_more_uptake_is_never_a_better_category(before: int, now: int, new: bool) -> None:
    order = {"NI": 0, "CR": 0, "PR": 1, "SD": 2, "PD": 3}
    assert order[category(before, now, new)] <= order[category(before, now + 1, new)]
    assert category(before, now, True) == "PD"


@given(scores, scores, st.booleans(), st.integers(0, 6), st.integers(0, 6))
def test_what_is_possible_holds_what_is(before: int, now: int, new: bool, down: int, up: int) -> None:
    fresh = new and now > 0
    ranges = [(max(0, v - down), v + up) for v in (before, now)]
    assert category(before, now, fresh) in possible(ranges[0], ranges[1], [fresh])


def test_what_is_possible_is_in_one_order_without_doubles() -> None:
    assert possible((10, 10), (0, 20), [False, True]) == ("CR", "PR", "SD", "PD")
    assert possible((0, 0), (0, 0), [False]) == ("NI",)


def exact(value: int, missing: int = 0) -> Score:
    return Score(value, (value, value), missing)


def test_the_relative_score_and_its_range() -> None:
    ratio = relative(Score(10, (8, 12)), Score(5, (3, 6)))
    assert (ratio.value, ratio.low, ratio.high) == (0.5, 0.25, 0.75)
    assert relative(Score(2, (0, 4)), exact(1)).high is None
    assert relative(exact(0), exact(3)).note == "undefined: not involved at baseline"
    assert relative(exact(0), exact(3)).value is None


def test_missing_segments_widen_the_relative_score() -> None:
    same = relative(exact(10, 6), exact(4, 6))
    assert (same.value, same.low, same.high) == (0.4, 0.25, 1.0)
    other = relative(exact(10), exact(4, 6), same=False)
    assert other.value is None
    assert (other.low, other.high) == (0.4, 1.0)


def test_an_exact_pair_is_judged_without_doubt() -> None:
    verdict = judge(exact(20), exact(9), (20, 9), NewSites(), "")
    assert (verdict.category, verdict.possible, verdict.reason) == ("PR", ("PR",), "")


def test_a_threshold_within_the_interval_leaves_two_possible() -> None:
    verdict = judge(exact(20), Score(9, (8, 11)), (20, 9), NewSites(), "")
    assert (verdict.category, verdict.possible) == ("PR", ("PR", "SD"))


def test_a_missing_segment_withholds_the_category_only_where_it_matters() -> None:
    open_ = judge(exact(20), exact(9, 6), (20, 9), NewSites(), "B has no level of skull (not acquired)")
    assert open_.category is None
    assert (open_.by_assessed, open_.possible) == ("PR", ("PR", "SD"))
    assert "skull" in open_.reason
    assert judge(exact(20), exact(2, 6), (20, 2), NewSites(), "").category == "PR"
    new = judge(exact(20), exact(9, 6), (20, 9), NewSites(seen=True, sure=True, hidden=True), "")
    assert (new.category, new.possible) == ("PD", ("PD",))


def test_uptake_cannot_be_called_resolved_beside_an_unseen_segment() -> None:
    verdict = judge(exact(20), exact(0, 6), (20, 0), NewSites(hidden=True), "unseen")
    assert verdict.category is None
    assert verdict.possible == ("CR", "PR", "PD")


def test_a_doubtful_new_lesion_keeps_progression_possible() -> None:
    faint = judge(exact(20), exact(9), (20, 9), NewSites(possible=True), "")
    assert (faint.category, faint.possible) == ("PR", ("PR", "PD"))
    unsure = judge(exact(20), exact(9), (20, 9), NewSites(seen=True), "")
    assert (unsure.category, unsure.possible) == ("PD", ("PR", "PD"))


@given(scores, scores)
def test_every_category_is_of_the_table(before: int, now: int) -> None:
    assert category(before, now, False) in CATEGORIES
