from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from box_child import dated

from osteoscope.domain.reading import Input, Provenance
from osteoscope.domain.study import Acquisition, Patient
from osteoscope.errors import UnsuitableStudyError
from osteoscope.stats.lesion_identity import Exam
from osteoscope.stats.one_child import check_together

FIRST, SECOND = dated(date="2026-01-01"), dated(date="2026-05-01")


def study(exam: Exam, **changes: Any) -> Exam:
    return replace(exam, reading=replace(exam.reading, study=replace(exam.reading.study, **changes)))


def with_input(exam: Exam) -> Exam:
    return replace(exam, reading=replace(exam.reading, provenance=Provenance("t", (Input("a.dcm", "ab12"),))))


def test_two_dates_of_one_child_need_no_word_but_on_the_tracer() -> None:
    assert check_together([FIRST, SECOND]) == (
        "2026-01-01 states no tracer: taken for mIBG",
        "2026-05-01 states no tracer: taken for mIBG",
    )


@pytest.mark.parametrize(
    ("exams", "said"),
    [
        ([FIRST, FIRST], "the same study 1.2.20260101 twice"),
        ([with_input(FIRST), with_input(SECOND)], "the same file twice"),
        ([FIRST, study(SECOND, patient=Patient("other"))], "two patients, 'child' and 'other'"),
        ([SECOND, FIRST], "2026-05-01 comes before 2026-01-01"),
        ([FIRST, study(SECOND, kind="ct")], "it is a CT"),
        (
            [
                study(FIRST, acquisition=Acquisition(tracer="mIBG")),
                study(SECOND, acquisition=Acquisition(tracer="bone agent")),
            ],
            "two tracers, 'mIBG' and 'bone agent'",
        ),
    ],
)
def test_what_does_not_belong_together_is_refused_by_name(exams: list[Exam], said: str) -> None:
    with pytest.raises(UnsuitableStudyError) as caught:
        check_together(exams)
    assert said in str(caught.value)
    assert "2026-" in caught.value.asked


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda e: study(e, date=""), "states no date"),
        (lambda e: study(e, date="2026-01-01"), "have one date"),
        (lambda e: study(e, patient=Patient("")), "states no patient id"),
        (lambda e: study(e, acquisition=Acquisition(radionuclide="I-131")), "Different radionuclides: I-123"),
        (lambda e: study(e, patient=Patient("child", name="Other", age_years=5)), "two names"),
        (lambda e: study(e, patient=Patient("child", sex="M")), "Sex F"),
        (lambda e: study(e, patient=Patient("child", age_years=3)), "is older in 2026-01-01"),
    ],
)
def test_what_is_in_doubt_is_a_note(change: Callable[[Exam], Exam], said: str) -> None:
    patient = Patient("child", name="Name", age_years=4, sex="F")
    first = study(FIRST, patient=patient, acquisition=Acquisition(radionuclide="I-123"))
    assert any(said in note for note in check_together([first, change(SECOND)]))


def test_a_user_may_vouch_for_two_ids() -> None:
    notes = check_together([FIRST, study(SECOND, patient=Patient("other"))], same_patient=True)
    assert any("vouched" in note for note in notes)
