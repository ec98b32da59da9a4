"""Body outline and bones of a posed skeleton as capsules: round cones from one point to another.

Widths are shares of stature, of the adult measured on the reference voxel phantoms of ICRP Publication 110.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.anatomy import Side
from osteoscope.find.planar_model import LIMB_JOINTS, SIGN, Limb, Skeleton, grown

Array = NDArray[np.float64]
Capsule = tuple[Array, Array, float, float]


def distance(points: Array, capsules: Array) -> Array:
    """Signed distance (capsule, point), negative inside.

    Args:
        points: (n, 2) of (row, column).
        capsules: (k, 6) of both ends and both radii.
    """
    row, column = points.T
    start_row, start_column, stop_row, stop_column, near, far = capsules.T[:, :, None]
    down, right = stop_row - start_row, stop_column - start_column
    off_row, off_column = row - start_row, column - start_column
    share = off_row * down + off_column * right
    share /= np.maximum(down**2 + right**2, 1e-9)
    np.clip(share, 0, 1, out=share)
    off_row -= share * down
    off_column -= share * right
    return np.asarray(np.sqrt(off_row**2 + off_column**2) - near - share * (far - near))


def outline_capsules(skeleton: Skeleton) -> Array:
    """The body's silhouette, (k, 6)."""
    v, flank = skeleton.values, 0.045
    widths = {n: max(grown(n, v["age"]) * np.exp(v[n]) - flank, 0.01) for n in ("chest", "waist", "hips")}
    rows: list[Capsule] = [*_head(skeleton), (*_between(skeleton, "shoulder_right", "shoulder_left"), 0.03, 0.03)]
    rows.append((skeleton.trunk(0, 0.08), skeleton.trunk(0, 0.92), 0.065, 0.065))
    for sign in SIGN.values():
        levels = [
            skeleton.trunk(sign * widths[n], t)
            for n, t in (("chest", 0.12), ("chest", 0.4), ("waist", 0.66), ("hips", 0.9))
        ]
        rows += [(a, b, flank, flank) for a, b in pairwise(levels)]
    limbs = [limb_capsules(skeleton, limb, side) for limb, side in LIMB_ROWS]
    return np.concatenate([_packed(rows, skeleton.stature), *limbs])


def limb_capsules(skeleton: Skeleton, limb: Limb, side: Side) -> Array:
    """The silhouette of one limb, (..., 3, 6); leading axes as those of its joints."""
    girth = grown("girth", skeleton.values["age"]) * np.exp(skeleton.values[f"{limb}_girth"]) * skeleton.stature
    chain = [skeleton.joints[f"{joint}_{side}"] for joint in LIMB_JOINTS[limb]]
    chain = [np.broadcast_to(joint, chain[-1].shape) for joint in chain]
    radii = [np.broadcast_to(np.asarray(pair) * girth, chain[-1].shape) for pair in _LIMB_RADII[limb]]
    bones = [np.concatenate(row, axis=-1) for row in zip(chain, chain[1:], radii, strict=False)]
    return np.stack(bones, axis=-2)


def trunk_capsules(skeleton: Skeleton) -> Array:
    """The silhouette of the trunk alone, (k, 6)."""
    return outline_capsules(skeleton)[2:_AXIAL_ROWS]


# Rows of `outline_capsules`: head and neck, trunk, then each limb.
_AXIAL_ROWS = 10
LIMB_ROWS: Mapping[tuple[Limb, Side], slice] = {
    key: slice(_AXIAL_ROWS + 3 * n, _AXIAL_ROWS + 3 * n + 3)
    for n, key in enumerate((limb, side) for side in SIGN for limb in LIMB_JOINTS)
}
_LIMB_RADII: Mapping[Limb, tuple[tuple[float, float], ...]] = {
    "arm": ((0.029, 0.023), (0.024, 0.016), (0.017, 0.014)),
    "leg": ((0.048, 0.034), (0.036, 0.021), (0.022, 0.018)),
}


def _head(skeleton: Skeleton) -> list[Capsule]:
    width = grown("head_width", skeleton.values["age"]) * np.exp(skeleton.values["head_width"])
    tall = float(np.linalg.norm(skeleton.joints["vertex"] - skeleton.joints["neck_base"])) / skeleton.stature
    crown, face = width / tall, 0.9 - 0.7 * width / tall
    a, b = (skeleton.along("vertex", "neck_base", share) for share in (crown, max(face, crown)))
    return [(a, b, width, 0.7 * width), (b, skeleton.joints["neck_base"], 0.036, 0.036)]


def _chain(
    skeleton: Skeleton, joints: Sequence[str], radii: Sequence[tuple[float, float]], scale: float
) -> list[Capsule]:
    ends = zip(joints, joints[1:], radii, strict=False)
    return [(*_between(skeleton, a, b), scale * near, scale * far) for a, b, (near, far) in ends]


def _between(skeleton: Skeleton, start: str, stop: str) -> tuple[Array, Array]:
    return skeleton.joints[start], skeleton.joints[stop]


def _packed(rows: Sequence[Capsule], stature: float) -> Array:
    return np.asarray([[*a, *b, near * stature, far * stature] for a, b, near, far in rows])


def bone_capsules(skeleton: Skeleton) -> Mapping[str, Array]:
    """Bones of every planar unit but soft tissue, (k, 6) each."""
    rows = {unit: [_placed(skeleton, line) for line in lines] for unit, lines in _AXIAL.items()}
    chest = grown("chest", skeleton.values["age"]) * np.exp(skeleton.values["chest"])
    rows["skull"] = _head(skeleton)[:1]
    rows["cervical_spine"] = [(skeleton.along("vertex", "neck_base", 0.6), skeleton.joints["neck_base"], 0.018, 0.018)]
    rows["thoracic_cage"] = []
    for side, sign in SIGN.items():
        rows["thoracic_cage"] += [
            (skeleton.trunk(0, 0.06), skeleton.joints[f"shoulder_{side}"], 0.014, 0.02),
            *(
                (skeleton.trunk(0, t), skeleton.trunk(sign * (share * chest - 0.02), t + 0.03), 0.03, 0.03)
                for t, share in _RIBS
            ),
        ]
        rows["pelvis"] += [_placed(skeleton, line, sign) for line in _HIP]
        for unit, (joints, radii) in _LIMBS.items():
            rows[f"{unit}_{side}"] = _chain(skeleton, [f"{joint}_{side}" for joint in joints], radii, 1.0)
    return {unit: _packed(lines, skeleton.stature) for unit, lines in rows.items()}


# (across, along) of both ends on the trunk, and both radii.
Line = tuple[tuple[float, float], tuple[float, float], float, float]
_AXIAL: Mapping[str, tuple[Line, ...]] = {
    "thoracic_spine": (((0, 0), (0, 0.455), 0.018, 0.020),),
    "lumbar_spine": (((0, 0.455), (0, 0.72), 0.021, 0.025),),
    "sacrum": (((0, 0.74), (0, 0.91), 0.032, 0.012),),
    "pelvis": (((-0.02, 0.95), (0.02, 0.95), 0.015, 0.015),),
}
_HIP: tuple[Line, ...] = (
    ((0.050, 0.71), (0.030, 0.80), 0.022, 0.018),
    ((0.066, 0.74), (0.050, 0.86), 0.010, 0.020),
    ((0.050, 0.88), (0.035, 0.97), 0.022, 0.014),
)
# (along, share of the chest's half width) of the filled rib cage
_RIBS = ((0.06, 0.70), (0.13, 0.85), (0.21, 0.93), (0.29, 0.98), (0.37, 1.0), (0.45, 1.0), (0.51, 0.95))
_LIMBS: Mapping[str, tuple[tuple[str, ...], tuple[tuple[float, float], ...]]] = {
    "proximal_upper_limb": (("shoulder", "elbow"), ((0.018, 0.014),)),
    "distal_upper_limb": (("elbow", "wrist", "fingers"), ((0.015, 0.012), (0.016, 0.012))),
    "proximal_lower_limb": (("hip", "knee"), ((0.022, 0.022),)),
    "distal_lower_limb": (("knee", "ankle", "toes"), ((0.022, 0.014), (0.018, 0.014))),
}


def _placed(skeleton: Skeleton, line: Line, sign: int = 1) -> Capsule:
    (x0, t0), (x1, t1), near, far = line
    return skeleton.trunk(sign * x0, t0), skeleton.trunk(sign * x1, t1), near, far
