"""How the pictures of a batch lie on the canvas: `osteoscope.train.planar_sample.Laying` of many at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from osteoscope.find.planar_canvas import CANVAS, FILLED, HALF
from osteoscope.train.planar_batch import Batch
from osteoscope.train.planar_held import BODY


@dataclass(frozen=True, eq=False)
class Stretch:
    """`osteoscope.train.planar_proportions.Proportions` of a batch.

    Args:
        rows, middle, width: (B, H).
        columns: W.
    """

    rows: Tensor
    middle: Tensor
    width: Tensor
    columns: int

    @classmethod
    def of(cls, batch: Batch) -> Stretch:
        """As the plans say."""
        rows, middle, width = (
            batch.tensor([getattr(plan.proportions, name) for plan in batch.plans])
            for name in ("rows", "middle", "width")
        )
        return cls(rows, middle, width, batch.shape[1])

    def picture(self, views: Tensor) -> Tensor:
        """Expected counts (B, 2, H, W) in the new proportions."""
        height = views.shape[2]
        right = self._right(torch.arange(self.columns, device=views.device)[None], self.middle, self.width)
        down = (2 * self.rows / (height - 1) - 1)[:, :, None].expand_as(right)
        grid = torch.stack([2 * right / (self.columns - 1) - 1, down], dim=-1)
        moved = functional.grid_sample(views, grid, padding_mode="border", align_corners=True)
        return moved * ((right > -0.5) & (right < self.columns - 0.5))[:, None]

    def nearest(self, rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
        """Flat old place (B, rows, columns) of new rows (B, n) and columns (B, m), and whether it is inside."""
        down = self.rows.gather(1, rows).round().clamp(0, self.rows.shape[1] - 1).long()
        right = self._right(columns, self.middle.gather(1, rows), self.width.gather(1, rows)).round().long()
        inside = (right >= 0) & (right < self.columns)
        return down[:, :, None] * self.columns + right.clamp(0, self.columns - 1), inside

    def _right(self, columns: Tensor, middle: Tensor, width: Tensor) -> Tensor:
        return middle[:, :, None] + width[:, :, None] * (columns - (self.columns - 1) / 2)[:, None, :]


@dataclass(frozen=True, eq=False)
class Layings:
    """A stretch, then `osteoscope.find.planar_canvas.Fitting` of each picture.

    Args:
        stretch: of the batch.
        scale, down, right: (B,) of the fittings.
    """

    stretch: Stretch
    scale: Tensor
    down: Tensor
    right: Tensor

    @classmethod
    def of(cls, batch: Batch, stretch: Stretch, bits: Tensor) -> Layings:
        """Fit the body of each picture (B, H, W) as an outline would, some per cent off."""
        every = (torch.arange(n, device=batch.device).expand(len(batch), n) for n in batch.shape)
        place, inside = stretch.nearest(*every)
        body = inside & (_taken(bits, place) >> BODY & 1 > 0)
        first, last = (
            torch.stack(ends, dim=1) for ends in zip(*(_ends(body.any(axis)) for axis in (2, 1)), strict=True)
        )
        off = batch.tensor(np.array([plan.off for plan in batch.plans])) * (last - first).repeat_interleave(2, 1)
        low, high = first + off[:, ::2], last + off[:, 1::2]
        sides = torch.tensor(CANVAS, device=batch.device)
        scale = FILLED * (sides / (high - low).clamp(min=1)).amin(1)
        shift = sides / 2 - scale[:, None] * (low + high) / 2
        return cls(stretch, scale, shift[:, 0], shift[:, 1])

    def resample(self, counts: Tensor) -> Tensor:
        """Counts (B, 2, H, W) on the canvas."""
        down, right = (
            _shares(n, self.scale, shift, size)
            for n, shift, size in zip(counts.shape[2:], (self.down, self.right), CANVAS, strict=True)
        )
        return down[:, None] @ counts @ right[:, None].mT

    def lay(self, *masks: Tensor) -> list[Tensor]:
        """Masks (B, H, W) or (B, planes, H, W) of the bodies at `HALF` resolution, 0 outside."""
        rows, columns = (
            (((torch.arange(n, device=shift.device) + 0.5) * 2 - shift[:, None]) / self.scale[:, None]).floor().long()
            for n, shift in zip(HALF, (self.down, self.right), strict=True)
        )
        height, width = self.stretch.rows.shape[1], self.stretch.columns
        place, inside = self.stretch.nearest(rows.clamp(0, height - 1), columns.clamp(0, width - 1))
        inside &= ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
        return [_taken(mask, place) * (inside if mask.ndim == 3 else inside[:, None]) for mask in masks]

    def place(self, number: Tensor, row: Tensor, column: Tensor) -> tuple[Tensor, Tensor]:
        """Canvas places of places in the stretched pictures of those numbers."""
        scale = self.scale[number]
        return (row + 0.5) * scale + self.down[number] - 0.5, (column + 0.5) * scale + self.right[number] - 0.5


def _taken(planes: Tensor, place: Tensor) -> Tensor:
    """Planes (B, ..., H, W) at flat places (B, rows, columns)."""
    flat = planes.flatten(-2)
    index = place.flatten(1)
    if planes.ndim == 4:
        index = index[:, None].expand(-1, planes.shape[1], -1)
    return flat.gather(-1, index).view(*planes.shape[:-2], *place.shape[1:])


def _ends(line: Tensor) -> tuple[Tensor, Tensor]:
    """First and past-last place (B,) that is set in lines (B, n)."""
    found = line.to(torch.int32)
    return found.argmax(1).float(), line.shape[1] - found.flip(1).argmax(1).float()


def _shares(count: int, scale: Tensor, shift: Tensor, size: int) -> Tensor:
    """As `osteoscope.find.planar_canvas` spreads pixels over elements: (B, size, count)."""
    at = (torch.arange(count, device=scale.device) + 0.5)[None] * scale[:, None] + shift[:, None]
    edges = torch.arange(size + 1, device=scale.device)
    u = ((edges[None, :, None] - at[:, None, :]) / scale[:, None, None]).clamp(-1, 1)
    return torch.where(u < 0, (1 + u) ** 2 / 2, 1 - (1 - u) ** 2 / 2).diff(dim=1)
