"""The line along the canal."""

from __future__ import annotations

import numpy as np
import pytest

from osteoscope.find.ct_spine import STEP_MM, SpineLine


def test_a_place_below_the_line_lies_where_the_line_would_go_on() -> None:
    heights = np.arange(100, 160, STEP_MM)
    up = np.tile([0.8, 0.6, 0.0], (len(heights), 1))
    line = SpineLine(heights[:, None] / 0.8 * up, up, up, up, np.full(len(heights), 8.0), np.full(len(heights), 38.0))
    count = 21
    assert line.place(-count) == pytest.approx(line.extended(count * STEP_MM).points[0])
    assert line.place(5) == pytest.approx(line.points[5])
