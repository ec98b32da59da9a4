"""The CT baseline on simulated and real scans: bones, sides, levels, lesions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from osteoscope.dicom.load import load, scan
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import MappedSite
from osteoscope.domain.study import Patient, Study
from osteoscope.find.ct_discs import Discs
from osteoscope.find.ct_lesions import find_lesions
from osteoscope.find.ct_levels import Anchor, name_levels
from osteoscope.find.ct_names import map_bones
from osteoscope.simulate.ct import CtLesion, CtRecipe, CtSimulation, simulate_ct
from osteoscope.stats.detection import match


@pytest.fixture(scope="module")
def simulated() -> CtSimulation:
    lesions = (CtLesion("sacrum", "blastic", 32), CtLesion("hip_left", "blastic", 34))
    return simulate_ct(CtRecipe(coverage="abdomen", spacing_mm=(3, 1.8, 1.8), lesions=lesions), 2)


@pytest.fixture(scope="module")
def bones(simulated: CtSimulation) -> tuple[MappedSite, ...]:
    return map_bones(simulated.study)


def labelled(sites: tuple[MappedSite, ...], shape: tuple[int, ...]) -> np.ndarray:
    """How many sites hold each voxel."""
    count = np.zeros(shape, np.uint8)
    for place in sites:
        if place.region is not None:
            part = place.region.parts[0]
            count[part.box] += part.mask
    return count


def test_every_bone_voxel_belongs_to_one_site(simulated: CtSimulation, bones: tuple[MappedSite, ...]) -> None:
    count = labelled(bones, simulated.study.images["ct"].grid.shape)
    assert count.max() == 1


def test_the_mask_agrees_with_the_truth_and_leaves_the_table_out(
    simulated: CtSimulation, bones: tuple[MappedSite, ...]
) -> None:
    shape = simulated.study.images["ct"].grid.shape
    found, truth = labelled(bones, shape) > 0, labelled(simulated.mapped, shape) > 0
    assert 2 * np.count_nonzero(found & truth) / (found.sum() + truth.sum()) > 0.75
    behind = np.argwhere(truth)[:, 1].max()
    assert np.count_nonzero(found[:, behind + 15 :]) == 0


def test_sides_are_the_patients(simulated: CtSimulation, bones: tuple[MappedSite, ...]) -> None:
    grid = simulated.study.images["ct"].grid
    for place in bones:
        side = {"right": -1, "left": 1}.get(place.site.split("_")[1] if "_" in place.site else "")
        if side and place.region is not None:
            assert side * grid.to_position(place.region.parts[0].centroid())[0] > 0, place.site


def test_large_dense_lesions_are_found(simulated: CtSimulation, bones: tuple[MappedSite, ...]) -> None:
    found = find_lesions(simulated.study, bones).findings
    result = match(simulated.reading.findings, found)
    assert result.pairs
    assert all(found[index].kind in {"blastic", "mixed"} for _, index, _ in result.pairs)
    assert [f.confidence for f in found] == sorted((f.confidence for f in found), reverse=True)


def test_a_reversed_stack_gives_the_same_bones(simulated: CtSimulation, bones: tuple[MappedSite, ...]) -> None:
    image = simulated.study.images["ct"]
    matrix = image.grid.matrix.copy()
    matrix[:3, 3] = image.grid.to_position([image.grid.shape[0] - 1, 0, 0])
    matrix[:3, 0] *= -1
    turned = Image(Grid.from_matrix(image.grid.shape, matrix), image.values[::-1], "HU")
    again = map_bones(Study("1.2", "ct", "", Patient("p"), {"ct": turned}))
    assert sorted(p.site for p in again) == sorted(p.site for p in bones)


def test_air_alone_has_no_bones() -> None:
    grid = Grid.axial((12, 40, 40), (3, 2, 2))
    empty = Study("1.3", "ct", "", Patient("p"), {"ct": Image(grid, np.full(grid.shape, -1000, np.int16), "HU")})
    assert map_bones(empty) == ()
    assert find_lesions(empty, ()).findings == ()


SPANS = [(float(n), float(n + 1)) for n in range(6)]
NO_DISCS = Discs(np.array([], dtype=np.intp), np.array([]))


def test_levels_are_counted_up_from_the_sacrum() -> None:
    levels = name_levels(SPANS, NO_DISCS, [Anchor("sacrum", 0, 23, 0.9), Anchor("last rib", 5, 18, 0.7)])
    assert [level.vertebra for level in levels] == [f"vertebra_{v}" for v in ("L5", "L4", "L3", "L2", "L1", "T12")]
    assert all(level.notes == () for level in levels)


@pytest.mark.parametrize(
    "anchors",
    [
        [Anchor("last rib", 5, 18, 0.7)],
        [Anchor("sacrum", 0, 23, 0.9), Anchor("last rib", 4, 18, 0.7)],
        [Anchor("first rib", 5, 7, 0.7), Anchor("last rib", 2, 18, 0.7)],
        [],
    ],
)
def test_a_single_or_contradicted_landmark_is_never_a_silent_level(anchors: list[Anchor]) -> None:
    for level in name_levels(SPANS, NO_DISCS, anchors):
        assert level.notes[0].startswith("level uncertain")
        assert level.confidence < 0.5


def test_the_real_trunk_is_named(shared: Path, tmp_path: Path) -> None:
    found = scan(shared / "ct" / "acrin_flt_breast_001" / "dicom_ct_trunk", tmp_path)
    study = load(found.candidates[0], tmp_path).study
    assert study is not None
    places = {place.site: place for place in map_bones(study)}
    assert places.keys() >= {f"vertebra_L{n}" for n in range(1, 6)} | {"sacrum", "hip_right", "hip_left"}
    image = study.images["ct"]
    heights = []
    for n in range(1, 6):
        region = places[f"vertebra_L{n}"].region
        assert region is not None
        heights.append(image.grid.to_position(region.parts[0].centroid())[2])
    assert heights == sorted(heights, reverse=True)
    whole = labelled(tuple(places.values()), image.grid.shape) > 0
    assert 300 < whole.sum() * image.grid.cell / 1000 < 3500
