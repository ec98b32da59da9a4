"""Which study of one reader is which study of another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from osteoscope.deliver.matched import (
    KEYS,
    MIXED,
    PATIENT_AND_STUDY,
    STUDY,
    Case,
    Matched,
    Tried,
    carried,
    told,
    try_key,
)
from osteoscope.deliver.ratings import Level, Ratings
from osteoscope.errors import IntakeError
from osteoscope.stats.ratings import Coverage, Panel, Scale

_SHOWN = 3


def match(ratings: Sequence[Ratings]) -> Matched:
    """Put the studies of all readers together.

    By study id, or by patient and study id where that matches more; where no study is shared by these, by patient and
    date, by patient, or by the study of one reader and the patient of another. Study ids that readers give to
    different patients more often than to the same are none that they share, and the key that matches most of the
    others is taken; else studies whose patients contradict each other are left out.

    Raises:
        IntakeError: no two readers share a study, by any key.
    """
    keys = [key for key in KEYS if carried(ratings, key)]
    tried = {key: try_key(ratings, key) for key in keys if key != MIXED or STUDY not in keys}
    by_study = tried.get(STUDY)
    if by_study and _are_no_ids(by_study, ratings):
        found = _most([one.matched for key, one in tried.items() if key != STUDY])
        if found.cases:
            wrong = len(by_study.contradicting)
            share = f"{wrong} of {wrong + by_study.agreeing} studies"
            so = f"as in {share}, ids of studies are not shared: matched by {found.key}"
            return replace(found, problems=(*found.problems, told(by_study.contradicting[0], so, lost=False)))
    else:
        fine = _most([tried[key].matched for key in (STUDY, PATIENT_AND_STUDY) if key in tried])
        for found in (fine, *(one.matched for one in tried.values())):
            if found.cases:
                return found
    raise IntakeError("compare readers", _nothing(ratings, tried), "Give the studies the same ids in all files")


def _are_no_ids(by_study: Tried, ratings: Sequence[Ratings]) -> bool:
    """Whether equal study ids of two readers are of different patients, by patient ids that the readers do share."""
    given = Counter(patient for reader in ratings for patient in {one.patient for one in reader.rated if one.patient})
    shared = any(times > 1 for times in given.values())
    return shared and len(by_study.contradicting) > 0 and len(by_study.contradicting) >= by_study.agreeing


def _most(found: Sequence[Matched]) -> Matched:
    """The one of most cases, of several the first; an empty one of none."""
    return max(found, key=lambda one: len(one.cases), default=Matched((), "", (), (), ()))


def _nothing(ratings: Sequence[Ratings], tried: Mapping[str, Tried]) -> str:
    """Which ids each reader has, the first fault of those that have none, and why ids in common do not match."""
    shown = []
    for reader in ratings:
        ids = ", ".join(one.label for one in reader.rated[:_SHOWN]) + (", ..." if len(reader.rated) > _SHOWN else "")
        faults = f"nothing, {reader.problems[0]}" if reader.problems else "nothing"
        shown.append(f"{reader.reader}: {ids or faults}")
    why = dict.fromkeys(str(problem) for one in tried.values() for problem in one.matched.problems)
    return f"no study in common ({'; '.join(shown)})" + "".join(f"; {words}" for words in list(why)[:_SHOWN])


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
