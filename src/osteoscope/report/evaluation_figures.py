"""The figures of an evaluation of detection: FROC with bands, sizes of matched lesions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteoscope.report.drawing import Drawing, new_axes
from osteoscope.report.evaluation_wording import sentence
from osteoscope.report.style import BLUE, FAINT, GREEN, VERMILION, new_figure
from osteoscope.stats.detection import Criterion
from osteoscope.stats.detection_record import Curve, Detection, LesionRow

_SIZE = (5.6, 4.4)
# Curves of several criteria often lie on one another: thick below, thin and broken above.
_LOOKS = ((BLUE, 3.2, "-"), (GREEN, 1.8, "-"), (VERMILION, 1.4, "--"))
_FEWEST = 3

_SIZES: tuple[tuple[str, str, Callable[[LesionRow], float], bool], ...] = (
    ("long_axis", "Long axis, mm", lambda row: row.long_axis_mm, False),
    ("volume_ratio", "Volume, mL", lambda row: row.volume_ml, True),
)


def drawings(detection: Detection, criteria: Sequence[Criterion], rate: float) -> Iterator[Drawing]:
    """FROC, and Bland-Altman plots of the long axis and of the volume; what has no data is left out."""
    first = criteria[0]
    if any(curve.points for curve in detection.curves):
        found = sentence(detection.find(first.name, "sensitivity_at_rate"))
        text = (
            f"FROC: sensitivity by lesion against false positives per scan; bands: 95 % by patient. Within {rate:g} "
            f"false positives per scan (dotted), match by {first.title}: {found}."
        )
        yield Drawing("froc", text, text, _froc(detection.curves, criteria, rate))
    pairs = _matched(detection, first)
    if len(pairs) < _FEWEST:
        return
    for name, title, of, ratio in _SIZES:
        bias = sentence(detection.find(first.name, f"{name}_bias"))
        figure = _bland_altman(np.array([[of(a), of(b)] for a, b in pairs]), title, ratio)
        text = (
            f"{title} of {len(pairs)} matched lesions, match by {first.title}; "
            f"{'ratio' if ratio else 'bias'} {bias}. Dashed: 95 % limits of agreement."
        )
        yield Drawing(f"bland_altman_{name}", text, text, figure)


def _matched(detection: Detection, criterion: Criterion) -> list[tuple[LesionRow, LesionRow]]:
    found = []
    for scan in detection.scans:
        lesions, findings = ({row.id: row for row in rows} for rows in (scan.lesions, scan.findings))
        pairs = (pair for pair in scan.pairs if pair.criterion == criterion.name)
        found += [(lesions[pair.lesion], findings[pair.finding]) for pair in pairs]
    return found


def _froc(curves: Sequence[Curve], criteria: Sequence[Criterion], rate: float) -> Figure:
    figure = new_figure(*_SIZE)
    axes = new_axes(figure, "False positives per scan", "Sensitivity by lesion")
    for curve, criterion, look in zip(curves, criteria, _LOOKS, strict=True):
        if curve.points:
            _curve(axes, curve, criterion.title, look)
    axes.axvline(rate, color=FAINT, linewidth=0.9, linestyle=":")
    axes.set_ylim(0, 1.02)
    axes.set_xlim(left=0)
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    figure.tight_layout()
    return figure


def _curve(axes: Axes, curve: Curve, title: str, look: tuple[str, float, str]) -> None:
    colour, width, style = look
    rates = [0.0, *(point.false_positives for point in curve.points)]
    sensitivity = [0.0, *(point.sensitivity for point in curve.points)]
    axes.step(rates, sensitivity, where="post", color=colour, linewidth=width, linestyle=style, label=title)
    if curve.band:
        places, low, high = zip(*((p.false_positives, p.low, p.high) for p in curve.band), strict=True)
        axes.fill_between(places, low, high, step="post", color=colour, alpha=0.13, linewidth=0)


def _bland_altman(sizes: np.ndarray, title: str, ratio: bool) -> Figure:
    """Difference against mean of (reference, reading), shape (n, 2); as ratios on logarithmic axes."""
    values = np.log(sizes) if ratio else sizes
    difference, mean = values[:, 1] - values[:, 0], values.mean(axis=1)
    shown = np.exp if ratio else np.asarray
    figure = new_figure(*_SIZE)
    other = "reading / reference" if ratio else "reading minus reference"
    axes = new_axes(figure, f"Mean of both: {title}", f"{title.partition(',')[0]}, {other}")
    if ratio:
        axes.set_xscale("log")
        axes.set_yscale("log")
    axes.axhline(1.0 if ratio else 0.0, color=FAINT, linewidth=0.8)
    for deviations, style in ((0.0, "-"), (-1.96, "--"), (1.96, "--")):
        level = float(shown(difference.mean() + deviations * difference.std(ddof=1)))
        axes.axhline(level, color=VERMILION, linewidth=1.2, linestyle=style)
    axes.scatter(shown(mean), shown(difference), s=18, color=BLUE, alpha=0.65, linewidths=0, zorder=3)
    figure.tight_layout()
    return figure
