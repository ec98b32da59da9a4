"""What bone of this patient usually looks like, at this depth of a bone this thick."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class ReferenceOptions:
    """Choices of the reference; design choices.

    Args:
        depth_mm: edges of the layers below the surface of the bone, cortex first.
        thickness_mm: edges of the local half thickness, rib and process first, vertebral body and femoral head last.
        least_ml: a layer with less bone than this takes the reference of all bones together.
        least_spread_hu: spread is at least this; below lies what noise and partial volume do.
    """

    depth_mm: tuple[float, ...] = (2.0, 4.0, 6.0, 9.0, 13.0)
    thickness_mm: tuple[float, ...] = (6.0, 9.0, 13.0)
    least_ml: float = 1.0
    least_spread_hu: float = 25.0


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


def deviation(
    hu: NDArray[np.integer],
    sites: NDArray[np.integer],
    names: Sequence[str],
    layers: Layers,
    cell_ml: float,
    options: ReferenceOptions = ReferenceOptions(),
) -> tuple[Floats, Floats]:
    """How far each bone voxel lies from its kind's usual HU, in robust spreads, and that usual HU.

    ``sites`` holds, per voxel, 1 + the index of its site in ``names``, 0 beyond bone. Usual is the median over the
    same layer of all bones of that kind, spread the scaled median absolute deviation.
    """
    inside = np.flatnonzero(sites.ravel())
    kinds = sorted({kind_of_site(name) for name in names})
    kind_of = np.array([0, *(kinds.index(kind_of_site(name)) for name in names)])
    layer = layers.layer.ravel()[inside].astype(np.int64)
    values = hu.ravel()[inside].astype(np.float32)
    group = kind_of[sites.ravel()[inside]] * (int(layer.max(initial=0)) + 1) + layer
    centre, spread = _robust(values, group, layer, options.least_ml / cell_ml)
    score = np.zeros(hu.size, dtype=np.float32)
    usual = np.zeros(hu.size, dtype=np.float32)
    usual[inside] = centre
    score[inside] = (values - centre) / np.maximum(spread, options.least_spread_hu)
    return score.reshape(hu.shape), usual.reshape(hu.shape)


def _robust(values: Floats, group: NDArray[np.int64], layer: NDArray[np.int64], least: float) -> tuple[Floats, Floats]:
    """Median and scaled MAD per group, of the whole layer where the group is small."""
    centre, spread = np.empty_like(values), np.empty_like(values)
    for label, fallback in ((layer, None), (group, least)):
        order = np.argsort(label, kind="stable")
        bounds = np.flatnonzero(np.diff(label[order], prepend=-1, append=-1))
        for start, stop in itertools.pairwise(bounds):
            rows = order[start:stop]
            if fallback is not None and len(rows) < fallback:
                continue
            centre[rows] = np.median(values[rows])
            spread[rows] = 1.4826 * np.median(np.abs(values[rows] - centre[rows[0]]))
    return centre, spread
