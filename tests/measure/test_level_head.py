"""The level of least expected cost: chances are chances, more disease is never lower, the counted one kept in doubt."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from score_cases import both, box, case, finding, foci, patch

from osteoscope.domain.anatomy import CURIE, SIOPEN
from osteoscope.errors import ModelError
from osteoscope.find.model import shipped
from osteoscope.measure.adaptation_evidence import evidence
from osteoscope.measure.card_digest import digest
from osteoscope.measure.level_head import (
    LEAST_GAIN,
    SHIPPED,
    Signs,
    costs,
    inputs,
    least_costly,
    level_head,
    signs_of,
)
from osteoscope.measure.score import siopen, totals
from osteoscope.measure.score_chance import level_chances
from osteoscope.measure.score_tables import SCHEME_NAMES, SchemeName, ScoreOptions, scheme

LIKELIEST = ScoreOptions(level="likeliest")
scores = st.sampled_from(SCHEME_NAMES)
shares = st.floats(0, 1)
confidences = st.lists(shares, max_size=8).map(lambda found: tuple(sorted(found, reverse=True)))
signs = st.builds(Signs, st.just("pelvis"), confidences, confidences, shares, shares)


def tails(score: SchemeName, seen: Signs, top_heavy: float = 0.3) -> NDArray[np.float64]:
    """Chance of at least each level, of a segment that counting finds evenly likely to have any."""
    top = scheme(score, ScoreOptions()).top
    counted = np.full(top + 1, top_heavy / top)
    counted[0] = 1 - top_heavy
    chances = level_head().scores[score].chances(counted, seen)
    assert chances.sum() == pytest.approx(1)
    assert (chances >= 0).all()
    return np.asarray(1 - np.cumsum(chances)[:-1])


@given(scores, signs, st.integers(0, 7), shares)
def test_a_surer_focus_never_lowers_a_level(score: SchemeName, seen: Signs, which: int, confidence: float) -> None:
    changed = list(seen.foci)
    if which < len(changed):
        changed[which] = max(changed[which], confidence)
    else:
        changed.append(confidence)
    more = Signs(seen.segment, tuple(sorted(changed, reverse=True)), seen.patches, seen.fraction, seen.burden)
    assert (tails(score, more) >= tails(score, seen) - 1e-9).all()


@given(scores, signs, shares)
def test_another_patch_never_lowers_a_level(score: SchemeName, seen: Signs, confidence: float) -> None:
    patches = tuple(sorted((*seen.patches, confidence), reverse=True))
    more = Signs(seen.segment, seen.foci, patches, seen.fraction, seen.burden)
    assert (tails(score, more) >= tails(score, seen) - 1e-9).all()


@given(scores, signs, shares)
def test_a_larger_patch_never_lowers_a_level(score: SchemeName, seen: Signs, fraction: float) -> None:
    more = Signs(seen.segment, seen.foci, seen.patches, max(fraction, seen.fraction), seen.burden)
    assert (tails(score, more) >= tails(score, seen) - 1e-9).all()


@given(scores, signs)
def test_what_counting_holds_likelier_is_likelier(score: SchemeName, seen: Signs) -> None:
    assert (tails(score, seen, 0.9) >= tails(score, seen, 0.1)).all()


@pytest.mark.parametrize("score", SCHEME_NAMES)
def test_every_segment_has_its_offsets_and_every_input_its_weight(score: SchemeName) -> None:
    table, head = scheme(score, ScoreOptions()), level_head().scores[score]
    assert set(head.offsets) == set(table.members)
    seen = inputs(np.full(table.top + 1, 1 / (table.top + 1)), Signs("pelvis", (0.9,), (), 0.0, 0.1))
    assert set(head.names) == set(seen)
    assert head.weights.shape == (table.top, len(seen))


def test_the_shipped_head_was_made_for_the_shipped_network() -> None:
    card = shipped("mibg_planar").card
    assert json.loads(SHIPPED.read_text())["made_for"] == f"{card.name} {card.version}"


def test_too_low_costs_more_than_too_high_and_missed_disease_most() -> None:
    table = costs(6)
    assert table.diagonal().tolist() == [0] * 7
    assert table[3, 4] > table[4, 3] > 0
    assert table[0, 1] > table[1, 2]
    assert (np.diff(table, axis=1)[:-1][:, -1] > 0).all()


@given(st.lists(st.floats(0.01, 1), min_size=7, max_size=7), st.integers(0, 6))
def test_the_counted_level_stands_unless_another_is_clearly_nearer(odds: list[float], counted: int) -> None:
    chances = np.array(odds) / sum(odds)
    errors = (costs(6) @ chances).tolist()
    level = least_costly(chances, counted, Signs("pelvis", (0.9,), (), 0.0, 0.0))
    assert least_costly(chances, counted, Signs("pelvis", (), (), 0.0, 0.9)) == counted
    if level != counted:
        assert errors[level] == min(errors) < errors[counted] - LEAST_GAIN
    else:
        assert errors[counted] <= min(errors) + LEAST_GAIN


def test_a_segment_without_any_finding_stays_0() -> None:
    ill = [patch(unit, 20, number=n) for n, unit in enumerate(["thoracic_spine", "pelvis", "thoracic_cage"])]
    child = case(ill)
    assert siopen(child, "skull", LIKELIEST)[0].value == 0


def test_the_counted_level_stands_beside_another_one() -> None:
    """Faint uptake in a child that is ill elsewhere is called disease, and says what counting gives."""
    others = [unit for name, units in SIOPEN.items() if name != "pelvis" for unit in units]
    ill = [patch(unit, 20, number=n) for n, unit in enumerate(others)]
    child = case([*ill, *foci("pelvis", 6, 0.09, start=50)])
    counted, given_ = siopen(child, "pelvis"), siopen(child, "pelvis", LIKELIEST)
    assert counted[0].value == 0
    assert given_[0].value > 0
    assert (given_[-1].name, given_[-1].value) == ("siopen_counted", 0)
    assert given_[0].method == "siopen ladder, of least expected cost by all findings of the child"
    assert given_[0].interval
    assert given_[0].interval[0] <= given_[0].value <= given_[0].interval[1]
    assert {m.name for m in counted} == {"siopen", "siopen_foci", "siopen_diffuse_fraction", "siopen_probability"}


def test_the_interval_of_the_total_is_that_of_the_head() -> None:
    child = case([*foci("pelvis", 2, 0.6), patch("skull", 9)])
    counted, given_ = ({m.name: m for m in totals(child, o)}["siopen_total"] for o in (ScoreOptions(), LIKELIEST))
    assert counted.value == given_.value
    assert counted.interval != given_.interval


def test_soft_tissue_is_no_burden_and_has_a_level_of_its_own() -> None:
    mass = finding(1, "soft_tissue", "diffuse", both(box("skull")))
    for score in SCHEME_NAMES:
        assert signs_of([mass], scheme(score, ScoreOptions()), "pelvis", 0.0).burden == 0
    seen = signs_of([mass, *foci("skull", 1)], scheme("curie", ScoreOptions()), "soft_tissue", 0.2)
    assert seen.patches == (0.9,)
    assert seen.burden == pytest.approx(0.9 / 6 / (len(CURIE) - 1))


def test_an_adaptation_stands_on_the_chances_of_the_likeliest_levels() -> None:
    child = case([*foci("skull", 2, 0.6), patch("thoracic_spine", 12), *foci("pelvis", 1, 0.45, start=9)])
    table = scheme("siopen", ScoreOptions())
    for segment, units in SIOPEN.items():
        measures = siopen(child, segment, LIKELIEST)
        found = evidence(segment, measures, child.findings, LIKELIEST)
        assert found
        fraction = next(m.value for m in measures if m.name == "siopen_diffuse_fraction")
        counted = level_chances(child, units, table, LIKELIEST)
        seen = signs_of(child.findings, table, segment, fraction)
        at_least = 1 - np.cumsum(level_head().scores["siopen"].chances(counted, seen))[:-1]
        odds = 1 / (1 + np.exp(-found.logits))
        clear = np.abs(at_least - 0.5) > 0.1
        same = (at_least > 0.5) == (np.arange(1, 7) <= found.level)
        assert odds[clear & same] == pytest.approx(np.clip(at_least, 0.01, 0.99)[clear & same], abs=0.03)


def test_a_changed_or_missing_card_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mibg_levels.json"
    plain = json.loads(SHIPPED.read_text())
    assert plain["sha256"] == digest(plain)
    plain["scores"]["siopen"]["weights"][0][0] += 0.01
    path.write_text(json.dumps(plain))
    with pytest.raises(ModelError, match="changed or damaged"):
        level_head(path)
    for name, text in (("a.json", "[]"), ("b.json", "no json"), ("c.json", "{}")):
        (tmp_path / name).write_text(text)
        with pytest.raises(ModelError, match="Install the package again"):
            level_head(tmp_path / name)
    with pytest.raises(ModelError):
        level_head(tmp_path / "none.json")
