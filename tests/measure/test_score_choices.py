from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osteoscope.errors import InvalidValueError
from osteoscope.measure.score_choices import chosen, in_words
from osteoscope.measure.score_tables import BOUNDS, ScoreOptions

options = st.builds(
    ScoreOptions,
    denominator=st.sampled_from(("segment", "unit")),
    half_reaches_5=st.booleans(),
    whole_above=st.floats(0.5, 1),
    foci_beside_patch=st.sampled_from(("apart", "joined")),
    confluence=st.none() | st.floats(0, 1),
    sacrum=st.sampled_from(("spine", "pelvis")),
    accepted=st.floats(0, 1),
)


@given(options)
def test_choices_survive_as_words(made: ScoreOptions) -> None:
    assert chosen([f"{name}={value}" for name, value in in_words(made).items()]) == made


def test_what_is_not_named_keeps_its_default() -> None:
    assert chosen(["half_reaches_5=false", "confluence = 0.5"]) == ScoreOptions(half_reaches_5=False, confluence=0.5)
    assert chosen([]) == ScoreOptions()


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("halves=1", "half_reaches_5"),
        ("half_reaches_5", "true or false"),
        ("half_reaches_5=1", "true or false"),
        ("denominator=bone", "segment or unit"),
        ("accepted=many", "a number"),
        ("accepted=-1", "a number"),
        ("accepted=nan", "a number"),
        ("accepted=none", "a number"),
        ("confluence=long", "none or a number from 0 to 1"),
        ("accepted=5", "value '5'. Give a number from 0 to 1"),
        ("whole_above=2", "value '2'. Give a number from 0.5 to 1"),
        ("missed=1e9", "value '1e9'. Give a number from 0 to 10"),
        ("together=0", "value '0'. Give a number from 1 to 10"),
        ("fraction_error=inf", "value 'inf'. Give a number from 0 to 1"),
    ],
)
def test_a_wrong_choice_says_what_can_be_chosen(word: str, said: str) -> None:
    with pytest.raises(InvalidValueError, match=said):
        chosen([word])


def test_every_number_has_bounds_and_its_default_is_within() -> None:
    numbers = {f.name for f in fields(ScoreOptions) if "float" in str(f.type)}
    assert set(BOUNDS) == numbers


@pytest.mark.parametrize("name", BOUNDS)
def test_options_beyond_their_bounds_cannot_be_built(name: str) -> None:
    least, most = BOUNDS[name]
    for value in (least, most):
        assert getattr(ScoreOptions(**{name: value}), name) == value  # type: ignore[arg-type]
    for value in (least - 0.1, most + 0.1, float("nan")):
        with pytest.raises(InvalidValueError, match=f"{name} of {value:g}. Give a number from {least:g} to {most:g}"):
            ScoreOptions(**{name: value})  # type: ignore[arg-type]
