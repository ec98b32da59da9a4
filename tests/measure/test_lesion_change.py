from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ct_dates import CALLED, POSE, dates, simulations
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from osteoscope.domain.finding import DOUBTFUL_BELOW, Part, Region, SetAside
from osteoscope.domain.geometry import Grid
from osteoscope.errors import InvalidValueError, UnsuitableStudyError
from osteoscope.measure.bone_alignment import align
from osteoscope.measure.bone_motion import Alignment, Rigid
from osteoscope.measure.lesion_calls import call_pair
from osteoscope.measure.lesion_change import CtDate, follow
from osteoscope.measure.lesion_change_record import CALLS, ChangeOptions, CtResponse, Sighting
from osteoscope.measure.lesion_matching_ct import Met, group
from osteoscope.measure.level_shift import Count, Laid
from osteoscope.measure.score_tables import ScoreOptions
from osteoscope.simulate.ct_followup import Change, FollowUp, follow_up, sources

OPTIONS = ChangeOptions()


@pytest.fixture(scope="module")
def response() -> CtResponse:
    return follow(*dates())


def test_every_change_of_a_moved_body_is_called(response: CtResponse) -> None:
    assert {lesion.site: lesion.call for lesion in response.lesions} == CALLED
    for lesion in response.lesions:
        assert lesion.call in lesion.possible
        assert (lesion.before is None, lesion.now is None) == (lesion.call == "new", lesion.call == "gone")


def test_volumes_and_hu_change_as_they_truly_did(response: CtResponse) -> None:
    by_site = {lesion.site: lesion for lesion in response.lesions}
    first, second = ({f.site: f for f in made.reading.findings} for made in simulations())
    for site in ("vertebra_L1", "vertebra_L2", "vertebra_L4"):
        truth = second[site].region.size / first[site].region.size
        ratio = by_site[site].volume_ratio
        assert ratio is not None
        assert ratio.value == pytest.approx(truth)
        assert ratio.low is not None
        assert ratio.low < ratio.value
    denser = by_site["vertebra_L5"].hu_change
    assert denser is not None
    assert denser.value == pytest.approx(350, abs=60)
    gone, new = by_site["vertebra_L3"].hu_at_place, by_site["sacrum"].hu_at_place
    assert gone is not None
    assert new is not None
    assert gone.value > 170  # marrow again
    assert new.value > 90  # marrow still


def test_bones_are_followed_through_a_bent_pose(response: CtResponse) -> None:
    """Every vertebra and the pelvis within 1.5 mm of where they truly went, though the trunk was turned and bent."""
    _, second = simulations()
    grid = second.study.images["ct"].grid
    source = sources(grid, POSE)
    masks = {m.site: m.region.parts[0].full(grid.shape) for m in second.mapped if m.region is not None}
    checked = 0
    for motion in response.motions:
        if motion.site.startswith(("vertebra", "sacrum", "hip")) and masks[motion.site].sum() > 1000:
            index = np.argwhere(masks[motion.site])
            went = motion.rigid.move(source[tuple(index.T)])
            assert np.linalg.norm(went - grid.to_position(index), axis=1).mean() < 1.0, motion.site
            assert motion.aligned
            checked += 1
    assert checked >= 7
    turned = {motion.site: motion.rigid.turn_deg for motion in response.motions}
    assert turned["vertebra_L1"] - turned["sacrum"] > 4


def few() -> tuple[CtDate, CtDate]:
    """Both dates with three bones."""
    kept = [
        replace(
            date,
            mapped=tuple(m for m in date.mapped if m.site in {"vertebra_L3", "vertebra_L4", "vertebra_L5"}),
            reading=replace(
                date.reading,
                findings=tuple(
                    f for f in date.reading.findings if f.site in {"vertebra_L3", "vertebra_L4", "vertebra_L5"}
                ),
                sites=(),
            ),
        )
        for date in dates()
    ]
    return kept[0], kept[1]


def test_a_bone_of_one_date_alone_is_said_and_its_lesion_not_called_gone() -> None:
    before, now = few()
    without = replace(now, mapped=tuple(m for m in now.mapped if m.site != "vertebra_L3"))
    response = follow(before, without)
    assert "vertebra_L3" in response.only_before
    lesion = next(one for one in response.lesions if one.site == "vertebra_L3")
    assert lesion.call == "not_comparable"
    assert lesion.notes == ("its bone was not found at the later date",)


def test_a_lesion_missed_at_one_date_is_marked_as_perhaps_stable() -> None:
    before, now = few()
    missing = tuple(f for f in before.reading.findings if f.site != "vertebra_L4")
    response = follow(replace(before, reading=replace(before.reading, findings=missing, sites=())), now)
    lesion = next(one for one in response.lesions if one.site == "vertebra_L4")
    assert (lesion.call, lesion.possible) == ("new", ("new", "stable"))
    assert "may have been missed" in lesion.notes[0]


def test_a_lytic_lesion_whose_place_is_dense_now_has_turned_sclerotic_even_if_not_found() -> None:
    before, now = few()
    missing = tuple(f for f in now.reading.findings if f.site != "vertebra_L5")
    response = follow(before, replace(now, reading=replace(now.reading, findings=missing, sites=())))
    lesion = next(one for one in response.lesions if one.site == "vertebra_L5")
    assert lesion.call == "turned_sclerotic"


def without(date: CtDate, site: str) -> CtDate:
    """The same CT, its lesion of that bone not found."""
    kept = tuple(f for f in date.reading.findings if f.site != site)
    return replace(date, reading=replace(date.reading, findings=kept, sites=()))


def beside_metal(date: CtDate, part: Part) -> CtDate:
    """The same CT with a place that was not searched for metal."""
    return replace(date, reading=replace(date.reading, set_aside=(SetAside("metal", "a test", Region((part,))),)))


@pytest.mark.parametrize("site", ["vertebra_L4", "vertebra_L5"])
@pytest.mark.parametrize("gone", [True, False])
def test_a_lesion_whose_place_metal_kept_from_being_searched_is_not_compared(site: str, gone: bool) -> None:
    before, now = few() if gone else few()[::-1]
    missed = without(now, site)
    for bone in ("vertebra_L4", "vertebra_L5"):
        metal = beside_metal(missed, missed.bones[bone])
        response = follow(*((before, metal) if gone else (metal, before)))
        lesion = next(one for one in response.lesions if one.site == site)
        if bone == site:
            assert (lesion.call, lesion.possible, lesion.hu_at_place) == ("not_comparable", ("not_comparable",), None)
            when = "later" if gone else "earlier"
            assert lesion.notes == (f"metal kept its place from being searched at the {when} date",)
        else:
            assert lesion.call in ({"gone", "turned_sclerotic"} if gone else {"new"})


def test_a_lesion_that_reaches_bone_beside_metal_may_be_larger_than_found() -> None:
    before, now = few()
    lesion = next(f for f in now.reading.findings if f.site == "vertebra_L4")
    response = follow(before, beside_metal(now, lesion.region.parts[0]))
    noted = {one.site for one in response.lesions if any("beside metal" in note for note in one.notes)}
    assert noted == {"vertebra_L4"}


def renamed(date: CtDate, names: dict[str, str], confidence: float = 1.0) -> CtDate:
    """The same CT with other names of its bones."""
    return replace(
        date,
        mapped=tuple(replace(m, site=names.get(m.site, m.site), notes=("level uncertain",)) for m in date.mapped),
        reading=replace(
            date.reading,
            findings=tuple(
                replace(f, site=names.get(f.site, f.site), confidence=confidence) for f in date.reading.findings
            ),
            sites=(),
        ),
    )


LUMBAR = [f"vertebra_L{n}" for n in range(1, 6)]


@pytest.mark.parametrize("turned", [False, True])
def test_levels_counted_one_off_at_one_date_are_found_by_the_fit(turned: bool) -> None:
    """The same CT: an unchanged lesion is not gone from one level and new in another."""
    plain = few()[0]
    off = renamed(plain, dict(zip(LUMBAR[1:], LUMBAR[:-1], strict=True)))
    response = follow(*((off, plain) if turned else (plain, off)))
    assert [lesion.call for lesion in response.lesions] == ["stable"] * 3
    assert (response.only_before, response.only_now) == ((), ())
    assert "count levels one apart" in response.notes[0]
    assert f"one level {'above' if turned else 'below'} " in response.notes[0]
    assert f"{3 * turned} bones before, {3 * (not turned)} now" in response.notes[0]


def test_the_end_of_a_row_counted_one_off_is_not_compared() -> None:
    before, now = few()[0], renamed(few()[0], dict(zip(LUMBAR[1:], LUMBAR[:-1], strict=True)))
    without = replace(before, mapped=tuple(m for m in before.mapped if m.site != "vertebra_L3"))
    response = follow(without, now)
    assert (response.only_before, response.only_now) == ((), ("vertebra_L2",))
    assert Count(1, 1).earlier("vertebra_L5") == ""
    assert Count(1, 1).earlier("rib_left_11") == "rib_left_12"
    assert Count(1, 1).earlier("sacrum") == "sacrum"


def test_levels_that_no_count_fits_are_said_where_they_are_uncertain() -> None:
    still = Rigid.of(np.eye(3), np.zeros(3))
    poor = Laid(Alignment(still, {}, {}), Count(), 1.4, 1.4)
    assert "may be one" in poor.notes((0, 3))[0]
    assert poor.notes((0, 0)) == ()
    assert replace(poor, as_named_mm=0.3, taken_mm=0.3).notes((0, 3)) == ()


def test_a_gone_and_a_new_lesion_in_one_place_may_be_one() -> None:
    """Two bones whose names were exchanged: no count of the whole row mends that."""
    date = few()[0]
    one = tuple(f for f in date.reading.findings if f.site == "vertebra_L3")
    before = replace(date, reading=replace(date.reading, findings=one, sites=()))
    response = follow(before, renamed(before, dict(zip(LUMBAR[2:4], LUMBAR[3:1:-1], strict=True))))
    assert {lesion.call for lesion in response.lesions} == {"new", "gone"}
    for lesion in response.lesions:
        assert "stable" in lesion.possible
        assert any("in the same place" in note for note in lesion.notes)


def test_a_doubtful_lesion_of_one_date_without_images_may_be_none() -> None:
    before, now = (replace(date, image=None) for date in few())
    nothing = replace(before, reading=replace(before.reading, findings=(), sites=()))
    sure = follow(nothing, now)
    unsure = follow(nothing, renamed(now, {}, confidence=0.21))
    assert {lesion.possible for lesion in sure.lesions} == {("new",)}
    assert {lesion.possible for lesion in unsure.lesions} == {("new", "stable")}
    assert all("confidence 0.21 at its date: perhaps no lesion" in lesion.notes for lesion in unsure.lesions)
    assert ScoreOptions().accepted == DOUBTFUL_BELOW


def test_dates_without_a_bone_in_common_are_refused() -> None:
    before, now = dates()
    other = replace(now, mapped=tuple(m for m in now.mapped if m.site == "vertebra_L2"))
    with pytest.raises(UnsuitableStudyError, match="none in both fields"):
        follow(replace(before, mapped=tuple(m for m in before.mapped if m.site == "sacrum")), other)


def test_a_change_of_what_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="lesion-9"):
        follow_up(simulations()[0], FollowUp(changes={"lesion-9": Change()}), 1)


def lump(grid: Grid, back: Rigid) -> Part:
    """A body of three unlike balls, moved; its own frame about the origin."""
    places = back.move(grid.to_position(np.moveaxis(np.indices(grid.shape), 0, -1)))
    balls = (((0, 0, 0), 16), ((24, 4, 0), 8), ((-6, 20, 14), 9), ((0, -8, -22), 7))
    inside = [np.linalg.norm(places - np.asarray(centre), axis=-1) < radius for centre, radius in balls]
    return Part.from_mask("ct", np.any(inside, axis=0))


angles = st.tuples(*[st.floats(-15, 15)] * 3)
shifts = st.tuples(*[st.floats(-15, 15)] * 3)


@settings(max_examples=8)
@given(angles, shifts, st.sampled_from([(2.0, 1.5, 1.5), (3.0, 1.0, 1.0), (1.5, 2.0, 2.0)]))
@example((0.0, 0.0, 0.0), (0.0, 0.0, 1.0), (2.0, 1.5, 1.5))
def test_a_rigid_motion_is_found_again(
    turn: tuple[float, ...], shift: tuple[float, ...], spacing: tuple[float, ...]
) -> None:
    truth = Rigid.of(Rotation.from_euler("xyz", turn, degrees=True).as_matrix(), np.asarray(shift))
    grids = tuple(
        Grid.axial([int(110 / s) for s in each], each, (-55, -55, -55)) for each in ((2.0, 1.5, 1.5), spacing)
    )
    still = Rigid.of(np.eye(3), np.zeros(3))
    found = align({"sacrum": lump(grids[0], still)}, {"sacrum": lump(grids[1], truth.back())}, (grids[0], grids[1]))
    assert found is not None
    corners = np.array(np.meshgrid(*[(-25.0, 25.0)] * 3)).reshape(3, -1).T
    # A lump of three balls moved by half a slice fits nearly as well turned by a degree.
    near = 0.6 * max(max(grid.spacing) for grid in grids)
    for rigid in (found.together, found.bones["sacrum"].rigid):
        assert np.linalg.norm(rigid.move(corners) - truth.move(corners), axis=1).mean() < near
    assert np.allclose(truth.back().move(truth.move(corners)), corners)


def test_a_bone_whose_masks_do_not_fit_moves_with_the_nearest() -> None:
    grid = Grid.axial((55, 73, 73), (2.0, 1.5, 1.5), (-55, -55, -55))
    truth = Rigid.of(Rotation.from_euler("xyz", (6, -4, 9), degrees=True).as_matrix(), np.array([5.0, -6.0, 3.0]))
    still = Rigid.of(np.eye(3), np.zeros(3))
    box = np.zeros(grid.shape, dtype=bool)
    box[5:50, 8:60, 40:70] = True
    before = {"hip_left": lump(grid, still), "sacrum": lump(grid, Rigid.of(np.eye(3), np.array([-4.0, 0, 0])))}
    found = align(before, {"hip_left": lump(grid, truth.back()), "sacrum": Part.from_mask("ct", box)}, (grid, grid))
    assert found is not None
    assert [found.bones[site].aligned for site in ("hip_left", "sacrum")] == [True, False]
    assert found.bones["sacrum"].rigid == found.bones["hip_left"].rigid
    assert found.rigid("vertebra_unknown_1", np.zeros(3)) == found.bones["hip_left"].rigid


def test_a_bone_of_a_few_voxels_moves_with_the_nearest_and_stops_nothing() -> None:
    """Between the points that a distance map of 2 mm is made of."""
    grid = Grid.axial((55, 110, 110), (2.0, 1.0, 1.0), (-55, -55, -55))
    still, shifted = Rigid.of(np.eye(3), np.zeros(3)), Rigid.of(np.eye(3), np.array([4.0, -3.0, 2.0]))
    chip = Part("ct", (10, 50, 50), np.array([[[False, True], [True, False]]]))
    found = align(
        {"sacrum": lump(grid, still), "patella_left": chip},
        {"sacrum": lump(grid, shifted.back()), "patella_left": chip}, (grid, grid),
    )  # fmt: skip
    assert found is not None
    assert [found.bones[site].aligned for site in ("sacrum", "patella_left")] == [True, False]
    assert found.bones["patella_left"].rigid == found.bones["sacrum"].rigid


shares = st.lists(st.lists(st.floats(0, 1), min_size=4, max_size=4), min_size=3, max_size=3).map(np.array)


@given(shares, shares, st.permutations(range(3)), st.permutations(range(4)))
def test_groups_hold_every_lesion_once_and_do_not_hang_on_the_order(
    of_before: np.ndarray, of_now: np.ndarray, rows: list[int], columns: list[int]
) -> None:
    gap = np.where(of_before + of_now > 0, 0.0, 4.0)
    groups = group(Met(of_before, of_now, gap), OPTIONS)
    assert sorted(n for one in groups for n in one.before) == [0, 1, 2]
    assert sorted(n for one in groups for n in one.now) == [0, 1, 2, 3]
    turned = [np.ascontiguousarray(a[np.ix_(rows, columns)]) for a in (of_before, of_now, gap)]
    again = group(Met(turned[0], turned[1], turned[2]), OPTIONS)
    total = sum(of_before[b, n] + of_now[b, n] for one in groups for b in one.before[:1] for n in one.now[:1])
    same = sum(
        of_before[rows[b], columns[n]] + of_now[rows[b], columns[n]]
        for one in again for b in one.before[:1] for n in one.now[:1]
    )  # fmt: skip
    assert total == pytest.approx(same)


def test_what_lies_within_a_lesion_that_has_a_partner_runs_together() -> None:
    of_before = np.array([[0.9], [0.8]])
    assert [(g.before, g.now) for g in group(Met(of_before, of_before / 2, np.zeros((2, 1))), OPTIONS)] == [
        ((0, 1), (0,))
    ]
    apart = Met(np.zeros((1, 1)), np.zeros((1, 1)), np.full((1, 1), 6.0))
    assert {(g.before, g.now) for g in group(apart, OPTIONS)} == {((0,), ()), ((), (0,))}


def seen(volume: float, hu: float, kind: str = "lytic", width: float = 0.1) -> Sighting:
    span = (volume * (1 - width), volume * (1 + width))
    return Sighting(("f",), "sacrum", kind, 0.9, volume, span, hu, (hu - 10, hu + 10), (0.0, 0.0, 0.0))


@given(st.floats(0.1, 50), st.floats(0.2, 5), st.floats(-200, 400), st.sampled_from(["lytic", "mixed", "blastic"]))
def test_calls_follow_the_thresholds_and_time_runs_both_ways(
    volume: float, ratio: float, rise: float, kind: str
) -> None:
    made = call_pair(seen(volume, 100, kind), seen(volume * ratio, 100 + rise, kind), OPTIONS)
    assert made.call in made.possible
    assert made.call in CALLS
    assert (made.call == "turned_sclerotic") == (kind != "blastic" and round(rise, 6) >= OPTIONS.sclerotic_hu)
    if made.call == "grown" and rise >= 0:
        back = call_pair(seen(volume * ratio, 100 + rise, kind), seen(volume, 100, kind), OPTIONS)
        assert back.call in {"shrunk", "stable"}  # "stable" at the very threshold, by rounding
        assert made.volume_ratio is not None
        assert made.volume_ratio.value >= OPTIONS.grown**3


def test_a_small_change_of_a_coarse_lesion_is_not_sure() -> None:
    made = call_pair(seen(1, 50, width=0.4), seen(2, 50, width=0.3), OPTIONS)
    assert made.call == "grown"
    assert made.possible == ("stable", "grown")
