"""A radiologist's marks on findings, from a CSV: was the size, the place, the detection right?

Columns: "study", one or more of "size", "location", "detection" (also "size_right" and so on), and "finding" and
"reader" if one likes; a row per finding (and reader). Cells: yes / no, 1 / 0, right / wrong, true / false, or blank for
not judged. A finding that a study does not have, and answers of one reader that contradict each other, are told and
not counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from osteoscope.deliver.ratings import Problem
from osteoscope.deliver.ratings_text import lines
from osteoscope.errors import IntakeError

_SHOWN = 4
QUESTIONS = ("size", "location", "detection")
_ANSWERS = {
    **dict.fromkeys(("yes", "y", "1", "right", "true"), True),
    **dict.fromkeys(("no", "n", "0", "wrong", "false"), False),
}


@dataclass(frozen=True)
class Mark:
    """One answer: of which reader ("" where not said), on which finding of which study."""

    reader: str
    study: str
    patient: str
    finding: str
    question: str
    right: bool


@dataclass(frozen=True)
class Marked:
    """A study that marks may be about: its patient, and the ids of its findings."""

    patient: str
    findings: frozenset[str]


@dataclass(frozen=True)
class Marks:
    """Answers to every question, as (patient, right), all one by one, and what could not be used."""

    answers: Mapping[str, tuple[tuple[str, bool], ...]]
    problems: tuple[Problem, ...]
    rows: tuple[Mark, ...] = ()


def read_marks(path: Path, studies: Mapping[str, Marked]) -> Marks:
    """The marks of a CSV.

    Args:
        path: of the file.
        studies: every study evaluated; marks on others, and on findings that they do not have, are not used.

    Raises:
        IntakeError: the file cannot be read, or lacks the columns.
    """
    rows = lines(path)
    header = [word.lower().removesuffix("_right") for word in next(rows, (1, []))[1]]
    asked = [question for question in QUESTIONS if question in header]
    if "study" not in header or not asked:
        found = f"columns {', '.join(header) or 'none'}"
        raise IntakeError(f"read marks {path}", found, f"Name study and one or more of {', '.join(QUESTIONS)}")
    problems: list[Problem] = []
    given: list[tuple[int, Mark]] = []
    for number, cells in rows:
        row = dict(zip(header, cells, strict=False))
        if not any(cells):
            continue
        stranger = _stranger(row, studies)
        if stranger is not None:
            problems.append(Problem(path.name, number, *stranger))
            continue
        study = row["study"]
        about = (row.get("reader", ""), study, studies[study].patient, row.get("finding", ""))
        for question in asked:
            word = row.get(question, "").lower()
            if word in _ANSWERS:
                given.append((number, Mark(*about, question, _ANSWERS[word])))
            elif word:
                problems.append(Problem(path.name, number, question, f"{word!r}", "Give yes, no or a blank"))
    marks, repeated = _once(path.name, given)
    answers = {question: tuple((m.patient, m.right) for m in marks if m.question == question) for question in asked}
    return Marks(answers, (*problems, *repeated), marks)


def _stranger(row: Mapping[str, str], studies: Mapping[str, Marked]) -> tuple[str, str, str] | None:
    """Column, what it says and a remedy where a row is about a study or a finding that is not there."""
    study, finding = row.get("study", ""), row.get("finding", "")
    if study not in studies:
        return "study", f"{study!r}, not evaluated", "Name it as evaluated"
    if finding and finding not in studies[study].findings:
        known = ", ".join(sorted(studies[study].findings)[:_SHOWN]) or "none"
        return "finding", f"{finding!r}, which {study!r} does not have ({known})", "Name it by its id in the reading"
    return None


def _once(file: str, given: Sequence[tuple[int, Mark]]) -> tuple[tuple[Mark, ...], tuple[Problem, ...]]:
    """Each answer once; of answers that contradict each other none, since nobody knows which is meant.

    Marks that name no finding may be about several of them, so that they never repeat each other.
    """
    alike: dict[tuple[str, ...], list[tuple[int, Mark]]] = {}
    for number, mark in given:
        which = mark.finding or f" line {number}"
        alike.setdefault((mark.reader, mark.study, which, mark.question), []).append((number, mark))
    kept, problems = [], []
    for (first, mark), *others in alike.values():
        agree = all(other.right == mark.right for _, other in others)
        kept += [mark] if agree else []
        said, end = ("the same answer", "counted once") if agree else ("answers that contradict", "none is counted")
        for number, other in others:
            about = f"reader {other.reader!r} on {other.finding!r} of {other.study!r}"
            found = f"{said}, of {about}, also in row {first}; {end}"
            problems.append(Problem(file, number, mark.question, found, "Keep one row", lost=not agree))
    return tuple(kept), tuple(problems)
