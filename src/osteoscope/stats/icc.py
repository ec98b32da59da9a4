"""Intraclass correlation: six forms with F-based intervals.

Forms and names: Shrout & Fleiss 1979 (Psychol Bull 86:420); intervals: McGraw & Wong 1996 (Psychol Methods 1:30).
Which to report: Koo & Li 2016 (J Chiropr Med 15:155); for readers as a sample of readers, "2,1".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from osteoscope.errors import InvalidValueError
from osteoscope.stats.resampling import Estimate

IccForm = Literal["1,1", "2,1", "3,1", "1,k", "2,k", "3,k"]
FORMS: Mapping[IccForm, str] = MappingProxyType(
    {
        "1,1": "one-way random effects, single rater",
        "2,1": "two-way random effects, absolute agreement, single rater",
        "3,1": "two-way mixed effects, consistency, single rater",
        "1,k": "one-way random effects, mean of k raters",
        "2,k": "two-way random effects, absolute agreement, mean of k raters",
        "3,k": "two-way mixed effects, consistency, mean of k raters",
    }
)


_LEAST_FREEDOM = 1e-6


@dataclass(frozen=True)
class MeanSquares:
    """The two-way analysis of variance of n targets by k raters, without replication."""

    targets: int
    raters: int
    rows: float
    columns: float
    error: float
    within: float


@dataclass(frozen=True)
class Icc(Estimate):
    """An ICC with its interval and the F test of "no correlation".

    Args:
        f, df1, df2, p: statistic, degrees of freedom and one-sided p value.
    """

    f: float
    df1: float
    df2: float
    p: float


def mean_squares(ratings: ArrayLike) -> MeanSquares:
    """Mean squares of ratings of shape (targets, raters), without missing values."""
    table = np.asarray(ratings, dtype=float)
    n, k = table.shape
    rows, columns, grand = table.mean(axis=1), table.mean(axis=0), table.mean()
    residual = table - rows[:, None] - columns + grand
    return MeanSquares(
        n,
        k,
        float(k * np.sum((rows - grand) ** 2) / (n - 1)),
        float(n * np.sum((columns - grand) ** 2) / (k - 1)),
        float(np.sum(residual**2) / ((n - 1) * (k - 1))),
        float(np.sum((table - rows[:, None]) ** 2) / (n * (k - 1))),
    )


def _ratio(above: float, below: float) -> float:
    return above / below if below else float("nan")


def _absolute(ms: MeanSquares) -> float:
    n, k = ms.targets, ms.raters
    return _ratio(ms.rows - ms.error, ms.rows + (k - 1) * ms.error + k * (ms.columns - ms.error) / n)


_SINGLE: Mapping[str, Callable[[MeanSquares], float]] = MappingProxyType(
    {
        "1": lambda ms: _ratio(ms.rows - ms.within, ms.rows + (ms.raters - 1) * ms.within),
        "2": _absolute,
        "3": lambda ms: _ratio(ms.rows - ms.error, ms.rows + (ms.raters - 1) * ms.error),
    }
)


def _of_f(ms: MeanSquares, noise: float, freedom: int) -> tuple[float, float]:
    """Interval of the forms that are a function of one F ratio."""
    if noise == 0:
        return 1.0, 1.0
    f, first, k = ms.rows / noise, ms.targets - 1, ms.raters
    low, high = f / stats.f.ppf(0.975, first, freedom), f * stats.f.ppf(0.975, freedom, first)
    return float((low - 1) / (low + k - 1)), float((high - 1) / (high + k - 1))


def _of_absolute(ms: MeanSquares) -> tuple[float, float]:
    """Interval of the absolute form, by Satterthwaite's degrees of freedom (McGraw & Wong 1996, table 7)."""
    n, k, icc = ms.targets, ms.raters, _absolute(ms)
    if icc == 1:
        return 1.0, 1.0
    a, b = k * icc / (n * (1 - icc)), 1 + k * icc * (n - 1) / (n * (1 - icc))
    noise = (a * ms.columns) ** 2 / (k - 1) + (b * ms.error) ** 2 / ((n - 1) * (k - 1))
    freedom = max((a * ms.columns + b * ms.error) ** 2 / noise, _LEAST_FREEDOM) if noise else 1.0
    # The reciprocal of the upper quantile, by symmetry of F: it stays finite where the degrees of freedom vanish.
    upper, lower = stats.f.ppf((0.025, 0.975), freedom, n - 1)
    spread = k * ms.columns + (k * n - k - n) * ms.error
    low = n * (upper * ms.rows - ms.error) / (spread + n * upper * ms.rows)
    high = n * (lower * ms.rows - ms.error) / (spread + n * lower * ms.rows)
    # The approximation breaks down below 0, where it can miss the value itself.
    return (float(low), float(high)) if low <= icc <= high else (float("nan"), float("nan"))


_INTERVALS: Mapping[str, Callable[[MeanSquares], tuple[float, float]]] = MappingProxyType(
    {
        "1": lambda ms: _of_f(ms, ms.within, ms.targets * (ms.raters - 1)),
        "2": _of_absolute,
        "3": lambda ms: _of_f(ms, ms.error, (ms.targets - 1) * (ms.raters - 1)),
    }
)


def icc_value(ms: MeanSquares, form: IccForm) -> float:
    """The ICC of mean squares; NaN where nothing varies. Averages by Spearman & Brown (1910)."""
    model, number = form.split(",")
    return _averaged(_SINGLE[model](ms), ms.raters if number == "k" else 1)


def _averaged(single: float, raters: int) -> float:
    """Minus infinity of a single ICC at or below -1 / (k - 1), where the average has no meaning."""
    share = 1 + (raters - 1) * single
    return raters * single / share if not share <= 0 else float("-inf")


def icc(ratings: ArrayLike, form: IccForm = "2,1") -> Icc:
    """An ICC with its F-based 95 % interval.

    Args:
        ratings: shape (targets, raters), no missing values.
        form: one of `FORMS`, "model,raters".

    Returns:
        NaN or minus infinity where the value or an end is not defined: targets do not differ, or readers disagree
        more than chance would have it.

    Raises:
        InvalidValueError: fewer than 2 targets or raters, missing values, or all ratings equal.
    """
    table = np.asarray(ratings, dtype=float)
    if table.ndim != 2 or min(table.shape) < 2 or not np.isfinite(table).all() or np.ptp(table) == 0:
        raise InvalidValueError(
            "compute an ICC", f"ratings of shape {table.shape} or without spread", "Give targets x raters that differ"
        )
    model, number = form.split(",")
    # Centring keeps the rounding error of large, equal totals out of the mean squares.
    ms = mean_squares(table - table.mean())
    noise, freedom = (ms.within, ms.targets * (ms.raters - 1)) if model == "1" else (ms.error, 0)
    freedom = freedom or (ms.targets - 1) * (ms.raters - 1)
    f = ms.rows / noise if noise else float("inf")
    p = float(stats.f.sf(f, ms.targets - 1, freedom))
    if (table == table[:, :1]).all():
        return Icc(1.0, 1.0, 1.0, f, ms.targets - 1, freedom, p)
    raters, value = ms.raters if number == "k" else 1, icc_value(ms, form)
    ends = _INTERVALS[model](ms) if np.isfinite(value) else (value, value)
    low, high = (_averaged(end, raters) for end in ends)
    return Icc(value, low, high, f, ms.targets - 1, freedom, p)


def icc_absolute(ratings: ArrayLike) -> Estimate:
    """ICC(A,1), also written ICC(2,1): see `icc`."""
    return icc(ratings, "2,1")
