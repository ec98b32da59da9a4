"""Head, shaft and knee of a femur, from the mask alone; positions in millimetres (LPS).

The head: the largest ball in the upper, medial bone, then a sphere fitted to the surface that faces the joint. The
shaft: a line through the middles of sections below the lesser trochanter. The mechanical axis runs from the head's
centre to the knee: the middle of the condyles, or, where they are out of the field, the place down the shaft where the
knee of an adult of that head size lies. Proportions are conventions of this program.
"""

from __future__ import annotations

from dataclasses import dataclass

import edt
import numpy as np
from numpy.typing import NDArray

from osteoscope.errors import UnsuitableStudyError
from osteoscope.fe.bone import Bone
from osteoscope.fe.vertebral_body import LEFT, UP

Floats = NDArray[np.float64]
# In radii of the head, below its centre: the shaft begins, the least and the most of it that is modelled, the knee.
SHAFT_BEGINS, LEAST_SHAFT, MODELLED, KNEE = 3.5, 5.5, 7.0, 17.5
_UPPER_MM, _CONDYLES_MM = 80.0, 25.0
# Condyles are some three times as wide as the shaft: the low end of a shaft that is cut is not.
_CONDYLES_WIDE = 1.5
_RADIUS_MM = (14.0, 34.0)


@dataclass(frozen=True)
class FemurMarks:
    """A femur.

    Args:
        head, radius: centre and radius of the head.
        shaft: a point on the shaft's axis at the level where the shaft begins.
        along: unit vector of the shaft's axis, to the head.
        knee: end of the mechanical axis.
        knee_seen: whether the condyles are in the field.
        neck: where the neck's axis from the head's centre meets the shaft's region.
        foot: level of the lowest bone in the field, mm below the head's centre along the mechanical axis.
        medial: unit vector from the shaft's axis to the head's centre, at right angles to the shaft.
    """

    head: Floats
    radius: float
    shaft: Floats
    along: Floats
    knee: Floats
    knee_seen: bool
    neck: Floats
    foot: float
    medial: Floats

    @property
    def axis(self) -> Floats:
        """Unit vector of the mechanical axis, from the knee to the head."""
        way = self.head - self.knee
        return np.asarray(way / np.linalg.norm(way))

    @property
    def neck_shaft_angle(self) -> float:
        """Degrees between the neck's axis and the shaft's axis."""
        way = self.head - self.neck
        cosine = float(way @ -self.along / np.linalg.norm(way))
        return float(np.rad2deg(np.arccos(np.clip(cosine, -1, 1))))


def femur_marks(bone: Bone) -> FemurMarks:
    """Head, shaft and knee.

    Raises:
        UnsuitableStudyError: the head or too much of the shaft is out of the field, or no head shows in the mask.
    """
    places = bone.positions
    height = places @ UP
    side = -1.0 if bone.site.endswith("left") else 1.0
    edge = bone.grid.to_position(np.argwhere(bone.cut)) if bone.cut.any() else np.empty((0, 3))
    depth = edt.edt(bone.mask, anisotropy=bone.grid.spacing, black_border=True)[bone.mask]
    upper = height > height.max() - _UPPER_MM
    medial = side * places[:, 0] > np.median(side * places[upper, 0])
    start = int(np.argmax(np.where(upper & medial, depth, 0)))
    head, radius = _sphere(places[depth <= 1.5 * max(bone.grid.spacing)], places[start], float(depth[start]))
    if not _RADIUS_MM[0] < radius < _RADIUS_MM[1]:
        found = f"a ball of {radius:.0f} mm radius where the head should be"
        raise UnsuitableStudyError(f"find the head of {bone.site}", found, "Check its mask and its side")
    if edge.size and (edge @ UP > head[2] - LEAST_SHAFT * radius).any():
        raise UnsuitableStudyError(
            f"load {bone.site}",
            f"it is cut by the field of view {head[2] - (edge @ UP).max():.0f} mm below the head's centre, and "
            f"{LEAST_SHAFT * radius:.0f} mm must show",
            "Give a CT that shows the hip and the shaft below the lesser trochanter",
        )
    shaft, along = _shaft(places, head, radius, bone.site)
    low = places[height < height.min() + _CONDYLES_MM]
    guessed = _knee(places, shaft, along, head[2] - KNEE * radius)
    seen = not edge.size and height.min() < head[2] - 0.6 * KNEE * radius and _has_condyles(low, places, shaft)
    knee = low.mean(axis=0) if seen else guessed
    across = head - shaft - ((head - shaft) @ along) * along
    axis = (head - knee) / np.linalg.norm(head - knee)
    neck = shaft + along * ((head - shaft) @ along - 1.2 * radius)
    return FemurMarks(
        head, radius, shaft, along, knee, seen, neck,
        float(((head - places) @ axis).max()), across / np.linalg.norm(across),
    )  # fmt: skip


def _sphere(surface: Floats, centre: Floats, radius: float) -> tuple[Floats, float]:
    """Least squares over surface points near the ball that face up and inwards, refitted as the ball moves."""
    for _ in range(8):
        way = surface - centre
        far = np.linalg.norm(way, axis=1)
        near = (np.abs(far - radius) < max(2.5, 0.15 * radius)) & (way[:, 2] > -0.25 * radius)
        points = surface[near]
        if len(points) < 30:
            break
        design = np.column_stack([2 * points, np.ones(len(points))])
        solved = np.linalg.lstsq(design, (points**2).sum(axis=1), rcond=None)[0]
        centre, radius = solved[:3], float(np.sqrt(max(solved[3] + solved[:3] @ solved[:3], 1.0)))
    return centre, radius


def _shaft(places: Floats, head: Floats, radius: float, site: str) -> tuple[Floats, Floats]:
    """A point and a direction of the line through the middles of sections below the lesser trochanter."""
    below = head[2] - places[:, 2]
    first, last = SHAFT_BEGINS * radius, min(float(below.max()), MODELLED * radius)
    levels = np.arange(first, last, 4.0)
    sections = [places[np.abs(below - level) <= 3.0] for level in levels]
    middles = np.array([section.mean(axis=0) for section in sections if len(section)])
    if len(middles) < 4:
        found = f"{len(middles)} sections of the shaft below the lesser trochanter"
        raise UnsuitableStudyError(f"find the shaft of {site}", found, "Give a CT that shows more of the femur")
    middle = middles.mean(axis=0)
    _, _, turns = np.linalg.svd(middles - middle)
    along = turns[0] * np.sign(turns[0][2])
    top = middle + along * ((head[2] - first) - middle[2]) / along[2]
    return top, along


def _has_condyles(low: Floats, places: Floats, shaft: Floats) -> bool:
    """Whether the low end is wider than the shaft where that begins."""
    level = np.abs(places[:, 2] - shaft[2]) <= 3.0
    return bool(np.ptp(low[:, 0]) > _CONDYLES_WIDE * np.ptp(places[level, 0]))


def _knee(places: Floats, shaft: Floats, along: Floats, level: float) -> Floats:
    """On the line from the shaft's upper end through the lowest section in the field: the shaft is bowed."""
    lowest = places[places[:, 2] < places[:, 2].min() + 12.0].mean(axis=0)
    way = lowest - shaft if shaft[2] - lowest[2] > 60.0 else -along
    return np.asarray(shaft + way * (level - shaft[2]) / way[2])


def lateral(marks: FemurMarks) -> Floats:
    """A direction across the mechanical axis, near the patient's left."""
    return np.asarray(LEFT - (LEFT @ marks.axis) * marks.axis)
