"""How much of a unit lies in the field, and that what is cut off is never taken for seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from osteoscope.domain.in_part import is_in_part
from osteoscope.domain.reading import MappedSite, SiteReading
from osteoscope.domain.study import Study
from osteoscope.find.planar_body import frame
from osteoscope.find.planar_maps import UNITS, look
from osteoscope.find.planar_network import map_segments
from osteoscope.find.planar_shares import shares
from osteoscope.reading.read import read
from osteoscope.simulate.planar import Camera, ChildRecipe, Foci, Simulation, random_recipe, simulate_planar

LEG = "distal_lower_limb_left"


@pytest.fixture(scope="module")
def child() -> Simulation:
    return simulate_planar(ChildRecipe(age_years=4), 32)


def cropped(made: Simulation, unit: str, share: float) -> Study:
    """The study without what lies below that share of the height of a unit, as of a shorter sweep."""
    region = next(site.region for site in made.mapped if site.site == unit)
    part = region.on("anterior") if region else None
    assert part is not None
    last = part.offset[0] + round(share * part.mask.shape[0])
    images = {
        name: replace(
            image, grid=image.grid.crop((slice(0, last), slice(0, image.grid.shape[1]))), values=image.values[:last]
        )
        for name, image in made.study.images.items()
    }
    return replace(made.study, images=images)


def in_part(sites: tuple[MappedSite, ...]) -> set[str]:
    return {site.site for site in sites if is_in_part(site.site, site.notes)}


def said_of(study: Study, site: str) -> SiteReading:
    said = read(study).reading.site(site)
    assert said is not None
    return said


@pytest.mark.parametrize("seed", range(24_100, 24_106))
def test_a_child_within_the_field_is_whole(seed: int) -> None:
    recipe = random_recipe(np.random.default_rng(seed))
    camera = Camera(anterior_counts=recipe.camera.anterior_counts, collimator=recipe.camera.collimator)
    whole = simulate_planar(ChildRecipe(recipe.age_years, lesions=recipe.lesions, camera=camera), seed)
    assert in_part(map_segments(whole.study)) == set()


@pytest.mark.parametrize(("share", "least", "most"), [(0.5, 0.35, 0.7), (0.65, 0.5, 0.8), (0.8, 0.65, 0.9)])
def test_the_share_of_a_cropped_leg_is_told(child: Simulation, share: float, least: float, most: float) -> None:
    study = cropped(child, LEG, share)
    maps, body = look(study), frame(study)
    assert maps is not None
    assert body is not None
    found = shares(maps, body, 0.5)
    assert least <= found[LEG] <= most
    assert {unit for unit in UNITS if found[unit] < 0.9} == {LEG, "distal_lower_limb_right"}


def test_a_head_cut_off_by_the_field_is_told_by_its_width() -> None:
    cut = simulate_planar(ChildRecipe(age_years=4, camera=Camera(top_margin_mm=-70)), 32).study
    maps, body = look(cut), frame(cut)
    assert maps is not None
    assert body is not None
    assert shares(maps, body, 0.5)["skull"] < 0.85


def test_a_level_of_a_cropped_leg_reaches_the_top_and_says_why(child: Simulation) -> None:
    said = said_of(cropped(child, LEG, 0.65), LEG)
    level = said.measure("siopen")
    assert level is not None
    assert level.interval == (0.0, 6.0)
    assert level.method == "siopen ladder, 1 of 1 units seen in part"
    assert is_in_part(LEG, said.notes)
    whole = said_of(child.study, LEG).measure("siopen")
    assert whole is not None
    assert whole.interval != (0.0, 6.0)


def test_a_focus_in_a_unit_that_is_mostly_out_of_the_field_is_set_aside_and_says_why() -> None:
    lesions = (Foci("distal_lower_limb_left", 3, 16, 60), Foci("distal_lower_limb_right", 3, 16, 60))
    made = simulate_planar(ChildRecipe(age_years=4, lesions=lesions), 32)
    top = min(f.region.parts[0].box[0].stop for f in made.reading.findings if f.site == LEG)
    region = next(site.region for site in made.mapped if site.site == LEG)
    assert region is not None
    box = region.parts[0].box[0]
    study = cropped(made, LEG, (top + 6 - box.start) / (box.stop - box.start))
    maps = look(study)
    assert maps is not None
    assert maps.acquired[UNITS.index(LEG)] < 0.5
    outcome = read(study)
    said = outcome.reading.site(LEG)
    assert said is not None
    assert (said.status, said.measures) == ("not_acquired", ())
    aside = [one for one in outcome.reading.set_aside if one.reason == "distal lower limb left: not acquired"]
    assert aside
    assert all(one.what.startswith("uptake like disease") for one in aside)
