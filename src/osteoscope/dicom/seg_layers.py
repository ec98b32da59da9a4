"""Segmentations of one kind and identity put into one: segments that overlap need one label map each."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from highdicom.seg import Segmentation, SegmentsOverlapValues
from numpy.typing import NDArray
from pydicom.dataset import Dataset


def merged(layers: Iterable[Segmentation]) -> Segmentation:
    """The first of some BINARY Segmentations with the frames of all, in the order of segments and slices.

    highdicom itself takes overlapping segments only as one stack of all masks, whatever its size.

    Args:
        layers: on one grid, with the same segments described and each segment's frames in one of them.
    """
    whole, *others = layers
    if not others:
        return whole
    frames = [frame for layer in (whole, *others) for frame in _frames(layer)]
    plane = whole.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0]
    normal = np.cross(*np.reshape(plane.ImageOrientationPatient, (2, 3)))
    heights = [np.dot(normal, group.PlanePositionSequence[0].ImagePositionPatient) for group, _ in frames]
    _, slices = np.unique(np.round(heights, 3), return_inverse=True)
    for (group, _), number in zip(frames, slices, strict=True):
        group.FrameContentSequence[0].DimensionIndexValues[-1] = int(number) + 1
    frames.sort(key=lambda frame: list(frame[0].FrameContentSequence[0].DimensionIndexValues))
    whole.PerFrameFunctionalGroupsSequence = [group for group, _ in frames]
    whole.NumberOfFrames = len(frames)
    whole.SegmentsOverlap = SegmentsOverlapValues.YES.value
    packed = np.packbits(np.concatenate([bits for _, bits in frames]), bitorder="little").tobytes()
    whole.PixelData = packed + b"\0" * (len(packed) % 2)
    return whole


def _frames(layer: Segmentation) -> list[tuple[Dataset, NDArray[np.uint8]]]:
    size = layer.Rows * layer.Columns
    bits = np.unpackbits(np.frombuffer(layer.PixelData, np.uint8), count=size * layer.NumberOfFrames, bitorder="little")
    return list(zip(layer.PerFrameFunctionalGroupsSequence, bits.reshape(-1, size), strict=True))
