"""What the lesion and outline networks of CT see: HU as planes, in overlapping windows that hold bone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoscope.find.ct_cutting import held
from osteoscope.find.ct_frame import AIR, Box
from osteoscope.find.model import Model

# Of the frame that networks are trained for.
STEP_MM = 1.125
MODEL = "ct_lesions"
# Classes that the network tells apart; look-alikes are learnt by name so that they are not called lesions.
CLASSES = ("background", "lesion", "look_alike")
# Middle and half width of the HU windows: soft tissue, bone.
_WINDOWS = ((40.0, 160.0), (450.0, 650.0))
_REACH = 1.5

Mask = NDArray[np.bool_]
Array = NDArray[np.float32]
Halves = NDArray[np.float16]


def planes(hu: NDArray[Any]) -> Array:
    """HU through each window, shape (2, *hu.shape), about -1..1; places beyond a scan count as air."""
    values = np.maximum(hu, AIR).astype(np.float32)
    return np.stack([np.clip((values - middle) / half, -_REACH, _REACH) for middle, half in _WINDOWS])


@dataclass(frozen=True, eq=False)
class Chances:
    """What the network says of each voxel, 0..1, 0 where it did not look.

    Args:
        lesion, look_alike: of these classes, each of the shape of the volume, in half precision.
        step_mm: spacing of the voxels.
    """

    lesion: Halves
    look_alike: Halves
    step_mm: float = STEP_MM


def step_of(model: Model) -> float:
    """Spacing of the frame that a model works in, mm; 1.5 where its card says none, as of 0.4.0 and before."""
    return float(model.card.settings.get("step_mm", 1.5))


def reach_mm(model: Model) -> float:
    """How far beyond bone its windows may see, mm."""
    return step_of(model) * int(model.card.settings["window"]) / 2


def look(hu: NDArray[np.int16], bone: Mask, model: Model) -> Chances:
    """Run the network wherever there is bone; memory is a few volumes, time grows with the bone.

    Args:
        hu: at the model's own spacing (`step_of`) in the working frame.
        bone: of the same shape.
        model: with the settings "window" and "stride", in voxels; "mirrored" (default: true): whether each window is
            also looked at in the mirror.
    """
    mirrored = bool(model.card.settings.get("mirrored", True))
    lesion, look_alike = over_windows(hu, bone, model, lambda seen: _said(seen, model, mirrored)[1:], 2)
    return Chances(lesion, look_alike, step_of(model))


def over_windows(hu: NDArray[np.int16], place: Mask, model: Model, say: Callable[[Array], Array], maps: int) -> Halves:
    """What is said of each voxel of the windows that hold some of a place, averaged where they overlap.

    Args:
        hu: at the model's own spacing in the working frame.
        place: of the same shape.
        model: with the settings "window" and "stride", in voxels.
        say: maps (n, window, window, window) of `planes` of a window.
        maps: their number, n.

    Returns:
        (n, z, y, x), 0 where nothing was looked at.
    """
    window, stride = (int(model.card.settings[name]) for name in ("window", "stride"))
    # Half precision is plenty for chances, and a whole body fits.
    found = np.zeros((maps, *hu.shape), dtype=np.float16)
    weights = np.zeros(hu.shape, dtype=np.float16)
    taper = _taper(window)
    for box in windows(place, window, stride):
        outer, inner = held(hu.shape, [s.start for s in box], (window,) * 3)
        seen = np.full((window,) * 3, AIR, dtype=np.int16)
        seen[inner] = hu[outer]
        found[(slice(None), *outer)] += (say(planes(seen)) * taper)[(slice(None), *inner)]
        weights[outer] += taper[inner]
    found /= np.where(weights > 0, weights, 1)
    return found


def _said(picture: Array, model: Model, mirrored: bool) -> Array:
    """Chances of the classes, or the mean of those of a picture and of its mirror image."""
    (plain,) = model.run(picture)
    if not mirrored:
        return _chances(plain)
    (other,) = model.run(np.ascontiguousarray(picture[..., ::-1]))
    return np.asarray((_chances(plain) + _chances(other)[..., ::-1]) / 2, dtype=np.float32)


def windows(bone: Mask, window: int, stride: int) -> Iterator[Box]:
    """Cubes that cover all bone and overlap by ``window - stride``; they may reach beyond the volume."""
    spans = [np.flatnonzero(bone.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    if not all(span.size for span in spans):
        return
    starts = [_starts(int(span[0]), int(span[-1]) + 1, window, stride) for span in spans]
    for corner in product(*starts):
        z, y, x = (slice(start, start + window) for start in corner)
        if bone[_clipped(z), _clipped(y), _clipped(x)].any():
            yield z, y, x


def _starts(low: int, high: int, window: int, stride: int) -> list[int]:
    """Starts of as few windows as cover low..high, centred on it."""
    count = 1 + max(0, -(-(high - low - window) // stride))
    first = (low + high - window - (count - 1) * stride) // 2
    return [first + number * stride for number in range(count)]


def _clipped(span: slice) -> slice:
    return slice(max(0, span.start), max(0, span.stop))


def _taper(window: int) -> Array:
    """Weights that fall towards the faces, where the network sees least of the surroundings."""
    away = (np.arange(window) + 0.5) / window
    line = np.clip(4 * np.minimum(away, 1 - away), 0.1, 1.0).astype(np.float32)
    return np.asarray(line[:, None, None] * line[None, :, None] * line[None, None, :])


def _chances(logits: Array) -> Array:
    raised = np.exp(logits - logits.max(axis=0))
    return np.asarray(raised / raised.sum(axis=0), dtype=np.float32)
