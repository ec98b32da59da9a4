"""Files of studies below a folder: what a study is called by its file, and what a file says of its study."""

from __future__ import annotations

import json
from pathlib import Path

from osteoscope.deliver.ratings_json import readings_below
from osteoscope.dicom.read_labels import LABEL_SUFFIXES

# File names that say what a file is, not of which study: the folder then names it.
_GENERIC = frozenset(("reading", "truth", "lesions"))
_LESIONS = "lesions"


def label_maps(folder: Path) -> list[Path]:
    """Those called "lesions" where there are any, else every NIfTI or NRRD below the folder."""
    found = [f for f in sorted(folder.rglob("*")) if f.is_file() and f.name.lower().endswith(LABEL_SUFFIXES)]
    return [f for f in found if _stem(f) == _LESIONS] or found


def _stem(file: Path) -> str:
    return file.name.partition(".")[0] if file.name.lower().endswith(LABEL_SUFFIXES) else file.stem


def study_name(file: Path, folder: Path) -> str:
    """What a study below a folder is called by the file of its reading."""
    if _stem(file) not in _GENERIC:
        return _stem(file)
    return file.parent.name if file.parent == folder else file.parent.relative_to(folder).as_posix()


def kinds_below(path: Path) -> frozenset[str]:
    """The kinds of study that a reader has read: label maps are of CT, a table of scores is of planar scans.

    Empty where nothing says it.
    """
    if path.is_file() and path.suffix.lower() != ".json":
        return frozenset({"ct"} if path.name.lower().endswith(LABEL_SUFFIXES) else {"nm-planar"})
    files = [path] if path.is_file() else readings_below(path)
    if path.is_dir() and not files and label_maps(path):
        return frozenset({"ct"})
    return frozenset(kind for _, kind in map(stated, files) if kind)


def stated(file: Path) -> tuple[str, str]:
    """The study's uid and kind; "" where there is none, which reading the file will tell more of."""
    if file.suffix.lower() != ".json":
        return "", ""
    try:
        study = json.loads(file.read_text(encoding="utf-8"))["study"]
        return str(study["uid"]), str(study["kind"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "", ""
