"""Artefacts: what they do to counts, that they are listed and never disease, that labels move with the child."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteoscope.errors import InvalidValueError
from osteoscope.simulate.artefacts import (
    Absorber,
    Artefact,
    Catheter,
    Contamination,
    Extravasation,
    HoldingHand,
    LowCounts,
    Saturation,
    Scene,
    Seam,
    Spots,
    Stripe,
    disturb,
    random_artefacts,
    row_motion,
    shift_rows,
    with_traces,
)
from osteoscope.simulate.body import Child, build_child
from osteoscope.simulate.camera import Camera, Floats, field_of
from osteoscope.simulate.growth import grow
from osteoscope.simulate.planar import ChildRecipe, Foci, simulate_planar
from osteoscope.simulate.posture import Pose
from osteoscope.simulate.scan import scene_of
from osteoscope.simulate.silhouettes import Silhouettes

SMALL = Camera(rows=512, columns=128, pixel_mm=4.8)
INFANT = ChildRecipe(age_years=2, camera=SMALL)


@cache
def scene() -> Scene:
    body = build_child(Child(grow(2, "F"), 2, Pose(), 0.3), np.random.default_rng(0))
    top = body.grid.to_position((body.grid.shape[0] - 1, 0, 0))[2]
    middle = body.grid.to_position((0, 0, body.grid.shape[2] / 2))[0]
    return scene_of(Silhouettes(body, field_of(body.grid, SMALL, float(top), float(middle))), SMALL.pixel_mm)


def even() -> dict[str, Floats]:
    flat = np.where(scene().body, 10.1, 0.1)
    return {"anterior": flat, "posterior": flat[:, ::-1]}


def after(*artefacts: Artefact, seed: int = 0) -> dict[str, Floats]:
    return dict(disturb(even(), scene(), artefacts, np.random.default_rng(seed)))


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_any_artefacts_leave_sound_counts_and_come_again(seed: int) -> None:
    drawn = random_artefacts(np.random.default_rng(seed), 4.0)
    one, two = after(*drawn, seed=seed), after(*drawn, seed=seed)
    for view in ("anterior", "posterior"):
        assert np.array_equal(one[view], two[view])
        assert np.isfinite(one[view]).all()
        assert one[view].min() >= 0


@pytest.mark.parametrize("facing", ["anterior", "posterior"])
def test_contamination_is_hot_and_may_show_in_one_view_only(facing: str) -> None:
    spots = Contamination("thigh", 2, 20.0, 20.0, facing, 0.0)  # type: ignore[arg-type]
    views = after(spots)
    other = "posterior" if facing == "anterior" else "anterior"
    assert views[facing].max() > 40
    assert np.array_equal(views[other], even()[other])


@pytest.mark.parametrize(("side", "sign"), [(0, -1), (1, 1)])
def test_a_catheter_lies_on_its_side_of_the_upper_chest(side: int, sign: int) -> None:
    added = after(Catheter(5.0, side))["anterior"] - even()["anterior"]
    row, column = np.unravel_index(added.argmax(), added.shape)
    cage, spine = scene().of("thoracic_cage"), scene().of("thoracic_spine")
    assert sign * (column - spine[:, 1].mean()) > 0
    assert cage[:, 0].min() - 5 < row < cage[:, 0].mean()


def test_an_extravasation_is_at_the_end_of_a_limb_with_its_node_in_that_armpit() -> None:
    for seed in range(6):
        added = after(Extravasation("hand", 50, 20, node=True), seed=seed)["anterior"] - even()["anterior"]
        row, column = np.unravel_index(added.argmax(), added.shape)
        middle = scene().of("thoracic_spine")[:, 1].mean()
        half = np.arange(added.shape[1]) > middle if column > middle else np.arange(added.shape[1]) < middle
        upper = added.copy()
        upper[int(row) - 15 :] = 0
        assert upper.max() > 20
        assert upper[:, half].max() == upper.max()
        assert scene().body[max(row - 6, 0) : row + 7, max(column - 6, 0) : column + 7].any()


def test_metal_is_cold_and_colder_on_its_side() -> None:
    views = after(Absorber("belly", 60.0, 0.2, "posterior"))
    front, back = (even()[view] - views[view] for view in ("anterior", "posterior"))
    assert back.max() == pytest.approx(0.8 * 10, rel=0.1)
    assert 0 < front.max() < 0.5 * back.max()


def test_faults_of_the_camera() -> None:
    assert after(LowCounts(0.25))["anterior"] == pytest.approx(0.25 * even()["anterior"])
    hot = after(Contamination("belly", 1, 50.0, 30.0), Saturation(0.5))
    assert (hot["anterior"] == hot["anterior"].max()).sum() >= 3
    dead = after(Stripe("column", 0.5, 2, 0.0, 1))
    assert np.array_equal(dead["anterior"], even()["anterior"])
    assert (dead["posterior"].sum(axis=0) == 0).sum() == 2
    seam = after(Seam(0.5, 0.8, 0.0, 3))["anterior"]
    assert (seam.sum(axis=1) == 0).sum() == 3
    assert seam[-1] == pytest.approx(0.8 * even()["anterior"][-1])


def test_spots_have_gains_of_their_own() -> None:
    gains = after(Spots(4, 0.3, 2))["anterior"].sum(axis=1) / even()["anterior"].sum(axis=1)
    assert len(np.unique(gains.round(6))) == 5
    assert 3 <= (gains == 0).sum() <= 9


def test_a_hand_comes_from_outside_and_reaches_the_child() -> None:
    found = with_traces(even(), scene(), [HoldingHand("head", 1.0)], np.random.default_rng(1))
    (trace,) = found.traces
    assert trace.reason == "holding hand"
    part = trace.region.on("anterior")
    assert part is not None
    mask = part.full(scene().body.shape)
    assert (mask & scene().body).any()
    assert (mask & ~scene().body).sum() > 0.4 * mask.sum()


def test_artefacts_are_listed_and_change_no_score() -> None:
    clean = replace(INFANT, lesions=(Foci("spine", 2),))
    dirty = replace(clean, artefacts=(Contamination("thigh", 2, 30.0), Extravasation(heat=60.0), Catheter(8.0)))
    one, two = simulate_planar(clean, 3), simulate_planar(dirty, 3)
    assert one.reading.measures == two.reading.measures
    assert [f.region for f in one.reading.findings] == [f.region for f in two.reading.findings]
    reasons = {aside.reason for aside in two.reading.set_aside} - {aside.reason for aside in one.reading.set_aside}
    assert reasons == {"contamination", "extravasation", "catheter"}
    assert two.set_aside == two.reading.set_aside


def test_what_does_not_show_is_not_listed() -> None:
    made = simulate_planar(replace(INFANT, artefacts=(Contamination("thigh", 1, 0.02),)), 1)
    assert {aside.reason for aside in made.set_aside} == {"physiological uptake"}


def test_labels_move_with_the_child() -> None:
    still = simulate_planar(replace(INFANT, lesions=(Foci("distal_lower_limb_left", 1, 20.0, 80.0),)), 2)
    moved = simulate_planar(replace(INFANT, lesions=(Foci("distal_lower_limb_left", 1, 20.0, 80.0),), motion_mm=60), 2)
    shapes = [made.study.images["anterior"].grid.shape for made in (still, moved)]
    masks = [made.reading.findings[0].region.parts[0].full(shapes[0]) for made in (still, moved)]
    assert (masks[0] != masks[1]).any()
    for made, mask in zip((still, moved), masks, strict=True):
        for view, own in (("anterior", mask), ("posterior", mask[:, ::-1])):
            counts = made.study.images[view].values
            assert counts[own].mean() > 4 * np.median(counts[counts > 0])


def test_saturated_counts_have_a_flat_top() -> None:
    plain, clipped = simulate_planar(INFANT, 3), simulate_planar(replace(INFANT, artefacts=(Saturation(0.3),)), 3)
    drawn = {name: image.values for name, image in plain.study.images.items()}
    top = int(np.ceil(0.3 * max(view.max() for view in drawn.values())))
    for name, view in drawn.items():
        assert np.array_equal(clipped.study.images[name].values, np.minimum(view, top))
        assert (view > top).sum() > 20
    (trace,) = (aside.region for aside in clipped.set_aside if aside.reason == "saturated")
    part = trace.on("anterior")
    assert part is not None
    assert (drawn["anterior"][part.box][part.mask] > top).mean() > 0.9


def test_the_edge_of_the_detector_stays_while_the_child_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that has moved aside for the whole sweep is as one who lies aside."""
    monkeypatch.setattr("osteoscope.simulate.scan.row_motion", lambda _, rows, *__: np.full(rows, 10.0))
    narrow = replace(INFANT, camera=replace(SMALL, field_width_mm=160.0), lesions=(Foci("pelvis", 2),))
    moved = simulate_planar(replace(narrow, motion_mm=48.0), 4)
    aside = simulate_planar(replace(narrow, camera=replace(narrow.camera, table_mm=48.0)), 4)
    assert moved.mapped == aside.mapped
    assert moved.set_aside == aside.set_aside
    assert [f.region for f in moved.reading.findings] == [f.region for f in aside.reading.findings]
    assert [s.status for s in moved.reading.sites] == [s.status for s in aside.reading.sites]
    scale = narrow.camera.anterior_counts / moved.study.images["anterior"].values.sum()
    for name, image in moved.study.images.items():
        found, wanted = image.values.sum(axis=0) * scale, aside.study.images[name].values.sum(axis=0)
        assert np.array_equal(found > 0, wanted > 0)
        assert (np.abs(found - wanted) < 6 * np.sqrt(scale * found + wanted + 1)).all()


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.floats(0, 20))
def test_shifts_keep_within_their_bound_and_counts_within_the_picture(seed: int, rows: int, most: float) -> None:
    shifts = row_motion(np.random.default_rng(seed), rows, most)
    assert shifts.shape == (rows,)
    assert np.abs(shifts).max() <= most + 1e-9
    plane = np.zeros((rows, 100))
    plane[:, 50] = 1.0
    moved = shift_rows(plane, shifts)
    assert moved.sum(axis=1) == pytest.approx(np.ones(rows))
    assert moved @ np.arange(100) == pytest.approx(50 + shifts)
    mask = shift_rows(plane > 0, shifts)
    assert mask.dtype == bool
    assert (np.abs(mask.argmax(axis=1) - 50 - shifts) <= 0.5).all()


def test_about_half_of_all_studies_have_none() -> None:
    drawn = [random_artefacts(np.random.default_rng(seed)) for seed in range(600)]
    assert np.mean([not found for found in drawn]) == pytest.approx(0.55, abs=0.08)
    assert np.mean([len(found) <= 1 for found in drawn]) > 0.8
    kinds = {type(found).__name__ for study in drawn for found in study}
    assert len(kinds) == 10


@pytest.mark.parametrize(
    "make",
    [
        lambda: Contamination(count=5), lambda: Contamination(heat=0), lambda: Catheter(side=2),
        lambda: Extravasation("head"), lambda: Absorber(passing=1.5), lambda: HoldingHand(heat=-1),
        lambda: Saturation(0), lambda: Stripe(width=0), lambda: Seam(gain=-1), lambda: LowCounts(1.5), lambda: Spots(1),
        lambda: row_motion(np.random.default_rng(0), 0, 1), lambda: shift_rows(np.zeros((3, 3)), np.zeros(2)),
        lambda: random_artefacts(np.random.default_rng(0), -1), lambda: Scene(0.0, np.ones((2, 2), dtype=bool), {}),
        lambda: disturb({"anterior": np.ones((2, 2))}, Scene(1.0, np.ones((2, 2), dtype=bool), {}), (),
                        np.random.default_rng(0)),
        lambda: replace(INFANT, motion_mm=-1.0),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(InvalidValueError):
        make()
