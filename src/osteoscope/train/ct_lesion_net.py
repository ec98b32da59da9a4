"""The lesion network of CT: a small U-Net over a piece of the working frame."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from osteoscope.find.ct_lesion_windows import CLASSES
from osteoscope.train.blocks import ConvBlock, descend

WIDTHS = (16, 32, 64, 96, 128)
# Logits at the start: hardly any voxel is a lesion or a look-alike.
_RARE = -3.0


class _Up(nn.Module):
    """To twice the resolution; narrowed before and added to what was seen there, which is most of the time saved."""

    def __init__(self, inward: int, outward: int) -> None:
        super().__init__()
        self.narrow = nn.Conv3d(inward, outward, 1)
        self.mix = nn.Sequential(
            nn.Conv3d(outward, outward, 3, 1, 1, bias=False), nn.BatchNorm3d(outward), nn.ReLU(inplace=True)
        )

    def forward(self, here: Tensor, kept: Tensor) -> Tensor:
        mixed: Tensor = self.mix(nn.functional.interpolate(self.narrow(here), scale_factor=2.0, mode="nearest") + kept)
        return mixed


class LesionNet(nn.Module):
    """U-Net of 2 planes (`osteoscope.find.ct_lesion_windows.planes`); logits of ``CLASSES`` for each voxel.

    At the lowest level one voxel is 16 of the input, so that a patch of 64 is seen as a whole.
    """

    def __init__(self, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        pairs = list(pairwise(widths))
        self.down = nn.ModuleList([ConvBlock(3, 2, widths[0]), *(ConvBlock(3, a, b, 2) for a, b in pairs)])
        self.up = nn.ModuleList([_Up(b, a) for a, b in reversed(pairs)])
        self.classes = nn.Conv3d(widths[0], len(CLASSES), 1)
        if self.classes.bias is not None:
            nn.init.zeros_(self.classes.bias[:1])
            nn.init.constant_(self.classes.bias[1:], _RARE)

    def forward(self, picture: Tensor) -> Tensor:
        """Logits (batch, classes, z, y, x) of pictures (batch, 2, z, y, x), sides multiples of 16."""
        here, kept = descend(self.down, picture)
        for block in self.up:
            here = block(here, kept.pop())
        logits: Tensor = self.classes(here)
        return logits
