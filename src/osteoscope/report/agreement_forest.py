"""Weighted kappa by segment as a forest plot: quadratic on the left, linear on the right."""

from __future__ import annotations

from itertools import cycle

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from osteoscope.report.style import BLUE, FAINT, GREEN, INK, PURPLE, SKY, VERMILION, new_figure
from osteoscope.report.wording import site_name
from osteoscope.stats.ratings import POOLED, POOLED_DISEASED
from osteoscope.stats.readers import Agreement

_LOOKS = ((BLUE, "o"), (VERMILION, "s"), (GREEN, "^"), (PURPLE, "D"), (SKY, "v"), (INK, "P"))
_PANELS = (("kappa_quadratic", "Quadratic weights"), ("kappa_linear", "Linear weights"))
_POOLED = {POOLED: "All segments", POOLED_DISEASED: "Not 0 by the reference"}


def draw_forest(agreement: Agreement) -> Figure:
    """One row per segment and one mark per reader compared with the reference; pooled figures below."""
    rows = (*agreement.panel.scale.sites, POOLED, POOLED_DISEASED)
    pairs = agreement.pairs
    figure = new_figure(9.5, 1.4 + len(rows) * (0.24 + 0.12 * len(pairs)))
    panels = figure.subplots(1, 2, sharey=True)
    for axes, (name, title) in zip(panels, _PANELS, strict=True):
        for number, (pair, look) in enumerate(zip(pairs, cycle(_LOOKS), strict=False)):
            shift = (number - (len(pairs) - 1) / 2) * 0.7 / len(pairs)
            for row, target in enumerate(rows):
                _mark(axes, agreement, (pair, target, name), (row + shift, *look))
        _frame(axes, title, len(rows))
    panels[0].set_yticks(range(len(rows)), [_POOLED.get(row) or site_name(row) for row in rows])
    panels[0].set_ylim(len(rows) - 0.4, -0.6)
    if len(pairs) > 1:
        handles = [
            Line2D([], [], color=c, marker=m, linestyle="", markersize=5)
            for _, (c, m) in zip(pairs, cycle(_LOOKS), strict=False)
        ]
        place = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)}
        legend = panels[1].legend(handles, [other for _, other in pairs], frameon=False, fontsize=8, **place)
        for text in legend.get_texts():
            text.set_parse_math(False)
    figure.tight_layout()
    return figure


def _mark(
    axes: Axes, agreement: Agreement, wanted: tuple[tuple[str, str], str, str], look: tuple[float, str, str]
) -> None:
    found, (place, colour, marker) = agreement.find(*wanted), look
    if found is None or found.value is None:
        axes.text(0.0, place, "not defined", fontsize=7, color=FAINT, va="center")
        return
    for interval in found.intervals[:1]:
        axes.plot([interval.low, interval.high], [place, place], color=colour, linewidth=1.4)
    axes.plot([found.value], [place], color=colour, marker=marker, markersize=5)


def _frame(axes: Axes, title: str, rows: int) -> None:
    axes.set_title(title, fontsize=10, color=INK, loc="left")
    axes.set_xlabel("kappa", color=INK)
    axes.set_xlim(min(-0.05, axes.get_xlim()[0]), 1.03)
    axes.axvline(0, color=FAINT, linewidth=0.8)
    axes.axvline(1, color=FAINT, linewidth=0.8)
    axes.axhline(rows - 2.5, color=FAINT, linewidth=0.8)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.grid(axis="x", color=FAINT, alpha=0.25)
    axes.tick_params(axis="y", length=0)
