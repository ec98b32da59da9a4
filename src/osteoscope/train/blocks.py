"""What the U-Nets share: two convolutions in two or three dimensions, and the way down."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from torch import Tensor, nn

_LAYERS = {2: (nn.Conv2d, nn.BatchNorm2d), 3: (nn.Conv3d, nn.BatchNorm3d)}


class ConvBlock(nn.Sequential):
    """Two convolutions of width 3, each normalised and rectified; the first one steps by ``stride``."""

    def __init__(self, dimensions: Literal[2, 3], inward: int, outward: int, stride: int = 1) -> None:
        conv, norm = _LAYERS[dimensions]
        super().__init__(
            conv(inward, outward, 3, stride, 1, bias=False),
            norm(outward),
            nn.ReLU(inplace=True),
            conv(outward, outward, 3, 1, 1, bias=False),
            norm(outward),
            nn.ReLU(inplace=True),
        )


def descend(blocks: Iterable[nn.Module], picture: Tensor) -> tuple[Tensor, list[Tensor]]:
    """What the lowest block says, and what each block above it said, the highest first."""
    kept: list[Tensor] = []
    here = picture
    for block in blocks:
        here = block(here)
        kept.append(here)
    kept.pop()
    return here, kept
