"""A dataset of marked CTs in the raw format of nnU-Net v2, for those who train elsewhere.

Format: documentation/dataset_format.md of nnU-Net v2 (imagesTr/CASE_0000.nii.gz, labelsTr/CASE.nii.gz, dataset.json
with channel_names, labels, numTraining, file_ending). splits_final.json belongs into nnUNet_preprocessed/DATASET.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from osteoscope.deliver.ct_annotations import Annotated, load_case, unusable
from osteoscope.deliver.ct_cases import list_cases
from osteoscope.deliver.ct_label_names import checked_names
from osteoscope.deliver.ct_patients import Whose, doubles, patients_of
from osteoscope.deliver.ratings import Problem
from osteoscope.deliver.writable import make_writable
from osteoscope.dicom.write_nifti import write_nifti
from osteoscope.domain.finding import Region
from osteoscope.errors import IntakeError, OutputError

Progress = Callable[[str, int, int], None]
_NAME = re.compile(r"Dataset\d{3}_\w+")
_DEFAULT = "Dataset501_BoneLesions"
_LESION, _LOOK_ALIKE, _FOLDS, _ENDING = 1, 2, 5, ".nii.gz"
_FOLDERS = ("imagesTr", "labelsTr")


@dataclass(frozen=True)
class Exported:
    """What was written: the dataset's folder, its cases, and those that could not be used."""

    folder: Path
    cases: tuple[str, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class _Written:
    """A case that was written: whose it is, its files, and whether look-alikes are marked in it."""

    whose: Whose
    files: tuple[Path, Path]
    look_alikes: bool


def write_nnunet(dataset: Path, folder: Path, names: str, progress: Progress) -> Exported:
    """Write a dataset as nnU-Net reads it: every lesion 1, marked look-alikes 2 (where there are any).

    Args:
        dataset: as for `train ct`.
        folder: named Dataset123_Name; else a folder Dataset501_BoneLesions is made in it.
        names: regular expression of lesion labels in DICOM files, "" for the default.
        progress: told of each case.

    Raises:
        InvalidValueError: ``names`` is no regular expression.
        IntakeError: no case that can be used.
        OutputError: the folder cannot be written, or holds images or labels already.
    """
    names = checked_names(names)
    target = folder if _NAME.fullmatch(folder.name) else folder / _DEFAULT
    listed = list_cases(dataset, target)
    _refuse_what_is_there(target)
    make_writable(target)
    problems, written = [*listed.problems], list[_Written]()
    for number, case in enumerate(listed.cases):
        progress(f"write {case.name}", number, len(listed.cases))
        try:
            found = load_case(case, names, with_bones=False)
        except Exception as error:  # noqa: BLE001 - one bad case never stops a batch
            problems.append(unusable(case, error))
            continue
        files = _write_case(found, target)
        problems += found.notes
        written.append(_Written(found.whose, files, bool(found.benign)))
    twice = doubles([one.whose for one in written])
    problems += twice.values()
    for file in (file for one in written if one.whose.case in twice for file in one.files):
        file.unlink()
    kept = [one for one in written if one.whose.case not in twice]
    if not kept:
        why = next((problem for problem in problems if problem.lost), "")
        raise IntakeError(f"export {dataset}", f"no case that can be used ({why})", "Mend the files named")
    found_patients = patients_of([one.whose for one in kept])
    problems += found_patients.problems
    patients, look_alikes = found_patients.of, any(one.look_alikes for one in kept)
    labels = {"background": 0, "lesion": _LESION} | ({"look_alike": _LOOK_ALIKE} if look_alikes else {})
    about = {
        "channel_names": {"0": "CT"},
        "labels": labels,
        "numTraining": len(patients),
        "file_ending": _ENDING,
        "name": target.name,
        "description": "bone lesions on CT, written by osteoscope train ct --nnunet; research use only",
    }
    _write_json(about, target / "dataset.json")
    if folds := _folds(patients):
        _write_json(folds, target / "splits_final.json")
    return Exported(target, tuple(patients), tuple(problems))


def _refuse_what_is_there(target: Path) -> None:
    """nnU-Net would train on the files of an earlier export as well."""
    there = [path for name in _FOLDERS for path in sorted((target / name).glob("*"))]
    if there:
        found = f"{len(there)} files of an earlier export, the first is {there[0].name}"
        raise OutputError(f"export to {target}", found, "Empty imagesTr and labelsTr, or choose another folder")


def _write_case(found: Annotated, target: Path) -> tuple[Path, Path]:
    """Image and labels of a case."""
    image = found.study.images["ct"]
    labels = np.zeros(image.grid.shape, dtype=np.uint8)
    lesions = [lesion.region for lesion in found.lesions]
    # Lesions last: a voxel marked as both is a lesion.
    for value, regions in ((_LOOK_ALIKE, found.benign), (_LESION, lesions)):
        _paint(labels, value, regions)
    files = (target / "imagesTr" / f"{found.name}_0000{_ENDING}", target / "labelsTr" / f"{found.name}{_ENDING}")
    write_nifti(image.grid, np.asarray(image.values, dtype=np.int16), files[0])
    write_nifti(image.grid, labels, files[1])
    return files


def _paint(labels: np.ndarray[Any, np.dtype[np.uint8]], value: int, regions: Sequence[Region]) -> None:
    for region in regions:
        part = region.on("ct")
        if part is not None:
            labels[part.box][part.mask] = value


def _folds(patients: Mapping[str, str]) -> list[dict[str, list[str]]]:
    """Cross-validation that never parts the scans of a patient; none with a single patient."""
    names = sorted(set(patients.values()))
    if len(names) < 2:
        return []
    folds = []
    for fold in range(min(_FOLDS, len(names))):
        apart = set(names[fold::_FOLDS])
        folds.append(
            {
                "train": sorted(case for case, patient in patients.items() if patient not in apart),
                "val": sorted(case for case, patient in patients.items() if patient in apart),
            }
        )
    return folds


def _write_json(content: Any, path: Path) -> None:
    try:
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"write {path}", str(error), "Choose a folder that can be written") from error
