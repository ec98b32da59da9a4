"""Bones of another make: what changes, where, and what must not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from osteoscope.errors import InvalidValueError
from osteoscope.simulate.ct import CtPatient, CtRecipe, CtSimulation, Scanner, simulate_ct
from osteoscope.simulate.ct_make import BoneMake, random_make

L3, RIB = "vertebra_L3", "rib_left_12"


def lumbar(make: BoneMake) -> CtSimulation:
    return simulate_ct(CtRecipe(CtPatient(make=make), "lumbar", (2.5, 1.5, 1.5), Scanner(noise_hu=2)), 5)


@pytest.fixture(scope="module")
def plain() -> CtSimulation:
    return lumbar(BoneMake())


def hu_of(made: CtSimulation, site: str, inner: int = 0) -> np.ndarray:
    """HU of a bone without its outermost layers."""
    hu = made.study.images["ct"].values
    (region,) = (m.region for m in made.mapped if m.site == site and m.region is not None)
    mask = region.parts[0].full(hu.shape)
    return np.asarray(hu[ndimage.binary_erosion(mask, iterations=inner) if inner else mask])


def test_bones_keep_their_place_and_soft_tissue_its_hu(plain: CtSimulation) -> None:
    made = lumbar(random_make(np.random.default_rng(3)))
    whole = np.zeros(made.study.images["ct"].values.shape, dtype=bool)
    for before, after in zip(plain.mapped, made.mapped, strict=True):
        assert before.site == after.site
        assert before.region == after.region
        if after.region is not None:
            whole |= after.region.parts[0].full(whole.shape)
    far = ~ndimage.binary_dilation(whole, iterations=5)
    off = made.study.images["ct"].values[far].astype(float) - plain.study.images["ct"].values[far]
    assert np.abs(off).max() < 15


@pytest.mark.parametrize(("make", "inner"), [(BoneMake(cortex=2.5), 0), (BoneMake(cortex_hu=1.5), 0),
                                             (BoneMake(lining_hu=300, lining_mm=1.5), 1)])  # fmt: skip
def test_bone_is_denser_where_it_is_asked_for(plain: CtSimulation, make: BoneMake, inner: int) -> None:
    made = lumbar(make)
    assert np.mean(hu_of(made, L3, inner)) > np.mean(hu_of(plain, L3, inner)) + 30
    core = np.median(hu_of(made, L3, 3)) - np.median(hu_of(plain, L3, 3))
    assert abs(core) < 40  # marrow in the middle stays


def test_a_kind_of_bone_changes_alone(plain: CtSimulation) -> None:
    made = lumbar(BoneMake(kinds=(("vertebra", 1.0, 2.0),)))
    assert np.median(hu_of(made, L3, 3)) > 1.6 * np.median(hu_of(plain, L3, 3))
    assert np.mean(hu_of(made, RIB)) == pytest.approx(np.mean(hu_of(plain, RIB)), abs=10)


def test_makes_are_many_and_repeat_by_seed() -> None:
    made = [random_make(np.random.default_rng(seed)) for seed in range(40)]
    assert len(set(made)) == 40
    assert made[7] == random_make(np.random.default_rng(7))
    cortex = [make.cortex for make in made]
    assert min(cortex) < 0.75
    assert max(cortex) > 1.35
    assert {make.lining_hu > 0 for make in made} == {True, False}


@pytest.mark.parametrize(
    ("wrong", "found"),
    [({"cortex": 9}, "factor 9"), ({"kinds": (("tooth", 1.0, 1.0),)}, "tooth"), ({"lining_mm": 0}, "lining_mm 0")],
)
def test_makes_that_no_bone_has_are_refused(wrong: dict[str, float], found: str) -> None:
    with pytest.raises(InvalidValueError, match=found):
        BoneMake(**wrong)  # type: ignore[arg-type]
