from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from osteoscope.errors import InvalidValueError
from osteoscope.stats.icc import FORMS, IccForm, icc, icc_value, mean_squares

RATINGS = npst.arrays(
    np.float64, st.tuples(st.integers(3, 12), st.integers(2, 5)), elements=st.integers(0, 72).map(float)
).filter(lambda table: bool(np.ptp(table)))
ALL_FORMS = st.sampled_from(list(FORMS))


def test_every_form_is_that_of_shrout_and_fleiss(shared: Path) -> None:
    wanted = json.loads((shared / "agreement" / "agreement_reference.json").read_text())["shrout_fleiss_1979"]
    forms: tuple[IccForm, ...] = ("1,1", "2,1", "3,1", "1,k", "2,k", "3,k")
    for number, (form, name) in enumerate(zip(forms, wanted["ICC"], strict=True)):
        found = icc(wanted["ratings"], form)
        assert found.value == pytest.approx(wanted["ICC"][name], abs=0.005)
        assert (found.low, found.high) == pytest.approx(
            (wanted["ci_low"][number], wanted["ci_high"][number]), abs=0.005
        )
        assert found.f == pytest.approx(wanted["F"][number], abs=0.05)
        assert (found.df1, found.df2) == (wanted["df1"], wanted["df2"][number])
        assert found.p == pytest.approx(wanted["p"][number], abs=1e-4)


@given(RATINGS, ALL_FORMS, st.randoms(use_true_random=False))
def test_the_order_of_readers_and_cases_is_of_no_account(table: np.ndarray, form: IccForm, random: Any) -> None:
    rows, columns = list(range(table.shape[0])), list(range(table.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    one, other = icc(table, form), icc(table[rows][:, columns], form)
    assert other.value == pytest.approx(one.value, rel=1e-6, abs=1e-9, nan_ok=True)


@given(RATINGS, ALL_FORMS, st.integers(1, 9), st.integers(-50, 50))
def test_the_unit_and_zero_of_the_score_are_of_no_account(
    table: np.ndarray, form: IccForm, factor: int, offset: int
) -> None:
    wanted = icc(table, form).value
    assert icc(factor * table + offset, form).value == pytest.approx(wanted, rel=1e-6, abs=1e-9, nan_ok=True)


@given(RATINGS)
def test_the_interval_holds_the_value(table: np.ndarray) -> None:
    forms: tuple[IccForm, ...] = ("1,1", "2,1", "3,1")
    for form in forms:
        found = icc(table, form)
        if np.isfinite((found.low, found.value, found.high)).all():
            assert found.low - 1e-9 <= found.value <= found.high + 1e-9


def test_a_constant_shift_costs_absolute_agreement_alone() -> None:
    first = np.arange(0.0, 40, 4)
    shifted = np.column_stack([first, first + 6])
    assert icc(shifted, "3,1").value == pytest.approx(1)
    assert icc(shifted, "2,1").value < 0.95


def test_the_average_of_readers_is_more_reliable_than_one() -> None:
    table = np.random.default_rng(0).normal(size=(30, 1)) * 3 + np.random.default_rng(1).normal(size=(30, 4))
    assert all(icc(table, f"{m},k").value > icc(table, f"{m},1").value for m in "123")  # type: ignore[arg-type]


def test_mean_squares_add_up() -> None:
    table = np.random.default_rng(2).integers(0, 73, (9, 4)).astype(float)
    ms = mean_squares(table)
    n, k = table.shape
    total = (n - 1) * ms.rows + (k - 1) * ms.columns + (n - 1) * (k - 1) * ms.error
    assert total == pytest.approx(((table - table.mean()) ** 2).sum())
    assert n * (k - 1) * ms.within == pytest.approx((k - 1) * ms.columns + (n - 1) * (k - 1) * ms.error)


def test_forms_are_those_of_the_type() -> None:
    assert set(get_args(IccForm)) == set(FORMS)


def test_no_spread_is_undefined_or_refused() -> None:
    assert np.isnan(icc_value(mean_squares(np.ones((4, 2))), "2,1"))
    with pytest.raises(InvalidValueError, match="ICC"):
        icc(np.ones((4, 2)))
