"""Each lesion at both dates on one plane: the earlier CT is cut where the later plane lies in the moved bone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from matplotlib.axes import Axes

from osteoscope.domain.finding import Finding, Part
from osteoscope.domain.image import Image
from osteoscope.measure.bone_motion import Rigid
from osteoscope.measure.lesion_change_record import Call, CtResponse, Followed, Sighting
from osteoscope.report.parts import Figure
from osteoscope.report.slices import AXIAL, SAGITTAL, Array, letter, plane_points, sample_hu, sample_mask
from osteoscope.report.style import BLUE, FAINT, GREEN, LESION, PURPLE, SKY, VERMILION, new_figure, to_png, write_on
from osteoscope.report.wording import count, site_name

_WINDOW_HU = (-500.0, 1300.0)
_LEAST_MM, _PIXELS, _MOST = 70.0, 200, 12
# Told apart by the colour-blind.
CALL_COLOURS: Mapping[Call, str] = MappingProxyType(
    {
        "new": VERMILION, "grown": VERMILION, "stable": BLUE, "shrunk": GREEN, "turned_sclerotic": PURPLE,
        "gone": GREEN, "not_comparable": SKY,
    }
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Pictured:
    """What pictures need.

    Args:
        patient: name.
        images: earlier and later CT.
        findings: of both dates, by id.
    """

    patient: str
    images: tuple[Image, Image]
    findings: tuple[Mapping[str, Finding], Mapping[str, Finding]]


def pictures(response: CtResponse, pictured: Pictured) -> tuple[Figure, ...]:
    """One figure per lesion that can be shown at both dates, changes first; a caption says how many are left out."""
    motions = {motion.site: motion.rigid for motion in response.motions}
    shown = [one for one in response.lesions if one.site in motions and one.call != "not_comparable"]
    shown.sort(key=lambda one: one.call == "stable")
    figures = [_figure(one, motions[one.site], response, pictured) for one in shown[:_MOST]]
    left = len(response.lesions) - len(figures)
    if figures and left:
        last = figures[-1]
        caption = f"{last.caption} Not shown: {count(left, 'lesion')}."
        figures[-1] = Figure(last.name, caption, last.alt, last.png, last.width)
    return tuple(figures)


def _figure(lesion: Followed, rigid: Rigid, response: CtResponse, pictured: Pictured) -> Figure:
    centre, reach = _centre(lesion, rigid), _reach(lesion)
    offsets = np.linspace(-reach, reach, _PIXELS)
    figure = new_figure(7.2, 1.85, "#000000")
    panels = figure.subplots(1, 4)
    for n, plane in enumerate((AXIAL, SAGITTAL)):
        points = plane_points(centre, plane, offsets)
        for when, (axes, places) in enumerate(zip(panels[2 * n :], (rigid.back().move(points), points), strict=False)):
            date = response.dates[when]
            _show(axes, pictured.images[when], places, offsets)
            _outlines(axes, pictured, when, lesion, (places, offsets))
            write_on(axes, (0.03, 0.95), date.date or ("earlier", "later")[when], 6, "left")
            letter(axes, plane)
    figure.subplots_adjust(left=0, right=1, top=1, bottom=0, wspace=0.01)
    words = lesion.call.replace("_", " ")
    caption = (
        f"{lesion.id}: {site_name(lesion.site)}, {words}. Axial and sagittal, each earlier (left) and later date; the "
        "earlier one is cut along the later plane as its bone moved."
    )
    return Figure(lesion.id, caption, f"Lesion {lesion.id} at both dates, {words}", to_png(figure), 0.95)


def _centre(lesion: Followed, rigid: Rigid) -> Array:
    """Of the later date; where the lesion was, moved, if it is not there now."""
    if lesion.now is not None:
        return np.asarray(lesion.now.centre)
    return rigid.move(np.asarray(lesion.before.centre if lesion.before else (0.0, 0.0, 0.0)))


def _reach(lesion: Followed) -> float:
    sights: Sequence[Sighting] = [s for s in (lesion.before, lesion.now) if s is not None]
    diameter = max((6000 * s.volume_ml / np.pi) ** (1 / 3) for s in sights)
    return float(max(_LEAST_MM, 1.6 * diameter) / 2)


def _show(axes: Axes, image: Image, points: Array, offsets: Array) -> None:
    low, high = _WINDOW_HU
    edge = float(offsets[-1])
    shown = sample_hu(image, points)
    axes.imshow(shown, cmap="gray", vmin=low, vmax=high, extent=(-edge, edge, edge, -edge), interpolation="bilinear")
    axes.set_axis_off()


def _outlines(axes: Axes, pictured: Pictured, when: int, lesion: Followed, plane: tuple[Array, Array]) -> None:
    """The lesion itself strong, others at that date faint."""
    points, offsets = plane
    sight = (lesion.before, lesion.now)[when]
    own = sight.findings if sight else ()
    for name, finding in pictured.findings[when].items():
        part: Part = finding.region.parts[0]
        inside = sample_mask(part, pictured.images[when].grid, points)
        if inside.max() > 0.5:
            colour, width = (LESION, 1.1) if name in own else (FAINT, 0.6)
            axes.contour(offsets, offsets, inside, [0.5], colors=colour, linewidths=width)
