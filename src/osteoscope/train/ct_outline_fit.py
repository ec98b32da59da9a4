"""Train the outline network of CT: of each voxel, whether it is bone. Resumable, on two CPU cores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from osteoscope.find.ct_frame import AIR
from osteoscope.train.ct_bright_tissue import add_bright_tissue
from osteoscope.train.ct_ground import LESION, Ground
from osteoscope.train.ct_lesion_net import LesionNet
from osteoscope.train.ct_lesion_patches import Pieces, add_findings, bend, cut_piece, pool_of
from osteoscope.train.ct_scans import Scan
from osteoscope.train.ct_variety import vary
from osteoscope.train.fitting import FitOptions, Named, Task, fit_task

WIDTHS, PAIRS = (16, 32, 64, 96), (1, 1)
_SHARES = MappingProxyType({"simulated": 0.58, "phantoms": 0.42})
# See `cut_piece`.
_CENTRES = (0.25, 0.05, 0.5, 0.2)
# How often bright tissue, and lesions and look-alikes, are put into a piece.
_BRIGHT, _FINDINGS = 0.7, 0.8
# Weights of what lies beyond a field, and of bone that a tumour has changed.
_BEYOND, _CHANGED = 0.05, 5.0
_KEPT, _SEEN = 60, 3
# Cross entropy of a voxel is small beside the loss of overlap; voxels that steady the latter where there is no bone.
_ENTROPY, _STEADY = 10.0, 100.0


def outline_net() -> LesionNet:
    """A new network: that of lesions, thinner, with one logit."""
    return LesionNet(WIDTHS, PAIRS, 1)


def fit(sources: Mapping[str, Sequence[Path]], folder: Path, options: FitOptions) -> Iterator[dict[str, float]]:
    """Train on prepared scans whose bone is known, or go on (see `osteoscope.train.fitting.fit_task`).

    Args:
        sources: prepared scans; "simulated" or "phantoms".
        folder, options: of the run.
    """
    pieces = Pieces(pool_of(sources, _SHARES), outline_piece, _KEPT, _SEEN)
    counts = {name: len(paths) for name, paths in sources.items()}
    task = Task(outline_net(), pieces.example, losses, {"entropy": _ENTROPY, "overlap": 1.0})
    yield from fit_task(task, folder, options, counts)


def outline_piece(scan: Scan, rng: np.random.Generator) -> Ground:
    """A piece of a scan, with more in it than there was, labelled with its bone."""
    ground = cut_piece(scan, rng, _CENTRES)
    vary(ground)
    if rng.random() < _BRIGHT:
        add_bright_tissue(ground)
    if rng.random() < _FINDINGS:
        add_findings(ground, bool(len(scan.numbers)))
    changed = ground.bone & (ground.label == LESION)
    ground.label = ground.bone.astype(np.uint8)
    ground.weight = np.where(changed, _CHANGED, np.where(ground.hu > AIR, 1, _BEYOND)).astype(np.float32)
    bend(ground)
    return ground


def losses(outputs: tuple[Tensor, ...], batch: Mapping[str, Tensor]) -> Named:
    """Mean cross entropy, and 1 - Dice, of logits (batch, 1, z, y, x) against "label" by "weight"."""
    logits, bone, weight = outputs[0][:, 0], (batch["label"] > 0).float(), batch["weight"]
    entropy = functional.binary_cross_entropy_with_logits(logits, bone, weight, reduction="sum") / weight.sum()
    counted = (weight > 0.5).float()
    chance, bone = torch.sigmoid(logits) * counted, bone * counted
    both, sizes = (2 * chance * bone).sum((1, 2, 3)), (chance + bone).sum((1, 2, 3))
    return {"entropy": entropy, "overlap": (1 - (both + _STEADY) / (sizes + _STEADY)).mean()}
