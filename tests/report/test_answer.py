"""What the first screen says: summaries and limits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from examples import ct, empty, planar

from osteoscope.domain.finding import Measure
from osteoscope.domain.reading import Gap, Reader, Reading
from osteoscope.report import answer
from osteoscope.report.answer import limits
from osteoscope.report.wording import JOINED


def summary(reading: Reading) -> tuple[str, ...]:
    """The summary with plain spaces."""
    return tuple(sentence.replace(JOINED, " ") for sentence in answer.summary(reading))


def test_findings_and_amount_with_interval() -> None:
    assert summary(ct().reading) == (
        "3 possible bone lesions at 3 sites: 1 lytic, 1 blastic, 1 mixed; 1 with a confidence below 50 %.",
        "Lesion volume 21.6 mL (19.4 to 24.8).",
    )
    assert summary(planar().reading) == (
        "4 possible foci of uptake at 4 sites: 3 focal, 1 diffuse.",
        "SIOPEN score 7 of 72 (0 to 40); Curie score 6 of 30 (0 to 40).",
    )


@pytest.mark.parametrize(
    ("interval", "said"), [((2, 3), False), ((3, 4), True), ((0, 40), True), ((4, 9), False), (None, False)]
)
def test_a_cut_off_within_the_interval_is_flagged(interval: tuple[float, float] | None, said: bool) -> None:
    reading = planar().reading
    totals = tuple(
        replace(m, value=interval[0] if interval else 3, interval=interval) if m.name == "siopen_total" else m
        for m in reading.measures
    )
    flags = [line for line in limits(replace(reading, measures=totals)) if line.startswith("SIOPEN <= 3")]
    assert bool(flags) == said
    if flags and interval:
        assert flags[0].endswith(f"within the interval {interval[0]} to {interval[1]}")


def test_a_person_does_not_find_possible_lesions() -> None:
    reading = replace(ct(lesions=1).reading, reader=Reader("person", "A"))
    assert summary(reading)[0] == "1 bone lesion at 1 site: 1 lytic."


def test_nothing_found_is_limited_to_what_was_assessed() -> None:
    assert summary(planar(found=False).reading)[0] == "No focus of uptake was found where the images could be assessed."


def test_not_scored_is_no_statement_and_gives_the_reason() -> None:
    reading = replace(empty(planar()).reading, gaps=(Gap("study", "score", "the tracer is 99mTc: not scored"),))
    assert summary(reading) == ("No statement on foci of uptake can be made.", "The tracer is 99mTc: not scored.")


def test_a_failed_search_is_not_an_empty_one() -> None:
    reading = replace(ct(lesions=0).reading, gaps=(Gap("study", "findings", "MemoryError: 3 GiB"),))
    assert summary(reading) == ("No statement on bone lesions can be made.", "MemoryError: 3 GiB.")


@pytest.mark.parametrize("step", ["sites", "findings"])
def test_a_study_that_was_not_searched_is_no_empty_one_and_the_reason_comes_first(step: str) -> None:
    limits_of_plan = (Gap("study", "detect", "trained on simulations"), Gap("study", "model", "an old one"))
    why = Gap("study", step, "no part of the skeleton was found")
    reading = replace(ct(lesions=0).reading, gaps=(*limits_of_plan, why))
    assert summary(reading) == (
        "No statement on bone lesions can be made.", "No part of the skeleton was found.", "Trained on simulations.",
    )  # fmt: skip


def test_findings_without_an_amount() -> None:
    reading = replace(ct().reading, measures=(), gaps=(Gap("study", "burden", "no volume"),))
    assert summary(reading)[1:] == ("The amount could not be measured.", "No volume.")


def test_any_other_amount_is_better_than_none() -> None:
    burden = Measure("volume", 3.2, "mL", "true shape")
    assert summary(replace(ct().reading, measures=(burden,)))[1:] == ("Volume 3.20 mL.",)


def test_limits_of_one_view_without_pixel_size() -> None:
    said = limits(planar(("posterior",), spacing=False).reading)
    assert said[0] == "One view only: there is no anterior image"
    assert "Guessed at intake, to be checked by the reader: view" in said
    assert "The size of a pixel is not known: no lengths in millimetres" in said
    assert "Left distal lower limb: below the field of view" in said
    assert any(line.startswith("Not acquired: Right distal lower limb, left distal lower limb") for line in said)
    assert "View code missing: detector 1 taken as anterior" in said


def test_limits_of_a_volume() -> None:
    assert limits(ct().reading) == (
        "Level uncertain: Vertebra (level uncertain) no. 1",
        "Sacrum: the lesion touches the edge of the field of view",
    )


def test_a_type_that_the_voxels_do_not_bear_out_is_a_limit() -> None:
    reading = ct().reading
    none = (Measure("lytic_fraction", 0.0, "1", "m"), Measure("blastic_fraction", 0.0, "1", "m"))
    dense = (Measure("lytic_fraction", 0.0, "1", "m"), Measure("blastic_fraction", 0.9, "1", "m"))
    first, second, third = reading.findings
    found = (replace(first, measures=none), replace(second, measures=dense), replace(third, measures=dense))
    assert "Type not settled by attenuation: Finding 1 (lytic or mixed), finding 3 (mixed or blastic)" in limits(
        replace(reading, findings=found)
    )


def test_nothing_is_said_twice() -> None:
    reading = planar(("posterior",), found=False).reading
    noted = tuple(replace(site, notes=("one view only",)) for site in reading.sites)
    unscored = replace(reading, sites=noted, measures=(), gaps=(Gap("study", "score", "not mIBG."),))
    assert "Not mIBG." in summary(unscored)
    lines = limits(unscored)
    assert [line for line in lines if "view only" in line] == ["One view only: there is no anterior image"]
    assert not any("mIBG" in line for line in lines)


def test_many_sites_with_one_limit_are_one_line() -> None:
    reading: Reading = ct().reading
    noted = tuple(replace(site, notes=("cut by the field of view",)) for site in reading.sites)
    line = next(line for line in limits(replace(reading, sites=noted)) if line.startswith("Cut by"))
    assert line.endswith("vertebra L5 and 3 more")


def test_no_limits() -> None:
    assert limits(empty(ct()).reading) == ()
