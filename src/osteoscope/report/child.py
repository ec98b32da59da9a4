"""A schematic child whose 12 SIOPEN segments are coloured by level, seen from the front."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from osteoscope.domain.anatomy import SIOPEN
from osteoscope.domain.reading import Reading, SiteReading
from osteoscope.report.parts import Figure
from osteoscope.report.style import FAINT, INK, level_colour, new_figure, to_png
from osteoscope.report.wording import number

Box = tuple[float, float, float, float]

# Rounded boxes (left, top, width, height) on a picture 100 wide and 200 high. The patient's right is at the left.
# The spine is drawn over the cage and the pelvis, and runs down to the sacrum (the default of `SIOPEN`).
_MIDDLE: Mapping[str, tuple[Box, ...]] = MappingProxyType(
    {
        "skull": ((37.0, 2.0, 26.0, 30.0),),
        "thoracic_cage": ((27.5, 39.0, 17.0, 36.0), (55.5, 39.0, 17.0, 36.0)),
        "pelvis": ((29.0, 84.0, 15.5, 17.0), (55.5, 84.0, 15.5, 17.0)),
        "spine": ((46.0, 33.5, 8.0, 70.0),),
    }
)
_RIGHT: Mapping[str, Box] = MappingProxyType(
    {
        "proximal_upper_limb": (15.5, 40.0, 9.5, 34.0),
        "distal_upper_limb": (12.5, 75.5, 9.0, 36.0),
        "proximal_lower_limb": (32.0, 106.0, 13.0, 42.0),
        "distal_lower_limb": (33.0, 150.0, 11.0, 46.0),
    }
)
_STATUS_WORDS = {"not_acquired": "n/a", "not_assessable": "?"}


def _boxes(segment: str) -> tuple[Box, ...]:
    if segment in _MIDDLE:
        return _MIDDLE[segment]
    limb, side = segment.rsplit("_", 1)
    left, top, width, height = _RIGHT[limb]
    return ((left if side == "right" else 100 - left - width, top, width, height),)


def child(reading: Reading) -> tuple[Figure, ...]:
    """The schematic with the level of each segment in every part of it; hatched where a segment could not be scored."""
    figure = new_figure(3.1, 5.4)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(4, 96), ylim=(200, -8), aspect="equal")
    axes.set_axis_off()
    for segment in SIOPEN:
        _draw(axes, segment, reading.site(segment))
    for letter, x in (("R", 9), ("L", 91)):
        axes.text(x, 3, letter, ha="center", va="center", fontsize=11, weight="bold", color=INK)
    caption = "SIOPEN level of each segment, seen from the front. Hatched: not scored (n/a: not acquired)."
    levels = {s: _text(reading.site(s)) for s in SIOPEN}
    alt = "; ".join(f"{segment.replace('_', ' ')} {level}" for segment, level in levels.items())
    return (Figure("siopen-schematic", caption, alt, to_png(figure), 0.32),)


def _draw(axes: Axes, segment: str, said: SiteReading | None) -> None:
    measure = said.measure("siopen") if said else None
    colour = level_colour(measure.value, 6) if measure else "#ffffff"
    dark = measure is not None and measure.value >= 4
    for box in _boxes(segment):
        left, top, width, height = box
        shape = FancyBboxPatch(
            (left + 2, top + 2),
            width - 4,
            height - 4,
            boxstyle=f"round,pad=2,rounding_size={min(width, height) / 2.4}",
            facecolor=colour,
            edgecolor=FAINT,
            hatch=None if measure else "/////",
            linewidth=0.8,
        )
        axes.add_patch(shape)
        middle = left + width / 2, top + height / 2
        text = axes.text(*middle, _text(said), ha="center", va="center", fontsize=10 if measure else 7.5)
        text.set_color("#ffffff" if dark else INK)
        if measure is None:
            text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1.2})


def _text(said: SiteReading | None) -> str:
    measure = said.measure("siopen") if said else None
    if measure is not None:
        return number(measure.value)
    return _STATUS_WORDS.get(said.status if said else "", "–")
