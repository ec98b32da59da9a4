"""The row of discs on signals whose discs are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osteoscope.find.ct_discs import Floats, find_discs

DEPTH = 30.0  # mm, of the bodies
WEAK, STRONG = 1.2, 4.5  # in standard deviations


def signal(places: list[int], weak: int = -1, false: tuple[int, ...] = ()) -> Floats:
    """Bodies of -0.6 with a peak at each place, a low one where it is weak, and peaks that are no disc."""
    along = np.arange(places[-1] + 20)
    found = np.full(along.shape, -0.6)
    for place in places:
        found += (WEAK if place == weak else STRONG) * np.exp(-((along - place) ** 2) / (2 * 2.5**2))
    for place in false:
        found += 3.0 * np.exp(-((along - place) ** 2) / (2 * 1.5**2))
    return found


def found(course: Floats) -> list[int]:
    return [int(place) for place in find_discs(course, np.full(course.shape, DEPTH)).places]


def test_two_end_plates_beside_a_weak_disc_are_no_vertebra_of_their_own() -> None:
    places = [20, 52, 85, 117, 150, 182, 215, 247]
    assert found(signal(places, weak=150, false=(139, 161))) == places


@pytest.mark.parametrize("height", [24, 20, 16, 14])
def test_a_collapsed_vertebra_does_not_spoil_its_row(height: int) -> None:
    places = [20 + int(n) for n in np.cumsum([0, 32, 33, 32, height, 32, 33, 32])]
    assert found(signal(places)) == pytest.approx(places, abs=2)


@given(st.lists(st.integers(27, 36), min_size=4, max_size=9))
def test_clear_discs_at_any_usual_distances_are_all_found(heights: list[int]) -> None:
    places = [20 + int(n) for n in np.cumsum([0, *heights])]
    assert found(signal(places)) == pytest.approx(places, abs=2)
