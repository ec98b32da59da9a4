"""Skull, spine, thoracic cage and hip bones of a child as beads, by bone id."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from osteoscope.domain.anatomy import SIDES, VERTEBRAE, Side
from osteoscope.simulate.growth import Stature
from osteoscope.simulate.posture import SIGN, Posture, hip_centre, shoulder_centre
from osteoscope.simulate.shapes import Beads, Floats, Frame, cap, plate, string

# Spine through the trunk: height (share of the trunk), depth and its share of curvature (of the chest's half depth).
_SPINE = np.array(
    [
        (0.17, 0.42, 0.10), (0.31, 0.40, -0.14), (0.46, 0.42, -0.02), (0.70, 0.42, 0.14), (0.88, 0.40, 0.04),
        (0.97, 0.36, -0.06),
    ]
)  # fmt: skip
_SACRUM = np.array([(0.155, 0.44, 0.12), (0.10, 0.52, 0.16), (0.04, 0.50, 0.16), (-0.02, 0.40, 0.10)])
_VERTEBRA_HEIGHT = np.array(
    [0.75, 1.1, 0.9, 0.9, 0.9, 0.9, 1.0, *np.linspace(1.05, 1.5, 12), 1.6, 1.65, 1.7, 1.7, 1.65]
)
_VERTEBRA_HALF_WIDTH = np.array(
    [0.0115, 0.0085, *np.full(5, 0.0078), *np.linspace(0.0085, 0.0115, 12), 0.0122, 0.0128, 0.0134, 0.0138, 0.014]
)
_TRANSVERSE = np.array([2.0, *np.full(6, 1.8), *np.full(12, 1.9), *np.full(5, 2.2)])

# Ribs 1-12: half width and half depth (of the cage), drop of the front end (of the trunk), last angle (degrees).
_RIBS = np.array(
    [
        (0.42, 0.45, 0.06, 150), (0.62, 0.66, 0.09, 156), (0.77, 0.80, 0.12, 158), (0.87, 0.88, 0.14, 158),
        (0.94, 0.94, 0.16, 157), (0.98, 0.98, 0.18, 154), (1.00, 1.00, 0.20, 150), (1.00, 1.00, 0.20, 140),
        (0.98, 0.98, 0.19, 128), (0.94, 0.94, 0.16, 114), (0.86, 0.88, 0.12, 88), (0.72, 0.80, 0.08, 62),
    ]
)  # fmt: skip
_RIB_FIRST_ANGLE = 17.0

# Head: (side, depth, height) as shares of half breadth, half depth and head length below the crown; radius of length.
_MANDIBLE = ((0.68, 0.02, -0.66), (0.60, -0.12, -0.86), (0.42, -0.62, -0.95), (0.0, -0.80, -0.965))
_ZYGOMA = ((0.74, -0.02, -0.645), (0.74, -0.35, -0.65), (0.58, -0.66, -0.645))
_MAXILLA = ((0.36, -0.42, -0.78), (0.30, -0.70, -0.78), (0.0, -0.84, -0.775))
_CHEEK = ((0.36, -0.62, -0.65), (0.30, -0.72, -0.78), (0.0, -0.80, -0.70))
_ORBIT = (0.36, -0.76, -0.56)
_BASE = ((0.0, 0.62, -0.68), (0.66, 0.10, -0.66), (0.0, -0.62, -0.60))
_PETROUS = ((0.66, 0.12, -0.67), (0.16, -0.08, -0.64))
_NASAL = ((0.0, -0.84, -0.56), (0.0, -0.60, -0.72))


def axial_skeleton(stature: Stature, posed: Posture) -> Mapping[str, Beads]:
    """Beads by bone id (`osteoscope.domain.anatomy`), placed."""
    path = _spine_path(stature, posed)
    bones = _skull(stature, posed.head) | _spine(stature, posed, path) | _cage(stature, posed.trunk, path)
    for side in SIDES:
        bones |= _girdle(stature, posed.trunk, side)
    return MappingProxyType(bones)


def _skull(stature: Stature, head: Frame) -> dict[str, Beads]:
    length = stature.lengths["head"]
    scale = np.array([0.5 * stature.girths["head_breadth"], 0.5 * stature.girths["head_depth"], length])
    thin = 0.014 * length
    vault_radii = np.array([0.94, 0.94, 0.338]) * scale
    vault = cap(vault_radii, 0.016 * length, -0.42, 28.0)
    parts = [Beads(vault.points - (0, 0, 0.365 * length), vault.radii)]
    ring = np.deg2rad(np.linspace(0, 360, 13))
    for sign in (-1, 1):
        mirror = np.array([sign, 1, 1]) * scale
        orbit = np.array(_ORBIT) + np.stack([0.26 * np.cos(ring), 0 * ring, 0.085 * np.sin(ring)], axis=1)
        parts += [
            string(orbit * mirror, thin),
            string(np.array(_ZYGOMA) * mirror, thin),
            string(np.array(_MAXILLA) * mirror, 2.2 * thin),
            string(np.array(_PETROUS) * mirror, 1.8 * thin),
            plate(np.array(_BASE) * mirror, 1.2 * thin),
            plate(np.array(_CHEEK) * mirror, 1.4 * thin),
        ]
    parts.append(string(np.array(_NASAL) * scale, 1.5 * thin))
    jaw = [
        string(np.array(_MANDIBLE) * scale * (sign, 1, 1), (thin, 1.5 * thin, 1.8 * thin, 2 * thin)) for sign in (-1, 1)
    ]
    return {"skull": Beads.join(*parts).placed(head), "mandible": Beads.join(*jaw).placed(head)}


def _spine_path(stature: Stature, posed: Posture) -> Floats:
    """Centres of C1 ... L5, placed, shape (24, 3)."""
    trunk, depth = stature.lengths["trunk"], 0.5 * stature.girths["chest_depth"]
    heights, deep, curve = _SPINE.T
    sideways = posed.trunk.axes.T @ (posed.head.origin - posed.trunk.origin)
    x = sideways[0] * np.clip(heights, 0, 1) ** 2 * 0.6
    local = np.stack([x, depth * (deep + curve * stature.spine_curve), trunk * heights], axis=1)
    atlas = posed.head.place((0.0, 0.10 * stature.girths["head_depth"], -0.70 * stature.lengths["head"]))
    fine = string(np.concatenate([posed.trunk.place(local), atlas[None]]), np.full(len(local) + 1, 1.0)).points
    along = np.concatenate(([0.0], np.cumsum(np.linalg.norm(np.diff(fine, axis=0), axis=1))))
    from_below = _VERTEBRA_HEIGHT[::-1]
    thoracic_top = along[int(np.argmin(np.linalg.norm(fine - posed.trunk.place(local[-1]), axis=1)))]
    ends = np.concatenate(([0.0], np.cumsum(from_below)))
    share = np.interp(ends, (0.0, ends[17], ends[-1]), (0.0, thoracic_top, along[-1]))
    middle = (share[:-1] + share[1:]) / 2
    return np.stack([np.interp(middle, along, axis) for axis in fine.T], axis=1)[::-1]


def _spine(stature: Stature, posed: Posture, path: Floats) -> dict[str, Beads]:
    gaps = np.abs(np.gradient(path, axis=0)).max(axis=1)
    bones = {}
    for name, centre, gap, half, reach in zip(
        VERTEBRAE, path, gaps, _VERTEBRA_HALF_WIDTH * stature.height, _TRANSVERSE, strict=True
    ):
        bones[name] = _vertebra(half, gap, reach).placed(Frame(centre, posed.trunk.axes))
    depth = 0.5 * stature.girths["chest_depth"]
    heights, deep, curve = _SACRUM.T
    y, z = depth * (deep + curve * stature.spine_curve), stature.lengths["trunk"] * heights
    half = stature.height * np.array([0.028, 0.020, 0.011, 0.004])
    thick = stature.height * np.array([0.0105, 0.0095, 0.0065, 0.004])
    rows = [string([(-w, b, c), (w, b, c)], r) for w, r, b, c in _rows(half, thick, y, z)]
    bones["sacrum"] = Beads.join(*rows).placed(posed.trunk)
    return bones


def _rows(half: Floats, thick: Floats, y: Floats, z: Floats) -> list[tuple[float, float, float, float]]:
    t, fine = np.arange(len(z)), np.linspace(0, len(z) - 1, 10)
    columns = [np.interp(fine, t, column) for column in (half, thick, y, z)]
    return [(float(w), float(r), float(b), float(c)) for w, r, b, c in zip(*columns, strict=True)]


def _vertebra(half: float, gap: float, reach: float) -> Beads:
    ball = min(0.40 * gap, 0.6 * half)
    ring = np.deg2rad(np.arange(0, 360, 45))
    rim = np.stack([(half - ball) * np.cos(ring), 0.72 * (half - ball) * np.sin(ring), 0 * ring], axis=1)
    levels = np.linspace(-1, 1, 3) * max(0.38 * gap - ball, 0.0)
    body = np.concatenate([np.add(np.concatenate([rim, np.zeros((1, 3))]), (0, 0, level)) for level in levels])
    back, thin = 1.35 * half, max(0.22 * half, 1.2)
    arch = [string([(s * 0.6 * half, 0.6 * half, 0), (0, back, -0.1 * gap)], thin) for s in (-1, 1)]
    wings = [string([(s * 0.6 * half, 0.8 * half, 0), (s * reach * half, back, 0.05 * gap)], thin) for s in (-1, 1)]
    spine = string([(0, back, -0.1 * gap), (0, 2.1 * half, -0.5 * gap)], thin)
    return Beads.join(Beads(body, np.full(len(body), ball)), *arch, *wings, spine)


def _cage(stature: Stature, trunk: Frame, path: Floats) -> dict[str, Beads]:
    half_width = 0.45 * stature.girths["chest_breadth"]
    half_depth = 0.43 * stature.girths["chest_depth"]
    thin = 0.0026 * stature.height + 0.6
    roots = (path[7:19] - trunk.origin) @ trunk.axes
    bones: dict[str, Beads] = {}
    for n, (root, (width, deep, drop, last)) in enumerate(zip(roots, _RIBS, strict=True), start=1):
        angle = np.deg2rad(np.linspace(_RIB_FIRST_ANGLE, last, 9))
        fall = drop * stature.rib_slope * stature.lengths["trunk"] * (1 - np.cos(angle)) / 2
        y = np.cos(angle) * deep * half_depth
        for side in SIDES:
            x = root[0] + SIGN[side] * width * half_width * np.sin(angle)
            curve = np.stack([x, y, root[2] - fall], axis=1)
            head = np.add(root, (SIGN[side] * 0.011 * stature.height, 0.008 * stature.height, 0.0))
            bones[f"rib_{side}_{n}"] = string(np.concatenate([head[None], curve]), thin).placed(trunk)
    bones["sternum"] = _sternum(stature, half_depth).placed(trunk)
    return bones


def _sternum(stature: Stature, half_depth: float) -> Beads:
    trunk, thick = stature.lengths["trunk"], 0.0045 * stature.height
    z = trunk * (np.array([0.90, 0.82, 0.66]) - 0.03 * stature.rib_slope)
    y = -half_depth * np.array([0.62, 0.78, 0.98])
    half = stature.height * np.array([0.014, 0.008, 0.009])
    rows = [string([(-w, b, c), (w, b, c)], r) for w, r, b, c in _rows(half, np.full(3, thick), y, z)]
    return Beads.join(*rows)


def _girdle(stature: Stature, trunk: Frame, side: Side) -> dict[str, Beads]:
    sign, tall, length = SIGN[side], stature.height, stature.lengths["trunk"]
    shoulder, hip = shoulder_centre(stature, side) * (sign, 1, 1), hip_centre(stature, side) * (sign, 1, 1)
    width, depth = 0.45 * stature.girths["chest_breadth"], 0.5 * stature.girths["chest_depth"]
    mirror = np.array([sign, 1, 1])
    acromion = np.add(shoulder, (0.004 * tall, 0.004 * tall, 0.018 * tall))
    clavicle: list[Floats] = [
        np.array((0.014 * tall, -0.55 * depth, 0.90 * length)),
        np.array((0.5 * shoulder[0], -0.45 * depth, 0.945 * length)),
        acromion,
    ]
    upper, lower = (0.46 * width, 0.80 * depth, 0.90 * length), (0.62 * width, 0.95 * depth, 0.63 * length)
    glenoid = np.add(shoulder, (-0.016 * tall, 0.012 * tall, -0.002 * tall))
    scapula = Beads.join(
        plate([upper, lower, glenoid], 0.0028 * tall),
        string([upper, np.add(glenoid, (0, 0.02 * tall, 0.012 * tall)), acromion], 0.0042 * tall),
        string([lower, glenoid], 0.0045 * tall),
    )
    hips = _hip_bone(hip, tall, length, stature.girths["hip_breadth"])
    parts = {"clavicle": string(clavicle, 0.0042 * tall), "scapula": scapula, "hip": hips}
    return {f"{name}_{side}": Beads(b.points * mirror, b.radii).placed(trunk) for name, b in parts.items()}


def _hip_bone(hip: Floats, tall: float, length: float, breadth: float) -> Beads:
    """The left hip bone: iliac wing, acetabulum, ischium and pubis."""
    back = 0.030 * tall
    socket = np.add(hip, (0.0, 0.004 * tall, 0.008 * tall))
    crest_front = np.array([0.40 * breadth, -0.022 * tall, 0.14 * length])
    crest_top = np.array([0.39 * breadth, 0.008 * tall, 0.235 * length])
    crest_back = np.array([0.022 * tall, back + 0.010 * tall, 0.17 * length])
    notch = np.array([0.026 * tall, back, 0.09 * length])
    symphysis = np.array([0.006 * tall, -0.030 * tall, -0.022 * tall])
    sitting = np.array([0.036 * tall, 0.022 * tall, -0.042 * tall])
    thin, thick = 0.0042 * tall, 0.0075 * tall
    return Beads.join(
        plate([socket, crest_front, crest_top], thin),
        plate([socket, crest_top, crest_back], thin),
        plate([socket, crest_back, notch], thin),
        string([crest_front, crest_top, crest_back], (1.2 * thin, 1.5 * thin, 1.7 * thin)),
        Beads(
            socket[None] + tall * np.array([(0.004, 0.0, 0.006), (-0.010, 0.0, 0.0), (-0.004, 0.006, -0.006)]),
            np.full(3, 0.0135 * tall),
        ),
        string([socket, (0.024 * tall, -0.026 * tall, -0.006 * tall), symphysis], (thick, 0.8 * thick, thick)),
        string([socket, sitting], (thick, 1.1 * thick)),
        string([sitting, (0.016 * tall, -0.012 * tall, -0.040 * tall), symphysis], 0.7 * thick),
    )
