"""A simulated study as a whole: determinism, totals, truth, truncation."""

from __future__ import annotations

import numpy as np
import pytest

from osteoscope.simulate.planar import Camera, ChildRecipe, Diffuse, Foci, Mass, simulate_planar

SMALL = Camera(rows=512, columns=128, pixel_mm=4.8)


def _level(recipe: ChildRecipe, site: str, seed: int = 1) -> float:
    reading = simulate_planar(recipe, seed).reading.site(site)
    assert reading is not None
    measure = reading.measure("siopen")
    assert measure is not None
    return measure.value


def test_same_recipe_and_seed_give_the_same_study() -> None:
    recipe = ChildRecipe(age_years=2, lesions=(Foci("spine", 2), Mass()), camera=SMALL)
    one, two, other = (simulate_planar(recipe, seed) for seed in (5, 5, 6))
    for view in ("anterior", "posterior"):
        assert np.array_equal(one.study.images[view].values, two.study.images[view].values)
        assert not np.array_equal(one.study.images[view].values, other.study.images[view].values)
    assert one.reading == two.reading


@pytest.mark.parametrize("count", [1, 2, 3])
def test_foci_count_is_the_level(count: int) -> None:
    recipe = ChildRecipe(lesions=(Foci("spine", count),), camera=SMALL)
    assert _level(recipe, "spine") == count


@pytest.mark.parametrize(("fraction", "level"), [(0.2, 4), (0.7, 5), (1.0, 6)])
def test_diffuse_share_is_the_level(fraction: float, level: int) -> None:
    recipe = ChildRecipe(lesions=(Diffuse("pelvis", fraction),), camera=SMALL)
    assert _level(recipe, "pelvis") == level
