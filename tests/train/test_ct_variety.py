"""Pieces of scans as if of other patients: what changes, and what must not."""

from __future__ import annotations

import numpy as np
import pytest

from osteoscope.find.ct_frame import AIR
from osteoscope.train import ct_variety
from osteoscope.train.ct_ground import LESION, Ground
from osteoscope.train.ct_variety import vary

SIDE = 40


def piece(seed: int) -> Ground:
    """Marrow of 200 HU within a shell of 800 HU within muscle, beside fat and lung; a lesion is marked."""
    hu = np.full((SIDE,) * 3, 60.0, dtype=np.float32)
    hu[:, :4], hu[:, 4:8] = -850, -105
    bone = np.zeros(hu.shape, dtype=bool)
    bone[10:30, 12:32, 10:30] = True
    hu[bone] = 800
    hu[12:28, 14:30, 12:28] = 200
    label = np.zeros(hu.shape, dtype=np.uint8)
    label[18:22, 20:24, 18:22] = LESION
    hu[label == LESION] = 50
    weight, sharp = np.ones(hu.shape, dtype=np.float32), (0.5, 0.5, 0.5)
    return Ground(hu, bone, label, weight, sharp, 10.0, sharp, np.random.default_rng(seed))


def changed_alone(monkeypatch: pytest.MonkeyPatch, name: str, seed: int) -> tuple[Ground, Ground]:
    """A piece, and the same with one of the changes."""
    for other in ("_OTHER_BONE", "_OTHER_MAKE", "_OTHER_SOFT", "_ENDS"):
        monkeypatch.setattr(ct_variety, other, float(other == name))
    before, after = piece(seed), piece(seed)
    vary(after)
    return before, after


@pytest.mark.parametrize("seed", range(6))
def test_other_bone_is_denser_or_thinner_and_nothing_else_changes(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    before, after = changed_alone(monkeypatch, "_OTHER_BONE", seed)
    moved = after.hu - before.hu
    assert np.abs(moved[~before.bone & (np.abs(before.depth) > 2)]).max() == 0
    cortex = before.bone & (before.hu == 800)
    assert np.abs(moved[cortex]).mean() > 5
    assert 200 < after.hu[cortex].mean() < 2200
    assert after.hu[cortex].mean() > after.hu[before.hu == 200].mean() + 100
    assert np.array_equal(after.label, before.label)
    assert np.array_equal(after.bone, before.bone)


@pytest.mark.parametrize("seed", range(6))
def test_bone_of_another_make_is_bone_still_and_findings_stay(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(ct_variety, "_EACH", 1.0)
    before, after = changed_alone(monkeypatch, "_OTHER_MAKE", seed)
    moved = after.hu - before.hu
    assert np.abs(moved[~before.bone & (np.abs(before.depth) > 4)]).max() == 0
    assert np.abs(moved[before.bone & (before.label == 0)]).mean() > 10
    assert np.abs(moved[before.bone & (before.depth < 3)]).mean() > np.abs(moved[before.label == LESION]).mean()
    assert after.hu.max() < 1700
    assert np.array_equal(after.label, before.label)
    assert np.array_equal(after.bone, before.bone)


def test_where_a_field_ends_no_cortex_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("_EACH", 1.0), ("_JOINT_HU", (0.0, 0.0)), ("_CORE_HU", (0.0, 0.0))):
        monkeypatch.setattr(ct_variety, name, value)
    monkeypatch.setattr(ct_variety, "_CORTEX_MM", (3.0, 3.0))
    before = piece(1)
    before.hu[:20], before.bone[:20] = AIR, False
    marrow = before.hu[20, 17:20, 15:18].copy()
    ct_variety._other_make(before)
    assert np.abs(before.hu[20, 17:20, 15:18] - marrow).max() < 1
    assert before.hu[29, 20, 13] > marrow.max() + 100  # the true surface on the other side


@pytest.mark.parametrize("seed", range(6))
def test_other_soft_tissue_keeps_its_order_and_leaves_bone(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    before, after = changed_alone(monkeypatch, "_OTHER_SOFT", seed)
    assert np.array_equal(after.hu[before.bone], before.hu[before.bone])
    lung, fat, muscle = (float(after.hu[0, row, 0]) for row in (0, 5, 20))
    assert lung < fat < muscle
    assert (lung, fat, muscle) != (-850, -105, 60)
    assert abs(fat + 105) < 60
    assert abs(muscle - 60) < 60


@pytest.mark.parametrize("seed", range(6))
def test_beyond_the_end_of_a_field_is_nothing(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    before, after = changed_alone(monkeypatch, "_ENDS", seed)
    beyond = after.hu == AIR
    assert beyond.any()
    assert not beyond.all()
    assert not after.bone[beyond].any()
    assert not after.label[beyond].any()
    sides = [np.unique(beyond.any(axis=tuple({0, 1, 2} - {axis}))).size for axis in range(3)]
    assert sides.count(2) == 1  # a plane across one axis
    assert np.array_equal(after.hu[~beyond], before.hu[~beyond])
    assert np.array_equal(after.bone[~beyond], before.bone[~beyond])


def test_pieces_differ_and_the_same_seed_gives_the_same() -> None:
    made = []
    for seed in (*range(12), 3):
        made.append(piece(seed))
        vary(made[-1])
    assert np.array_equal(made[-1].hu, made[3].hu)
    assert len({one.hu.tobytes() for one in made[:12]}) > 6
    assert all(np.isfinite(one.hu).all() for one in made)
