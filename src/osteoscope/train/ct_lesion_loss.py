"""What the lesion network of CT is trained to say."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

WEIGHTS: Mapping[str, float] = {"classes": 1.0, "lesion": 1.0, "look_alike": 0.3}

# Voxels: a batch with less of a class hardly counts in its Dice.
_SMOOTH = 60.0
# Marked voxels count more than bone, which is far more common.
_MARKED = 4.0


def losses(said: tuple[Tensor, ...], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weighted focal cross entropy (Lin 2017, gamma 1), and soft Dice (Milletari 2016) of each marked class.

    Args:
        said: logits (batch, classes, z, y, x).
        wanted: "label" and "weight" of `osteoscope.train.ct_lesion_patches.Patch`.
    """
    (logits,) = said
    label = wanted["label"].long()
    entropy = functional.cross_entropy(logits, label, reduction="none")
    weight = wanted["weight"] * torch.where(label > 0, _MARKED, 1.0)
    focused = (1 - torch.exp(-entropy)) * entropy
    chance = torch.softmax(logits, dim=1)
    found = {"classes": (weight * focused).sum() / weight.sum() * 10}
    for number, name in enumerate(("lesion", "look_alike"), start=1):
        mask = (label == number).float()
        # Summed over the batch: pieces without a lesion say nothing on their own.
        both, size = (chance[:, number] * mask).sum(), (chance[:, number] + mask).sum()
        found[name] = 1 - (2 * both + _SMOOTH) / (size + _SMOOTH)
    return found
