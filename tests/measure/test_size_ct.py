"""Golden sizes of balls, bars and single voxels, on grids of every spacing and direction."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from osteoscope.domain.finding import Finding, Measure, Part, Point, Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import Case
from osteoscope.domain.study import Patient, Study
from osteoscope.errors import UnsuitableStudyError
from osteoscope.measure.size import size


def case_of(grid: Grid) -> Case:
    image = Image(grid, np.zeros(grid.shape, dtype=np.int16), "HU")
    return Case(Study("1.2", "ct", "", Patient("p"), {"ct": image}), ())


def finding_of(mask: NDArray[np.bool_], grid: Grid, image: str = "ct") -> Finding:
    part = Part.from_mask(image, mask)
    return Finding("f", "vertebra_L3", "lytic", 0.5, Region((part,)), Point.centre_of(part, grid))


def measured(mask: NDArray[np.bool_], grid: Grid) -> dict[str, Measure]:
    return {m.name: m for m in size(case_of(grid), finding_of(mask, grid))}


def ball(grid: Grid, radius: float) -> NDArray[np.bool_]:
    index = np.moveaxis(np.indices(grid.shape), 0, -1)
    centre = grid.to_position((np.array(grid.shape) - 1) / 2)
    return np.asarray(np.linalg.norm(grid.to_position(index) - centre, axis=-1) <= radius)


def turned(grid: Grid, degrees: float) -> Grid:
    """The same grid turned about x and flipped along its slices."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.eye(4)
    turn[1:3, 1:3] = [[c, -s], [s, c]]
    flip = np.diag([-1.0, 1, 1, 1])
    return Grid.from_matrix(grid.shape, turn @ grid.matrix @ flip)


@pytest.mark.parametrize("spacing", [(0.7, 0.7, 0.7), (3.0, 0.8, 0.8), (5.0, 0.9, 1.1)])
@pytest.mark.parametrize("degrees", [0.0, 33.0])
def test_a_ball_has_its_volume_and_diameters(spacing: tuple[float, float, float], degrees: float) -> None:
    radius = 12.0
    shape = [int(2 * radius / s) + 6 for s in spacing]
    grid = turned(Grid.axial(shape, spacing), degrees)
    got = measured(ball(grid, radius), grid)
    assert got["volume"].value == pytest.approx(4 / 3 * np.pi * radius**3 / 1000, rel=0.04)
    assert got["long_axis"].value == pytest.approx(2 * radius, abs=1.2 * max(spacing[1:]))
    assert got["short_axis"].value == pytest.approx(2 * radius, abs=1.2 * max(spacing[1:]))
    assert got["max_diameter"].value == pytest.approx(2 * radius, abs=max(spacing))
    for name in ("volume", "long_axis", "max_diameter"):
        low, high = got[name].interval or (0.0, 0.0)
        assert low < got[name].value < high


def test_a_bar_has_its_axes_on_the_slice_that_shows_it_longest() -> None:
    grid = Grid.axial((5, 40, 40), (4.0, 1.0, 1.0))
    mask = np.zeros(grid.shape, dtype=bool)
    mask[1, 10:13, 5:9] = True
    mask[3, 20:24, 5:35] = True
    got = measured(mask, grid)
    assert got["long_axis"].value == pytest.approx(np.hypot(29, 3) + 1, abs=0.01)
    assert got["short_axis"].value == pytest.approx(4, abs=0.6)
    assert got["max_diameter"].value > got["long_axis"].value


@pytest.mark.parametrize(
    ("axes", "stored"), [((2, 0, 1), "sagittal"), ((1, 0, 2), "coronal"), ((2, 1, 0), "sagittal"), ((0, 2, 1), "")]
)
def test_axes_are_axial_however_the_volume_is_stored(axes: tuple[int, ...], stored: str) -> None:
    grid = Grid.axial((30, 40, 50), (2.0, 1.0, 1.0))
    mask = np.zeros(grid.shape, dtype=bool)
    mask[5:25, 18:22, 20:30] = True
    other = Grid.from_matrix([grid.shape[a] for a in axes], grid.matrix[:, [*axes, 3]])
    plain, got = measured(mask, grid), measured(mask.transpose(axes), other)
    assert {n: m.value for n, m in got.items()} == pytest.approx({n: m.value for n, m in plain.items()})
    assert got["long_axis"].value == pytest.approx(np.hypot(9, 3) + 1, abs=0.01)
    assert "one slice as acquired" in plain["long_axis"].method
    assert ("slice as acquired" in got["short_axis"].method) == (not stored)
    assert stored in got["long_axis"].method


def test_the_volume_interval_is_half_of_one_voxel_shell() -> None:
    grid = Grid.axial((12, 12, 12), (2.0, 1.0, 1.0))
    mask = np.zeros(grid.shape, dtype=bool)
    mask[3:8, 3:8, 3:8] = True
    volume = measured(mask, grid)["volume"]
    assert volume.value == pytest.approx(0.250)
    assert volume.interval == pytest.approx(((125 + 27) / 2 * 0.002, (125 + 125 + 6 * 25) / 2 * 0.002))


def test_one_voxel_has_its_own_size() -> None:
    grid = Grid.axial((3, 3, 3), (2.0, 1.0, 1.0))
    mask = np.zeros(grid.shape, dtype=bool)
    mask[1, 1, 1] = True
    got = measured(mask, grid)
    assert got["volume"].value == pytest.approx(0.002)
    assert got["volume"].interval is not None
    assert got["volume"].interval[0] == pytest.approx(0.001)
    assert (got["long_axis"].value, got["short_axis"].value) == pytest.approx((1.0, 1.0))


@given(seed=st.integers(0, 10_000), edges=st.tuples(st.integers(1, 6), st.integers(1, 9), st.integers(1, 9)))
@settings(max_examples=40)
def test_axes_are_ordered_and_units_stay(seed: int, edges: tuple[int, int, int]) -> None:
    grid = turned(Grid.axial([e + 2 for e in edges], (2.5, 0.9, 0.7)), 20.0)
    mask = np.zeros(grid.shape, dtype=bool)
    inner = np.random.default_rng(seed).random(edges) > 0.4
    inner[0, 0, 0] = True
    mask[1:-1, 1:-1, 1:-1] = inner
    got = measured(mask, grid)
    assert {m.unit for m in got.values()} == {"mL", "mm"}
    assert got["short_axis"].value <= got["long_axis"].value + 0.9
    assert got["max_diameter"].value >= got["long_axis"].value - 1e-6
    assert got["volume"].value == pytest.approx(np.count_nonzero(mask) * grid.cell / 1000)


def test_a_finding_off_the_ct_is_refused_with_its_id() -> None:
    grid = Grid.axial((4, 4, 4), (1, 1, 1))
    finding = finding_of(np.ones(grid.shape, dtype=bool), grid, image="anterior")
    with pytest.raises(UnsuitableStudyError, match="finding f"):
        size(case_of(grid), finding)
