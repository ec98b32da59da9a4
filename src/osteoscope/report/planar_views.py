"""Planar views side by side in inverse grey, plain and marked, cropped to the body.

The upper level lies well below the maximum, since bladder, liver and primary tumour would else take
the whole scale (display practice of docs/background/mibg.md): it is a percentile of
the smoothed counts within the body, without uptake that was set aside.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import find_contours

from osteoscope.domain.finding import DOUBTFUL_BELOW, Part, Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.reading import Case
from osteoscope.report.parts import Figure
from osteoscope.report.style import BONE, INK, LESION, ORGAN, new_figure, to_png
from osteoscope.report.wording import percent

_ORDER = ("anterior", "posterior")
# Inches.
_FULL_WIDTH, _MOST_HEIGHT, _TITLE, _DPI = 9.0, 6.6, 0.3, 160
_LABEL_POINTS = 6.5
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
        margin: share of the body's height that is left around it, for letters and numbers.
    """

    percentile: float = 99.0
    scale: Literal["linear", "sqrt"] = "linear"
    smoothing_px: float = 1.0
    margin: float = 0.05


@dataclass(frozen=True)
class Window:
    """The rectangle of a view that is shown, in mm (or pixels) from the picture's corner: the same in both views."""

    left: float
    right: float
    top: float
    bottom: float

    @property
    def shape(self) -> tuple[float, float]:
        """Width and height."""
        return self.right - self.left, self.bottom - self.top


def views(case: Case, options: PlanarOptions | None = None) -> tuple[Figure, ...]:
    """One figure of all views: plain on the left, marked on the right."""
    chosen = options or PlanarOptions()
    names = [name for name in _ORDER if name in case.study.images]
    window = body_window(case, chosen)
    panels = 2 * len(names) * window.shape[0] / window.shape[1]
    height = float(np.clip(_FULL_WIDTH / panels, 3.0, _MOST_HEIGHT))
    figure = new_figure(panels * height, height + _TITLE, dpi=_DPI)
    axes = figure.subplots(1, 2 * len(names), squeeze=False)[0]
    figure.subplots_adjust(left=0, right=1, top=height / (height + _TITLE), bottom=0, wspace=0)
    for index, name in enumerate(names):
        for each in (axes[index], axes[len(names) + index]):
            show_view(each, case, name, (window, chosen))
        _mark(axes[len(names) + index], case, name, (window, height))
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


def body_window(case: Case, options: PlanarOptions) -> Window:
    """What of the views holds counts or marks, even about the middle so that it fits a view and its mirror image."""
    rows, reach = [], [0.0]
    middle = 0.0
    for name, image in case.study.images.items():
        used = _used(case, name)
        down, right = image.grid.spacing
        middle = image.grid.shape[1] * right / 2
        rows += [float(r) * down for r in np.flatnonzero(used.any(axis=1))[[0, -1]] + [0, 1]]
        reach += [abs(float(c) * right - middle) for c in np.flatnonzero(used.any(axis=0))[[0, -1]] + [0, 1]]
    margin = options.margin * (max(rows) - min(rows))
    half = max(reach) + margin
    return Window(middle - half, middle + half, min(rows) - margin, max(rows) + margin)


def _used(case: Case, name: str) -> NDArray[np.bool_]:
    """Pixels with more than stray counts, and all that is marked; the whole view where there is neither."""
    counts = case.study.images[name].values.astype(float)
    smooth = ndimage.gaussian_filter(counts, 3.0)
    used = np.asarray(smooth > max(0.5 * smooth.mean(), 0.02 * smooth.max()))
    for part in _parts(case, name):
        used[part.box] = True
    return used if used.any() else np.ones(counts.shape, dtype=bool)


def _parts(case: Case, name: str) -> Iterable[Part]:
    regions = [
        *(m.region for m in case.mapped),
        *(f.region for f in case.findings),
        *(s.region for s in case.set_aside),
    ]
    return (part for region in regions if region is not None and (part := region.on(name)) is not None)


def _hidden(case: Case, name: str) -> NDArray[np.bool_]:
    hidden = np.zeros(case.study.images[name].grid.shape, dtype=bool)
    for aside in case.set_aside:
        part = aside.region.on(name)
        if part is not None:
            hidden[part.box] |= part.mask
    return hidden


def show_view(axes: Axes, case: Case, name: str, look: tuple[Window, PlanarOptions]) -> None:
    """Draw a view plain, in inverse grey, with the patient's sides."""
    window, options = look
    image = case.study.images[name]
    level = upper_level(image.values, _hidden(case, name), options)
    shown = np.clip(image.values / level, 0, 1) ** (0.5 if options.scale == "sqrt" else 1.0)
    down, right = image.grid.spacing
    rows, columns = image.grid.shape
    extent = (0, columns * right, rows * down, 0)
    axes.imshow(shown, cmap="gray_r", vmin=0, vmax=1, extent=extent, interpolation="antialiased")
    axes.set(xlim=(window.left, window.right), ylim=(window.bottom, window.top), aspect="equal")
    axes.set_axis_off()
    axes.set_title(name.capitalize(), fontsize=9, color=INK, pad=4)
    for letter, x, side in zip(_SIDES[name], (0.04, 0.96), ("left", "right"), strict=True):
        axes.text(x, 0.985, letter, transform=axes.transAxes, ha=side, va="top", fontsize=9, color=INK, weight="bold")


def _mark(axes: Axes, case: Case, name: str, layout: tuple[Window, float]) -> None:
    grid = case.study.images[name].grid
    for mapped in case.mapped:
        outline(axes, mapped.region, name, grid, (BONE, 0.45, "-"))
    for aside in case.set_aside:
        outline(axes, aside.region, name, grid, (ORGAN, 1.2, ":"))
    marks: list[Mark] = []
    for n, finding in enumerate(case.findings, start=1):
        style = "-" if finding.confidence >= DOUBTFUL_BELOW else "--"
        part = outline(axes, finding.region, name, grid, (LESION, 1.0, style))
        if part is not None:
            row, column = (part.centroid() + 0.5) * grid.spacing
            marks.append(Mark(str(n), float(column), float(row)))
    write_labels(axes, marks, layout)


def outline(axes: Axes, region: Region | None, name: str, grid: Grid, line: tuple[str, float, str]) -> Part | None:
    """Draw the outline of a region's part on a view (colour, width, style); the part, or None where it has none."""
    part = region.on(name) if region else None
    if part is not None:
        # What axes.contour draws, without its cost.
        traced = find_contours(np.pad(part.mask, 1).astype(np.float32), 0.5)
        edges = [((edge + np.array(part.offset) - 0.5) * grid.spacing)[:, ::-1] for edge in traced]
        drawn = LineCollection(edges, colors=line[0], linewidths=line[1], linestyles=line[2])
        axes.add_collection(drawn, autolim=False)
    return part


@dataclass(frozen=True)
class Mark:
    """A label, and where on the view (in the grid's unit) it points to."""

    text: str
    x: float
    y: float
    colour: str = LESION


def write_labels(axes: Axes, marks: list[Mark], layout: tuple[Window, float]) -> None:
    """Labels down both edges of the picture, each joined to its finding, so that none hides another."""
    window, height = layout
    gap = 1.25 * _LABEL_POINTS / 72 / height * window.shape[1]
    middle = (window.left + window.right) / 2
    for edge, side in ((window.left, "left"), (window.right, "right")):
        near = sorted((m for m in marks if (m.x < middle) == (side == "left")), key=lambda mark: mark.y)
        heights = spread([mark.y for mark in near], gap, (window.top + 4 * gap, window.bottom - gap))
        inset = edge + (middle - edge) * 0.05
        for mark, at in zip(near, heights, strict=True):
            axes.plot([inset, mark.x], [at, mark.y], color=mark.colour, linewidth=0.35)
            axes.text(inset, at, mark.text, fontsize=_LABEL_POINTS, color=mark.colour, weight="bold", va="center",
                      ha=side, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6})  # fmt: skip


def spread(wanted: list[float], gap: float, bounds: tuple[float, float]) -> list[float]:
    """Places near the wanted ones, in the same order and at least ``gap`` apart, within bounds if they hold them."""
    low, high = bounds
    places: list[float] = []
    for place in wanted:
        places.append(max(place, low if not places else places[-1] + gap))
    for n in reversed(range(len(places))):
        ceiling = high if n == len(places) - 1 else places[n + 1] - gap
        places[n] = max(min(places[n], ceiling), low + n * gap)
    return places
