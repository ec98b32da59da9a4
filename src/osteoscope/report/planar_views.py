"""Planar views side by side in inverse grey, plain and marked.

The upper level lies well below the maximum, since bladder, liver and primary tumour would else take
the whole scale (display practice of section 3.4 of docs/background/mibg.md): it is a percentile of
the smoothed counts within the body.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.finding import Part, Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import Case
from osteoscope.report.parts import Figure
from osteoscope.report.style import BONE, INK, LESION, ORGAN, new_figure, to_png
from osteoscope.report.wording import DOUBTFUL_BELOW, percent

_ORDER = ("anterior", "posterior")
# Inches. The resolution shows a view of 1024 rows pixel by pixel.
_FULL_WIDTH, _TITLE, _DPI = 9.0, 0.3, 150
# Which of the patient's sides lies at the left and at the right of the picture (`Grid` keeps a posterior view as
# seen from behind).
_SIDES = {"anterior": ("R", "L"), "posterior": ("L", "R")}


@dataclass(frozen=True)
class PlanarOptions:
    """Display choices.

    Args:
        percentile: of the body's smoothed counts that is shown black.
        scale: "linear", or "sqrt" to lift faint uptake.
        smoothing_px: sigma of the Gaussian before the percentile, so that noise does not set the level.
    """

    percentile: float = 99.0
    scale: Literal["linear", "sqrt"] = "linear"
    smoothing_px: float = 1.0


def upper_level(counts: NDArray[np.generic], hidden: NDArray[np.bool_], options: PlanarOptions) -> float:
    """Counts shown black.

    Args:
        counts: of one view.
        hidden: what shall not set the level, such as bladder and liver.
        options: percentile and smoothing.

    The body is taken as the pixels above a quarter of the mean: enough to keep the empty field out.
    """
    smooth = ndimage.gaussian_filter(counts.astype(float), options.smoothing_px)
    body = smooth[(smooth > 0.25 * smooth.mean()) & ~hidden]
    return max(float(np.percentile(body, options.percentile)) if body.size else 0.0, 1.0)


def _hidden(case: Case, name: str) -> NDArray[np.bool_]:
    shape = case.study.images[name].grid.shape
    parts = [part for aside in case.set_aside if (part := aside.region.on(name)) is not None]
    return np.any([part.full(shape) for part in parts], axis=0) if parts else np.zeros(shape, dtype=bool)


def views(case: Case, options: PlanarOptions | None = None) -> tuple[Figure, ...]:
    """One figure of all views: plain on the left, marked on the right."""
    chosen = options or PlanarOptions()
    names = [name for name in _ORDER if name in case.study.images]
    shapes = [_extent(case.study.images[name].grid) for name in names]
    panels = 2 * sum(width / height for width, height in shapes)
    height = float(np.clip(_FULL_WIDTH / panels, 3.0, 7.2))
    figure = new_figure(panels * height, height + _TITLE, dpi=_DPI)
    axes = figure.subplots(1, 2 * len(names), squeeze=False)[0]
    figure.subplots_adjust(left=0.005, right=0.995, top=height / (height + _TITLE), bottom=0.01, wspace=0.02)
    for index, name in enumerate(names):
        image = case.study.images[name]
        level = upper_level(image.values, _hidden(case, name), chosen)
        for each in (axes[index], axes[len(names) + index]):
            _show(each, name, image, (level, chosen))
        _mark(axes[len(names) + index], case, name)
    missing = [name for name in _ORDER if name not in names]
    words = f"One view only: no {missing[0]} image. " if missing else ""
    caption = (
        f"{words}Inverse grey, {chosen.scale} scale, black at percentile {chosen.percentile:g} of the body's counts "
        f"without uptake set aside. Left: plain. Right: findings numbered (dashed below {percent(DOUBTFUL_BELOW)} "
        "confidence), segments thin, uptake set aside dotted. R and L are the patient's sides."
    )
    alt = f"{' and '.join(names)} view with {len(case.findings)} marked findings"
    share = round(min(1.0, panels * height / _FULL_WIDTH), 3)
    return (Figure("planar-views", caption, alt, to_png(figure), share),)


def _extent(grid: Grid) -> tuple[float, float]:
    down, right = grid.spacing
    return grid.shape[1] * right, grid.shape[0] * down


def _show(axes: Axes, name: str, image: Image, scale: tuple[float, PlanarOptions]) -> None:
    level, options = scale
    shown = np.clip(image.values / level, 0, 1) ** (0.5 if options.scale == "sqrt" else 1.0)
    width, height = _extent(image.grid)
    axes.imshow(shown, cmap="gray_r", vmin=0, vmax=1, extent=(0, width, height, 0), interpolation="antialiased")
    axes.set_axis_off()
    axes.set_title(name.capitalize(), fontsize=9, color=INK, pad=4)
    for letter, x, side in zip(_SIDES[name], (0.02, 0.98), ("left", "right"), strict=True):
        axes.text(x, 0.985, letter, transform=axes.transAxes, ha=side, va="top", fontsize=9, color=INK, weight="bold")


def _mark(axes: Axes, case: Case, name: str) -> None:
    grid = case.study.images[name].grid
    for mapped in case.mapped:
        _outline(axes, mapped.region, name, grid, (BONE, 0.45, "-"))
    for aside in case.set_aside:
        _outline(axes, aside.region, name, grid, (ORGAN, 1.2, ":"))
    for n, finding in enumerate(case.findings, start=1):
        style = "-" if finding.confidence >= DOUBTFUL_BELOW else "--"
        part = _outline(axes, finding.region, name, grid, (LESION, 1.1, style))
        if part is not None:
            _number(axes, part, grid, str(n))


def _outline(axes: Axes, region: Region | None, name: str, grid: Grid, line: tuple[str, float, str]) -> Part | None:
    part = region.on(name) if region else None
    if part is not None:
        mask = np.pad(part.mask, 1)
        down, right = grid.spacing
        x = (np.arange(mask.shape[1]) + part.offset[1] - 0.5) * right
        y = (np.arange(mask.shape[0]) + part.offset[0] - 0.5) * down
        axes.contour(x, y, mask, [0.5], colors=line[0], linewidths=line[1], linestyles=line[2])
    return part


def _number(axes: Axes, part: Part, grid: Grid, text: str) -> None:
    row, column = part.offset[0], part.offset[1] + part.mask.shape[1]
    down, right = grid.spacing
    axes.annotate(
        text,
        (column * right, row * down),
        xytext=(1.5, 1.5),
        textcoords="offset points",
        fontsize=7.5,
        weight="bold",
        color=LESION,
        path_effects=[withStroke(linewidth=2, foreground="white")],
    )
