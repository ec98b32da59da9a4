"""A person's edits on a Reading, whatever their order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from box_child import dated, foci, patch, spot
from hypothesis import given, settings
from hypothesis import strategies as st
from score_cases import ROWS_PER_UNIT, UNITS

from osteoscope.deliver.review.draft import Ground
from osteoscope.deliver.review.edits import Person, edited
from osteoscope.deliver.review.on_patient import check_on_patient
from osteoscope.domain import codec
from osteoscope.domain.anatomy import CURIE, PLANAR_UNITS, SIOPEN
from osteoscope.domain.reading import Reading
from osteoscope.errors import InvalidValueError

EXAM = dated([*foci("pelvis", 2), *foci("skull", 1, start=5), patch("thoracic_spine", 12)])
GROUND = Ground(units=EXAM.mapped)
ANA = Person("Ana")
Edit = dict[str, Any]


def read(*edits: Edit, base: Reading = EXAM.reading) -> Reading:
    return edited(base, edits, ANA, GROUND)


def level(reading: Reading, site: str, score: str = "siopen") -> float | None:
    said = reading.site(site)
    measure = said.measure(score) if said else None
    return measure.value if measure else None


def said(reading: Reading) -> Any:
    return [site.measures for site in reading.sites], reading.findings


places = st.tuples(st.floats(0, 20, exclude_max=True), st.floats(0, 100, exclude_max=True))
ids = st.sampled_from([*(f.id for f in EXAM.reading.findings), "P1", "P2", "P3"])
edits = st.one_of(
    st.builds(
        lambda site, value: {"op": "level", "site": site, "level": value},
        st.sampled_from(list(SIOPEN)),
        st.none() | st.integers(0, 6),
    ),
    st.builds(
        lambda site, value: {"op": "curie", "site": site, "level": value},
        st.sampled_from(list(CURIE)),
        st.none() | st.integers(0, 3),
    ),
    st.builds(
        lambda view, at: {"op": "add", "view": view, "x": at[0], "y": at[1]},
        st.sampled_from(["anterior", "posterior"]),
        places,
    ),
    st.builds(
        lambda view, points: {"op": "outline", "view": view, "points": points},
        st.sampled_from(["anterior", "posterior"]),
        st.lists(places, min_size=3, max_size=5),
    ),
    st.builds(lambda op, one: {"op": op, "finding": one}, st.sampled_from(["remove", "accept", "reject"]), ids),
    st.builds(lambda one, site: {"op": "move", "finding": one, "site": site}, ids, st.sampled_from(PLANAR_UNITS)),
    st.builds(lambda op, text: {"op": op, "text": text}, st.sampled_from(["comment", "soft_tissue"]), st.text()),
)


@settings(max_examples=60)
@given(st.lists(edits, max_size=8))
def test_whatever_is_edited_adds_up_and_loses_nothing(wanted: list[Edit]) -> None:
    done: list[Edit] = []
    for edit in wanted:
        try:
            read(*done, edit)
        except InvalidValueError:
            continue
        done.append(edit)
    made = read(*done)
    assert codec.decode(Reading, codec.encode(made)) == made
    for score, segments in (("siopen", SIOPEN), ("curie", CURIE)):
        levels = [level(made, site, score) for site in segments]
        known = [value for value in levels if value is not None]
        total = made.measure(f"{score}_total")
        # Edits that cancel each other leave all as it was.
        same = said(made) == said(EXAM.reading)
        if not same and {e["op"] for e in done} - {"comment", "soft_tissue"}:
            assert total is not None or not known
            assert total is None or total.value == sum(known)
    kept = {f.id for f in made.findings}
    aside = {a.what.split()[1] for a in made.set_aside if a.what.startswith("finding ")}
    assert {f.id for f in EXAM.reading.findings} <= kept | aside
    for site in made.sites:
        units = {*SIOPEN.get(site.site, ()), *CURIE.get(site.site, ())}
        assert set(site.evidence) == {f.id for f in made.findings if f.site in units}


@pytest.mark.parametrize(
    ("unit", "segment", "region"),
    [
        ("pelvis", "pelvis", "pelvis"),
        ("lumbar_spine", "spine", "lumbosacral_spine"),
        ("skull", "skull", "craniofacial"),
    ],
)
def test_only_what_an_edit_touches_changes(unit: str, segment: str, region: str) -> None:
    place = next(m for m in EXAM.mapped if m.site == unit)
    part = place.region.on("anterior") if place.region else None
    assert part is not None
    row, column = part.centroid() + 0.5
    made = read({"op": "add", "view": "anterior", "x": column, "y": row})
    assert made.findings[-1].site == unit
    before = {site.site: (site.status, site.measures) for site in EXAM.reading.sites}
    changed = {site.site for site in made.sites if (site.status, site.measures) != before[site.site]}
    assert changed == {segment, region}


def around(unit: str, rows: float = 1.0) -> list[list[float]]:
    """The corners of the upper part of a unit of the anterior view, and half a pixel more."""
    place = next(m for m in EXAM.mapped if m.site == unit)
    part = place.region.on("anterior") if place.region else None
    assert part is not None
    (top, left), (height, width) = part.offset, part.mask.shape
    return [[left, top], [left + width, top], [left + width, top + rows * height], [left, top + rows * height]]


def test_an_outline_is_diffuse_uptake_of_the_unit_it_covers() -> None:
    made = read({"op": "outline", "view": "anterior", "points": around("skull", 0.5)})
    new = [f for f in made.findings if f.id.startswith("P")]
    assert [(f.site, f.kind, f.confidence) for f in new] == [("skull", "diffuse", 1.0)]
    skull = made.site("skull")
    assert skull is not None
    fraction = skull.measure("siopen_diffuse_fraction")
    assert fraction is not None
    assert fraction.value == pytest.approx(0.5)
    for score in ("siopen", "curie"):
        total, before = made.measure(f"{score}_total"), read({"op": "comment", "text": ""}).measure(f"{score}_total")
        assert total is not None
        assert before is None or total.value > before.value
    back = read({"op": "outline", "view": "anterior", "points": around("skull")}, {"op": "remove", "finding": "P1"})
    was = read({"op": "comment", "text": ""})
    assert (back.findings, back.sites, back.measures) == (was.findings, was.sites, was.measures)


def test_an_outline_across_units_is_a_finding_in_each_but_those_it_grazes() -> None:
    pelvis, femur = (np.asarray(around(unit)) for unit in ("pelvis", "proximal_lower_limb_right"))
    low, high = np.minimum(pelvis.min(0), femur.min(0)), np.maximum(pelvis.max(0), femur.max(0))
    whole = [[low[0], low[1]], [high[0], low[1]], [high[0], high[1]], [low[0], high[1]]]
    made = read({"op": "outline", "view": "anterior", "points": whole})
    new = {f.site: f for f in made.findings if f.id.startswith("P")}
    assert {"pelvis", "proximal_lower_limb_right"} <= set(new)
    one = read({"op": "outline", "view": "anterior", "points": whole, "site": "pelvis"})
    assert [f.site for f in one.findings if f.id.startswith("P")] == ["pelvis"]
    grazing = around("pelvis")
    grazing[2][1] += 1.2  # into the next unit below by less than a tenth of it
    made = read({"op": "outline", "view": "anterior", "points": grazing})
    assert [f.site for f in made.findings if f.id.startswith("P")] == ["pelvis"]


def drawn(view: str, *boxes: tuple[str, tuple[float, float], tuple[float, float]]) -> Edit:
    """An outline around one box of (unit, rows, columns), or from the first to the last of several."""
    tops = [UNITS.index(unit) * ROWS_PER_UNIT for unit, *_ in boxes]
    top, bottom = tops[0] + boxes[0][1][0], tops[-1] + boxes[-1][1][1]
    left, right = boxes[0][2]
    return {"op": "outline", "view": view, "points": [[left, top], [right, top], [right, bottom], [left, bottom]]}


THIGH = "proximal_lower_limb_left"


@pytest.mark.parametrize(
    ("outlines", "region", "expected"),
    [
        ([drawn("anterior", ("lumbar_spine", (5, 10), (0, 5)), ("sacrum", (0, 4), (0, 5)))], "lumbosacral_spine", 1),
        ([drawn("anterior", (THIGH, (2, 6), (0, 6))), drawn("posterior", (THIGH, (2, 6), (14, 20)))], "femurs", 1),
        ([drawn("anterior", (THIGH, (2, 6), (0, 6))), drawn("posterior", (THIGH, (2, 6), (0, 6)))], "femurs", 2),
        ([drawn("anterior", (THIGH, (0, 3), (0, 6))), drawn("anterior", (THIGH, (7, 10), (0, 6)))], "femurs", 2),
        ([drawn("anterior", (THIGH, (0, 4), (0, 6))), drawn("anterior", (THIGH, (4, 7), (0, 6)))], "femurs", 1),
        ([drawn("anterior", (side, (2, 6), (0, 6))) for side in (THIGH, "proximal_lower_limb_right")], "femurs", 2),
        ([drawn("anterior", ("thoracic_spine", (2, 8), (10, 18)))], "cervicothoracic_spine", 1),
    ],
)
def test_one_lesion_that_is_outlined_in_parts_or_in_both_views_counts_once(
    outlines: list[Edit], region: str, expected: int
) -> None:
    made = read(*outlines)
    assert level(made, region, "curie") == expected
    last = next(f.id for f in reversed(made.findings))
    less = read(*outlines, {"op": "remove", "finding": last})
    assert len(less.findings) == len(made.findings) - 1
    again = read({"op": "comment", "text": "x"}, base=made)
    assert (again.sites, again.measures) == (made.sites, made.measures)


def test_an_outline_beside_uptake_that_does_not_count_stays_apart_from_it() -> None:
    faint = replace(patch(THIGH, 12), confidence=0.2)
    made = read(drawn("anterior", (THIGH, (0, 10), (12, 16))), base=dated([faint]).reading)
    fraction = next(s for s in made.sites if s.site == THIGH).measure("siopen_diffuse_fraction")
    assert fraction is not None
    assert level(made, "femurs", "curie") == 1
    assert fraction.value == pytest.approx(0.2)


@pytest.mark.parametrize(
    "what",
    [
        {"view": "lateral", "points": [[0, 0], [5, 0], [5, 5]]},
        {"view": "anterior", "points": [[0, 0], [5, 0]]},
        {"view": "anterior", "points": [[-9, -9], [-5, -9], [-5, -5]]},
        {"view": "anterior", "points": [[0, 0], [9, 0], [float("nan"), 5]]},
        {"view": "anterior", "points": [[0, 0], [9, 0], [9, 9]], "site": "moon"},
    ],
)
def test_an_outline_that_holds_nothing_is_refused(what: Edit) -> None:
    with pytest.raises(InvalidValueError, match=r"outline|place"):
        read({"op": "outline", **what})


BODY = np.arange(ROWS_PER_UNIT * len(UNITS))[:, None] < 5 * ROWS_PER_UNIT + np.zeros((1, 20))
ON_HEAD = Ground(units=(EXAM.mapped[0],), body=lambda _: BODY)


@pytest.mark.parametrize(
    "what",
    [
        {"op": "add", "x": 10, "y": 5 * ROWS_PER_UNIT + 5},
        {"op": "outline", "points": [[2, 80], [9, 80], [9, 89]]},
    ],
)
def test_a_mark_beside_the_patient_is_refused_when_made_and_a_former_one_still_opens(what: Edit) -> None:
    edit = {"view": "anterior", **what}
    with pytest.raises(InvalidValueError, match=r"row \d+, column \d+ of the anterior view lies outside the patient"):
        check_on_patient(EXAM.reading, edit, ON_HEAD)
    check_on_patient(EXAM.reading, {**edit, "site": "pelvis"}, ON_HEAD)
    check_on_patient(EXAM.reading, edit, Ground(units=EXAM.mapped))
    assert len(edited(EXAM.reading, [edit], ANA, ON_HEAD).findings) == len(EXAM.reading.findings) + 1


@pytest.mark.parametrize("row", [0, 2 * ROWS_PER_UNIT, 5 * ROWS_PER_UNIT + 2])
def test_a_mark_on_the_patient_or_a_few_millimetres_beside_is_taken(row: int) -> None:
    check_on_patient(EXAM.reading, {"op": "add", "view": "anterior", "x": 10, "y": row + 0.5}, ON_HEAD)
    off_body = Ground(units=EXAM.mapped, body=lambda _: BODY & False)
    check_on_patient(EXAM.reading, {"op": "add", "view": "anterior", "x": 10, "y": row + 0.5}, off_body)


def test_nothing_edited_is_the_program_s_reading_in_the_person_s_name() -> None:
    made = read()
    assert (made.findings, made.measures, made.gaps) == (EXAM.reading.findings, EXAM.reading.measures, ())
    assert [(s.site, s.measures) for s in made.sites] == [(s.site, s.measures) for s in EXAM.reading.sites]
    assert (made.reader.kind, made.reader.name) == ("person", "Ana")


def test_a_level_by_hand_overrides_what_follows_from_the_findings() -> None:
    add = {"op": "add", "view": "anterior", "x": 10, "y": 5, "site": "skull"}
    by_hand = {"op": "level", "site": "skull", "level": 6}
    for order in ((add, by_hand), (by_hand, add)):
        made = read(*order)
        assert level(made, "skull") == 6
        measure = next(s for s in made.sites if s.site == "skull").measure("siopen")
        assert measure is not None
        assert (measure.method, measure.interval) == ("set by Ana", None)


def test_curie_follows_a_siopen_level_set_by_hand_unless_it_is_set_itself() -> None:
    three = {"op": "level", "site": "pelvis", "level": 3}
    assert level(read(three), "pelvis", "curie") == 2
    measure = next(s for s in read({**three, "level": 1}).sites if s.site == "pelvis").measure("curie")
    assert measure is not None
    assert (measure.value, measure.method) == (1, "follows from SIOPEN levels set by Ana")
    mine = {"op": "curie", "site": "pelvis", "level": 3}
    for order in ((three, mine), (mine, three)):
        assert level(read(*order), "pelvis", "curie") == 3
    quiet = read({"op": "level", "site": "spine", "level": 0})
    assert [level(quiet, region, "curie") for region in ("cervicothoracic_spine", "lumbosacral_spine")] == [0, 0]
    total = quiet.measure("curie_total")
    assert total is not None
    assert total.value == sum(level(quiet, region, "curie") or 0 for region in CURIE)


def test_without_outlines_a_touched_segment_is_a_gap_unless_its_level_is_set() -> None:
    alone = Ground()
    remove = {"op": "remove", "finding": EXAM.reading.findings[0].id}
    made = edited(EXAM.reading, [remove], ANA, alone)
    assert {gap.where for gap in made.gaps} == {"pelvis"}
    levels = [{"op": op, "site": "pelvis", "level": 1} for op in ("level", "curie")]
    assert edited(EXAM.reading, [remove, *levels], ANA, alone).gaps == ()


def test_a_segment_that_was_hidden_can_be_given_a_level() -> None:
    hidden = dated(foci("pelvis", 1), hidden={"skull": "not_acquired"})
    made = read({"op": "level", "site": "skull", "level": 2}, base=hidden.reading)
    assert level(made, "skull") == 2
    assert next(s for s in made.sites if s.site == "skull").status == "assessed"


def test_an_amendment_starts_from_the_person_s_own_reading() -> None:
    first = read({"op": "level", "site": "skull", "level": 5}, {"op": "comment", "text": "first"})
    why = Person("Bob", "2026-01-01T00:00:00", {"reason": "second look"})
    second = edited(first, [{"op": "level", "site": "pelvis", "level": 0}], why, GROUND)
    assert (level(second, "skull"), level(second, "pelvis")) == (5, 0)
    assert second.provenance.settings["comment"] == "first"
    assert second.provenance.settings["reason"] == "second look"
    assert second.reader.name == "Bob"


def test_an_amendment_keeps_levels_set_by_hand_and_says_by_whom() -> None:
    by_hand = [{"op": "level", "site": "skull", "level": 5}, {"op": "curie", "site": "craniofacial", "level": 3}]
    add = {"op": "add", "view": "anterior", "x": 10, "y": 5, "site": "skull"}
    first = read(*by_hand)
    again = edited(first, [add], Person("Bob"), GROUND)
    for site, score in (("skull", "siopen"), ("craniofacial", "curie")):
        measure = next(s for s in again.sites if s.site == site).measure(score)
        assert measure is not None
        assert (measure.value, measure.method) == (level(read(*by_hand, add), site, score), "set by Ana")
    assert again.site("skull").measure("siopen_foci").value == 2  # type: ignore[union-attr]
    untouched = edited(first, [{"op": "comment", "text": "seen"}], Person("Bob"), GROUND)
    assert (untouched.sites, untouched.measures) == (first.sites, first.measures)
    mine = edited(first, [{**by_hand[0], "level": 2}], Person("Bob"), GROUND)
    assert [s.measure("siopen").method for s in mine.sites if s.site == "skull"] == ["set by Bob"]  # type: ignore[union-attr]


def test_an_amendment_keeps_what_was_not_assessable_until_it_is_given_a_level() -> None:
    first = read({"op": "level", "site": "skull", "level": None})
    add = {"op": "add", "view": "anterior", "x": 10, "y": 5, "site": "skull"}
    again = edited(first, [add], ANA, GROUND)
    skull = again.site("skull")
    assert skull is not None
    assert (skull.status, skull.notes) == ("not_assessable", ("siopen: not assessable, set by Ana",))
    assert {gap.where for gap in again.gaps} == set()
    given = edited(again, [{"op": "level", "site": "skull", "level": 2}], ANA, GROUND)
    assert level(edited(given, [add], ANA, GROUND), "skull") == 2


def test_an_amendment_counts_from_the_confidence_that_the_program_counted_from() -> None:
    faint = dated([spot(0, "pelvis", 1, confidence=0.4)]).reading
    adds = [{"op": "add", "view": "anterior", "x": x, "y": 5, "site": "pelvis"} for x in (8, 14)]
    assert level(faint, "pelvis") == 0
    first = read(adds[0], base=faint)
    assert level(first, "pelvis") == 1
    assert level(read(adds[1], base=first), "pelvis") == level(read(*adds, base=faint), "pelvis") == 2
    thrice = read({"op": "comment", "text": "x"}, base=read({"op": "comment", "text": "x"}, base=first))
    assert level(read(adds[1], base=thrice), "pelvis") == 2


def words_of(reading: Reading) -> tuple[object, tuple[str, ...]]:
    soft = reading.site("soft_tissue")
    return reading.provenance.settings.get("comment"), soft.notes if soft else ()


def test_an_amendment_keeps_replaces_or_withdraws_comment_and_soft_tissue_note() -> None:
    def said(text: str) -> list[Edit]:
        return [{"op": op, "text": text} for op in ("comment", "soft_tissue")]

    bob = Person("Bob")
    none = words_of(read())
    signed = read(*said("first"))
    assert words_of(signed) == ("first", (*none[1], "first (Ana)"))
    kept = edited(signed, [{"op": "level", "site": "skull", "level": 5}], bob, GROUND)
    assert words_of(kept) == words_of(signed)
    for base in (signed, kept):
        assert words_of(edited(base, said("second"), bob, GROUND)) == ("second", (*none[1], "second (Bob)"))
        assert words_of(edited(base, said(""), bob, GROUND)) == none
        assert words_of(edited(base, [*said("third"), *said("")], bob, GROUND)) == none


def test_a_note_of_before_settings_held_it_is_withdrawn_too() -> None:
    signed = read({"op": "soft_tissue", "text": "a mass"})
    old = replace(signed, provenance=replace(signed.provenance, settings={}))
    assert words_of(edited(old, [{"op": "soft_tissue", "text": ""}], ANA, GROUND)) == words_of(read())


scored = st.one_of(
    st.builds(
        lambda site, value: {"op": "level", "site": site, "level": value},
        st.sampled_from(["skull", "pelvis"]),
        st.integers(0, 6),
    ),
    st.builds(
        lambda site, value: {"op": "curie", "site": site, "level": value},
        st.sampled_from(["craniofacial", "pelvis"]),
        st.integers(0, 3),
    ),
    st.builds(
        lambda at, site: {"op": "add", "view": "anterior", "x": at[0], "y": at[1], "site": site},
        places,
        st.sampled_from(["skull", "pelvis"]),
    ),
)


@settings(max_examples=60)
@given(st.lists(scored, min_size=2, max_size=4), st.integers(1, 3))
def test_levels_are_the_same_whether_it_was_signed_between_or_not(wanted: list[Edit], signed_after: int) -> None:
    base = dated([spot(0, "pelvis", 1, confidence=0.4), *foci("skull", 1, start=5)]).reading
    at_once = read(*wanted, base=base)
    amended = read(*wanted[signed_after:], base=read(*wanted[:signed_after], base=base))
    for score, segments in (("siopen", SIOPEN), ("curie", CURIE)):
        assert [level(amended, site, score) for site in segments] == [level(at_once, site, score) for site in segments]


@pytest.mark.parametrize("op", ["type", "mask", "add_lesion", "mark", "", "__class__"])
def test_an_edit_of_another_kind_of_study_is_refused(op: str) -> None:
    with pytest.raises(InvalidValueError, match="nm-planar"):
        read({"op": op})


def test_accepting_a_faint_focus_makes_it_count() -> None:
    faint = dated([replace(finding, confidence=0.1) for finding in foci("pelvis", 1)])
    before = read({"op": "accept", "finding": faint.reading.findings[0].id}, base=faint.reading)
    assert level(before, "pelvis") == 1
    assert level(before, "pelvis", "curie") == 1
