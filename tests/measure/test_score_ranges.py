"""SINS and Mirels span every score that the intervals of their parts allow, and what the field does not show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bone_cases import LEG, SPINE, Mask, block, case_of, in_spine, named, one, shaft, vertebra

from osteoscope.domain.finding import Finding, Measure
from osteoscope.domain.reading import Case
from osteoscope.measure.long_bone import cortical_involvement
from osteoscope.measure.place import CUT_BY_FIELD
from osteoscope.measure.stability import mirels, sins
from osteoscope.measure.vertebra import vertebral_place

BODY = (36, 60), (12, 52)


def said(case: Case, site: str = "vertebra_L2") -> str:
    return sins(case, site)[-1].method


@pytest.mark.parametrize(
    ("front", "points"),
    [(16, "collapse 0,"), (20, "collapse 0-1 (boundary +-1 voxel)"), (21, "collapse 0-1 (boundary +-1 voxel)"),
     (30, "collapse 1,")],
)  # fmt: skip
def test_collapse_spans_what_the_share_of_the_body_does(front: int, points: str) -> None:
    case = in_spine(block(SPINE, BODY[0], (5, front), BODY[1]))
    share = named(vertebral_place(case, case.findings[0]))["body_share"]
    assert share.interval is not None
    assert (share.interval[0] <= 0.5 < share.interval[1]) == ("0-1" in points)
    assert points in said(case)


def test_collapse_spans_height_and_share_together() -> None:
    """Where the least height keeps it from being collapsed, what the boundary makes of the share counts too."""
    case = in_spine(block(SPINE, (36, 55), (5, 21), BODY[1]), height=19)
    assert "collapse 0-2 (height +-1 voxel" in said(case)


@pytest.mark.parametrize(("width", "points"), [(1, "0"), (3, "0-1 (boundary +-1 voxel)"), (5, "0-1 (boundary +-1")])
def test_sides_span_what_the_boundary_does(width: int, points: str) -> None:
    case = in_spine(block(SPINE, (45, 45 + min(width, 4)), (36, 40), (17, 17 + width)))
    assert f"posterolateral {points}" in said(case)


def test_a_vertebra_that_the_field_cuts_may_be_less_and_more_than_is_seen() -> None:
    grid = SPINE.crop((slice(0, 74), slice(0, 80), slice(0, 64)))
    bones = {"vertebra_L1": vertebra(66, 90)[:74], "vertebra_L2": vertebra(36, 60)[:74]}
    case = case_of(grid, bones, [("vertebra_L1", block(SPINE, (66, 74), (5, 35), (12, 52))[:74])])
    share = named(vertebral_place(case, case.findings[0]))["body_share"]
    assert (share.value, share.interval) == (1.0, (0.0, 1.0))
    assert CUT_BY_FIELD in share.method
    total = sins(case, "vertebra_L1")[-1]
    assert (total.value, total.interval) == (5, (5, 18))
    assert f"collapse 0-3 ({CUT_BY_FIELD}), posterolateral 0-3 ({CUT_BY_FIELD})" in total.method


def test_the_atlas_has_no_body_to_collapse() -> None:
    bones = {"vertebra_C1": vertebra(66, 90), "vertebra_C2": vertebra(36, 60)}
    case = case_of(SPINE, bones, [("vertebra_C1", block(SPINE, (66, 90), (5, 35), (12, 40)))])
    assert "collapse 0-3 (C1 has no body)" in said(case, "vertebra_C1")


def in_femur(trochanters: tuple[float, float, float], neck: float = 0.0) -> Case:
    """A lesion with these shares, (value, least, greatest), in the trochanters and in the neck."""
    value, *ends = trochanters
    measures = (
        Measure("in_trochanters", value, "1", "m", (ends[0], ends[1])),
        Measure("in_neck", neck, "1", "m", (neck, neck)),
        Measure("diameter_share", 0.5, "1", "m", (0.4, 0.6)),
    )
    case, finding = one(LEG, "femur_left", shaft(LEG)[0], block(LEG, (50, 60), (18, 26), (18, 26)))
    return replace(case, findings=(replace(finding, measures=measures),))


@pytest.mark.parametrize(
    ("trochanters", "neck", "site", "range_of"),
    [
        ((0.0, 0.0, 0.0), 0.0, "site 2,", (8, 10)),
        ((0.0, 0.0, 0.05), 0.0, "site 2-3 (boundary +-1 voxel)", (8, 11)),
        ((0.07, 0.0, 0.1), 0.0, "site 2-3 (boundary +-1 voxel)", (8, 11)),
        ((0.0, 0.0, 0.0), 0.5, "site 2-3 (neck: peritrochanteric or not)", (8, 11)),
        ((0.13, 0.08, 0.14), 0.5, "site 3,", (9, 11)),
    ],
)
def test_mirels_spans_the_trochanters_that_the_boundary_reaches(
    trochanters: tuple[float, float, float], neck: float, site: str, range_of: tuple[int, int]
) -> None:
    got = mirels(in_femur(trochanters, neck), "femur_left")[0]
    assert site in got.method
    assert (got.value, got.interval) == (range_of[0], range_of)


def measured(low: int, bone: Mask, lesion: Mask) -> tuple[Case, dict[str, Measure]]:
    """Of an arm whose rows before ``low`` are out of the field."""
    grid = LEG.crop((slice(0, 120), slice(low, 44), slice(0, 44)))
    case, finding = one(grid, "humerus_left", bone[:, low:], lesion[:, low:])
    got = cortical_involvement(case, finding)
    return replace(case, findings=(Finding(**{**finding.__dict__, "measures": got}),)), named(got)


def test_a_shaft_that_the_field_cuts_lengthwise_has_no_width_to_compare_with() -> None:
    bone, _ = shaft(LEG)
    lesion = block(LEG, (50, 60), (30, 40), (16, 28)) & bone
    _, whole = measured(0, bone, lesion)
    case, cut = measured(25, bone, lesion)
    for name in ("diameter_share", "circumferential_involvement"):
        interval = cut[name].interval
        assert interval is not None
        assert interval[0] == 0 < whole[name].value <= interval[1] < 1
        assert CUT_BY_FIELD in cut[name].method
        assert CUT_BY_FIELD not in whole[name].method
    assert f"size 1-3 ({CUT_BY_FIELD})" in mirels(case, "humerus_left")[0].method
    at_edge = measured(25, bone, block(LEG, (50, 60), (25, 40), (16, 28)) & bone)[1]["diameter_share"]
    assert at_edge.interval == (0, 1), "a lesion at the edge may go on too"


def test_sections_that_are_whole_give_the_value_and_cut_ones_the_range() -> None:
    """Below, a bar of 16 mm that is wholly in the field; above, two thirds of a wider one are off it."""
    rows, columns = np.ogrid[:44, :44]
    bone = np.zeros(LEG.shape, dtype=bool)
    bone[:80] = (rows - 34) ** 2 + (columns - 22) ** 2 <= 8**2
    bone[80:] = (rows - 22) ** 2 + (columns - 22) ** 2 <= 14**2
    lesion = bone & block(LEG, (70, 90), (30, 37), (18, 26))
    alone = measured(25, bone & block(LEG, (0, 80), (0, 44), (0, 44)), lesion & block(LEG, (0, 80), (0, 44), (0, 44)))[
        1
    ]
    both = measured(25, bone, lesion)[1]["diameter_share"]
    assert both.value == pytest.approx(alone["diameter_share"].value, abs=0.05)
    assert both.interval is not None
    assert both.interval[0] > 0
    assert both.interval[1] > 8 / 12
    assert CUT_BY_FIELD in both.method
