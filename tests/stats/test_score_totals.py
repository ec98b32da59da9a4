"""Totals of a date: the Reading's own interval, and what is rebuilt where it has none for these places."""

from __future__ import annotations

from dataclasses import replace

import pytest
from score_cases import both, box, case, finding, foci, patch

from osteoscope.domain.anatomy import CURIE, SIOPEN
from osteoscope.domain.finding import Finding, Measure
from osteoscope.domain.reading import Provenance, Reader, Reading, Status, StudyRecord
from osteoscope.measure.score import totals
from osteoscope.measure.score_choices import in_words
from osteoscope.measure.score_tables import ScoreOptions
from osteoscope.stats.inrc import Score
from osteoscope.stats.lesion_identity import Exam
from osteoscope.stats.response import compare
from osteoscope.stats.score_totals import CURIE_BONE, total

SICK = [
    *foci("skull", 3, 0.7),
    *foci("pelvis", 2, 0.6, start=5),
    *foci("thoracic_cage", 1, 0.55, start=9),
    patch("sacrum", 9),
]
MASS = finding(50, "soft_tissue", "focal", both(box("lumbar_spine", (2, 5), (0, 4))), 0.6)
ABSENT: dict[str, Status] = {"skull": "not_acquired", "distal_lower_limb_left": "not_assessable"}


def read(findings: list[Finding], hidden: dict[str, Status] | None = None) -> Reading:
    """As the program reads the box-shaped child, its totals and settings included."""
    made = case(findings, hidden)
    provenance = Provenance("test", (), in_words(ScoreOptions()))
    return Reading(
        StudyRecord.of(made.study), Reader("program", "test"), made.findings, made.sites, totals(made), provenance
    )


def bare(reading: Reading) -> Reading:
    return replace(reading, measures=(), provenance=Provenance("test"))


def span(score: Score) -> int:
    return score.interval[1] - score.interval[0]


@pytest.mark.parametrize("hidden", [None, ABSENT])
@pytest.mark.parametrize(("score", "places", "top"), [("siopen", tuple(SIOPEN), 6), ("curie", tuple(CURIE), 3)])
def test_a_total_of_all_places_has_the_range_of_the_reading(
    score: str, places: tuple[str, ...], top: int, hidden: dict[str, Status] | None
) -> None:
    reading = read([*SICK, MASS], hidden)
    own = reading.measure(f"{score}_total")
    assert own
    assert own.interval
    found = total(reading, score, places, top)
    assert (found.value, found.range) == (own.value, own.interval)
    assert span(found) > span(total(bare(reading), score, places, top))


@pytest.mark.parametrize("findings", [SICK, [*SICK, MASS], []])
def test_bone_alone_is_as_wide_as_the_reading_without_its_soft_tissue(findings: list[Finding]) -> None:
    reading = read(findings)
    whole, bones = total(reading, "curie", tuple(CURIE), 3), total(reading, "curie", CURIE_BONE, 3)
    assert span(total(bare(reading), "curie", CURIE_BONE, 3)) < span(bones) <= span(whole)
    assert bones.interval[0] <= bones.value <= bones.interval[1] <= 27


def test_an_own_total_of_other_levels_is_not_used() -> None:
    reading = read(SICK)
    wrong = Measure("siopen_total", 70, "{score}", "sum of others", (70, 72))
    found = total(replace(reading, measures=(wrong,)), "siopen", tuple(SIOPEN), 6)
    assert found == total(replace(reading, measures=()), "siopen", tuple(SIOPEN), 6)
    assert found.value < 20


@pytest.mark.parametrize("stated", ["wide", "nan", "-2", "0.5"])
def test_a_widening_that_is_none_is_not_used(stated: str) -> None:
    reading = replace(read(SICK), measures=(), provenance=Provenance("test", (), {"together": stated}))
    assert total(reading, "siopen", tuple(SIOPEN), 6) == total(bare(reading), "siopen", tuple(SIOPEN), 6)


def test_the_threshold_within_the_readings_own_interval_is_flagged() -> None:
    reading = read(foci("skull", 1, 0.9) + foci("pelvis", 1, 0.9, start=5))
    own = reading.measure("siopen_total")
    assert own
    assert own.interval
    assert own.interval[0] <= 3 < own.interval[1]
    response = compare([Exam("before", read(SICK)), Exam("now", reading)])
    flags = response.comparisons[0].scores[0].flags
    assert f"SIOPEN <= 3: the threshold lies within the interval {own.interval[0]:g} to {own.interval[1]:g}" in flags
