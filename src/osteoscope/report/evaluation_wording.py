"""Figures of an evaluation of detection in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from osteoscope.report.parts import Cell
from osteoscope.report.wording import JOINED
from osteoscope.stats.ratings import Statistic

# Ends of resamples that are all the same differ by rounding alone.
_NO_WIDTH = 1e-9
# Name -> (words for a reader, decimals; per cent where 0).
FIGURES: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "sensitivity": ("Sensitivity", 0),
        "false_positives": ("False positives per scan", 2),
        "false_positives_negative": ("False positives per scan without a lesion", 2),
        "splits": ("Of the false positives, on a lesion already found, per scan", 2),
        "precision": ("Findings that hit a lesion", 0),
        "sensitivity_at_rate": ("Sensitivity within {rate:g} false positives per scan", 0),
        "sensitivity_with_unread": ("Sensitivity, lesions of scans without a reading missed", 0),
        "sensitivity_at_rate_with_unread": (
            "Sensitivity within {rate:g} false positives per scan, lesions of scans without a reading missed",
            0,
        ),
        "mean_sensitivity": ("Mean sensitivity, 1/8 to 8 false positives per scan", 0),
        "dice": ("Dice of matched lesions, mean", 3),
        "surface_mm": ("Mean surface distance, mm", 2),
        "hd95_mm": ("95 % Hausdorff distance, mm", 2),
        "long_axis_bias": ("Long axis: bias, mm", 1),
        "long_axis_limit_low": ("Long axis: lower 95 % limit, mm", 1),
        "long_axis_limit_high": ("Long axis: upper 95 % limit, mm", 1),
        "volume_ratio_bias": ("Volume: ratio to the reference", 2),
        "volume_ratio_limit_low": ("Volume ratio: lower 95 % limit", 2),
        "volume_ratio_limit_high": ("Volume ratio: upper 95 % limit", 2),
        "kind_exact": ("Type the same", 0),
        "kind_kappa": ("Type: kappa", 3),
        "size_right": ("Size right", 0),
        "location_right": ("Place right", 0),
        "detection_right": ("Detection right", 0),
    }
)


def label(name: str, rate: float) -> str:
    """A figure's name for a reader."""
    return FIGURES[name][0].format(rate=rate)


def _text(name: str, value: float) -> str:
    decimals = FIGURES[name][1]
    text = f"{value:.{decimals}f}" if decimals else f"{100 * value:.0f}"
    return text.replace("-", "−")


def interval_text(statistic: Statistic) -> str:
    """ "low to high" of the interval to report first, "" where there is none or it has no width (not estimable)."""
    first = statistic.intervals[0] if statistic.intervals else None
    if first is None or math.isclose(first.low, first.high, rel_tol=_NO_WIDTH):
        return ""
    return f"{_text(statistic.name, first.low)} to {_text(statistic.name, first.high)}"


def cell(statistic: Statistic | None) -> Cell:
    """Value with its 95 % interval; a dash where it is undefined."""
    if statistic is None or statistic.value is None:
        return Cell("–")
    per_cent = "" if FIGURES[statistic.name][1] else f"{JOINED}%"
    return Cell(_text(statistic.name, statistic.value) + per_cent, interval_text(statistic))


def sentence(statistic: Statistic | None) -> str:
    """ "83 % (70 to 92)", or that it is not defined."""
    shown = cell(statistic)
    if shown.text == "–":
        return "not defined"
    return f"{shown.text} ({shown.detail})" if shown.detail else shown.text
