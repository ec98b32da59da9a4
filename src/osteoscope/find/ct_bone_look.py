"""The bones network looks at a CT, tile by tile: memory and time grow with the number of voxels and no faster."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.geometry import Grid
from osteoscope.errors import ModelError
from osteoscope.find.ct_bone_maps import (
    FOLD,
    LEVEL_SCALE,
    OUTPUTS,
    TILE,
    VOXEL_MM,
    WAY_SCALE,
    Place,
    body_box,
    folded,
    halved,
    picture,
    unfolded,
)
from osteoscope.find.ct_frame import AIR, Frame
from osteoscope.find.model import Model

Box = tuple[slice, ...]
_LEAST_LOGIT = -30.0  # of bone; below it the exponential would overflow
_OVERLAP = 24  # cells that tiles share: what a tile sees beyond the cells that it decides


@dataclass(frozen=True, eq=False)
class Seen:
    """What the network says of each cell (d, h, w), and of each voxel whether it is bone.

    Args:
        bone: chance of bone in 1/255, uint8 [2d, 2h, 2w].
        kind: most likely of `KINDS`, given that there is bone, uint8.
        sure: chance of that kind, in 1/255, uint8.
        level: index into `VERTEBRAE`, fractional, float16; of vertebrae and ribs alone.
        spread: how far off it may be (mean absolute error), levels, float16.
        way: to the centre of the vertebra, cells (z, y, x), float16 [3, d, h, w].
    """

    bone: NDArray[np.uint8]
    kind: NDArray[np.uint8]
    sure: NDArray[np.uint8]
    level: NDArray[np.float16]
    spread: NDArray[np.float16]
    way: NDArray[np.float16]

    def surely(self, cells: NDArray[np.intp]) -> float:
        """Mean chance, 0..1, of the most likely kinds of cells (n, 3)."""
        return float(self.sure[tuple(cells.T)].mean()) / 255

    def bone_cells(self, chance: float = 0.5) -> NDArray[np.bool_]:
        """The cells (d, h, w) of which a voxel is bone by that chance or more."""
        return np.asarray(folded(self.bone).max(axis=0) >= max(1, round(255 * chance)))

    @classmethod
    def nothing(cls, cells: tuple[int, ...]) -> Seen:
        """No bone anywhere."""
        return cls(
            bone=np.zeros([n * FOLD for n in cells], dtype=np.uint8),
            kind=np.zeros(cells, dtype=np.uint8),
            sure=np.zeros(cells, dtype=np.uint8),
            level=np.zeros(cells, dtype=np.float16),
            spread=np.zeros(cells, dtype=np.float16),
            way=np.zeros((3, *cells), dtype=np.float16),
        )


def coarse_frame(fine: Frame) -> Frame:
    """The frame that the network sees: every voxel the mean of 2 x 2 x 2."""
    hu = np.rint(halved(np.maximum(fine.hu, AIR))).astype(np.int16)
    start = fine.grid.to_position([0.5, 0.5, 0.5]).tolist()
    return Frame(hu, Grid.axial(hu.shape, (VOXEL_MM,) * 3, start), fine.source)


def look(frame: Frame, model: Model) -> Seen:
    """What the network says of a CT in a working frame of `VOXEL_MM`.

    Raises:
        ModelError: the weights are missing, not those of their card, or of another network.
    """
    hu = _even(frame.hu)
    cells = tuple(n // FOLD for n in hu.shape)
    seen = Seen.nothing(cells)
    body = body_box(hu[::FOLD, ::FOLD, ::FOLD])
    if body is None:
        return seen
    spans = [[(s.start + a, s.start + b, s.start + c) for a, b, c in spans_of(s.stop - s.start, t)] for s, t in zip(
        body, TILE, strict=True)]  # fmt: skip
    for corner in itertools.product(*spans):
        start = tuple(c[0] for c in corner)
        said = _said(hu, start, _place(start, body), model)
        own = tuple(slice(low, high) for _, low, high in corner)
        local = tuple(slice(low - start, high - start) for start, low, high in corner)
        _write(seen, said, own, local)
    return seen


def spans_of(cells: int, tile: int, overlap: int = _OVERLAP) -> Iterator[tuple[int, int, int]]:
    """Tiles along an axis as (start, first, stop): where each begins, and the cells that it decides."""
    count = 1 if cells <= tile else 1 + int(np.ceil((cells - tile) / (tile - overlap)))
    starts = np.linspace(0, max(0, cells - tile), count).round().astype(int).tolist()
    edges = [0, *((a + tile + b) // 2 for a, b in itertools.pairwise(starts)), cells]
    yield from zip(starts, edges[:-1], edges[1:], strict=True)


def _even(hu: NDArray[np.int16]) -> NDArray[np.int16]:
    """Padded with air to whole cells; nothing is copied where it fits."""
    more = [(0, n % FOLD) for n in hu.shape]
    return np.pad(hu, more, constant_values=AIR) if any(after for _, after in more) else hu


def _place(start: tuple[int, ...], body: Box) -> Place:
    """Of the cells of a tile that starts there."""
    back, left = (
        first + np.arange(tile, dtype=np.float32) - (span.start + span.stop - 1) / 2
        for first, tile, span in zip(start[1:], TILE[1:], body[1:], strict=True)
    )
    return back[:, None], left[None, :]


def _said(hu: NDArray[np.int16], start: tuple[int, ...], place: Place, model: Model) -> dict[str, NDArray[np.float32]]:
    tile = np.full([n * FOLD for n in TILE], AIR, dtype=np.int16)
    part = hu[tuple(slice(FOLD * s, FOLD * (s + n)) for s, n in zip(start, TILE, strict=True))]
    tile[tuple(slice(0, n) for n in part.shape)] = part
    found = model.run(picture(tile, place))
    sizes = [(planes, *TILE) for planes in OUTPUTS.values()]
    if [f.shape for f in found] != sizes:
        raise ModelError(
            f"look with the model {model.card.name}", f"outputs {[f.shape for f in found]}", f"Use a model of {sizes}"
        )
    return dict(zip(OUTPUTS, found, strict=True))


def _write(seen: Seen, said: dict[str, NDArray[np.float32]], own: Box, local: Box) -> None:
    planes = {name: value[(slice(None), *local)] for name, value in said.items()}
    chance = 1 / (1 + np.exp(-np.maximum(planes["bone"], _LEAST_LOGIT)))  # scipy's expit takes three times as long
    voxels = tuple(slice(FOLD * s.start, FOLD * s.stop) for s in own)
    seen.bone[voxels] = unfolded((chance * 255).round().astype(np.uint8))
    best = planes["kinds"].max(axis=0)
    seen.kind[own] = planes["kinds"].argmax(axis=0)
    seen.sure[own] = (255 / np.exp(planes["kinds"] - best).sum(axis=0)).round()
    seen.level[own] = planes["level"][0] * LEVEL_SCALE
    seen.spread[own] = np.exp(np.clip(planes["level"][1], -4, 3))
    seen.way[(slice(None), *own)] = planes["way"] * WAY_SCALE
