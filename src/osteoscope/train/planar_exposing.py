"""Expected counts of a batch: organs, disease and artefacts in the proportions of the bodies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from osteoscope.train.planar_batch import Batch
from osteoscope.train.planar_draw import LEAST_BEHIND
from osteoscope.train.planar_held import BODY, MASS
from osteoscope.train.planar_trace import Patch

_STEP = 15  # pixels between those that tell the background of artefacts


@dataclass(frozen=True, eq=False)
class Picture:
    """What the camera will see, and what lies where.

    Args:
        expected: (B, 2, H, W) counts.
        glow: (B, H, W) bool, where organs or artefacts shine.
        disease: (B, `MASS` + 1, H, W) bool, diffuse disease of each unit, and masses.
        bits: (B, H, W) int32 of the bodies.
    """

    expected: Tensor
    glow: Tensor
    disease: Tensor
    bits: Tensor


def exposed(batch: Batch) -> Picture:
    """The pictures of a batch, as `osteoscope.train.planar_sample.rendered` sums them up for one."""
    bits = torch.stack([held.bits for held in batch.bodies])
    healthy, shining = _organs(batch)
    dose = batch.tensor([plan.counts for plan in batch.plans]) / healthy[:, 0].sum((1, 2)).clamp(min=1e-9)
    glow = (shining.sum(1) > healthy.sum(1) / 2) & (bits >> BODY & 1 > 0)
    expected = dose[:, None, None, None] * healthy
    lesions, disease = _disease(batch, expected, dose)
    expected += dose[:, None, None, None] * lesions
    before = expected.sum(1)
    worn = _worn(batch, expected)
    return Picture(worn, glow | ((worn.sum(1) > 2 * before) & (before > 0)), disease, bits)


def _organs(batch: Batch) -> tuple[Tensor, Tensor]:
    """All organs, and those that stand out."""
    healthy = torch.zeros((len(batch), 2, *batch.shape), device=batch.device)
    shining = torch.zeros_like(healthy)
    pairs = zip(batch.bodies, batch.plans, strict=True)
    weights = [(plan.organs * held.scales[: len(plan.organs)])[held.order] for held, plan in pairs]
    each = torch.split(batch.tensor(np.concatenate(weights)), [len(one) for one in weights])
    for number, (held, own) in enumerate(zip(batch.bodies, each, strict=True)):
        held.organs.add(healthy[number].view(-1), own)
        held.shining.add(shining[number].view(-1), own[held.background :])
    return healthy, shining


def _disease(batch: Batch, healthy: Tensor, dose: Tensor) -> tuple[Tensor, Tensor]:
    """Lesions at their concentrations, and silhouettes of diffuse disease and masses."""
    lesions = torch.zeros_like(healthy)
    planes = torch.zeros((len(batch), MASS + 1, *batch.shape), dtype=torch.float16, device=batch.device)
    for number, (held, weights) in enumerate(zip(batch.bodies, _weights(batch, healthy, dose), strict=True)):
        held.lesions.add(lesions[number].view(-1), weights)
        held.masks.add(planes[number].view(-1), weights > 0)
    return lesions, planes > 0


def _weights(batch: Batch, healthy: Tensor, dose: Tensor) -> Sequence[Tensor]:
    """For each example, what its body's lesions are multiplied by, after `Heats.over`; 0 where there is none."""
    heats, counts = [plan.heats for plan in batch.plans], [len(plan.disease) for plan in batch.plans]
    chosen = [plan.disease - len(held.order) for held, plan in zip(batch.bodies, batch.plans, strict=True)]
    number = np.repeat(np.arange(len(batch)), counts)
    pairs = list(zip(batch.bodies, chosen, strict=True))
    scales = np.concatenate([held.scales[len(held.order) :][parts] for held, parts in pairs])
    peaks = np.concatenate([held.peaks[parts] for held, parts in pairs]) + number[:, None] * healthy[0].numel()
    peak = np.concatenate([held.peak[parts] * held.aperture for held, parts in pairs])
    leader = np.concatenate([one.leader for one in heats]) + _before(counts).repeat(counts)
    values, by_contrast = (
        batch.tensor(np.concatenate([getattr(one, name) for one in heats])) for name in ("values", "by_contrast")
    )
    noise = healthy.view(-1)[batch.tensor(peaks)].clamp(min=LEAST_BEHIND).sqrt()
    high = batch.tensor(peak * scales[:, None]) * dose[batch.tensor(number)][:, None]
    contrast = (high / noise).amax(1).clamp(min=1e-9)
    found = torch.where(by_contrast, values / contrast, values)[batch.tensor(leader)]
    sizes = [len(held.peak) for held in batch.bodies]
    weights = torch.zeros(sum(sizes), device=batch.device)
    weights[batch.tensor(np.concatenate(chosen) + _before(sizes).repeat(counts))] = found * batch.tensor(scales)
    return torch.split(weights, sizes)


def _before(counts: Sequence[int]) -> np.ndarray:
    return np.cumsum([0, *counts[:-1]])


def _worn(batch: Batch, expected: Tensor) -> Tensor:
    """With artefacts, see `osteoscope.train.planar_trace.Trace`."""
    rows, columns = (np.ones((len(batch), 2, n), dtype=np.float32) for n in batch.shape)
    clipped = np.full(len(batch), np.inf)
    for number, one in enumerate(batch.wanted):
        if one.trace is None:
            continue
        rows[number], columns[number], clipped[number] = one.trace.rows, one.trace.columns, one.trace.clipped
        if one.trace.added is not None:
            body = one.held.bits.view(1, -1)[:, ::_STEP] >> BODY & 1 > 0
            background = median(expected[number, 0].view(1, -1)[:, ::_STEP], body)
            _crop(expected[number], one.trace.added).add_(background * one.held.patch(one.trace.added))
        if one.trace.shade is not None:
            _crop(expected[number], one.trace.shade).mul_(1 - one.held.patch(one.trace.shade))
    worn = expected * batch.tensor(rows)[..., None] * batch.tensor(columns)[:, :, None]
    limit = (batch.tensor(clipped) * worn.amax((1, 2, 3))).nan_to_num(nan=torch.inf)
    return torch.minimum(worn, limit[:, None, None, None])


def _crop(views: Tensor, patch: Patch) -> Tensor:
    (row, column), (_, rows, columns) = patch.corner, patch.views.shape
    return views[:, row : row + rows, column : column + columns]


def median(values: Tensor, inside: Tensor) -> Tensor:
    """Median (n,) of the values (n, count) that are inside, 0 where none is; by sorting, which a GPU does fast."""
    rising = values.masked_fill(~inside, torch.inf).sort(dim=1).values
    count = inside.sum(1, keepdim=True)
    middle = torch.cat([(count - 1).clamp(min=0) // 2, (count // 2).clamp(max=values.shape[1] - 1)], dim=1)
    return torch.where(count[:, 0] > 0, rising.gather(1, middle).mean(1), 0)
