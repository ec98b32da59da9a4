"""The skeleton of a volume at a glance: coronal and sagittal projections, bones coloured, lesions numbered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.anatomy import VERTEBRAE, site
from osteoscope.domain.finding import Part
from osteoscope.domain.geometry import Grid
from osteoscope.domain.reading import Case
from osteoscope.report.parts import Figure
from osteoscope.report.slices import AIR_HU, CORONAL, SAGITTAL, Array, Plane, letter
from osteoscope.report.style import BLUE, GREEN, LESION, PURPLE, SKY, YELLOW, new_figure, to_png, write_at

_IMAGE = "ct"
_WINDOW_HU = (-100.0, 1100.0)
_WIDTH, _MOST_HEIGHT = 7.2, 6.4
# Black rim that holds letters and the marks of lesions at the edge.
_MARGIN_MM = 16.0
# Two hues that alternate along the spine, the ribs and between sides, so that neighbours can be told apart.
_HUES = (("vertebra", (SKY, YELLOW)), ("rib", (GREEN, SKY)), ("sacrum", (PURPLE, PURPLE)), ("hip", (GREEN, BLUE)))
_OTHERS = (BLUE, PURPLE)


def overview(case: Case, voxel_mm: float = 2.0) -> tuple[Figure, ...]:
    """Coronal and sagittal maximum projections on a patient-aligned lattice of ``voxel_mm``."""
    image = case.study.images[_IMAGE]
    lattice = patient_lattice(image.grid, voxel_mm, _MARGIN_MM)
    volume = _resample(image.values, image.grid, lattice, AIR_HU, order=1)
    views = [Projection(plane, volume, lattice) for plane in (CORONAL, SAGITTAL)]
    for mapped in case.mapped:
        part = mapped.region.on(_IMAGE) if mapped.region else None
        if part is not None:
            paint(views, part, image.grid, _colour(mapped.site))
    widths = [view.picture.shape[1] for view in views]
    height = views[0].picture.shape[0]
    scale = min(_WIDTH / sum(widths), _MOST_HEIGHT / height)
    figure = new_figure(sum(widths) * scale, height * scale, "#000000")
    for axes, view in zip(figure.subplots(1, 2, width_ratios=widths), views, strict=True):
        _draw(axes, view, case)
    figure.subplots_adjust(left=0, right=1, top=1, bottom=0, wspace=0)
    caption = (
        "Maximum projections, coronal (from the front) and sagittal (from the left). Coloured: bones as "
        "named. Vertebrae by name, ? where the level is not sure. Numbered rings: findings."
    )
    alt = f"Skeleton with {len(case.mapped)} named bones and {len(case.findings)} findings"
    return (Figure("skeleton", caption, alt, to_png(figure), round(sum(widths) * scale / _WIDTH, 3)),)


def patient_lattice(grid: Grid, voxel: float, margin: float = 0.0) -> Grid:
    """A patient-aligned grid [z down from the head, y, x] around a whole volume; voxel and margin in mm."""
    corners = grid.to_position(_corners([(-0.5, n - 0.5) for n in grid.shape]))
    low, high = corners.min(axis=0) - margin, corners.max(axis=0) + margin
    shape = np.maximum(1, np.ceil((high - low) / voxel)).astype(int)[::-1]
    matrix = np.eye(4)
    matrix[:3, :3] = np.asarray([[0, 0, voxel], [0, voxel, 0], [-voxel, 0, 0]])
    matrix[:3, 3] = (low[0] + voxel / 2, low[1] + voxel / 2, high[2] - voxel / 2)
    return Grid.from_matrix(shape.tolist(), matrix)


def _corners(bounds: Sequence[tuple[float, float]]) -> Array:
    return np.asarray(np.array(np.meshgrid(*bounds)).reshape(3, -1).T, dtype=float)


def _resample(values: NDArray[np.generic], grid: Grid, lattice: Grid, outside: float, order: int) -> NDArray[np.int16]:
    matrix = np.linalg.inv(grid.matrix) @ lattice.matrix
    return np.asarray(
        ndimage.affine_transform(
            values, matrix[:3, :3], matrix[:3, 3], lattice.shape, np.int16, order=order, cval=outside, prefilter=False
        )
    )


class Projection:
    """The maximum along one axis of a lattice, with the bones painted over it (RGB, 0..1)."""

    def __init__(self, plane: Plane, volume: NDArray[np.int16], lattice: Grid) -> None:
        low, high = _WINDOW_HU
        self.plane = plane
        self.lattice = lattice
        self.axis = 1 if plane is CORONAL else 2
        self.grey = np.clip((volume.max(axis=self.axis) - low) / (high - low), 0, 1)
        self.picture = np.repeat(self.grey[..., np.newaxis] * 0.45, 3, axis=2)

    def pixel(self, position: Array) -> tuple[float, float]:
        """(x, y) of the picture at an LPS position."""
        index = self.lattice.to_index(position)
        return float(index[3 - self.axis]), float(index[0])


def paint(views: Sequence[Projection], part: Part, grid: Grid, colour: str) -> None:
    """Paint a Part of a volume on ``grid`` over all views, shaded by their grey."""
    lattice = views[0].lattice
    corners = _corners([(o - 0.5, o + n - 0.5) for o, n in zip(part.offset, part.mask.shape, strict=True)])
    index = lattice.to_index(grid.to_position(corners))
    low = np.clip(np.floor(index.min(axis=0)).astype(int), 0, np.asarray(lattice.shape) - 1)
    high = np.clip(np.ceil(index.max(axis=0)).astype(int) + 1, low + 1, lattice.shape)
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    inside = _resample(part.mask.astype(np.uint8), grid.crop(part.box), lattice.crop(box), 0, order=0)
    for view in views:
        seen = inside.max(axis=view.axis)[..., np.newaxis] > 0
        area = (box[0], box[3 - view.axis])
        tint = np.asarray(to_rgb(colour)) * (0.25 + 0.75 * view.grey[area][..., np.newaxis])
        view.picture[area] = np.where(seen, 0.25 * view.picture[area] + 0.75 * tint, view.picture[area])


def _colour(site_id: str) -> str:
    hues = next((pair for prefix, pair in _HUES if site_id.startswith(prefix)), _OTHERS)
    return hues[_turn(site_id) % 2]


def _turn(site_id: str) -> int:
    """A number that differs by one between neighbours: level, number of a rib, or side."""
    if site_id in VERTEBRAE:
        return VERTEBRAE.index(site_id)
    last = site_id.rsplit("_", 1)[-1]
    return int(last) if last.isdigit() else int(last == "left")


def _draw(axes: Axes, view: Projection, case: Case) -> None:
    axes.imshow(np.clip(view.picture, 0, 1), interpolation="bilinear", aspect="equal")
    axes.set_axis_off()
    letter(axes, view.plane)
    grid = case.study.images[_IMAGE].grid
    if view.plane is SAGITTAL:
        _name_vertebrae(axes, view, case, grid)
    for n, finding in enumerate(case.findings, start=1):
        x, y = view.pixel(grid.to_position(finding.region.parts[0].centroid()))
        axes.plot(x, y, "o", markersize=11, markerfacecolor="none", markeredgecolor=LESION, markeredgewidth=1.4)
        axes.annotate(str(n), (x, y), xytext=(6, 5), textcoords="offset points", fontsize=8, weight="bold",
                      color="white", path_effects=[withStroke(linewidth=2.5, foreground=LESION)])  # fmt: skip


def _name_vertebrae(axes: Axes, view: Projection, case: Case, grid: Grid) -> None:
    for mapped in case.mapped:
        part = mapped.region.on(_IMAGE) if mapped.region else None
        if part is None or not mapped.site.startswith("vertebra_"):
            continue
        name = mapped.site.removeprefix("vertebra_") if site(mapped.site).level_known else ""
        sure = "" if name and not mapped.level_uncertain else "?"
        write_at(axes, view.pixel(grid.to_position(part.centroid())), name + sure, 6)
