"""Where bone ends: by the network of the package on simulated scans, and by hand-made chances."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import MappedSite
from osteoscope.domain.study import Study
from osteoscope.find import ct_names
from osteoscope.find.ct_body import SoftTissue
from osteoscope.find.ct_bone_outline import MODEL, Outline, outline, outlined, with_eaten
from osteoscope.find.ct_bone_regions import voxels_on_source
from osteoscope.find.ct_bones import BoneMask
from osteoscope.find.ct_bones_network import _wider, map_bones
from osteoscope.find.ct_frame import Frame, working_frame
from osteoscope.find.ct_names import Name
from osteoscope.reading.ct_plans import CT_PLAN
from osteoscope.simulate.ct import CtLesion, CtRecipe, CtSimulation, simulate_ct

Mask = NDArray[np.bool_]
LESION = "vertebra_L3"


@pytest.fixture(scope="module")
def simulated() -> CtSimulation:
    return simulate_ct(
        CtRecipe(coverage="lumbar", spacing_mm=(2, 1.4, 1.4), lesions=(CtLesion(LESION, "lytic", 26),)), 3
    )


@pytest.fixture(scope="module")
def found(simulated: CtSimulation) -> Mask:
    return painted(map_bones(simulated.study), simulated.study)


def painted(sites: tuple[MappedSite, ...], study: Study) -> Mask:
    mask = np.zeros(study.images["ct"].grid.shape, dtype=bool)
    for site in sites:
        for part in site.region.parts if site.region else ():
            mask[part.box] |= part.mask
    return mask


def dice(a: Mask, b: Mask) -> float:
    return float(2 * np.count_nonzero(a & b) / (a.sum() + b.sum()))


def test_bone_ends_where_it_does_and_better_than_by_geometry(simulated: CtSimulation, found: Mask) -> None:
    truth = painted(simulated.mapped, simulated.study)
    geometry = painted(ct_names.map_bones(simulated.study), simulated.study)
    assert dice(found, truth) > max(0.93, dice(geometry, truth))


def test_a_hole_eaten_by_a_tumour_is_bone(simulated: CtSimulation, found: Mask) -> None:
    (finding,) = simulated.reading.findings
    lesion = np.zeros_like(found)
    for part in finding.region.parts:
        lesion[part.box] |= part.mask
    inside = lesion & painted(simulated.mapped, simulated.study)
    assert (found & inside).sum() > 0.9 * inside.sum()


def test_less_of_a_calcified_vessel_beside_the_spine_is_bone_than_by_geometry(simulated: CtSimulation) -> None:
    image = simulated.study.images["ct"]
    (body,) = (site.region for site in simulated.mapped if site.site == LESION and site.region)
    box = body.parts[0].box
    front, across = box[1].start, (box[2].start + box[2].stop) // 2
    y, x = np.indices(image.grid.shape[1:]) * 1.4
    away = np.hypot(y - (front - 9) * 1.4, x - across * 1.4)  # its middle is 12.6 mm before the body
    wall = (away > 8.5) & (away < 11) & (np.arctan2(y - (front - 9) * 1.4, x - across * 1.4) > -1)
    values = np.array(image.values)
    place = np.broadcast_to(wall, values.shape) & ~painted(simulated.mapped, simulated.study)
    values[place] = 600
    study = replace(simulated.study, images={"ct": replace(image, values=values)})
    assert place.sum() > 1000
    by_network, by_geometry = (painted(way(study), study)[place].mean() for way in (map_bones, ct_names.map_bones))
    assert by_network < 0.65
    assert by_geometry > 0.95


def test_every_reading_names_the_model() -> None:
    assert MODEL in {record.name for record in CT_PLAN.models()}


def block() -> tuple[Frame, Mask]:
    grid = Grid.axial((20, 20, 20), (1.5, 1.5, 1.5))
    place = np.zeros(grid.shape, dtype=bool)
    place[5:15, 5:15, 5:15] = True
    return Frame(np.full(grid.shape, 40, np.int16), grid, grid), place


def test_chances_decide_in_the_voxels_of_the_scan() -> None:
    """Names every 1.5 mm, chances every 1 mm that begin elsewhere, and a scan in voxels of 3 x 1 x 1 mm."""
    frame, place = block()
    scan = Grid.axial((10, 30, 30), (3, 1, 1))
    fine = Grid.axial((20, 22, 26), (1, 1, 1), (3.0, 5.0, 5.0))
    chance = np.where(np.indices(fine.shape)[2] + 3 >= 15, 255, 0).astype(np.uint8)
    edge = Outline(Frame(np.zeros(fine.shape, np.int16), fine, scan), chance)
    (site,) = voxels_on_source(Frame(frame.hu, frame.grid, scan), place.astype(np.uint16), [Name("sacrum", 1.0)], edge)
    assert site.region is not None
    (part,) = site.region.parts
    mask = np.zeros(scan.shape, dtype=bool)
    mask[part.box] = part.mask
    columns = np.flatnonzero(mask.any(axis=(0, 1)))
    assert (columns.min(), columns.max()) == (15, 21)


def test_a_lump_between_bone_stays_bone_and_one_beside_it_does_not() -> None:
    """Geometry calls all of a block bone, the network its walls alone, three voxels thick, without the surface."""
    grid = Grid.axial((40, 40, 40), (1.5, 1.5, 1.5))
    frame = Frame(np.full(grid.shape, 40, np.int16), grid, grid)
    nothing, bone = np.zeros(grid.shape, dtype=bool), np.zeros(grid.shape, dtype=bool)
    wall, lump, beside = bone.copy(), bone.copy(), bone.copy()
    wall[10:30, 10:30, 10:30] = True
    lump[14:26, 14:26, 14:26] = True
    beside[16:24, 31:37, 16:24] = True
    wall &= ~lump
    bone[9:31, 9:31, 9:31] = True
    bones = BoneMask(frame, frame.hu, bone | beside, nothing, nothing, ~nothing, SoftTissue(50.0, 10.0), 115.0)
    edge = with_eaten(Outline(frame, wall.view(np.uint8) * 255), bones)
    found = edge.bone_on(grid)
    inner = np.zeros_like(lump)
    inner[15:25, 15:25, 15:25] = True
    assert found[inner].all()
    assert not found[beside].any()
    assert not (found & ~wall & ~lump).any()
    assert (
        with_eaten(Outline(frame, bone.view(np.uint8) * 255), replace(bones, bone=bone)).chance.sum()
        == 255 * bone.sum()
    )


def test_large_pixels_are_bone_from_a_smaller_chance_on() -> None:
    """Thick slices alone are no reason."""
    frame, place = block()
    nothing = np.zeros_like(place)
    bones = BoneMask(frame, frame.hu, place, nothing, nothing, ~nothing, SoftTissue(50.0, 10.0), 115.0)
    least = []
    for spacing in ((3.0, 2.5, 2.5), (5.0, 1.0, 1.0)):
        image = Image(Grid.axial((10, 30, 30), spacing), np.full((10, 30, 30), 40, np.int16), "HU")
        edge = outlined(image, place, replace(bones, frame=Frame(frame.hu, frame.grid, image.grid)))
        least.append(edge.least)
    assert least[0] < least[1]


def test_names_reach_over_a_surface_and_into_dull_tissue_but_not_into_metal_or_contrast_agent() -> None:
    frame, place = block()
    nothing, metal = np.zeros_like(place), np.zeros_like(place)
    metal[:, :, 15:] = True
    smooth = np.where(np.indices(place.shape)[1] < 5, 300, 40).astype(np.int16)
    bones = BoneMask(frame, smooth, place, nothing, metal, ~nothing, SoftTissue(50.0, 10.0), 115.0)
    reached = _wider(place.astype(np.uint16), bones, 3.0)
    expected = np.zeros_like(place)
    expected[3:17, 5:17, 3:15] = True
    expected[4:16, 4, 4:15] = True  # one voxel of what looks like contrast agent may be surface
    assert np.array_equal(reached == 1, expected)


def test_where_nothing_may_be_bone_nothing_is_looked_at_and_soft_tissue_is_none() -> None:
    frame, place = block()
    image = Image(frame.grid, frame.hu, "HU")
    assert not outline(image, np.zeros_like(place), working_frame(image, 1.5)).chance.any()
    assert outline(image, place, working_frame(image, 1.5)).chance.max() < 102
