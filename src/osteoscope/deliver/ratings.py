"""One reader's levels of many studies, from a CSV or from reading.json files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from osteoscope.stats.ratings import SCALES, Scale

Missing = Literal["not_acquired", "not_assessable", "not_read"]
Level = int | Missing


@dataclass(frozen=True)
class Problem:
    """Something that could not be used, or that the user should know.

    Args:
        file: where.
        row: line of a CSV, the header being 1; None for a whole file.
        column: of a CSV, or field of a Reading; "" where it is about the whole row.
        found: what was met.
        remedy: what to do.
        lost: whether a rating was left out because of it.
    """

    file: str
    row: int | None
    column: str
    found: str
    remedy: str
    lost: bool = True

    def __str__(self) -> str:
        place = ", ".join(
            filter(
                None, (self.file, f"row {self.row}" if self.row else "", f"column {self.column}" * bool(self.column))
            )
        )
        return f"{place}: {self.found}. {self.remedy}."


@dataclass(frozen=True)
class Rated:
    """What a reader said of one study.

    Args:
        study, patient, date: as given, "" where not; the date in ISO form.
        levels: per scale a level or the reason for none, in the order of the scale's sites.
        file, row: where it was read.
    """

    study: str
    patient: str
    date: str
    levels: Mapping[str, tuple[Level, ...]]
    file: str
    row: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", MappingProxyType(dict(self.levels)))

    @property
    def label(self) -> str:
        """The study as its reader named it."""
        return " ".join(filter(None, (self.patient if self.patient != self.study else "", self.date, self.study)))


@dataclass(frozen=True)
class Ratings:
    """All that one reader said.

    Args:
        reader: name.
        source: the path that it was read from.
        rated: one per study.
        problems: what was met on the way.
    """

    reader: str
    source: str
    rated: tuple[Rated, ...]
    problems: tuple[Problem, ...] = field(default=())


def as_level(text: str, scale: Scale) -> Level | None:
    """A level or the reason for none from its text; None where it is neither.

    "3", "3.0" and "3,0" are levels; blank, "NA" and "not read" mean that the reader did not say.
    """
    word = " ".join(text.lower().replace("_", " ").split())
    if word in _WORDS:
        return _WORDS[word]
    value = as_number(word)
    return int(value) if value is not None and value in range(scale.top + 1) else None


def as_number(text: str) -> float | None:
    """A number with a decimal point or comma; None where it is none."""
    try:
        return float(text.replace(",", ".") if "." not in text else text)
    except ValueError:
        return None


_WORDS: Mapping[str, Missing] = MappingProxyType(
    {
        **dict.fromkeys(("", "na", "n/a", "nan", "-", "not read"), "not_read"),
        "not acquired": "not_acquired",
        "not assessable": "not_assessable",
    }
)


def without_duplicates(rated: Iterable[Rated]) -> tuple[tuple[Rated, ...], tuple[Problem, ...]]:
    """Studies named once; of those named twice none is kept, since nobody knows which is meant."""
    given = list(rated)
    times = Counter(_identity(one) for one in given)
    kept = tuple(one for one in given if times[_identity(one)] == 1)
    problems = []
    for one in (one for one in given if times[_identity(one)] > 1):
        places = ", ".join(_place(two, one) for two in given if _identity(two) == _identity(one) and two is not one)
        found = f"{one.label!r} is here again, also in {places}; none of them is used"
        remedy = "Keep one row per study, or tell scans of one patient apart by a study or date column"
        problems.append(Problem(one.file, one.row, "", found, remedy))
    return kept, tuple(problems)


def _identity(one: Rated) -> tuple[str, str, str]:
    return one.study, one.patient, one.date


def _place(other: Rated, one: Rated) -> str:
    return f"row {other.row}" if other.file == one.file and other.row else other.file


def scales_of(ratings: Sequence[Ratings]) -> tuple[Scale, ...]:
    """The scales on which at least two readers gave a level."""

    def gave(reader: Ratings, scale: str) -> bool:
        return any(isinstance(level, int) for one in reader.rated for level in one.levels.get(scale, ()))

    return tuple(scale for name, scale in SCALES.items() if sum(gave(reader, name) for reader in ratings) >= 2)
