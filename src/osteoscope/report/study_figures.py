"""The figure of a CT cohort: how large its lesions are and where they lie, by type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes

from osteoscope.domain.finding import Finding
from osteoscope.domain.reading import Reading
from osteoscope.report.drawing import Drawing
from osteoscope.report.study_tables import of_kind, place
from osteoscope.report.style import BLUE, INK, PURPLE, VERMILION, new_figure
from osteoscope.report.wording import count

_COLOURS = {"lytic": VERMILION, "blastic": BLUE, "mixed": PURPLE}
_EDGES_MM = (0, 5, 10, 15, 20, 30, 40, 60, 80)
_BARS = (*(f"{a}–{b}" for a, b in pairwise(_EDGES_MM)), f"{_EDGES_MM[-1]} or more")
_MOST_PLACES = 12


def drawings(readings: Mapping[str, Reading]) -> Iterator[Drawing]:
    """Sizes and places of the findings on CT; nothing where there are none."""
    findings = [f for reading in of_kind(readings, "ct").values() for f in reading.findings if f.kind in _COLOURS]
    if not findings:
        return
    figure = new_figure(7.6, 3.4)
    sizes, places = figure.subplots(1, 2)
    _sizes(sizes, findings)
    _places(places, findings)
    figure.tight_layout()
    text = f"{count(len(findings), 'finding')} on CT: long axis, and place, by type."
    yield Drawing("cohort_lesions", text, text, figure, 0.95)


def _sizes(axes: Axes, findings: Sequence[Finding]) -> None:
    below = np.zeros(len(_BARS))
    for kind, colour in _COLOURS.items():
        lengths = [m.value for f in findings if f.kind == kind for m in f.measures if m.name == "long_axis"]
        heights = np.histogram(lengths, (*_EDGES_MM, np.inf))[0]
        axes.bar(_BARS, heights, bottom=below, color=colour, label=kind)
        below += heights
    axes.set_xlabel("Long axis, mm", color=INK)
    axes.set_ylabel("Findings", color=INK)
    axes.tick_params(axis="x", rotation=60, labelsize=7)
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _places(axes: Axes, findings: Sequence[Finding]) -> None:
    common = [name for name, _ in Counter(map(place, findings)).most_common(_MOST_PLACES)][::-1]
    left = np.zeros(len(common))
    for kind, colour in _COLOURS.items():
        found = Counter(place(f) for f in findings if f.kind == kind)
        widths = np.array([found[name] for name in common])
        axes.barh(common, widths, left=left, color=colour)
        left += widths
    axes.set_xlabel("Findings", color=INK)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
