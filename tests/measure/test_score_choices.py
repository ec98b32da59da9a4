from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osteoscope.errors import InvalidValueError
from osteoscope.measure.score_choices import chosen, in_words
from osteoscope.measure.score_tables import ScoreOptions

options = st.builds(
    ScoreOptions,
    denominator=st.sampled_from(("segment", "unit")),
    half_reaches_5=st.booleans(),
    whole_above=st.floats(0, 1),
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
        ("confluence=long", "none or a number"),
    ],
)
def test_a_wrong_choice_says_what_can_be_chosen(word: str, said: str) -> None:
    with pytest.raises(InvalidValueError, match=said):
        chosen([word])
