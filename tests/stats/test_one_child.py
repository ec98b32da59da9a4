from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import pytest
from box_child import dated
from score_cases import case, foci, patch

from osteoscope.domain.anatomy import SIOPEN
from osteoscope.domain.finding import Finding
from osteoscope.domain.reading import Input, ModelRecord, Provenance
from osteoscope.domain.study import Acquisition, Patient
from osteoscope.errors import UnsuitableStudyError
from osteoscope.measure.score_choices import in_words
from osteoscope.measure.score_tables import ScoreOptions
from osteoscope.stats.lesion_identity import Exam
from osteoscope.stats.one_child import SCORING, check_together

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


def read_by(exam: Exam, *models: ModelRecord, kind: Literal["program", "person"] = "program", **settings: str) -> Exam:
    reader = replace(exam.reading.reader, kind=kind, models=models)
    return replace(exam, reading=replace(exam.reading, reader=reader, provenance=Provenance("t", (), settings)))


def said_of(*exams: Exam) -> list[str]:
    return [
        note for note in check_together(exams) if note.startswith(("Different scoring settings", "Different models"))
    ]


def test_dates_scored_under_different_settings_are_a_note_that_names_them() -> None:
    one = read_by(FIRST, plan="a", comment="one", accepted="0.5", sacrum="spine", together="1.5")
    other = read_by(SECOND, plan="b", accepted="0.3", sacrum="spine")
    (said,) = said_of(one, other)
    assert said.startswith(
        "Different scoring settings: accepted=0.5, together=1.5 in 2026-01-01, "
        "accepted=0.3, together=not stated in 2026-05-01."
    )
    assert "not the disease" in said
    assert said_of(one, read_by(SECOND, plan="c", accepted="0.5", sacrum="spine", together="1.5")) == []
    assert said_of(one, SECOND) == []


def test_every_choice_of_scoring_is_compared() -> None:
    assert set(in_words(ScoreOptions())) == set(SCORING)


def test_dates_read_by_different_models_are_a_note_that_names_them() -> None:
    shipped, later = ModelRecord("planar", "1", "ab" * 32), ModelRecord("planar", "1", "cd" * 32)
    assert said_of(read_by(FIRST, shipped), read_by(SECOND, shipped)) == []
    (said,) = said_of(read_by(FIRST, shipped), read_by(SECOND, later))
    assert said.startswith("Different models: planar 1 (abababababab) in 2026-01-01, planar 1 (cdcdcdcdcdcd) in")
    adapted = ModelRecord("siopen-adaptation", "7", "ef" * 32)
    (said,) = said_of(read_by(FIRST), read_by(SECOND, adapted))
    assert said.startswith("Different models: none in 2026-01-01, siopen-adaptation 7 (efefefefefef) in 2026-05-01")
    assert said_of(read_by(FIRST, shipped), read_by(SECOND, kind="person")) == []


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


def scored(date: str, findings: list[Finding]) -> Exam:
    """As the program reads the box-shaped child, each segment naming its findings."""
    made, given = case(findings), dated(findings, date=date)
    sites = tuple(
        replace(s, evidence=tuple(f.id for f in findings if f.site in SIOPEN.get(s.site, ()))) for s in made.sites
    )
    return replace(given, reading=replace(given.reading, sites=sites))


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ([], foci("skull", 1, 0.4, start=9), ["skull rose from 0 in 2026-01-01 to 1 in 2026-05-01"]),
        (foci("skull", 1), [*foci("skull", 1), *foci("skull", 1, 0.4, start=9)], ["skull rose from 1"]),
        ([], foci("skull", 1, 0.6, start=9), []),
        (foci("skull", 1, 0.4), foci("skull", 1, 0.4), []),
        ([], foci("skull", 1, 0.2), []),
        ([patch("skull", 5)], [patch("skull", 15), *foci("skull", 1, 0.4)], []),
    ],
)
def test_a_level_that_rose_on_faint_findings_is_told(
    before: list[Finding], now: list[Finding], told: list[str]
) -> None:
    sick = foci("pelvis", 3, start=20)
    notes = check_together([scored("2026-01-01", [*sick, *before]), scored("2026-05-01", [*sick, *now])])
    said = [note for note in notes if "not called new lesions" in note]
    assert len(said) == len(told)
    assert all(words in note for words, note in zip(told, said, strict=True))
