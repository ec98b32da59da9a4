"""The same piece of somebody else: denser or thinner bone, other soft tissue, a field that ends within it.

Few real scans can be learnt from, and a network that knows them calls the bones of others lesions. All numbers are
choices.
"""

from __future__ import annotations

import edt
import numpy as np
from scipy import ndimage

from osteoscope.find.ct_frame import AIR
from osteoscope.find.ct_lesion_windows import STEP_MM
from osteoscope.train.ct_ground import Ground

_OTHER_BONE, _OTHER_MAKE, _OTHER_SOFT, _ENDS = 0.6, 0.6, 0.35, 0.15  # how often
# Bone above the HU of soft tissue is multiplied, marrow shifted; logarithms, HU, and widths of waves, mm.
_SOFT_HU, _OVERALL, _LOCAL, _SHIFT_HU, _WAVES_MM = 50.0, 0.22, 0.22, 35.0, (12.0, 40.0)
_MARROW_MM = 2.0
# A cortex so thick, mm, of so many HU; ends of bones that are denser by so much, over such a distance from the joint,
# mm; and a core that is, from nothing at the surface to all of it at such a depth, mm. How often each.
_CORTEX_MM, _CORTEX_HU, _JOINT_HU, _JOINT_MM = (0.5, 4.5), (500.0, 1300.0), (40.0, 300.0), (3.0, 15.0)
_CORE_HU, _CORE_MM, _EACH = (-80.0, 220.0), (4.0, 16.0), 0.5
# HU of lung, fat, water, muscle and contrast agent, and how far they move.
_KNOTS = np.array([-1000.0, -850.0, -105.0, 5.0, 60.0, 110.0, 400.0, 3071.0])
_MOVES = np.array([0.0, 40.0, 12.0, 8.0, 11.0, 0.0, 0.0, 0.0])
_MORE_AGENT = 0.6
_ALONG = (0.7, 0.15, 0.15)  # a field ends most often along z


def vary(ground: Ground) -> None:
    """Change a piece into that of another patient, before anything is put in."""
    # Ends first: what is computed of the bone is kept.
    for often, change in (
        (_ENDS, _end),
        (_OTHER_BONE, _other_bone),
        (_OTHER_MAKE, _other_make),
        (_OTHER_SOFT, _other_soft),
    ):
        if ground.rng.random() < often:
            change(ground)


def _other_bone(ground: Ground) -> None:
    rng = ground.rng
    pitch = float(np.exp(rng.uniform(*np.log(_WAVES_MM))))
    density = rng.normal(0, _OVERALL) + rng.uniform(0, _LOCAL) * ground.waves(ground.whole, pitch)
    bone = ndimage.binary_dilation(ground.bone) & (ground.hu > _SOFT_HU)
    ground.hu += np.where(bone, (ground.hu - _SOFT_HU) * np.expm1(density), 0).astype(np.float32)
    shift = rng.normal(0, _SHIFT_HU) + rng.uniform(0, _SHIFT_HU) * ground.waves(ground.whole, pitch)
    ground.hu += np.where(ground.depth > _MARROW_MM, shift, 0).astype(np.float32)


def _other_make(ground: Ground) -> None:
    """Bone built in another way: a thicker cortex, denser ends, a denser core. Findings keep what they are."""
    rng = ground.rng
    # Where a field ends, bone goes on unseen.
    depth = edt.edt(ground.bone | (ground.hu <= AIR), anisotropy=(STEP_MM,) * 3)
    denser = np.zeros_like(ground.hu)
    if rng.random() < _EACH and ground.joint.any():
        away = edt.edt(~ground.joint, anisotropy=(STEP_MM,) * 3)
        denser += rng.uniform(*_JOINT_HU) * np.exp(-away / rng.uniform(*_JOINT_MM))
    if rng.random() < _EACH:
        denser += rng.uniform(*_CORE_HU) * np.clip(depth / rng.uniform(*_CORE_MM), 0, 1)
    denser *= np.clip(1 + 0.3 * ground.waves(ground.whole, float(rng.uniform(*_WAVES_MM))), 0, None)
    if rng.random() < _EACH:
        within = np.clip((rng.uniform(*_CORTEX_MM) - depth) / STEP_MM + 0.5, 0, 1)
        denser += within * np.maximum(rng.uniform(*_CORTEX_HU) - ground.hu - denser, 0)
    denser *= ground.bone & (ground.label == 0)
    ground.hu += ndimage.gaussian_filter(denser, ground.blur)


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
