"""The bones network: a small 3-D U-Net on cells of 8 mm that says bone at 4 mm."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from osteoscope.find.ct_bone_maps import OUTPUTS, PLANES
from osteoscope.train.blocks import descend

WIDTHS = (24, 40, 80, 128, 160)
_HIDDEN = 48
_RARE = -3.0


class _Alone(nn.Module):
    """Each plane of each example is normalised by itself: examples come one by one, and statistics of one fit no other.

    A batch of one is normalised as a batch, which is the same and faster.
    """

    def __init__(self, planes: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(planes)), nn.Parameter(torch.zeros(planes))

    def forward(self, here: Tensor) -> Tensor:
        if self.training and len(here) == 1:
            return nn.functional.batch_norm(here, None, None, self.weight, self.bias, training=True)
        return nn.functional.instance_norm(here, weight=self.weight, bias=self.bias)


def _layer(inward: int, outward: int, stride: int = 1, reach: int = 1) -> nn.Sequential:
    width = 2 * reach + 1
    return nn.Sequential(
        nn.Conv3d(inward, outward, width, stride, reach, bias=False),
        _Alone(outward),
        nn.ReLU(inplace=True),
    )


class _Block(nn.Sequential):
    def __init__(self, inward: int, outward: int, stride: int = 1) -> None:
        super().__init__(_layer(inward, outward, stride), _layer(outward, outward))


class BonesNet(nn.Module):
    """U-Net of the planes of `osteoscope.find.ct_bone_maps.picture`; all of `OUTPUTS`, one after the other."""

    def __init__(self, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        pairs = list(pairwise(widths))
        # One layer each at full size, where most of the time goes; what is made larger is narrowed before.
        finest = _layer(2 * widths[0], widths[0])
        self.down = nn.ModuleList([_layer(PLANES, widths[0]), *(_Block(a, b, 2) for a, b in pairs)])
        self.narrow = nn.ModuleList([nn.Conv3d(b, a, 1) for a, b in reversed(pairs)])
        self.up = nn.ModuleList([*(_Block(2 * a, a) for a, _ in reversed(pairs[1:])), finest])
        self.hidden = _layer(widths[0], _HIDDEN, reach=0)
        self.heads = nn.ModuleDict({name: nn.Conv3d(_HIDDEN, planes, 1) for name, planes in OUTPUTS.items()})
        bone = self.heads["bone"]
        if isinstance(bone, nn.Conv3d) and bone.bias is not None:
            nn.init.constant_(bone.bias, _RARE)

    def forward(self, picture: Tensor) -> tuple[Tensor, ...]:
        """Planes (batch, planes, d, h, w) of each output, sizes multiples of 16; `bone` and `kinds` are logits."""
        here, kept = descend(self.down, picture)
        for narrow, block in zip(self.narrow, self.up, strict=True):
            wider = nn.functional.interpolate(narrow(here), scale_factor=2.0, mode="nearest")
            here = block(torch.cat([wider, kept.pop()], dim=1))
        shared = self.hidden(here)
        return tuple(head(shared) for head in self.heads.values())
