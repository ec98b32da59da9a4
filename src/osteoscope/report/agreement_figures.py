"""The figures of a comparison of readers, for a paper: vector and pixels alike."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteoscope.report.agreement_forest import draw_forest
from osteoscope.report.agreement_wording import figure as figure_text
from osteoscope.report.agreement_wording import sentence
from osteoscope.report.drawing import Drawing, new_axes
from osteoscope.report.style import BLUE, FAINT, INK, VERMILION, new_figure
from osteoscope.stats.ratings import TOTAL
from osteoscope.stats.readers import Agreement, Confusion
from osteoscope.stats.resampling import Floats

_SIZE = (5.2, 4.4)
_MOST_IN_ONE = 25


def drawings(agreement: Agreement) -> Iterator[Drawing]:
    """All figures of a scale: a forest of kappas, then three for each reader compared with the reference."""
    scale = agreement.panel.scale
    caption = f"{scale.title}: weighted kappa by segment, 95 % intervals by patient."
    yield Drawing(f"kappa_{scale.name}", caption, caption, draw_forest(agreement), 1.0)
    for number, (pair, confusion) in enumerate(zip(agreement.pairs, agreement.confusions, strict=True), 2):
        totals = agreement.panel.totals(pair)
        totals = totals[:, np.isfinite(totals).all(axis=0)]
        ends = f"{scale.name}_reader_{number}"
        who = f"{pair[0]} and {pair[1]}"
        yield _drawing(
            f"confusion_{ends}", f"{scale.title} levels of {who}, counts of segments.", _confusion(confusion)
        )
        if totals.shape[1] < 3:
            continue
        words = sentence(agreement.find(pair, TOTAL, "icc_2_1"), "ICC(2,1)")
        text = (
            f"{scale.title} totals of {who}, {totals.shape[1]} cases; {words}. Dotted: cut-offs; area: number of cases."
        )
        yield _drawing(f"totals_{ends}", text, _scatter(agreement, pair, totals))
        words = sentence(agreement.find(pair, TOTAL, "bias"), "bias")
        text = (
            f"Differences of {scale.title} totals, {pair[1]} minus {pair[0]}; {words}. "
            "Dashed: 1.96 SD limits; dotted: 2.5 and 97.5 centiles; bands: 95 % intervals."
        )
        yield _drawing(f"bland_altman_{ends}", text, _bland_altman(agreement, pair, totals))


def _drawing(name: str, caption: str, figure: Figure) -> Drawing:
    return Drawing(name, caption, caption, figure)


def _bubbles(axes: Axes, x: Floats, y: Floats) -> None:
    """One mark per place, its area by the number of cases there: totals are discrete and overlap."""
    places, counts = np.unique(np.column_stack([x, y]), axis=0, return_counts=True)
    areas = np.maximum(18 * counts * min(1.0, _MOST_IN_ONE / counts.max()), 8)
    axes.scatter(places[:, 0], places[:, 1], s=areas, color=BLUE, alpha=0.65, linewidths=0, zorder=3)


def _scatter(agreement: Agreement, pair: tuple[str, str], totals: Floats) -> Figure:
    figure = new_figure(*_SIZE)
    axes = new_axes(figure, f"Total, {pair[0]}", f"Total, {pair[1]}")
    most = max(float(totals.max()) * 1.05, 4.0)
    axes.plot([0, most], [0, most], color=FAINT, linewidth=1)
    for cut in agreement.panel.scale.cuts:
        if cut < most:
            axes.axvline(cut + 0.5, color=VERMILION, linewidth=0.8, linestyle=":")
            axes.axhline(cut + 0.5, color=VERMILION, linewidth=0.8, linestyle=":")
    _bubbles(axes, totals[0], totals[1])
    axes.set_xlim(-0.03 * most, most)
    axes.set_ylim(-0.03 * most, most)
    axes.set_aspect("equal")
    figure.tight_layout()
    return figure


def _bland_altman(agreement: Agreement, pair: tuple[str, str], totals: Floats) -> Figure:
    figure = new_figure(*_SIZE)
    axes = new_axes(figure, "Mean of both totals", f"{pair[1]} minus {pair[0]}, points")
    difference = totals[1] - totals[0]
    axes.axhline(0, color=FAINT, linewidth=0.8)
    for name, style in (("bias", "-"), ("limit_low", "--"), ("limit_high", "--")):
        found = agreement.find(pair, TOTAL, name)
        if found is None or found.value is None:
            continue
        for interval in found.intervals[:1]:
            axes.axhspan(interval.low, interval.high, color=VERMILION, alpha=0.12, linewidth=0)
        axes.axhline(found.value, color=VERMILION, linewidth=1.2, linestyle=style)
        at = (1.01, found.value)
        axes.annotate(figure_text(name, found.value), at, xycoords=("axes fraction", "data"), va="center", fontsize=8)
    for value in np.quantile(difference, (0.025, 0.975)):
        axes.axhline(value, color=INK, linewidth=1, linestyle=":")
    _bubbles(axes, totals.mean(axis=0), difference)
    figure.tight_layout()
    return figure


def _confusion(confusion: Confusion) -> Figure:
    figure = new_figure(4.6, 4.4)
    first, second = confusion.readers
    axes = new_axes(figure, f"Level, {second}", f"Level, {first}")
    counts = np.array(confusion.counts, dtype=float)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            colour = "white" if share[row, column] > 0.55 else INK
            axes.text(column, row, f"{count:.0f}", ha="center", va="center", fontsize=9, color=colour)
    axes.set_xticks(range(len(counts)))
    axes.set_yticks(range(len(counts)))
    axes.set_title("shade: share of the row", fontsize=8, color=FAINT, loc="right")
    figure.tight_layout()
    return figure
