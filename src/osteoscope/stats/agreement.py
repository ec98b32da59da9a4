"""Agreement of readers: intraclass correlation, weighted kappa, limits of agreement, bootstrap by patient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from osteoscope.errors import InvalidValueError

Weighting = Literal["none", "linear", "quadratic"]
_POWER = {"none": 0, "linear": 1, "quadratic": 2}


@dataclass(frozen=True)
class Estimate:
    """A statistic with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class LimitsOfAgreement:
    """Bland-Altman figures of second minus first, in the unit of the scores."""

    bias: float
    low: float
    high: float


def icc_absolute(ratings: ArrayLike) -> Estimate:
    """ICC(A,1): two-way random effects, absolute agreement, single rater.

    Also written ICC(2,1). Formulas: Shrout & Fleiss 1979 (Psychol Bull 86:420), interval as in
    McGraw & Wong 1996 (Psychol Methods 1:30).

    Args:
        ratings: shape (targets, raters), no missing values.

    Raises:
        InvalidValueError: fewer than 2 targets or raters, or all ratings equal.
    """
    table = np.asarray(ratings, dtype=float)
    if table.ndim != 2 or min(table.shape) < 2 or not np.isfinite(table).all() or np.ptp(table) == 0:
        raise InvalidValueError(
            "compute an ICC", f"ratings of shape {table.shape} or without spread", "Give targets x raters that differ"
        )
    if (table == table[:, :1]).all():
        return Estimate(1.0, 1.0, 1.0)
    n, k = table.shape
    rows, columns = table.mean(axis=1), table.mean(axis=0)
    ms_rows = k * np.sum((rows - table.mean()) ** 2) / (n - 1)
    ms_columns = n * np.sum((columns - table.mean()) ** 2) / (k - 1)
    residual = table - rows[:, None] - columns + table.mean()
    ms_error = np.sum(residual**2) / ((n - 1) * (k - 1))
    icc = (ms_rows - ms_error) / (ms_rows + (k - 1) * ms_error + k * (ms_columns - ms_error) / n)

    a, b = k * icc / (n * (1 - icc)), 1 + k * icc * (n - 1) / (n * (1 - icc))
    freedom = (a * ms_columns + b * ms_error) ** 2 / (
        (a * ms_columns) ** 2 / (k - 1) + (b * ms_error) ** 2 / ((n - 1) * (k - 1))
    )
    upper, lower = stats.f.ppf(0.975, n - 1, freedom), stats.f.ppf(0.975, freedom, n - 1)
    spread = k * ms_columns + (k * n - k - n) * ms_error
    low = n * (ms_rows - upper * ms_error) / (upper * spread + n * ms_rows)
    high = n * (lower * ms_rows - ms_error) / (spread + n * lower * ms_rows)
    return Estimate(float(icc), float(low), float(high))


def weighted_kappa(first: ArrayLike, second: ArrayLike, weighting: Weighting = "quadratic") -> float:
    """Cohen's kappa of two readers' ordinal levels (Cohen 1968, Psychol Bull 70:213).

    Weights run over every integer from the lowest to the highest level that either reader used.

    Args:
        first, second: integer levels, shape (n,).
        weighting: "none", "linear" or "quadratic" disagreement weights.

    Returns:
        Kappa; 1.0 where both readers used one and the same level throughout.

    Raises:
        InvalidValueError: the lengths differ or are 0.
    """
    a, b = np.asarray(first, dtype=int), np.asarray(second, dtype=int)
    if a.shape != b.shape or a.ndim != 1 or a.size == 0:
        raise InvalidValueError("compute kappa", f"levels of shapes {a.shape} and {b.shape}", "Give equal lengths")
    lowest = min(a.min(), b.min())
    size = max(a.max(), b.max()) - lowest + 1
    observed = np.zeros((size, size))
    np.add.at(observed, (a - lowest, b - lowest), 1 / a.size)
    steps = np.abs(np.subtract.outer(np.arange(size), np.arange(size))).astype(float)
    weights = np.where(steps > 0, steps ** _POWER[weighting], 0.0)
    expected = np.sum(weights * np.outer(observed.sum(axis=1), observed.sum(axis=0)))
    return 1.0 if expected == 0 else float(1 - np.sum(weights * observed) / expected)


def limits_of_agreement(first: ArrayLike, second: ArrayLike) -> LimitsOfAgreement:
    """Bias and 95 % limits, mean +- 1.96 SD of second minus first (Bland & Altman 1986, Lancet 327:307)."""
    difference = np.asarray(second, dtype=float) - np.asarray(first, dtype=float)
    bias, spread = float(difference.mean()), 1.96 * float(difference.std(ddof=1))
    return LimitsOfAgreement(bias, bias - spread, bias + spread)


def bootstrap(
    statistic: Callable[[NDArray[np.intp]], float], patients: ArrayLike, draws: int = 1000, seed: int = 0
) -> Estimate:
    """Percentile interval by drawing whole patients, so that what belongs to one patient stays together.

    Args:
        statistic: of an index array into the observations.
        patients: the patient of each observation, shape (n,).
        draws: number of resamples.
        seed: of the random draws.
    """
    _, owner = np.unique(np.asarray(patients), return_inverse=True)
    order = np.argsort(owner, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(owner))[:-1])
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(draws):
        drawn = rng.integers(0, len(members), len(members))
        values.append(statistic(np.concatenate([members[i] for i in drawn])))
    low, high = np.quantile(values, [0.025, 0.975])
    return Estimate(float(statistic(np.arange(owner.size))), float(low), float(high))
