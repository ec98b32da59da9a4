"""Parts of bones, cortex and scores on phantoms with known answers, whichever way the scan lies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bone_cases import LEG, SPINE, TURNS, Mask, block, case_of, in_spine, named, one, shaft, turned, values, vertebra
from hypothesis import given, settings
from hypothesis import strategies as st

from osteoscope.domain.finding import Finding, FindingKind, Measure
from osteoscope.domain.geometry import Grid
from osteoscope.domain.reading import Case, SiteReading
from osteoscope.measure.burden import burden, skeleton_share
from osteoscope.measure.collapse import height_loss
from osteoscope.measure.femur import femoral_place
from osteoscope.measure.lesion_type import kind_by, kinds_of, type_fractions
from osteoscope.measure.long_bone import cortical_involvement
from osteoscope.measure.stability import highest_scores, mirels, sins
from osteoscope.measure.vertebra import vertebral_place


def test_a_lesion_that_fills_half_of_the_body_stands_off_the_canal() -> None:
    lesion = block(SPINE, (36, 60), (5, 20), (12, 52))
    got = values(vertebral_place(in_spine(lesion), in_spine(lesion).findings[0]))
    assert got["in_body"] == 1
    assert got["body_share"] == pytest.approx(0.5, abs=0.03)
    assert got["canal_distance"] == pytest.approx(15, abs=1)


def test_a_lesion_of_one_pedicle_touches_the_canal() -> None:
    case = in_spine(block(SPINE, (45, 55), (36, 42), (16, 22)))
    got = values(vertebral_place(case, case.findings[0]))
    assert got["canal_distance"] == 0
    assert got["in_pedicles"] == 1
    assert got["body_share"] == 0


def test_below_the_pedicles_the_canal_goes_on() -> None:
    case = in_spine(block(SPINE, (37, 40), (25, 32), (28, 36)))
    distance = named(vertebral_place(case, case.findings[0]))["canal_distance"]
    assert distance.value == pytest.approx(3, abs=1)
    assert distance.interval is not None
    assert distance.interval[0] < distance.value < distance.interval[1]


@pytest.mark.parametrize(("axes", "flips"), TURNS[::7])
def test_parts_of_a_vertebra_do_not_ask_how_the_scan_lies(axes: tuple[int, ...], flips: tuple[int, ...]) -> None:
    lesion = block(SPINE, (40, 56), (24, 40), (14, 30))
    plain = in_spine(lesion)
    grid, mask = turned(SPINE, lesion, axes, flips)
    case = case_of(grid, {"vertebra_L2": turned(SPINE, vertebra(36, 60), axes, flips)[1]}, [("vertebra_L2", mask)])
    assert values(vertebral_place(case, case.findings[0])) == pytest.approx(
        values(vertebral_place(plain, plain.findings[0]))
    )


def test_a_mask_without_a_canal_says_nothing_of_parts() -> None:
    body = block(SPINE, (6, 30), (5, 35), (12, 52))
    case = case_of(SPINE, {"vertebra_L2": body}, [("vertebra_L2", block(SPINE, (8, 20), (9, 20), (20, 30)))])
    assert vertebral_place(case, case.findings[0]) == ()
    assert "0-3 (no vertebral canal" in sins(case, "vertebra_L2")[-1].method


@pytest.mark.parametrize(("height", "loss"), [(24, 0.0), (18, 0.25), (10, 0.58)])
def test_height_is_lost_against_the_neighbours(height: int, loss: float) -> None:
    case = in_spine(block(SPINE, (38, 44), (8, 20), (20, 30)), height=height)
    got = height_loss(case, "vertebra_L2")[0]
    assert got.value == pytest.approx(loss, abs=0.02)
    assert got.interval is not None
    assert got.interval[1] - got.interval[0] <= 2 / 24 + 0.001


def test_the_dens_is_no_height_that_the_third_vertebra_has_lost() -> None:
    bones = {"vertebra_C2": vertebra(58, 94), "vertebra_C3": vertebra(36, 54), "vertebra_C4": vertebra(8, 26)}
    spot = block(SPINE, (42, 48), (8, 20), (20, 30))
    got = height_loss(case_of(SPINE, bones, [("vertebra_C3", spot)]), "vertebra_C3")[0]
    assert got.value == pytest.approx(0, abs=0.02)
    assert "against vertebra_C4;" in got.method
    assert height_loss(case_of(SPINE, bones, []), "vertebra_C2") == ()


def test_sins_adds_what_is_seen_and_spans_what_is_not() -> None:
    both = block(SPINE, (45, 55), (24, 44), (16, 22)) | block(SPINE, (45, 55), (24, 44), (42, 48))
    lytic = named(sins(in_spine(both), "vertebra_L2"))["sins_at_least"]
    # location 2, type 2, posterolateral 3, collapse 0; pain 0-3 and alignment 0-4 unseen
    assert (lytic.value, lytic.interval) == (7, (7, 14))
    assert "pain 0-3 (not from an image)" in lytic.method
    one = named(sins(in_spine(block(SPINE, (45, 55), (36, 44), (16, 22)), "blastic"), "vertebra_L2"))["sins_at_least"]
    assert one.interval == pytest.approx((3, 10))
    assert sins(in_spine(both), "vertebra_L1") == ()


@pytest.mark.parametrize(
    ("level", "note", "points"),
    [
        ("L2", "", "2"), ("L2", "cut by the field of view", "2"),
        ("L2", "level uncertain", "2-3 (level uncertain)"),
        ("T10", "level uncertain: counted from the network alone", "1-3 (level uncertain)"),
        ("L4", "level uncertain: another count is nearly as likely", "2-3 (level uncertain)"),
        ("L5", "level uncertain", "2-3 (level uncertain)"),
        ("T6", "level uncertain", "1"), ("C1", "level uncertain", "3"),
    ],
)  # fmt: skip
def test_an_uncertain_level_has_the_points_of_those_beside_it(level: str, note: str, points: str) -> None:
    lesion, site = block(SPINE, (40, 44), (8, 20), (20, 30)), f"vertebra_{level}"
    case = case_of(SPINE, {site: block(SPINE, (36, 60), (5, 35), (12, 52))}, [(site, lesion)])
    case = replace(case, mapped=tuple(replace(place, notes=(note,) if note else ()) for place in case.mapped))
    assert f"location {points}, pain" in sins(case, site)[-1].method


def test_a_large_lesion_and_a_collapse_raise_sins() -> None:
    large = named(sins(in_spine(block(SPINE, (36, 60), (5, 30), (12, 52))), "vertebra_L2"))["sins_at_least"]
    flat = named(sins(in_spine(block(SPINE, (37, 43), (8, 20), (20, 30)), height=10), "vertebra_L2"))["sins_at_least"]
    assert "collapse 1" in large.method
    assert "collapse 3" in flat.method


@pytest.mark.parametrize("tilt", [0.0, 0.15])
@pytest.mark.parametrize(("length", "quarters"), [(40, 1), (24, 2), (12, 4)])
def test_a_tube_shows_how_long_and_how_far_around_its_cortex_is_gone(tilt: float, length: int, quarters: int) -> None:
    grid = LEG if tilt == 0 else Grid.axial((120, 44, 84), (2.0, 1.0, 1.0), (-42, -22, 0))
    bone, turn = shaft(grid, tilt)
    lesion = shaft(grid, tilt, inner=9.0)[0] & (turn + np.pi <= quarters * np.pi / 2)
    lesion[:50] = lesion[50 + length // 2 :] = False
    got = named(cortical_involvement(*one(grid, "tibia_left", bone, lesion)))
    along = length if quarters == 4 and tilt == 0 else length * np.hypot(1, tilt)
    assert got["axial_cortical_involvement"].value == pytest.approx(along, abs=2 + 28 * tilt)
    assert got["circumferential_involvement"].value == pytest.approx(quarters / 4, abs=0.06)
    assert all(m.interval is not None and m.interval[0] < m.interval[1] for m in got.values() if m.value < 1)


def test_a_lesion_in_the_marrow_spares_the_cortex_and_has_its_width() -> None:
    bone, _ = shaft(LEG)
    lesion = bone & ~shaft(LEG, inner=7.0)[0]
    lesion[:55] = lesion[65:] = False
    got = values(cortical_involvement(*one(LEG, "humerus_right", bone, lesion)))
    assert got["axial_cortical_involvement"] == 0
    assert got["circumferential_involvement"] == 0
    assert got["diameter_share"] == pytest.approx(0.5, abs=0.05)


def test_a_short_bone_has_no_shaft() -> None:
    bone = block(LEG, (50, 62), (8, 36), (8, 36))
    assert cortical_involvement(*one(LEG, "femur_left", bone, block(LEG, (52, 55), (9, 20), (9, 20)))) == ()
    assert cortical_involvement(*one(LEG, "hip_left", shaft(LEG)[0], block(LEG, (52, 55), (9, 20), (9, 20)))) == ()


@settings(max_examples=3)
@given(turn=st.sampled_from(TURNS), move=st.tuples(*[st.integers(-500, 500)] * 3))
def test_cortex_does_not_ask_how_the_scan_lies(
    turn: tuple[tuple[int, ...], tuple[int, ...]], move: tuple[int, int, int]
) -> None:
    bone, angle = shaft(LEG)
    lesion = bone & (angle > 1.0)
    lesion[:40] = lesion[60:] = False
    plain = values(cortical_involvement(*one(LEG, "tibia_left", bone, lesion)))
    grid, mask = turned(LEG, lesion, *turn)
    matrix = grid.matrix.copy()
    matrix[:3, 3] += move
    moved = Grid.from_matrix(grid.shape, matrix)
    got = values(cortical_involvement(*one(moved, "tibia_left", turned(LEG, bone, *turn)[1], mask)))
    assert got == pytest.approx(plain, abs=0.09)


FEMUR = Grid.axial((130, 30, 45), (3.0, 3.0, 2.0), (0, -45, 0))


def femur(mirrored: bool = False) -> tuple[Mask, dict[str, Mask]]:
    """Right femur: a head of 24 mm at the upper inner end, a neck, a thick upper end and a shaft."""
    z, y, x = np.moveaxis(FEMUR.to_position(np.moveaxis(np.indices(FEMUR.shape), 0, -1)), -1, 0)[::-1]
    x = 88 - x if mirrored else x
    head = (z - 350) ** 2 + y**2 + (x - 62) ** 2 <= 24**2
    way = np.array([-30.0, 0.0, -42.0])  # from the head's centre to the shaft
    along = ((z - 350) * way[0] + (x - 62) * way[2]) / float(way @ way)
    across = np.sqrt((z - 350 - along * way[0]) ** 2 + y**2 + (x - 62 - along * way[2]) ** 2)
    neck = (along >= 0) & (along <= 1) & (across <= 13)
    upper = (abs(x - 20) <= 16) & (abs(y) <= 16) & (z > 280) & (z < 352)
    bar = (np.hypot(x - 20, y) <= 14) & (z > 12) & (z < 300)
    whole = np.asarray(head | neck | upper | bar)
    spots = {
        "in_head": (62, 350), "in_neck": (36, 332), "in_trochanters": (20, 320),
        "in_shaft_proximal": (20, 230), "in_shaft_middle": (20, 140), "in_shaft_distal": (20, 40),
    }  # fmt: skip
    balls = {n: np.asarray((z - zc) ** 2 + y**2 + (x - xc) ** 2 <= 7**2) for n, (xc, zc) in spots.items()}
    return whole, balls


@pytest.mark.parametrize("site", ["femur_right", "femur_left"])
def test_each_part_of_a_femur_is_told(site: str) -> None:
    bone, spots = femur(site == "femur_left")
    for name, spot in spots.items():
        got = values(femoral_place(*one(FEMUR, site, bone, spot & bone)))
        assert got[name] > 0.8, (name, got)
        assert sum(got.values()) == pytest.approx(1)


def test_a_femur_cut_below_has_no_thirds_and_cut_above_no_parts() -> None:
    bone, spots = femur()
    below, above = bone.copy(), bone.copy()
    below[:40] = False
    small = FEMUR.crop([slice(40, 130), slice(0, 30), slice(0, 45)])
    got = values(femoral_place(*one(small, "femur_right", bone[40:], spots["in_shaft_proximal"][40:])))
    assert got["in_shaft"] == 1
    low = FEMUR.crop([slice(0, 110), slice(0, 30), slice(0, 45)])
    assert femoral_place(*one(low, "femur_right", above[:110], spots["in_shaft_middle"][:110])) == ()


def around_the_shaft(low: int, high: int) -> tuple[float, str]:
    """Axial involvement of a femur cut to these slices, by a lesion all around 27 mm of its shaft; and the method."""
    bone, _ = femur()
    levels = np.arange(len(bone))[:, None, None]
    lesion = bone & (levels >= 70) & (levels < 79)
    field = FEMUR.crop([slice(low, high), slice(0, 30), slice(0, 45)])
    got = named(cortical_involvement(*one(field, "femur_right", bone[low:high], lesion[low:high])))
    measure = got["axial_cortical_involvement"]
    return measure.value, measure.method


@pytest.mark.parametrize("low", [0, 55, 68])
def test_the_head_of_a_femur_does_not_lean_its_shaft(low: int) -> None:
    value, method = around_the_shaft(low, 130)
    assert value == pytest.approx(27, abs=0.3)
    assert "whole bone" not in method


def test_without_its_head_a_femur_is_measured_along_all_that_shows() -> None:
    value, method = around_the_shaft(0, 110)
    assert value == pytest.approx(27, abs=2)
    assert "axis of the whole bone" in method


def test_mirels_is_a_range_over_pain() -> None:
    bone, _ = shaft(LEG)
    lesion = bone & ~shaft(LEG, inner=12.0)[0]
    lesion[:55] = lesion[65:] = False
    case, finding = one(LEG, "humerus_left", bone, lesion)
    measured = Finding(**{**finding.__dict__, "measures": cortical_involvement(case, finding)})
    got = mirels(Case(case.study, case.mapped, (measured,)), "humerus_left")[0]
    # upper limb 1, lytic 3, more than two thirds of the width 3, pain 1-3
    assert (got.value, got.interval) == (8, (8, 10))
    assert "pain 1-3 (not from an image)" in got.method
    assert mirels(case, "hip_left") == ()
    bare = mirels(case, "humerus_left")[0]
    assert bare.interval == (6, 10), "an unknown size is a range too"


def test_the_highest_score_of_the_study_spans_all_sites() -> None:
    low = Measure("sins_at_least", 5, "{score}", "m", (5, 15))
    high = Measure("sins_at_least", 8, "{score}", "m", (8, 12))
    sites = (SiteReading("vertebra_L1", "assessed", (low,)), SiteReading("vertebra_L2", "assessed", (high,)))
    case = in_spine(block(SPINE, (40, 44), (8, 20), (20, 30)))
    got = highest_scores(Case(case.study, case.mapped, case.findings, (), sites))
    assert [(m.name, m.value, m.interval) for m in got] == [("sins_at_least", 8, (8, 15))]
    assert highest_scores(case) == ()


@pytest.mark.parametrize(
    ("soft", "hard", "kind"), [(1.0, 0.0, "lytic"), (0.0, 1.0, "blastic"), (0.5, 0.5, "mixed"), (0.0, 0.0, None)]
)
def test_the_type_follows_the_voxels(soft: float, hard: float, kind: str | None) -> None:
    bone = block(SPINE, (10, 40), (5, 35), (12, 52))
    hu = np.where(bone, 200, 0).astype(np.int16)
    hu[bone] += np.random.default_rng(1).normal(0, 20, np.count_nonzero(bone)).astype(np.int16)
    lesion = block(SPINE, (20, 30), (15, 25), (20, 40))
    hu[20:30, 15:25, 20 : 20 + int(20 * soft)] = 50
    hu[20:30, 15:25, 40 - int(20 * hard) : 40] = 700
    case = case_of(SPINE, {"vertebra_L2": bone}, [("vertebra_L2", lesion)], hu=hu)
    got = type_fractions(case, case.findings[0])
    assert values(got) == pytest.approx({"lytic_fraction": soft, "blastic_fraction": hard}, abs=0.03)
    if kind is not None:
        assert kind_by(values(got)) == kind


@pytest.mark.parametrize(
    ("kind", "lytic", "blastic", "kinds"),
    [
        ("blastic", 0.0, 0.085, {"blastic", "mixed"}),
        ("lytic", 0.0, 0.0, {"lytic", "mixed"}),
        ("mixed", 0.0, 0.0, {"mixed"}),
        ("lytic", 0.9, 0.0, {"lytic"}),
        ("lytic", 0.1, 0.6, {"lytic", "blastic"}),
    ],
)
def test_a_type_that_the_voxels_do_not_bear_out_is_open(
    kind: FindingKind, lytic: float, blastic: float, kinds: set[FindingKind]
) -> None:
    fractions = (Measure("lytic_fraction", lytic, "1", "m"), Measure("blastic_fraction", blastic, "1", "m"))
    case = in_spine(block(SPINE, (40, 44), (8, 20), (20, 30)), kind)
    assert kinds_of(case.findings[0]) == {kind}, "nothing measured, nothing to differ from"
    found = replace(case.findings[0], measures=fractions)
    assert kinds_of(found) == kinds
    method = sins(replace(case, findings=(found,)), "vertebra_L2")[-1].method
    assert ("not settled by fractions" in method) == (len(kinds) > 1)


def test_the_share_of_the_skeleton_is_of_all_mapped_bone() -> None:
    lesion = block(SPINE, (40, 50), (8, 18), (20, 30))
    case = in_spine(lesion)
    volume = Measure("volume", 1.0, "mL", "m", (0.5, 1.5))
    case = Case(case.study, case.mapped, tuple(Finding(**{**f.__dict__, "measures": (volume,)}) for f in case.findings))
    whole = sum(np.count_nonzero(m.region.parts[0].mask) for m in case.mapped if m.region) / 1000
    share = skeleton_share(case)[0]
    assert share.value == pytest.approx(burden(case)[1].value / whole)
    assert share.interval == pytest.approx((0.5 / whole, 1.5 / whole))
