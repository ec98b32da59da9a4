"""A cohort: every Reading below a folder, named as evaluation and marks name it."""

from __future__ import annotations

from dataclasses import dataclass
from json import JSONDecodeError
from pathlib import Path

from osteoscope.deliver.evaluation_inputs import study_name
from osteoscope.deliver.outputs import read_reading
from osteoscope.deliver.ratings import Problem
from osteoscope.deliver.ratings_json import readings_below
from osteoscope.domain.reading import Reading
from osteoscope.errors import IntakeError, InvalidValueError


@dataclass(frozen=True, eq=False)
class Member:
    """A Reading of a cohort: its study's name, its file."""

    study: str
    file: Path
    reading: Reading

    @property
    def patient(self) -> str:
        """Its patient's id, or the study where none is stated."""
        return self.reading.study.patient.id or self.study


@dataclass(frozen=True)
class Cohort:
    """All Readings below a folder, and the files that could not be used."""

    members: tuple[Member, ...]
    problems: tuple[Problem, ...]


def open_cohort(folder: Path) -> Cohort:
    """The Readings below a folder, of CT and planar scans.

    Raises:
        IntakeError: there is no such folder, or no Reading that can be used.
    """
    if not folder.exists():
        raise IntakeError(f"report {folder}", "no such folder", "Give a folder of results of `osteoscope read`")
    files = [folder] if folder.is_file() else readings_below(folder)
    members, problems = [], []
    for file in files:
        try:
            members.append(
                Member(study_name(file, folder if folder.is_dir() else file.parent), file, read_reading(file))
            )
        except (OSError, InvalidValueError, JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
            found = f"it is no reading.json of this version ({error})"
            problems.append(Problem(str(file), None, "", found, "Read the study again"))
    if not members:
        why = f" ({problems[0]})" if problems else ""
        raise IntakeError(f"report {folder}", f"no reading.json that can be used{why}", "Give results of `read`")
    return Cohort(tuple(members), tuple(problems))
