"""Ribs that pass the same slices get different numbers."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osteoscope.find.ct_rib_order import Floats, RibOrder, Voxels, numbered_apart


class _Told:
    """An order that says of a voxel what its second coordinate is, in hundredths."""

    def places(self, voxels: Voxels) -> Floats:
        return voxels[:, 1] / 100


ORDER = cast(RibOrder, _Told())


def rib(place: float, slices: tuple[int, int] = (0, 40), spread: float = 0.2, size: int = 400) -> Voxels:
    """A piece over those slices, over so much of the order."""
    z, at = np.linspace(*slices, size), 100 * np.linspace(place - spread / 2, place + spread / 2, size)
    return np.stack([z, at, np.zeros(size)], axis=1).round().astype(np.intp)


def test_an_order_that_is_half_a_rib_off_is_set_right_by_a_known_rib() -> None:
    ribs = [rib(place) for place in (12.01, 11.72, 10.77, 10.09, 9.57, 8.71)]
    assert numbered_apart(ORDER, ribs, {0: 12}) == dict(enumerate(range(12, 6, -1)))


def test_fragments_one_below_the_other_may_be_of_one_rib() -> None:
    assert numbered_apart(ORDER, [rib(7.1), rib(7.2, (35, 80))], {}) == {0: 7, 1: 7}
    assert numbered_apart(ORDER, [rib(7.1), rib(7.4, (20, 80))], {}) == {0: 7, 1: 8}


def test_small_pieces_and_ribs_grown_together_are_not_asked() -> None:
    assert numbered_apart(ORDER, [rib(7.0), rib(7.0, size=100), rib(8.0, spread=2.0)], {}) == {0: 7}


def test_more_ribs_than_there_are_have_no_numbers() -> None:
    assert numbered_apart(ORDER, [rib(6.0 + n / 10) for n in range(13)], {}) == {}
    assert numbered_apart(ORDER, [], {}) == {}


@given(st.lists(st.floats(0.6, 12.4), min_size=1, max_size=12))
def test_numbers_follow_the_order_and_no_two_are_alike(places: list[float]) -> None:
    said = numbered_apart(ORDER, [rib(place) for place in places], {})
    numbers = [said[n] for n in sorted(said, key=lambda n: places[n])]
    assert len(set(numbers)) == len(places)
    assert set(numbers) <= set(range(1, 13))
    where = [places[n] for n in sorted(said, key=said.__getitem__)]
    assert where == pytest.approx(sorted(places), abs=0.02)
