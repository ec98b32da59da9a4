"""The skeleton of a volume at a glance: coronal and sagittal projections, bones coloured, lesions numbered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.finding import Part
from osteoscope.domain.geometry import Grid
from osteoscope.domain.reading import Case, MappedSite
from osteoscope.report.parts import Figure
from osteoscope.report.planes import AIR, PLANES, Plane
from osteoscope.report.style import BLUE, GREEN, LESION, ORANGE, PURPLE, SKY, YELLOW, new_figure, to_png

Array = NDArray[np.float64]
_WINDOW_HU = (-100.0, 1100.0)
# Two hues that alternate along the spine and the ribs, so that neighbours can be told apart and counted.
_HUES = (
    ("vertebra", (SKY, ORANGE)),
    ("rib", (GREEN, YELLOW)),
    ("sacrum", (PURPLE, PURPLE)),
    ("hip", (GREEN, BLUE)),
    ("skull", (PURPLE, PURPLE)),
)
_OTHERS = (ORANGE, SKY)


def overview(case: Case, voxel_mm: float = 2.0) -> tuple[Figure, ...]:
    """Coronal and sagittal maximum projections on a patient-aligned lattice of ``voxel_mm``."""
    image = case.study.images["ct"]
    lattice = _lattice(image.grid, voxel_mm)
    volume = _resample(image.values, image.grid, lattice, AIR, order=1)
    views = [_View(plane, volume, lattice) for plane in PLANES[1:]]
    for n, mapped in enumerate(case.mapped):
        part = mapped.region.on("ct") if mapped.region else None
        if part is not None:
            _paint(views, part, image.grid, lattice, _colour(mapped, n))
    width = sum(view.shown.shape[1] for view in views)
    height = views[0].shown.shape[0]
    scale = min(7.2 / width, 6.4 / height)
    figure = new_figure(width * scale, height * scale, "#000000")
    axes = figure.subplots(1, 2, width_ratios=[view.shown.shape[1] for view in views])
    figure.subplots_adjust(left=0, right=1, top=1, bottom=0, wspace=0)
    for each, view in zip(np.atleast_1d(axes), views, strict=True):
        _draw(each, view, case)
    caption = (
        "Maximum projections, coronal (from the front) and sagittal (from the left). Bones coloured as named; "
        "? marks a level that is not sure. Numbers: findings."
    )
    alt = f"Skeleton with {len(case.mapped)} named bones and {len(case.findings)} findings"
    return (Figure("skeleton", caption, alt, to_png(figure), min(1.0, width * scale / 7.2)),)


def _lattice(grid: Grid, voxel: float) -> Grid:
    """A patient-aligned grid [z down from the head, y, x] around the whole volume."""
    corners = grid.to_position(np.array(np.meshgrid(*[(-0.5, n - 0.5) for n in grid.shape])).reshape(3, -1).T)
    low, high = corners.min(axis=0), corners.max(axis=0)
    shape = np.maximum(1, np.ceil((high - low) / voxel)).astype(int)[::-1]
    matrix = np.eye(4)
    matrix[:3, :3] = np.asarray([[0, 0, voxel], [0, voxel, 0], [-voxel, 0, 0]])
    matrix[:3, 3] = (low[0] + voxel / 2, low[1] + voxel / 2, high[2] - voxel / 2)
    return Grid.from_matrix(shape.tolist(), matrix)


def _resample(values: NDArray[np.generic], grid: Grid, lattice: Grid, outside: float, order: int) -> NDArray[np.int16]:
    matrix = np.linalg.inv(grid.matrix) @ lattice.matrix
    return np.asarray(
        ndimage.affine_transform(
            values, matrix[:3, :3], matrix[:3, 3], lattice.shape, np.int16, order=order, cval=outside, prefilter=False
        )
    )


class _View:
    """One projection: the grey picture and, painted over it, the bones."""

    def __init__(self, plane: Plane, volume: NDArray[np.int16], lattice: Grid) -> None:
        self.plane = plane
        self.axis = 1 if plane.right[0] else 2
        low, high = _WINDOW_HU
        grey = np.clip((volume.max(axis=self.axis) - low) / (high - low), 0, 1)
        self.grey = grey
        self.shown = np.repeat(grey[..., np.newaxis] * 0.45, 3, axis=2)
        self.lattice = lattice
        self.labels: list[tuple[Array, str]] = []

    def pixel(self, position: Array) -> Array:
        """(x, y) of the picture at an LPS position."""
        index = self.lattice.to_index(position)
        return np.asarray([index[3 - self.axis], index[0]])


def _paint(views: Sequence[_View], part: Part, grid: Grid, lattice: Grid, colour: str) -> None:
    corners = np.array(
        np.meshgrid(*[(o - 0.5, o + n - 0.5) for o, n in zip(part.offset, part.mask.shape, strict=True)])
    )
    index = lattice.to_index(grid.to_position(corners.reshape(3, -1).T))
    low = np.clip(np.floor(index.min(axis=0)).astype(int), 0, np.asarray(lattice.shape) - 1)
    high = np.clip(np.ceil(index.max(axis=0)).astype(int) + 1, low + 1, lattice.shape)
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    inside = _resample(part.mask.astype(np.uint8), grid.crop(part.box), lattice.crop(box), 0, order=0) > 0
    for view in views:
        seen = np.asarray(inside.any(axis=view.axis))
        area = (box[0], box[3 - view.axis])
        tint = np.asarray(to_rgb(colour)) * (0.25 + 0.75 * view.grey[area][..., np.newaxis])
        view.shown[area] = np.where(seen[..., np.newaxis], 0.25 * view.shown[area] + 0.75 * tint, view.shown[area])


def _colour(mapped: MappedSite, n: int) -> str:
    hues = next((pair for prefix, pair in _HUES if mapped.site.startswith(prefix)), _OTHERS)
    return hues[n % 2]


def _draw(axes: Axes, view: _View, case: Case) -> None:
    axes.imshow(np.clip(view.shown, 0, 1), interpolation="bilinear", aspect="equal")
    axes.set_axis_off()
    halo = [withStroke(linewidth=2, foreground="black")]
    left, right, top, bottom = view.plane.letters
    for letter, (x, y) in zip(
        (left, right, top, bottom), ((0.02, 0.5), (0.98, 0.5), (0.5, 0.98), (0.5, 0.02)), strict=True
    ):
        axes.text(x, y, letter, transform=axes.transAxes, ha="center", va="center", fontsize=8, color="white",
                  path_effects=halo)  # fmt: skip
    grid = case.study.images["ct"].grid
    if view.axis == 2:
        _name_vertebrae(axes, view, case, grid)
    for n, finding in enumerate(case.findings, start=1):
        x, y = view.pixel(grid.to_position(finding.region.parts[0].centroid()))
        axes.plot(x, y, "o", markersize=11, markerfacecolor="none", markeredgecolor=LESION, markeredgewidth=1.4)
        axes.annotate(str(n), (x, y), xytext=(6, 5), textcoords="offset points", fontsize=8, weight="bold",
                      color="white", path_effects=[withStroke(linewidth=2.5, foreground=LESION)])  # fmt: skip


def _name_vertebrae(axes: Axes, view: _View, case: Case, grid: Grid) -> None:
    for mapped in case.mapped:
        part = mapped.region.on("ct") if mapped.region else None
        if part is None or not mapped.site.startswith("vertebra_"):
            continue
        x, y = view.pixel(grid.to_position(part.centroid()))
        name = "?" if "unknown" in mapped.site else mapped.site.removeprefix("vertebra_")
        sure = "" if "level uncertain" not in mapped.notes or name == "?" else "?"
        axes.text(x, y, name + sure, ha="center", va="center", fontsize=6, color="white",
                  path_effects=[withStroke(linewidth=1.5, foreground="black")])  # fmt: skip
