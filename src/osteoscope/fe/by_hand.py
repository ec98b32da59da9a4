"""Landmarks that a hand set: checked against the bone, and the others that hang on them found again.

Bounds are choices of this program; they catch slips (another bone's coordinates, a sign, centimetres), not errors of
judgement.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from osteoscope.errors import InvalidValueError
from osteoscope.fe.bone import Bone
from osteoscope.fe.landmarks import Floats, VertebraMarks
from osteoscope.fe.landmarks_femur import KNEE, FemurMarks
from osteoscope.fe.vertebral_body import UP

Values = Mapping[str, tuple[float, ...]]
_UPWARDS = frozenset({"axis", "along"})
_DIRECTIONS = _UPWARDS | {"medial"}
# Most degrees between a direction and that found, and the most by which a radius differs from that found.
_TURNED, _RESIZED = 60.0, 1.5
# In radii of the head, from its centre: the knee of any adult or child.
_KNEE = (8.0, 30.0)
# In radii of the head: how high above, and how far beside, the place on the shaft's axis where the shaft begins.
_HIGH, _WIDE = (2.0, 7.0), (0.3, 4.0)
_REMEDY = "Give millimetres (LPS: left, back, to the head)"


def set_by_hand(bone: Bone, found: Any, values: Values, known: Collection[str]) -> Any:
    """The landmarks found, with these in their place; directions get unit length.

    Raises:
        InvalidValueError: a name that is not ``known``, not its number of coordinates, or a place, direction or radius
            that cannot be that of this bone.
    """
    marks = found
    for name, value in values.items():
        if name not in known:
            what = f"no landmark that a hand can set for this load of {bone.site}"
            raise InvalidValueError(f"correct the landmark {name!r}", what, f"Known are {sorted(known)}")
        if len(value) != np.size(getattr(found, name)):
            what = f"{len(value)} numbers, and it has {np.size(getattr(found, name))}"
            raise InvalidValueError(f"correct the landmark {name!r}", what, _REMEDY)
        _check(bone, found, name, np.asarray(value, float))
        marks = replace(marks, **{name: _as_kept(name, np.asarray(value, float))})
    return marks


def _check(bone: Bone, found: Any, name: str, value: Floats) -> None:
    long = float(np.linalg.norm(value))
    if not np.isfinite(long):
        wrong = "not a number"
    elif name in _DIRECTIONS:
        wrong = _wrong_direction(getattr(found, name), name, value, long)
    elif name == "radius":
        wrong = _wrong_radius(found.radius, long if value[0] > 0 else 0.0)
    elif name == "knee":
        wrong = _wrong_knee(found, value)
    else:
        far = float(np.linalg.norm(bone.positions - value, axis=1).min())
        wrong = f"{far:.0f} mm away from the bone" if far > found.radius else ""
    if wrong:
        raise InvalidValueError(f"correct the landmark {name!r} of {bone.site}", f"{value.tolist()}: {wrong}", _REMEDY)


def _wrong_direction(found: Floats, name: str, value: Floats, long: float) -> str:
    if not long:
        return "a direction without length"
    if name in _UPWARDS and value[-1] <= 0:
        return "a direction away from the head"
    turned = float(np.rad2deg(np.arccos(np.clip(value @ found / long, -1, 1))))
    return f"{turned:.0f} degrees off the direction found" if turned > _TURNED else ""


def _wrong_radius(found: float, value: float) -> str:
    if not value:
        return "no radius"
    return "" if found / _RESIZED <= value <= found * _RESIZED else f"far from the {found:.0f} mm found"


def _wrong_knee(found: FemurMarks, value: Floats) -> str:
    way = found.head - value
    far = float(np.linalg.norm(way))
    low, high = (share * found.radius for share in _KNEE)
    if way @ UP < 0.5 * far:
        return "not below the head"
    return "" if low <= far <= high else f"{far:.0f} mm from the head, where knees are {low:.0f} to {high:.0f} mm away"


def _as_kept(name: str, value: Floats) -> Any:
    if value.size == 1:
        return float(value[0])
    return value / np.linalg.norm(value) if name in _DIRECTIONS else value


def vertebra_followed(bone: Bone, _found: VertebraMarks, marks: VertebraMarks, names: Collection[str]) -> VertebraMarks:
    """End plates set by hand give the axis, unless it was set too, and the body's middle.

    Raises:
        InvalidValueError: end plates that no body lies between.
    """
    way = marks.upper - marks.lower
    far = float(np.linalg.norm(way))
    if "axis" not in names and far:
        marks = replace(marks, axis=way / far)
    if not 0.35 * marks.radius < marks.height < 6 * marks.radius or marks.axis @ UP < 0.5:
        found = f"end plates {marks.height:.0f} mm apart in a body of {marks.radius:.0f} mm radius"
        raise InvalidValueError(f"correct the end plates of {bone.site}", found, _REMEDY)
    return replace(marks, centre=(marks.upper + marks.lower) / 2)


def femur_followed(bone: Bone, found: FemurMarks, marks: FemurMarks, names: Collection[str]) -> FemurMarks:
    """The neck as far below the head as it was found, in radii; a knee that was estimated, down the same line; the way
    to the head, and the level of the lowest bone.

    Raises:
        InvalidValueError: a head that is not beside and above the shaft.
    """

    def rise(of: FemurMarks, place: Floats) -> float:
        return float((place - of.shaft) @ of.along)

    aside = _across(marks.head - marks.shaft, marks.along)
    high, wide = rise(marks, marks.head) / marks.radius, float(np.linalg.norm(aside)) / marks.radius
    if not _HIGH[0] <= high <= _HIGH[1] or not _WIDE[0] <= wide <= _WIDE[1]:
        what = (
            f"a head {high * marks.radius:.0f} mm above and {wide * marks.radius:.0f} mm beside the shaft's upper end"
        )
        raise InvalidValueError(f"correct the landmarks of {bone.site}", what, _REMEDY)
    way = _across(marks.medial, marks.along) if "medial" in names else aside
    changed: dict[str, Any] = {"medial": way / np.linalg.norm(way)}
    if "neck" not in names:
        below = (rise(found, found.head) - rise(found, found.neck)) / found.radius
        changed["neck"] = marks.shaft + marks.along * (rise(marks, marks.head) - below * marks.radius)
    if "knee" not in names and not found.knee_seen:
        down = found.knee - marks.shaft
        level = float(marks.head @ UP) - KNEE * marks.radius
        changed["knee"] = marks.shaft + down * (level - float(marks.shaft @ UP)) / float(down @ UP)
    marks = replace(marks, **changed)
    return replace(marks, foot=float(((marks.head - bone.positions) @ marks.axis).max()))


def _across(way: Floats, along: Floats) -> Floats:
    return np.asarray(way - (way @ along) * along)
