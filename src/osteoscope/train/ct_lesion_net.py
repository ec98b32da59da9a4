"""The lesion network of CT: a small U-Net over a piece of the working frame.

It works on blocks of 2 x 2 x 2 voxels and says each voxel of a block on its own: full resolution is where the time of a
U-Net goes, and three times as many examples are seen in the same hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from osteoscope.find.ct_lesion_windows import CLASSES
from osteoscope.train.blocks import ConvBlock, descend

WIDTHS = (32, 64, 128, 192)
FOLD = 2
_PLANES = 2
# Residual pairs of convolutions of the finest level, which takes most of the time, and of each other one.
PAIRS = (1, 2)
# Logits at the start: hardly any voxel is a lesion or a look-alike.
_RARE = -3.0


class _Pair(nn.Module):
    """Two convolutions added to what was seen; at the start they add nothing, so that a trained network can grow."""

    def __init__(self, width: int) -> None:
        super().__init__()
        last = nn.BatchNorm3d(width)
        nn.init.zeros_(last.weight)
        self.mix = nn.Sequential(*list(ConvBlock(3, width, width))[:4], last)

    def forward(self, here: Tensor) -> Tensor:
        return torch.relu(here + self.mix(here))


class _Up(nn.Module):
    """To twice the resolution; narrowed before and added to what was seen there, which is most of the time saved."""

    def __init__(self, inward: int, outward: int, pairs: Sequence[_Pair]) -> None:
        super().__init__()
        self.narrow = nn.Conv3d(inward, outward, 1)
        self.mix = nn.Sequential(
            nn.Conv3d(outward, outward, 3, 1, 1, bias=False),
            nn.BatchNorm3d(outward),
            nn.ReLU(inplace=True),
            *pairs,
        )

    def forward(self, here: Tensor, kept: Tensor) -> Tensor:
        mixed: Tensor = self.mix(nn.functional.interpolate(self.narrow(here), scale_factor=2.0, mode="nearest") + kept)
        return mixed


class LesionNet(nn.Module):
    """U-Net of 2 planes (`osteoscope.find.ct_lesion_windows.planes`); logits, usually of ``CLASSES``, for each voxel.

    At the lowest level one voxel is 16 of the input, so that a patch of 64 is seen as a whole.

    Args:
        widths: features of each level, the finest first.
        pairs: residual pairs of convolutions of the finest level, and of each other one.
        classes: logits of a voxel; those after the first begin as rare.
    """

    def __init__(
        self, widths: Sequence[int] = WIDTHS, pairs: tuple[int, int] = PAIRS, classes: int = len(CLASSES)
    ) -> None:
        super().__init__()
        self.widths = tuple(widths)
        steps = list(pairwise(widths))
        counts = [pairs[level > 0] for level in range(len(widths))]
        down = [ConvBlock(3, _PLANES * FOLD**3, widths[0]), *(ConvBlock(3, a, b, 2) for a, b in steps)]
        self.down = nn.ModuleList(
            block.extend(_pairs(width, count)) for block, width, count in zip(down, widths, counts, strict=True)
        )
        up = [_Up(b, a, _pairs(a, count)) for (a, b), count in zip(steps, counts[:-1], strict=True)]
        self.up = nn.ModuleList(reversed(up))
        self.classes = nn.Conv3d(widths[0], classes * FOLD**3, 1)
        if self.classes.bias is not None:
            nn.init.zeros_(self.classes.bias)
            nn.init.constant_(self.classes.bias[FOLD**3 :], _RARE)

    def forward(self, picture: Tensor) -> Tensor:
        """Logits (batch, classes, z, y, x) of pictures (batch, 2, z, y, x), sides multiples of 16."""
        return _unfolded(self.classes(self.levels(picture)[-1]))

    def levels(self, picture: Tensor) -> list[Tensor]:
        """Features on the way up, the coarsest first."""
        here, kept = descend(self.down, _folded(picture))
        found = [here]
        for block in self.up:
            found.append(block(found[-1], kept.pop()))
        return found


def _pairs(width: int, count: int) -> list[_Pair]:
    return [_Pair(width) for _ in range(count)]


def _folded(picture: Tensor) -> Tensor:
    """Blocks of ``FOLD`` voxels a side as planes: (batch, planes * FOLD**3, z / FOLD, y / FOLD, x / FOLD)."""
    batch, planes, *sides = picture.shape
    split = picture.reshape(batch, planes, *(n for side in sides for n in (side // FOLD, FOLD)))
    blocks = split.permute(0, 1, 3, 5, 7, 2, 4, 6).reshape(batch, planes * FOLD**3, *(side // FOLD for side in sides))
    return blocks.contiguous(memory_format=torch.channels_last_3d)


def _unfolded(blocks: Tensor) -> Tensor:
    batch, planes, *sides = blocks.shape
    split = blocks.reshape(batch, planes // FOLD**3, *(FOLD,) * 3, *sides)
    return split.permute(0, 1, 5, 2, 6, 3, 7, 4).reshape(batch, planes // FOLD**3, *(side * FOLD for side in sides))
