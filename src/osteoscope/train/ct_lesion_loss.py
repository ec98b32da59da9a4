"""What the lesion network of CT is trained to say."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

WEIGHTS: Mapping[str, float] = {"classes": 1.0, "lesion": 1.0, "look_alike": 0.3}

# Voxels: added to both sides of a Dice; and from which a piece counts fully (6 mm across), as smaller ones hide.
_SMOOTH, _FULL = 20.0, 40.0
# Marked voxels count more than bone, which is far more common.
_MARKED = 3.0


def losses(said: tuple[Tensor, ...], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weighted cross entropy, and soft Dice (Milletari 2016) of each marked class over the pieces that hold it.

    Dice is taken piece by piece, so that small lesions count as much as large ones.

    Args:
        said: logits (batch, classes, z, y, x).
        wanted: "label" and "weight" of `osteoscope.train.ct_lesion_patches.Patch`.
    """
    (logits,) = said
    label = wanted["label"].long()
    entropy = functional.cross_entropy(logits, label, reduction="none")
    weight = wanted["weight"] * torch.where(label > 0, _MARKED, 1.0)
    chance = torch.softmax(logits, dim=1)
    found = {"classes": (weight * entropy).sum() / weight.sum() * 10}
    for number, name in enumerate(("lesion", "look_alike"), start=1):
        found[name] = _missed(chance[:, number], (label == number).float())
    return found


def _missed(chance: Tensor, mask: Tensor) -> Tensor:
    """1 - Dice, averaged over the pieces by how much of the class they hold, up to a bound; 0 where none holds any."""
    axes = (1, 2, 3)
    held = mask.sum(axes)
    dice = (2 * (chance * mask).sum(axes) + _SMOOTH) / (chance.sum(axes) + held + _SMOOTH)
    counts = (held / _FULL).clamp(max=1)
    return ((1 - dice) * counts).sum() / counts.sum().clamp(min=1)
