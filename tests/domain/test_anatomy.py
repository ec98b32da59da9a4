from __future__ import annotations

import pytest

from osteoscope.domain import anatomy
from osteoscope.errors import InvalidValueError


def test_both_scores_cover_the_units_once() -> None:
    skeletal = [u for u in anatomy.PLANAR_UNITS if u != "soft_tissue"]
    for sacrum in ("spine", "pelvis"):
        units = [u for members in anatomy.siopen_members(sacrum).values() for u in members]
        assert sorted(units) == sorted(skeletal)
    assert sorted(u for members in anatomy.CURIE.values() for u in members) == sorted(anatomy.PLANAR_UNITS)
    assert (len(anatomy.SIOPEN), len(anatomy.CURIE)) == (12, 10)


def test_the_sacrum_moves_on_request() -> None:
    assert "sacrum" in anatomy.siopen_members()["spine"]
    assert "sacrum" in anatomy.siopen_members("pelvis")["pelvis"]
    assert "sacrum" not in anatomy.siopen_members("pelvis")["spine"]


def test_every_unit_and_segment_is_a_site_with_a_code() -> None:
    for site_id in (*anatomy.PLANAR_UNITS, *anatomy.SIOPEN, *anatomy.CURIE, *anatomy.BONE_TO_UNIT):
        assert anatomy.site(site_id).code.isdigit()
    assert set(anatomy.BONE_TO_UNIT.values()) == set(anatomy.PLANAR_UNITS) - {"soft_tissue"}
    assert set(anatomy.BONE_TO_UNIT) == set(anatomy.BONES)


def test_sides_are_told_by_id_and_by_field() -> None:
    for site in anatomy.SITES.values():
        assert site.side == next((s for s in anatomy.SIDES if s in site.id.split("_")), None)


def test_unknown_levels_are_sites_too() -> None:
    rib = anatomy.site("rib_left_unknown_2")
    assert (rib.side, rib.level_known, rib.code) == ("left", False, anatomy.site("rib_left_2").code)


@pytest.mark.parametrize("site_id", ["vertebra_L7", "vertebra_unknown_0", "rib_unknown", "femur", ""])
def test_other_ids_are_refused(site_id: str) -> None:
    with pytest.raises(InvalidValueError, match="look up a site"):
        anatomy.site(site_id)
