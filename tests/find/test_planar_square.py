"""Pixels that are not square: counts are kept, regions come back to their own pixels, levels stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteoscope.domain.finding import Part, Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import Reading
from osteoscope.domain.study import Patient, Study
from osteoscope.find.planar_caveats import caveats
from osteoscope.find.planar_square import is_square, moved, squared
from osteoscope.reading.plan_table import plan_for
from osteoscope.reading.read import Outcome, read
from osteoscope.simulate.planar import Camera, ChildRecipe, Diffuse, Foci, simulate_planar
from osteoscope.stats.detection import dice

FOCUS, WHOLE = "proximal_upper_limb_left", "proximal_lower_limb_right"
sides = st.sampled_from((1.2, 1.8, 2.4, 3.0, 4.8))


def one_view(values: np.ndarray, spacing: tuple[float, float]) -> Study:
    image = Image(Grid.planar(values.shape, spacing, "anterior"), values, "counts")
    return Study("1.2", "nm-planar", "", Patient("child"), {"anterior": image})


@settings(max_examples=40)
@given(sides, sides, st.integers(5, 60), st.integers(5, 60), st.integers(0, 99))
def test_counts_are_kept_on_square_pixels_of_the_larger_side(
    down: float, right: float, rows: int, columns: int, seed: int
) -> None:
    values = np.random.default_rng(seed).poisson(20, (rows, columns))
    square = squared(one_view(values, (down, right)))
    image = square.images["anterior"]
    assert is_square(square)
    assert image.grid.spacing == pytest.approx((max(down, right),) * 2)
    assert image.values.sum() == pytest.approx(values.sum(), rel=1e-5)
    assert squared(square) is square


@settings(max_examples=40)
@given(sides, sides, st.integers(4, 50), st.integers(4, 30))
def test_a_region_of_square_pixels_lies_where_it_lay(down: float, right: float, row: int, column: int) -> None:
    study = one_view(np.ones((120, 80), dtype=np.int32), (down, right))
    square = squared(study)
    shape = square.images["anterior"].grid.shape
    mask = np.zeros(shape, dtype=bool)
    mask[min(row, shape[0] - 3) :, min(column, shape[1] - 3) :][:3, :3] = True
    there = moved(Region((Part.from_mask("anterior", mask),)), square, study).parts[0]
    apart = (there.centroid() + 0.5) * (down, right) - (np.argwhere(mask).mean(axis=0) + 0.5) * max(down, right)
    assert np.abs(apart).max() <= max(down, right)


def test_a_square_study_is_left_as_it_is() -> None:
    study = one_view(np.ones((30, 20), dtype=np.int32), (2.4, 2.41))
    assert squared(study) is study


@pytest.fixture(scope="module")
def child() -> Study:
    lesions = (Foci(FOCUS, 1, 18, 50), Diffuse(WHOLE, 1.0, contrast=30))
    return simulate_planar(ChildRecipe(age_years=4, lesions=lesions, camera=Camera(anterior_counts=6e5)), 31).study


def stretched(image: Image, way: str) -> Image:
    """A scan whose pixels are twice as high, or as wide, or half as high with rows repeated."""
    values, (down, right) = image.values, image.grid.spacing
    rows, columns = values.shape
    if way == "high":
        values, down = values.reshape(rows // 2, 2, columns).sum(axis=1), 2 * down
    elif way == "wide":
        values, right = values.reshape(rows, columns // 2, 2).sum(axis=2), 2 * right
    else:
        values, down = values.repeat(2, axis=0), down / 2
    return Image(Grid.planar(values.shape, (down, right), image.grid.frame), values, "counts")


def levels(reading: Reading) -> dict[str, float]:
    return {s.site: m.value for s in reading.sites if (m := s.measure("siopen")) is not None}


def in_place(outcome: Outcome, study: Study) -> None:
    for region in (*(f.region for f in outcome.reading.findings), *(m.region for m in outcome.case.mapped)):
        for part in region.parts if region else ():
            ends = [s.stop for s in part.box]
            assert all(end <= n for end, n in zip(ends, study.images[part.image].grid.shape, strict=True))


@pytest.mark.parametrize("way", ["high", "wide", "repeated"])
def test_a_child_of_pixels_that_are_not_square_has_its_levels(child: Study, way: str) -> None:
    study = replace(child, images={name: stretched(image, way) for name, image in child.images.items()})
    usual, other = read(child), read(study)
    in_place(other, study)
    a, b = levels(usual.reading), levels(other.reading)
    assert a[FOCUS] == b[FOCUS] == 1
    assert b[WHOLE] >= 5
    assert sum(b.values()) == pytest.approx(sum(a.values()), abs=2)
    assert any("are not square" in gap.reason or "read on square ones" in gap.reason for gap in caveats(study))
    for unit in ("pelvis", WHOLE):
        own = next(site.region for site in other.case.mapped if site.site == unit)
        there = next(site.region for site in usual.case.mapped if site.site == unit)
        assert own is not None
        assert there is not None
        assert dice(moved(own, study, squared(study)), moved(there, child, _like(child, squared(study)))) > 0.8


def _like(study: Study, square: Study) -> Study:
    """The study's own field on the pixels of another, as a place to compare regions in."""
    return replace(study, images={name: square.images[name] for name in study.images})


@pytest.mark.parametrize("way", ["high", "wide"])
def test_the_baseline_reads_pixels_that_are_not_square(child: Study, way: str) -> None:
    study = replace(child, images={name: stretched(image, way) for name, image in child.images.items()})
    usual, other = (read(s, plan_for(s, baseline=True)) for s in (child, study))
    in_place(other, study)
    a, b = levels(usual.reading), levels(other.reading)
    assert a.keys() == b.keys()
    assert sum(abs(a[segment] - b[segment]) for segment in a) <= 10
