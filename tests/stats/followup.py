"""Scans of one simulated child on several dates: the same lesions, held by anatomy, in another pose and field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.anatomy import BONE_TO_UNIT
from osteoscope.simulate import planar
from osteoscope.simulate.body import Body
from osteoscope.simulate.lesions import Placed
from osteoscope.simulate.planar import ArmPose, Camera, ChildRecipe, LegPose, Pose, Simulation
from osteoscope.stats.lesion_identity import Exam

OTHER_POSE = Pose(
    arms=(ArmPose(22, -10), ArmPose(10, -15)),
    legs=(LegPose(12, 8), LegPose(3, 2, 40)),
    head_turn=8,
    head_tilt=6,
    lean=3,
    bend=0.01,
)
OTHER_CAMERA = Camera(pixel_mm=2.7, top_margin_mm=90, table_mm=-18, collimator="ME", anterior_counts=6e5)


@dataclass(frozen=True)
class Spot:
    """A focus in a bone, at a share of its length from the end nearer to the trunk."""

    bone: str
    share: float = 0.5
    diameter_mm: float = 16.0


@dataclass(frozen=True)
class Patch:
    """Diffuse disease of a bone: the share of its length from the end nearer to the trunk."""

    bone: str
    share: float = 0.5


@dataclass(frozen=True)
class Visit:
    """One date of the child."""

    date: str
    lesions: tuple[Spot | Patch, ...]
    age_years: float = 4.0
    pose: Pose = field(default_factory=Pose)
    camera: Camera = field(default_factory=Camera)


def scan(visit: Visit, seed: int = 5) -> Simulation:
    """The simulated scan of that date; a seed is a child."""
    recipe = ChildRecipe(visit.age_years, pose=visit.pose, camera=visit.camera)
    with mock.patch.object(planar, "place_lesions", lambda body, *_: _placed(body, visit.lesions)):
        made = planar.simulate_planar(recipe, seed)
    uid = f"2.25.{seed}{visit.date.replace('-', '')}"
    patient = replace(made.study.patient, id=f"SIM-{seed}")
    study = replace(made.study, uid=uid, date=visit.date, patient=patient)
    record = replace(made.reading.study, uid=uid, date=visit.date, patient=patient)
    return replace(made, study=study, reading=replace(made.reading, study=record))


def exam(visit: Visit, seed: int = 5) -> Exam:
    """The truth of that date."""
    made = scan(visit, seed)
    return Exam(visit.date, made.reading, made.mapped)


def _placed(body: Body, lesions: Sequence[Spot | Patch]) -> tuple[Placed, ...]:
    return tuple(_one(body, lesion) for lesion in lesions)


def _one(body: Body, lesion: Spot | Patch) -> Placed:
    bone = body.voxels([body.structures.index(lesion.bone)])
    at = body.positions(bone)
    along = _along(body, at)
    unit = BONE_TO_UNIT[lesion.bone]
    if isinstance(lesion, Patch):
        return Placed(unit, "diffuse", bone[along <= np.quantile(along, lesion.share)], 25.0)
    slab = at[np.abs(along - np.quantile(along, lesion.share)) <= body.grid.spacing[0]]
    centre = slab[np.argmin(np.linalg.norm(slab - slab.mean(axis=0), axis=1))]
    ball = bone[np.linalg.norm(at - centre, axis=1) <= lesion.diameter_mm / 2]
    return Placed(unit, "focal", ball, 40.0)


def _along(body: Body, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places along a bone, growing away from the middle of the chest."""
    centred = at - at.mean(axis=0)
    values, axes = np.linalg.eigh(np.cov(centred.T))
    chest = body.positions(body.bone(("thoracic_spine",))).mean(axis=0)
    outward = at.mean(axis=0) - chest
    axis = axes[:, -1] if values[-1] > 2 * values[-2] else outward / np.linalg.norm(outward)
    return np.asarray(centred @ (axis if axis @ outward >= 0 else -axis))
