"""What bone of this patient usually looks like, at this depth of a bone this thick."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]
Statistic = Callable[[Floats], Any]
_FINE = 1.4  # voxels; the narrowest Gaussian that half the resolution still carries
_TENTH = 1.2816  # standard deviations from the median of a normal distribution to its 10th percentile


@dataclass(frozen=True)
class ReferenceOptions:
    """Choices of the reference; design choices.

    Args:
        depth_mm: edges of the layers below the surface of the bone, cortex first.
        thickness_mm: edges of the local half thickness, rib and process first, vertebral body and femoral head last.
        least_ml: a layer with less bone than this takes the reference of all bones together.
        scales_mm: sigma of the neighbourhoods that are compared with their surroundings; lesions of about 5, 9 and
            14 mm radius answer most.
        surround: sigma of the surroundings, in sigmas of the neighbourhood.
        clip_hu: differences from the usual HU count no further than this.
        least_spread_hu: spread is at least this; below lies what noise does.
    """

    depth_mm: tuple[float, ...] = (2.0, 4.0, 6.0, 9.0, 13.0)
    thickness_mm: tuple[float, ...] = (6.0, 9.0, 13.0)
    least_ml: float = 1.0
    scales_mm: tuple[float, ...] = (2.0, 3.5, 5.5)
    surround: float = 2.5
    clip_hu: tuple[float, float] = (-300.0, 500.0)
    least_spread_hu: float = 8.0


@dataclass(frozen=True, eq=False)
class Layers:
    """Bone voxels by where they lie in their bone.

    Args:
        depth: mm below the surface of the bone, float32 [z, y, x].
        layer: number of the layer of depth and local thickness, int16 [z, y, x].
    """

    depth: Floats
    layer: NDArray[np.int16]


def layers_of(
    bone: NDArray[np.bool_], sampling: tuple[float, float, float], options: ReferenceOptions = ReferenceOptions()
) -> Layers:
    """Layers of a bone mask; ``sampling`` is the voxel size in mm, enlarged along thick slices by the caller."""
    depth = np.asarray(edt.edt(bone, anisotropy=sampling, black_border=False))
    reach = [2 * max(1, round(options.thickness_mm[-1] / s / 2)) + 1 for s in sampling]
    thickness = ndimage.maximum_filter(depth, size=reach)
    deep = np.digitize(depth, options.depth_mm)
    thick = np.digitize(thickness, options.thickness_mm)
    return Layers(depth, (deep * (len(options.thickness_mm) + 1) + thick).astype(np.int16))


def kind_of_site(site: str) -> str:
    """Bones that are compared with each other: "vertebra_T", "rib", "hip", ..."""
    level = re.fullmatch(r"vertebra_([CTL])\d+", site)
    return f"vertebra_{level[1]}" if level else site.partition("_")[0]


@dataclass(frozen=True, eq=False)
class Deviation:
    """How bone differs from its like.

    Args:
        score: contrast of each voxel's neighbourhood to its surroundings, in spreads of that contrast below or above
            its median over the same layer of all bones of that kind; of the strongest scale; float32 [z, y, x].
        usual: median HU of that layer, float32 [z, y, x].
    """

    score: Floats
    usual: Floats


def deviation(
    hu: NDArray[np.integer],
    sites: NDArray[np.integer],
    names: Sequence[str],
    layers: Layers,
    step: float,
    options: ReferenceOptions = ReferenceOptions(),
) -> Deviation:
    """Deviation of every bone voxel; ``sites`` holds 1 + the index in ``names``, 0 beyond bone; ``step`` in mm."""
    inside = sites > 0
    kinds = sorted({kind_of_site(name) for name in names})
    kind_of = np.array([0, *(kinds.index(kind_of_site(name)) for name in names)])
    layer = layers.layer[inside].astype(np.int64)
    group = kind_of[sites[inside]] * (int(layer.max(initial=0)) + 1) + layer
    groups = _Groups(group, layer, options.least_ml * 1000 / step**3)
    values = hu[inside].astype(np.float32)
    usual = groups.of(values, np.median)
    residual = np.zeros(hu.shape, dtype=np.float32)
    residual[inside] = np.clip(values - usual, *options.clip_hu)
    score = np.zeros_like(usual)
    for scale in options.scales_mm:
        contrast = _contrast(residual, inside, scale / step, options.surround)[inside]
        spreads = _in_spreads(contrast, groups, options)
        score = np.where(np.abs(spreads) > np.abs(score), spreads, score)
    return Deviation(_volume(score, inside), _volume(usual, inside))


def _volume(values: Floats, inside: NDArray[np.bool_]) -> Floats:
    volume = np.zeros(inside.shape, dtype=np.float32)
    volume[inside] = values
    return volume


def _contrast(residual: Floats, bone: NDArray[np.bool_], sigma: float, surround: float) -> Floats:
    """Mean residual of the bone near a voxel less that of the bone around; wide scales on every second voxel."""
    weight = bone.astype(np.float32)
    near = _mean(residual, weight, sigma)
    return near - _mean(residual, weight, sigma * surround)


def _mean(values: Floats, weight: Floats, sigma: float) -> Floats:
    """Gaussian mean over bone only; ``values`` are 0 beyond it."""
    if sigma > 2.0 * _FINE:
        halved = _mean(_halved(values), _halved(weight), sigma / 2)
        return _doubled(halved, values.shape)
    total = ndimage.gaussian_filter(weight, sigma, mode="constant")
    return np.asarray(ndimage.gaussian_filter(values, sigma, mode="constant") / np.maximum(total, 0.02))


def _halved(values: Floats) -> Floats:
    """Means of 2 x 2 x 2 voxels."""
    even = np.pad(values, [(0, n % 2) for n in values.shape])
    blocks = even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2, even.shape[2] // 2, 2)
    return np.asarray(blocks.mean(axis=(1, 3, 5)))


def _doubled(values: Floats, shape: tuple[int, ...]) -> Floats:
    for axis in range(3):
        values = np.repeat(values, 2, axis=axis)
    return values[tuple(slice(0, n) for n in shape)]


class _Groups:
    """Voxels by kind and layer; small groups borrow from their layer over all kinds."""

    def __init__(self, group: Labels, layer: Labels, least: float) -> None:
        self._rows = list(_rows_by(layer))
        self._rows += [rows for rows in _rows_by(group) if len(rows) >= least]

    def of(self, values: Floats, statistic: Statistic) -> Floats:
        """A statistic of each voxel's group."""
        result = np.empty_like(values)
        for rows in self._rows:
            result[rows] = statistic(values[rows])
        return result


def _rows_by(label: Labels) -> list[NDArray[np.intp]]:
    order = np.argsort(label, kind="stable")
    bounds = np.flatnonzero(np.diff(label[order], prepend=-1, append=-1))
    return [order[start:stop] for start, stop in itertools.pairwise(bounds)]


def _in_spreads(values: Floats, groups: _Groups, options: ReferenceOptions) -> Floats:
    """Values over the spread of their side: distance of the median from the 10th or 90th percentile, scaled."""
    low, centre, high = (groups.of(values, partial(np.percentile, q=q)) for q in (10.0, 50.0, 90.0))
    spread = np.where(values < centre, centre - low, high - centre) / _TENTH
    return np.asarray((values - centre) / np.maximum(spread, options.least_spread_hu), dtype=np.float32)
