from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from osteoscope.errors import InvalidValueError
from osteoscope.stats.agreement import bootstrap, icc_absolute, limits_of_agreement, weighted_kappa

SHROUT_FLEISS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])
LEVELS = npst.arrays(np.int64, st.integers(2, 40), elements=st.integers(0, 6))


@pytest.fixture(scope="module")
def reference(shared: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((shared / "agreement" / "agreement_reference.json").read_text())
    return loaded


def levels(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    pairs = np.repeat(np.argwhere(table >= 0), table.ravel(), axis=0)
    return pairs[:, 0], pairs[:, 1]


def test_icc_is_that_of_shrout_and_fleiss() -> None:
    icc = icc_absolute(SHROUT_FLEISS)
    assert (icc.value, icc.low, icc.high) == pytest.approx((0.29, 0.02, 0.76), abs=0.005)


def test_kappa_is_that_of_published_tables(reference: dict[str, Any]) -> None:
    sas = reference["sas_cohen"]
    first, second = levels(np.array(sas["table"]))
    assert weighted_kappa(first, second, "none") == pytest.approx(sas["kappa"], abs=5e-5)
    assert weighted_kappa(first, second, "linear") == pytest.approx(sas["weighted_linear"]["kappa"], abs=5e-5)
    anxiety = reference["irr_anxiety"]
    _, second, third = np.array(anxiety["ratings"]).T
    assert weighted_kappa(second, third, "none") == pytest.approx(anxiety["raters23"]["unweighted"]["kappa"], abs=1e-8)


@given(LEVELS)
def test_agreement_with_oneself_is_perfect(a: np.ndarray) -> None:
    assert weighted_kappa(a, a) == 1.0
    if np.ptp(a):
        assert icc_absolute(np.column_stack([a, a])).value == pytest.approx(1.0)


@given(LEVELS, st.integers(0, 2**32 - 1), st.sampled_from(["none", "linear", "quadratic"]))
def test_kappa_is_symmetric_and_at_most_one(a: np.ndarray, seed: int, weighting: Any) -> None:
    b = np.random.default_rng(seed).integers(0, 7, a.size)
    kappa = weighted_kappa(a, b, weighting)
    assert kappa <= 1 + 1e-12
    assert kappa == pytest.approx(weighted_kappa(b, a, weighting))


def test_limits_of_agreement_of_a_known_shift() -> None:
    first = np.arange(10.0)
    limits = limits_of_agreement(first, first + np.tile([1.0, 3.0], 5))
    spread = 1.96 * np.tile([1.0, 3.0], 5).std(ddof=1)
    assert (limits.bias, limits.low, limits.high) == pytest.approx((2, 2 - spread, 2 + spread))


def test_the_bootstrap_keeps_patients_together() -> None:
    patients = np.repeat(np.arange(8), 12)
    values = np.repeat(np.arange(8.0), 12)
    by_patient = bootstrap(lambda i: float(values[i].mean()), patients)
    by_row = bootstrap(lambda i: float(values[i].mean()), np.arange(96))
    assert by_patient.value == by_row.value == 3.5
    assert by_patient.high - by_patient.low > 2.5 * (by_row.high - by_row.low)


@pytest.mark.parametrize("ratings", [[[1, 2]], [[1], [2]], [[2, 2], [2, 2]], [[1, np.nan], [2, 3]]])
def test_an_icc_without_spread_or_raters_is_refused(ratings: Any) -> None:
    with pytest.raises(InvalidValueError, match="ICC"):
        icc_absolute(ratings)


def test_kappa_refuses_unequal_lengths() -> None:
    with pytest.raises(InvalidValueError, match="kappa"):
        weighted_kappa([1, 2], [1])
