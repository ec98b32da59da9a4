"""The whole comparison of a panel: every reader with the reference in full, all pairs in brief, all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from osteoscope.stats.cuts import CutTable, cut_agreement
from osteoscope.stats.levels import Pairs, level_figures, table_statistics
from osteoscope.stats.many import pairwise, panel_statistics
from osteoscope.stats.ratings import POOLED, POOLED_DISEASED, SHARED_TOTAL, TOTAL, Panel, Statistic, Target
from osteoscope.stats.resampling import Floats, Resampling
from osteoscope.stats.totals import Totals, difference_statistics, icc_statistics, strata

_DEFAULT = Resampling()


def _quiet(_step: str, _done: int, _of: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Confusion:
    """Counts of the levels of two readers over all segments, rows by the first (the reference)."""

    scale: str
    readers: tuple[str, str]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Agreement:
    """What the readers of a panel agree on, on one scale.

    Args:
        panel: the levels compared.
        statistics: every figure.
        confusions, cuts: tables of the reference with each other reader.
    """

    panel: Panel
    statistics: tuple[Statistic, ...]
    confusions: tuple[Confusion, ...]
    cuts: tuple[CutTable, ...]

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The reference with each other reader."""
        return tuple((self.panel.readers[0], other) for other in self.panel.readers[1:])

    def find(self, readers: tuple[str, ...], target: str, name: str) -> Statistic | None:
        """The statistic of that name, if it was made."""
        wanted = (readers, target, name)
        return next((s for s in self.statistics if (s.readers, s.target, s.name) == wanted), None)


def agree(
    panel: Panel,
    resampling: Resampling = _DEFAULT,
    progress: Callable[[str, int, int], None] = _quiet,
) -> Agreement:
    """Compare the readers of a panel; the first is the reference.

    Segments that one of two readers did not read are left out of that pair's figures. Totals exist only where
    every segment was read; where some were not, figures of the total over shared segments stand beside them.
    """
    statistics: list[Statistic] = []
    confusions, cuts = [], []
    others = panel.readers[1:]
    for number, other in enumerate(others):
        progress(f"{panel.scale.title}: {other}", number, len(others))
        readers = (panel.readers[0], other)
        statistics += _of_levels(panel, readers, resampling)
        statistics += _of_totals(panel, readers, resampling)
        counts = pairwise(panel, readers).tables().sum(axis=0).astype(int)
        confusions.append(Confusion(panel.scale.name, readers, tuple(tuple(row) for row in counts.tolist())))
        for cut in panel.scale.cuts:
            table, made = cut_agreement(panel, readers, cut, resampling)
            cuts.append(table)
            statistics += made
    if len(panel.readers) > 2:
        progress(f"{panel.scale.title}: all readers", 0, 0)
        statistics += _of_other_pairs(panel, resampling)
        statistics += panel_statistics(panel, resampling)
    return Agreement(panel, tuple(statistics), tuple(confusions), tuple(cuts))


def _of_levels(panel: Panel, readers: tuple[str, str], resampling: Resampling) -> Iterator[Statistic]:
    scale, levels, size = panel.scale, panel.of(readers), panel.scale.top + 1
    figures = level_figures(scale)
    diseased = np.where(levels[0] > 0, levels, np.nan)
    owners = np.repeat(panel.owners[:, None], len(scale.sites), axis=1)
    samples: list[tuple[str, Pairs]] = [
        (POOLED, pairwise(panel, readers)),
        (POOLED_DISEASED, Pairs.known(diseased, owners, size)),
        *((site, Pairs.known(levels[:, :, n], panel.owners, size)) for n, site in enumerate(scale.sites)),
    ]
    for name, pairs in samples:
        yield from table_statistics(Target(scale.name, readers, name), pairs, figures, resampling)


def _of_totals(panel: Panel, readers: tuple[str, str], resampling: Resampling) -> Iterator[Statistic]:
    scale = panel.scale
    for name, totals in _totals(panel, readers):
        target = Target(scale.name, readers, name)
        yield from icc_statistics(target, totals, resampling)
        yield from difference_statistics(target, totals, resampling)
    for name, totals in strata(scale, Totals.known(panel.totals(readers), panel.owners)):
        yield from difference_statistics(Target(scale.name, readers, name), totals, resampling)


def _totals(panel: Panel, readers: tuple[str, str]) -> Iterator[tuple[str, Totals]]:
    complete: Floats = panel.totals(readers)
    whole = Totals.known(complete, panel.owners)
    shared = Totals.known(panel.shared_totals(readers), panel.owners)
    yield TOTAL, whole
    if len(shared.values) > len(whole.values):
        yield SHARED_TOTAL, shared


def _of_other_pairs(panel: Panel, resampling: Resampling) -> Iterator[Statistic]:
    figures = level_figures(panel.scale)
    for readers in combinations(panel.readers[1:], 2):
        target = Target(panel.scale.name, readers, POOLED)
        yield from table_statistics(target, pairwise(panel, readers), figures, resampling)
        totals = Totals.known(panel.totals(readers), panel.owners)
        whole = Target(panel.scale.name, readers, TOTAL)
        yield from icc_statistics(whole, totals, resampling)
        yield from difference_statistics(whole, totals, resampling)
