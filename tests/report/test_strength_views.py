"""Sides of the pictures of a strength test."""

from __future__ import annotations

import numpy as np
import pytest

from osteoscope.report.strength_views import _seen

FRONT, BACK, RIGHT, LEFT = (1, 0), (1, -1), (2, 0), (2, -1)


@pytest.mark.parametrize(
    ("axis", "side", "at_the_left", "at_the_right"),
    [(1, 0, RIGHT, LEFT), (1, 1, LEFT, RIGHT), (2, 0, BACK, FRONT), (2, 1, FRONT, BACK)],
    ids=["from the front", "from behind", "from the right", "from the left"],
)
def test_a_bone_is_seen_as_from_that_side(
    axis: int, side: int, at_the_left: tuple[int, int], at_the_right: tuple[int, int]
) -> None:
    solid = np.ones((6, 8, 10), dtype=bool)
    for (across, end), column in ((at_the_left, 0), (at_the_right, -1)):
        strain = np.zeros(solid.shape)
        np.moveaxis(strain, across, 0)[end] = 1.0
        red = _seen((solid, strain, np.zeros_like(solid)), axis, side)[3]
        redness = red[:, 0] - red[:, 1]
        assert int(np.argmax(redness)) % len(redness) == column % len(redness)
