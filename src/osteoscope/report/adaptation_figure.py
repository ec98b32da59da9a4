"""How well the chances of levels hold, and how levels lie to the reader's, before and after adaptation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from osteoscope.report.parts import Figure
from osteoscope.report.style import BLUE, FAINT, VERMILION, new_figure, to_png

_BINS = 8
_FEW = 5


@dataclass(frozen=True, eq=False)
class Way:
    """What one scorer said of n segments.

    Args:
        name: for the legend.
        levels: given, shape (n,).
        chances: of each level, shape (n, levels).
    """

    name: str
    levels: NDArray[np.intp]
    chances: NDArray[np.float64]


def calibration(reader: NDArray[np.intp], before: Way, after: Way) -> Figure:
    """Reliability of "at least this level" over all levels, and the mean level given at each level of the reader.

    Args:
        reader: the reader's levels, shape (n,).
        before, after: of the shipped and of the adapted scorer, on patients not fitted to.
    """
    figure = new_figure(9.5, 4.2)
    chance, level = figure.subplots(1, 2)
    for way, colour, mark in ((before, VERMILION, "s"), (after, BLUE, "o")):
        _reliability(chance, reader, way, (colour, mark))
        _levels(level, reader, way, (colour, mark))
    top = before.chances.shape[1] - 1
    for axes, end, across, up in (
        (chance, 1.0, "chance of at least a level, as stated", "share of segments, as read"),
        (level, float(top), "level of the reader", "mean level given"),
    ):
        axes.plot([0, end], [0, end], color=FAINT, linewidth=0.8)
        axes.set(xlabel=across, ylabel=up, xlim=(-0.03 * end, 1.03 * end), ylim=(-0.03 * end, 1.03 * end))
        axes.spines[["top", "right"]].set_visible(False)
    level.legend(frameon=False, fontsize=9)
    figure.tight_layout()
    caption = (
        "Out of fold. Left: stated chances of reaching a level against how often the reader put the segment there, all "
        "levels together; on the line they hold. Right: mean level given to the segments of each level of the reader."
    )
    return Figure("calibration", caption, "Calibration of chances and levels before and after", to_png(figure))


def _reliability(axes: Axes, reader: NDArray[np.intp], way: Way, look: tuple[str, str]) -> None:
    steps = np.arange(1, way.chances.shape[1])
    stated = (1 - np.cumsum(way.chances, axis=1)[:, :-1]).ravel()
    true = (reader[:, None] >= steps).ravel()
    bins = np.clip((stated * _BINS).astype(int), 0, _BINS - 1)
    kept = [b for b in range(_BINS) if np.count_nonzero(bins == b) >= _FEW]
    points = [(stated[bins == b].mean(), true[bins == b].mean()) for b in kept]
    if points:
        axes.plot(*zip(*points, strict=True), color=look[0], marker=look[1], linewidth=1.2, label=way.name)


def _levels(axes: Axes, reader: NDArray[np.intp], way: Way, look: tuple[str, str]) -> None:
    seen = np.unique(reader)
    means = [way.levels[reader == level].mean() for level in seen]
    axes.plot(seen, means, color=look[0], marker=look[1], linewidth=1.2, label=way.name)
