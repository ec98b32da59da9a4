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
from osteoscope.stats.kappa import (
    Weighting,
    conger_kappa,
    disagreement,
    fleiss_kappa,
    kappa_of_tables,
    kappa_test,
    light_kappa,
    tabulate,
)

TABLES = npst.arrays(np.float64, (7, 7), elements=st.integers(0, 9).map(float)).filter(lambda t: bool(t.sum()))
WEIGHTINGS: tuple[Weighting, ...] = ("none", "linear", "quadratic")


@pytest.fixture(scope="module")
def reference(shared: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((shared / "agreement" / "agreement_reference.json").read_text())
    return loaded


def test_errors_and_test_are_those_of_sas(reference: dict[str, Any]) -> None:
    sas = reference["sas_cohen"]
    by_weighting: dict[Weighting, Any] = {"none": sas, "linear": sas["weighted_linear"]}
    for weighting, wanted in by_weighting.items():
        found = kappa_test(sas["table"], disagreement(3, weighting))
        given = (found.value, found.error, found.null_error, found.z, found.low, found.high)
        wanted_ = (wanted["kappa"], wanted["ase"], wanted["se0"], wanted["z"], *wanted["ci95"])
        assert given == pytest.approx(wanted_, abs=6e-5)


def test_weights_and_p_are_those_of_r_irr(reference: dict[str, Any]) -> None:
    ratings = np.array(reference["irr_anxiety"]["ratings"])[:, 1:]
    ranks = np.unique(ratings, return_inverse=True)[1].reshape(ratings.shape)
    table = tabulate(ranks[:, 0], ranks[:, 1], 5)
    steps = np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
    by_name = {
        "unweighted": disagreement(5, "none"),
        "equal": disagreement(5, "linear"),
        "squared": disagreement(5, "quadratic"),
        "weights_00112": np.array([0, 0, 1, 1, 2])[steps] / 2,
    }
    for name, wanted in reference["irr_anxiety"]["raters23"].items():
        found = kappa_test(table, by_name[name])
        assert (found.value, found.z, found.p) == pytest.approx((wanted["kappa"], wanted["z"], wanted["p"]), abs=1e-6)


def test_fleiss_kappa_is_that_of_published_tables(reference: dict[str, Any]) -> None:
    wikipedia, diagnoses = reference["fleiss_wikipedia"], reference["fleiss1971_diagnoses"]
    assert fleiss_kappa(wikipedia["counts"]).value == pytest.approx(wikipedia["fleiss_kappa"], abs=wikipedia["tol"])
    ratings = np.array(diagnoses["ratings"])
    found = fleiss_kappa(np.stack([(ratings == level).sum(axis=1) for level in range(1, 6)], axis=1))
    assert (found.value, found.z) == pytest.approx((diagnoses["fleiss_kappa"], diagnoses["z"]), abs=1e-5)


@given(TABLES)
def test_swapping_readers_changes_nothing(table: np.ndarray) -> None:
    for weighting in WEIGHTINGS:
        weights = disagreement(7, weighting)
        one, other = kappa_test(table, weights), kappa_test(table.T, weights)
        assert other.value == pytest.approx(one.value, nan_ok=True)
        assert other.error == pytest.approx(one.error, nan_ok=True, abs=1e-6)


@given(TABLES)
def test_reversing_the_scale_changes_nothing(table: np.ndarray) -> None:
    for weighting in WEIGHTINGS:
        weights = disagreement(7, weighting)
        turned = float(kappa_of_tables(table[::-1, ::-1], weights))
        assert turned == pytest.approx(float(kappa_of_tables(table, weights)), nan_ok=True)


@given(npst.arrays(np.int64, (2, 30), elements=st.integers(0, 6)))
def test_quadratic_kappa_is_lins_concordance(levels: np.ndarray) -> None:
    """Of the same numbers with divisor n (Krippendorff 1970, Sociol Methodol 2:139)."""
    a, b = levels
    spread = a.var() + b.var() + (a.mean() - b.mean()) ** 2
    wanted = 1 - ((a - b) ** 2).mean() / spread if spread else np.nan
    found = float(kappa_of_tables(tabulate(a, b, 7), disagreement(7, "quadratic")))
    assert found == pytest.approx(wanted, nan_ok=True, abs=1e-12)


@given(npst.arrays(np.int64, (3, 20), elements=st.integers(0, 6)))
def test_many_readers_agree_with_themselves_and_two_are_cohens(levels: np.ndarray) -> None:
    weights = disagreement(7, "linear")
    two = tabulate(levels[0], levels[1], 7)
    cohen = float(kappa_of_tables(two, weights))
    assert float(conger_kappa(two[None], weights)) == pytest.approx(cohen, nan_ok=True)
    assert float(light_kappa(two[None], weights)) == pytest.approx(cohen, nan_ok=True)
    same = np.stack([tabulate(levels[0], levels[0], 7)] * 3)
    for general in (conger_kappa, light_kappa):
        assert float(general(same, weights)) == pytest.approx(1.0 if np.ptp(levels[0]) else np.nan, nan_ok=True)


def test_a_pair_that_shares_nothing_is_left_out() -> None:
    weights, table = disagreement(3, "linear"), np.array([[5.0, 1, 0], [1, 4, 1], [0, 2, 6]])
    alone = float(kappa_of_tables(table, weights))
    both = np.stack([table, np.zeros((3, 3))])
    assert float(conger_kappa(both, weights)) == pytest.approx(alone)
    assert float(light_kappa(both, weights)) == pytest.approx(alone)


def test_one_level_throughout_leaves_kappa_undefined() -> None:
    table = np.diag([9.0, 0, 0])
    assert np.isnan(kappa_of_tables(table, disagreement(3, "linear")))
    assert np.isnan(fleiss_kappa([[2, 0], [2, 0]]).value)


def test_fleiss_refuses_changing_numbers_of_readers() -> None:
    with pytest.raises(InvalidValueError, match="readers"):
        fleiss_kappa([[2, 0], [1, 0]])
