"""Soft tissue that a lesion has grown is no bone: what is said of the bone stays as it was without it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from bone_cases import LEG, SPINE, Mask, block, case_of, in_spine, named, one, shaft, values, vertebra

from osteoscope.domain.finding import Finding
from osteoscope.domain.geometry import Grid
from osteoscope.domain.reading import Case
from osteoscope.measure.burden import burden, skeleton_share
from osteoscope.measure.collapse import height_loss
from osteoscope.measure.femur import femoral_place
from osteoscope.measure.intensity import cortical_contact
from osteoscope.measure.long_bone import cortical_involvement
from osteoscope.measure.place import with_eaten
from osteoscope.measure.size import size
from osteoscope.measure.stability import mirels, sins
from osteoscope.measure.vertebra import vertebral_place

INSIDE = block(SPINE, (40, 56), (5, 15), (20, 44))
BEFORE_IT = block(SPINE, (32, 64), (0, 5), (8, 56))
CORE = block(LEG, (56, 64), (17, 27), (24, 34))


def measured(case: Case) -> Case:
    made = tuple(
        replace(f, measures=(*size(case, f), *cortical_involvement(case, f), *vertebral_place(case, f)))
        for f in case.findings
    )
    return replace(case, findings=made)


@cache
def with_mass() -> tuple[Case, Case]:
    """A lesion in the front of a vertebra without and with as much again before it."""
    return measured(in_spine(INSIDE)), measured(in_spine(INSIDE | BEFORE_IT))


@pytest.mark.parametrize("name", ["body_share", "canal_distance"])
def test_a_mass_before_the_spine_is_no_part_of_the_body(name: str) -> None:
    alone, grown = (named(c.findings[0].measures)[name] for c in with_mass())
    assert grown.value == pytest.approx(alone.value)


def test_parts_of_a_vertebra_hold_only_what_lies_in_them() -> None:
    grown = with_mass()[1].findings[0]
    in_bone = np.count_nonzero(INSIDE) / np.count_nonzero(INSIDE | BEFORE_IT)
    assert values(grown.measures)["in_body"] == pytest.approx(in_bone)


def test_a_mass_takes_no_height_and_no_point_of_stability() -> None:
    room = block(SPINE, (0, 96), (15, 80), (0, 64))
    bones = {f"vertebra_L{n}": vertebra(low, low + 24) & room for n, low in ((1, 66), (2, 36), (3, 6))}
    inside, before_it = block(SPINE, (44, 52), (15, 22), (26, 38)), block(SPINE, (44, 52), (0, 15), (12, 52))
    alone, grown = (case_of(SPINE, bones, [("vertebra_L2", m)]) for m in (inside, inside | before_it))
    assert height_loss(grown, "vertebra_L2") == height_loss(alone, "vertebra_L2")
    assert sins(grown, "vertebra_L2") == sins(alone, "vertebra_L2")


def test_a_mass_is_in_the_volume_and_not_in_the_share_of_the_skeleton() -> None:
    alone, grown = with_mass()
    assert burden(grown)[1].value > 1.5 * burden(alone)[1].value
    assert skeleton_share(grown)[0].value == pytest.approx(skeleton_share(alone)[0].value)


def beside_the_shaft() -> Mask:
    """A ball of 30 mm beside a shaft of 14 mm: it takes 4 mm of the bone over a length of 30 mm."""
    place = LEG.to_position(np.moveaxis(np.indices(LEG.shape), 0, -1))
    return np.asarray(np.linalg.norm(place - (40, 0, 120), axis=-1) <= 30)


def in_shaft(lesion: Mask, site: str = "humerus_right") -> tuple[Case, Finding]:
    case = measured(one(LEG, site, shaft(LEG)[0], lesion)[0])
    return case, case.findings[0]


def test_a_mass_beside_a_shaft_counts_where_it_meets_the_cortex() -> None:
    got = values(in_shaft(CORE | beside_the_shaft())[1].measures)
    assert got["axial_cortical_involvement"] == pytest.approx(30, abs=4)
    assert got["circumferential_involvement"] < 0.3
    assert got["diameter_share"] < 2 / 3


def test_a_mass_beside_a_shaft_does_not_raise_mirels() -> None:
    alone, grown = (mirels(in_shaft(lesion)[0], "humerus_right") for lesion in (CORE, CORE | beside_the_shaft()))
    assert grown[0].value == alone[0].value


def test_a_mass_has_no_contact_with_cortex() -> None:
    alone, grown = (
        cortical_contact(*in_shaft(lesion))[0] for lesion in (CORE, CORE | block(LEG, (0, 30), (8, 11), (8, 11)))
    )
    assert grown.value == pytest.approx(alone.value)


def test_a_mass_beside_the_femur_does_not_become_its_head() -> None:
    grid = Grid.axial((130, 30, 45), (3.0, 3.0, 2.0), (0, -45, 0))
    z, y, x = np.moveaxis(grid.to_position(np.moveaxis(np.indices(grid.shape), 0, -1)), -1, 0)[::-1]
    head = (z - 350) ** 2 + y**2 + (x - 62) ** 2 <= 24**2
    neck = (abs(x - 40) <= 22) & (abs(y) <= 12) & (abs(z - 330) <= 14)
    bone = np.asarray(head | neck | ((np.hypot(x - 20, y) <= 14) & (z > 12) & (z < 345)))
    spot = np.asarray((z - 225) ** 2 + y**2 + (x - 20) ** 2 <= 7**2)
    mass = np.asarray((z - 300) ** 2 + y**2 + (x - 60) ** 2 <= 28**2) & ~bone
    alone, grown = (values(femoral_place(*one(grid, "femur_right", bone, m))) for m in (spot, spot | mass))
    inside = np.count_nonzero(spot) / np.count_nonzero(spot | mass)
    assert grown == pytest.approx({name: share * inside for name, share in alone.items()}, abs=0.01)


def test_a_hole_at_the_surface_is_still_bone_and_a_mass_on_it_is_not() -> None:
    whole = vertebra(36, 60)
    hole, mass = block(SPINE, (44, 52), (5, 9), (28, 36)), block(SPINE, (40, 56), (0, 5), (24, 40))
    got = with_eaten(whole & ~hole, hole | mass, SPINE.spacing)
    assert not (got & mass).any()
    assert np.count_nonzero(got & hole) > 0.7 * np.count_nonzero(hole)


def test_a_hole_in_the_last_slice_of_the_scan_is_still_bone() -> None:
    bone = block(SPINE, (0, 20), (10, 60), (10, 50))
    hole = block(SPINE, (0, 3), (30, 38), (25, 33))
    assert (with_eaten(bone & ~hole, hole, SPINE.spacing) == bone).all()


def test_a_lesion_within_its_bone_leaves_the_bone_as_it_is() -> None:
    bone = vertebra(36, 60)
    assert with_eaten(bone, INSIDE, SPINE.spacing) is bone


def test_the_share_of_the_skeleton_is_left_out_where_no_bone_was_mapped() -> None:
    bare = case_of(SPINE, {}, [("vertebra_L2", INSIDE)])
    assert skeleton_share(bare) == ()
    assert burden(replace(bare, findings=())) == ()
