"""Which CT of a dataset goes with which masks: a table, or a folder per case."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from osteoscope.deliver.ratings import Problem
from osteoscope.deliver.ratings_text import lines
from osteoscope.deliver.table_header import read_header
from osteoscope.dicom.read_labels import LABEL_SUFFIXES
from osteoscope.dicom.read_masks import first_with_masks
from osteoscope.errors import IntakeError

_NEEDED, _ALSO = ("ct", "lesions"), ("bones", "patient", "name")
# What files and folders of a case are, by their names; the first that fits.
_LESIONS = re.compile(
    r"^(lesions?|masks?|labels?|seg(mentations?)?|annotations?|tumou?rs?|metastas[ei]s|rtstruct)\b", re.I
)
_BONES = re.compile(r"^bones?\b", re.IGNORECASE)
_READINGS = ("reading.json", "truth.json")
_LONGEST_LOOK = 5000


@dataclass(frozen=True)
class CtCase:
    """One CT with its masks.

    Args:
        name: unique in the dataset, fit for a file's name.
        patient: "" where the CT's own header is to tell.
        ct: file or folder.
        lesions: label map, DICOM SEG, structure set, or a reading.json.
        bones: the same, with bones; None where the package is to find them.
    """

    name: str
    patient: str
    ct: Path
    lesions: Path
    bones: Path | None = None


@dataclass(frozen=True)
class Cases:
    """The cases of a dataset, and what could not be used."""

    cases: tuple[CtCase, ...]
    problems: tuple[Problem, ...]


def list_cases(dataset: Path) -> Cases:
    """The cases of a CSV (columns ct, lesions and, if you like, bones, patient, name), or of a folder of folders.

    In a folder, each folder below it that holds masks is a case: a file whose name begins with lesions (mask, label,
    seg ...), a reading.json, or a DICOM SEG or structure set among the slices. A patient is a folder of the first
    level that holds cases.

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
        absent = [name for name in ("ct", "lesions", "bones") if name in row and not (path.parent / row[name]).exists()]
        blank = [name for name in _NEEDED if name not in row]
        if absent or blank:
            wrong = (absent or blank)[0]
            problems.append(Problem(path.name, number, wrong, row.get(wrong, "nothing"), "Name a file that is there"))
            continue
        bones = path.parent / row["bones"] if "bones" in row else None
        name = _free(row.get("name") or f"case-{number - 1:04d}", cases)
        files = (path.parent / row["ct"], path.parent / row["lesions"])
        cases.append(CtCase(name, row.get("patient", ""), *files, bones))
    return Cases(tuple(cases), tuple(problems))


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
    for folder in (dataset, *sorted(p for p in dataset.rglob("*") if p.is_dir())):
        lesions = _masks(folder)
        if lesions is None:
            continue
        relative = folder.relative_to(dataset)
        ct = _ct(folder, lesions)
        if ct is None:
            problems.append(Problem(str(folder), None, "", "masks without a CT beside them", "Put the CT into it"))
            continue
        patient = relative.parts[0] if len(relative.parts) > 1 else ""
        bones = next((child for child in _children(folder) if _BONES.match(child.name) and _is_map(child)), None)
        cases.append(CtCase(_free(relative.as_posix().replace("/", "_"), cases), patient, ct, lesions, bones))
    return Cases(tuple(cases), tuple(problems))


def _masks(folder: Path) -> Path | None:
    """The masks of a folder, by name or, for DICOM, by content."""
    named = [child for child in _children(folder) if _LESIONS.match(child.name) and _is_map(child)]
    if named:
        return named[0]
    reading = next((folder / name for name in _READINGS if (folder / name).is_file()), None)
    if reading is not None:
        return reading
    dicom = [child for child in _children(folder) if child.suffix.lower() == ".dcm"][:_LONGEST_LOOK]
    # Alone beside a folder of slices, or the one file that is of another class; the first and last name suffice.
    ends = dict.fromkeys([*dicom[:2], *dicom[-2:]])
    looked_at = [file for file in ends if not _BONES.match(file.name)]
    return first_with_masks(looked_at) if looked_at else None


def _is_map(path: Path) -> bool:
    return path.is_file() and path.name.lower().endswith((*LABEL_SUFFIXES, ".dcm"))


def _ct(folder: Path, lesions: Path) -> Path | None:
    """The CT of a case: a volume that is no mask, a folder, or the folder's own DICOM."""
    others = [c for c in _children(folder) if c != lesions and not _LESIONS.match(c.name) and not _BONES.match(c.name)]
    volumes = [c for c in others if c.is_file() and c.name.lower().endswith(LABEL_SUFFIXES)]
    folders = [c for c in others if c.is_dir()]
    by_name: Iterator[Path] = (c for c in (*volumes, *folders) if re.match(r"^(ct|image|dicom)", c.name, re.I))
    found = next(by_name, None) or next(iter((*volumes, *folders)), None)
    slices = [c for c in others if c.is_file() and c.suffix.lower() in {".dcm", ".ima", ""}]
    return found or (folder if len(slices) > 1 else None)


def _children(folder: Path) -> list[Path]:
    return sorted(child for child in folder.iterdir() if not child.name.startswith("."))
