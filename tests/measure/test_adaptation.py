"""The ordinal head: what changes nothing, what cannot fall, and what a Reading gets from it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from score_cases import case, foci, patch

from osteoscope.deliver.adapted import adapted
from osteoscope.domain.anatomy import SIOPEN
from osteoscope.domain.in_part import in_field, note_of_part
from osteoscope.domain.reading import ModelRecord
from osteoscope.errors import InvalidValueError, ModelError
from osteoscope.measure.adaptation import Coefficients, Head, adapted_siopen, adapted_totals
from osteoscope.measure.adaptation_card import NAME, Base, Card, Cohort
from osteoscope.measure.adaptation_evidence import FEATURES, Evidence, evidence
from osteoscope.measure.score import siopen, totals
from osteoscope.measure.score_chance import level_chances
from osteoscope.measure.score_tables import ScoreOptions, scheme
from osteoscope.reading.planar_plans import MIBG, scored_by

SCHEME = scheme("siopen", ScoreOptions())
RECORD = ModelRecord(NAME, "1", "ab")
segments = st.sampled_from(sorted(SIOPEN))
confidences = st.lists(st.floats(0, 1), max_size=8).map(tuple)
shifts = st.floats(-8, 8)


def found(segment: str, sure: tuple[float, ...], patches: tuple[float, ...] = (), fraction: float = 0.0) -> Evidence:
    """Evidence with the level that the shipped scorer gives it."""
    taken = any(c >= 0.5 for c in patches)
    share = max(fraction, 1e-6) if taken else 0.0
    return Evidence(segment, SCHEME.level(sum(c >= 0.5 for c in sure), share), sure, patches, share)


evidences = st.builds(found, segments, confidences, confidences, st.floats(0, 1))
coefficients = st.builds(
    Coefficients,
    slope=st.floats(0, 3),
    shifts=st.tuples(*[shifts] * 6),
    weights=st.dictionaries(st.sampled_from(FEATURES), st.floats(0, 5)),
    offsets=st.dictionaries(segments, shifts),
    cut=st.floats(0.2, 0.8),
)


@given(evidences)
def test_without_departure_the_level_is_the_shipped_one(one: Evidence) -> None:
    assert Coefficients().level(one) == one.level


@given(coefficients, evidences)
def test_chances_are_chances(head: Coefficients, one: Evidence) -> None:
    chances = head.chances(one)
    assert chances.sum() == pytest.approx(1)
    assert (chances > 0).all()


@given(coefficients, segments, confidences, st.integers(0, 7), st.floats(0, 1))
def test_levels_never_fall_as_a_focus_grows_surer(
    head: Coefficients, segment: str, sure: tuple[float, ...], which: int, confidence: float
) -> None:
    more = (*sure, confidence)
    if which < len(sure):
        more = (*sure[:which], max(sure[which], confidence), *sure[which + 1 :])
    assert head.level(found(segment, more)) >= head.level(found(segment, sure))


@given(coefficients, segments, confidences, st.floats(0.5, 1), st.floats(0, 1), st.floats(0, 1))
def test_levels_never_fall_as_the_fraction_grows(
    head: Coefficients, segment: str, sure: tuple[float, ...], confidence: float, one: float, two: float
) -> None:
    small, large = (found(segment, sure, (confidence,), share) for share in sorted((one, two)))
    assert head.level(large) >= head.level(small)


@given(evidences)
def test_chances_of_the_shipped_scorer_are_about_its_own(one: Evidence) -> None:
    """Where no margin moves them: the median of the chances is the shipped level."""
    other = next(segment for segment in SIOPEN if segment != one.segment)
    beside = foci(SIOPEN[other][0], 1)
    bare = Evidence(one.segment, one.level, one.foci, elsewhere=len(beside) / 11)
    made = case([*beside, *(f for c in bare.foci for f in foci(SIOPEN[one.segment][0], 1, c))])
    shipped = level_chances(made, SIOPEN[one.segment], SCHEME, ScoreOptions())
    at_least = np.cumsum(shipped[::-1])[::-1][1:]
    odds = expit(bare.logits)
    clear = np.abs(at_least - 0.5) > 0.02
    same = (at_least > 0.5) == (np.arange(1, 7) <= one.level)
    assert odds[clear & same] == pytest.approx(np.clip(at_least, 0.01, 0.99)[clear & same], abs=1e-6)


def test_evidence_is_that_of_the_reading() -> None:
    made = case([*foci("skull", 2), *foci("skull", 1, 0.2, start=5), patch("thoracic_spine", 20)])
    read = {s.site: evidence(s.site, s.measures, made.findings) for s in made.sites if s.site in SIOPEN}
    one_other = 1 / 11
    assert read["skull"] == Evidence("skull", 2, (0.9, 0.9, 0.2), elsewhere=one_other)
    assert read["spine"] == Evidence("spine", 4, (), (0.9,), 0.25, elsewhere=one_other)
    assert read["pelvis"] == Evidence("pelvis", 0, elsewhere=2 / 11)
    # Faint foci are likelier where there is disease elsewhere.
    assert (read["pelvis"].logits >= Evidence("pelvis", 0).logits).all()
    assert read["pelvis"].logits[0] > Evidence("pelvis", 0).logits[0]
    assert evidence("skull", (), made.findings) is None


def test_evidence_and_levels_follow_the_choices_of_scoring() -> None:
    options = ScoreOptions(sacrum="pelvis", half_reaches_5=False)
    made = case([*foci("sacrum", 1), patch("skull", 10)], {"cervical_spine": "not_acquired"})
    raised = Head(Coefficients(shifts=(1.0, 0, 0, 0, 0, 0)), RECORD)
    levels = {s: {m.name: m for m in adapted_siopen(made, s, raised, options)} for s in ("spine", "pelvis", "skull")}
    assert {s: (m["siopen_unadapted"].value, m["siopen"].value) for s, m in levels.items()} == {
        "spine": (0, 0), "pelvis": (1, 1), "skull": (4, 4),
    }  # fmt: skip
    whole = levels["pelvis"]["siopen"].interval
    assert whole
    assert whole[1] < 6
    odds = {o: evidence("skull", siopen(made, "skull", o), made.findings, o) for o in (options, ScoreOptions())}
    assert [int((e.logits > 0).sum()) for e in odds.values() if e] == [4, 5]
    pelvis = evidence("pelvis", siopen(made, "pelvis", options), made.findings, options)
    assert pelvis
    assert (pelvis.foci, pelvis.elsewhere) == ((0.9,), 1 / 11)
    hidden = case([], {"sacrum": "not_acquired"})
    seen = adapted_siopen(hidden, "spine", Head(Coefficients(), RECORD), options)[0].interval
    assert seen
    assert seen[1] < 6
    accepting = ScoreOptions(accepted=0.2)
    doubtful = case(foci("skull", 1, 0.3))
    found = evidence("skull", siopen(doubtful, "skull", accepting), doubtful.findings, accepting)
    assert found
    assert found.features.tolist() == [0.15, 0.5, 0, 0]


def test_a_reading_gets_the_adapted_level_and_keeps_the_shipped_one() -> None:
    made = case([*foci("skull", 3), *foci("pelvis", 1)])
    head = Head(Coefficients(shifts=(0, 0, 0, 8, 0, 0)), RECORD)
    measures = {m.name: m for m in adapted_siopen(made, "skull", head)}
    shipped = {m.name: m for m in siopen(made, "skull")}
    assert measures["siopen"].value == 4
    assert "adapted by siopen-adaptation 1" in measures["siopen"].method
    assert measures["siopen_unadapted"].value == shipped["siopen"].value == 3
    assert measures["siopen_unadapted"].interval == shipped["siopen"].interval
    assert measures["siopen_foci"] == shipped["siopen_foci"]
    interval = measures["siopen"].interval
    assert interval
    assert interval[0] <= 4 <= interval[1]
    assert 0 < measures["siopen_probability"].value <= 1
    sites = tuple(
        replace(s, measures=(*adapted_siopen(made, s.site, head), *s.measures[4:])) if s.site in SIOPEN else s
        for s in made.sites
    )
    sums = {m.name: m for m in adapted_totals(replace(made, sites=sites), head)}
    assert sums["siopen_total"].value == 5
    assert {m.name: m for m in totals(made)}["siopen_total"].value == 4


def test_a_segment_seen_in_part_may_hold_more() -> None:
    whole = case(foci("lumbar_spine", 1))
    cut = [replace(p, notes=(note_of_part(p.site, in_field(0.6)),)) if p.site == "sacrum" else p for p in whole.mapped]
    for made in (case(foci("lumbar_spine", 1), {"sacrum": "not_acquired"}), replace(whole, mapped=tuple(cut))):
        level = adapted_siopen(made, "spine", Head(Coefficients(), RECORD))[0]
        assert level.interval
        assert level.interval[1] == 6
    hidden = case([], {"skull": "not_assessable"})
    assert adapted_siopen(hidden, "skull", Head(Coefficients(), RECORD)) == ()
    total = adapted_totals(hidden, Head(Coefficients(), RECORD))[0]
    assert total.interval
    assert total.interval[1] >= 6


@pytest.mark.parametrize(
    "wrong",
    [
        {"slope": -1.0},
        {"shifts": (0.0,)},
        {"weights": {"colour": 1.0}},
        {"weights": {FEATURES[0]: -1.0}},
        {"offsets": {"femur_left": 0.0}},
        {"cut": 1.0},
        {"slope": float("nan")},
    ],
)
def test_wrong_coefficients_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidValueError, match="build Coefficients"):
        Coefficients(**wrong)  # type: ignore[arg-type]


def test_wrong_evidence_is_refused() -> None:
    for wrong in (("femur_left", 0, ()), ("skull", 7, ()), ("skull", 1, (1.5,))):
        with pytest.raises(InvalidValueError, match="build Evidence"):
            Evidence(*wrong)


BASE = Base.of("osteoscope mibg-planar", (ModelRecord("mibg_planar", "1", "cd"), RECORD))
CARD = Card(
    NAME, "2", "research use only", "osteoscope", BASE, Cohort(20, 18, (1,) * 7), Coefficients(), None, (), "helps", ()
)


def test_a_card_is_read_as_it_was_written(tmp_path: Path) -> None:
    CARD.write(tmp_path / "card.json")
    assert Card.load(tmp_path / "card.json") == CARD
    CARD.check(Base.of("another name", (ModelRecord("mibg_planar", "1", "cd"),)))


def test_a_card_holds_for_the_default_choices_of_scoring() -> None:
    CARD.check(BASE, ScoreOptions(level="likeliest", together=1.0))
    with pytest.raises(ModelError, match=r"default choices of scoring, and this study is scored under sacrum=pelvis\."):
        CARD.check(BASE, ScoreOptions(sacrum="pelvis"))
    plan = scored_by(MIBG, ("whole_above=1",))
    with pytest.raises(ModelError, match=r"scored under whole_above=1\.0"):
        adapted(plan, replace(CARD, base=Base.of("", plan.models())))


def test_a_changed_or_foreign_card_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    CARD.write(path)
    plain = json.loads(path.read_text())
    plain["coefficients"]["slope"] = 1.5
    path.write_text(json.dumps(plain))
    with pytest.raises(ModelError, match="changed or damaged"):
        Card.load(path)
    for text in ("[]", "{}", "no json", '{"schema": "osteoscope/reading/1"}'):
        path.write_text(text)
        with pytest.raises(ModelError, match="no adaptation in it"):
            Card.load(path)
    with pytest.raises(ModelError, match="no adaptation in it"):
        Card.load(tmp_path / "none.json")
    with pytest.raises(ModelError, match=r"fitted to mibg_planar 1 .* read by mibg_planar 2"):
        CARD.check(Base.of("", (ModelRecord("mibg_planar", "2", "ef"),)))
