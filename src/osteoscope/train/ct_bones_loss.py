"""What the bones network is trained to say."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from osteoscope.find.ct_bone_maps import LEVEL_SCALE, OUTPUTS
from osteoscope.train.ct_bones_draw import IGNORED

WEIGHTS: Mapping[str, float] = {"bone": 1.0, "kinds": 0.5, "level": 0.5, "way": 1.0}
_SMOOTH = 200.0  # voxels: an example with less bone than that hardly counts in the Dice
_ENTROPY = 2.0  # as so much of the voxels is plain air
_SPREAD = (-4.0, 3.0)  # logarithms of the least and greatest spread, levels


def losses(outputs: tuple[Tensor, ...], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Loss of each of `OUTPUTS` (see `osteoscope.train.ct_bones_draw.Example` for what is wanted)."""
    said = dict(zip(OUTPUTS, outputs, strict=True))
    return {
        "bone": _bone(said["bone"], wanted["bone"]),
        "kinds": _kinds(said["kinds"], wanted["kind"].long()),
        "level": _level(said["level"], wanted["level"].float()),
        "way": _way(said["way"], wanted["way"], wanted["whole"].float()),
    }


def _bone(logits: Tensor, bone: Tensor) -> Tensor:
    """Cross entropy, in which a voxel of bone weighs four times as much as another, and soft Dice (Milletari 2016)."""
    known = (bone != IGNORED).float()
    mask = (bone == 1).float()
    weight = known * (1 + 3 * mask)
    entropy = functional.binary_cross_entropy_with_logits(logits, mask, weight=weight, reduction="sum")
    chance = torch.sigmoid(logits) * known
    both, size = (chance * mask).sum(), (chance + mask).sum()
    # Nothing of a piece may be known.
    return _ENTROPY * entropy / weight.sum().clamp(min=1) + 1 - (2 * both + _SMOOTH) / (size + _SMOOTH)


def _kinds(logits: Tensor, kind: Tensor) -> Tensor:
    """Cross entropy within bone; a kind weighs by the root of its size, so that small bones count."""
    inside = kind >= 0
    if not bool(inside.any()):
        return logits.sum() * 0
    chosen, wanted = logits.movedim(1, -1)[inside], kind[inside]
    sizes = torch.bincount(wanted, minlength=logits.shape[1]).float()
    return functional.cross_entropy(chosen, wanted, weight=1 / sizes.clamp(min=1).sqrt())


def _level(said: Tensor, level: Tensor) -> Tensor:
    """Absolute error, and the likelihood of a Laplace distribution of it, from which the spread alone learns.

    Were the mean learned from that likelihood too, it would stay wrong wherever a wide spread is learned first
    (Seitzer et al. 2022, "On the pitfalls of heteroscedastic uncertainty estimation"). A level weighs by the root of
    its size, so that the neck counts.
    """
    inside = level >= 0
    if not bool(inside.any()):
        return said.sum() * 0
    wanted = level[inside]
    mean, spread = said[:, 0][inside] * LEVEL_SCALE, said[:, 1][inside].clamp(*_SPREAD)
    off = (mean - wanted).abs()
    weight = 1 / torch.bincount(wanted.long()).float().sqrt()[wanted.long()]
    return ((off + off.detach() * torch.exp(-spread) + spread) * weight).sum() / weight.sum()


def _way(said: Tensor, way: Tensor, whole: Tensor) -> Tensor:
    if not bool(whole.any()):
        return said.sum() * 0
    return ((said - way).abs().sum(dim=1) * whole).sum() / whole.sum()
