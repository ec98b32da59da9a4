"""Lesions in a body: how many, how much, where."""

from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteoscope.domain.anatomy import PLANAR_UNITS, SIOPEN
from osteoscope.errors import InvalidValueError
from osteoscope.simulate.body import Body, Child, build_child
from osteoscope.simulate.growth import grow
from osteoscope.simulate.lesions import Diffuse, Foci, Lesion, Mass, Pattern, Placed, place_lesions
from osteoscope.simulate.posture import Pose


@cache
def body() -> Body:
    return build_child(Child(grow(4, "F"), 4, Pose(), 0.3), np.random.default_rng(0))


def placed(*lesions: Lesion, seed: int = 0) -> tuple[Placed, ...]:
    return place_lesions(body(), lesions, np.random.default_rng(seed))


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(SIOPEN)), st.integers(1, 3), st.floats(8, 18), st.integers(0, 99))
def test_every_focus_is_there_apart_and_in_its_segment(site: str, count: int, diameter: float, seed: int) -> None:
    foci = placed(Foci(site, count, diameter), seed=seed)
    assert len(foci) == count
    assert all(f.kind == "focal" and f.unit in SIOPEN[site] for f in foci)
    for focus in foci:
        at = body().positions(focus.voxels)
        assert np.ptp(at, axis=0).max() <= diameter + 1e-6
        unit = body().unit(focus.voxels)
        assert (unit == PLANAR_UNITS.index(focus.unit)).any()
    for one, two in combinations(foci, 2):
        assert not np.intersect1d(one.voxels, two.voxels).size


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(sorted(SIOPEN)), st.floats(0.01, 1.0), st.sampled_from(["patch", "patchy", "metaphyseal"]),
    st.integers(0, 99),
)  # fmt: skip
def test_diffuse_disease_fills_its_share(site: str, fraction: float, pattern: Pattern, seed: int) -> None:
    parts = placed(Diffuse(site, fraction, pattern), seed=seed)
    bone = body().bone(SIOPEN[site])
    filled = np.concatenate([part.voxels for part in parts])
    assert np.unique(filled).size == filled.size
    assert np.isin(filled, bone).all()
    assert filled.size == pytest.approx(fraction * bone.size, abs=1)


def test_metaphyseal_disease_begins_at_the_ends() -> None:
    (part,) = placed(Diffuse("proximal_lower_limb_left", 0.3, "metaphyseal"))
    bone = body().positions(body().bone(("proximal_lower_limb_left",)))[:, 2]
    middle = np.percentile(bone, [40, 60])
    height = body().positions(part.voxels)[:, 2]
    assert not ((height > middle[0]) & (height < middle[1])).any()
    assert (height > middle[1]).any()
    assert (height < middle[0]).any()


def test_masses_are_never_bone() -> None:
    masses = placed(Mass("adrenal_left", 60), Mass("mediastinum", 40), Mass("pelvis", 50))
    assert [m.unit for m in masses] == ["soft_tissue"] * 3
    for mass in masses:
        assert (body().unit(mass.voxels) < 0).all()
        assert (body().labels.ravel()[mass.voxels] > 0).all()
    left, right = (placed(Mass(f"adrenal_{side}", 30))[0] for side in ("left", "right"))  # type: ignore[arg-type]
    assert body().positions(left.voxels)[:, 0].mean() > body().positions(right.voxels)[:, 0].mean() + 30


def test_foci_keep_clear_of_diffuse_disease() -> None:
    *patches, focus = placed(Foci("spine", 1, 10), Diffuse("spine", 0.3))
    assert focus.kind == "focal"
    bone = focus.voxels[body().unit(focus.voxels) >= 0]
    assert not np.isin(bone, np.concatenate([p.voxels for p in patches])).any()


def test_more_foci_than_a_site_can_hold_are_left_out() -> None:
    foci = placed(Foci("distal_upper_limb_left", 200, 20))
    assert 3 < len(foci) < 60


def test_no_room_means_no_focus() -> None:
    assert all(p.kind == "diffuse" for p in placed(Diffuse("skull", 1.0), Foci("skull", 2)))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Foci("liver"),
        lambda: Foci("soft_tissue"),
        lambda: Foci("spine", 0),
        lambda: Diffuse("spine", 0.0),
        lambda: Diffuse("spine", 1.2),
        lambda: Diffuse("chest", 0.5),
    ],
)
def test_impossible_lesions_are_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(InvalidValueError):
        make()
