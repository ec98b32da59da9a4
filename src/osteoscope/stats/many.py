"""Agreement of more than two readers at once: generalised weighted kappa, Light's mean, Fleiss' kappa, ICC."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from osteoscope.stats.kappa import Weighting, conger_kappa, disagreement, fleiss_kappa, light_kappa
from osteoscope.stats.levels import Pairs, bootstrap_interval
from osteoscope.stats.ratings import POOLED, SHARED_TOTAL, TOTAL, Interval, Panel, Statistic, Target
from osteoscope.stats.resampling import Floats, Resampling, drawn_indices, drawn_sums
from osteoscope.stats.totals import Totals, icc_statistics

_WEIGHTINGS: tuple[Weighting, ...] = ("quadratic", "linear", "none")
_GENERAL: tuple[tuple[str, Callable[[Floats, Floats], Floats], str], ...] = (
    ("conger_kappa", conger_kappa, "generalised kappa over pairs of readers (Conger 1980), weights: {}"),
    ("light_kappa", light_kappa, "mean of the pairs' kappas (Light 1971), weights: {}"),
)


def panel_statistics(panel: Panel, resampling: Resampling) -> Iterator[Statistic]:
    """Figures of all readers of a panel together: ICC of totals, kappas pooled and per site."""
    complete = Totals.known(panel.totals(panel.readers), panel.owners)
    yield from icc_statistics(Target(panel.scale.name, panel.readers, TOTAL), complete, resampling)
    shared = Totals.known(panel.shared_totals(panel.readers), panel.owners)
    if len(shared.values) > len(complete.values):
        target = Target(panel.scale.name, panel.readers, SHARED_TOTAL)
        yield from icc_statistics(target, shared, resampling)
    yield from _kappas(panel, POOLED, panel.levels, resampling)
    yield _fleiss(panel, resampling)
    for number, site in enumerate(panel.scale.sites):
        yield from _kappas(panel, site, panel.levels[:, :, [number]], resampling)


def _kappas(panel: Panel, name: str, levels: Floats, resampling: Resampling) -> Iterator[Statistic]:
    size, target = panel.scale.top + 1, Target(panel.scale.name, panel.readers, name)
    rated = np.isfinite(levels).sum(axis=0) >= 2
    patients = np.unique(np.repeat(panel.owners, levels.shape[2])[rated.ravel()]).size
    tables = _pair_tables(levels, panel.owners, size)
    base = {"observations": int(rated.sum()), "patients": patients}
    draws = drawn_sums(tables, resampling)
    for name_, act, words in _GENERAL:
        for weighting in _WEIGHTINGS:
            weights, method = disagreement(size, weighting), words.format(weighting)
            value = float(act(tables.sum(axis=0), weights))
            known = np.isfinite(value)
            intervals, note = bootstrap_interval(act(draws, weights)) if known else ((), "undefined: no spread")
            yield target.statistic(f"{name_}_{weighting}", value, intervals=intervals, method=method, note=note, **base)


def _pair_tables(levels: Floats, owners: NDArray[np.intp], size: int) -> Floats:
    """Counts per patient and pair of readers, shape (patients, pairs, size, size)."""
    everyone = np.repeat(owners[:, None], levels.shape[2], axis=1)
    tables = []
    for pair in combinations(range(len(levels)), 2):
        both = levels[list(pair)]
        counts = np.zeros((int(owners.max()) + 1, size, size))
        known = np.isfinite(both).all(axis=0)
        first, second = both[0][known].astype(int), both[1][known].astype(int)
        np.add.at(counts, (everyone[known], first, second), 1)
        tables.append(counts)
    return np.stack(tables, axis=1)


def _fleiss(panel: Panel, resampling: Resampling) -> Statistic:
    """Fleiss' kappa of the segments that all readers read, pooled."""
    size, target = panel.scale.top + 1, Target(panel.scale.name, panel.readers, POOLED)
    known = np.isfinite(panel.levels).all(axis=0)
    rated = panel.levels[:, known]
    owners = np.repeat(panel.owners, len(panel.scale.sites))[known.ravel()]
    counts = np.stack([(rated == level).sum(axis=0) for level in range(size)], axis=1)
    value = fleiss_kappa(counts).value if len(counts) else np.nan
    intervals: tuple[Interval, ...] = ()
    note = "undefined: no segment was read by all, or all are of one level"
    if np.isfinite(value):
        draws = np.array([fleiss_kappa(counts[index]).value for index in drawn_indices(owners, resampling)])
        intervals, note = bootstrap_interval(draws)
    return target.statistic(
        "fleiss_kappa",
        value,
        intervals=intervals,
        method="nominal kappa (Fleiss 1971), segments read by all; ignores the order of levels",
        observations=len(counts),
        patients=np.unique(owners).size,
        note=note,
    )


def pairwise(panel: Panel, readers: tuple[str, str]) -> Pairs:
    """All segments that both readers read, pooled."""
    owners = np.repeat(panel.owners[:, None], len(panel.scale.sites), axis=1)
    return Pairs.known(panel.of(readers), owners, panel.scale.top + 1)
