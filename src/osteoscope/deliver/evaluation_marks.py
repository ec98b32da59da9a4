"""A radiologist's marks on findings, from a CSV: was the size, the place, the detection right?

Columns: "study", one or more of "size", "location", "detection" (also "size_right" and so on), and "finding" and
"reader" if one likes; a row per finding (and reader). Cells: yes / no, 1 / 0, right / wrong, true / false, or blank for
not judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from osteoscope.deliver.ratings import Problem
from osteoscope.deliver.ratings_text import lines
from osteoscope.errors import IntakeError

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
class Marks:
    """Answers to every question, as (patient, right), all one by one, and what could not be used."""

    answers: Mapping[str, tuple[tuple[str, bool], ...]]
    problems: tuple[Problem, ...]
    rows: tuple[Mark, ...] = ()


def read_marks(path: Path, patients: Mapping[str, str]) -> Marks:
    """The marks of a CSV.

    Args:
        path: of the file.
        patients: patient of every study evaluated; marks on others are not used.

    Raises:
        IntakeError: the file cannot be read, or lacks the columns.
    """
    rows = lines(path)
    header = [word.lower().removesuffix("_right") for word in next(rows, (1, []))[1]]
    asked = [question for question in QUESTIONS if question in header]
    if "study" not in header or not asked:
        found = f"columns {', '.join(header) or 'none'}"
        raise IntakeError(f"read marks {path}", found, f"Name study and one or more of {', '.join(QUESTIONS)}")
    answers: dict[str, list[tuple[str, bool]]] = {question: [] for question in asked}
    problems: list[Problem] = []
    marks: list[Mark] = []
    for number, cells in rows:
        row = dict(zip(header, cells, strict=False))
        study = row.get("study", "")
        if any(cells) and study not in patients:
            problems.append(Problem(path.name, number, "study", f"{study!r}, not evaluated", "Name it as evaluated"))
            continue
        for question in asked:
            word = row.get(question, "").lower()
            if word in _ANSWERS:
                answers[question].append((patients[study], _ANSWERS[word]))
                about = (row.get("reader", ""), study, patients[study], row.get("finding", ""))
                marks.append(Mark(*about, question, _ANSWERS[word]))
            elif word:
                problems.append(Problem(path.name, number, question, f"{word!r}", "Give yes, no or a blank"))
    return Marks({question: tuple(given) for question, given in answers.items()}, tuple(problems), tuple(marks))
