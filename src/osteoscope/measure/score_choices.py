"""Choices of scoring in words: as typed on a command line, and as a Reading keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from types import NoneType
from typing import get_args, get_type_hints

from osteoscope.errors import InvalidValueError
from osteoscope.measure.score_tables import BOUNDS, ScoreOptions

_TYPES = get_type_hints(ScoreOptions)


def chosen(words: Sequence[str]) -> ScoreOptions:
    """Options from words such as "half_reaches_5=false"; what is not named keeps its default.

    Raises:
        InvalidValueError: no such choice, or not one of its values.
    """
    values: dict[str, object] = {}
    for word in words:
        name, _, value = (part.strip().lower() for part in word.partition("="))
        if name not in _TYPES:
            raise InvalidValueError(f"score with {word!r}", f"no choice {name!r}", f"Choose among {', '.join(_TYPES)}")
        named = _named(name)
        number = _number(name, value)
        if value not in named and number is None:
            wanted = [*named, *("a number from {:g} to {:g}".format(*BOUNDS[n]) for n in BOUNDS if n == name)]
            raise InvalidValueError(f"score with {word!r}", f"value {value!r}", f"Give {' or '.join(wanted)}")
        values[name] = named.get(value, number)
    return ScoreOptions(**values)  # type: ignore[arg-type]


def in_words(options: ScoreOptions) -> Mapping[str, str]:
    """Each choice by name, as `chosen` takes it."""
    return {field.name: str(getattr(options, field.name)).lower() for field in fields(options)}


def stated(settings: Mapping[str, object]) -> tuple[str, ...]:
    """The choices that settings of a Reading keep, as `chosen` takes them; other settings are left out."""
    return tuple(f"{name}={settings[name]}" for name in _TYPES if name in settings)


def _named(choice: str) -> Mapping[str, object]:
    """The values of a choice that are words."""
    kind = _TYPES[choice]
    options: tuple[object, ...] = (True, False) if kind is bool else get_args(kind)
    words = (None if option is NoneType else option for option in options if option is not float)
    return {str(word).lower(): word for word in words}


def _number(choice: str, value: str) -> float | None:
    """The number of that choice; None where it takes none, or where this is none within its bounds."""
    try:
        number = float(value)
        least, most = BOUNDS[choice]
    except (ValueError, KeyError):
        return None
    return number if least <= number <= most else None
