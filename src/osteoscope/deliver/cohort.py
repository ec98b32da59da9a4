"""A cohort: every Reading below a folder, named as evaluation and marks name it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from json import JSONDecodeError
from pathlib import Path

from osteoscope.deliver.outputs import read_reading
from osteoscope.deliver.ratings import Problem
from osteoscope.deliver.ratings_json import readings_below
from osteoscope.deliver.study_files import study_name
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
    """The Readings below a folder, of CT and planar scans; files of one name are told apart by their place below it.

    Raises:
        IntakeError: there is no such folder, or no Reading that can be used.
    """
    if not folder.exists():
        raise IntakeError(f"report {folder}", "no such folder", "Give a folder of results of `osteoscope read`")
    files = [folder] if folder.is_file() else readings_below(folder)
    members, problems = [], []
    names = _apart(files, folder if folder.is_dir() else folder.parent)
    for file, name in zip(files, names, strict=True):
        try:
            members.append(Member(name, file, read_reading(file)))
        except (OSError, InvalidValueError, JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
            found = f"it is no reading.json of this version ({error})"
            problems.append(Problem(str(file), None, "", found, "Read the study again"))
    if not members:
        why = f" ({problems[0]})" if problems else ""
        raise IntakeError(f"report {folder}", f"no reading.json that can be used{why}", "Give results of `read`")
    return Cohort(tuple(members), tuple(problems))


def _apart(files: Sequence[Path], folder: Path) -> list[str]:
    """A name for the study of each file, no two alike: where several would share it, the path below the folder."""
    names, places = [study_name(file, folder) for file in files], [file.relative_to(folder) for file in files]
    for longer in ([place.with_suffix("").as_posix() for place in places], [place.as_posix() for place in places]):
        times = Counter(names)
        names = [long if times[name] > 1 else name for name, long in zip(names, longer, strict=True)]
    return names if len(set(names)) == len(names) else [place.as_posix() for place in places]
