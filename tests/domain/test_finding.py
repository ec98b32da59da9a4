from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from nouns import parts

from osteoscope.domain.finding import Measure, Part, Point, Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.errors import InvalidValueError


@given(npst.arrays(bool, st.tuples(*[st.integers(1, 8)] * 3)).filter(lambda m: bool(m.any())))
def test_a_part_is_tight_and_gives_its_mask_back(mask: np.ndarray) -> None:
    part = Part.from_mask("ct", mask)
    assert np.array_equal(part.full(mask.shape), mask)
    for axis in range(3):
        faces = np.moveaxis(part.mask, axis, 0)
        assert faces[0].any()
        assert faces[-1].any()


@given(parts(), parts())
def test_overlap_equals_that_of_whole_masks(a: Part, b: Part) -> None:
    shape = (40, 40, 40)
    assert a.overlap(b) == np.count_nonzero(a.full(shape) & b.full(shape)) == b.overlap(a)


def test_no_overlap_across_images() -> None:
    mask = np.ones((2, 2), bool)
    a, b = Part("anterior", (0, 0), mask), Part("posterior", (0, 0), mask)
    assert a.overlap(b) == 0
    assert Region((a, b)).size == 8
    assert Region((a, b)).overlap(Region((a,))) == 4


def test_centre_in_the_frame_of_the_image() -> None:
    volume = Point.centre_of(Part("ct", (2, 0, 0), np.ones((1, 1, 1), bool)), Grid.axial((4, 4, 4), (5, 1, 1)))
    assert (volume.frame, volume.unit, volume.position) == ("LPS", "mm", (0.0, 0.0, 10.0))
    view = Point.centre_of(Part("anterior", (3, 1), np.ones((1, 3), bool)), Grid.planar((9, 9), (2, 2), "anterior"))
    assert (view.frame, view.unit, view.position) == ("anterior", "pixel", (3.0, 2.0))


def test_masks_and_values_are_closed_for_writing() -> None:
    part = Part("ct", (0, 0, 0), np.ones((1, 1, 1), bool))
    image = Image(Grid.axial((1, 1, 1), (1, 1, 1)), np.zeros((1, 1, 1), np.int16), "HU")
    for array in (part.mask, image.values):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0, 0] = 1


@pytest.mark.parametrize(
    ("value", "unit", "interval"),
    [(math.nan, "mm", None), (1.0, "", None), (1.0, "mm", (2.0, 3.0)), (1.0, "mm", (0.0, math.inf))],
)
def test_a_measure_ends_valid_or_raises(value: float, unit: str, interval: tuple[float, float] | None) -> None:
    with pytest.raises(InvalidValueError, match="build measure 'volume'"):
        Measure("volume", value, unit, "count", interval)


def test_an_empty_region_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="empty mask"):
        Part.from_mask("ct", np.zeros((2, 2, 2), bool))
    with pytest.raises(InvalidValueError, match="Region"):
        Region(())


def test_an_image_needs_finite_values_of_its_grid() -> None:
    grid = Grid.planar((2, 2), None, "anterior")
    with pytest.raises(InvalidValueError, match="shape"):
        Image(grid, np.zeros((2, 3)), "counts")
    with pytest.raises(InvalidValueError, match="finite"):
        Image(grid, np.full((2, 2), np.nan), "counts")
