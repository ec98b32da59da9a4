"""Fit the heads of the second look; minutes, since the detector's features are computed once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from osteoscope.find.ct_second_look import WAYS
from osteoscope.train.ct_second_look_examples import Candidates
from osteoscope.train.ct_second_look_net import SecondLookNet

_AT_ONCE = 16
# Outlines are cut at a share, so that no candidate is quite right or wrong (label smoothing).
_SMOOTH = 0.02
_LEAST_SPREAD = 1e-3


@dataclass(frozen=True)
class HeadOptions:
    """Choices of the fit.

    Args:
        rounds: over all candidates.
        batch: candidates per step.
        rate: learning rate at the start (AdamW), falling to 0.
        decay: of the weights.
        wrong: weight of a candidate that is no lesion.
        seed: of weights, order and dropout.
        anew: the heads are new, and features are scaled by the spread among these candidates.
    """

    rounds: int = 30
    batch: int = 256
    rate: float = 1e-3
    decay: float = 0.05
    wrong: float = 0.5
    seed: int = 1
    anew: bool = True


@dataclass(frozen=True, eq=False)
class Seen:
    """Candidates as the heads see them.

    Args:
        features: (n, ways, features), see `SecondLookNet.pooled` and `osteoscope.find.ct_second_look.WAYS`.
        lesion: (n,), 1 where a candidate is one, else 0.
    """

    features: Tensor
    lesion: Tensor


@torch.no_grad()
def seen(net: SecondLookNet, candidates: Candidates) -> Seen:
    """Features of candidates; where most of the time of a training goes."""
    net.eval()
    ways = torch.stack([_pooled(net, candidates, axes) for axes in WAYS], dim=1)
    return Seen(ways, torch.from_numpy(candidates.lesion).float())


def fit_heads(
    net: SecondLookNet, groups: Sequence[tuple[Seen, float]], options: HeadOptions = HeadOptions()
) -> Iterator[float]:
    """Fit the heads of a net in place; yields the mean loss of each round.

    Args:
        net: with the weights of the detector that `seen` them.
        groups: candidates, and how much each counts.
        options: see `HeadOptions`.
    """
    torch.manual_seed(options.seed)
    features = torch.cat([group.features.flatten(0, 1) for group, _ in groups])
    lesion = torch.cat([group.lesion.repeat_interleave(len(WAYS)) for group, _ in groups])[:, None]
    counts = torch.cat([torch.full((group.lesion.numel() * len(WAYS), 1), weight) for group, weight in groups])
    weight = torch.where(lesion > 0, counts, counts * options.wrong)
    if options.anew:
        net.mean.copy_(features.mean(dim=0))
        net.spread.copy_(features.std(dim=0).clamp(min=_LEAST_SPREAD))
    optimiser = torch.optim.AdamW(net.heads.parameters(), lr=options.rate, weight_decay=options.decay)
    net.heads.train()
    for done in range(options.rounds):
        for group in optimiser.param_groups:
            group["lr"] = options.rate * (1 - done / options.rounds)
        losses = []
        for some in torch.split(torch.randperm(len(features)), options.batch):
            said = net.judged(features[some])
            wanted = (lesion[some] * (1 - 2 * _SMOOTH) + _SMOOTH).expand_as(said)
            loss = functional.binary_cross_entropy_with_logits(said, wanted, weight[some].expand_as(said))
            optimiser.zero_grad()
            (loss * said.shape[1]).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            losses.append(loss.item())
        yield float(np.mean(losses))
    net.eval()


@torch.no_grad()
def logits(net: SecondLookNet, group: Seen) -> Tensor:
    """What the second look says of candidates, (n,), as `osteoscope.find.ct_second_look.looked_at` does."""
    count = len(group.lesion)
    return net.judged(group.features.flatten(0, 1)).reshape(count, -1).mean(dim=1)


def _pooled(net: SecondLookNet, candidates: Candidates, axes: tuple[int, ...]) -> Tensor:
    found = []
    for start in range(0, len(candidates.lesion), _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, len(candidates.lesion)))
        pictures = np.stack([np.flip(candidates.picture(number), axes) for number in numbers])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found.append(net.pooled(torch.from_numpy(pictures)).float())
    return torch.cat(found) if found else torch.zeros((0, len(net.mean)))
