"""Levels after edits and amendments: both scores of a bone agree, and what is not known stays a range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from box_child import dated, foci, patch, spot
from hypothesis import given, settings
from hypothesis import strategies as st
from score_cases import case

from osteoscope.deliver.review.draft import Ground
from osteoscope.deliver.review.edits import Person, edited
from osteoscope.domain.anatomy import CURIE, SIOPEN
from osteoscope.domain.finding import Finding
from osteoscope.domain.in_part import in_field, note_of_part
from osteoscope.domain.reading import Provenance, Reading, SiteReading, Status
from osteoscope.measure.score import totals
from osteoscope.measure.score_choices import in_words
from osteoscope.measure.score_tables import ScoreOptions
from osteoscope.stats.lesion_identity import Exam, unit_status
from osteoscope.stats.response import compare

ANA, BOB = Person("Ana"), Person("Bob")
RIGHT, LEFT = "distal_lower_limb_right", "distal_lower_limb_left"
CUT: dict[str, Status] = {RIGHT: "not_acquired"}
Edit = dict[str, Any]
Level = tuple[str, float | None, tuple[float, float] | None]


def program(findings: Sequence[Finding], hidden: dict[str, Status] | None = None) -> tuple[Reading, Ground]:
    """The box-shaped child as the program reads it: levels and totals by the ladders, with intervals and settings."""
    made = case(findings, hidden)
    scored = {said.site: said.measures for said in made.sites}
    base = dated(findings, hidden).reading
    sites = tuple(replace(said, measures=scored[said.site]) for said in base.sites)
    words = Provenance("test", (), in_words(ScoreOptions()))
    return replace(base, sites=sites, measures=totals(made), provenance=words), Ground(units=made.mapped)


SICK, WHOLE = program(foci("skull", 1))
WHOLE_LEGS, _ = program(foci(LEFT, 1))
LEGS, GROUND = program([*foci("pelvis", 2), *foci(LEFT, 2, start=5)], CUT)


def level(site: str, value: int | None, op: str = "level") -> Edit:
    return {"op": op, "site": site, "level": value}


def at(reading: Reading, site: str) -> SiteReading:
    said = reading.site(site)
    assert said is not None
    return said


def told(reading: Reading, site: str, score: str = "siopen") -> Level:
    """Status, level and interval of a site."""
    said = at(reading, site)
    measure = said.measure(score)
    return (said.status, measure.value, measure.interval) if measure else (said.status, None, None)


def total(reading: Reading, score: str) -> tuple[float, float, float]:
    """A total and the ends of its range."""
    measure = reading.measure(f"{score}_total")
    assert measure is not None
    low, high = measure.interval or (measure.value, measure.value)
    return measure.value, low, high


@pytest.mark.parametrize("first", [0, 2])
def test_a_curie_level_that_no_longer_follows_is_counted_again(first: int) -> None:
    signed = edited(SICK, [level("skull", first)], ANA, WHOLE)
    assert told(signed, "craniofacial", "curie")[1] == first
    amended = edited(signed, [level("skull", 4)], BOB, WHOLE)
    curie = at(amended, "craniofacial").measure("curie")
    assert curie is not None
    assert (curie.value, curie.method) == (1, "curie ladder, counted again for Bob")
    assert curie.interval == at(SICK, "craniofacial").measure("curie").interval  # type: ignore[union-attr]
    untouched = edited(amended, [{"op": "comment", "text": "seen"}], ANA, WHOLE)
    assert (untouched.sites, untouched.measures, untouched.gaps) == (amended.sites, amended.measures, amended.gaps)


def test_where_it_cannot_be_counted_again_it_is_left_open_until_it_is_set() -> None:
    signed = edited(SICK, [level("skull", 0)], ANA, Ground())
    amended = edited(signed, [level("skull", 4)], BOB, Ground())
    assert told(amended, "craniofacial", "curie") == ("assessed", None, None)
    assert [(gap.where, gap.step) for gap in amended.gaps] == [("craniofacial", "curie")]
    assert "set its level by hand" in amended.gaps[0].reason
    assert total(amended, "curie")[2] >= 3
    assert edited(amended, [{"op": "comment", "text": "seen"}], ANA, Ground()).gaps == amended.gaps
    assert edited(amended, [level("craniofacial", 2, "curie")], ANA, Ground()).gaps == ()
    assert edited(amended, [level("skull", 2)], ANA, Ground()).gaps == ()


@pytest.mark.parametrize(
    ("found", "given", "regions"),
    [
        (foci("pelvis", 1), ("skull", 4), ["craniofacial"]),
        ([patch("skull", 12)], ("skull", 4), ["craniofacial"]),
        ([], ("spine", 2), ["cervicothoracic_spine", "lumbosacral_spine"]),
        (foci("sacrum", 2), ("spine", 1), ["cervicothoracic_spine", "lumbosacral_spine"]),
        (foci("sacrum", 2), ("spine", 4), []),
        ([], (RIGHT, 4), ["lower_legs"]),
        (foci(LEFT, 1), (RIGHT, 4), []),
    ],
)
def test_a_curie_level_that_a_siopen_level_set_by_hand_rules_out_is_left_open(
    found: list[Finding], given: tuple[str, int], regions: list[str]
) -> None:
    reading, ground = program(found)
    made = edited(reading, [level(*given)], ANA, ground)
    assert [gap.where for gap in made.gaps if gap.step == "curie"] == regions
    assert [site for site in CURIE if site != "soft_tissue" and told(made, site, "curie")[1] is None] == regions


def test_a_region_whose_segments_are_not_assessable_has_no_curie_level() -> None:
    made = edited(SICK, [level("skull", None)], ANA, WHOLE)
    assert told(made, "craniofacial", "curie") == ("not_assessable", None, None)
    assert at(made, "craniofacial").notes == ("curie: not assessable, follows from SIOPEN levels set by Ana",)
    assert total(made, "curie")[2] >= 3
    back = edited(made, [level("skull", 4)], BOB, WHOLE)
    assert told(back, "craniofacial", "curie")[:2] == ("assessed", 1)
    assert at(back, "craniofacial").notes == ()
    set_too = edited(SICK, [level("skull", None), level("craniofacial", 2, "curie")], ANA, WHOLE)
    assert told(set_too, "craniofacial", "curie") == ("assessed", 2, None)


def test_a_region_with_one_leg_not_assessable_counts_the_other_and_is_open_above() -> None:
    reading, ground = program([*foci(LEFT, 1), *foci(RIGHT, 1, start=5)])
    made = edited(reading, [level(RIGHT, None)], ANA, ground)
    status, value, interval = told(made, "lower_legs", "curie")
    assert (status, value, interval and interval[1]) == ("assessed", 1, 3)
    assert f"{RIGHT}: not assessable" in at(made, "lower_legs").notes
    back = edited(made, [level(RIGHT, 4)], BOB, ground)
    assert told(back, "lower_legs", "curie")[1] == 2
    assert f"{RIGHT}: not assessable" not in at(back, "lower_legs").notes


def test_levels_of_a_scan_that_was_not_scored_are_not_counted_from_no_findings() -> None:
    blank, ground = program([])
    bare = tuple(replace(said, measures=()) for said in blank.sites)
    unscored = replace(blank, sites=bare, measures=(), provenance=Provenance("t", (), {"plan": "planar-not-scored"}))
    signed = edited(unscored, [level("skull", 2)], ANA, ground)
    assert told(signed, "craniofacial", "curie")[1] == 2
    assert told(edited(signed, [level("skull", 4)], BOB, ground), "craniofacial", "curie")[1] is None


@pytest.mark.parametrize("signed_between", [False, True])
def test_not_assessable_in_one_score_leaves_a_level_set_by_hand_in_the_other(signed_between: bool) -> None:
    edits = [level("pelvis", 3), level("pelvis", None, "curie")]
    for first, second in (edits, edits[::-1]):
        if signed_between:
            made = edited(edited(LEGS, [first], ANA, GROUND), [second], ANA, GROUND)
        else:
            made = edited(LEGS, [first, second], ANA, GROUND)
        assert told(made, "pelvis", "siopen") == ("assessed", 3, None)
        assert told(made, "pelvis", "curie") == ("assessed", None, None)
        assert (total(made, "siopen")[0], total(made, "curie")[0]) == (5, 2)


def test_an_edit_elsewhere_keeps_the_ranges_of_the_totals() -> None:
    for score in ("siopen", "curie"):
        value, low, high = total(LEGS, score)
        made = edited(LEGS, [level("skull", 0)], ANA, GROUND)
        again = edited(made, [level("thoracic_cage", 0)], BOB, GROUND)
        assert total(made, score)[0] == total(again, score)[0] == value
        assert low <= total(again, score)[1] <= value
        assert value + (6 if score == "siopen" else 1) <= total(again, score)[2] <= total(made, score)[2] <= high


def test_a_level_counted_again_stays_open_for_the_part_that_was_not_assessed() -> None:
    accepted = edited(LEGS, [{"op": "accept", "finding": "F5"}], ANA, GROUND)
    assert told(accepted, "lower_legs", "curie") == ("assessed", 2, (2, 3))
    assert told(accepted, LEFT) == ("assessed", 2, None)
    reading, ground = program([*foci("sacrum", 1)], {"cervical_spine": "not_acquired"})
    accepted = edited(reading, [{"op": "accept", "finding": "F0"}], ANA, ground)
    assert told(accepted, "spine") == ("assessed", 1, (1, 6))
    assert told(accepted, "lumbosacral_spine", "curie") == ("assessed", 1, None)


def test_a_curie_level_follows_with_the_range_of_the_siopen_level_that_was_not_set() -> None:
    reading, ground = program([*foci(LEFT, 1), spot(9, LEFT, 9, confidence=0.3)])
    assert told(reading, LEFT) == ("assessed", 1, (0, 2))
    for other, expected in ((0, (0, 2)), (1, (1, 2))):
        made = edited(reading, [level(RIGHT, other)], ANA, ground)
        assert told(made, "lower_legs", "curie") == ("assessed", 1 + other, expected)
    both = edited(reading, [level(RIGHT, 1), level(LEFT, 1)], ANA, ground)
    assert told(both, "lower_legs", "curie") == ("assessed", 2, None)


def test_not_assessable_raises_no_lower_end_and_adds_the_whole_range() -> None:
    reading, ground = program([spot(0, "pelvis", 1, confidence=0.6), spot(1, "skull", 1, confidence=0.6)])
    value, low, high = total(reading, "siopen")
    made = edited(reading, [level("pelvis", None)], ANA, ground)
    assert total(made, "siopen")[0] == value - 1
    assert total(made, "siopen")[1] <= low
    assert value - 1 + 6 < total(made, "siopen")[2] <= high + 6


def test_a_level_set_by_hand_voids_what_notes_say_of_its_units() -> None:
    made = edited(LEGS, [level(RIGHT, 0)], ANA, GROUND)
    assert {at(made, site).notes for site in (RIGHT, "lower_legs")} == {()}
    assert unit_status(made, RIGHT) == "assessed"
    dates = [Exam(f"date {n}", made, GROUND.units) for n in (1, 2)]
    verdicts = [scored.verdict for scored in compare(dates).comparisons[0].scores]
    assert [verdict.category for verdict in verdicts] == ["SD", "SD"]


def test_a_level_set_by_hand_voids_that_its_unit_was_seen_in_part() -> None:
    note = note_of_part(LEFT, in_field(0.6))
    sites = tuple(replace(s, notes=(note,)) if s.site in {LEFT, "lower_legs"} else s for s in WHOLE_LEGS.sites)
    cut = replace(WHOLE_LEGS, sites=sites)
    edits = [level(LEFT, 0)]
    assert {at(edited(cut, edits, ANA, GROUND), site).notes for site in (LEFT, "lower_legs")} == {()}
    moved = edited(cut, [{"op": "move", "finding": cut.findings[0].id, "site": RIGHT}], ANA, GROUND)
    assert told(moved, "lower_legs", "curie")[2] == (1, 3)


def test_a_region_out_of_the_field_is_assessed_once_its_segment_has_a_level() -> None:
    reading, ground = program([], {"skull": "not_acquired"})
    made = edited(reading, [level("skull", 4)], ANA, ground)
    assert told(made, "craniofacial", "curie") == ("assessed", None, None)
    assert [gap.where for gap in made.gaps] == ["craniofacial"]
    assert unit_status(made, "skull") == "assessed"


def test_a_level_voids_that_it_was_not_assessable() -> None:
    first = edited(LEGS, [level("skull", None), level("pelvis", None, "curie")], ANA, GROUND)
    second = edited(first, [level("skull", 2), level("pelvis", 1, "curie")], BOB, GROUND)
    assert {at(second, site).notes for site in ("skull", "pelvis", "craniofacial")} == {()}
    assert told(second, "pelvis", "siopen")[1] == told(LEGS, "pelvis", "siopen")[1]
    again = edited(edited(LEGS, [level("skull", None)], ANA, GROUND), [level("skull", None)], BOB, GROUND)
    assert at(again, "skull").notes == ("siopen: not assessable, set by Bob",)


bones = st.sampled_from(["skull", "pelvis", "spine", LEFT, RIGHT])
regions = st.sampled_from(["craniofacial", "pelvis", "cervicothoracic_spine", "lumbosacral_spine", "lower_legs"])
changes = st.one_of(
    st.builds(level, bones, st.none() | st.integers(0, 6)),
    st.builds(level, regions, st.none() | st.integers(0, 3), st.just("curie")),
    st.builds(
        lambda x, site: {"op": "add", "view": "anterior", "x": x, "y": 5, "site": site},
        st.floats(0, 19),
        st.sampled_from(["skull", "pelvis", "lumbar_spine", LEFT, RIGHT]),
    ),
)
BASES = [
    program([*foci("skull", 1, start=20), *foci(LEFT, 2, start=5), patch("thoracic_spine", 12)], CUT),
    program(foci("lumbar_spine", 1), {"pelvis": "not_assessable", "cervical_spine": "not_acquired"}),
]


@settings(max_examples=300)
@given(st.sampled_from(range(len(BASES))), st.lists(changes, min_size=1, max_size=5), st.integers(0, 5))
def test_what_is_told_is_the_same_whether_it_was_signed_between_or_not(
    child: int, wanted: list[Edit], signed_after: int
) -> None:
    reading, ground = BASES[child]
    at_once = edited(reading, wanted, ANA, ground)
    amended = edited(edited(reading, wanted[:signed_after], ANA, ground), wanted[signed_after:], ANA, ground)
    for score, sites in (("siopen", SIOPEN), ("curie", CURIE)):
        assert [told(amended, site, score)[:2] for site in sites] == [told(at_once, site, score)[:2] for site in sites]
        if amended.measure(f"{score}_total"):
            missing = sum(told(amended, site, score)[1] is None for site in sites)
            value, low, high = total(amended, score)
            assert 0 <= low <= value <= high - missing * (6 if score == "siopen" else 3)
    assert {(gap.where, gap.step) for gap in amended.gaps} == {(gap.where, gap.step) for gap in at_once.gaps}
    untouched = edited(amended, [{"op": "comment", "text": "seen"}], BOB, ground)
    assert (untouched.sites, untouched.measures, untouched.gaps) == (amended.sites, amended.measures, amended.gaps)
