"""Bodies as the device holds them that renders examples of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from osteoscope.train.planar_basis import UNITS, Basis, Part
from osteoscope.train.planar_draw import UNIT_OF, aperture
from osteoscope.train.planar_sample import BACKGROUND
from osteoscope.train.planar_trace import Patch, Trace

# Planes and bits of the units come first; then a plane of soft-tissue disease, and a bit of the body.
MASS = BODY = len(UNITS)


@dataclass(frozen=True, eq=False)
class Pixels:
    """Crops of many parts, end to end.

    Args:
        values: (n,) float16, each over its part's scale.
        at: (n,) int32 place in a flat (2, H, W).
        counts: (parts,) how many belong to each.
    """

    values: Tensor
    at: Tensor
    counts: Tensor

    @classmethod
    def of(cls, parts: Sequence[Part], shape: tuple[int, int], device: torch.device) -> Pixels:
        """Of some parts of pictures (H, W)."""
        values = [part.views.ravel() for part in parts]
        at = [_places(part.corner, part.views.shape[1:], shape, 2).ravel() for part in parts]
        return cls(_joined(values, np.float16, device), _joined(at, np.int32, device), _counts(at, device))

    def add(self, target: Tensor, weights: Tensor) -> None:
        """Add every part, times its weight, to a flat picture."""
        each = torch.repeat_interleave(weights, self.counts, output_size=len(self.values))
        target.index_add_(0, self.at, self.values * each)


@dataclass(frozen=True, eq=False)
class Masks:
    """Silhouettes of many lesions, end to end.

    Args:
        at: (n,) int32 place in a flat (`MASS` + 1, H, W); foci have none.
        counts: (lesions,) how many belong to each.
    """

    at: Tensor
    counts: Tensor

    @classmethod
    def of(cls, lesions: Sequence[Part], shape: tuple[int, int], device: torch.device) -> Masks:
        """Of some lesions of pictures (H, W)."""
        at = [_mask(part, shape) for part in lesions]
        return cls(_joined(at, np.int32, device), _counts(at, device))

    def add(self, target: Tensor, there: Tensor) -> None:
        """Count, in flat planes, the silhouettes of those lesions that are there (1 or 0)."""
        each = torch.repeat_interleave(there.to(target.dtype), self.counts, output_size=len(self.at))
        target.index_add_(0, self.at, each)


@dataclass(frozen=True, eq=False)
class Held:
    """A body on the device; its lesions are the parts of the basis after the organs.

    Args:
        shape: (H, W) of its pictures.
        order: organs of the basis, the first `background` of them those of the background.
        organs, shining: pixels in that order, of all and of those after the background.
        lesions, masks: pixels and silhouettes.
        scales: (parts,) of all parts of the basis.
        peaks, peak: (lesions, 2) flat place in (2, H, W) of the highest pixel in each view, and its value.
        bits: (H, W) int32, units and `BODY`.
        aperture: see `osteoscope.train.planar_draw.aperture`.
        acquired: (15,) uint8.
        seen: (2, 2) rows and columns exposed.
        traces: artefacts, whose patches lie on the device by their id.
    """

    shape: tuple[int, int]
    order: NDArray[np.int64]
    background: int
    organs: Pixels
    shining: Pixels
    lesions: Pixels
    masks: Masks
    scales: NDArray[np.float32]
    peaks: NDArray[np.int64]
    peak: NDArray[np.float32]
    bits: Tensor
    aperture: float
    acquired: NDArray[np.uint8]
    seen: NDArray[np.int64]
    traces: tuple[Trace, ...]
    patches: Mapping[int, Tensor]

    @classmethod
    def of(cls, basis: Basis, traces: Sequence[Trace], device: torch.device) -> Held:
        """Bring a body to the device."""
        height, width = basis.body.shape
        shape = (height, width)
        organs = [part for part in basis.parts if part.kind == "organ"]
        lesions = basis.parts[len(organs) :]
        order = sorted(range(len(organs)), key=lambda n: organs[n].name not in BACKGROUND)
        background = sum(part.name in BACKGROUND for part in organs)
        peaks = [_peak(part, shape) for part in lesions]
        bits = basis.body.astype(np.int32) << BODY
        for number, unit in enumerate(basis.units):
            bits |= unit.astype(np.int32) << number
        patches = [patch for trace in traces for patch in (trace.added, trace.shade) if patch is not None]
        return cls(
            shape,
            np.array(order),
            background,
            Pixels.of([organs[n] for n in order], shape, device),
            Pixels.of([organs[n] for n in order[background:]], shape, device),
            Pixels.of(lesions, shape, device),
            Masks.of(lesions, shape, device),
            np.array([part.scale for part in basis.parts], dtype=np.float32),
            np.array([at for at, _ in peaks], dtype=np.int64).reshape(-1, 2),
            np.array([value for _, value in peaks], dtype=np.float32).reshape(-1, 2),
            torch.from_numpy(bits).to(device),
            aperture(basis.pixel_mm),
            (basis.acquired >= 0.5).astype(np.uint8),
            basis.seen,
            tuple(traces),
            {id(patch): torch.from_numpy(patch.views).to(device) for patch in patches},
        )

    def patch(self, patch: Patch) -> Tensor:
        """Of one of its traces, on the device."""
        return self.patches[id(patch)]


def _places(corner: tuple[int, int], crop: tuple[int, ...], shape: tuple[int, int], views: int) -> NDArray[np.int64]:
    rows, columns = (np.arange(n) + start for n, start in zip(crop, corner, strict=True))
    return np.asarray((np.arange(views) * shape[0])[:, None, None] * shape[1] + rows[:, None] * shape[1] + columns)


def _mask(part: Part, shape: tuple[int, int]) -> NDArray[np.int64]:
    if part.kind == "focus":
        return np.empty(0, dtype=np.int64)
    plane = MASS if part.kind == "mass" else UNIT_OF[part.name]
    return np.asarray(_places(part.corner, part.mask.shape, shape, 1)[0][part.mask] + plane * shape[0] * shape[1])


def _peak(part: Part, shape: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    flat = part.views.reshape(2, -1)
    at = flat.argmax(axis=1)
    places = _places(part.corner, part.views.shape[1:], shape, 2).reshape(2, -1)
    return places[(0, 1), at], flat[(0, 1), at].astype(np.float32)


def _joined(arrays: Sequence[NDArray[np.generic]], kind: type[np.generic], device: torch.device) -> Tensor:
    joined = np.concatenate(arrays).astype(kind) if arrays else np.empty(0, dtype=kind)
    return torch.from_numpy(joined).to(device)


def _counts(arrays: Sequence[NDArray[np.generic]], device: torch.device) -> Tensor:
    return torch.tensor([len(array) for array in arrays], dtype=torch.int64, device=device)
