"""The output folder of `osteoscope read`: where results of each study go, and when it cannot take them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from osteoscope.deliver.outputs import RESULTS
from osteoscope.deliver.own_files import ELSEWHERE, LIST, foreign, own
from osteoscope.errors import OutputError

INTAKE = "intake.json"
_STUDY = re.compile(r"study-\d{3,}")
_SHOWN = 3


def study_folder(folder: Path, number: int) -> Path:
    """Where results of a study go; numbers begin with 1."""
    return folder / f"study-{number:03d}"


def study_folders(folder: Path) -> list[Path]:
    """What has the name of a study's folder there."""
    return sorted(path for path in folder.glob("study-*") if _STUDY.fullmatch(path.name))


def check_free(folder: Path, inputs: Sequence[Path]) -> None:
    """Refuse a folder where results would go among images, or over a file that no earlier run wrote.

    Args:
        folder: it may be absent.
        inputs: what is to be read.

    Raises:
        OutputError: it is an input, an input lies where results go, or files of the user have names of results.
    """
    asked = f"write results to {folder}"
    targets = [folder / name for name in (*RESULTS, INTAKE)] + study_folders(folder)
    for given in inputs:
        if _same(given, folder):
            remedy = "Choose another folder with -o: results do not go among images"
            raise OutputError(asked, "it is the input itself", remedy)
        around = (given.resolve(), *given.resolve().parents)
        if taken := next((target for target in targets if any(_same(target, place) for place in around)), None):
            raise OutputError(asked, f"the input {given} lies where {taken.name} is to be written", ELSEWHERE)
    if found := list(_in_the_way(folder)):
        said = f"{', '.join(found[:_SHOWN])}{' and more' if len(found) > _SHOWN else ''}"
        raise OutputError(asked, f"{said}: not listed in a {LIST} there, or changed since", ELSEWHERE)


def _in_the_way(folder: Path) -> Iterator[str]:
    yield from foreign(folder, (*RESULTS, INTAKE))
    for study in study_folders(folder):
        if not study.is_dir() or (any(study.iterdir()) and not own(study)):
            yield study.name
        else:
            yield from (f"{study.name}/{name}" for name in foreign(study, RESULTS))


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # not there, or a name that no file can have
        return False
