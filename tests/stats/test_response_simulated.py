"""One simulated child on several dates: other pose, table, camera, pixels and growth; the same lesions and others."""

from __future__ import annotations

from functools import cache

import pytest
from followup import OTHER_CAMERA, OTHER_POSE, Patch, Spot, Visit
from followup import exam as exam_of

from osteoscope.stats.lesion_identity import Exam, follow
from osteoscope.stats.response import compare

STAY = (
    Spot("skull", 0.9),
    Spot("vertebra_T8"),
    Spot("rib_left_6", 0.4),
    Spot("humerus_right", 0.3),
    Spot("hip_left", 0.3),
    Spot("femur_left", 0.8),
    Patch("femur_right", 0.3),
)
GO = (Spot("vertebra_L2"), Spot("rib_right_8", 0.6), Spot("femur_left", 0.2), Spot("tibia_left", 0.2))
COME = (Spot("vertebra_T3"), Spot("tibia_right", 0.7))
FEW = (Spot("vertebra_T8"), Spot("hip_left", 0.3))


Named = tuple[Exam, tuple[str, ...]]


@cache
def before() -> Named:
    return _named(Visit("2026-01-10", STAY + GO))


@cache
def later(*lesions: Spot | Patch) -> Named:
    return _named(Visit("2026-05-20", lesions, 4.4, OTHER_POSE, OTHER_CAMERA))


def _named(visit: Visit) -> Named:
    """The exam and the bone of each of its findings, in the order of the lesions put in."""
    made = exam_of(visit)
    bones = tuple(f"{lesion.bone} {lesion.share}" for lesion in visit.lesions)
    assert len(made.reading.findings) == len(bones), "every lesion is in the field"
    return made, bones


def pairs(now: Named) -> set[tuple[str, str]]:
    """Bone on the first date and on the second of every lesion; "" where it is not there."""
    exams = [before()[0], now[0]]
    by_id = [_by_id(*before()), _by_id(*now)]
    found = set()
    for lesion in follow(exams):
        a, b = (sight.finding for sight in lesion.course)
        found.add((by_id[0][a] if a else "", by_id[1][b] if b else ""))
    return found


def _by_id(exam: Exam, bones: tuple[str, ...]) -> dict[str, str]:
    return {finding.id: bone for finding, bone in zip(exam.reading.findings, bones, strict=True)}


def test_identity_holds_through_pose_growth_pixels_and_table() -> None:
    named = [f"{lesion.bone} {lesion.share}" for lesion in STAY]
    gone = [f"{lesion.bone} {lesion.share}" for lesion in GO]
    come = [f"{lesion.bone} {lesion.share}" for lesion in COME]
    wanted = {(n, n) for n in named} | {(n, "") for n in gone} | {("", n) for n in come}
    assert pairs(later(*STAY, *COME)) == wanted


@pytest.mark.parametrize(
    ("lesions", "category"),
    [((*STAY, *COME), "PD"), (STAY, "SD"), (FEW, "PR"), ((), "CR")],
)
def test_the_category_of_simulated_dates(lesions: tuple[Spot | Patch, ...], category: str) -> None:
    response = compare([before()[0], later(*lesions)[0]])
    scored = response.comparisons[0].scores[0]
    assert scored.verdict.category == category
    assert scored.verdict.possible == (category,)
    assert len(response.comparisons[0].new) == (len(COME) if category == "PD" else 0)


def test_without_outlines_the_numbers_still_agree() -> None:
    exams = [Exam(e.name, e.reading) for e in (before()[0], later(*STAY)[0])]
    response = compare(exams)
    assert response.comparisons[0].new == ()
    assert len(response.comparisons[0].resolved) == len(GO)
    assert "PD" in response.comparisons[0].scores[0].verdict.possible
