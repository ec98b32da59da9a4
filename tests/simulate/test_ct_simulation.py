"""A simulated CT is an adult, repeats by seed, and its truth is what was painted."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_dilation, label

from osteoscope.domain.anatomy import VERTEBRAE
from osteoscope.domain.codec import decode, encode
from osteoscope.domain.finding import Finding
from osteoscope.domain.reading import Reading
from osteoscope.errors import InvalidValueError
from osteoscope.simulate.ct import (
    Coverage,
    CtLesion,
    CtMimic,
    CtPatient,
    CtRecipe,
    CtSimulation,
    Scanner,
    random_ct_recipe,
    simulate_ct,
)

COARSE = (4.0, 2.2, 2.2)
LESIONS = (
    CtLesion("vertebra_L3", "lytic", 22, breach=True),
    CtLesion("vertebra_T9", "blastic", 20),
    CtLesion("hip_left", "mixed", 36),
    CtLesion("femur_right", "lytic", 26),
    CtLesion("rib_right_6", "lytic", 28, soft_tissue=True),
    CtLesion("sacrum", "lytic", 24, rim_mm=2.5),
)


@cache
def trunk() -> CtSimulation:
    return simulate_ct(CtRecipe(spacing_mm=COARSE, lesions=LESIONS), seed=11)


def inside(simulation: CtSimulation, site: str) -> np.ndarray:
    """HU of the bone's voxels, those of lesions left out."""
    hu = simulation.study.images["ct"].values
    (place,) = (m for m in simulation.mapped if m.site == site)
    assert place.region is not None
    mask = place.region.parts[0].full(hu.shape)
    for finding in simulation.reading.findings:
        mask &= ~finding.region.parts[0].full(hu.shape)
    return np.asarray(hu[mask])


def hu_of(simulation: CtSimulation, finding: Finding) -> np.ndarray:
    part = finding.region.parts[0]
    return np.asarray(simulation.study.images["ct"].values[part.box][part.mask])


def measured(finding: Finding, name: str) -> float:
    return next(m.value for m in finding.measures if m.name == name)


def test_same_seed_same_study_other_seed_other_patient() -> None:
    recipe = CtRecipe(coverage="lumbar", spacing_mm=COARSE)
    first, again, other = (simulate_ct(recipe, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.study.images["ct"].values, again.study.images["ct"].values)
    assert (first.study.uid, first.reading) == (again.study.uid, again.reading)
    assert first.study.uid != other.study.uid
    assert first.study.patient.id.startswith("SIM-")


def test_bones_of_a_trunk_are_all_there_in_order() -> None:
    centres = {
        m.site: trunk().study.images["ct"].grid.to_position(m.region.parts[0].centroid())
        for m in trunk().mapped
        if m.region is not None
    }
    spine = [centres[site] for site in VERTEBRAE if site in centres]
    assert {f"vertebra_{level}" for level in ("T2", "T12", "L1", "L5")} <= set(centres)
    assert all(a[2] > b[2] for a, b in pairwise(spine))
    for bone in ("hip", "femur", "rib_{}_5", "scapula"):
        name = bone if "{}" in bone else bone + "_{}"
        assert centres[name.format("right")][0] < -20 < 20 < centres[name.format("left")][0]
    ribs = [centres[f"rib_left_{n}"][2] for n in range(1, 13)]
    assert ribs == sorted(ribs, reverse=True)


def test_every_field_shows_its_bones() -> None:
    expected: dict[Coverage, set[str]] = {
        "neck": {"skull", "mandible", *VERTEBRAE[:7], "clavicle_left"},
        "thorax": {
            "vertebra_C7",
            "vertebra_T12",
            "sternum",
            "rib_right_1",
            "rib_left_12",
            "scapula_left",
            "humerus_right",
        },
        "femurs": {"femur_left", "femur_right"},
        "pelvis": {"sacrum", "hip_left", "hip_right", "femur_left", "femur_right", "vertebra_L5"},
    }
    for coverage, bones in expected.items():
        simulation = simulate_ct(CtRecipe(coverage=coverage, spacing_mm=(5.0, 3.0, 3.0)), 8)
        assert bones <= {place.site for place in simulation.mapped}, coverage


def test_bones_do_not_overlap_and_hang_together() -> None:
    shape = trunk().study.images["ct"].grid.shape
    count = np.zeros(shape, np.uint8)
    for place in trunk().mapped:
        assert place.region is not None
        part = place.region.parts[0]
        count[part.box] += part.mask
        pieces, number = label(part.mask, np.ones((3, 3, 3)))
        largest = max((pieces == n).sum() for n in range(1, number + 1))
        assert largest > 0.9 * part.mask.sum() or place.notes, place.site
    assert (count > 1).mean() < 1e-5


def test_hu_are_those_of_an_adult() -> None:
    hu = trunk().study.images["ct"].values
    assert 90 < np.median(inside(trunk(), "vertebra_L2")) < 330
    assert np.percentile(inside(trunk(), "femur_left"), 95) > 900
    assert hu.min() >= -1024
    grey = np.histogram(hu[(hu > -200) & (hu < 200)], bins=80, range=(-200, 200))
    fat, flesh = grey[0][10:30], grey[0][40:60]
    assert -115 < -200 + 5 * (10 + int(fat.argmax())) < -85
    assert 30 < -200 + 5 * (40 + int(flesh.argmax())) < 80
    assert 0.03 < ((hu < -700) & (hu > -950)).mean() < 0.2


def test_truth_names_measures_and_masks_every_lesion() -> None:
    reading, cell = trunk().reading, trunk().study.images["ct"].grid.cell / 1000
    assert [(f.site, f.kind) for f in reading.findings] == [(item.site, item.kind) for item in LESIONS]
    for finding, asked in zip(reading.findings, LESIONS, strict=True):
        assert finding.region.size * cell == pytest.approx(measured(finding, "volume"), rel=0.15)
        assert 0.5 * asked.diameter_mm < measured(finding, "long_axis") < 2 * asked.diameter_mm
        assert measured(finding, "short_axis") <= measured(finding, "long_axis") + 0.5
        site = reading.site(finding.site)
        assert site is not None
        assert finding.id in site.evidence
    total = reading.measure("lesion_volume")
    assert total is not None
    assert total.value == pytest.approx(sum(measured(f, "volume") for f in reading.findings), abs=1e-3)


def test_lesions_show_and_keep_to_their_bone() -> None:
    for finding, asked in zip(trunk().reading.findings, LESIONS, strict=True):
        own = next(m for m in trunk().mapped if m.site == finding.site)
        assert own.region is not None
        share = finding.region.overlap(own.region) / finding.region.size
        assert (0.1 < share < 0.95) if asked.soft_tissue else share > 0.97
        typical = np.median(hu_of(trunk(), finding))
        if finding.kind == "lytic" and not asked.soft_tissue:
            assert typical < np.median(inside(trunk(), finding.site)) - 40
        if finding.kind == "blastic":
            assert typical > np.percentile(inside(trunk(), finding.site), 25) + 120


def test_truth_survives_reading_json() -> None:
    reading = trunk().reading
    assert decode(Reading, json.loads(json.dumps(encode(reading)))) == reading


def test_contrast_lights_the_aorta_and_not_the_bone() -> None:
    plain, filled = (
        simulate_ct(CtRecipe(coverage="lumbar", spacing_mm=COARSE, contrast=phase), 4) for phase in ("none", "arterial")
    )
    change = filled.study.images["ct"].values.astype(int) - plain.study.images["ct"].values
    assert np.percentile(change, 99.5) > 180
    assert abs(np.median(inside(filled, "vertebra_L3")) - np.median(inside(plain, "vertebra_L3"))) < 15


def test_density_and_stature_are_obeyed() -> None:
    def lumbar(patient: CtPatient) -> CtSimulation:
        return simulate_ct(CtRecipe(patient, "lumbar", COARSE, Scanner(noise_hu=5)), 5)

    short, tall = lumbar(CtPatient(stature_cm=150)), lumbar(CtPatient(stature_cm=195))
    sparse, dense = lumbar(CtPatient(bone_density=0.5)), lumbar(CtPatient(bone_density=1.5))
    assert np.median(inside(dense, "vertebra_L3")) > np.median(inside(sparse, "vertebra_L3")) + 80
    assert inside(tall, "vertebra_L3").size > 1.7 * inside(short, "vertebra_L3").size


@pytest.mark.parametrize("lesion", [CtLesion("femur_left"), CtLesion("skull"), CtLesion("rib_left_3")])
def test_a_lesion_outside_the_field_is_refused(lesion: CtLesion) -> None:
    with pytest.raises(InvalidValueError, match=lesion.site):
        simulate_ct(CtRecipe(coverage="lumbar", spacing_mm=COARSE, lesions=(lesion,)), 1)


def test_impossible_recipes_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="diameter 1 mm"):
        CtLesion("sacrum", diameter_mm=1)
    with pytest.raises(InvalidValueError, match="stature_cm 95"):
        CtPatient(stature_cm=95)
    with pytest.raises(InvalidValueError, match="Choose a vertebra"):
        CtMimic("sacrum", "schmorl_node")
    with pytest.raises(InvalidValueError, match="a lesion and a mimic"):
        CtRecipe(lesions=(CtLesion("sacrum"),), mimics=(CtMimic("sacrum"),))


def test_mimics_are_set_aside_and_show() -> None:
    asked = {
        "vertebra_L1": CtMimic("vertebra_L1", "schmorl_node"),
        "vertebra_L2": CtMimic("vertebra_L2", "haemangioma"),
        "vertebra_L3": CtMimic("vertebra_L3", "endplate_sclerosis"),
        "vertebra_L4": CtMimic("vertebra_L4", "enostosis"),
    }
    recipe = CtRecipe(coverage="lumbar", spacing_mm=(1.5, 1.0, 1.0), mimics=tuple(asked.values()))
    simulation = simulate_ct(recipe, 6)
    hu = simulation.study.images["ct"].values
    found = {
        aside.what: np.median(hu[p.box][p.mask]) for aside in simulation.reading.set_aside for p in aside.region.parts
    }
    assert set(found) == {f"{mimic.kind} of {site}" for site, mimic in asked.items()}
    assert not simulation.reading.findings
    assert found["enostosis of vertebra_L4"] > 600 > found["endplate_sclerosis of vertebra_L3"] > 250
    assert found["schmorl_node of vertebra_L1"] < 250
    assert found["haemangioma of vertebra_L2"] < 120


def test_no_bone_pierces_the_skin() -> None:
    air, _ = label(trunk().study.images["ct"].values < -700)
    edges = np.concatenate([air[:, face].ravel() for face in (0, -1)] + [air[:, :, face].ravel() for face in (0, -1)])
    outside = np.isin(air, np.setdiff1d(edges, [0]))
    assert outside.mean() > 0.3
    for place in trunk().mapped:
        assert place.region is not None
        part = place.region.parts[0]
        touched = binary_dilation(part.full(air.shape)) & outside
        assert touched.sum() <= 3, place.site


def test_every_lesion_is_one_piece() -> None:
    for finding in trunk().reading.findings:
        assert label(finding.region.parts[0].mask, np.ones((3, 3, 3)))[1] == 1


@settings(max_examples=6)
@given(st.integers(0, 2**32 - 1))
def test_random_recipes_can_be_simulated(seed: int) -> None:
    recipe = random_ct_recipe(np.random.default_rng(seed))
    small = replace(recipe, coverage="lumbar", spacing_mm=(5.0, 3.0, 3.0), lesions=(), mimics=())
    assert len(simulate_ct(small, seed).mapped) > 6
    assert recipe == random_ct_recipe(np.random.default_rng(seed))
