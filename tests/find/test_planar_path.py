"""The planar baseline on simulated children and real counts: segments, sides, findings."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from osteoscope.domain.anatomy import PLANAR_UNITS
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import MappedSite
from osteoscope.domain.study import Patient, Study
from osteoscope.find.planar_counts import Counts
from osteoscope.find.planar_segments import map_segments
from osteoscope.find.planar_uptake import UptakeOptions, find_uptake, involved
from osteoscope.find.planar_views import View
from osteoscope.simulate.planar import ChildRecipe, Foci, Simulation, simulate_planar
from osteoscope.stats.detection import dice

BIG_UNITS = ("skull", "thoracic_cage", "proximal_lower_limb_right", "proximal_lower_limb_left")


@pytest.fixture(scope="module")
def child() -> Simulation:
    lesions = (Foci("proximal_lower_limb_left", 2, 18, 40), Foci("skull", 1, 18, 40))
    return simulate_planar(ChildRecipe(age_years=5, lesions=lesions), 11)


@pytest.fixture(scope="module")
def segments(child: Simulation) -> tuple[MappedSite, ...]:
    return map_segments(child.study)


def by_site(sites: tuple[MappedSite, ...]) -> dict[str, MappedSite]:
    return {place.site: place for place in sites}


def test_every_skeletal_unit_has_a_place_or_a_reason(segments: tuple[MappedSite, ...]) -> None:
    assert set(by_site(segments)) >= set(PLANAR_UNITS) - {"soft_tissue"}
    for place in segments:
        assert (place.region is not None) or place.status != "assessed"


def test_large_segments_lie_where_the_child_has_them(child: Simulation, segments: tuple[MappedSite, ...]) -> None:
    truth, found = by_site(child.mapped), by_site(segments)
    for unit in BIG_UNITS:
        a, b = truth[unit].region, found[unit].region
        assert a is not None
        assert b is not None
        assert dice(a, b) > 0.4, unit


def test_left_and_right_are_the_patients(segments: tuple[MappedSite, ...]) -> None:
    found = by_site(segments)
    for unit in ("proximal_lower_limb", "proximal_upper_limb"):
        left, right = found[f"{unit}_left"].region, found[f"{unit}_right"].region
        assert left is not None
        assert right is not None
        for view, sign in (("anterior", 1), ("posterior", -1)):
            a, b = left.on(view), right.on(view)
            assert a is not None
            assert b is not None
            assert sign * (a.centroid()[1] - b.centroid()[1]) > 0


def test_hot_foci_are_found_on_their_side(child: Simulation, segments: tuple[MappedSite, ...]) -> None:
    found = [f for f in find_uptake(child.study, segments).findings if f.confidence >= 0.5]
    sites = {f.site for f in found}
    assert "proximal_lower_limb_left" in sites
    assert "proximal_lower_limb_right" not in sites


def test_a_stretch_of_bone_is_measured_on_pixels_larger_than_its_gaps() -> None:
    bone = np.zeros((30, 8), dtype=bool)
    bone[3:27, 3:5] = True
    contrast = np.where(bone, 1.0, 0.0)
    still = np.zeros_like(contrast)
    counts = Counts(np.ones_like(bone), still, still, contrast, still, 1, 38.0)
    view = View("anterior", bone.shape, counts, contrast, {"proximal_lower_limb_left": bone}, None, {})
    assert np.array_equal(involved(view, "proximal_lower_limb_left", bone, UptakeOptions()), bone)


def test_uptake_of_organs_is_set_aside(child: Simulation, segments: tuple[MappedSite, ...]) -> None:
    reasons = {aside.what for aside in find_uptake(child.study, segments).set_aside}
    assert any("liver" in what.lower() for what in reasons)


def test_a_longer_scan_does_not_move_the_segments(child: Simulation, segments: tuple[MappedSite, ...]) -> None:
    images = {n: Image(i.grid, i.values.astype(np.int32) * 3, "counts") for n, i in child.study.images.items()}
    again = map_segments(Study("1.5", "nm-planar", "", child.study.patient, images))
    for before, after in zip(segments, again, strict=True):
        assert before.site == after.site
        if before.region is not None and after.region is not None:
            assert dice(before.region, after.region) > 0.9


def test_one_view_alone_is_mapped_and_says_so(child: Simulation) -> None:
    alone = Study("1.6", "nm-planar", "", child.study.patient, {"anterior": child.study.images["anterior"]})
    places = map_segments(alone)
    assert any(place.region is not None for place in places)
    assert all(place.region is None or place.region.on("posterior") is None for place in places)


def test_real_bone_scan_and_a_chest_alone(shared: Path) -> None:
    folder = shared / "planar" / "nm_planar"
    whole = np.load(folder / "wholebody_bone_NM1_lossless.npy").astype(np.int32)
    grid = Grid.planar(whole.shape, (2.26, 2.26), "anterior")
    adult = Study("1.7", "nm-planar", "", Patient("p"), {"anterior": Image(grid, whole, "counts")})
    assert sum(place.status == "assessed" for place in map_segments(adult)) >= 12
    views = np.load(folder / "lung_kidney_ant_post.npy").astype(np.int32)
    sides: tuple[Literal["anterior", "posterior"], ...] = ("anterior", "posterior")
    images: dict[str, Image] = {
        name: Image(Grid.planar(view.shape, (2.4, 2.4), name), view, "counts")
        for name, view in zip(sides, views, strict=True)
    }
    chest = by_site(map_segments(Study("1.8", "nm-planar", "", Patient("p"), images)))
    assert all(chest[f"distal_lower_limb_{side}"].status != "assessed" for side in ("right", "left"))
