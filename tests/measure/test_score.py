"""SIOPEN and Curie: golden levels, and what must hold for every child."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from score_cases import UNITS, VIEWS, both, box, case, finding, foci, patch

from osteoscope.domain.anatomy import CURIE, PLANAR_UNITS, SIOPEN
from osteoscope.domain.finding import Finding, Region
from osteoscope.domain.in_part import in_field, note_of_part
from osteoscope.domain.reading import Case, Status
from osteoscope.errors import InvalidValueError
from osteoscope.measure.score import curie, siopen, totals
from osteoscope.measure.score_chance import level_chances
from osteoscope.measure.score_tables import ScoreOptions, scheme

SCHEME = scheme("siopen", ScoreOptions())
FEW = settings(max_examples=25)


def level(child: Case, segment: str, options: ScoreOptions | None = None) -> float:
    return siopen(child, segment, options or ScoreOptions())[0].value


def region_level(child: Case, region: str) -> float:
    return curie(child, region)[0].value


@pytest.mark.parametrize(("number", "expected"), [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (9, 4)])
def test_siopen_counts_discrete_foci(number: int, expected: int) -> None:
    assert level(case(foci("pelvis", number)), "pelvis") == expected


@pytest.mark.parametrize(("columns", "expected"), [(1, 4), (9, 4), (10, 5), (19, 5), (20, 6)])
def test_siopen_grades_a_patch_by_its_fraction(columns: int, expected: int) -> None:
    assert level(case([patch("skull", columns)]), "skull") == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [([], 0), (foci("skull", 1), 1), (foci("skull", 3), 2), ([patch("skull", 8)], 1), ([patch("skull", 11)], 3)],
)
def test_curie_levels(found: list[Finding], expected: int) -> None:
    assert region_level(case(found), "craniofacial") == expected


def test_spine_is_one_segment_of_siopen_and_two_regions_of_curie() -> None:
    child = case([*foci("thoracic_spine", 1), *foci("lumbar_spine", 1, start=1), *foci("sacrum", 1, start=2)])
    assert level(child, "spine") == 3
    assert (region_level(child, "cervicothoracic_spine"), region_level(child, "lumbosacral_spine")) == (1, 2)


def test_limbs_of_both_sides_are_one_region_of_curie() -> None:
    child = case([*foci("proximal_lower_limb_right", 1), *foci("proximal_lower_limb_left", 1, start=1)])
    assert region_level(child, "femurs") == 2
    assert [level(child, f"proximal_lower_limb_{side}") for side in ("right", "left")] == [1, 1]


def test_soft_tissue_counts_in_curie_alone() -> None:
    child = case([finding(n, "soft_tissue", "focal", both(box("lumbar_spine", columns=(n, n + 1)))) for n in (0, 4)])
    siopen_total, curie_total = totals(child)
    assert (siopen_total.value, curie_total.value) == (0, 2)
    assert siopen(child, "soft_tissue") == ()


def test_a_mass_over_half_of_the_abdomen_is_curie_3() -> None:
    mass = finding(1, "soft_tissue", "diffuse", both(box("lumbar_spine", columns=(0, 11))))
    assert region_level(case([mass]), "soft_tissue") == 3
    small = finding(1, "soft_tissue", "diffuse", both(box("lumbar_spine", columns=(0, 9))))
    assert region_level(case([small]), "soft_tissue") == 1


OPTIONS = {
    "a: most involved unit": (ScoreOptions(denominator="unit"), [patch("cervical_spine", 20)], "spine", 4, 6),
    "b: 50 % is level 4": (ScoreOptions(half_reaches_5=False), [patch("skull", 10)], "skull", 5, 4),
    "c: entire bone": (ScoreOptions(whole_above=0.9), [patch("skull", 19)], "skull", 5, 6),
    "d: foci and patch": (
        ScoreOptions(foci_beside_patch="joined"),
        [patch("skull", 9), finding(1, "skull", "focal", both(box("skull", columns=(10, 12))))],
        "skull",
        4,
        5,
    ),
    "e: a long focus": (
        ScoreOptions(confluence=0.5),
        [finding(1, "skull", "focal", both(box("skull", columns=(0, 15))))],
        "skull",
        1,
        5,
    ),
    "e: a short patch": (ScoreOptions(confluence=0.9), [patch("skull", 8)], "skull", 4, 1),
    "f: count per view": (ScoreOptions(count_once=False), foci("skull", 1), "skull", 1, 2),
    "sacrum in the pelvis": (ScoreOptions(sacrum="pelvis"), foci("sacrum", 1), "pelvis", 0, 1),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_every_open_choice_is_an_option(name: str) -> None:
    options, found, segment, by_default, chosen = OPTIONS[name]
    assert (level(case(found), segment), level(case(found), segment, options)) == (by_default, chosen)


def test_level_6_of_the_entire_bone_needs_all_of_it() -> None:
    options = ScoreOptions(whole_above=1.0)
    assert [level(case([patch("skull", columns)]), "skull", options) for columns in (19, 20)] == [5, 6]


def test_a_patch_beside_its_silhouette_is_still_a_patch() -> None:
    astray = finding(1, "skull", "diffuse", both(box("pelvis")))
    assert level(case([astray]), "skull") == 4


def test_the_view_that_shows_more_decides() -> None:
    behind = Region((both(box("skull", columns=(0, 12))).parts[1],))
    child = case([patch("skull", 2), finding(1, "skull", "diffuse", behind)])
    assert level(child, "skull") == 5


def test_doubtful_findings_widen_the_interval_only() -> None:
    child = case([*foci("pelvis", 1, 1.0), *foci("pelvis", 1, 0.6, start=1), *foci("pelvis", 1, 0.25, start=2)])
    level, *_, chance = siopen(child, "pelvis", ScoreOptions(missed=0))
    assert (level.value, level.interval) == (2, (1, 3))
    assert chance.value == pytest.approx(0.6 * 0.75 + 0.4 * 0.25, abs=1e-3)


@pytest.mark.parametrize(("number", "expected"), [(1, 2), (2, 4)])
def test_chances_count_a_focus_per_view_as_the_level_does(number: int, expected: int) -> None:
    options = ScoreOptions(count_once=False, missed=0)
    made = siopen(case(foci("pelvis", number, 0.9)), "pelvis", options)
    assert made[0].value == expected
    assert made[-1].value == pytest.approx(0.9**number, abs=1e-3)


def test_a_focus_that_no_finding_shows_counts_per_view_too() -> None:
    chances = level_chances(case(), SIOPEN["pelvis"], SCHEME, ScoreOptions(count_once=False, missed=0.5))
    assert chances[[1, 3]].tolist() == [0, 0]
    assert chances[2] == pytest.approx(0.5 * np.exp(-0.5))
    one_view = finding(1, "pelvis", "focal", Region(foci("pelvis", 1)[0].region.parts[:1]))
    seen = siopen(case([one_view]), "pelvis", ScoreOptions(count_once=False, missed=0))
    assert (seen[0].value, seen[-1].value) == (1, 0.9)


@pytest.mark.parametrize(("surest", "counted"), [(0.49, 0), (0.5, 1)])
def test_a_fainter_focus_counts_beside_one_that_is_sure(surest: float, counted: int) -> None:
    child = case([*foci("skull", 1, surest), *foci("pelvis", 1, 0.35)])
    assert level(child, "pelvis") == counted


@pytest.mark.parametrize(("diseased", "counted"), [(1, 0), (7, 0), (10, 1)])
def test_the_more_of_a_child_is_diseased_the_fainter_a_focus_counts(diseased: int, counted: int) -> None:
    sure = [one for n, unit in enumerate(UNITS[1 : 1 + diseased]) for one in foci(unit, 1, 0.9, start=n)]
    child = case([*sure, *foci(UNITS[0], 1, 0.2, start=diseased)])
    assert level(child, UNITS[0]) == counted


def test_soft_tissue_disease_makes_no_bone_likelier() -> None:
    mass = finding(1, "soft_tissue", "diffuse", both(box("skull")))
    assert level(case([mass, *foci("pelvis", 1, 0.35)]), "pelvis") == 0


def test_the_chance_of_a_patch_level_follows_its_distance_to_the_threshold() -> None:
    def chance(columns: int) -> float:
        return siopen(case([patch("skull", columns, 1.0)]), "skull", ScoreOptions(missed=0, fraction_error=0.05))[
            -1
        ].value

    assert chance(10) == pytest.approx(0.5, abs=0.2)
    assert chance(7) > 0.95
    assert chance(15) > 0.95


def test_what_no_finding_shows_is_in_the_interval_of_the_total() -> None:
    intervals = [totals(case(), ScoreOptions(missed=missed, together=1))[0].interval for missed in (0, 0.2)]
    assert intervals == [(0, 0), (0, 5)]  # Poisson of 12 x 0.2: 95 % at or below 5


def test_missing_segments_make_the_total_a_range() -> None:
    child = case(foci("skull", 1, 1.0), {"distal_upper_limb_right": "not_acquired", "pelvis": "not_assessable"})
    siopen_total, curie_total = totals(child)
    assert (siopen_total.value, siopen_total.interval) == (1, (1, 18))
    assert siopen_total.method == "sum of 10 of 12 segments"
    # 12 of two segments without a level; unseen foci, Poisson of 9 x (0.04 + 0.8 / 11) + 0.04: 95 % at or below 3,
    # half as many again since segments err together
    # one forearm hidden leaves "lower_arms" half assessed, 0-3; the pelvis has no level
    assert (curie_total.value, curie_total.interval) == (1, (1, 12))


def test_a_segment_partly_out_of_the_field_reaches_its_top() -> None:
    child = case(foci("lumbar_spine", 1, 1.0), {"cervical_spine": "not_acquired"})
    measure = siopen(child, "spine")[0]
    assert (measure.value, measure.interval) == (1, (1, 6))
    assert measure.method == "siopen ladder, 3 of 4 units assessed"


def seen_in_part(child: Case, unit: str) -> Case:
    note = note_of_part(unit, in_field(0.65))
    mapped = tuple(replace(site, notes=(note,)) if site.site == unit else site for site in child.mapped)
    return replace(child, mapped=mapped)


@pytest.mark.parametrize("choice", ["counted", "likeliest"])
@pytest.mark.parametrize("found", [0, 1, 3])
def test_a_unit_partly_out_of_the_field_reaches_the_top(found: int, choice: Literal["counted", "likeliest"]) -> None:
    unit, options = "distal_lower_limb_left", ScoreOptions(level=choice)
    whole = case(foci(unit, found, 1.0))
    cut = seen_in_part(whole, unit)
    before, after = siopen(whole, unit, options), siopen(cut, unit, options)
    assert before[0].interval is not None
    assert after[0].interval == (before[0].interval[0], 6.0)
    assert after[0].value == before[0].value
    assert after[0].method == f"{before[0].method}, 1 of 1 units seen in part"
    assert after[1:] == before[1:]
    legs = curie(cut, "lower_legs", options)[0]
    assert legs.interval is not None
    assert legs.interval[1] == 3
    assert "1 of 2 units seen in part" in legs.method
    others = [name for name in SIOPEN if name != unit]
    assert [siopen(cut, name, options) for name in others] == [siopen(whole, name, options) for name in others]
    a, b = (totals(child, options)[0] for child in (whole, cut))
    assert a.interval is not None
    assert b.interval == (a.interval[0], a.interval[1] + 6 - found)


def test_nothing_assessed_gives_no_total() -> None:
    assert totals(case(hidden=dict.fromkeys(UNITS, "not_acquired"))) == ()


def test_an_unknown_segment_is_an_error() -> None:
    with pytest.raises(InvalidValueError, match="tail"):
        siopen(case(), "tail")


findings = st.lists(
    st.tuples(st.sampled_from(PLANAR_UNITS), st.integers(1, 20), st.booleans(), st.floats(0, 1)), max_size=12
).map(
    lambda rows: [
        finding(
            n,
            unit,
            "diffuse" if diffuse else "focal",
            both(box(unit if unit in UNITS else "lumbar_spine", columns=(0, columns))),
            confidence,
        )
        for n, (unit, columns, diffuse, confidence) in enumerate(rows)
    ]
)
hidden = st.dictionaries(st.sampled_from(UNITS), st.sampled_from(("not_acquired", "not_assessable")), max_size=5)
options = st.builds(
    ScoreOptions,
    denominator=st.sampled_from(("segment", "unit")),
    half_reaches_5=st.booleans(),
    foci_beside_patch=st.sampled_from(("apart", "joined")),
    count_once=st.booleans(),
    sacrum=st.sampled_from(("spine", "pelvis")),
)


@FEW
@given(findings, findings, options)
def test_more_findings_never_lower_a_level(few: list[Finding], more: list[Finding], chosen: ScoreOptions) -> None:
    together = [replace(f, id=f"{f.id}+{n}") for n, f in enumerate([*few, *more])]
    for segment in SIOPEN:
        assert level(case(together), segment, chosen) >= level(case(few), segment, chosen)


@FEW
@given(findings, hidden)
def test_totals_stay_in_range_and_in_their_interval(found: list[Finding], unseen: dict[str, Status]) -> None:
    child = case(found, unseen)
    for total, top, table, step in zip(totals(child), (72, 30), (SIOPEN, CURIE), (6, 3), strict=True):
        assert total.interval is not None
        low, high = total.interval
        assert 0 <= low <= total.value <= high <= top
        without = sum(
            not any(site.measure(total.name.split("_")[0]) for site in child.sites if site.site == s) for s in table
        )
        assert high - total.value >= min(without * step, top - total.value)


@FEW
@given(findings)
def test_swapping_sides_swaps_the_levels(found: list[Finding]) -> None:
    def other(unit: str) -> str:
        return unit.replace("_right", "_LEFT").replace("_left", "_right").replace("_LEFT", "_left")

    swapped = [replace(f, site=other(f.site), region=_moved(f.region, f.site, other(f.site))) for f in found]
    for segment in SIOPEN:
        assert level(case(found), segment) == level(case(swapped), other(segment))


def _moved(region: Region, old: str, new: str) -> Region:
    if old not in UNITS:
        return region
    rows = (UNITS.index(new) - UNITS.index(old)) * 10
    part = region.on(VIEWS[0])
    assert part is not None
    return both(replace(part, offset=(part.offset[0] + rows, part.offset[1])))
