"""Agreement of two readers' levels: weighted kappa, exact and within-one agreement, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from osteoscope.stats.kappa import Weighting, disagreement, kappa_of_tables, kappa_test
from osteoscope.stats.ratings import Interval, Scale, Statistic, Target
from osteoscope.stats.resampling import Floats, Resampling, drawn_sums, percentile_interval

BOOTSTRAP = "percentile bootstrap by patient"
WILSON = "Wilson score"
LARGE_SAMPLE = "large sample (Fleiss, Cohen & Everitt 1969)"
_WEIGHTINGS: tuple[tuple[Weighting, str], ...] = (
    ("quadratic", "quadratic weights"),
    ("linear", "linear weights"),
    ("none", "no weights"),
)


@dataclass(frozen=True)
class Pairs:
    """Levels 0..size-1 of two readers on the same things.

    Args:
        first, second: levels, shape (n,).
        owners: number of the patient of each, shape (n,).
        size: number of levels.
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    owners: NDArray[np.intp]
    size: int

    @classmethod
    def known(cls, levels: Floats, owners: NDArray[np.intp], size: int) -> Pairs:
        """Pairs that both readers rated, of levels of shape (2, ...) and owners of the shape behind it."""
        known = np.isfinite(levels).all(axis=0)
        first, second = levels[0][known].astype(np.intp), levels[1][known].astype(np.intp)
        return cls(first, second, np.unique(owners[known], return_inverse=True)[1], size)

    @property
    def patients(self) -> int:
        """Number of patients."""
        return int(self.owners.max()) + 1 if self.owners.size else 0

    def tables(self) -> Floats:
        """Counts per patient, shape (patients, size, size)."""
        counts = np.zeros((self.patients, self.size, self.size))
        np.add.at(counts, (self.owners, self.first, self.second), 1)
        return counts


def _pairs_in(tables: Floats) -> Floats:
    return np.asarray(tables.sum(axis=(-2, -1)))


@dataclass(frozen=True)
class TableFigure:
    """A figure of a table of counts.

    Args:
        name, method: as in a Statistic.
        of: of tables of shape (..., levels, levels); NaN where undefined.
        interval: of one table of independent pairs.
        undefined: what it means where the value is NaN.
        is_share: whether it is a share of pairs, so that the analytic interval is the one to report.
        among: how many pairs of a table it rests on; of a share its denominator.
    """

    name: str
    method: str
    of: Callable[[Floats], Floats]
    interval: Callable[[Floats], Interval]
    undefined: str
    is_share: bool = False
    among: Callable[[Floats], Floats] = _pairs_in


def kappa_figure(name: str, method: str, weights: Floats, merge: Floats | None = None) -> TableFigure:
    """Weighted kappa, on levels merged by a matrix of shape (classes, levels) if one is given."""

    def merged(tables: Floats) -> Floats:
        return tables if merge is None else merge @ tables @ merge.T

    def interval(table: Floats) -> Interval:
        test = kappa_test(merged(table), weights)
        return Interval(test.low, min(test.high, 1.0), LARGE_SAMPLE)

    undefined = "undefined: both readers used one and the same level throughout"
    return TableFigure(name, method, lambda tables: kappa_of_tables(merged(tables), weights), interval, undefined)


def share_figure(name: str, method: str, hit: NDArray[np.bool_], among: NDArray[np.bool_]) -> TableFigure:
    """The share of pairs in the cells ``hit`` among those in the cells ``among``, each of shape (levels, levels)."""

    def part(tables: Floats) -> Floats:
        return np.asarray(tables[..., hit].sum(axis=-1))

    def whole(tables: Floats) -> Floats:
        return np.asarray(tables[..., among].sum(axis=-1))

    def share(tables: Floats) -> Floats:
        return np.asarray(part(tables) / np.where(whole(tables) > 0, whole(tables), np.nan))

    def interval(table: Floats) -> Interval:
        return wilson(int(part(table)), int(whole(table)), WILSON)

    return TableFigure(name, method, share, interval, "undefined: no case to take the share of", True, whole)


def wilson(part: int, whole: int, method: str) -> Interval:
    """Score interval of a share (Wilson 1927, J Am Stat Assoc 22:209)."""
    found = stats.binomtest(part, whole).proportion_ci(method="wilson")
    return Interval(float(found.low), float(found.high), method)


def level_figures(scale: Scale) -> tuple[TableFigure, ...]:
    """The figures of a scale's levels."""
    size = scale.top + 1
    levels = np.arange(size)
    steps, all_cells = np.abs(np.subtract.outer(levels, levels)), np.ones((size, size), dtype=bool)
    classes = np.array([levels == 0, (levels > 0) & (levels <= scale.focal), levels > scale.focal], dtype=float)
    kappas = (
        kappa_figure(f"kappa_{name}", f"Cohen's kappa, {words}", disagreement(size, name))
        for name, words in _WEIGHTINGS
    )
    merged = f"Cohen's kappa, no weights, levels merged to 0, 1-{scale.focal}, {scale.focal + 1}-{scale.top}"
    return (
        *kappas,
        kappa_figure("kappa_extent_class", merged, disagreement(3, "none"), classes),
        share_figure("exact", "share of pairs with the same level", steps == 0, all_cells),
        share_figure("within_one", "share of pairs at most one level apart", steps <= 1, all_cells),
    )


def table_statistics(
    target: Target, pairs: Pairs, figures: Sequence[TableFigure], resampling: Resampling
) -> tuple[Statistic, ...]:
    """Each figure of the pairs with its intervals: by patient, and analytic where every patient gave one pair."""
    counts = pairs.tables()
    if not pairs.patients:
        return tuple(_undefined(target, f, (0, 0), "undefined: nothing was rated by both readers") for f in figures)
    tables = (counts, counts.sum(axis=0), drawn_sums(counts, resampling))
    return tuple(_statistic(target, figure, tables) for figure in figures)


def _undefined(target: Target, figure: TableFigure, base: tuple[int, int], why: str) -> Statistic:
    return target.statistic(
        figure.name, np.nan, intervals=(), method=figure.method, observations=base[0], patients=base[1], note=why
    )


def _statistic(target: Target, figure: TableFigure, tables: tuple[Floats, Floats, Floats]) -> Statistic:
    counts, whole, draws = tables
    value = float(figure.of(whole))
    base = int(figure.among(whole)), int((figure.among(counts) > 0).sum())
    if np.isnan(value):
        return _undefined(target, figure, base, figure.undefined)
    drawn, note = bootstrap_interval(figure.of(draws))
    analytic = _analytic(figure, counts, value)
    return target.statistic(
        figure.name,
        value,
        intervals=(*analytic, *drawn) if figure.is_share else (*drawn, *analytic),
        method=figure.method,
        observations=base[0],
        patients=base[1],
        note=note,
    )


def _analytic(figure: TableFigure, counts: Floats, value: float) -> tuple[Interval, ...]:
    """The interval that takes pairs as independent, where they are.

    A share of 0 or 1 leaves the bootstrap without width; of dependent pairs every patient then counts as one.
    """
    if (counts.sum(axis=(1, 2)) <= 1).all():
        return (figure.interval(counts.sum(axis=0)),)
    if figure.is_share and value in {0.0, 1.0}:
        patients = int(np.isfinite(figure.of(counts)).sum())
        return (wilson(int(value) * patients, patients, f"{WILSON}, a patient as one case"),)
    return ()


def bootstrap_interval(values: Floats) -> tuple[tuple[Interval, ...], str]:
    """The interval of resampled values (none where too many are undefined) and a remark on it."""
    found = percentile_interval(values)
    if found is None:
        return (), "no bootstrap interval: undefined on more than a fifth of the resamples"
    low, high, undefined = found
    method = f"{BOOTSTRAP}, {values.size} draws"
    remarks = [f"left out {100 * undefined:.1f} % of the resamples, where it is undefined"] if undefined else []
    remarks += ["bootstrap interval has no width"] if low == high else []
    return (Interval(low, high, method),), "; ".join(remarks)
