"""How a body looks on a CT: random HU of its tissues, lesions and metal in its bones, a random scanner."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from osteoscope.find.ct_bone_maps import LABELS, VOXEL_MM

Rng = np.random.Generator
# Usual HU of air, lung, fat, water, muscle, and of contrast agent; of marrow and cortex.
_SOFT = np.array([-1000.0, -850.0, -450.0, -105.0, 10.0, 60.0, 400.0, 3000.0])
_BONE = np.array([-100.0, 60.0, 200.0, 700.0, 1300.0, 3000.0])
_WILD, _METAL, _THICK, _BLURRED, _GRAINY = 0.08, 0.04, 0.4, 0.5, 0.5
_FEW_LESIONS, _RADIUS_MM, _NOISE_HU = 2.0, (4.0, 25.0), (2.0, 30.0)


def look(hu: Tensor, labels: Tensor, rng: Rng) -> Tensor:
    """HU as scanned, float32 of the same shape, from quiet HU and labels (uint8) of voxels of `VOXEL_MM`."""
    bone = labels > 0
    seed = torch.Generator().manual_seed(int(rng.integers(2**62)))
    seen = _coloured(hu, labels, bone, rng)
    grain = torch.randn(hu.shape, generator=seed)
    seen += grain * torch.where(bone, float(rng.uniform(0, 60)), float(rng.uniform(0, 14)))
    for _ in range(int(rng.poisson(_FEW_LESIONS))):
        _diseased(seen, bone, rng)
    if rng.random() < _METAL:
        _metal(seen, bone, rng)
    return _scanned(seen, rng, seed)


def _curve(knots: NDArray[np.float64], values: NDArray[np.float64]) -> Tensor:
    """A table of HU from -1024 to 3072."""
    return torch.tensor(np.interp(np.arange(-1024, 3073), knots, values), dtype=torch.float32)


def _coloured(hu: Tensor, labels: Tensor, bone: Tensor, rng: Rng) -> Tensor:
    soft, hard = _soft_curve(rng), _bone_curve(rng)
    if rng.random() < _WILD:
        soft = _curve(_SOFT, np.concatenate([[-1000], rng.uniform(-900, 700, _SOFT.size - 1)]))
        hard = _curve(_BONE, rng.uniform(-300, 1500, _BONE.size))
    index = (hu + 1024).round().clamp(0, 4096).long()
    # The rim of bone, a mixture with what surrounds it, keeps its share: agent is not made of it.
    rim = functional.max_pool3d(bone[None, None].float(), 3, 1, 1)[0, 0] > 0
    quiet = _curve(_SOFT, _SOFT)
    seen = torch.where(bone, hard[index], torch.where(rim, quiet[index], soft[index]))
    each = torch.tensor(rng.normal(0, 30, len(LABELS)), dtype=torch.float32)
    each[0] = 0
    return seen + each[labels.long()]


def _soft_curve(rng: Rng) -> Tensor:
    values = _SOFT + np.concatenate([[0], rng.normal(0, (40, 60, 15, 10, 14)), [0, 0]])
    values[6] = values[5] + 340 * rng.uniform(0.3, 2.2)
    return _curve(_SOFT, np.maximum.accumulate(values))


def _bone_curve(rng: Rng) -> Tensor:
    low = rng.uniform(-120, 30)
    marrow = rng.uniform(0, 110) + np.array([0, rng.uniform(20, 280)])
    cortex = rng.uniform(marrow[1] + 150, 1000)
    return _curve(_BONE, np.array([low, *marrow, cortex, cortex + rng.uniform(200, 700), 2800]))


def _diseased(seen: Tensor, bone: Tensor, rng: Rng) -> None:
    """A lytic, blastic or mixed lesion; what it eats stays labelled as bone."""
    at = _somewhere(bone, rng)
    if at is None:
        return
    radius = float(np.exp(rng.uniform(*np.log(_RADIUS_MM)))) / VOXEL_MM
    box = tuple(slice(max(0, int(c - 1.4 * radius)), int(c + 1.4 * radius) + 2) for c in at)
    here, own = seen[box], bone[box]
    axes = [torch.arange(n, dtype=torch.float32) + s.start - c for n, s, c in zip(
        here.shape, box, at, strict=True)]  # fmt: skip
    away = torch.sqrt(axes[0][:, None, None] ** 2 + axes[1][None, :, None] ** 2 + axes[2][None, None, :] ** 2)
    bumps = _bumps(here.shape, rng)
    blob = away < radius * (1 + 0.3 * bumps)
    way = rng.choice(4, p=(0.35, 0.2, 0.3, 0.15))
    soft, dense = float(rng.normal(50, 20)), float(rng.uniform(350, 1150))
    if way == 1:  # grows out of its bone
        blob &= own | (here > -300)
        here[blob] = soft
    elif way == 3:
        here[blob & own] = torch.where(_bumps(here.shape, rng) > 0, dense, soft)[blob & own]
    else:
        here[blob & own] = soft if way == 0 else dense


def _bumps(shape: torch.Size, rng: Rng) -> Tensor:
    rough = torch.tensor(rng.normal(0, 1, (1, 1, 4, 4, 4)), dtype=torch.float32)
    return functional.interpolate(rough, size=tuple(shape), mode="trilinear", align_corners=True)[0, 0]


def _somewhere(bone: Tensor, rng: Rng) -> NDArray[np.intp] | None:
    slices = torch.nonzero(bone.any(dim=2).any(dim=1)).ravel()
    if not len(slices):
        return None
    z = int(slices[int(rng.integers(len(slices)))])
    inside = torch.nonzero(bone[z])
    row, column = inside[int(rng.integers(len(inside)))].tolist()
    return np.array([z, row, column])


def _metal(seen: Tensor, bone: Tensor, rng: Rng) -> None:
    """A rod with streaks along the rows that it lies in."""
    at = _somewhere(bone, rng)
    if at is None:
        return
    direction = rng.normal(0, 1, 3)
    direction /= np.linalg.norm(direction)
    axes = [torch.arange(n, dtype=torch.float32) - float(c) for n, c in zip(seen.shape, at, strict=True)]
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    along = z * direction[0] + y * direction[1] + x * direction[2]
    aside = z**2 + y**2 + x**2 - along**2
    rod = (along.abs() < rng.uniform(4, 25)) & (aside < float(rng.uniform(0.7, 2.0)) ** 2)
    rows = rod.any(dim=2).float()
    wide = functional.avg_pool2d(rows[None], (1, 5), 1, (0, 2))[0]
    seen += float(rng.uniform(30, 200)) * wide[:, :, None] * torch.randn(1, seen.shape[1], 1)
    seen[rod] = float(rng.uniform(2200, 3071))


def _scanned(seen: Tensor, rng: Rng, seed: torch.Generator) -> Tensor:
    """Blur, thick slices, noise."""
    volume = seen[None, None]
    if rng.random() < _BLURRED:
        volume = _blurred(volume, float(rng.uniform(0.2, 0.7)))
    noise = torch.randn(volume.shape, generator=seed)
    if rng.random() < _GRAINY:
        noise = _blurred(noise, 0.7) * 2.0
    volume = volume + float(np.exp(rng.uniform(*np.log(_NOISE_HU)))) * noise
    if rng.random() < _THICK:
        size = volume.shape[2:]
        thin = functional.avg_pool3d(volume, (2, 1, 1), ceil_mode=True)
        volume = functional.interpolate(thin, size=size, mode="trilinear", align_corners=False)
    return volume[0, 0].clamp(-1024, 3071)


def _blurred(volume: Tensor, sigma: float) -> Tensor:
    """Gaussian in the slices, by five taps."""
    taps = torch.exp(-0.5 * (torch.arange(-2.0, 3.0) / sigma) ** 2)
    taps /= taps.sum()
    return _rows(_rows(volume, taps, 3), taps, 4)


def _rows(volume: Tensor, taps: Tensor, axis: int) -> Tensor:
    reach = len(taps) // 2
    n = volume.shape[axis]
    total = torch.zeros_like(volume)
    for step, tap in zip(range(-reach, reach + 1), taps.tolist(), strict=True):
        moved = torch.clamp(torch.arange(n) + step, 0, n - 1)
        total += tap * volume.index_select(axis, moved)
    return total
