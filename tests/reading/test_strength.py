"""The strength of a site within a Reading."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from simulated_vertebra import drum

from osteoscope.domain import codec
from osteoscope.domain.finding import Finding, Part, Point, Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import Case, MappedSite, Reading
from osteoscope.domain.study import Patient, Study
from osteoscope.errors import OsteoscopeError
from osteoscope.fe.bone import Bone
from osteoscope.find.detection import Detection
from osteoscope.reading.ct_plans import CT_BASELINE
from osteoscope.reading.plan import SiteTest
from osteoscope.reading.plan_table import BASELINES, PLANS
from osteoscope.reading.read import read
from osteoscope.reading.strength import BoneLoading, _around, load_bone, strength_of_site, with_strength


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
    assert strength_of_site(given, "hip_left") == SiteTest()
    assert strength_of_site(replace(given, findings=()), "vertebra_L3") == SiteTest()


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
        assert (strength_of_site in with_strength(plan).tests_of_site) == (plan.suits is PLANS[0].suits)


def test_a_reading_says_what_of_a_strength_is_missing_and_on_what_it_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    """No air in the field: ratios alone, by a nominal calibration."""
    coarse = BoneLoading(element_mm=6.0, interval=False)
    monkeypatch.setattr("osteoscope.reading.strength.BoneLoading", lambda: coarse)
    given = case()
    outside = Part.from_mask(
        "ct", np.pad(np.ones((3, 3, 3), bool), [(0, n - 3) for n in given.study.images["ct"].values.shape])
    )
    apart = replace(given.findings[0], id="f2", region=Region((outside,)))
    plan = with_strength(
        replace(
            CT_BASELINE, map_sites=lambda _: given.mapped, detect=lambda *_: Detection((*given.findings, apart)),
            of_finding=(), of_site=(), of_study=(), limits=(),
        )
    )  # fmt: skip
    reading = read(given.study, plan).reading
    site = reading.site("vertebra_L3")
    assert site is not None
    (loss,) = site.measures
    assert loss.name == "strength_loss"
    assert "kopperdahl_2002; calibration: none: a typical scanner" in loss.method
    told = {(gap.where, gap.step, gap.reason.partition(":")[0]) for gap in reading.gaps}
    act = "strength_of_site"
    assert {
        ("vertebra_L3", act, "failure load"),
        ("vertebra_L3", act, "calibration"),
        ("f2", act, "strength loss"),
    } <= told
    assert any(note.startswith("strength: tube voltage not stated") for note in site.notes)
    assert codec.decode(Reading, codec.encode(reading)) == reading


@pytest.mark.parametrize("upwards", [0, 1, 2])
def test_tissues_are_those_of_the_axial_slices_however_the_volume_is_stored(upwards: int) -> None:
    values = np.zeros((40, 12, 14), np.int16) + np.arange(40, dtype=np.int16)[:, None, None]
    grid = Grid.axial(values.shape, (1.0, 2.0, 3.0))
    mask = np.zeros(values.shape, bool)
    mask[20:25, 5:8, 6:9] = True
    matrix = grid.matrix.copy()
    matrix[:, [0, upwards]] = matrix[:, [upwards, 0]]
    stored = [np.ascontiguousarray(np.swapaxes(one, 0, upwards)) for one in (values, mask)]
    image = Image(Grid.from_matrix(stored[0].shape, matrix), stored[0], "HU")
    bone = Bone("vertebra_L3", image.grid, stored[0].astype(np.float32), stored[1], {}, np.zeros_like(stored[1]))
    assert set(np.unique(_around(image, bone))) == {20, 21, 22, 23, 24}
    assert _around(image, bone).size == 5 * 12 * 14


@pytest.mark.parametrize(
    ("how", "found"),
    [
        ({"law": "crawford_2003"}, "elastic only"), ({"law": "none"}, "not known"),
        ({"rods": ((0.05, 62.0), (0.2, 250.0))}, "mg/cm3 per HU"),
    ],
)  # fmt: skip
def test_what_could_never_be_loaded_is_refused_before_anything_is_read(how: dict[str, Any], found: str) -> None:
    with pytest.raises(OsteoscopeError, match=found):
        BoneLoading(**how)
