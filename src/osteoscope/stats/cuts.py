"""Agreement on which side of a cut-off a total falls; the first reader is the reference, above the cut is positive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from osteoscope.stats.kappa import disagreement
from osteoscope.stats.levels import Pairs, TableFigure, kappa_figure, share_figure, table_statistics
from osteoscope.stats.ratings import Panel, Statistic, Target
from osteoscope.stats.resampling import Resampling

Flags = NDArray[np.bool_]
_LOW, _HIGH = np.array([True, False]), np.array([False, True])
_ALL = np.ones(2, dtype=bool)


def _cells(side: Flags, by_reference: Flags, by_reader: Flags) -> tuple[Flags, Flags]:
    """Cells where both are on a side, and the cells that they are a share of; each of shape (2, 2)."""
    return np.outer(side, side), np.outer(by_reference, by_reader)


CUT_FIGURES: tuple[TableFigure, ...] = (
    share_figure("sensitivity", "share above the cut, of those above by the reference", *_cells(_HIGH, _HIGH, _ALL)),
    share_figure("specificity", "share not above the cut, of those so by the reference", *_cells(_LOW, _LOW, _ALL)),
    share_figure(
        "positive_predictive_value", "share above by the reference, of those above", *_cells(_HIGH, _ALL, _HIGH)
    ),
    share_figure(
        "negative_predictive_value", "share not above by the reference, of those so", *_cells(_LOW, _ALL, _LOW)
    ),
    share_figure("exact", "share of cases on the same side of the cut", np.eye(2, dtype=bool), np.outer(_ALL, _ALL)),
    kappa_figure("kappa", "Cohen's kappa of the side of the cut", disagreement(2, "none")),
)


@dataclass(frozen=True)
class CutTable:
    """Two readers on one cut.

    Args:
        scale, readers: of which score, between whom; the first is the reference.
        cut: a total at or below it counts as low.
        table: counts, rows by the first reader, columns by the second, low first.
        near: cases in which either total lies within one point of the cut.
        discordant: cases on different sides.
        incomplete: cases left out since a segment of either reader is missing.
        incomplete_above: those of them that both readers put above the cut by the segments they did read.
    """

    scale: str
    readers: tuple[str, str]
    cut: int
    table: tuple[tuple[int, int], tuple[int, int]]
    near: tuple[str, ...]
    discordant: tuple[str, ...]
    incomplete: int
    incomplete_above: int


def cut_agreement(
    panel: Panel, readers: tuple[str, str], cut: int, resampling: Resampling
) -> tuple[CutTable, tuple[Statistic, ...]]:
    """The table and the figures of one cut, McNemar's test among them."""
    totals, target = panel.totals(readers), Target(panel.scale.name, readers, f"total <= {cut}")
    known = np.isfinite(totals).all(axis=0)
    sides = np.where(np.isfinite(totals), totals > cut, np.nan)
    pairs = Pairs.known(sides, panel.owners, 2)
    counts = pairs.tables().sum(axis=0).astype(int)
    near = np.asarray(known & (np.abs(totals - cut) <= 1).any(axis=0))
    read = np.isfinite(panel.of(readers)).any(axis=-1).all(axis=0)
    above = (np.nansum(panel.of(readers), axis=-1) > cut).all(axis=0)

    def named(chosen: Flags) -> tuple[str, ...]:
        return tuple(case for case, wanted in zip(panel.cases, chosen, strict=True) if wanted)

    table = CutTable(
        panel.scale.name,
        readers,
        cut,
        ((int(counts[0, 0]), int(counts[0, 1])), (int(counts[1, 0]), int(counts[1, 1]))),
        named(near),
        named(np.asarray(known & (sides[0] != sides[1]))),
        int((read & ~known).sum()),
        int((read & ~known & above).sum()),
    )
    figures = table_statistics(target, pairs, CUT_FIGURES, resampling)
    return table, (*figures, _mcnemar(target, table, pairs))


def _mcnemar(target: Target, table: CutTable, pairs: Pairs) -> Statistic:
    up, down = table.table[0][1], table.table[1][0]
    p = float(stats.binomtest(up, up + down).pvalue) if up + down else 1.0
    note = f"{up} low by the reference and high by the other, {down} the other way round"
    if pairs.first.size > pairs.patients:
        note += "; takes repeated scans as independent"
    return target.statistic(
        "mcnemar_p",
        p if pairs.patients else np.nan,
        intervals=(),
        method="two-sided exact McNemar test (McNemar 1947, Psychometrika 12:153)",
        observations=pairs.first.size,
        patients=pairs.patients,
        note=note if pairs.patients else "undefined: no case with both totals",
    )
