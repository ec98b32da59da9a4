"""Three planes through the centre of each of the most confident lesions of a volume."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from matplotlib.axes import Axes

from osteoscope.domain.finding import Finding, Part
from osteoscope.domain.geometry import Grid
from osteoscope.domain.reading import Case
from osteoscope.report.parts import Figure
from osteoscope.report.slices import PLANES, Array, letter, plane_points, sample_hu, sample_mask
from osteoscope.report.style import LESION, SKY, new_figure, to_png, write_on
from osteoscope.report.wording import count, percent, place, site_name

_BAR_MM = 20.0


@dataclass(frozen=True)
class PlaneOptions:
    """Display choices.

    Args:
        window_hu, level_hu: greyscale; the usual bone window by default.
        field_mm: least width of a picture; grows with the lesion.
        pixel_mm: of the sampled picture.
        most_pixels: of a picture's side; large lesions are sampled coarser.
        most: number of lesions shown, the most confident first.
    """

    window_hu: float = 1800.0
    level_hu: float = 400.0
    field_mm: float = 90.0
    pixel_mm: float = 0.5
    most_pixels: int = 300
    most: int = 10


def lesions(case: Case, options: PlaneOptions | None = None) -> tuple[Figure, ...]:
    """One figure of three planes for each of the most confident findings, numbered as in the Reading.

    The last caption says how many were left out.
    """
    chosen = options or PlaneOptions()
    numbered = sorted(enumerate(case.findings, start=1), key=lambda pair: (-pair[1].confidence, pair[0]))
    figures = [_lesion(case, n, finding, chosen) for n, finding in numbered[: chosen.most]]
    left_out = len(numbered) - len(figures)
    if figures and left_out:
        words = f"{figures[-1].caption} Not shown: {count(left_out, 'less confident finding')}."
        figures[-1] = replace(figures[-1], caption=words)
    return tuple(figures)


def _lesion(case: Case, n: int, finding: Finding, options: PlaneOptions) -> Figure:
    part = finding.region.parts[0]
    image = case.study.images[part.image]
    mapped = case.place(finding.site)
    bone = mapped.region.on(part.image) if mapped and mapped.region else None
    centre = image.grid.to_position(part.centroid())
    offsets = _offsets(part, image.grid, options)
    figure = new_figure(7.2, 2.4, "#000000")
    for axes, plane in zip(figure.subplots(1, 3), PLANES, strict=True):
        points = plane_points(centre, plane, offsets)
        _show(axes, sample_hu(image, points), offsets, options)
        if bone is not None:
            _outline(axes, sample_mask(bone, image.grid, points), offsets, (SKY, 0.5))
        _outline(axes, sample_mask(part, image.grid, points), offsets, (LESION, 1.1))
        letter(axes, plane)
        write_on(axes, (0.03, 0.965), plane.name, 6.5, "left")
        _scale_bar(axes, float(offsets[-1]))
    figure.subplots_adjust(left=0, right=1, top=1, bottom=0, wspace=0.01)
    name = f"{site_name(finding.site)}, {finding.kind}, confidence {percent(finding.confidence)}"
    caption = f"Finding {n}: {name}. Centre {place(finding.centre)}."
    alt = f"Axial, coronal and sagittal plane through finding {n}: {name}"
    return Figure(f"lesion-{n:02d}", caption, alt, to_png(figure), 0.92)


def _offsets(part: Part, grid: Grid, options: PlaneOptions) -> Array:
    size = float(np.linalg.norm(np.asarray(part.mask.shape) * grid.spacing))
    half = max(options.field_mm, 1.3 * size) / 2
    return np.linspace(-half, half, min(int(2 * half / options.pixel_mm), options.most_pixels))


def _show(axes: Axes, shown: Array, offsets: Array, options: PlaneOptions) -> None:
    low, high = options.level_hu - options.window_hu / 2, options.level_hu + options.window_hu / 2
    edge = float(offsets[-1])
    axes.imshow(shown, cmap="gray", vmin=low, vmax=high, extent=(-edge, edge, edge, -edge), interpolation="bilinear")
    axes.set_axis_off()


def _outline(axes: Axes, inside: Array, offsets: Array, line: tuple[str, float]) -> None:
    if inside.max() > 0.5:
        axes.contour(offsets, offsets, inside, [0.5], colors=line[0], linewidths=line[1])


def _scale_bar(axes: Axes, half: float) -> None:
    right, bottom = 0.92 * half, 0.88 * half
    axes.plot([right - _BAR_MM, right], [bottom, bottom], color="white", linewidth=1.6)
    share = 0.5 + (right - _BAR_MM / 2) / half / 2
    write_on(axes, (share, 0.1), f"{_BAR_MM / 10:.0f} cm", 6.5)
