"""Which study of one reader is which study of another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from osteoscope.deliver.ratings import Level, Problem, Rated, Ratings
from osteoscope.errors import IntakeError
from osteoscope.stats.ratings import Coverage, Panel, Scale

# Tried in this order: the first that all rows carry and by which two readers share a study.
KEYS: Mapping[str, Callable[[Rated], tuple[str, ...]]] = MappingProxyType(
    {
        "study": lambda one: (one.study,),
        "patient and date": lambda one: (one.patient, one.date),
        "patient": lambda one: (one.patient,),
        "study of one reader, patient of another": lambda one: (one.study or one.patient,),
    }
)


@dataclass(frozen=True)
class Case:
    """A study that at least two readers rated: its label, its patient, and the rating of each reader, in order."""

    label: str
    patient: str
    rated: tuple[Rated | None, ...]


@dataclass(frozen=True)
class Unmatched:
    """A study that not every reader rated.

    Args:
        case: its label.
        read_by, not_read_by: readers.
        compared: whether two of them did, so that it enters their figures.
        sources: files and rows that name it.
    """

    case: str
    read_by: tuple[str, ...]
    not_read_by: tuple[str, ...]
    compared: bool
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Matched:
    """The studies of all readers put together.

    Args:
        readers: names; the first is the reference.
        key: how studies were told apart, one of `KEYS`.
        cases, unmatched: those to compare, and those that not all readers rated.
        problems: rows that could not be told apart by that key.
    """

    readers: tuple[str, ...]
    key: str
    cases: tuple[Case, ...]
    unmatched: tuple[Unmatched, ...]
    problems: tuple[Problem, ...]


def match(ratings: Sequence[Ratings]) -> Matched:
    """Put the studies of all readers together.

    Raises:
        IntakeError: no two readers share a study, by any key.
    """
    for key, of in KEYS.items():
        everyone = [of(one) for reader in ratings for one in reader.rated]
        if not everyone or not all(all(parts) for parts in everyone):
            continue
        found = _matched(ratings, key)
        if found.cases:
            return found
    raise IntakeError("compare readers", _nothing(ratings), "Give the studies the same ids in all files")


def _nothing(ratings: Sequence[Ratings]) -> str:
    """Which ids each reader has, and the first fault of those that have none."""
    shown = []
    for reader in ratings:
        ids = ", ".join(one.label for one in reader.rated[:3]) + (", ..." if len(reader.rated) > 3 else "")
        faults = f"nothing, {reader.problems[0]}" if reader.problems else "nothing"
        shown.append(f"{reader.reader}: {ids or faults}")
    return f"no study in common ({'; '.join(shown)})"


def _matched(ratings: Sequence[Ratings], key: str) -> Matched:
    of = KEYS[key]
    problems, tables = [], list[dict[tuple[str, ...], Rated]]()
    for reader in ratings:
        times = Counter(of(one) for one in reader.rated)
        tables.append({of(one): one for one in reader.rated if times[of(one)] == 1})
        problems += [_twice(one, key) for one in reader.rated if times[of(one)] > 1]
    cases, unmatched = [], []
    for parts in dict.fromkeys(parts for table in tables for parts in table):
        rated = tuple(table.get(parts) for table in tables)
        case = Case(" ".join(parts), _patient(rated, parts), rated)
        given = [one is not None for one in rated]
        if sum(given) >= 2:
            cases.append(case)
        if not all(given):
            unmatched.append(_unmatched(case, [r.reader for r in ratings], given))
        problems += _patients_differ(case)
    return Matched(tuple(r.reader for r in ratings), key, tuple(cases), tuple(unmatched), tuple(problems))


def _twice(one: Rated, key: str) -> Problem:
    found = f"{one.label!r}: its reader has this {key} more than once, and not all readers give more to tell by"
    return Problem(one.file, one.row, "", found, "Give a study or date column in every file")


def _patient(rated: Sequence[Rated | None], parts: tuple[str, ...]) -> str:
    return next((one.patient for one in rated if one and one.patient), parts[0])


def _patients_differ(case: Case) -> list[Problem]:
    named = {one.patient: one for one in case.rated if one and one.patient}
    if len(named) < 2:
        return []
    last = list(named.values())[-1]
    found = f"study {case.label!r} is of patient {' and '.join(map(repr, named))}; the first is taken"
    return [Problem(last.file, last.row, "patient", found, "Check the ids", lost=False)]


def _unmatched(case: Case, readers: Sequence[str], given: Sequence[bool]) -> Unmatched:
    read_by = tuple(name for name, there in zip(readers, given, strict=True) if there)
    sources = tuple(f"{one.file}, row {one.row}" if one.row else one.file for one in case.rated if one)
    return Unmatched(case.label, read_by, tuple(n for n in readers if n not in read_by), len(read_by) >= 2, sources)


def panel(matched: Matched, scale: Scale) -> Panel:
    """The levels of all matched cases on one scale, NaN where there is none."""
    cases = matched.cases
    shape = (len(matched.readers), len(cases), len(scale.sites))
    given = [[cell if isinstance(cell, int) else np.nan for case in cases for cell in cells(case, r, scale)]
             for r in range(len(matched.readers))]  # fmt: skip
    labels, patients = tuple(case.label for case in cases), tuple(case.patient for case in cases)
    return Panel(scale, matched.readers, labels, patients, np.array(given, dtype=float).reshape(shape))


def cells(case: Case, reader: int, scale: Scale) -> tuple[Level, ...]:
    """What a reader said of the sites of a scale in a case."""
    rated = case.rated[reader]
    nothing = tuple[Level, ...](["not_read"] * len(scale.sites))
    return rated.levels.get(scale.name, nothing) if rated else nothing


def coverage(matched: Matched, scale: Scale) -> tuple[Coverage, ...]:
    """What every reader said of every site, as counts."""
    found = []
    for number, reader in enumerate(matched.readers):
        said = [cells(case, number, scale) for case in matched.cases if case.rated[number]]
        for place, site in enumerate(scale.sites):
            reasons = Counter(line[place] if isinstance(line[place], str) else "assessed" for line in said)
            counts = (reasons[word] for word in ("assessed", "not_acquired", "not_assessable", "not_read"))
            found.append(Coverage(reader, site, *counts))
    return tuple(found)
