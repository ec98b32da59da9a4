"""Parts by geometry, named by what a network says of their cells."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from osteoscope.domain.anatomy import VERTEBRAE
from osteoscope.find.ct_bone_borders import Places
from osteoscope.find.ct_bone_look import Seen
from osteoscope.find.ct_bone_maps import FOLD, KIND_OF, MODEL
from osteoscope.find.ct_bone_naming import Naming
from osteoscope.find.ct_bones_network import map_bones
from osteoscope.find.ct_bones_voted import name_parts
from osteoscope.find.ct_parts import Part, Parts
from osteoscope.find.model import is_shipped
from osteoscope.simulate.ct import CtRecipe, simulate_ct

PER_CELL = 5  # voxels
Box = tuple[slice, slice, slice]


class Scene:
    """Boxes of cells: what geometry made of each, and what the network says."""

    def __init__(self, cells: tuple[int, int, int] = (24, 10, 20)) -> None:
        self.seen = Seen.nothing(cells)
        self.labels: NDArray[np.int32] = np.zeros([n * PER_CELL for n in cells], dtype=np.int32)
        self.parts: list[Part] = []

    def part(self, box: Box, part: Part) -> None:
        self.parts.append(part)
        self.labels[tuple(slice(s.start * PER_CELL, s.stop * PER_CELL) for s in box)] = len(self.parts)

    def say(self, box: Box, kind: str, level: float = 0) -> None:
        self.seen.kind[box], self.seen.sure[box] = KIND_OF[kind], 250
        self.seen.bone[tuple(slice(FOLD * s.start, FOLD * s.stop) for s in box)] = 250
        self.seen.level[box], self.seen.spread[box] = level, 0.3

    def spine(self, lowest: str) -> list[tuple[int, int]]:
        """Four vertebrae from a level upwards; the cells of each along z."""
        places = [(6 + 4 * n, 9 + 4 * n) for n in range(4)]
        for n, place in enumerate(places):
            self.part(box(place), Part("vertebra", None, (float(place[0]), float(place[1] + 1))))
            self.say(box(place), "vertebra", VERTEBRAE.index(f"vertebra_{lowest}") - n)
        return places

    def named(self) -> Naming:
        along = tuple((np.arange(n) + 0.5) / PER_CELL - 0.5 for n in self.labels.shape)
        places = Places(along, tuple(n // PER_CELL for n in self.labels.shape))
        return name_parts(Parts(self.labels, tuple(self.parts)), self.seen, places)

    def name_at(self, naming: Naming, *cell: int) -> str:
        number = int(naming.voxels[tuple(PER_CELL * n + 2 for n in cell)])
        return naming.names[number - 1].site if number else ""


def box(z: tuple[int, int], x: tuple[int, int] = (8, 12)) -> Box:
    return slice(*z), slice(3, 7), slice(*x)


@pytest.fixture
def lumbar() -> Scene:
    """L5 to L2 over a sacrum that geometry took for a skull."""
    scene = Scene()
    scene.part(box((0, 6), (5, 15)), Part("skull"))
    scene.say(box((0, 6), (5, 15)), "sacrum")
    scene.spine("L5")
    return scene


def test_the_network_says_what_geometry_mistook(lumbar: Scene) -> None:
    naming = lumbar.named()
    found = [lumbar.name_at(naming, z, 4, 10) for z in (2, 7, 11, 15, 19)]
    assert found == ["sacrum", "vertebra_L5", "vertebra_L4", "vertebra_L3", "vertebra_L2"]


def test_parts_of_two_bones_are_named_voxel_by_voxel(lumbar: Scene) -> None:
    both = box((0, 6), (1, 5))
    lumbar.part(both, Part("bone"))
    lumbar.say(box((0, 3), (1, 5)), "femur_right")
    lumbar.say(box((3, 6), (1, 5)), "hip_right")
    naming = lumbar.named()
    assert [lumbar.name_at(naming, z, 4, 2) for z in (1, 4)] == ["femur_right", "hip_right"]


def test_a_fragment_joins_the_nearest_vertebra_and_a_rib_that_of_its_own() -> None:
    scene = Scene()
    scene.spine("T10")
    piece = (slice(14, 17), slice(7, 9), slice(9, 11))
    scene.part(piece, Part("bone"))
    scene.say(piece, "vertebra", 3)
    rib = box((15, 17), (12, 18))
    scene.part(rib, Part("rib", "left", (15.5,)))
    scene.say(rib, "rib_left", VERTEBRAE.index("vertebra_T8") + 1.3)
    naming = scene.named()
    assert scene.name_at(naming, 15, 8, 10) == scene.name_at(naming, 15, 4, 10) == "vertebra_T8"
    assert scene.name_at(naming, 16, 4, 15) == "rib_left_8"


def test_slivers_of_ribs_without_a_number_are_one_bone_together() -> None:
    scene = Scene()
    for n in range(3):
        place = box((4 + 4 * n, 7 + 4 * n))
        scene.part(place, Part("vertebra", None, (float(4 + 4 * n), float(8 + 4 * n))))
        scene.say(place, "vertebra", 12)
    scene.seen.spread[:] = 9.0
    rib = box((5, 6), (12, 18))
    scene.part(rib, Part("rib", "left", (5.5,)))
    scene.say(rib, "rib_left", 12)
    scene.seen.spread[rib] = 9.0
    for n in range(3):
        scene.say(box((8 + 3 * n, 9 + 3 * n), (13, 15)), "rib_left", 12)
        scene.parts.append(Part("rib_fragment", "left"))
        scene.labels[5 * (8 + 3 * n) : 5 * (8 + 3 * n) + 2, 16:20, 66:70] = len(scene.parts)
    sites = [name.site for name in scene.named().names]
    assert sorted(site for site in sites if "rib" in site) == ["rib_left_unknown_1", "rib_left_unknown_2"]


def test_a_low_rib_that_cells_take_for_a_pelvis_is_a_rib() -> None:
    """L1 to T9 of a chest, the lowest rib on the second."""
    scene = Scene()
    for n in range(5):
        place = (4 + 4 * n, 7 + 4 * n)
        scene.part(box(place), Part("vertebra", None, (float(place[0]), float(place[1] + 1))))
        scene.say(box(place), "vertebra", VERTEBRAE.index("vertebra_L1") - n)
        if n:
            rib = box((place[0], place[1] - 1), (12, 18))
            scene.part(rib, Part("rib", "left", (place[0] + 1.5,)))
            scene.say(rib, "hip_left" if n == 1 else "rib_left", VERTEBRAE.index("vertebra_L1") - n)
    naming = scene.named()
    assert [scene.name_at(naming, z, 4, 10) for z in (4, 8)] == ["vertebra_L1", "vertebra_T12"]
    assert scene.name_at(naming, 8, 4, 15) == "rib_left_12"


@pytest.mark.parametrize("parted", [True, False])
def test_the_wall_of_a_socket_is_no_femur_where_geometry_parted_the_two(lumbar: Scene, parted: bool) -> None:
    hip = box((0, 6), (1, 5))
    lumbar.part(hip, Part("hip", "right"))
    lumbar.say(box((0, 3), (1, 5)), "femur_right")
    lumbar.say(box((3, 6), (1, 5)), "hip_right")
    if parted:
        femur = (slice(0, 3), slice(8, 10), slice(1, 5))
        lumbar.part(femur, Part("femur", "right"))
        lumbar.say(femur, "femur_right")
    naming = lumbar.named()
    found = [lumbar.name_at(naming, z, 4, 2) for z in (1, 4)]
    assert found == ["hip_right" if parted else "femur_right", "hip_right"]


def test_a_scapula_that_geometry_left_on_a_rib_is_none() -> None:
    scene = Scene()
    scene.spine("T8")
    both = box((10, 12), (12, 20))
    scene.part(both, Part("rib", "left", (11.5,)))
    scene.say(box((10, 12), (12, 17)), "rib_left", VERTEBRAE.index("vertebra_T7"))
    scene.say(box((10, 12), (17, 20)), "scapula_left")
    naming = scene.named()
    assert [scene.name_at(naming, 11, 4, x) for x in (10, 13, 15, 18)] == [
        "vertebra_T7", "rib_left_7", "rib_left_7", "scapula_left",
    ]  # fmt: skip


def test_the_head_of_a_rib_that_geometry_left_on_a_vertebra_belongs_to_the_rib() -> None:
    scene = Scene()
    for n, place in enumerate(scene.spine("T8")):
        scene.say(box(place, (11, 12)), "rib_left", VERTEBRAE.index("vertebra_T8") - n)
        rib = box((place[0], place[0] + 2), (12, 18))
        scene.part(rib, Part("rib", "left", (place[0] + 1.5,)))
        scene.say(rib, "rib_left", VERTEBRAE.index("vertebra_T8") - n)
    naming = scene.named()
    assert [scene.name_at(naming, 11, 4, x) for x in (9, 11, 15)] == ["vertebra_T7", "rib_left_7", "rib_left_7"]


def test_every_voxel_of_every_part_has_a_name(lumbar: Scene) -> None:
    lumbar.part(box((20, 22), (0, 3)), Part("rib_fragment", "right"))
    lumbar.say(box((20, 22), (0, 3)), "rib_right", 18)
    naming = lumbar.named()
    assert ((naming.voxels > 0) == (lumbar.labels > 0)).all()


@pytest.mark.skipif(not is_shipped(MODEL), reason="no bones network in the package")
def test_a_pelvis_is_named_by_the_shipped_network() -> None:
    made = simulate_ct(CtRecipe(coverage="pelvis", spacing_mm=(5.0, 2.0, 2.0)), 3)
    shape = made.study.images["ct"].grid.shape
    found = {site.site: site for site in map_bones(made.study)}
    for truth in made.mapped:
        if truth.site in {"hip_left", "hip_right", "sacrum"} and truth.region:
            said = found[truth.site].region
            assert said is not None
            masks = [part.full(shape) for part in (truth.region.parts[0], said.parts[0])]
            overlap = 2 * np.count_nonzero(masks[0] & masks[1]) / (masks[0].sum() + masks[1].sum())
            assert overlap > 0.7, truth.site
