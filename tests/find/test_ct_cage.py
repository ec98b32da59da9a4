"""Ribs numbered by their place in the cage."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteoscope.domain.anatomy import VERTEBRAE
from osteoscope.find.ct_bone_count import Count
from osteoscope.find.ct_bone_maps import LABEL_OF
from osteoscope.find.ct_bone_naming import Naming
from osteoscope.find.ct_cage import Cage
from osteoscope.find.ct_levels import Level
from osteoscope.find.ct_rib_order import RIBS, SPREAD, TYPICAL, Beside, Floats, Reads, RibOrder, Voxels
from osteoscope.train.ct_rib_order import order_of

STEP, BACK, ASIDE = 16, 100, 150  # voxels per level; where the spine lies
LEVELS = list(range(VERTEBRAE.index("vertebra_L2"), VERTEBRAE.index("vertebra_C7") - 1, -1))
CENTRES = np.array([[40.0 + STEP * n, BACK, ASIDE] for n in range(len(LEVELS))])
BESIDE = Beside.of(CENTRES, LEVELS)
NAMED = Count(tuple(Level(VERTEBRAE[level], 0.8) for level in LEVELS))
SHAPE = (400, 220, 300)


def rib(number: int, side: int, coefficients: Floats | tuple[float, ...] = TYPICAL) -> Voxels:
    """Voxels along a rib: where the order passes its number, beside the spine and round to the front."""
    heights = np.arange(SHAPE[0])
    found = []
    for turn in np.linspace(0.15, 1.3, 60):
        back, aside = BACK + int(20 - 60 * (1 - np.cos(turn))), ASIDE + side * int(80 * np.sin(turn))
        places = np.stack([heights, np.full_like(heights, back), np.full_like(heights, aside)], axis=1)
        off = np.abs(BESIDE.terms(places) @ np.array(coefficients) - number)
        found.append(places[off.argmin()] if off.min() < 0.1 else None)
    return np.array([place for place in found if place is not None], dtype=np.intp).reshape(-1, 3)


def test_ribs_of_a_typical_cage_are_known_without_any_that_was_followed() -> None:
    order = RibOrder.of(BESIDE, [])
    for number, side in ((3, 1), (6, -1), (9, 1), (11, -1)):
        assert (order.numbers(rib(number, side)) == number).all()


@settings(max_examples=20)
@given(st.integers(0, 99))
def test_followed_ribs_tell_the_numbers_of_the_others(seed: int) -> None:
    """Whatever the cage, within its usual spread."""
    own = np.random.default_rng(seed).normal(TYPICAL, np.array(SPREAD) / 2)
    order = RibOrder.of(BESIDE, [(n, rib(n, side, own)) for n in (2, 4, 8, 10) for side in (1, -1)])
    right = [order.numbers(rib(n, side, own)) == n for n in (3, 5, 6, 7, 9) for side in (1, -1)]
    assert np.concatenate(right).mean() > 0.9


@settings(max_examples=20)
@given(st.integers(0, 99))
def test_what_a_network_reads_tells_the_numbers_where_hardly_a_rib_was_followed(seed: int) -> None:
    """A field that cuts all but the lowest rib off from the spine."""
    rng = np.random.default_rng(seed)
    own = rng.normal(TYPICAL, np.array(SPREAD) / 2)
    seen = [(rib(n, side, own), n + rng.normal(0, 0.2)) for n in range(7, 13) for side in (1, -1)]
    voxels = np.concatenate([places for places, _ in seen])
    reads = Reads(voxels, np.concatenate([np.full(len(places), number) for places, number in seen]))
    order = RibOrder.of(BESIDE, [(12, rib(12, 1, own))], reads)
    right = [order.numbers(rib(n, side, own)) == n for n in range(8, 12) for side in (1, -1)]
    assert np.concatenate(right).mean() > 0.9


def test_one_wrong_and_one_fused_rib_do_not_lead_astray() -> None:
    followed = [(n, rib(n, 1)) for n in (3, 4, 5, 7, 8, 9)]
    fused = np.concatenate([rib(6, 1), rib(7, 1)])
    order = RibOrder.of(BESIDE, [*followed, (6, rib(7, -1)), (6, fused)])
    assert all((order.numbers(rib(n, 1)) == n).mean() > 0.95 for n in range(3, 10))


def test_what_hangs_together_is_parted_and_each_part_named() -> None:
    cage = Cage.of(CENTRES, NAMED, [(n, rib(n, side)) for n in (4, 8, 10) for side in (1, -1)])
    assert cage is not None
    naming = Naming(SHAPE)
    cage.name(naming, np.concatenate([rib(6, 1), rib(7, 1)]), "left")
    cage.name(naming, rib(9, -1), "right")
    assert {name.site for name in naming.names} == {"rib_left_6", "rib_left_7", "rib_right_9"}
    assert [name.confidence for name in naming.names] == [pytest.approx(0.72)] * 3
    for number in (6, 7):
        site = naming.voxels[tuple(rib(number, 1).T)]
        assert np.mean([naming.names[n - 1].site == f"rib_left_{number}" for n in site]) > 0.9


def test_numbers_are_less_sure_without_followed_ribs_and_none_beyond_the_cage() -> None:
    cage = Cage.of(CENTRES, NAMED, [])
    assert cage is not None
    naming = Naming(SHAPE)
    cage.name(naming, rib(5, 1), "left")
    cage.name(naming, np.array([[5, BACK, ASIDE + 60]] * 9), "left")
    assert [name.site for name in naming.names] == ["rib_left_5", "rib_left_unknown_1"]
    assert [name.confidence for name in naming.names] == [pytest.approx(0.48), pytest.approx(0.3)]


def test_without_levels_there_is_no_cage() -> None:
    unknown = Count((Level(None, 0.2), Level(None, 0.2), Level("vertebra_L1", 0.8)))
    assert Cage.of(CENTRES[:3], unknown, []) is None


def test_a_label_map_tells_its_own_order() -> None:
    labels = np.zeros(SHAPE, dtype=np.uint8)
    for (z, y, x), level in zip(CENTRES.astype(int), LEVELS, strict=True):
        labels[z - 5 : z + 5, y - 8 : y + 8, x - 8 : x + 8] = LABEL_OF[VERTEBRAE[level]]
    for side, way in (("left", 1), ("right", -1)):
        for number in range(3, 11):
            labels[tuple(rib(number, way).T)] = LABEL_OF[f"rib_{side}_{number}"]
    found = order_of(labels)
    assert found is not None
    assert np.mean([(RibOrder(BESIDE, found).numbers(rib(n, 1)) == n).mean() for n in range(3, 11)]) > 0.95
    assert order_of(np.where(labels > LABEL_OF["rib_left_3"], 0, labels)) is None


def test_ribs_follow_one_another_downwards() -> None:
    heights = [rib(number, 1)[:, 0].mean() for number in RIBS if len(rib(number, 1)) > 40]
    assert len(heights) > 8
    assert all(lower < upper for upper, lower in pairwise(heights))
