"""Colours that a colour-blind reader can tell apart, and the canvas that all pictures are drawn on."""

from __future__ import annotations

from io import BytesIO

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Transform

INK, FAINT, PAPER = "#1b2733", "#7b8794", "#ffffff"
# Okabe and Ito, "Color universal design", 2008.
SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE = "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7"
LESION, BONE, ORGAN = VERMILION, BLUE, GREEN
DPI = 130


def level_colour(level: float, most: float) -> str:
    """ "#rrggbb" of a score's level: near white for 0, then darker with every level."""
    if level <= 0:
        return "#f3f1ea"
    return str(to_hex(colormaps["YlOrBr"](0.22 + 0.73 * min(level / most, 1.0))))


def new_figure(width: float, height: float, background: str = PAPER, dpi: float = DPI) -> Figure:
    """A figure of that size in inches, tied to no window and to no global state."""
    figure = Figure(figsize=(width, height), dpi=dpi, facecolor=background)
    FigureCanvasAgg(figure)
    return figure


def to_png(figure: Figure) -> bytes:
    """The bytes of the figure as PNG, the same for the same figure."""
    stream = BytesIO()
    figure.savefig(stream, format="png", facecolor=figure.get_facecolor(), metadata={"Software": None})
    return stream.getvalue()


def write_on(axes: Axes, place: tuple[float, float], text: str, size: float, side: str = "center") -> None:
    """Write white text with a dark halo at a share (x, y) of the axes' width and height."""
    _write(axes, place, text, (size, side), axes.transAxes)


def write_at(axes: Axes, place: tuple[float, float], text: str, size: float) -> None:
    """Write white text with a dark halo at data coordinates."""
    _write(axes, place, text, (size, "center"), axes.transData)


def _write(axes: Axes, place: tuple[float, float], text: str, look: tuple[float, str], transform: Transform) -> None:
    size, side = look
    halo = [withStroke(linewidth=size / 4, foreground="black")]
    axes.text(*place, text, transform=transform, ha=side, va="center", fontsize=size, color="white", path_effects=halo)
