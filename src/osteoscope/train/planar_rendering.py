"""Many examples rendered at once on the device that learns from them.

The same as `osteoscope.train.planar_sample.rendered` makes of one: where a CPU core gives ten examples a second, a GPU
gives about a thousand.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from osteoscope.find.planar_canvas import BODY_LEVEL, BRIGHTEST, CANVAS, DIMMER, HALF, LEAST_COUNTS
from osteoscope.train.planar_basis import UNITS
from osteoscope.train.planar_batch import Batch
from osteoscope.train.planar_exposing import Picture, exposed, median
from osteoscope.train.planar_held import MASS
from osteoscope.train.planar_layings import Layings, Stretch
from osteoscope.train.planar_plan import TRUNCATE
from osteoscope.train.planar_sample import HEAT_SIGMA, NEAR, REACH

_TAPS = 3  # pixels on each side of the widest blur


def rendered(batch: Batch) -> dict[str, Tensor]:
    """Pictures and labels by the names of `osteoscope.train.planar_sample.Example`, with noise."""
    picture = exposed(batch)
    stretch = Stretch.of(batch)
    layings = Layings.of(batch, stretch, picture.bits)
    expected = _disturbed(batch, stretch.picture(picture.expected)) * _seen(batch)
    return {
        "picture": _planes(batch, layings.resample(torch.poisson(expected))),
        **_centres(batch, layings),
        **_labels(picture, layings),
        "acquired": batch.tensor([held.acquired for held in batch.bodies]),
    }


def _disturbed(batch: Batch, views: Tensor) -> Tensor:
    """Views (B, 2, H, W) as `osteoscope.train.planar_plan.Disturbance.apply` changes them."""
    plans = [plan.disturbance for plan in batch.plans]
    sigma, posterior, floor, down, right = (
        batch.tensor([getattr(plan, name) for plan in plans])
        for name in ("sigma", "posterior", "floor", "down", "right")
    )
    views = _blurred(views, sigma) * (down[:, None, :, None] * right[:, None, None, :])
    views[:, 1] *= posterior[:, None, None]
    return (views + (floor * views.mean((1, 2, 3)))[:, None, None, None]).clamp(min=0)


def _blurred(views: Tensor, sigma: Tensor) -> Tensor:
    """Each example by its own sigma in pixels, cut where scipy cuts it."""
    at = torch.arange(-_TAPS, _TAPS + 1, device=views.device)
    reach = (TRUNCATE * sigma + 0.5).floor()
    taps = torch.exp(-(at[None] ** 2) / (2 * sigma.clamp(min=1e-3)[:, None] ** 2)) * (at.abs()[None] <= reach[:, None])
    taps = (taps / taps.sum(1, keepdim=True)).repeat_interleave(2, 0)
    flat = views.reshape(1, -1, *views.shape[2:])
    for shape, padding in (((-1, 1, 2 * _TAPS + 1, 1), (_TAPS, 0)), ((-1, 1, 1, 2 * _TAPS + 1), (0, _TAPS))):
        flat = functional.conv2d(flat, taps.view(shape), padding=padding, groups=len(taps))
    return flat.view(views.shape)


def _seen(batch: Batch) -> Tensor:
    """1 where the camera exposes (B, 1, H, W)."""
    rows, columns = (np.zeros((len(batch), n), dtype=np.float32) for n in batch.shape)
    for number, held in enumerate(batch.bodies):
        (top, bottom), (left, right) = held.seen.tolist()
        rows[number, top:bottom] = columns[number, left:right] = 1
    return batch.tensor(rows)[:, None, :, None] * batch.tensor(columns)[:, None, None, :]


def _planes(batch: Batch, counts: Tensor) -> Tensor:
    """The network's input of counts on the canvas, as `osteoscope.find.planar_canvas.planes`."""
    there = torch.arange(2, device=batch.device) != batch.tensor([plan.absent for plan in batch.plans])[:, None]
    flat = counts.flatten(2).flatten(0, 1)
    level = median(flat, flat > BODY_LEVEL * flat.mean(1, keepdim=True)).view(there.shape) * there
    usual = (counts / level.clamp(min=1e-9)[..., None, None]).clamp(0, BRIGHTEST**2).sqrt() / 2
    dimmer = torch.where(level > 0, level, torch.inf).amin(1) / DIMMER
    dose = level.amax(1).minimum(dimmer).clamp(min=LEAST_COUNTS).log() / 2
    planes = [usual * (level > 0)[..., None, None], dose[:, None, None, None].expand(-1, 1, *CANVAS)]
    return torch.cat(planes, dim=1)


def _centres(batch: Batch, layings: Layings) -> dict[str, Tensor]:
    """Heat of foci, and the units that they belong to; where two units meet, the later of `UNITS`."""
    heat = torch.zeros((len(batch), *CANVAS), device=batch.device)
    owner = torch.full((len(batch), *HALF), -1, dtype=torch.int64, device=batch.device)
    number = batch.tensor(np.repeat(np.arange(len(batch)), [len(plan.foci) for plan in batch.plans]))
    row, column, unit = batch.tensor(np.concatenate([plan.foci for plan in batch.plans])).unbind(1)
    at = torch.stack(layings.place(number, row, column))
    place, inside = _window(number, at.trunc().long(), REACH, CANVAS)
    offsets = torch.arange(-REACH, REACH + 1, device=batch.device)
    down, right = (at.trunc()[..., None] + offsets - at[..., None]) ** 2
    near = torch.exp(-(down[:, :, None] + right[:, None, :]) / (2 * HEAT_SIGMA**2)) * inside
    heat.view(-1).scatter_reduce_(0, place.flatten(), near.flatten(), "amax")
    place, inside = _window(number, ((at - 0.5) / 2 + 0.5).floor().long(), NEAR, HALF)
    named = torch.where(inside, unit.long()[:, None, None], -1)
    owner.view(-1).scatter_reduce_(0, place.flatten(), named.flatten(), "amax")
    return {"heat": heat, "owner": owner}


def _window(number: Tensor, at: Tensor, reach: int, shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Flat places (foci, 2 reach + 1, 2 reach + 1) in (B, *shape) around rows and columns, and which are inside."""
    down, right = at[..., None] + torch.arange(-reach, reach + 1, device=at.device)
    inside = ((down >= 0) & (down < shape[0]))[:, :, None] & ((right >= 0) & (right < shape[1]))[:, None, :]
    rows = number[:, None] * shape[0] + down.clamp(0, shape[0] - 1)
    return rows[:, :, None] * shape[1] + right.clamp(0, shape[1] - 1)[:, None, :], inside


def _labels(picture: Picture, layings: Layings) -> dict[str, Tensor]:
    bits, disease, glow = layings.lay(picture.bits, picture.disease, picture.glow)
    numbers = torch.arange(len(UNITS), device=bits.device)
    diffuse, mass = disease[:, :MASS], disease[:, MASS:]
    return {
        "units": bits[:, None] >> numbers[None, :, None, None] & 1 > 0,
        "diffuse": diffuse,
        "other": torch.cat([mass, glow[:, None], diffuse.any(1, keepdim=True)], dim=1),
    }
