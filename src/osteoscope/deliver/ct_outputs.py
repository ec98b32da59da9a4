"""The output folder of `osteoscope train ct`: what it holds and keeps, and that it is no part of the dataset."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, TypeVar

from osteoscope.dicom.whole import whole
from osteoscope.domain import codec
from osteoscope.errors import IntakeError, OutputError

Kept = TypeVar("Kept")
CASES, RUN, MODEL_FOLDER, AFTER, BEFORE = "cases", "run", "model", "evaluation", "evaluation-before"
SPLIT_FILE = "split.json"
SPLIT_SCHEMA: Literal["osteoscope/ct-split/1"] = "osteoscope/ct-split/1"
OTHER_FOLDER = "choose another folder with -o"


def is_output(folder: Path, output: Path | None) -> bool:
    """Whether a folder is the one to be written, or that of another training."""
    return (output is not None and _same(folder, output)) or _has_split(folder / SPLIT_FILE)


def check_apart(dataset: Path, files: Iterable[Path], output: Path) -> None:
    """Refuse an output among what it is made from.

    Args:
        dataset: CSV or folder.
        files: all CTs, masks and bones.
        output: it may be absent.

    Raises:
        OutputError: it is the dataset, or a file lies where output goes.
    """
    asked, remedy = f"write a training to {output}", "Choose another folder with -o: results do not go among scans"
    if dataset.is_dir() and _same(dataset, output):
        raise OutputError(asked, "it is the dataset itself", remedy)
    own = [(output / name).resolve() for name in (CASES, RUN, MODEL_FOLDER, AFTER, BEFORE)]
    for file in files:
        place = file.resolve()
        if taken := next((target for target in own if place.is_relative_to(target)), None):
            raise OutputError(asked, f"{file} lies where {taken.name}/ is to be written", remedy)


def read_kept(kind: type[Kept], path: Path) -> Kept | None:
    """What an earlier run left as JSON, None where it left nothing.

    Raises:
        IntakeError: it cannot be read, or is of an earlier version.
    """
    if not path.is_file():
        return None
    try:
        return codec.decode(kind, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        found = f"{path.name} is damaged or of an earlier version ({error})"
        raise IntakeError(f"go on in {path.parent}", found, OTHER_FOLDER.capitalize()) from error


def write_kept(content: Any, path: Path) -> None:
    """Write it for the runs after, whole or not at all.

    Raises:
        OutputError: that is not possible.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as draft:
            draft.write_text(json.dumps(codec.encode(content), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"write {path}", str(error), "Choose a folder that can be written with -o") from error


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def _has_split(path: Path) -> bool:
    try:
        return path.is_file() and json.loads(path.read_text(encoding="utf-8")).get("schema") == SPLIT_SCHEMA
    except (OSError, ValueError, AttributeError):
        return False
