"""Chance-corrected agreement of ordinal levels, from tables of counts.

A table has the first reader in rows and the second in columns; functions take any number of tables at once,
shape (..., levels, levels), so that a bootstrap is one call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from osteoscope.errors import InvalidValueError
from osteoscope.stats.resampling import Floats

Weighting = Literal["none", "linear", "quadratic"]
_POWER: Mapping[Weighting, int] = MappingProxyType({"none": 0, "linear": 1, "quadratic": 2})


@dataclass(frozen=True)
class KappaTest:
    """A kappa with large-sample errors (Fleiss, Cohen & Everitt 1969, Psychol Bull 72:323).

    Args:
        value: the kappa.
        error: its standard error, for the 95 % interval ``low`` to ``high``.
        null_error: its standard error where kappa is 0, for ``z`` and the two-sided ``p``.
    """

    value: float
    error: float
    null_error: float
    low: float
    high: float
    z: float
    p: float


def disagreement(levels: int, weighting: Weighting) -> Floats:
    """Disagreement weights 0..1 of two levels, shape (levels, levels) (Cohen 1968, Psychol Bull 70:213)."""
    steps = np.abs(np.subtract.outer(np.arange(levels), np.arange(levels))).astype(float)
    weights = np.where(steps > 0, steps ** _POWER[weighting], 0.0)
    return np.asarray(weights / max(weights.max(), 1.0))


def tabulate(first: ArrayLike, second: ArrayLike, levels: int) -> Floats:
    """Counts of pairs of levels 0..levels-1, shape (levels, levels)."""
    pairs = np.asarray(first, dtype=int) * levels + np.asarray(second, dtype=int)
    return np.bincount(pairs.ravel(), minlength=levels**2).reshape(levels, levels).astype(float)


def disagreements(tables: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Observed and expected disagreement of tables, each of shape (...); NaN of an empty table."""
    total = tables.sum(axis=(-2, -1))
    share = tables / np.where(total > 0, total, np.nan)[..., None, None]
    observed = np.sum(weights * share, axis=(-2, -1))
    expected = np.einsum("...i,ij,...j->...", share.sum(axis=-1), weights, share.sum(axis=-2))
    return observed, expected


def kappa_of_tables(tables: Floats, weights: Floats) -> Floats:
    """Weighted kappa of tables, shape (...); NaN where both readers used one and the same level, or of no pairs."""
    return _one_minus(*disagreements(tables, weights))


def conger_kappa(tables: Floats, weights: Floats) -> Floats:
    """Weighted kappa of more than two readers from the tables of their pairs, shape (..., pairs, levels, levels).

    One minus the observed over the expected disagreement, both averaged over pairs (Conger 1980, Psychol Bull
    88:322, with Cohen's weights). With two readers it is Cohen's. A pair without a shared rating is left out.
    """
    observed, expected = disagreements(tables, weights)
    return _one_minus(np.nansum(observed, axis=-1), np.nansum(expected, axis=-1))


def light_kappa(tables: Floats, weights: Floats) -> Floats:
    """Mean weighted kappa over pairs of readers (Light 1971, Psychol Bull 76:365), undefined pairs left out."""
    pairs = kappa_of_tables(tables, weights)
    known = np.isfinite(pairs)
    count = known.sum(axis=-1)
    return np.asarray(np.where(known, pairs, 0.0).sum(axis=-1) / np.where(count > 0, count, np.nan))


def _one_minus(observed: Floats, expected: Floats) -> Floats:
    return np.asarray(1 - observed / np.where(expected > 0, expected, np.nan))


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
    levels = int(max(a.max(), b.max()) - lowest + 1)
    kappa = float(kappa_of_tables(tabulate(a - lowest, b - lowest, levels), disagreement(levels, weighting)))
    return 1.0 if np.isnan(kappa) else kappa


def kappa_test(table: ArrayLike, weights: ArrayLike) -> KappaTest:
    """Large-sample interval and test of one table of independent pairs.

    Args:
        table: counts, shape (levels, levels).
        weights: disagreement 0..1, same shape.
    """
    counts, agreed = np.asarray(table, dtype=float), 1 - np.asarray(weights, dtype=float)
    n = counts.sum()
    share = counts / n
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    kappa = float(kappa_of_tables(counts, 1 - agreed))
    chance = float(rows @ agreed @ columns)
    margin = (agreed @ columns)[:, None] + (rows @ agreed)[None, :]
    scale = n * (1 - chance) ** 2
    spread = np.sum(share * (agreed - margin * (1 - kappa)) ** 2) - (kappa - chance * (1 - kappa)) ** 2
    null = np.sum(np.outer(rows, columns) * (agreed - margin) ** 2) - chance**2
    error, null_error = (float(np.sqrt(max(v, 0.0) / scale)) if scale else float("nan") for v in (spread, null))
    z = kappa / null_error if null_error else float("nan")
    half = float(stats.norm.ppf(0.975)) * error
    return KappaTest(kappa, error, null_error, kappa - half, kappa + half, z, float(2 * stats.norm.sf(abs(z))))


@dataclass(frozen=True)
class FleissKappa:
    """Fleiss' kappa with its test against 0 (large sample, independent targets)."""

    value: float
    z: float


def fleiss_kappa(counts: ArrayLike) -> FleissKappa:
    """Nominal kappa of many readers (Fleiss 1971, Psychol Bull 76:378; z: Fleiss, Nee & Landis 1979, ibid. 86:974).

    Ignores the order of levels and misbehaves on skewed margins: never the only figure of ordinal levels.

    Args:
        counts: readers per target and level, shape (targets, levels), the same number of readers throughout.

    Raises:
        InvalidValueError: the number of readers differs between targets or is below 2.
    """
    table = np.asarray(counts, dtype=float)
    readers = table.sum(axis=1)
    if table.ndim != 2 or readers.size == 0 or readers[0] < 2 or (readers != readers[0]).any():
        raise InvalidValueError(
            "compute Fleiss' kappa", f"{np.unique(readers)} readers", "Give as many for every target"
        )
    n, k, share = len(table), readers[0], table.sum(axis=0) / table.sum()
    observed = float(((table**2).sum() - n * k) / (n * k * (k - 1)))
    if share.max() == 1:
        return FleissKappa(float("nan"), float("nan"))
    kappa = (observed - np.sum(share**2)) / (1 - np.sum(share**2))
    q = float(np.sum(share * (1 - share)))
    variance = 2 / (q**2 * n * k * (k - 1)) * (q**2 - np.sum(share * (1 - share) * (1 - 2 * share)))
    return FleissKappa(float(kappa), float(kappa / np.sqrt(variance)))
