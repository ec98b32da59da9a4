"""Intervals by drawing whole patients: what belongs to one child (12 segments, repeated scans) stays together.

Percentile bootstrap (Efron & Tibshirani 1993, An Introduction to the Bootstrap, ch. 13) over clusters
(Field & Welsh 2007, J R Stat Soc B 69:369). Draws on which a statistic is undefined are left out of its interval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
_TAILS = (0.025, 0.975)
MOST_UNDEFINED = 0.2


@dataclass(frozen=True)
class Estimate:
    """A statistic with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class Resampling:
    """How many resamples, and the seed of the random draws."""

    draws: int = 2000
    seed: int = 0


def bootstrap(
    statistic: Callable[[NDArray[np.intp]], float], patients: ArrayLike, draws: int = 1000, seed: int = 0
) -> Estimate:
    """Percentile interval of a statistic by drawing whole patients.

    Args:
        statistic: of an index array into the observations.
        patients: the patient of each observation, shape (n,).
        draws: number of resamples.
        seed: of the random draws.
    """
    values = [statistic(index) for index in drawn_indices(patients, Resampling(draws, seed))]
    low, high = np.quantile(values, _TAILS)
    return Estimate(float(statistic(np.arange(np.asarray(patients).size))), float(low), float(high))


def drawn_indices(patients: ArrayLike, resampling: Resampling) -> Iterator[NDArray[np.intp]]:
    """Index arrays into the observations, one per resample of whole patients.

    Args:
        patients: the patient of each observation, shape (n,).
        resampling: number and seed of the resamples.
    """
    _, owner = np.unique(np.asarray(patients), return_inverse=True)
    order = np.argsort(owner, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(owner))[:-1])
    rng = np.random.default_rng(resampling.seed)
    for _ in range(resampling.draws):
        drawn = rng.integers(0, len(members), len(members))
        yield np.concatenate([members[i] for i in drawn])


def drawn_sums(per_patient: Floats, resampling: Resampling) -> Floats:
    """Sums over drawn patients of anything that adds up, such as tables of counts.

    Args:
        per_patient: shape (patients, ...).
        resampling: number and seed of the resamples.

    Returns:
        Shape (draws, ...).
    """
    patients = per_patient.shape[0]
    rng = np.random.default_rng(resampling.seed)
    times = rng.multinomial(patients, np.full(patients, 1 / patients), size=resampling.draws).astype(float)
    return (times @ per_patient.reshape(patients, -1)).reshape(resampling.draws, *per_patient.shape[1:])


def percentile_interval(values: Floats) -> tuple[float, float, float] | None:
    """Ends of the 95 % percentile interval and the share of draws on which the statistic was undefined.

    Args:
        values: of the resamples, shape (draws,), not finite where undefined.

    Returns:
        (low, high, share undefined); None where more than a fifth of the draws are undefined.
    """
    known = values[np.isfinite(values)]
    undefined = 1 - known.size / values.size
    if undefined > MOST_UNDEFINED:
        return None
    low, high = np.quantile(known, _TAILS)
    return float(low), float(high), undefined
