"""A bone of a Case in the testing machine, and its strength as a measure of a site."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from osteoscope.domain.image import Image
from osteoscope.domain.reading import Case, Gap
from osteoscope.errors import UnsuitableStudyError
from osteoscope.fe.bone import Bone, bone_from
from osteoscope.fe.cases import case_for
from osteoscope.fe.density import Calibration, by_air_fat_muscle, from_rods, nominal
from osteoscope.fe.laws import Phantom, check_name, law_for
from osteoscope.fe.mesh import Material
from osteoscope.fe.strength import strength
from osteoscope.fe.strength_record import Setting, Strength
from osteoscope.reading.plan import Plan, SiteTest

Progress = Callable[[str, int, int], None]
TESTED = ("femur_", "vertebra_")
_MOST_VALUES = 2_000_000


@dataclass(frozen=True)
class BoneLoading:
    """How a bone is tested.

    Args:
        case, law: names in their tables, "" for a bone's defaults.
        rods: density in mg/cm3 and mean HU of each rod of a phantom.
        phantom: what the rods are made of.
        calibrate: whether the patient's own tissues may calibrate.
        element_mm: size of elements, 0 for the case's own.
        interval: whether to give intervals.
        weight_kg: overrides what the header says.
        landmarks: name -> LPS position or direction that a hand set.
        calibration: of another bone of the CT, in place of rods and tissues.

    Raises:
        InvalidValueError: no such law, or one that gives no failure load.
        UnsuitableStudyError: rods that calibrate nothing.
    """

    case: str = ""
    law: str = ""
    rods: tuple[tuple[float, float], ...] = ()
    phantom: Phantom = "K2HPO4"
    calibrate: bool = True
    element_mm: float = 0.0
    interval: bool = True
    weight_kg: float | None = None
    landmarks: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    calibration: Calibration | None = None

    def __post_init__(self) -> None:
        check_name(self.law)
        if self.rods:
            self.by_rods()

    def by_rods(self) -> Calibration:
        """The calibration of the rods."""
        return from_rods([hu for _, hu in self.rods], [density / 1000 for density, _ in self.rods], self.phantom)


def load_bone(case: Case, site: str, how: BoneLoading, progress: Progress = lambda *_: None) -> Strength:
    """The strength of a mapped bone with its findings.

    Raises:
        OsteoscopeError: the bone cannot be tested; the text says why.
    """
    load_case = case_for(site, how.case)
    law = law_for(site, how.law)
    bone = bone_of(case, site)
    calibration, gap = calibration_for(case, bone, how)
    weight = how.weight_kg or case.study.patient.weight_kg
    size = None if how.interval else 0.0
    setting = Setting(load_case, Material(law, calibration), how.element_mm, size, weight, how.landmarks)
    found = strength(bone, setting, progress)
    return replace(found, gaps=(*_apart(case, bone), *found.gaps, *gap))


def _apart(case: Case, bone: Bone) -> tuple[Gap, ...]:
    """Findings of this bone that have nothing in it."""
    reason = "no voxel of it lies within the bone's outline"
    lost = (finding.id for finding in case.findings if finding.site == bone.site and finding.id not in bone.lesions)
    return tuple(Gap(name, "strength_loss", reason) for name in lost)


def bone_of(case: Case, site: str) -> Bone:
    """A mapped bone with those findings that lie in it.

    Raises:
        UnsuitableStudyError: the bone is not in the field, or has metal, or two pieces, or nothing of bone in its mask.
    """
    place = case.place(site)
    part = place.region.on("ct") if place is not None and place.region is not None else None
    if part is None:
        known = [m.site for m in case.mapped if m.region is not None]
        raise UnsuitableStudyError(f"load {site}", "no such bone found on the CT", f"Found are {known}")
    lesions = [(f.id, lesion) for f in case.findings if f.site == site and (lesion := f.region.on("ct")) is not None]
    return bone_from(case.study.images["ct"], site, part, lesions)


def calibration_for(case: Case, bone: Bone, how: BoneLoading) -> tuple[Calibration, tuple[Gap, ...]]:
    """That of another bone or by rods where given, else by the patient's air, fat and muscle, else nominal; and why,
    where it is nominal."""
    if how.calibration is not None:
        return how.calibration, ()
    made = case.study.acquisition
    gap: tuple[Gap, ...] = ()
    if how.rods:
        found = how.by_rods()
    elif how.calibrate:
        try:
            found = by_air_fat_muscle(_around(case.study.images["ct"], bone), made.kvp)
        except UnsuitableStudyError as error:
            found, gap = nominal(), (Gap(bone.site, "calibration", f"{error.found}. {error.remedy}."),)
    else:
        found = nominal()
    return found.noting(made.kvp, made.contrast_agent), gap


def _around(image: Image, bone: Bone) -> np.ndarray:
    """Values of the axial slices that show the bone, however the volume is stored, thinned."""
    upwards = int(np.argmax(np.abs(image.grid.matrix[2, :3]) / image.grid.spacing))
    heights = image.grid.to_index(bone.positions)[:, upwards]
    low, high = max(0, int(heights.min())), int(heights.max()) + 1
    slab = np.moveaxis(image.values, upwards, 0)[low:high]
    step = max(1, int(np.ceil((slab.size / _MOST_VALUES) ** (1 / 3))))
    return np.asarray(slab[::step, ::step, ::step])


def strength_of_site(case: Case, site: str) -> SiteTest:
    """failure_load, failure_load_by_weight, stiffness (where calibrated) and strength_loss of a femur or vertebra with
    lesions, what of these is not given and why, and on what they rest; nothing of other sites.

    Raises:
        OsteoscopeError: the bone cannot be tested.
    """
    if not site.startswith(TESTED) or not any(finding.site == site for finding in case.findings):
        return SiteTest()
    found = load_bone(case, site, BoneLoading())
    act = strength_of_site.__name__
    gaps = tuple(Gap(gap.where, act, f"{gap.step.replace('_', ' ')}: {gap.reason}") for gap in found.gaps)
    return SiteTest(found.measures, gaps, tuple(f"strength: {note}" for note in found.notes))


def with_strength(plan: Plan) -> Plan:
    """The plan with the strength of every femur and vertebra that has a lesion; a plan without bones stays as it is."""
    if plan.name.startswith("ct"):
        return replace(plan, tests_of_site=(*plan.tests_of_site, strength_of_site))
    return plan
