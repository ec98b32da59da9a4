"""The network of the second look of CT: the detector's own features, pooled over a candidate and around it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from osteoscope.train.ct_lesion_net import FOLD, LesionNet

_PLANES = 2
_HEADS, _HIDDEN, _DROPPED = 5, 128, (0.2, 0.5)
# Width of the shell around a candidate that it is compared with, in blocks of ``FOLD`` voxels.
_SHELL = 2


class SecondLookNet(nn.Module):
    """One logit for each `osteoscope.find.ct_second_look.Around.picture`: whether the candidate is a lesion.

    The detector stays as it is; some heads that were begun differently are averaged.
    """

    def __init__(self, detector: LesionNet) -> None:
        super().__init__()
        self.detector = detector.requires_grad_(False)
        widths = detector.widths
        count = 3 * widths[0] + sum(widths[1:]) + widths[-1]
        self.mean, self.spread = nn.Buffer(torch.zeros(count)), nn.Buffer(torch.ones(count))
        self.heads = nn.ModuleList(_head(count) for _ in range(_HEADS))

    def forward(self, picture: Tensor) -> Tensor:
        """Logits (batch, 1) of pictures (batch, 3, z, y, x), sides multiples of 16."""
        return self.judged(self.pooled(picture)).mean(dim=1, keepdim=True)

    def pooled(self, picture: Tensor) -> Tensor:
        """Features of the candidate and around it, (batch, features)."""
        own = functional.max_pool3d(picture[:, _PLANES:], FOLD)
        shell = functional.max_pool3d(own, 2 * _SHELL + 1, 1, _SHELL) - own
        finest, *coarser = reversed(self.detector.levels(picture[:, :_PLANES]))
        found = [_mean(finest, own), _mean(finest, shell), (finest * own).amax((2, 3, 4))]
        for level in coarser:
            own = functional.max_pool3d(own, 2)
            found.append(_mean(level, own))
        return torch.cat([*found, coarser[-1].mean((2, 3, 4))], dim=1)

    def judged(self, pooled: Tensor) -> Tensor:
        """What each head says of `pooled`, (batch, heads)."""
        usual = (pooled - self.mean) / self.spread
        return torch.cat([head(usual) for head in self.heads], dim=1)


def _head(count: int) -> nn.Module:
    first, second = _DROPPED
    return nn.Sequential(
        nn.Dropout(first), nn.Linear(count, _HIDDEN), nn.ReLU(), nn.Dropout(second), nn.Linear(_HIDDEN, 1)
    )


def _mean(values: Tensor, where: Tensor) -> Tensor:
    return (values * where).sum((2, 3, 4)) / where.sum((2, 3, 4)).clamp(min=1)
