"""Sacrum and coccyx of an adult. Lengths in millimetres for a stature of 170 cm, along an arc from the top of S1."""

from __future__ import annotations

import numpy as np

from osteoscope.simulate.ct_canvas import Bone
from osteoscope.simulate.ct_implicit import Array, Place, common, superellipse, union, without
from osteoscope.simulate.ct_spine import SACRAL_SLOPE

# By distance down the arc (mm): half width, half depth of the bodies.
_SACRUM_AT = np.array([-3, 8, 30, 48, 66, 84, 104, 112, 128, 142])
_SACRUM_WIDE = np.array([50, 54, 52, 44, 34, 27, 17, 9, 7, 3])
_SACRUM_DEEP = np.array([16, 15, 12, 10, 8, 7, 5.5, 4.5, 4, 3])
_ARC = 95.0


def sacrum_bone(scale: float, marrow_hu: float) -> Bone:
    """Sacrum with coccyx: a tapered, curved wedge with canal, four pairs of foramina and a median crest."""

    def arc(p: Place) -> Place:
        """(side, depth behind the arc, way down the arc), unscaled."""
        q = p.pitched(SACRAL_SLOPE).scaled(1 / scale, 1 / scale, 1 / scale)
        outer = np.hypot(q.y + _ARC, q.z)
        return Place(q.x, outer - _ARC, np.arctan2(-q.z, q.y + _ARC) * np.float32(_ARC))

    def shape(p: Place) -> Array:
        return _sacrum(arc(p)) * np.float32(scale)

    def marrow(p: Place) -> Array:
        q = arc(p)
        fatty = np.clip((np.abs(q.x) - 18) / 12, 0, 1)
        return np.asarray(marrow_hu * (0.85 - 0.75 * fatty), dtype=np.float32)

    low, high = (-62 * scale, -30 * scale, -135 * scale), (62 * scale, 85 * scale, 22 * scale)
    return Bone("sacrum", low, high, shape, 1.0, marrow)


def _sacrum(q: Place) -> Array:
    wide = np.interp(q.z, _SACRUM_AT, _SACRUM_WIDE).astype(np.float32)
    deep = np.interp(q.z, _SACRUM_AT, _SACRUM_DEEP).astype(np.float32)
    share = np.clip(np.abs(q.x) / wide, 0, 1.2)
    ends = np.maximum(-q.z - 2 * np.clip((np.abs(q.x) - 22) / 10, 0, 1), q.z - 140)
    front = common([np.abs(q.x) - wide, np.abs(q.y - 9 * share**2) - deep * (1 - 0.15 * share**2), ends], 4.0)
    ridge = 3 * np.exp(-((q.x / 4) ** 2)) * (np.cos(q.z / 3.4) + 1)
    back = common([np.abs(q.x) - (0.75 * wide), np.abs(q.y - deep - 6.5) - 8.5 - ridge, -q.z - 3, q.z - 88], 4.0)
    canal = superellipse(q.x, q.y - deep - 7, (np.maximum(13 - 0.08 * q.z, 2), np.maximum(6 - 0.035 * q.z, 1)), 2.2)
    shape = without(union([front, back], 6.0), (canal - 1) * 6, 1.5)
    for at, side in zip((22, 41, 58, 75), (25, 22, 19, 16), strict=True):
        hole = np.hypot(np.abs(q.x) - side, q.z - at) - 4.2
        shape = without(shape, hole.astype(np.float32), 2.0)
    return shape
