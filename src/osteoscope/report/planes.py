"""Three planes through the centre of each of the most confident lesions of a volume.

Planes are those of the patient, not of the array: every picture is sampled in millimetres, so that
anisotropic and oblique grids show true shapes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.finding import Finding, Part
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import Case
from osteoscope.report.parts import Figure
from osteoscope.report.style import LESION, SKY, new_figure, to_png
from osteoscope.report.wording import percent, place, site_name

Array = NDArray[np.float64]
AIR = -1024


@dataclass(frozen=True)
class Plane:
    """A plane of the patient: LPS directions to the right and down the picture, letters left, right, top, bottom."""

    name: str
    right: tuple[float, float, float]
    down: tuple[float, float, float]
    letters: tuple[str, str, str, str]


PLANES = (
    Plane("axial", (1, 0, 0), (0, 1, 0), ("R", "L", "A", "P")),
    Plane("coronal", (1, 0, 0), (0, 0, -1), ("R", "L", "H", "F")),
    Plane("sagittal", (0, 1, 0), (0, 0, -1), ("A", "P", "H", "F")),
)


@dataclass(frozen=True)
class PlaneOptions:
    """Display choices.

    Args:
        window_hu, level_hu: greyscale; the usual bone window by default.
        field_mm: least width of a picture; grows with the lesion.
        pixel_mm: of the sampled picture.
        most: number of lesions shown, the most confident first.
    """

    window_hu: float = 1800.0
    level_hu: float = 400.0
    field_mm: float = 110.0
    pixel_mm: float = 0.5
    most: int = 10


def lesions(case: Case, options: PlaneOptions | None = None) -> tuple[Figure, ...]:
    """One figure of three planes for each of the most confident findings, numbered as in the Reading."""
    chosen = options or PlaneOptions()
    numbered = list(enumerate(case.findings, start=1))
    numbered.sort(key=lambda pair: (-pair[1].confidence, pair[0]))
    return tuple(_lesion(case, n, finding, chosen) for n, finding in numbered[: chosen.most])


def _lesion(case: Case, n: int, finding: Finding, options: PlaneOptions) -> Figure:
    part = finding.region.parts[0]
    image = case.study.images[part.image]
    mapped = case.place(finding.site)
    bone = mapped.region.on(part.image) if mapped and mapped.region else None
    centre = image.grid.to_position(part.centroid())
    half = _half_field(part, image.grid, options)
    figure = new_figure(7.2, 2.5, "#000000")
    for axes, plane in zip(figure.subplots(1, 3), PLANES, strict=True):
        points, offsets = _points(centre, plane, half, options.pixel_mm)
        _draw(axes, _sample(image, points), offsets, options)
        if bone is not None:
            _contour(axes, bone, image.grid, (points, offsets), (SKY, 0.5))
        _contour(axes, part, image.grid, (points, offsets), (LESION, 1.1))
        _letter(axes, plane, half)
    figure.subplots_adjust(left=0, right=1, top=1, bottom=0, wspace=0.01)
    name = f"{site_name(finding.site)}, {finding.kind}, confidence {percent(finding.confidence)}"
    caption = f"Finding {n}: {name}. Centre {place(finding.centre)}."
    alt = f"Axial, coronal and sagittal plane through finding {n}: {name}"
    return Figure(f"lesion-{n:02d}", caption, alt, to_png(figure))


def _half_field(part: Part, grid: Grid, options: PlaneOptions) -> float:
    size = float(np.linalg.norm(np.asarray(part.mask.shape) * grid.spacing))
    return max(options.field_mm, 1.3 * size) / 2


def _points(centre: Array, plane: Plane, half: float, pixel: float) -> tuple[Array, Array]:
    """LPS positions, shape (n, n, 3), of a square picture, and its pixels' offsets from the centre in mm."""
    step = max(pixel, half / 150)
    offsets = np.arange(-half, half + step / 2, step)
    across = offsets[np.newaxis, :, np.newaxis] * np.asarray(plane.right)
    down = offsets[:, np.newaxis, np.newaxis] * np.asarray(plane.down)
    return centre + across + down, offsets


def _sample(image: Image, points: Array) -> Array:
    index = np.moveaxis(image.grid.to_index(points), -1, 0)
    return np.asarray(ndimage.map_coordinates(image.values, index, order=1, output=float, cval=AIR))


def _draw(axes: Axes, shown: Array, offsets: Array, options: PlaneOptions) -> None:
    low, high = options.level_hu - options.window_hu / 2, options.level_hu + options.window_hu / 2
    edge = float(offsets[-1])
    axes.imshow(shown, cmap="gray", vmin=low, vmax=high, extent=(-edge, edge, edge, -edge), interpolation="bilinear")
    axes.set_axis_off()


def _contour(axes: Axes, part: Part, grid: Grid, where: tuple[Array, Array], line: tuple[str, float]) -> None:
    points, offsets = where
    index = grid.to_index(points) - np.asarray(part.offset)
    mask = ndimage.map_coordinates(part.mask.astype(np.float32), np.moveaxis(index, -1, 0), order=1, cval=0.0)
    if mask.max() > 0.5:
        axes.contour(offsets, offsets, mask, [0.5], colors=line[0], linewidths=line[1])


def _letter(axes: Axes, plane: Plane, half: float) -> None:
    halo = [withStroke(linewidth=2, foreground="black")]
    places = ((0.03, 0.5), (0.97, 0.5), (0.5, 0.965), (0.5, 0.035))
    for letter, (x, y) in zip(plane.letters, places, strict=True):
        axes.text(x, y, letter, transform=axes.transAxes, ha="center", va="center", fontsize=8, color="white",
                  path_effects=halo)  # fmt: skip
    axes.text(0.03, 0.965, plane.name, transform=axes.transAxes, va="center", fontsize=6.5, color="#d0d5da",
              path_effects=halo)  # fmt: skip
    length = 20.0
    left, bottom = 0.62 * half, 0.88 * half
    axes.plot([left + 0.3 * half - length, left + 0.3 * half], [bottom, bottom], color="white", linewidth=1.6)
    axes.text(left + 0.3 * half - length / 2, bottom - 0.03 * half, f"{length / 10:.0f} cm", ha="center", va="bottom",
              fontsize=6.5, color="white", path_effects=halo)  # fmt: skip
