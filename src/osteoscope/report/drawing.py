"""Figures still to be written: as a picture of a report, as SVG, as PNG."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteoscope.report import parts
from osteoscope.report.style import INK, to_png


@dataclass(frozen=True)
class Drawing:
    """A figure still to be written.

    Args:
        name: fit for a file.
        caption, alt: as in `parts.Figure`.
        figure: of matplotlib.
        width: share of the page's width.
    """

    name: str
    caption: str
    alt: str
    figure: Figure
    width: float = 0.7

    def in_report(self) -> parts.Figure:
        """As a picture of a report."""
        return parts.Figure(self.name, self.caption, self.alt, to_png(self.figure), self.width)

    def svg(self) -> bytes:
        """The bytes of an SVG file, text as shapes, the same for the same figure."""
        stream = BytesIO()
        with mpl.rc_context({"svg.hashsalt": self.name}):
            self.figure.savefig(stream, format="svg", metadata={"Date": None})
        return stream.getvalue()


def in_report(made: Iterable[Drawing]) -> tuple[parts.Figure, ...]:
    """Drawings as pictures of a report."""
    return tuple(drawing.in_report() for drawing in made)


def new_axes(figure: Figure, x: str, y: str) -> Axes:
    """Axes with plain titles, open above and to the right."""
    axes = figure.add_subplot()
    axes.set_xlabel(x, color=INK, parse_math=False)
    axes.set_ylabel(y, color=INK, parse_math=False)
    axes.spines[["top", "right"]].set_visible(False)
    return axes
