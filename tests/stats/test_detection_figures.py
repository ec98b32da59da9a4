from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scans import box, findings, lesions, scan
from scipy.stats import binomtest, poisson

from osteoscope.report.evaluation_wording import sentence
from osteoscope.stats.adequacy import adequacy
from osteoscope.stats.detection import CRITERIA
from osteoscope.stats.detection_figures import DetectionOptions, evaluate_detection
from osteoscope.stats.detection_froc import curve, marks, within
from osteoscope.stats.detection_record import Detection
from osteoscope.stats.detection_scan import Lesion, Scan, count_only
from osteoscope.stats.ratings import Interval, Statistic, Target
from osteoscope.stats.resampling import Resampling

ANY = CRITERIA[0]
QUICK = DetectionOptions(resampling=Resampling(draws=50))
READERS = ("truth", "program")


@pytest.fixture
def cohort() -> list[Scan]:
    """Four scans, three of patients of their own, the last one without a lesion.

    By falling confidence: 0.9 hit, 0.8 false, 0.7 hit and false, 0.6 hit, 0.5 false (a split), 0.3 false.
    """
    return [
        scan([box(0), box(20, kind="blastic")], [box(0, 0.9), box(20, 0.7, kind="mixed"), box(40, 0.8)], "a"),
        scan([box(0), box(60)], [box(1, 0.6), box(3, 0.5, 2), box(40, 0.7)], "b"),
        scan([box(0)], [], "c", "b"),
        scan([], [box(0, 0.3)], "d"),
    ]


def value(found: Detection, name: str, criterion: str = "any_overlap") -> float:
    statistic = found.find(criterion, name)
    assert statistic is not None
    assert statistic.value is not None
    return statistic.value


def test_froc_by_hand(cohort: list[Scan]) -> None:
    counted = [count_only(one, 5.0) for one in cohort]
    drawn = curve(marks(counted, ANY), ANY, 0.5, Resampling(50))
    by_hand = [(0.9, 0, 1), (0.8, 1, 1), (0.7, 2, 2), (0.6, 2, 3), (0.5, 3, 3), (0.3, 4, 3)]
    assert [(p.confidence, p.false_positives, p.sensitivity) for p in drawn.points] == [
        (confidence, false / 4, hits / 5) for confidence, false, hits in by_hand
    ]
    assert drawn.confidence == 0.6
    assert curve(marks(counted, ANY), ANY, 0.3, Resampling(50)).confidence == 0.8


def test_no_sensitivity_is_made_up_between_points() -> None:
    rates, sensitivity = np.array([0, 0, 0.5, 2.0]), np.array([0, 0.2, 0.6, 0.8])
    assert within(rates, sensitivity, np.array([0, 0.4, 0.5, 1.9, 9])).tolist() == [0.2, 0.2, 0.6, 0.6, 0.8]


def test_figures_by_hand(cohort: list[Scan]) -> None:
    found = evaluate_detection(cohort, READERS, QUICK)
    assert value(found, "sensitivity") == 3 / 5
    assert value(found, "false_positives") == 4 / 4
    assert value(found, "false_positives_negative") == 1.0
    assert value(found, "splits") == 1 / 4
    assert value(found, "precision") == 3 / 7
    assert value(found, "sensitivity_at_rate") == 3 / 5
    assert value(found, "mean_sensitivity") == pytest.approx((0.2 + 0.2 + 0.6 * 5) / 7)
    assert value(found, "dice") == pytest.approx((1 + 1 + 0.75) / 3)
    assert value(found, "kind_exact") == 2 / 3
    table = found.kinds[0]
    assert (table.counts, table.not_stated) == (((2, 0, 0), (0, 0, 1), (0, 0, 0)), 0)
    assert value(found, "long_axis_bias") == 0.0
    assert value(found, "volume_ratio_bias") == pytest.approx(1.0)
    strata = {(s.by, s.level): s for s in found.strata if s.criterion == "any_overlap"}
    assert strata["kind", "blastic"].sensitivity.value == 1.0
    assert strata["kind", "lytic"].sensitivity.value == 0.5
    assert (strata["bone", "lumbar spine"].lesions, strata["bone", "lumbar spine"].surplus) == (5, 4)


def test_scans_of_a_patient_are_drawn_together(cohort: list[Scan]) -> None:
    found = evaluate_detection(cohort, READERS, QUICK).find("any_overlap", "sensitivity")
    assert found is not None
    assert (found.observations, found.patients) == (5, 2)
    assert found.intervals[0].low <= 0.6 <= found.intervals[0].high


def test_a_reading_that_stays_below_the_rate_says_so(cohort: list[Scan]) -> None:
    options = replace(QUICK, rate=3.0)
    found = evaluate_detection(cohort, READERS, options).find("any_overlap", "sensitivity_at_rate")
    assert found is not None
    assert "1 false positives per scan at most" in found.note


def test_a_threshold_leaves_the_unsure_out(cohort: list[Scan]) -> None:
    found = evaluate_detection(cohort, READERS, replace(QUICK, confidence=0.65))
    assert value(found, "sensitivity") == 2 / 5
    assert value(found, "false_positives") == 2 / 4
    assert value(found, "sensitivity_at_rate") == 3 / 5


def test_sizes_by_hand() -> None:
    sizes = [(10, 11), (10, 13), (20, 22)]
    scans = [
        scan([replace(box(0), long_axis_mm=a, volume_ml=1.0)], [replace(box(0), long_axis_mm=b, volume_ml=2.0)], str(n))
        for n, (a, b) in enumerate(sizes)
    ]
    found = evaluate_detection(scans, READERS, QUICK)
    assert value(found, "long_axis_bias") == pytest.approx(2.0)
    assert value(found, "long_axis_limit_high") == pytest.approx(2 + 1.96)
    assert value(found, "volume_ratio_bias") == pytest.approx(2.0)
    assert value(found, "volume_ratio_limit_low") == pytest.approx(2.0)


def test_nothing_to_find_and_nothing_found() -> None:
    found = evaluate_detection([scan([], []), scan([], [box(0, 0.4)], "b")], READERS, QUICK)
    for name, wanted in (("sensitivity", None), ("dice", None), ("kind_kappa", None), ("false_positives", 0.5)):
        statistic = found.find("any_overlap", name)
        assert statistic is not None
        assert statistic.value == wanted
    assert found.curves[0].points == ()
    silent = evaluate_detection([scan([box(0)], [])], READERS, QUICK)
    assert value(silent, "sensitivity") == 0.0
    assert value(silent, "false_positives") == 0.0


def test_no_interval_without_width_is_printed() -> None:
    one = evaluate_detection([scan([box(0), box(20)], [box(0, 0.9), box(40, 0.8)])], READERS, QUICK)
    found = one.find("any_overlap", "false_positives")
    assert found
    (drawn,) = found.intervals
    assert drawn.low == drawn.high == 1.0
    assert sentence(found) == "1.00"
    thirds = Statistic("", (), "", "dice", 0.8, (Interval(0.8, 0.8 + 1e-16, ""), Interval(0, 1, "")), "", 3, 1)
    assert sentence(thirds) == "0.800"


def test_no_false_positive_is_no_certainty_of_none() -> None:
    scans = [scan([box(0)], [box(0, 0.9)], name) for name in "abcd"]
    found = evaluate_detection(scans, READERS, QUICK).find("any_overlap", "false_positives")
    assert found
    (interval,) = found.intervals
    assert poisson.cdf(0, 4 * interval.high) == pytest.approx(0.025)
    assert sentence(found) == "0.00 (0.00 to 0.92)"


@given(st.integers(1, 4), st.integers(2, 20), st.booleans())
def test_marks_that_all_say_the_same_are_no_more_than_their_patients(patients: int, marks: int, right: bool) -> None:
    given_marks = [(f"P{n}", right) for n in range(patients) for _ in range(marks)]
    found = adequacy(Target("adequacy", ("A",), "findings"), "size_right", given_marks, Resampling(10))
    (interval,) = found.intervals
    alone = binomtest(patients * right, patients).proportion_ci(method="wilson")
    assert (interval.low, interval.high) == pytest.approx((alone.low, alone.high))
    assert (found.value, found.observations, found.patients) == (float(right), patients * marks, patients)


cohorts = st.lists(st.tuples(st.lists(lesions, max_size=4), st.lists(findings, max_size=5)), min_size=1, max_size=3)


@settings(max_examples=20)
@given(cohorts, st.randoms(use_true_random=False))
def test_the_order_of_findings_changes_nothing(made: list[tuple[list[Lesion], list[Lesion]]], random: Random) -> None:
    def numbers(shuffled: bool) -> object:
        scans = []
        for n, (reference, found) in enumerate(made):
            listed, given_found = list(reference), list(found)
            if shuffled:
                random.shuffle(listed)
                random.shuffle(given_found)
            scans.append(scan(listed, given_found, str(n)))
        done = evaluate_detection(scans, READERS, replace(QUICK, resampling=Resampling(5)))
        return done.curves, done.statistics, done.strata, done.kinds

    assert numbers(False) == numbers(True)


@settings(max_examples=20)
@given(cohorts)
def test_sensitivity_rises_along_the_curve(made: list[tuple[list[Lesion], list[Lesion]]]) -> None:
    scans = [scan(*both, str(n)) for n, both in enumerate(made)]
    found = evaluate_detection(scans, READERS, replace(QUICK, resampling=Resampling(5)))
    looser: list[float] | None = None
    for drawn in found.curves:
        sensitivity = [p.sensitivity for p in drawn.points]
        assert sensitivity == sorted(sensitivity)
        assert [p.false_positives for p in drawn.points] == sorted(p.false_positives for p in drawn.points)
        assert looser is None or all(a >= b for a, b in zip(looser, sensitivity, strict=True))
        looser = sensitivity
