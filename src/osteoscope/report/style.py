"""Colours that a colour-blind reader can tell apart, and the canvas that all pictures are drawn on."""

from __future__ import annotations

from io import BytesIO

from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

INK, FAINT, PAPER = "#1b2733", "#7b8794", "#ffffff"
# Okabe and Ito, "Color universal design", 2008.
ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE = (
    "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7",
)  # fmt: skip
LESION, BONE, ORGAN = VERMILION, BLUE, FAINT
DPI = 130


def level_colour(level: float, most: float) -> str:
    """ "#rrggbb" of a score's level: near white for 0, then darker with every level."""
    if level <= 0:
        return "#f3f1ea"
    return str(to_hex(colormaps["YlOrBr"](0.22 + 0.73 * min(level / most, 1.0))))


def new_figure(width: float, height: float, background: str = PAPER) -> Figure:
    """A figure of that size in inches, tied to no window and to no global state."""
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor=background)
    FigureCanvasAgg(figure)
    return figure


def to_png(figure: Figure) -> bytes:
    """The bytes of the figure as PNG, the same for the same figure."""
    stream = BytesIO()
    figure.savefig(stream, format="png", facecolor=figure.get_facecolor(), metadata={"Software": None})
    return stream.getvalue()
