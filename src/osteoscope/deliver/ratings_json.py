"""Ratings from reading.json: one file, or every one below a folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from osteoscope.deliver.ratings import Level, Missing, Problem, Rated, Ratings, as_level, without_duplicates
from osteoscope.domain import codec
from osteoscope.domain.reading import SCHEMA, Reading, SiteReading
from osteoscope.errors import IntakeError, OsteoscopeError
from osteoscope.stats.ratings import SCALES, Scale

_STATUS: Mapping[str, Missing] = {"not_acquired": "not_acquired", "not_assessable": "not_assessable"}
_REMEDY = "Give the reading.json of a planar mIBG study"


def read_readings(path: Path, reader: str, planar_only: bool = False) -> Ratings:
    """The ratings of a reading.json or of a folder of them; a file that cannot be used is a problem.

    Of a folder, every "reading.json" below it; where there is none of that name, every JSON file that says it is
    a Reading (such as the truth.json of `osteoscope simulate`).

    Args:
        path: the file or folder.
        reader: whose they are.
        planar_only: whether Readings of other kinds are passed over without a word.

    Raises:
        IntakeError: there is no such file.
    """
    files = [path] if path.is_file() else readings_below(path)
    if not files:
        raise IntakeError(
            f"read ratings {path}", "no reading.json in the folder", "Name a CSV, a reading.json or a folder"
        )
    rated, problems = [], list[Problem]()
    for file in files:
        name = str(file.relative_to(path)) if file != path else path.name
        try:
            reading = codec.parse(Reading, file.read_text(encoding="utf-8"))
            if reading.study.kind == "nm-planar" or not planar_only:
                rated.append(_rated(reading, name))
        except OsteoscopeError as error:
            problems.append(Problem(name, None, error.asked, error.found, error.remedy))
        except (OSError, ValueError, RecursionError) as error:
            problems.append(Problem(name, None, "", f"{type(error).__name__}: {error}", _REMEDY))
    kept, duplicates = without_duplicates(rated)
    return Ratings(reader, str(path), kept, (*problems, *duplicates))


def readings_below(folder: Path) -> list[Path]:
    """Every reading.json below a folder; where there is none of that name, every JSON file that is a Reading."""
    return sorted(folder.rglob("reading.json")) or [f for f in sorted(folder.rglob("*.json")) if _is_reading(f)]


def _is_reading(file: Path) -> bool:
    try:
        with file.open(encoding="utf-8") as stream:
            return SCHEMA in json.dumps(json.load(stream).get("schema"))
    except (OSError, ValueError, AttributeError, RecursionError):
        return False


def _rated(reading: Reading, file: str) -> Rated:
    study = reading.study
    if study.kind != "nm-planar":
        raise IntakeError("compare scores", f"a Reading of kind {study.kind!r}", _REMEDY)
    levels = {name: tuple(_level(reading.site(site), scale) for site in scale.sites) for name, scale in SCALES.items()}
    return Rated(study.uid, study.patient.id, study.date, levels, file)


def _level(said: SiteReading | None, scale: Scale) -> Level:
    if said is None:
        return "not_read"
    measure = said.measure(scale.name)
    if said.status != "assessed" or measure is None:
        return _STATUS.get(said.status, "not_read")
    level = as_level(f"{measure.value:g}", scale)
    if level is None:
        raise IntakeError(
            f"{scale.name} of {said.site}", f"level {measure.value:g}", f"Give a level of 0 to {scale.top}"
        )
    return level
