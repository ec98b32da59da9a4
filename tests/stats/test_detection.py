from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nouns import parts

from osteoscope.domain.finding import Finding, Part, Point, Region
from osteoscope.stats.detection import dice, iou, match


def cube(start: int, size: int = 4) -> Finding:
    region = Region((Part("ct", (start, 0, 0), np.ones((size, 4, 4), bool)),))
    return Finding(f"f{start}", "sacrum", "lytic", 0.5, region, Point("LPS", "mm", (0.0, 0.0, 0.0)))


def test_overlaps_of_known_boxes() -> None:
    a, b = cube(0).region, cube(2).region
    assert iou(a, b) == pytest.approx(1 / 3)
    assert dice(a, b) == pytest.approx(1 / 2)


def test_a_surplus_finding_on_a_found_lesion_stays_surplus() -> None:
    result = match([cube(0), cube(20)], [cube(1), cube(3), cube(40)])
    assert [(r, c) for r, c, _ in result.pairs] == [(0, 0)]
    assert (result.missed, result.surplus, result.sensitivity) == ((1,), (1, 2), 0.5)


def test_the_threshold_is_strict() -> None:
    assert match([cube(0)], [cube(2)], 1 / 3).pairs == ()
    assert len(match([cube(0)], [cube(2)], 0.33).pairs) == 1


def test_nothing_to_find_has_no_sensitivity() -> None:
    result = match([], [cube(0)])
    assert math.isnan(result.sensitivity)
    assert result.surplus == (0,)


@given(st.lists(parts(), max_size=5), st.lists(parts(), max_size=5))
def test_every_finding_is_counted_once(left: list[Part], right: list[Part]) -> None:
    def findings(of: list[Part]) -> list[Finding]:
        centre = Point("LPS", "mm", (0.0, 0.0, 0.0))
        return [Finding(f"f{n}", "sacrum", "lytic", 0.5, Region((p,)), centre) for n, p in enumerate(of)]

    result = match(findings(left), findings(right))
    assert sorted([r for r, _, _ in result.pairs] + list(result.missed)) == list(range(len(left)))
    assert sorted([c for _, c, _ in result.pairs] + list(result.surplus)) == list(range(len(right)))
