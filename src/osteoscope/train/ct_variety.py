"""The same piece of somebody else: denser or thinner bone, other soft tissue, a field that ends within it.

Few real scans can be learnt from, and a network that knows them calls the bones of others lesions. All numbers are
choices.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from osteoscope.find.ct_frame import AIR
from osteoscope.train.ct_ground import Ground

_OTHER_BONE, _OTHER_SOFT, _ENDS = 0.6, 0.35, 0.15  # how often
# Bone above the HU of soft tissue is multiplied, marrow shifted; logarithms, HU, and widths of waves, mm.
_SOFT_HU, _OVERALL, _LOCAL, _SHIFT_HU, _WAVES_MM = 50.0, 0.22, 0.22, 35.0, (12.0, 40.0)
_MARROW_MM = 2.0
# HU of lung, fat, water, muscle and contrast agent, and how far they move.
_KNOTS = np.array([-1000.0, -850.0, -105.0, 5.0, 60.0, 110.0, 400.0, 3071.0])
_MOVES = np.array([0.0, 40.0, 12.0, 8.0, 11.0, 0.0, 0.0, 0.0])
_MORE_AGENT = 0.6
_ALONG = (0.7, 0.15, 0.15)  # a field ends most often along z


def vary(ground: Ground) -> None:
    """Change a piece into that of another patient, before anything is put in."""
    # Ends first: what is computed of the bone is kept.
    for often, change in ((_ENDS, _end), (_OTHER_BONE, _other_bone), (_OTHER_SOFT, _other_soft)):
        if ground.rng.random() < often:
            change(ground)


def _other_bone(ground: Ground) -> None:
    rng = ground.rng
    z, y, x = (slice(0, n) for n in ground.hu.shape)
    pitch = float(np.exp(rng.uniform(*np.log(_WAVES_MM))))
    density = rng.normal(0, _OVERALL) + rng.uniform(0, _LOCAL) * ground.waves((z, y, x), pitch)
    bone = ndimage.binary_dilation(ground.bone) & (ground.hu > _SOFT_HU)
    ground.hu += np.where(bone, (ground.hu - _SOFT_HU) * np.expm1(density), 0).astype(np.float32)
    shift = rng.normal(0, _SHIFT_HU) + rng.uniform(0, _SHIFT_HU) * ground.waves((z, y, x), pitch)
    ground.hu += np.where(ground.depth > _MARROW_MM, shift, 0).astype(np.float32)


def _other_soft(ground: Ground) -> None:
    rng = ground.rng
    values = _KNOTS + _MOVES * rng.standard_normal(_KNOTS.size)
    values[5:7] = values[4] + (_KNOTS[5:7] - _KNOTS[4]) * np.exp(rng.uniform(-_MORE_AGENT, _MORE_AGENT))
    values = np.maximum.accumulate(values)
    other = np.interp(ground.hu, _KNOTS, values).astype(np.float32)
    np.copyto(ground.hu, other, where=~ndimage.binary_dilation(ground.bone))


def _end(ground: Ground) -> None:
    """Nothing beyond a plane."""
    rng = ground.rng
    axis = int(rng.choice(3, p=_ALONG))
    at = int(rng.integers(1, ground.hu.shape[axis]))
    beyond = slice(at, None) if rng.random() < 0.5 else slice(None, at)
    place = (*(slice(None),) * axis, beyond)
    ground.hu[place], ground.bone[place], ground.label[place] = AIR, False, 0
