"""Marrow too far from its walls to be met by them: what a bone's shell encloses in planes of all three directions."""

from __future__ import annotations

from dataclasses import dataclass

import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.find.ct_frame import Frame

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class HollowOptions:
    """Choices, looked at on simulated and real scans; the wings of a sacrum are the widest hollow that is bone.

    Args:
        close_mm: narrow openings of the shell are closed: no ball of this radius gets through.
        most_cm2: a larger area within a shell is no marrow: brain, pelvis, chest.
        lightest_hu: below it is no marrow: air.
        least_mm: in a scan shorter than this, bones are cut too often for planes along it to say what they enclose.
    """

    close_mm: float = 4.5
    most_cm2: float = 25.0
    lightest_hu: int = -150
    least_mm: float = 60.0


def hollows(bone: Mask, frame: Frame, options: HollowOptions = HollowOptions()) -> Mask:
    """Voxels [z, y, x] that bone encloses in their axial, coronal and sagittal plane, without the bone itself."""
    if min(bone.shape) * frame.step < options.least_mm:
        return np.zeros_like(bone)
    found = ~bone & (frame.hu > options.lightest_hu)
    for axis in range(3):
        planes = [_enclosed(plane, frame, options) for plane in np.moveaxis(bone, axis, 0)]
        found &= np.stack(planes, axis=axis)
    return found


def _enclosed(plane: Mask, frame: Frame, options: HollowOptions) -> Mask:
    """What lies within closed rings of a plane, the gaps that closed them included."""
    enclosed = np.zeros_like(plane)
    spans = [np.flatnonzero(plane.any(axis=axis)) for axis in (1, 0)]
    if not len(spans[0]):
        return enclosed
    reach, step = frame.voxels(options.close_mm) + 2, (frame.step,) * 2
    box = tuple(slice(int(span[0]), int(span[-1]) + 1) for span in spans)
    near = edt.edt(~np.pad(plane[box], reach), anisotropy=step) <= options.close_mm
    rooms, _ = ndimage.label(~near)
    small = np.bincount(rooms.ravel()) * frame.step**2 <= 100 * options.most_cm2
    small[[0, rooms[0, 0]]] = False
    solid = edt.edt(near | small[rooms], anisotropy=step) > options.close_mm
    enclosed[box] = solid[reach:-reach, reach:-reach]
    return enclosed
