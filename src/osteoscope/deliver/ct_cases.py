"""Which CT of a dataset goes with which masks: a table, or a folder per case."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from osteoscope.deliver.ct_case_folder import read_folder
from osteoscope.deliver.ratings import Problem
from osteoscope.deliver.ratings_text import lines
from osteoscope.deliver.table_header import read_header
from osteoscope.errors import IntakeError

_NEEDED, _ALSO = ("ct", "lesions"), ("bones", "patient", "name")
_BETWEEN_FILES = "|"


@dataclass(frozen=True)
class CtCase:
    """One CT with its masks.

    Args:
        name: unique in the dataset, fit for a file's name.
        patient: "" where the CT's own header is to tell.
        ct: file or folder.
        lesions: label maps, DICOM SEGs, structure sets, or a reading.json.
        bones: the same, with bones; None where the package is to find them.
    """

    name: str
    patient: str
    ct: Path
    lesions: tuple[Path, ...]
    bones: Path | None = None


@dataclass(frozen=True)
class Cases:
    """The cases of a dataset, and what could not be used."""

    cases: tuple[CtCase, ...]
    problems: tuple[Problem, ...]


def list_cases(dataset: Path) -> Cases:
    """The cases of a CSV (columns ct, lesions and, if you like, bones, patient, name), or of a folder of folders.

    In a folder, each folder below it that holds a CT and masks is a case (`ct_case_folder`): files whose names say
    lesions, or mask, label, seg and nothing else, a reading.json, or DICOM SEGs and structure sets. A patient is a
    folder of the first level that holds cases.

    Raises:
        IntakeError: there is nothing there, or no case.
    """
    if not dataset.exists():
        raise IntakeError(f"train on {dataset}", "no such file or folder", "Check the path")
    found = _from_table(dataset) if dataset.is_file() else _from_folder(dataset)
    if not found.cases:
        why = "; ".join(map(str, found.problems[:3])) or "no masks beside a CT"
        remedy = "Give a folder per case with the CT and lesions.nii.gz (or a SEG, a structure set), or a CSV"
        raise IntakeError(f"train on {dataset}", f"no case ({why})", remedy)
    return found


def _from_table(path: Path) -> Cases:
    rows = lines(path)
    header, problems = read_header("train on", path, rows, _NEEDED, _ALSO)
    cases: list[CtCase] = []
    for number, cells in rows:
        row = {name: cell for name, cell in zip(header, cells, strict=False) if cell}
        if not row:
            continue
        files = {name: _files(path.parent, row[name]) for name in ("ct", "lesions", "bones") if name in row}
        absent = [name for name, given in files.items() if not all(file.exists() for file in given)]
        several = [name for name, given in files.items() if name != "lesions" and len(given) > 1]
        blank = [name for name in _NEEDED if name not in row]
        wrong = next(iter((*absent, *several, *blank)), "")
        if wrong:
            problems.append(Problem(path.name, number, wrong, row.get(wrong, "nothing"), "Name a file that is there"))
            continue
        name = _free(row.get("name") or f"case-{number - 1:04d}", cases)
        bones = files["bones"][0] if "bones" in files else None
        cases.append(CtCase(name, row.get("patient", ""), files["ct"][0], files["lesions"], bones))
    return Cases(tuple(cases), tuple(problems))


def _files(folder: Path, cell: str) -> tuple[Path, ...]:
    """Several where one cell names them all."""
    return tuple(folder / name.strip() for name in cell.split(_BETWEEN_FILES))


def _free(name: str, cases: list[CtCase]) -> str:
    """The name as a file may have it, told apart from those before."""
    plain = re.sub(r"[^\w.-]+", "_", name).strip("._") or "case"
    taken = {case.name for case in cases}
    return (
        plain if plain not in taken else next(n for k in range(2, len(taken) + 3) if (n := f"{plain}-{k}") not in taken)
    )


def _from_folder(dataset: Path) -> Cases:
    cases: list[CtCase] = []
    problems: list[Problem] = []
    used: set[Path] = set()
    for folder in (dataset, *sorted(p for p in dataset.rglob("*") if p.is_dir())):
        relative = folder.relative_to(dataset)
        if used & {folder, *folder.parents} or any(part.startswith(".") for part in relative.parts):
            continue
        found = read_folder(folder)
        used |= set(found.used)
        problems += found.problems
        if found.whole and found.ct is not None:
            patient = relative.parts[0] if len(relative.parts) > 1 else ""
            name = _free(relative.as_posix().replace("/", "_"), cases)
            cases.append(CtCase(name, patient, found.ct, found.lesions, found.bones))
    return Cases(tuple(cases), tuple(problems))
