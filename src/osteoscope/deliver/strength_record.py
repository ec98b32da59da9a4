"""strength.json."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np

from osteoscope.domain.finding import Measure
from osteoscope.domain.reading import Gap
from osteoscope.errors import OsteoscopeError
from osteoscope.fe.density import OFFSET, SLOPE, Calibration
from osteoscope.fe.rigidity import KINDS
from osteoscope.fe.site import FirstFailure
from osteoscope.fe.solution import Curve
from osteoscope.fe.strain import estimates
from osteoscope.fe.strength_record import LesionCost, Strength, Term

SCHEMA: Literal["osteoscope/strength/1"] = "osteoscope/strength/1"
Numbers = tuple[float, ...]


@dataclass(frozen=True)
class Course:
    """A force-displacement curve.

    Args:
        displacement_mm, force: from 0.
        unit: of the force: "N", or "1" for shares of the failure load where nothing is calibrated.
    """

    displacement_mm: Numbers
    force: Numbers
    unit: str


@dataclass(frozen=True)
class Profile:
    """Rigidities along the bone; shares of the greatest healed one.

    Args:
        height_mm: along the axis of the load.
        as_is, healed: kind -> share at each height; healed is empty without lesions.
        compared: whether a height counts.
    """

    height_mm: Numbers
    as_is: Mapping[str, Numbers]
    healed: Mapping[str, Numbers]
    compared: tuple[bool, ...]


@dataclass(frozen=True)
class BoneStrength:
    """One bone's result; fields as in `fe.strength_record`."""

    site: str
    case: str
    law: str
    law_source: str
    law_verified: bool
    calibration: Calibration
    element_mm: float
    elements: int
    landmarks: Mapping[str, Numbers]
    measures: tuple[Measure, ...]
    estimates: tuple[Measure, ...]
    lesions: tuple[LesionCost, ...]
    terms: tuple[Term, ...]
    dominant: str
    failure: FirstFailure | None
    curve: Course
    healed_curve: Course | None
    profile: Profile
    gaps: tuple[Gap, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class StrengthRecord:
    """The strength of bones of one study.

    Args:
        disclaimer, software, study: as they say; the study by its uid.
        bones: those that were tested.
        refused: those that were not, and why.
        seconds: it took.
        gaps: what is not given of no bone of these, such as the cost of a lesion that lies in none.
    """

    disclaimer: str
    software: str
    study: str
    bones: tuple[BoneStrength, ...]
    refused: tuple[Gap, ...]
    seconds: float
    gaps: tuple[Gap, ...] = ()
    schema: Literal["osteoscope/strength/1"] = SCHEMA


def record_of(found: Strength, more: tuple[Measure, ...] = ()) -> BoneStrength:
    """A result as it is written; ``more`` are measures made of several bones."""
    setting = found.setting
    beside, gaps = _estimated(found)
    material, absolute = setting.material, setting.material.calibration.absolute
    return BoneStrength(
        found.site, setting.case.title, material.law.name, material.law.source, material.law.verified,
        material.calibration, setting.size, int(np.count_nonzero(found.trial.model.modulus)), landmarks_of(found),
        (*found.measures, *more), beside, found.lesions, found.terms, dominant(found.terms), found.failure,
        _course(found.curve, absolute), _course(found.healed, absolute) if found.healed else None, _profile(found),
        (*found.gaps, *gaps), found.notes,
    )  # fmt: skip


def _estimated(found: Strength) -> tuple[tuple[Measure, ...], tuple[Gap, ...]]:
    try:
        return estimates(found), ()
    except OsteoscopeError as error:
        return (), (Gap(found.site, "estimates", f"{error.asked}: {error.found}"),)


def dominant(terms: tuple[Term, ...]) -> str:
    """The uncertainty that moves the failure load most, "" where none was asked; both of the calibration are one."""
    widths: dict[str, float] = {}
    for term in terms:
        name = SLOPE if term.name == OFFSET else term.name
        widths[name] = math.hypot(widths.get(name, 0.0), term.load[1] - term.load[0])
    return max(widths, key=lambda name: widths[name], default="")


def landmarks_of(found: Strength) -> Mapping[str, Numbers]:
    """Every position and direction (LPS) of the landmarks by name."""
    named = ((field.name, getattr(found.marks, field.name)) for field in fields(found.marks))
    return {
        name: tuple(round(float(v), 3) for v in np.atleast_1d(value))
        for name, value in named
        if isinstance(value, float) or (isinstance(value, np.ndarray) and value.shape == (3,))
    }


def _course(curve: Curve, absolute: bool) -> Course:
    force = curve.force if absolute else curve.force / curve.failure_load
    return Course(_rounded(curve.displacement), _rounded(force), "N" if absolute else "1")


def _profile(found: Strength) -> Profile:
    own, healed = found.profiles
    tops = {kind: float((healed or own).of(kind).max()) for kind in KINDS}
    return Profile(
        _rounded(own.height),
        {kind: _rounded(own.of(kind) / tops[kind]) for kind in KINDS},
        {kind: _rounded(healed.of(kind) / tops[kind]) for kind in KINDS} if healed else {},
        tuple(bool(v) for v in found.trial.sections),
    )


def _rounded(values: np.ndarray) -> Numbers:
    return tuple(float(f"{v:.6g}") for v in values)
