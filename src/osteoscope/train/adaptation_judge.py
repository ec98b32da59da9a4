"""Agreement with the reader before and after adaptation, the gain with its interval by patient, and a verdict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from osteoscope.measure.adaptation_card import Gain, Verdict
from osteoscope.measure.adaptation_evidence import TOP, Floats
from osteoscope.stats.cuts import CUT_FIGURES
from osteoscope.stats.icc import icc_value, mean_squares
from osteoscope.stats.levels import Pairs, level_figures
from osteoscope.stats.ratings import POOLED, SCALES, TOTAL
from osteoscope.stats.resampling import Resampling, drawn_indices, drawn_sums, percentile_interval
from osteoscope.train.adaptation_fit import SEGMENTS, Indices, Sample

SIOPEN = SCALES["siopen"]
_NAMES = ("kappa_quadratic", "kappa_linear", "exact", "within_one")
_LEVEL_FIGURES = tuple(figure for figure in level_figures(SIOPEN) if figure.name in _NAMES)
_CUT = next(figure for figure in CUT_FIGURES if figure.name == "kappa")
# Habits of a reader are mostly of one level, which quadratic weights hardly see; linear ones are what is optimised.
_DECISIVE = "kappa_linear"
_AWAY, _BIAS = "mean_absolute_difference", "bias"
_LOWER_IS_BETTER = frozenset({_AWAY})
# A bias is best at 0, so that its change has no better direction; what it costs shows in the absolute difference.
_EITHER_WAY = frozenset({_BIAS})


@dataclass(frozen=True, eq=False)
class Compared:
    """One sample read twice: by the shipped scorer and by an adaptation fitted without it.

    Args:
        sample: with the reader's levels.
        after: adapted levels, shape (n,).
    """

    sample: Sample
    after: Indices

    @property
    def before(self) -> Indices:
        """Levels of the shipped scorer, shape (n,)."""
        return np.array([e.level for e in self.sample.found], dtype=np.intp)


def judge(compared: Compared, resampling: Resampling) -> tuple[Gain, ...]:
    """Gains of levels (pooled and per segment), then of totals of studies whose segments all have a level."""
    segments = np.array([e.segment for e in compared.sample.found])
    targets = {POOLED: np.ones(segments.size, dtype=bool)} | {name: segments == name for name in SEGMENTS}
    levels = [g for name, own in targets.items() for g in _of_levels(compared, name, own, resampling)]
    return (*levels, *_of_totals(compared, resampling))


def verdict(gains: tuple[Gain, ...]) -> Verdict:
    """Whether the gain in pooled linear kappa is distinguishable from none; "mixed" where another pooled figure of
    levels, or a figure of totals, is distinguishably worse for it."""
    known = {(g.target, g.name): g.interval for g in gains if g.interval is not None}
    low, high = known.get((POOLED, _DECISIVE), (0.0, 0.0))
    if low <= 0 <= high:
        return "no evidence"
    if high < 0:
        return "harms"
    return "mixed" if any(_worse(*figure, interval) for figure, interval in known.items()) else "helps"


def _worse(target: str, name: str, change: tuple[float, float]) -> bool:
    """Whether a pooled figure, or one of totals, that has a better direction is surely worse after adaptation."""
    if target not in {POOLED, TOTAL} or name in _EITHER_WAY:
        return False
    return change[0] > 0 if name in _LOWER_IS_BETTER else change[1] < 0


def _of_levels(compared: Compared, target: str, own: NDArray[np.bool_], resampling: Resampling) -> Iterator[Gain]:
    reader, owners = compared.sample.levels[own], np.unique(compared.sample.patients[own], return_inverse=True)[1]
    if not reader.size:
        return
    tables = [Pairs(reader, made[own], owners, TOP + 1).tables() for made in (compared.before, compared.after)]
    # The same seed draws the same patients for both, so that their difference is that of pairs.
    drawn = [drawn_sums(counts, resampling) for counts in tables]
    for figure in _LEVEL_FIGURES:
        values = [float(figure.of(counts.sum(axis=0))) for counts in tables]
        yield _gain(target, figure.name, values, figure.of(drawn[1]) - figure.of(drawn[0]))


def _of_totals(compared: Compared, resampling: Resampling) -> Iterator[Gain]:
    sample = compared.sample
    studies, own = np.unique(sample.studies, return_inverse=True)
    whole = np.bincount(own) == len(SEGMENTS)
    sums = np.array([np.bincount(own, weights=v) for v in (sample.levels, compared.before, compared.after)])[:, whole]
    patients = np.array([sample.patients[sample.studies == study][0] for study in studies])[whole]
    if patients.size < 2:
        return
    draws = list(drawn_indices(patients, resampling))
    for name, figure in _TOTAL_FIGURES.items():
        values = [figure(sums[[0, way]]) for way in (1, 2)]
        change = np.array([figure(sums[:, i][[0, 2]]) - figure(sums[:, i][[0, 1]]) for i in draws])
        yield _gain(TOTAL, name, values, change)


def _icc(totals: Floats) -> float:
    return icc_value(mean_squares(totals.T), "2,1")


def _bias(totals: Floats) -> float:
    return float(np.mean(totals[1] - totals[0]))


def _away(totals: Floats) -> float:
    return float(np.mean(np.abs(totals[1] - totals[0])))


def _same_side(totals: Floats) -> float:
    above = totals > SIOPEN.cuts[0]
    return float(np.mean(above[0] == above[1]))


def _cut_kappa(totals: Floats) -> float:
    above = (totals > SIOPEN.cuts[0]).astype(np.intp)
    pairs = Pairs(above[0], above[1], np.zeros(above.shape[1], dtype=np.intp), 2)
    return float(_CUT.of(pairs.tables().sum(axis=0)))


# Of totals, shape (2, studies), the reader's first.
_TOTAL_FIGURES = MappingProxyType(
    {
        "icc_2_1": _icc,
        _BIAS: _bias,
        _AWAY: _away,
        f"cut_{SIOPEN.cuts[0]}_agreement": _same_side,
        f"cut_{SIOPEN.cuts[0]}_kappa": _cut_kappa,
    }
)


def _gain(target: str, name: str, values: list[float], change: Floats) -> Gain:
    before, after = (float(v) if np.isfinite(v) else None for v in values)
    found = percentile_interval(change) if before is not None and after is not None else None
    difference = None if before is None or after is None else after - before
    return Gain(target, name, before, after, difference, found and found[:2])
