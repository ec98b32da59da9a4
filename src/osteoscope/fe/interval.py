"""What moves a result, each uncertainty alone, and the interval made of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from osteoscope.fe.bone import Bone
from osteoscope.fe.loads import UPRIGHT, Tilt
from osteoscope.fe.mesh import Material
from osteoscope.fe.strength_record import Term

# Degrees of the axis, and factors on lesion tissue (METABONE, S64: little in small lesions, more in large ones; the
# range is a choice).
TILT_DEGREES, LESION_FACTORS = 5.0, (0.5, 2.0)
LESION_TERM = "lesion tissue"


@dataclass(frozen=True, eq=False)
class Move:
    """One uncertainty, one way: the bone, its material and its load as they would be."""

    name: str
    bone: Bone
    material: Material
    tilt: Tilt = UPRIGHT


def moves(bone: Bone, material: Material) -> Iterator[Move]:
    """Every uncertainty, both ways."""
    for name, calibration in material.calibration.moved():
        yield Move(name, bone, replace(material, calibration=calibration))
    for voxels in (-1, 1):
        yield Move("mask", bone.grown(voxels), material)
    for tilt in ((TILT_DEGREES, 0.0), (-TILT_DEGREES, 0.0), (0.0, TILT_DEGREES), (0.0, -TILT_DEGREES)):
        yield Move("axis", bone, material, tilt)
    for factor in LESION_FACTORS if bone.lesions else ():
        yield Move(LESION_TERM, bone, replace(material, lesion_factor=factor))


def terms_of(changes: Sequence[tuple[str, tuple[float, float]]]) -> tuple[Term, ...]:
    """Names and relative changes of load and of what is left -> the least and the greatest of each name, 0 among
    them."""
    rows: dict[str, list[tuple[float, float]]] = {}
    for name, change in changes:
        rows.setdefault(name, []).append(change)
    return tuple(
        Term(name, *((min(0.0, *column), max(0.0, *column)) for column in zip(*own, strict=True)))
        for name, own in rows.items()
    )


def span(changes: list[tuple[float, float]]) -> tuple[float, float]:
    """Relative widths below and above: one-sided changes added as squares."""
    if not changes:
        return 0.0, 0.0
    low, high = np.sqrt((np.asarray(changes) ** 2).sum(axis=0))
    return float(low), float(high)
