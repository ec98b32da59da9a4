"""The strength of a site within a Reading."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from simulated_vertebra import drum

from osteoscope.domain.finding import Finding, Part, Point, Region
from osteoscope.domain.image import Image
from osteoscope.domain.reading import Case, MappedSite
from osteoscope.domain.study import Patient, Study
from osteoscope.reading.plan_table import BASELINES, PLANS
from osteoscope.reading.strength import BoneLoading, load_bone, strength_of_site, with_strength


def case() -> Case:
    bone = drum((0, 0))
    places = bone.grid.to_position(np.moveaxis(np.indices(bone.mask.shape), 0, -1))
    part = Part.from_mask("ct", (np.linalg.norm(places, axis=-1) <= 9) & bone.mask)
    hu = np.rint(bone.hu).astype(np.int16)
    hu[part.box][part.mask] = 40
    study = Study("1.2", "ct", "", Patient("p", weight_kg=70.0), {"ct": Image(bone.grid, hu, "HU")})
    whole = MappedSite("vertebra_L3", Region((Part.from_mask("ct", bone.mask),)))
    finding = Finding("f1", "vertebra_L3", "lytic", 0.9, Region((part,)), Point.centre_of(part, bone.grid))
    return Case(study, (whole,), (finding,))


def test_only_femora_and_vertebrae_with_lesions_are_loaded() -> None:
    given = case()
    assert strength_of_site(given, "hip_left") == ()
    assert strength_of_site(replace(given, findings=()), "vertebra_L3") == ()


def test_rods_and_the_weight_of_the_header_give_newtons_and_body_weights() -> None:
    rods = ((0.0, 0.0), (100.0, 124.0), (100.0, 126.0), (200.0, 250.0))
    found = load_bone(case(), "vertebra_L3", BoneLoading(rods=rods, element_mm=5.0, interval=False))
    assert found.setting.material.calibration.method == "phantom of 4 rods"
    assert [m.name for m in found.measures] == ["failure_load", "failure_load_by_weight", "stiffness", "strength_loss"]
    assert found.lesions[0].lesion == "f1"


def test_a_corrected_landmark_is_used() -> None:
    how = BoneLoading(element_mm=5.0, interval=False, landmarks={"axis": (0.2, 0.0, 1.99)})
    found = load_bone(case(), "vertebra_L3", how)
    assert np.allclose(found.marks.axis, (0.1, 0.0, 0.995), atol=1e-4)
    assert found.trial.mesh.grid.matrix[0, 0] > 0.09 * 5


def test_plans_of_ct_gain_the_measure_and_planar_ones_do_not() -> None:
    for plan in (*PLANS, *BASELINES.values()):
        assert (strength_of_site in with_strength(plan).of_site) == (plan.suits is PLANS[0].suits)
