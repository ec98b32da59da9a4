from __future__ import annotations

import pytest
from examples import ct
from hypothesis import given
from hypothesis import strategies as st

from osteoscope.domain.finding import Measure, Point
from osteoscope.report import wording


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (3, "3"),
        (3.149, "3.15"),
        (0.1234, "0.123"),
        (0.5, "0.5"),
        (14.4444, "14.4"),
        (412.25, "412"),
        (-57.3, "−57.3"),
        (1e-7, "0"),
        (123456.7, "123457"),
    ],
)
def test_numbers(value: float, text: str) -> None:
    assert wording.number(value) == text


@given(st.floats(-1e6, 1e6))
def test_numbers_are_true_to_half_a_per_cent_or_a_two_thousandth(value: float) -> None:
    text = wording.number(value)
    assert "e" not in text
    assert float(text.replace("−", "-")) == pytest.approx(value, rel=0.0051, abs=0.000501)


def spaced(text: str) -> str:
    """With spaces that a line may break at, as a reader sees no difference."""
    return text.replace(wording.JOINED, " ")


def test_quantities() -> None:
    assert spaced(wording.quantity(Measure("volume", 21.6, "mL", "m", (19.44, 24.84)))) == "21.6 mL (19.4 to 24.8)"
    assert spaced(wording.quantity(Measure("siopen_total", 7, "{score}", "m", (6, 9)), "of 72")) == "7 of 72 (6 to 9)"
    assert spaced(wording.quantity(Measure("hu_mean", -20.5, "[hnsf'U]", "m"))) == "−20.5 HU"


def test_places() -> None:
    assert spaced(wording.place(Point("LPS", "mm", (-8.2, 11.9, 215)))) == "R 8, P 12, H 215 mm"
    assert spaced(wording.place(Point("LPS", "mm", (8.2, -11.9, -215)))) == "L 8, A 12, F 215 mm"
    assert spaced(wording.place(Point("posterior", "pixel", (155.2, 74.5)))) == "posterior, row 155, column 74 (pixels)"


@pytest.mark.parametrize(
    ("site", "name"),
    [
        ("hip_left", "Left hip bone"),
        ("vertebra_L3", "Vertebra L3"),
        ("vertebra_unknown_2", "Vertebra (level uncertain) no. 2"),
        ("rib_left_unknown_1", "Left rib (level uncertain) no. 1"),
    ],
)
def test_sites(site: str, name: str) -> None:
    assert wording.site_name(site) == name


@pytest.mark.parametrize(
    ("years", "text"),
    [
        (None, "not stated"),
        (0.01, "under one month"),
        (1 / 12, "1 month"),
        (1.5, "18 months"),
        (3.5, "3.5 years"),
        (4.0, "4 years"),
        (62.4, "62 years"),
    ],
)
def test_ages(years: float | None, text: str) -> None:
    assert wording.age(years) == text


def test_places_of_gaps() -> None:
    reading = ct().reading
    assert wording.where(reading, "lesion-2") == "Finding 2"
    assert wording.where(reading, "sacrum") == "Sacrum"
    assert wording.where(reading, "study") == "Study"
    assert wording.where(reading, "lesion-9") == "Lesion-9"
