"""Limits of agreement of two readers' scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from osteoscope.stats.resampling import Floats

Z = 1.96


@dataclass(frozen=True)
class LimitsOfAgreement:
    """Bland-Altman figures of second minus first, in the unit of the scores.

    Args:
        bias, low, high: mean difference and 95 % limits.
        bias_interval, low_interval, high_interval: their 95 % intervals, NaN of fewer than 2 pairs.
    """

    bias: float
    low: float
    high: float
    bias_interval: tuple[float, float] = (float("nan"), float("nan"))
    low_interval: tuple[float, float] = (float("nan"), float("nan"))
    high_interval: tuple[float, float] = (float("nan"), float("nan"))


def limits_of_agreement(first: ArrayLike, second: ArrayLike) -> LimitsOfAgreement:
    """Bias and 95 % limits, mean +- 1.96 SD of second minus first (Bland & Altman 1986, Lancet 327:307).

    Intervals by Student's t, the limits' variance being SD**2 (1/n + 1.96**2 / (2 (n - 1)))
    (Bland & Altman 1999, Stat Methods Med Res 8:135, section 4.1). They take pairs as independent.

    Args:
        first, second: scores, shape (n,), n of at least 2.
    """
    difference = np.asarray(second, dtype=float) - np.asarray(first, dtype=float)
    n, bias, deviation = difference.size, float(difference.mean()), float(difference.std(ddof=1))
    t = float(stats.t.ppf(0.975, n - 1))
    of_bias = t * deviation / np.sqrt(n)
    of_limit = t * deviation * np.sqrt(1 / n + Z**2 / (2 * (n - 1)))
    low, high = bias - Z * deviation, bias + Z * deviation

    def around(centre: float, half: float) -> tuple[float, float]:
        return float(centre - half), float(centre + half)

    return LimitsOfAgreement(bias, low, high, around(bias, of_bias), around(low, of_limit), around(high, of_limit))


DIFFERENCE_NAMES = ("bias", "limit_low", "limit_high", "rank_limit_low", "rank_limit_high", "mean_absolute_difference")


def difference_figures(difference: Floats) -> Floats:
    """The figures of `DIFFERENCE_NAMES` of differences, shape (n,): bias, +-1.96 SD, 2.5 and 97.5 centiles, mean size.

    Centiles are the non-parametric limits (Bland & Altman 1999, section 4.2), fit for bounded, discrete scores.
    """
    bias = difference.mean()
    spread = Z * difference.std(ddof=1) if difference.size > 1 else np.nan
    low, high = np.quantile(difference, (0.025, 0.975))
    return np.array([bias, bias - spread, bias + spread, low, high, np.abs(difference).mean()])
