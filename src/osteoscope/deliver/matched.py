"""Studies of several readers put together by one key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from osteoscope.deliver.ratings import Problem, Rated, Ratings

STUDY, PATIENT_AND_STUDY, MIXED = "study", "patient and study", "study of one reader, patient of another"
# The finer before the coarser.
KEYS: Mapping[str, Callable[[Rated], tuple[str, ...]]] = MappingProxyType(
    {
        STUDY: lambda one: (one.study,),
        PATIENT_AND_STUDY: lambda one: (one.patient, one.study),
        "patient and date": lambda one: (one.patient, one.date),
        "patient": lambda one: (one.patient,),
        MIXED: lambda one: (one.study or one.patient,),
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
        problems: rows that could not be told apart by that key, or whose patients contradict each other.
    """

    readers: tuple[str, ...]
    key: str
    cases: tuple[Case, ...]
    unmatched: tuple[Unmatched, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Tried:
    """What a key makes of the studies.

    Args:
        matched: without the contradicting ones.
        contradicting: what two readers call the same study and give to two patients.
        agreeing: how many studies two readers give to the same patient.
    """

    matched: Matched
    contradicting: tuple[Case, ...] = ()
    agreeing: int = 0


def carried(ratings: Sequence[Ratings], key: str) -> bool:
    """Whether every row holds all parts of a key."""
    rows = [one for reader in ratings for one in reader.rated]
    return bool(rows) and all(all(KEYS[key](one)) for one in rows)


def try_key(ratings: Sequence[Ratings], key: str) -> Tried:
    """Put the studies together by a key that every row carries."""
    of, readers = KEYS[key], tuple(reader.reader for reader in ratings)
    problems, tables = [], list[dict[tuple[str, ...], Rated]]()
    for reader in ratings:
        times = Counter(of(one) for one in reader.rated)
        tables.append({of(one): one for one in reader.rated if times[of(one)] == 1})
        problems += [_twice(one, key) for one in reader.rated if times[of(one)] > 1]
    cases, unmatched, contradicting, agreeing = [], [], [], 0
    for parts in dict.fromkeys(parts for table in tables for parts in table):
        rated = tuple(table.get(parts) for table in tables)
        case = Case(" ".join(parts), _patient(rated, parts), rated)
        given, patients = [one is not None for one in rated], _patients(rated, key)
        if len(set(patients)) > 1:
            contradicting.append(case)
            continue
        agreeing += len(patients) > 1
        if sum(given) > 1:
            cases.append(case)
        if not all(given):
            unmatched.append(_unmatched(case, readers, given))
    problems += [told(case, "it is left out", lost=True) for case in contradicting]
    made = Matched(readers, key, tuple(cases), tuple(unmatched), tuple(problems))
    return Tried(made, tuple(contradicting), agreeing)


def told(case: Case, so: str, lost: bool) -> Problem:
    """That readers give a study to two patients, and what follows."""
    named = {one.patient: one for one in case.rated if one and one.patient}
    last = list(named.values())[-1]
    found = f"study {case.label!r} is of patient {' and '.join(map(repr, named))}; {so}"
    return Problem(last.file, last.row, "patient", found, "Give studies and patients the same ids in all files", lost)


def _twice(one: Rated, key: str) -> Problem:
    found = f"{one.label!r}: its reader has this {key} more than once, and not all readers give more to tell by"
    return Problem(one.file, one.row, "", found, "Give patient and study, or a date, in every file")


def _patient(rated: Iterable[Rated | None], parts: tuple[str, ...]) -> str:
    return next((one.patient for one in rated if one and one.patient), parts[0])


def _patients(rated: Iterable[Rated | None], key: str) -> list[str]:
    """As each reader names the patient; a patient that stands for the study of others is no name beside theirs."""
    return [one.patient for one in rated if one and one.patient and (one.study or key != MIXED)]


def _unmatched(case: Case, readers: Sequence[str], given: Sequence[bool]) -> Unmatched:
    read_by = tuple(name for name, there in zip(readers, given, strict=True) if there)
    sources = tuple(f"{one.file}, row {one.row}" if one.row else one.file for one in case.rated if one)
    return Unmatched(case.label, read_by, tuple(n for n in readers if n not in read_by), len(read_by) >= 2, sources)
