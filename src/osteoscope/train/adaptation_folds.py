"""How strong the penalty should be, and what an adaptation is worth on patients that it was not fitted to."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from osteoscope.measure.adaptation import Coefficients
from osteoscope.measure.adaptation_evidence import TOP, Floats
from osteoscope.stats.kappa import disagreement, kappa_of_tables, tabulate
from osteoscope.train.adaptation_fit import Indices, Sample, fit_path, losses

Progress = Callable[[str, int, int], None]

# From "as shipped" to "the cohort alone".
PENALTIES = (math.inf, 1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1)
CUTS = (0.5, 0.45, 0.4, 0.35, 0.3)
OUTER, INNER = 5, 4


@dataclass(frozen=True, eq=False)
class Tried:
    """Adapted levels of studies that were left out of the fit, shape (n,), and chances of all levels, (n, 7)."""

    levels: Indices
    chances: Floats


def folds(sample: Sample, number: int) -> Indices:
    """The fold of each segment, shape (n,): whole patients, folds alike in burden; the same for the same sample."""
    patients = np.unique(sample.patients)
    burden = [float(sample.levels[sample.patients == p].mean()) for p in patients]
    dealt = np.empty(patients.size, dtype=np.intp)
    dealt[np.argsort(burden, kind="stable")] = np.arange(patients.size) % min(number, patients.size)
    return np.asarray(dealt[np.searchsorted(patients, sample.patients)])


def choose(sample: Sample, number: int = INNER) -> tuple[Coefficients, float]:
    """Coefficients of a sample, their penalty and cut chosen by cross-validation over patients.

    Of the penalties whose loss lies within one standard error of the best, the strongest (Breiman, Friedman, Olshen
    & Stone 1984, Classification and Regression Trees, 3.4.3): without evidence the shipped scorer stays. Of the cuts,
    the one of the best linear kappa: the median of a skewed distribution lies below its mean, and totals with it.
    Where even that is not above the kappa of the shipped levels, these stay.
    """
    fold = folds(sample, number)
    parts = [fold == left for left in np.unique(fold)]
    made = [fit_path(sample.where(~part), PENALTIES) for part in parts]
    lost = np.empty((len(PENALTIES), len(sample.found)))
    for part, fits in zip(parts, made, strict=True):
        lost[:, part] = [losses(sample.where(part), coefficients) for coefficients in fits]
    chosen = _strongest(_by_patient(lost, sample.patients))
    odds = np.empty((len(sample.found), TOP))
    for part, fits in zip(parts, made, strict=True):
        odds[part] = [fits[chosen].log_odds(e) for e in sample.where(part).found]
    kappas = {cut: _kappa(sample, (odds > math.log(cut / (1 - cut))).sum(axis=1)) for cut in CUTS}
    cut = max(CUTS, key=lambda tried: kappas[tried])
    shipped = _kappa(sample, np.array([e.level for e in sample.found]))
    if math.isinf(PENALTIES[chosen]) or not kappas[cut] > shipped:
        return Coefficients(), math.inf
    return replace(fit_path(sample, PENALTIES[: chosen + 1])[-1], cut=cut), PENALTIES[chosen]


def _kappa(sample: Sample, levels: Indices) -> float:
    return float(kappa_of_tables(tabulate(sample.levels, levels, TOP + 1), disagreement(TOP + 1, "linear")))


def _by_patient(lost: Floats, patients: Indices) -> Floats:
    """Sums over patients, shape (penalties, patients)."""
    own = np.unique(patients, return_inverse=True)[1]
    return np.array([np.bincount(own, weights=row) for row in lost])


def _strongest(lost: Floats) -> int:
    behind = lost - lost[np.argmin(lost.sum(axis=1))]
    error = behind.std(axis=1, ddof=1) * math.sqrt(lost.shape[1])
    return int(np.argmax(behind.sum(axis=1) <= error))


def out_of_fold(sample: Sample, progress: Progress) -> Tried:
    """Levels and chances of every segment by coefficients fitted, penalty included, without its patient."""
    fold = folds(sample, OUTER)
    levels = np.empty(len(sample.found), dtype=np.intp)
    chances = np.empty((len(sample.found), TOP + 1))
    for number, left in enumerate(np.unique(fold)):
        progress("cross-validation", number, OUTER)
        made, _ = choose(sample.where(fold != left))
        for n in np.flatnonzero(fold == left):
            levels[n], chances[n] = made.level(sample.found[n]), made.chances(sample.found[n])
    return Tried(levels, chances)
