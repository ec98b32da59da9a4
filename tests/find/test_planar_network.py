"""The shipped planar model on simulated children of seeds unseen in training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.in_part import is_in_part
from osteoscope.domain.reading import MappedSite
from osteoscope.domain.study import Study
from osteoscope.errors import UnsuitableStudyError
from osteoscope.find.planar_caveats import caveats
from osteoscope.find.planar_drafts import NetworkOptions, _masses, _parted
from osteoscope.find.planar_network import find_uptake, map_segments
from osteoscope.reading.plan_table import plan_for
from osteoscope.reading.planar_plans import scored_by
from osteoscope.reading.read import read
from osteoscope.simulate.artefacts import Extravasation
from osteoscope.simulate.planar import (
    Camera,
    ChildRecipe,
    Diffuse,
    Foci,
    Simulation,
    random_recipe,
    simulate_planar,
)
from osteoscope.stats.detection import dice

FOCUS, WHOLE = "proximal_upper_limb_left", "proximal_lower_limb_right"


@pytest.fixture(scope="module")
def child() -> Simulation:
    lesions = (Foci(FOCUS, 1, 18, 50), Diffuse(WHOLE, 1.0, contrast=30))
    return simulate_planar(ChildRecipe(age_years=4, lesions=lesions, camera=Camera(anterior_counts=6e5)), 31)


@pytest.fixture(scope="module")
def healthy() -> Simulation:
    return simulate_planar(ChildRecipe(age_years=4), 32)


def by_site(sites: tuple[MappedSite, ...]) -> dict[str, MappedSite]:
    return {place.site: place for place in sites}


def without(study: Study, view: str) -> Study:
    return replace(study, images={name: image for name, image in study.images.items() if name != view})


def level(study: Study, segment: str, *choices: str) -> float | None:
    site = read(study, scored_by(plan_for(study), choices)).reading.site(segment)
    measure = site.measure("siopen") if site else None
    return measure.value if measure else None


def test_units_lie_where_the_child_has_them(child: Simulation) -> None:
    truth, found = by_site(child.mapped), by_site(map_segments(child.study))
    for unit in ("skull", "pelvis", WHOLE, FOCUS, "proximal_lower_limb_left"):
        a, b = truth[unit].region, found[unit].region
        assert a is not None
        assert b is not None
        assert dice(a, b) > 0.6, unit


def test_a_focus_and_a_diffuse_femur_are_found_in_their_units(child: Simulation) -> None:
    found = find_uptake(child.study, map_segments(child.study)).findings
    sure = {(f.site, f.kind) for f in found if f.confidence >= 0.5}
    assert sure == {(FOCUS, "focal"), (WHOLE, "diffuse")}


def test_levels_follow(child: Simulation) -> None:
    assert level(child.study, FOCUS) == 1
    assert level(child.study, WHOLE) in {5, 6}
    assert level(child.study, "skull") == 0


def test_a_healthy_child_has_no_disease(healthy: Simulation) -> None:
    total = read(healthy.study).reading.measure("siopen_total")
    assert total is not None
    assert total.value == 0


def test_organs_are_set_aside(healthy: Simulation) -> None:
    aside = find_uptake(healthy.study, map_segments(healthy.study)).set_aside
    assert any("liver" in part.what for part in aside)


def test_one_view_is_enough_and_said(child: Simulation) -> None:
    for view in ("anterior", "posterior"):
        alone = without(child.study, view)
        assert level(alone, WHOLE) in {4, 5, 6}
        assert any("one view only" in gap.reason for gap in caveats(alone))


def test_a_bone_that_is_diseased_throughout_is_covered_to_its_rim(child: Simulation) -> None:
    site = read(child.study).reading.site(WHOLE)
    fraction = site.measure("siopen_diffuse_fraction") if site else None
    assert fraction is not None
    assert fraction.value > 0.98


def test_clipped_pixels_are_said(child: Simulation, healthy: Simulation) -> None:
    def clipped(image: Image) -> Image:
        return Image(image.grid, np.minimum(image.values, image.values.max() // 3), "counts")

    study = replace(child.study, images={name: clipped(image) for name, image in child.study.images.items()})
    said = [gap.reason for gap in caveats(study) if "clipped" in gap.reason]
    assert len(said) == 1
    assert "anterior view stand at" in said[0]
    assert "posterior view stand at" in said[0]
    blank = {name: Image(image.grid, 0 * image.values, "counts") for name, image in child.study.images.items()}
    for whole in (child.study, healthy.study, replace(child.study, images=blank)):
        assert not any("clipped" in gap.reason for gap in caveats(whole))


def test_pixel_size_and_dose_hardly_matter(child: Simulation) -> None:
    def doubled(image: Image) -> Image:
        values = image.values.repeat(2, axis=0).repeat(2, axis=1)
        grid = image.grid
        spacing = tuple(s / 2 for s in grid.spacing)
        return Image(Grid.planar(values.shape, (spacing[0], spacing[1]), grid.frame), values, "counts")

    finer = replace(child.study, images={name: doubled(image) for name, image in child.study.images.items()})
    for segment in (FOCUS, WHOLE):
        assert level(finer, segment, "level=counted") == level(child.study, segment, "level=counted")
        assert level(finer, segment) == pytest.approx(level(child.study, segment), abs=1)


@pytest.mark.parametrize(("quarters", "said"), [(1, "side"), (2, "upside down"), (3, "side")])
def test_a_turned_body_is_said_and_not_scored(healthy: Simulation, quarters: int, said: str) -> None:
    def turned(image: Image) -> Image:
        values = np.ascontiguousarray(np.rot90(image.values, quarters))
        return Image(Grid.planar(values.shape, (2.4, 2.4), image.grid.frame), values, "counts")

    study = replace(healthy.study, images={name: turned(image) for name, image in healthy.study.images.items()})
    sites = map_segments(study)
    assert {site.status for site in sites} == {"not_assessable"}
    assert all(said in site.notes[0] for site in sites)
    with pytest.raises(UnsuitableStudyError, match=said):
        find_uptake(study, sites)


def test_no_body_is_not_scored() -> None:
    grid = Grid.planar((512, 128), (2.4, 2.4), "anterior")
    empty = Study("1.2", "nm-planar", "", simulate_planar(ChildRecipe(), 1).study.patient, {
        "anterior": Image(grid, np.zeros((512, 128), dtype=np.int32), "counts")
    })  # fmt: skip
    sites = map_segments(empty)
    assert {site.status for site in sites} == {"not_assessable"}
    with pytest.raises(UnsuitableStudyError, match="no body found"):
        find_uptake(empty, sites)


def test_a_reading_names_its_model(healthy: Simulation) -> None:
    models = read(healthy.study).reading.reader.models
    assert [model.name for model in models] == ["mibg_planar", "mibg_levels"]


def test_a_forearm_drowned_by_an_injection_is_not_assessable_and_opens_the_total() -> None:
    recipe = random_recipe(np.random.default_rng(23007))
    drowned = replace(recipe, artefacts=(Extravasation("forearm", 80.0, 60.0, False, 1.0),))
    reading = read(simulate_planar(drowned, 23007).study).reading
    site, total = reading.site("distal_upper_limb_right"), reading.measure("siopen_total")
    assert site is not None
    assert site.status == "not_assessable"
    assert site.measure("siopen") is None
    assert total is not None
    assert total.interval is not None
    assert total.interval[1] >= total.value + 6


def test_what_lies_in_a_unit_that_is_not_assessed_is_set_aside_and_not_lost(child: Simulation) -> None:
    sites = tuple(
        replace(site, region=None, status="not_acquired") if site.site in (FOCUS, WHOLE) else site
        for site in map_segments(child.study)
    )
    found = find_uptake(child.study, sites)
    assert not {FOCUS, WHOLE} & {f.site for f in found.findings}
    unread = {aside.reason for aside in found.set_aside if "like disease" in aside.what}
    assert unread == {f"{site.replace('_', ' ')}: not acquired" for site in (FOCUS, WHOLE)}


def test_a_unit_that_is_hidden_is_assessed_in_part_where_a_finding_stands_out(child: Simulation) -> None:
    sites = by_site(map_segments(child.study, NetworkOptions(hidden=-1.0)))
    assert sites["skull"].status == "not_assessable"
    for unit in (FOCUS, WHOLE):
        assert sites[unit].status == "assessed"
        assert is_in_part(unit, sites[unit].notes)


def test_a_spine_behind_the_bowel_is_assessed_from_behind() -> None:
    made = simulate_planar(random_recipe(np.random.default_rng(22056)), 22056)
    lumbar = by_site(map_segments(made.study))["lumbar_spine"]
    assert lumbar.status == "assessed"
    assert any("of the lumbar spine lies under uptake that is no disease" in note for note in lumbar.notes)


def test_nodes_that_touch_are_parted_at_their_saddle() -> None:
    rows, columns = np.ogrid[:40, :40]
    chain = sum(np.exp(-((rows - 20) ** 2 + (columns - at) ** 2) / 12) for at in (10, 18, 26)).astype(np.float32)
    area = chain > 0.3
    parts = list(_parted(chain, area, 5))
    assert len(parts) == 3
    assert np.array_equal(np.sum(parts, axis=0), area)
    assert [round(float(np.argwhere(part)[:, 1].mean())) for part in parts] == [10, 18, 26]
    (whole,) = _parted(np.ones_like(chain), area, 5)
    assert np.array_equal(whole, area)


def test_a_faint_mass_is_one_of_little_confidence_unless_beside_a_likely_one() -> None:
    rows, columns = np.ogrid[:40, :60]

    def blob(column: int, peak: float) -> NDArray[np.float32]:
        return np.asarray(peak * np.exp(-((rows - 20) ** 2 + (columns - column) ** 2) / 12), dtype=np.float32)

    masses = list(_masses(blob(10, 1.0) + blob(18, 0.9) + blob(24, 0.2) + blob(48, 0.3), NetworkOptions()))
    assert [round(float(np.argwhere(mass)[:, 1].mean())) for mass in masses] == [10, 18, 48]
    assert not list(_masses(blob(30, 0.09), NetworkOptions()))
