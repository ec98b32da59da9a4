"""Lesions in a body: how many, how much, where."""

from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import label as label_image

from osteoscope.domain.anatomy import PLANAR_UNITS, SIOPEN
from osteoscope.errors import InvalidValueError
from osteoscope.simulate.body import Body, Child, build_child
from osteoscope.simulate.growth import grow
from osteoscope.simulate.lesion_shapes import diffuse_from_mm, length_mm
from osteoscope.simulate.lesions import (
    Confluent,
    Diffuse,
    Foci,
    Lesion,
    Mass,
    NodePlace,
    Nodes,
    Pattern,
    Placed,
    place_lesions,
)
from osteoscope.simulate.posture import Pose

PATTERNS: tuple[Pattern, ...] = (
    "patch", "patchy", "metaphyseal", "column", "iliac", "calvaria", "orbital", "beads",
)  # fmt: skip


@cache
def body() -> Body:
    return build_child(Child(grow(4, "F"), 4, Pose(), 0.3), np.random.default_rng(0))


def placed(*lesions: Lesion, seed: int = 0) -> tuple[Placed, ...]:
    return place_lesions(body(), lesions, np.random.default_rng(seed))


@settings(max_examples=25)
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


@settings(max_examples=25)
@given(
    st.sampled_from(sorted(SIOPEN)), st.floats(0.01, 1.0), st.sampled_from(PATTERNS),
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


def test_a_mass_lies_aside_and_has_lobes_where_asked() -> None:
    (usual,), (lower,) = placed(Mass("abdomen", 40)), placed(Mass("abdomen", 40, aside=(0.3, 0.0, 0.0)))
    assert body().positions(lower.voxels)[:, 2].mean() < body().positions(usual.voxels)[:, 2].mean() - 20
    (lobed,) = placed(Mass("abdomen", 40, lobed=True))
    assert 0.1 < lobed.voxels.size / usual.voxels.size < 0.9
    assert np.isin(lobed.voxels, usual.voxels).all()
    assert not placed(Mass("abdomen", 40, aside=(0.0, 9.0, 0.0)))


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
        lambda: Confluent("spine", 0.0),
        lambda: Nodes("mediastinum", 0),
        lambda: Foci("spine", heat_spread=-1),
    ],
)
def test_impossible_lesions_are_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(InvalidValueError):
        make()


@settings(max_examples=25)
@given(st.sampled_from(sorted(SIOPEN)), st.floats(6, 18), st.booleans(), st.integers(0, 99))
def test_confluent_foci_are_one_lesion_diffuse_only_when_long(site: str, size: float, long: bool, seed: int) -> None:
    found = placed(Confluent(site, size, 30.0, long), seed=seed)
    assert len(found) == 1
    (lesion,) = found
    assert lesion.unit in SIOPEN[site]
    limit = diffuse_from_mm(body(), lesion.unit)
    assert (lesion.kind == "diffuse") == (length_mm(body().positions(lesion.voxels)) > limit)
    if not long:
        assert lesion.kind == "focal"


def test_confluent_foci_hang_together() -> None:
    for seed in range(6):
        (lesion,) = placed(Confluent("proximal_lower_limb_left", 10.0, 30.0, long=True), seed=seed)
        held = np.zeros(body().labels.shape, dtype=bool)
        held.ravel()[lesion.voxels] = True
        assert label_image(held, structure=np.ones((3, 3, 3)))[1] == 1
        assert lesion.kind == "diffuse"


def test_foci_differ_in_heat_size_and_shape() -> None:
    foci = placed(Foci("pelvis", 4, 16.0, 20.0, 0.8, 0.3), Foci("spine", 4, 16.0, 20.0, 0.8, 0.3))
    assert max(f.contrast for f in foci) > 1.5 * min(f.contrast for f in foci)
    assert len({f.voxels.size for f in foci}) > 4


def test_metaphyseal_foci_lie_at_the_ends() -> None:
    bone = body().positions(body().bone(("proximal_lower_limb_left",)))[:, 2]
    for seed in range(8):
        (focus,) = placed(Foci("proximal_lower_limb_left", 1, 12.0, at="ends"), seed=seed)
        height = body().positions(focus.voxels)[:, 2].mean()
        assert min(height - bone.min(), bone.max() - height) < 0.25 * np.ptp(bone)


def middle(*lesions: Lesion) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(body().positions(np.concatenate([p.voxels for p in placed(*lesions)])).mean(axis=0))


def test_patterns_begin_where_they_say() -> None:
    skull = body().positions(body().bone(("skull",)))
    assert (
        middle(Diffuse("skull", 0.3, "calvaria"))[2] > skull[:, 2].mean() > middle(Diffuse("skull", 0.2, "orbital"))[2]
    )
    assert middle(Diffuse("skull", 0.15, "orbital"))[1] < skull[:, 1].mean()
    column = body().positions(np.concatenate([p.voxels for p in placed(Diffuse("spine", 0.2, "column"))]))
    spine = body().positions(body().bone(SIOPEN["spine"]))
    assert np.ptp(column[:, 2]) < 0.5 * np.ptp(spine[:, 2])
    pelvis = body().positions(body().bone(("pelvis",)))
    assert middle(Diffuse("pelvis", 0.2, "iliac"))[2] > pelvis[:, 2].mean()


@pytest.mark.parametrize("place", ["neck_right", "neck_left", "mediastinum", "retroperitoneum"])
def test_nodes_are_a_chain_of_soft_tissue(place: NodePlace) -> None:
    nodes = placed(Nodes(place, 4, 10.0))
    assert 2 <= len(nodes) <= 4
    assert all(n.unit == "soft_tissue" and (body().unit(n.voxels) < 0).all() for n in nodes)
    middles = np.array([body().positions(n.voxels).mean(axis=0) for n in nodes])
    spine = body().positions(body().bone(("cervical_spine",)))
    if place.startswith("neck"):
        assert (middles[:, 2] > spine[:, 2].min() - 30).all()
        assert ((middles[:, 0] < spine[:, 0].mean()) == place.endswith("right")).all()
