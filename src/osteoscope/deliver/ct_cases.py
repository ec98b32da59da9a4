"""Which CT of a dataset goes with which masks: a table, or a folder per case."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from osteoscope.deliver.ct_case_folder import FolderCase, read_folder
from osteoscope.deliver.ct_outputs import is_output
from osteoscope.deliver.ratings import Problem
from osteoscope.deliver.ratings_text import lines
from osteoscope.deliver.table_header import misfit, read_header
from osteoscope.dicom.read_labels import LABEL_SUFFIXES
from osteoscope.errors import IntakeError

_NEEDED, _ALSO = ("ct", "lesions"), ("bones", "patient", "name")
_FILES = ("ct", "lesions", "bones")
_BETWEEN_FILES = "|"
_LONGEST = 100  # of a name, so that a file may have it


@dataclass(frozen=True)
class CtCase:
    """One CT with its masks.

    Args:
        name: unique in the dataset, fit for a file's name; the same in whatever order cases are listed.
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

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them, and folders."""
        return (self.ct, *self.lesions, *((self.bones,) if self.bones else ()))


@dataclass(frozen=True)
class Cases:
    """The cases of a dataset, and what could not be used."""

    cases: tuple[CtCase, ...]
    problems: tuple[Problem, ...]


def list_cases(dataset: Path, output: Path | None = None) -> Cases:
    """The cases of a CSV (columns ct, lesions and, if you like, bones, patient, name), or of a folder of folders.

    In a folder, each folder below it that holds a CT and masks is a case (`ct_case_folder`): files whose names say
    lesions, or mask, label, seg and nothing else, a reading.json, or DICOM SEGs and structure sets. A folder of the
    first level that holds cases in folders below it is a patient, of a case of its own as well.

    Args:
        dataset: the CSV or folder.
        output: a folder that is to be written; what lies there, or in the output of another training, is no case.

    Raises:
        IntakeError: there is nothing there, or no case.
    """
    if not dataset.exists():
        raise IntakeError(f"train on {dataset}", "no such file or folder", "Check the path")
    found = _from_table(dataset) if dataset.is_file() else _from_folder(dataset, output)
    if not found.cases:
        why = "; ".join(map(str, found.problems[:3])) or "no masks beside a CT"
        remedy = "Give a folder per case with the CT and lesions.nii.gz (or a SEG, a structure set), or a CSV"
        raise IntakeError(f"train on {dataset}", f"no case ({why})", remedy)
    return found


@dataclass(frozen=True)
class _Row:
    """A row whose files are there; ``text`` is what the case is named after."""

    number: int
    text: str
    patient: str
    files: Mapping[str, tuple[Path, ...]]


def _from_table(path: Path) -> Cases:
    rows = lines(path)
    header, problems = read_header("train on", path, rows, _NEEDED, _ALSO)
    given: list[_Row] = []
    for number, cells in rows:
        if not any(cells):
            continue
        row = {name: cell for name, cell in zip(header, cells, strict=False) if cell}
        files = {name: _files(path.parent, row.get(name, "")) for name in _FILES}
        fault = misfit(path, number, header, cells) or _fault(path, number, row, files)
        if fault:
            problems.append(fault)
        else:
            text = row.get("name") or _text_of(files["ct"][0], path.parent)
            given.append(_Row(number, text, row.get("patient", ""), files))
    given = _once(path, given, "ct", [row.files["ct"][0].resolve() for row in given], problems)
    given = _once(path, given, "name", [row.text for row in given], problems)
    names = _names([row.text for row in given])
    cases = (
        CtCase(name, row.patient, row.files["ct"][0], row.files["lesions"], next(iter(row.files["bones"]), None))
        for name, row in zip(names, given, strict=True)
    )
    return Cases(tuple(cases), tuple(problems))


def _fault(path: Path, number: int, row: Mapping[str, str], files: Mapping[str, tuple[Path, ...]]) -> Problem | None:
    absent = [name for name, given in files.items() if not all(file.exists() for file in given)]
    blank = [name for name in _NEEDED if name not in row]
    several = [name for name, given in files.items() if name != "lesions" and len(given) > 1]
    if wrong := next(iter((*absent, *blank)), ""):
        return Problem(path.name, number, wrong, row.get(wrong, "nothing"), "Name a file that is there")
    if several:
        found = f"{len(files[several[0]])} files in one cell"
        return Problem(path.name, number, several[0], found, "Name one; only masks of lesions may be several")
    return None


def _once(
    path: Path, given: Sequence[_Row], what: str, values: Sequence[Hashable], problems: list[Problem]
) -> list[_Row]:
    """Rows whose value no other has; of the others none is used, since nobody knows which is meant."""
    remedies = {
        "ct": f"Give a row per CT; masks of several files stand between {_BETWEEN_FILES}",
        "name": "Name rows apart",
    }
    kept = []
    pairs = list(zip(given, values, strict=True))
    for row, value in pairs:
        others = [f"row {one.number}" for one, its in pairs if its == value and one is not row]
        if others:
            found = f"that of {', '.join(others)} as well; none of these rows is used"
            problems.append(Problem(path.name, row.number, what, found, remedies[what]))
        else:
            kept.append(row)
    return kept


def _files(folder: Path, cell: str) -> tuple[Path, ...]:
    """Several where one cell names them all."""
    return tuple(folder / name.strip() for name in cell.split(_BETWEEN_FILES)) if cell else ()


def _text_of(ct: Path, folder: Path) -> str:
    """Where a CT lies, which no other row changes: within the folder of the table if it does."""
    resolved, around = ct.resolve(), folder.resolve()
    text = (resolved.relative_to(around) if resolved.is_relative_to(around) else resolved).as_posix()
    suffix = next((s for s in sorted(LABEL_SUFFIXES, key=len, reverse=True) if text.lower().endswith(s)), "")
    return text[: len(text) - len(suffix)]


def _names(texts: Sequence[str]) -> list[str]:
    """As files may be named; texts that would be named alike are told apart by a digest, not by their order."""
    plain = [re.sub(r"[^\w.-]+", "_", text)[-_LONGEST:].strip("._") or "case" for text in texts]
    times = Counter(name.casefold() for name in plain)
    return [
        name if times[name.casefold()] == 1 else f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
        for name, text in zip(plain, texts, strict=True)
    ]


def _from_folder(dataset: Path, output: Path | None) -> Cases:
    found: list[tuple[Path, FolderCase, Path]] = []
    problems: list[Problem] = []
    used: set[Path] = set()
    for folder in (dataset, *sorted(p for p in dataset.rglob("*") if p.is_dir())):
        relative = folder.relative_to(dataset)
        if used & {folder, *folder.parents} or any(part.startswith(".") for part in relative.parts):
            continue
        if folder != dataset and is_output(folder, output):
            used.add(folder)
            continue
        held = read_folder(folder)
        used |= set(held.used)
        problems += held.problems
        if held.whole and held.ct is not None:
            found.append((relative, held, held.ct))
    deep = {relative.parts[0] for relative, _, _ in found if len(relative.parts) > 1}
    names = _names([relative.as_posix() for relative, _, _ in found])
    cases = (
        CtCase(name, first if first in deep else "", ct, held.lesions, held.bones)
        for name, (relative, held, ct) in zip(names, found, strict=True)
        for first in ("".join(relative.parts[:1]),)
    )
    return Cases(tuple(cases), tuple(problems))
