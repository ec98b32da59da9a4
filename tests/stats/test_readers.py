from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from osteoscope.errors import InvalidValueError
from osteoscope.report.agreement_methods import methods
from osteoscope.report.agreement_tables import paper
from osteoscope.stats.limits import difference_figures, limits_of_agreement
from osteoscope.stats.ratings import POOLED, POOLED_DISEASED, SCALES, SHARED_TOTAL, TOTAL, Panel, Statistic
from osteoscope.stats.readers import Agreement, agree
from osteoscope.stats.resampling import Resampling, drawn_sums, percentile_interval
from osteoscope.stats.totals import Totals, strata

SIOPEN = SCALES["siopen"]
QUICK = Resampling(draws=200)


def panel_of(levels: np.ndarray, patients: int = 0) -> Panel:
    readers, cases, _ = levels.shape
    owners = tuple(f"p{n % patients if patients else n}" for n in range(cases))
    return Panel(SIOPEN, tuple("ABCDEF"[:readers]), tuple(f"c{n}" for n in range(cases)), owners, levels.astype(float))


def noisy(readers: int, cases: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 7, (cases, 12)) * (rng.random((cases, 12)) < 0.5) * (rng.random((cases, 1)) < 0.7)
    moved = rng.integers(-1, 2, (readers, cases, 12)) * (rng.random((readers, cases, 12)) < 0.4)
    return np.asarray(np.clip(truth + moved, 0, 6), dtype=float)


def one(found: Agreement, target: str, name: str, readers: tuple[str, ...] = ("A", "B")) -> Statistic:
    statistic = found.find(readers, target, name)
    assert statistic is not None, (target, name)
    return statistic


def value(found: Agreement, target: str, name: str, readers: tuple[str, ...] = ("A", "B")) -> float:
    number = one(found, target, name, readers).value
    assert number is not None, (target, name)
    return number


def test_identical_readers_agree_in_everything() -> None:
    levels = noisy(1, 30)
    found = agree(panel_of(np.concatenate([levels, levels])), QUICK)
    for name in ("kappa_quadratic", "kappa_linear", "kappa_none", "kappa_extent_class", "exact", "within_one"):
        assert value(found, POOLED, name) == 1
    assert value(found, TOTAL, "icc_2_1") == 1
    assert value(found, TOTAL, "bias") == value(found, TOTAL, "mean_absolute_difference") == 0
    assert value(found, "total <= 3", "sensitivity") == value(found, "total <= 3", "kappa") == 1
    assert np.array_equal(found.confusions[0].counts, np.diag(np.diag(found.confusions[0].counts)))


@settings(max_examples=8)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 9]))
def test_every_interval_is_of_finite_order_and_holds_its_value(seed: int, patients: int) -> None:
    levels = noisy(2, 20, seed)
    levels[np.random.default_rng(seed).random(levels.shape) < 0.05] = np.nan
    for s in agree(panel_of(levels, patients), QUICK).statistics:
        assert (s.value is None) == s.note.startswith("undefined"), s
        for interval in s.intervals:
            assert interval.low <= interval.high
        if s.value is not None and s.observations > 15 and not s.name.startswith(("rank", "icc")):
            assert s.intervals == () or s.intervals[0].low - 0.02 <= s.value <= s.intervals[0].high + 0.02, s


def test_a_segment_not_read_enters_no_figure_and_is_no_zero() -> None:
    levels = noisy(2, 25, 3)
    full = agree(panel_of(levels), QUICK)
    levels[1, :5, 6] = np.nan
    found = agree(panel_of(levels), QUICK)
    assert one(found, SIOPEN.sites[6], "exact").observations == 20
    assert one(found, POOLED, "exact").observations == 25 * 12 - 5
    assert one(found, TOTAL, "bias").observations == 20
    assert found.find(("A", "B"), SHARED_TOTAL, "bias") is not None
    assert full.find(("A", "B"), SHARED_TOTAL, "bias") is None
    assert one(found, SHARED_TOTAL, "bias").observations == 25
    shared = np.nansum(np.where(np.isnan(levels[1]), np.nan, levels[1] - levels[0]), axis=-1)
    assert value(found, SHARED_TOTAL, "bias") == pytest.approx(shared.mean())
    (cut,) = found.cuts
    assert cut.incomplete == 5
    above = (np.nansum(levels[:, :5], axis=-1) > 3).all(axis=0)
    assert cut.incomplete_above == above.sum()
    assert sum(map(sum, cut.table)) == 20


def test_figures_of_diseased_segments_leave_out_the_zeros_of_the_reference() -> None:
    levels = noisy(2, 25, 4)
    found = agree(panel_of(levels), QUICK)
    chosen = levels[0] > 0
    assert value(found, POOLED_DISEASED, "exact") == pytest.approx((levels[0] == levels[1])[chosen].mean())
    assert value(found, POOLED, "within_one") == pytest.approx((np.abs(levels[0] - levels[1]) <= 1).mean())


def test_cut_off_figures_are_those_of_their_table() -> None:
    levels = np.zeros((2, 10, 12))
    levels[0, :, 0] = [0, 1, 3, 3, 4, 4, 5, 6, 6, 6]
    levels[1, :, 0] = [0, 1, 3, 4, 3, 4, 5, 6, 6, 6]
    found = agree(panel_of(levels), QUICK)
    (cut,) = found.cuts
    assert cut.table == ((3, 1), (1, 5))
    assert cut.discordant == ("c3", "c4")
    assert cut.near == ("c2", "c3", "c4", "c5")
    assert value(found, "total <= 3", "sensitivity") == pytest.approx(5 / 6)
    assert value(found, "total <= 3", "specificity") == pytest.approx(3 / 4)
    assert value(found, "total <= 3", "mcnemar_p") == 1
    rests_on = {
        name: one(found, "total <= 3", name).observations
        for name in ("sensitivity", "specificity", "positive_predictive_value", "negative_predictive_value", "exact")
    }
    assert list(rests_on.values()) == [6, 4, 6, 4, 10]
    repeats = agree(panel_of(levels, patients=5), QUICK)
    assert one(repeats, "total <= 3", "sensitivity").patients == 5
    assert one(repeats, "total <= 3", "specificity").patients == 4
    shown = [[cell.text for cell in row] for row in paper(repeats).rows]
    assert ["Total at most 3, or above", "n = 10, 5 patients"] in shown


def test_methods_tell_figures_of_one_name_apart() -> None:
    found = agree(panel_of(noisy(2, 30)), QUICK)
    told = {(row[0].text, row[1].text): (row[2].text, row[3].text) for row in methods([found]).rows}
    drawn = "percentile bootstrap by patient, 200 draws"
    assert told["Exact agreement", "levels of all segments, pooled"] == ("share of pairs with the same level", drawn)
    assert told["Exact agreement", "side of a cut"][0] == "share of cases on the same side of the cut"
    assert told["Exact agreement", "levels of one segment"][1] == f"Wilson score; {drawn}"
    assert told["Weighted kappa, linear", "levels of all segments, pooled"][1] == drawn
    assert told["Weighted kappa, linear", "levels of one segment"][1].startswith(f"{drawn}; large sample")
    assert told["Bias, points", "total by burden"]


def test_pooled_intervals_are_by_patient_alone() -> None:
    found = agree(panel_of(noisy(2, 30)), QUICK)
    assert [i.method.split(",")[0] for i in one(found, POOLED, "exact").intervals] == [
        "percentile bootstrap by patient"
    ]
    assert one(found, "skull", "exact").intervals[0].method == "Wilson score"
    repeats = agree(panel_of(noisy(2, 30), patients=10), QUICK)
    assert one(repeats, "skull", "exact").intervals[0].method.startswith("percentile bootstrap by patient")
    assert one(repeats, TOTAL, "icc_2_1").intervals[0].method.startswith("percentile bootstrap by patient")
    assert "independent" in one(repeats, TOTAL, "icc_2_1").note


def test_a_share_of_all_keeps_a_width_when_scans_repeat() -> None:
    levels = noisy(1, 30)
    found = agree(panel_of(np.concatenate([levels, levels]), patients=10), QUICK)
    first = one(found, POOLED, "exact").intervals[0]
    assert first.low == pytest.approx(stats.binomtest(10, 10).proportion_ci(method="wilson").low)


def test_copies_of_a_patient_do_not_narrow_the_interval() -> None:
    levels = noisy(2, 20, 5)
    alone = one(agree(panel_of(levels), QUICK), POOLED, "kappa_quadratic").intervals[0]
    copied = np.tile(levels, (1, 5, 1))
    again = one(agree(panel_of(copied, patients=20), QUICK), POOLED, "kappa_quadratic").intervals[0]
    assert (again.low, again.high) == pytest.approx((alone.low, alone.high))


def test_three_readers_have_pairs_and_a_whole() -> None:
    levels = noisy(3, 25, 6)
    found = agree(panel_of(levels), QUICK)
    pairs = [value(found, POOLED, "kappa_linear", p) for p in (("A", "B"), ("A", "C"), ("B", "C"))]
    everyone = ("A", "B", "C")
    assert value(found, POOLED, "light_kappa_linear", everyone) == pytest.approx(np.mean(pairs))
    assert min(pairs) <= value(found, POOLED, "conger_kappa_linear", everyone) <= max(pairs)
    assert 0 < value(found, POOLED, "fleiss_kappa", everyone) < value(found, TOTAL, "icc_2_1", everyone) < 1
    panel = found.panel
    turned = replace(panel, readers=("A", "C", "B"), levels=panel.levels[[0, 2, 1]])
    again = agree(turned, QUICK)
    for name in ("conger_kappa_linear", "light_kappa_linear"):
        assert value(again, POOLED, name, ("A", "C", "B")) == pytest.approx(value(found, POOLED, name, everyone))


def test_nothing_shared_is_said_and_not_guessed() -> None:
    levels = noisy(2, 8)
    levels[0, :4] = levels[1, 4:] = np.nan
    found = agree(panel_of(levels), QUICK)
    assert all(s.value is None and s.note.startswith("undefined") for s in found.statistics)


def test_strata_part_the_cases_by_their_mean() -> None:
    values = np.array([[0, 0], [0, 1], [3, 3], [3, 4], [12, 12], [13, 12], [30, 31], [72, 72]], dtype=float)
    parted = dict(strata(SIOPEN, Totals(values, np.arange(8))))
    assert {name: len(t.values) for name, t in parted.items()} == {
        "stratum 0": 1, "stratum >0 to 3": 2, "stratum >3 to 12": 2, "stratum >12 to 23": 1,
        "stratum >23 to 48": 1, "stratum >48 to 72": 1,
    }  # fmt: skip


def test_the_interval_of_the_bias_is_students() -> None:
    rng = np.random.default_rng(7)
    first, second = rng.integers(0, 72, 30), rng.integers(0, 72, 30)
    wanted = stats.ttest_1samp(second - first, 0).confidence_interval()
    limits = limits_of_agreement(first, second)
    assert limits.bias_interval == pytest.approx((wanted.low, wanted.high))
    figures = difference_figures((second - first).astype(float))
    assert figures[:3] == pytest.approx([limits.bias, limits.low, limits.high])


def test_drawn_sums_keep_the_number_of_patients() -> None:
    sums = drawn_sums(np.ones((12, 1)), QUICK)
    assert (sums == 12).all()
    assert percentile_interval(np.array([np.nan] * 30 + [1.0] * 70)) is None


@pytest.mark.parametrize(
    "change", [{"readers": ("A", "A")}, {"readers": ("A",)}, {"patients": ()}, {"levels": np.full((2, 3, 12), 7.0)},
               {"levels": np.full((2, 3, 12), 1.5)}],
)  # fmt: skip
def test_a_panel_that_does_not_fit_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(InvalidValueError, match="Panel"):
        replace(panel_of(np.zeros((2, 3, 12))), **change)  # type: ignore[arg-type]
