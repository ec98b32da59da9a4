"""What the planar network is trained to say."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

WEIGHTS: Mapping[str, float] = {"units": 1.0, "heat": 3.0, "owner": 0.3, "diffuse": 2.0, "other": 0.4, "acquired": 0.2}

# Elements: a plane with less than that hardly counts in the Dice.
_SMOOTH = 20.0
# Heat above which an element is a centre: within one element of it, so that every focus has some.
_CENTRE = 0.8


def losses(said: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Loss of each output (see `osteoscope.train.planar_sample.Example` for what is wanted)."""
    units, diffuse, other = (wanted[name].float() for name in ("units", "diffuse", "other"))
    return {
        "units": _mask(said["units"], units, 0.05 + units),
        "heat": _centres(said["heat"][:, 0], wanted["heat"]),
        "owner": _owner(said["owner"], wanted["owner"].long()),
        "diffuse": _mask(said["diffuse"], diffuse, 0.02 + units),
        "other": _mask(said["other"], other, 0.05 + other),
        "acquired": functional.binary_cross_entropy_with_logits(said["acquired"], wanted["acquired"].float()),
    }


def _mask(logits: Tensor, mask: Tensor, weight: Tensor) -> Tensor:
    """Cross entropy, averaged with weights so that air counts little, and soft Dice per plane (Milletari 2016)."""
    entropy = functional.binary_cross_entropy_with_logits(logits, mask, weight=weight, reduction="sum") / weight.sum()
    chance = torch.sigmoid(logits)
    both, size = (chance * mask).sum((2, 3)), (chance + mask).sum((2, 3))
    return 2 * entropy + (1 - (2 * both + _SMOOTH) / (size + _SMOOTH)).mean()


def _centres(logits: Tensor, heat: Tensor) -> Tensor:
    """Focal loss of key points (Law and Deng 2018, eq. 1), over the number of centres."""
    chance = torch.sigmoid(logits).clamp(1e-5, 1 - 1e-5)
    centre = heat > _CENTRE
    hit = -torch.log(chance) * (1 - chance) ** 2 * centre
    miss = -torch.log(1 - chance) * chance**2 * (1 - heat) ** 4 * ~centre
    return 0.15 * (hit + miss).sum() / (centre.sum() + 2 * len(logits))


def _owner(logits: Tensor, owner: Tensor) -> Tensor:
    total = functional.cross_entropy(logits, owner, ignore_index=-1, reduction="sum")
    return total / (owner >= 0).sum().clamp(min=1)
