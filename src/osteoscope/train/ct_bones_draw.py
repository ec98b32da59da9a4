"""One training example from a label map: bent, recoloured, diseased, scanned; the labels follow.

The way of SynthSeg (Billot et al. 2023, Medical Image Analysis 86:102789): everything but the shape is drawn anew each
time, so that the network learns shape. Mostly HU stay plausible, since a CT is in HU. All ranges are design choices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from osteoscope.domain.anatomy import SIDES, VERTEBRAE
from osteoscope.find.ct_bone_maps import (
    CELL_MM,
    FOLD,
    LABEL_OF,
    LABELS,
    TILE,
    UNKNOWN,
    VOXEL_MM,
    WAY_SCALE,
    Place,
    body_box,
    folded,
    picture,
    tables,
)
from osteoscope.train.ct_bones_looks import look
from osteoscope.train.ct_bones_maps import MAP_MM, LabelMap, decoded

Rng = np.random.Generator
# Sizes of an example in cells (z, y, x): some wide enough to tell right from left, some tall enough to count. Two cells
# at the bottom of the network in z would give wrong gradients: oneDNN's of convolutions in bfloat16 are not to be had.
Shape = tuple[int, int, int]
# One is looked at as in reading: the network normalises over all that it sees, so that the share of air counts.
SHAPES: tuple[Shape, ...] = ((48, 48, 48), (64, 32, 48), (48, 32, 64), TILE)
IGNORED = 255
_UNKNOWN = LABEL_OF[UNKNOWN]
_AIR = -1000.0
_STEP = VOXEL_MM / MAP_MM
_ON_BONE, _MIRRORED, _NARROW, _SHORT = 0.85, 0.5, 0.25, 0.2
_SHORTEST = 6  # cells of a short field
_ASTRAY = 2.5  # cells that the middle of a body may be off


@dataclass(frozen=True, eq=False)
class Example:
    """What the network sees and should say, per cell (d, h, w).

    Args:
        picture: float32 [`PLANES`, d, h, w].
        bone: uint8 [8, d, h, w], 1 in bone, `IGNORED` where unknown.
        kind: int8, index into `KINDS`, -1 beyond bone and where unknown.
        level: int8, index into `VERTEBRAE` of vertebrae and ribs, -1 elsewhere and where unknown.
        way: float32 [3, d, h, w], from each cell of a whole vertebra to its centre, in `WAY_SCALE` cells.
        whole: uint8, 1 in cells of whole vertebrae.
    """

    picture: NDArray[np.float32]
    bone: NDArray[np.uint8]
    kind: NDArray[np.int8]
    level: NDArray[np.int8]
    way: NDArray[np.float32]
    whole: NDArray[np.uint8]


def draw(source: LabelMap, shape: Shape, rng: Rng) -> Example:
    """Draw one example of that many cells."""
    voxels = tuple(n * FOLD for n in shape)
    body = _body(source)
    centre = _centre(source, voxels, rng)
    if shape == TILE:
        # Reading begins at the body's edge.
        centre[1:] = [span.start * FOLD + n * _STEP / 2 for span, n in zip(body[1:], voxels[1:], strict=True)]
    at = _places(centre, voxels, rng)
    box = _box(at, source.labels.shape)
    hu, labels = _sampled(source, box, at)
    back, left = _place(body, at, rng)
    if rng.random() < _MIRRORED:
        hu, labels = torch.flip(hu, (2,)), _MIRROR[torch.flip(labels, (2,)).long()]
        back, left = back[:, :, ::-1], -left[:, :, ::-1]
    if rng.random() < _NARROW:
        middle = _narrow(hu, labels, rng)
        back, left = back - back[middle], left - left[middle]
    cut, seen = _cut(source), look(hu, labels, rng)
    if rng.random() < _SHORT:
        cut = np.union1d(cut, end_field(seen, labels, rng))
    return _labelled(picture(seen.numpy(), (back, left)), labels.numpy().astype(np.uint8), cut)


def _cut(source: LabelMap) -> NDArray[np.uint8]:
    """Labels of bones that the map itself cuts: their centres are not known."""
    return np.unique(source.labels[[0, -1]])


def _mirror() -> Tensor:
    sides: dict[str, str] = dict(zip(SIDES, SIDES[::-1], strict=True))

    def other(label: str) -> str:
        return "_".join(sides.get(part, part) for part in label.split("_"))

    return torch.tensor([LABEL_OF[other(label)] for label in LABELS], dtype=torch.uint8)


_MIRROR = _mirror()


def _body(source: LabelMap) -> tuple[slice, ...]:
    """The box around the body, in cells of `FOLD` voxels of the map; the whole map where all is air."""
    coarse = decoded(source.codes[::FOLD, ::FOLD, ::FOLD])
    return body_box(coarse) or tuple(slice(0, n) for n in coarse.shape)


def _places(centre: NDArray[np.float64], voxels: tuple[int, ...], rng: Rng) -> Tensor:
    """Where each voxel of the example lies in the map: turned, stretched and bent, float32 [z, y, x, 3]."""
    turn = _turn(rng.normal(0, 0.12, 3)) @ np.diag(np.exp(rng.normal(0, 0.1) + rng.normal(0, 0.06, 3)))
    axes = [(torch.arange(n, dtype=torch.float32) - (n - 1) / 2) * _STEP for n in voxels]
    grid = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)
    at = grid @ torch.tensor(turn.T, dtype=torch.float32) + torch.tensor(centre, dtype=torch.float32)
    for knots, strength in ((3, 3.0), (6, 1.0)):
        bend = torch.tensor(rng.normal(0, float(rng.uniform(0, strength)), (1, 3, knots, knots, knots))).float()
        wide = functional.interpolate(bend, size=voxels, mode="trilinear", align_corners=True)
        at += wide[0].permute(1, 2, 3, 0)
    return at


def _place(body: tuple[slice, ...], at: Tensor, rng: Rng) -> Place:
    """Where each cell lies in the body, as well as reading can tell."""
    places = []
    for axis in (1, 2):
        middle = (body[axis].start + body[axis].stop - 1) * FOLD / 2
        cells = (at[::FOLD, ::FOLD, ::FOLD, axis].numpy() - middle) * (MAP_MM / CELL_MM)
        places.append((cells * np.exp(rng.normal(0, 0.1)) + rng.normal(0, _ASTRAY)).astype(np.float32))
    return places[0], places[1]


def _centre(source: LabelMap, voxels: tuple[int, ...], rng: Rng) -> NDArray[np.float64]:
    size = np.array(source.labels.shape)
    if rng.random() < _ON_BONE:
        # Trunks, where most of the names are, hold more bone than thighs.
        often = np.sqrt(np.count_nonzero(source.labels, axis=(1, 2)))
        if often.any():
            z = int(rng.choice(often.size, p=often / often.sum()))
            inside = np.argwhere(source.labels[z])
            chosen, middle = inside[int(rng.integers(len(inside)))], size[1:] / 2
            y, x = middle + rng.uniform(0, 1) * (chosen - middle)
            return np.asarray(np.array([z, y, x]) + rng.normal(0, 0.1, 3) * np.array(voxels), dtype=np.float64)
    return np.asarray(rng.uniform(0, 1, 3) * size, dtype=np.float64)


def _turn(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    matrix = np.eye(3)
    for axis, angle in enumerate(angles):
        a, b = (n for n in range(3) if n != axis)
        step = np.eye(3)
        step[[a, a, b, b], [a, b, a, b]] = np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)
        matrix = matrix @ step
    return np.asarray(matrix)


def _box(at: Tensor, shape: tuple[int, ...]) -> tuple[slice, ...]:
    """The part of the map that is looked at, at least two voxels wide."""
    low = np.floor(at.amin(dim=(0, 1, 2)).numpy()).astype(int)
    high = np.ceil(at.amax(dim=(0, 1, 2)).numpy()).astype(int) + 1
    start = [int(np.clip(a, 0, n - 2)) for a, n in zip(low, shape, strict=True)]
    return tuple(slice(a, max(a + 2, min(int(b), n))) for a, b, n in zip(start, high, shape, strict=True))


def _sampled(source: LabelMap, box: tuple[slice, ...], at: Tensor) -> tuple[Tensor, Tensor]:
    size = torch.tensor([s.stop - s.start for s in box], dtype=torch.float32)
    start = torch.tensor([s.start for s in box], dtype=torch.float32)
    grid = ((at - start) * 2 / (size - 1) - 1).flip(-1)[None]
    hu = torch.from_numpy(decoded(source.codes[box]) - np.float32(_AIR))[None, None]
    labels = torch.from_numpy(source.labels[box].astype(np.float32))[None, None]
    linear = functional.grid_sample(hu, grid, mode="bilinear", padding_mode="zeros", align_corners=True)
    nearest = functional.grid_sample(labels, grid, mode="nearest", padding_mode="zeros", align_corners=True)
    return linear[0, 0] + _AIR, nearest[0, 0].to(torch.uint8)


def _narrow(hu: Tensor, labels: Tensor, rng: Rng) -> tuple[int, ...]:
    """A narrow reconstructed field: a disc of the slices, air around; the cell in its middle."""
    d, h, w = hu.shape
    row, column = (float(rng.uniform(0.3, 0.7)) * n for n in (h, w))
    radius = float(rng.uniform(25, 60))
    rows, columns = torch.arange(h)[:, None], torch.arange(w)[None, :]
    outside = (rows - row) ** 2 + (columns - column) ** 2 > radius**2
    hu[:, outside] = _AIR
    labels[:, outside] = 0
    return d // (2 * FOLD), int(row) // FOLD, int(column) // FOLD


def end_field(seen: Tensor, labels: Tensor, rng: Rng) -> NDArray[np.uint8]:
    """End the field within the example, with air above, as a short scan is read; the labels that it cuts.

    Args:
        seen, labels: HU and labels of voxels (z, y, x), changed in place.
        rng: draws where.
    """
    top = FOLD * int(rng.integers(_SHORTEST, len(seen) // FOLD))
    cut = np.unique(labels[top - 1].numpy())
    seen[top:], labels[top:] = _AIR, 0
    return cut


def _labelled(seen: NDArray[np.float32], labels: NDArray[np.uint8], cut: NDArray[np.uint8]) -> Example:
    planes = folded(labels)
    bone = (planes > 0).astype(np.uint8)
    bone[planes == _UNKNOWN] = IGNORED
    cells = most(planes)
    kinds, levels = tables()
    way, whole = _ways(cells, cut)
    return Example(seen, bone, kinds[cells], levels[cells], way, whole)


def most(planes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The label of most of the bone in each cell, 0 without any; of two that hold as much, either, by turns.

    Args:
        planes: [8, d, h, w], labels of the voxels of each cell.
    """
    often = np.stack([(planes == one).sum(axis=0, dtype=np.uint8) for one in planes]) * (planes > 0)
    z, y, x = np.ogrid[tuple(slice(n) for n in planes.shape[1:])]
    even = (z + y + x) % 2 == 0
    chosen = np.where(even, often.argmax(axis=0), len(planes) - 1 - often[::-1].argmax(axis=0))
    return np.asarray(np.take_along_axis(planes, chosen[None], axis=0)[0])


_WHOLE_LABELS = frozenset(LABEL_OF[name] for name in VERTEBRAE)


def _ways(cells: NDArray[np.uint8], cut: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    way, whole = np.zeros((3, *cells.shape), dtype=np.float32), np.zeros(cells.shape, dtype=np.uint8)
    faces = [cells.take((0, -1), axis=axis).ravel() for axis in range(3)]
    broken = set(np.unique(np.concatenate(faces)).tolist()) | set(cut.tolist())
    for label in set(np.unique(cells).tolist()) & _WHOLE_LABELS - broken:
        inside = np.nonzero(cells == label)
        for axis in range(3):
            way[axis][inside] = (inside[axis].mean() - inside[axis]) / WAY_SCALE
        whole[inside] = 1
    return way, whole
