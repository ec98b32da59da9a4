"""The planar network: a small U-Net over both views at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from osteoscope.find.planar_maps import PLANES, UNITS
from osteoscope.train.blocks import ConvBlock, descend

# Channels of each level: of the shipped network, and of one that two cores train from nothing in three hours.
WIDTHS = (32, 48, 64, 96, 160, 224)
NARROW = (16, 24, 32, 48, 96, 128)
_HIDDEN = 96
_RARE = -3.0


class PlanarNet(nn.Module):
    """U-Net of 3 input planes (`osteoscope.find.planar_canvas`); logits of foci, of `PLANES`, and of the field."""

    def __init__(self, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        pairs = list(pairwise(widths))
        self.down = nn.ModuleList([ConvBlock(2, 3, widths[0]), *(ConvBlock(2, a, b, 2) for a, b in pairs)])
        self.up = nn.ModuleList([ConvBlock(2, a + b, a) for a, b in reversed(pairs)])
        self.centres = nn.Conv2d(widths[0], 1, 1)
        # Wide enough to say "this unit and diseased" of every unit, which a linear head could not.
        self.hidden = nn.Sequential(
            nn.Conv2d(widths[1], _HIDDEN, 1, bias=False), nn.BatchNorm2d(_HIDDEN), nn.ReLU(inplace=True)
        )
        self.masks = nn.Conv2d(_HIDDEN, sum(PLANES.values()), 1)
        self.acquired = nn.Linear(widths[-1], len(UNITS))
        for head in (self.centres, self.masks):
            if head.bias is not None:
                nn.init.constant_(head.bias, _RARE)

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of pictures (batch, 3, rows, columns), both sides multiples of 32.

        Returns:
            Centres of foci (batch, 1, rows, columns); `PLANES` (batch, planes, rows / 2, columns / 2); whether at
            least half of each unit is in the field (batch, 15).
        """
        here, kept = descend(self.down, picture)
        acquired = self.acquired(here.mean(dim=(2, 3)))
        half = here
        for block in self.up:
            half = here
            wider = nn.functional.interpolate(here, scale_factor=2.0, mode="nearest")
            here = block(torch.cat([wider, kept.pop()], dim=1))
        return self.centres(here), self.masks(self.hidden(half)), acquired


def split(heat: Tensor, half: Tensor, acquired: Tensor) -> dict[str, Tensor]:
    """The logit planes by name of output."""
    planes = torch.split(half, list(PLANES.values()), dim=1)
    return {"heat": heat, "acquired": acquired, **dict(zip(PLANES, planes, strict=True))}
