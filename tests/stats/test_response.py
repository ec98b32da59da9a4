from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from box_child import dated, foci, mirrored, patch, spot
from hypothesis import given, settings
from hypothesis import strategies as st
from score_cases import UNITS, box, finding

from osteoscope.deliver.review.draft import Ground
from osteoscope.deliver.review.edits import Person, edited
from osteoscope.domain import codec
from osteoscope.domain.anatomy import CURIE, SIOPEN
from osteoscope.domain.finding import FindingKind
from osteoscope.domain.in_part import in_field, note_of_part
from osteoscope.errors import UnsuitableStudyError
from osteoscope.stats.lesion_identity import Exam, Lesion, follow, unit_status
from osteoscope.stats.response import compare
from osteoscope.stats.response_record import Response, Scored


def states(lesions: tuple[Lesion, ...]) -> list[tuple[str, ...]]:
    return [tuple(sight.state for sight in lesion.course) for lesion in lesions]


def siopen(response: Response, which: int = 0) -> Scored:
    return response.comparisons[which].scores[0]


def test_three_dates_keep_their_ids() -> None:
    exams = [
        dated([spot(1, "pelvis", 2), spot(2, "skull", 9)]),
        dated([spot(7, "pelvis", 3), spot(8, "thoracic_cage", 9)], date="2026-05-01"),
        dated([spot(3, "skull", 10), spot(4, "thoracic_cage", 10)], date="2026-08-01"),
    ]
    lesions = follow(exams)
    assert [(lesion.id, lesion.site) for lesion in lesions] == [
        ("L1", "skull"),
        ("L2", "pelvis"),
        ("L3", "thoracic_cage"),
    ]
    assert states(lesions) == [
        ("baseline", "resolved", "returned"),
        ("baseline", "persisting", "resolved"),
        ("absent", "new", "persisting"),
    ]
    response = compare(exams)
    assert [(c.prior, c.current) for c in response.comparisons] == [(0, 2), (1, 2), (0, 1)]
    assert response.comparisons[0].new == ("L3",)
    assert response.comparisons[1].new == ("L1",)
    assert response.comparisons[0].resolved == ("L2",)


def test_a_new_site_in_a_saturated_segment_is_progression() -> None:
    before = dated(foci("thoracic_cage", 4) + foci("pelvis", 4, start=10))
    more = dated([*foci("thoracic_cage", 4), *foci("pelvis", 4, start=10), spot(30, "thoracic_cage", 18)])
    result = siopen(compare([before, more]))
    assert (result.before.value, result.now.value, result.relative.value) == (8, 8, 1.0)
    assert result.verdict.category == "PD"
    assert result.verdict.possible == ("PD",)


def test_foci_within_a_later_patch_are_merged_and_not_new() -> None:
    exams = [dated(foci("pelvis", 3)), dated([patch("pelvis", 14)]), dated([spot(5, "pelvis", 2)])]
    lesions = follow(exams)
    assert states(lesions) == [
        ("baseline", "merged", "persisting"),
        ("baseline", "merged", "resolved"),
        ("baseline", "merged", "resolved"),
        ("absent", "confluent", "resolved"),
    ]
    assert lesions[3].parents == ("L1", "L2", "L3")
    comparison = compare(exams[:2]).comparisons[0]
    assert (comparison.new, comparison.resolved) == ((), ())


def test_a_patch_that_breaks_up_leaves_no_new_lesion() -> None:
    exams = [dated([patch("pelvis", 14)]), dated(foci("pelvis", 2))]
    lesions = follow(exams)
    assert states(lesions) == [("baseline", "broken_up"), ("absent", "remnant"), ("absent", "remnant")]
    assert lesions[0].course[1].into == ("L2", "L3")
    comparison = compare(exams).comparisons[0]
    assert (comparison.new, comparison.resolved) == ((), ())
    assert comparison.scores[0].verdict.category == "PR"


def test_a_lesion_on_a_border_may_change_its_unit() -> None:
    low = finding(1, "thoracic_spine", "focal", mirrored(box("thoracic_spine", (8, 10), (8, 10))))
    high = finding(1, "lumbar_spine", "focal", mirrored(box("lumbar_spine", (0, 2), (8, 10))))
    assert states(follow([dated([low]), dated([high])])) == [("baseline", "persisting")]
    far = finding(1, "lumbar_spine", "focal", mirrored(box("lumbar_spine", (8, 10), (8, 10))))
    assert states(follow([dated([low]), dated([far])])) == [("baseline", "resolved"), ("absent", "new")]


def test_no_uptake_at_baseline() -> None:
    nothing = siopen(compare([dated(), dated()]))
    assert (nothing.verdict.category, nothing.relative.value) == ("NI", None)
    later = siopen(compare([dated(), dated(foci("skull", 1))]))
    assert later.verdict.category == "PD"
    assert "not involved at baseline" in later.relative.note


def test_all_gone_is_a_complete_response() -> None:
    result = siopen(compare([dated(foci("skull", 2)), dated()]))
    assert (result.verdict.category, result.relative.value) == ("CR", 0.0)


def test_a_segment_out_of_the_field_is_no_resolution() -> None:
    before = dated(foci("skull", 2) + foci("pelvis", 1, start=5))
    now = dated(foci("pelvis", 1, start=5), hidden={"skull": "not_acquired"}, date="2026-05-01")
    response = compare([before, now])
    assert states(response.lesions)[0] == ("baseline", "not_assessed")
    verdict = siopen(response).verdict
    assert verdict.category is None
    assert verdict.by_assessed == "SD"
    assert set(verdict.possible) == {"PR", "SD", "PD"}
    assert "2026-05-01 has no level of skull (not acquired)" in verdict.reason
    assert siopen(response).relative.value is None
    assert response.segments[0].change is None


def test_a_lesion_where_nothing_was_seen_before_is_not_known_to_be_new() -> None:
    before = dated(foci("pelvis", 3), hidden={"skull": "not_assessable"})
    response = compare([before, dated([*foci("pelvis", 3), spot(9, "skull", 5)])])
    assert states(response.lesions)[-1] == ("absent", "not_known")
    comparison = response.comparisons[0]
    assert comparison.new == ()
    assert comparison.possibly_new == ("L4",)
    assert comparison.scores[0].verdict.category is None
    assert "PD" in comparison.scores[0].verdict.possible


def seen_in_part(exam: Exam, unit: str) -> Exam:
    """The same date, with that unit cut off by the field."""
    note = note_of_part(unit, in_field(0.65))
    mapped = tuple(replace(site, notes=(note,)) if site.site == unit else site for site in exam.mapped)
    sites = tuple(
        replace(site, notes=(note,)) if unit in {*SIOPEN.get(site.site, ()), *CURIE.get(site.site, ())} else site
        for site in exam.reading.sites
    )
    return replace(exam, mapped=mapped, reading=replace(exam.reading, sites=sites))


LEG = "distal_lower_limb_left"


@pytest.mark.parametrize("outlines", [True, False])
def test_a_lesion_where_the_unit_was_cut_off_before_is_not_known_to_be_new(outlines: bool) -> None:
    before = seen_in_part(dated(foci("pelvis", 3), outlines=outlines), LEG)
    now = dated([*foci("pelvis", 3), *foci(LEG, 2, start=9)], date="2026-05-01", outlines=outlines)
    response = compare([before, now])
    assert states(response.lesions)[-1] == ("absent", "not_known")
    assert response.comparisons[0].new == ()
    assert {"L4", "L5"} <= set(response.comparisons[0].possibly_new)
    verdict = siopen(response).verdict
    assert verdict.category is None
    assert {"SD", "PD"} <= set(verdict.possible)
    assert "2026-01-01 does not show all of distal lower limb left" in verdict.reason


@pytest.mark.parametrize("outlines", [True, False])
def test_a_lesion_where_the_unit_is_cut_off_now_is_not_resolved(outlines: bool) -> None:
    before = dated([*foci("pelvis", 1), *foci(LEG, 2, start=9)], outlines=outlines)
    response = compare([before, seen_in_part(dated(foci("pelvis", 1), date="2026-05-01", outlines=outlines), LEG)])
    assert states(response.lesions)[1:] == [("baseline", "not_assessed")] * 2
    assert response.comparisons[0].resolved == ()
    verdict = siopen(response).verdict
    assert verdict.category is None
    assert verdict.by_assessed == "PR"
    assert "SD" in verdict.possible


def test_what_is_lost_and_what_begins_in_a_unit_cut_off_may_be_one() -> None:
    up, down = spot(9, LEG, 1), spot(9, LEG, 16)
    whole, cut = dated([up], date="2026-05-01"), seen_in_part(dated([down]), LEG)
    assert states(follow([whole, cut])) == [("baseline", "not_assessed"), ("absent", "not_known")]
    assert states(follow([cut, whole])) == [("baseline", "not_assessed"), ("absent", "not_known")]
    assert states(follow([whole, dated([down])])) == [("baseline", "resolved"), ("absent", "new")]


def test_a_new_lesion_in_a_unit_cut_off_now_that_lost_none_is_new() -> None:
    before, now = dated(foci("pelvis", 3)), seen_in_part(dated([*foci("pelvis", 3), spot(9, LEG, 5)]), LEG)
    response = compare([before, now])
    assert response.comparisons[0].new == ("L4",)
    assert siopen(response).verdict.category == "PD"


def test_a_segment_of_which_a_unit_is_missing_may_hold_more_than_its_level() -> None:
    """No uptake in three units of the spine is none in the spine only if the fourth has none."""
    before = dated(hidden={"sacrum": "not_acquired"})
    verdict = siopen(compare([before, dated(foci("sacrum", 2))])).verdict
    assert verdict.category is None
    assert {"SD", "PD"} <= set(verdict.possible)


def test_confidence_goes_with_the_claim() -> None:
    before = dated(foci("pelvis", 3))
    for confidence, new, category, possible in (
        (0.9, ("L4",), "PD", ("PD",)),
        (0.6, ("L4",), "PD", None),
        (0.4, (), "SD", None),
        (0.2, (), "SD", ("SD",)),
    ):
        response = compare([before, dated([*foci("pelvis", 3), spot(9, "skull", 5, confidence)])])
        assert response.comparisons[0].new == new
        verdict = siopen(response).verdict
        assert verdict.category == category
        assert possible is None or verdict.possible == possible
        assert "PD" in verdict.possible or confidence == 0.2


def test_a_lesion_that_was_faint_before_is_possibly_new() -> None:
    before = dated([*foci("pelvis", 3), spot(9, "skull", 5, 0.4)])
    comparison = compare([before, dated([*foci("pelvis", 3), spot(9, "skull", 5)])]).comparisons[0]
    assert (comparison.new, comparison.possibly_new) == ((), ("L1",))


def test_a_new_lesion_beside_a_lost_one_is_not_sure() -> None:
    before = dated([spot(1, "thoracic_cage", 0), *foci("pelvis", 3, start=5)])
    response = compare([before, dated([spot(1, "thoracic_cage", 18), *foci("pelvis", 3, start=5)])])
    verdict = siopen(response).verdict
    assert (verdict.category, verdict.possible) == ("PD", ("SD", "PD"))
    assert any("look whether they are one lesion" in note for note in response.notes)


def test_soft_tissue_is_followed_and_is_no_bone_site() -> None:
    mass = finding(1, "soft_tissue", "focal", mirrored(box("lumbar_spine", (2, 5), (0, 4))))
    response = compare([dated(foci("skull", 1)), dated([*foci("skull", 1), mass])])
    assert response.comparisons[0].new == ()
    assert siopen(response).verdict.category == "SD"
    assert response.comparisons[0].scores[1].before.value == response.comparisons[0].scores[1].now.value
    assert response.exams[1].curie.value == 2


def test_without_outlines_lesions_are_matched_by_number_and_said_so() -> None:
    before = dated([spot(1, "thoracic_cage", 0)], outlines=False)
    response = compare([before, dated([spot(1, "thoracic_cage", 18)], outlines=False)])
    assert states(response.lesions) == [("baseline", "persisting")]
    assert not response.lesions[0].course[1].by_place
    assert "by number" in response.notes[0]
    assert "PD" in siopen(response).verdict.possible


def test_thresholds_within_the_interval_are_flagged() -> None:
    before, now = dated(foci("pelvis", 3) + foci("skull", 3, start=9)), dated(foci("pelvis", 3))
    assert siopen(compare([before, now])).flags == ()
    doubtful = dated([*foci("pelvis", 3), spot(9, "skull", 5, 0.4)])
    flags = siopen(compare([before, doubtful])).flags
    assert any(flag.startswith("SIOPEN <= 3") for flag in flags)
    assert any(flag.startswith("50 % reduction") for flag in flags)


def test_an_exam_without_levels_is_refused_by_name() -> None:
    blind = dated(hidden=dict.fromkeys(UNITS, "not_assessable"), date="2026-05-01")
    with pytest.raises(UnsuitableStudyError, match=r"2026-05-01.*no segment has a SIOPEN level"):
        compare([dated(), blind])
    with pytest.raises(UnsuitableStudyError, match="two or more"):
        compare([dated()])


def test_the_status_of_a_unit_as_a_reading_tells_it() -> None:
    reading = dated(hidden={"skull": "not_acquired"}).reading
    assert unit_status(reading, "skull") == "not_acquired"
    assert unit_status(reading, "pelvis") == "assessed"


def by_hand(exam: Exam, levels: dict[str, int | None], op: str = "level") -> Exam:
    """The date as a reviewer leaves it who sets levels, None for "not assessable"; findings stay as they are."""
    edits: list[dict[str, Any]] = [{"op": op, "site": site, "level": level} for site, level in levels.items()]
    return replace(exam, reading=edited(exam.reading, edits, Person("Ana"), Ground(units=exam.mapped)))


def test_a_level_set_by_hand_stands_for_all_of_a_unit_cut_off() -> None:
    cut = seen_in_part(dated(foci("pelvis", 3)), LEG)
    assert cut.in_part(LEG)
    assert not by_hand(cut, {LEG: 0}).in_part(LEG)
    assert by_hand(cut, {"skull": 0}).in_part(LEG)


def test_a_segment_that_a_reviewer_sets_above_0_is_a_new_site_without_a_finding() -> None:
    before = dated(foci("lumbar_spine", 4) + foci("thoracic_cage", 4, start=10))
    plain = dated(foci("lumbar_spine", 1), date="2026-05-01")
    for score, site in (("level", "pelvis"), ("curie", "chest"), ("curie", "pelvis")):
        response = compare([before, by_hand(plain, {site: 2}, score)])
        verdict, told = siopen(response).verdict, [note for note in response.notes if "set to 2 by hand" in note]
        new = site == "pelvis"  # the chest was involved before
        assert verdict.category == ("PD" if new else "PR")
        assert verdict.possible == (verdict.category,)
        assert bool(told) == new
        assert all("pelvis" in note and "counted as a new bone site" in note for note in told)


def test_a_new_site_set_by_hand_is_said_once_and_is_not_new_again_where_it_is_listed_later() -> None:
    dates = ("2026-01-01", "2026-05-01", "2026-08-01")
    found: list[list[Any]] = [foci("skull", 3), foci("skull", 3), [*foci("skull", 3), *foci("pelvis", 2, start=9)]]
    first, second, third = (dated(findings, date=date) for findings, date in zip(found, dates, strict=True))
    response = compare([first, by_hand(second, {"pelvis": 2}), third])
    by_pair = {(c.prior, c.current): c for c in response.comparisons}
    assert by_pair[0, 1].scores[0].verdict.category == "PD"
    assert by_pair[0, 2].new == ("L4", "L5")
    assert (by_pair[1, 2].new, by_pair[1, 2].possibly_new) == ((), ("L4", "L5"))
    assert by_pair[1, 2].scores[0].verdict.category == "SD"
    assert sum("counted as a new bone site" in note for note in response.notes) == 1
    assert any("without a finding" in note and "2026-05-01" in note for note in response.notes)


def test_an_uncertain_0_before_a_level_set_by_hand_leaves_the_site_in_doubt() -> None:
    before = dated([*foci("skull", 4), spot(30, "pelvis", 5, 0.4)])
    verdict = siopen(compare([before, by_hand(dated(foci("skull", 1)), {"pelvis": 1})])).verdict
    assert verdict.category == "PD"
    assert set(verdict.possible) > {"PD"}


def test_a_level_set_by_hand_where_nothing_was_assessed_before_may_be_a_new_site() -> None:
    before = dated(foci("pelvis", 4), hidden={"skull": "not_assessable"})
    verdict = siopen(compare([before, by_hand(dated(foci("pelvis", 1)), {"skull": 1})])).verdict
    assert verdict.category is None
    assert "PD" in verdict.possible


def test_a_level_set_by_hand_of_a_segment_assessed_in_part_before_may_be_a_new_site() -> None:
    before = dated(foci("pelvis", 4), hidden={"sacrum": "not_acquired"})
    verdict = siopen(compare([before, by_hand(dated(foci("pelvis", 1)), {"spine": 1})])).verdict
    assert verdict.category is None
    assert {"PR", "PD"} <= set(verdict.possible)


def test_a_level_set_by_hand_on_a_lesion_that_was_there_is_no_new_site() -> None:
    """On a border, and listed in the other unit now."""
    low = finding(1, "lumbar_spine", "focal", mirrored(box("lumbar_spine", (0, 2), (8, 10))))
    high = finding(1, "thoracic_spine", "focal", mirrored(box("thoracic_spine", (8, 10), (8, 10))))
    response = compare([dated([low]), by_hand(dated([high]), {"cervicothoracic_spine": 1}, "curie")])
    assert siopen(response).verdict.category == "SD"


def test_a_finding_in_a_segment_that_a_reviewer_sets_to_0_is_no_lesion() -> None:
    before, found = dated(foci("skull", 4)), dated([spot(30, "pelvis", 5)], date="2026-05-01")
    assert siopen(compare([before, found])).verdict.category == "PD"
    response = compare([before, by_hand(found, {"pelvis": 0})])
    assert (siopen(response).verdict.category, siopen(response).verdict.possible) == ("CR", ("CR",))
    assert response.comparisons[0].new == ()
    assert len(response.lesions) == 4
    assert any("pelvis" in note and "F30" in note and "set to 0 by hand" in note for note in response.notes)
    turned = compare([by_hand(replace(found, name="before"), {"pelvis": 0}), found])
    assert turned.comparisons[0].new == ("L1",)


def test_a_0_for_one_arm_says_nothing_of_the_other() -> None:
    before = dated(foci("skull", 4))
    found = dated([spot(30, "proximal_upper_limb_left", 5)], date="2026-05-01")
    response = compare([before, by_hand(found, {"proximal_upper_limb_right": 0})])
    assert response.comparisons[0].new == ("L5",)


@pytest.mark.parametrize("outlines", [True, False])
def test_not_assessable_by_a_reviewer_holds_whatever_the_outlines_say(outlines: bool) -> None:
    before = by_hand(dated(foci("skull", 4), outlines=outlines), {"pelvis": None})
    now = dated([*foci("skull", 2), spot(30, "pelvis", 5)], date="2026-05-01", outlines=outlines)
    response = compare([before, now])
    assert states(response.lesions)[-1] == ("absent", "not_known")
    verdict = siopen(response).verdict
    assert verdict.category is None
    assert set(verdict.possible) == {"PR", "SD", "PD"}
    assert before.status("skull") == "assessed"


def test_the_outlines_tell_of_a_unit_that_no_site_of_a_reviewer_does() -> None:
    made = by_hand(dated(hidden={"skull": "not_acquired"}), {"pelvis": 1})
    few = tuple(site for site in made.reading.sites if site.site == "pelvis")
    bare = replace(made, reading=replace(made.reading, sites=few))
    assert [bare.status(unit) for unit in ("pelvis", "skull", "sacrum")] == ["assessed", "not_acquired", "assessed"]


@st.composite
def exams(draw: st.DrawFn) -> Exam:
    kinds: st.SearchStrategy[FindingKind] = st.sampled_from(["focal", "diffuse"])
    found = []
    for number in range(draw(st.integers(0, 6))):
        unit, row, column = draw(st.sampled_from(UNITS)), draw(st.integers(0, 7)), draw(st.integers(0, 16))
        region = mirrored(box(unit, (row, row + 2), (column, column + 3)))
        found.append(finding(number, unit, draw(kinds), region, draw(st.sampled_from([0.3, 0.6, 0.9]))))
    return dated(found, outlines=draw(st.booleans()))


@settings(max_examples=40)
@given(exams())
def test_a_date_against_itself_is_unchanged(exam: Exam) -> None:
    response = compare([exam, exam])
    comparison = response.comparisons[0]
    assert (comparison.new, comparison.resolved) == ((), ())
    assert {sight.state for lesion in response.lesions for sight in lesion.course} <= {"baseline", "persisting"}
    for scored in comparison.scores:
        assert scored.relative.value == (1.0 if scored.before.value else None)
        assert scored.verdict.category == ("SD" if scored.before.value else "NI")
    assert all(course.change == 0 for course in response.segments)


@settings(max_examples=40)
@given(exams(), exams(), st.randoms())
def test_the_order_of_findings_does_not_matter(first: Exam, second: Exam, random: Random) -> None:
    assert compare([_shuffled(first, random), _shuffled(second, random)]) == compare([first, second])


def _shuffled(exam: Exam, random: Random) -> Exam:
    found = list(exam.reading.findings)
    random.shuffle(found)
    return replace(exam, reading=replace(exam.reading, findings=tuple(found)))


@settings(max_examples=20)
@given(exams(), exams())
def test_a_response_comes_back_from_plain_data(first: Exam, second: Exam) -> None:
    response = compare([first, second])
    assert codec.decode(Response, codec.encode(response)) == response


def test_a_match_from_afar_keeps_a_new_lesion_possible() -> None:
    first, near, far = (dated([spot(1, "pelvis", 5, row=row)]) for row in (1, 2, 4))
    assert siopen(compare([first, near])).verdict.possible == ("SD",)
    response = compare([first, far])
    assert states(response.lesions) == [("baseline", "persisting")]
    assert siopen(response).verdict.possible == ("SD", "PD")
    assert response.comparisons[0].possibly_new == ("L1",)
