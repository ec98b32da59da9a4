from __future__ import annotations

import numpy as np
import pytest

from osteoscope.domain.finding import Finding, Measure, Part, Point, Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import Case
from osteoscope.domain.study import Patient, Study
from osteoscope.measure.uptake import uptake

SHAPE = (40, 40)


def measured(ratio: float, background: float, spacing: tuple[float, float] | None = (2.0, 2.5)) -> dict[str, Measure]:
    grid = Grid.planar(SHAPE, spacing, "anterior")
    hot = Part("anterior", (15, 15), np.ones((6, 6), bool))
    expected = np.where(hot.full(SHAPE), ratio * background, background)
    counts = np.random.default_rng(1).poisson(expected).astype(np.int32)
    study = Study("1.2", "nm-planar", "", Patient("p"), {"anterior": Image(grid, counts, "counts")})
    finding = Finding("f1", "skull", "focal", 0.9, Region((hot,)), Point.centre_of(hot, grid))
    neighbour = Part("anterior", (15, 24), np.ones((6, 6), bool))
    other = Finding("f2", "skull", "focal", 0.9, Region((neighbour,)), Point.centre_of(neighbour, grid))
    return {m.name: m for m in uptake(Case(study, (), (finding, other)), finding)}


def test_area_and_ratio_of_a_known_square() -> None:
    found = measured(3.0, 200)
    assert found["area"].value == pytest.approx(36 * 5 / 100)
    assert found["area"].unit == "cm2"
    assert found["uptake_ratio"].value == pytest.approx(3.0, rel=0.03)


def test_the_interval_covers_the_truth_and_widens_with_fewer_counts() -> None:
    rich, poor = measured(3.0, 200)["uptake_ratio"], measured(3.0, 2)["uptake_ratio"]
    widths = []
    for found in (rich, poor):
        assert found.interval is not None
        assert found.interval[0] <= 3.0 <= found.interval[1]
        widths.append(np.log(found.interval[1] / found.interval[0]))
    assert widths[1] == pytest.approx(10 * widths[0], rel=0.2)


def test_pixels_of_unknown_size_and_an_empty_background() -> None:
    found = measured(3.0, 0, None)
    assert (found["area"].value, found["area"].unit) == (36, "{pixel}")
    assert "uptake_ratio" not in found
