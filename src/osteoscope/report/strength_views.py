"""Pictures of a bone in the testing machine: two sections, and the surface in relief."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.geometry import Grid
from osteoscope.fe.strain import element_strain, principal
from osteoscope.fe.strength_record import Strength
from osteoscope.report.strength_marks import marked_lines
from osteoscope.report.style import LESION, SKY, YELLOW, new_figure, write_on

Array = NDArray[np.float64]
_WORDS = (("left", "right"), ("back", "front"), ("head", "feet"))
STRAIN_TOP = 0.01


def _middle(found: Strength) -> NDArray[np.intp]:
    grid, share = found.trial.mesh.grid, found.trial.mesh.share
    place = grid.to_index(found.failure.centre) if found.failure else np.argwhere(share > 0).mean(axis=0)
    return np.clip(np.rint(place), 0, np.subtract(share.shape, 1)).astype(int)


def sections(found: Strength) -> Figure:
    """Two sections through the place of first failure, or through the middle where there is none."""
    mesh = found.trial.mesh
    centre = _middle(found)
    top = float(np.quantile(mesh.modulus[mesh.share > 0.5], 0.97))
    low, high = _extent(found)
    widths = [int(n) for n in (high - low)[[2, 1]]]
    height = 7.0 * float((high - low)[0]) / sum(widths)
    figure = new_figure(7.0, float(np.clip(height, 2.5, 7.5)), "#000000")
    for axes, across in zip(figure.subplots(1, 2, width_ratios=widths), (2, 1), strict=True):
        through = 3 - across
        cut = [np.take(values, centre[through], axis=through) for values in _layers(found, top)]
        picture = _mixed(*cut)
        axes.imshow(picture, origin="lower", aspect="equal", interpolation="nearest")
        for share in mesh.lesions.values():
            plane = np.take(share, centre[through], axis=through)
            if plane.max() > 0.5:
                axes.contour(plane, [0.5], colors=LESION, linewidths=1.2)
        _landmarks(axes, found, across)
        axes.set_xlim(low[across] - 0.5, high[across] - 0.5)
        axes.set_ylim(low[0] - 0.5, high[0] - 0.5)
        _letters(axes, mesh.grid, across)
        axes.set_axis_off()
    figure.subplots_adjust(left=0, right=1, top=1, bottom=0, wspace=0.02)
    return figure


def _extent(found: Strength) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First and last + 1 element of bone and cement along each axis, one more around."""
    there = np.argwhere((found.trial.mesh.share > 0) | found.trial.caps)
    return there.min(axis=0) - 1, there.max(axis=0) + 2


def _layers(found: Strength, top: float) -> tuple[Array, Array, Array]:
    """Grey of bone, share of cement, and heat of plastic strain, all 0..1, [z, y, x]."""
    mesh = found.trial.mesh
    grey = np.where(mesh.share > 0, np.clip(mesh.modulus / top, 0, 1) ** 0.6 * 0.85 + 0.1, 0)
    cement = found.trial.caps & (mesh.share <= 0)
    heat = np.where(found.curve.failed & (mesh.share > 0), np.clip(found.curve.plastic_strain / 0.01, 0.25, 1), 0)
    return grey, cement.astype(float), heat


def _mixed(grey: Array, cement: Array, heat: Array) -> Array:
    picture = np.repeat(grey[..., None], 3, axis=2)
    for weight, colour in ((cement, SKY), (heat, "#e8271b")):
        picture = picture * (1 - 0.8 * weight[..., None]) + 0.8 * weight[..., None] * np.asarray(to_rgb(colour))
    return np.clip(picture, 0, 1)


def _landmarks(axes: Axes, found: Strength, across: int) -> None:
    grid = found.trial.mesh.grid
    right, up = (grid.matrix[:3, n] / grid.spacing[n] for n in (across, 0))
    for line in marked_lines(found.marks, right, up):
        index = grid.to_index(line.places)
        marker = "o" if line.ends else ""
        axes.plot(index[:, across], index[:, 0], color=YELLOW, linewidth=1.0, marker=marker, markersize=2.5)


def _letters(axes: Axes, grid: Grid, across: int) -> None:
    way = grid.matrix[:3, across]
    part = int(np.argmax(np.abs(way)))
    words = _WORDS[part] if way[part] > 0 else _WORDS[part][::-1]
    write_on(axes, (0.97, 0.03), words[0], 7, "right")
    write_on(axes, (0.03, 0.03), words[1], 7, "left")


def relief(found: Strength) -> Figure:
    """The surface from four sides, coloured by the greatest principal strain."""
    mesh = found.trial.mesh
    low, high = _extent(found)
    box = tuple(slice(max(0, int(a)), int(b)) for a, b in zip(low, high, strict=True))
    cement = (found.trial.caps & (mesh.share <= 0))[box]
    solid = (mesh.share > 0.35)[box] | cement
    strain = np.zeros(mesh.share.shape)
    there = found.curve.last.model.modulus > 0
    strain[there] = np.abs(principal(element_strain(found.curve.last))).max(axis=1)
    layers = (solid, strain[box], cement)
    views = [(axis, side) for axis in (1, 2) for side in (0, 1)]
    widths = [solid.shape[3 - axis] for axis, _ in views]
    figure = new_figure(7.2, float(np.clip(7.2 * solid.shape[0] / sum(widths), 1.6, 7.0)), "#000000")
    for axes, (axis, side) in zip(figure.subplots(1, 4, width_ratios=widths), views, strict=True):
        axes.imshow(_seen(layers, axis, side), origin="lower", interpolation="bilinear")
        way = mesh.grid.matrix[:3, axis] * (1 if side else -1)
        part = int(np.argmax(np.abs(way)))
        write_on(axes, (0.5, 0.03), f"from the {_WORDS[part][0 if way[part] > 0 else 1]}", 6.5)
        axes.set_axis_off()
    figure.subplots_adjust(left=0, right=1, top=1, bottom=0, wspace=0.02)
    return figure


def _seen(of: tuple[NDArray[np.bool_], Array, NDArray[np.bool_]], axis: int, side: int) -> Array:
    """RGB of what is first met along an axis, from its low (0) or high (1) end, of (solid, strain, cement)."""

    # From behind and from the right the last axis runs from the right to the left of the picture.
    columns = slice(None, None, -1 if bool(side) != (axis == 2) else 1)

    def turned(values: NDArray[np.generic]) -> NDArray[np.generic]:
        return np.moveaxis(values, axis, 0)[:: -1 if side else 1, :, columns]

    solid = turned(of[0]).astype(bool)
    depth = np.where(solid.any(axis=0), np.argmax(solid, axis=0), -1)
    hit = depth >= 0
    index = np.maximum(depth, 0)[None]
    # The most strained of the two outer layers: thin cortex is often one element of partial volume.
    layers = [
        np.take_along_axis(turned(of[1]).astype(float), np.minimum(index + n, len(solid) - 1), 0)[0] for n in (0, 1)
    ]
    heat = np.clip(np.maximum(*layers) / STRAIN_TOP, 0, 1)
    cement = np.take_along_axis(turned(of[2]), index, 0)[0].astype(bool)
    smooth = ndimage.gaussian_filter(np.where(hit, depth, depth.max() + 4).astype(float), 0.8)
    down, right = np.gradient(smooth)
    light = np.clip((0.75 - 0.35 * down + 0.25 * right) / np.sqrt(1 + down**2 + right**2), 0.12, 1)
    tint = np.asarray([0.86, 0.84, 0.78]) * (1 - heat[..., None]) + heat[..., None] * np.asarray([0.9, 0.1, 0.05])
    tint[cement] = to_rgb(SKY)
    return np.asarray(np.where(hit[..., None], tint * light[..., None], 0.0))
