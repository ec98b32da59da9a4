"""Where the files of a study lie."""

from __future__ import annotations

from pathlib import Path

from osteoscope.app.settings import Settings
from osteoscope.store.rows import Comparison, Reading, StrengthTest

PROGRAM, VIEWS, UNITS = "program", "views", "units.json"


def folder_of(settings: Settings, study: str, reading: Reading | None) -> Path:
    """The folder of the results of a Reading: the program's, or one of its own for each signed one."""
    base = settings.folder_of(study)
    return base / PROGRAM if reading is None or reading.kind == "program" else base / "signed" / reading.id


def result_files(settings: Settings, study: str, reading: Reading | None) -> list[str]:
    """Names of the files of a Reading, those in folders with a slash."""
    folder = folder_of(settings, study, reading)
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def result_file(settings: Settings, study: str, reading: Reading | None, name: str) -> Path | None:
    """One of `result_files`, by name alone: what is no such name is no path."""
    known = result_files(settings, study, reading)
    return folder_of(settings, study, reading) / name if name in known else None


def comparison_folder(settings: Settings, comparison: Comparison) -> Path:
    """The folder of a comparison, there once it is complete."""
    return settings.folder_of(comparison.study) / "comparisons" / comparison.id


def strength_folder(settings: Settings, test: StrengthTest) -> Path:
    """The folder of a strength test, there once it is complete."""
    return settings.folder_of(test.study) / "strength" / test.id
