"""Ratings from a CSV: one row per study, a column per segment.

Columns: "study" or "patient" (or both), "date", the 12 SIOPEN segments by their ids, and the Curie regions by
theirs, with "curie_" before them ("pelvis" is an id of both scores, and bare it is the SIOPEN segment).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType

from osteoscope.deliver.ratings import Level, Problem, Rated, Ratings, as_level, as_number, without_duplicates
from osteoscope.deliver.ratings_text import lines
from osteoscope.errors import IntakeError
from osteoscope.stats.ratings import SCALES, Scale

_KEYS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("study", "study_id", "study_uid"), "study"),
        **dict.fromkeys(("patient", "patient_id", "child", "case", "id"), "patient"),
        **dict.fromkeys(("date", "study_date"), "date"),
    }
)
# Noted beside SIOPEN segments too, where it is no score.
_SOFT_TISSUE = "soft_tissue"
# A bare id belongs to the first score that has it: "pelvis" to SIOPEN.
_SITES: Mapping[str, str] = MappingProxyType(
    {site: f"{name}_{site}" for name in reversed(tuple(SCALES)) for site in SCALES[name].sites}
    | {f"{name}_{site}": f"{name}_{site}" for name, scale in SCALES.items() for site in scale.sites}
)
_NAMES: Mapping[str, str] = MappingProxyType({**_KEYS, **_SITES, **{f"{n}_total": f"{n}_total" for n in SCALES}})


@dataclass(frozen=True)
class _Sheet:
    """The header of a file: its words, and the position of every column by its plain name."""

    file: str
    header: tuple[str, ...]
    columns: Mapping[str, int]
    scales: tuple[Scale, ...]

    def problem(self, row: int, column: str, found: str, remedy: str, lost: bool = True) -> Problem:
        name = self.header[self.columns[column]] if column in self.columns else column
        return Problem(self.file, row, name, found, remedy, lost)


def read_csv(path: Path, reader: str) -> Ratings:
    """The ratings of a CSV; a row that cannot be used is a problem, the others stand.

    Raises:
        IntakeError: the file is no CSV, or its header lacks an id or a column of every score.
    """
    rows = lines(path)
    sheet, problems = _header(path, next(rows, (1, []))[1])
    rated = []
    for number, cells in rows:
        faults = list(_faults(sheet, number, cells)) if any(cells) else []
        problems += faults
        if any(cells) and not any(fault.lost for fault in faults):
            rated.append(_rated(sheet, number, cells))
    kept, duplicates = without_duplicates(rated)
    return Ratings(reader, str(path), kept, (*problems, *duplicates))


def _header(path: Path, header: Sequence[str]) -> tuple[_Sheet, list[Problem]]:
    columns: dict[str, int] = {}
    for position, cell in enumerate(header):
        plain = _plain(cell)
        if plain and plain in columns:
            found = f"columns {header[columns[plain]]!r} and {cell!r} of the header mean the same"
            raise IntakeError(f"read ratings {path}", found, "Keep one; the Curie region of the pelvis is curie_pelvis")
        columns.setdefault(plain, position)
    if not {"study", "patient"} & set(columns):
        found = f"no study or patient column in the header ({', '.join(header[:6]) or 'an empty first line'})"
        raise IntakeError(f"read ratings {path}", found, "Name the id column 'study' or 'patient' in the first line")
    lacking = {n: [s for s in scale.sites if f"{n}_{s}" not in columns] for n, scale in SCALES.items()}
    sheet = _Sheet(path.name, tuple(header), columns, tuple(SCALES[n] for n, sites in lacking.items() if not sites))
    problems = [*_unknown(sheet), *_incomplete(sheet, lacking)]
    if not sheet.scales:
        found = "; ".join(f"{p.column}: {p.found}. {p.remedy}" for p in problems if p.lost)
        remedy = "Give all 12 SIOPEN segments or all 10 Curie regions as columns, blank where one was not read"
        raise IntakeError(f"read ratings {path}", found or "no column of a segment", remedy)
    return sheet, problems


def _plain(cell: str) -> str:
    name = re.sub(r"[\s-]+", "_", cell.lower())
    return _NAMES.get(name, name)


def _unknown(sheet: _Sheet) -> Iterator[Problem]:
    lacking = [name for name, plain in _SITES.items() if plain not in sheet.columns]
    for name in sheet.columns:
        if name and name not in _NAMES.values():
            near = get_close_matches(name, lacking, 1, 0.75)
            remedy = f"Did you mean {near[0]!r}" if near else "Nothing to do, unless it holds levels"
            yield sheet.problem(1, name, "unknown column, ignored", remedy, lost=bool(near))


def _incomplete(sheet: _Sheet, lacking: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    for name, sites in lacking.items():
        given = [site for site in SCALES[name].sites if site not in sites]
        if given == [_SOFT_TISSUE] and not _is_prefixed(sheet, name):
            found = f"a remark beside the segments: {SCALES[name].title} is not read from this file"
            yield sheet.problem(1, f"{name}_{_SOFT_TISSUE}", found, "Nothing to do, unless it was scored", lost=False)
        elif given and sites:
            found = f"the column is missing, so {SCALES[name].title} is not read from this file"
            yield sheet.problem(1, ", ".join(f"{name}_{s}" for s in sites), found, "Add it, blank where not read")


def _is_prefixed(sheet: _Sheet, name: str) -> bool:
    """Whether the column of soft tissue names the score that it belongs to."""
    return sheet.header[sheet.columns[f"{name}_{_SOFT_TISSUE}"]].lower().startswith(name)


def _faults(sheet: _Sheet, number: int, cells: Sequence[str]) -> Iterator[Problem]:
    """What is wrong with a row; totals that do not add up are told and not used."""
    if len(cells) < len(sheet.header) or any(cells[len(sheet.header) :]):
        found = f"{len(cells)} cells under a header of {len(sheet.header)}"
        yield sheet.problem(number, "", found, "Give a cell for every column, and quote text that holds a separator")
        return
    if not _key(sheet, cells, "study") and not _key(sheet, cells, "patient"):
        yield sheet.problem(number, "", "no study and no patient", "Name the study or the patient of the row")
    if _iso(_key(sheet, cells, "date")) is None:
        found = repr(_key(sheet, cells, "date"))
        yield sheet.problem(number, "date", found, "Write dates as 2024-01-31 or 20240131, or leave them blank")
    for scale in sheet.scales:
        levels = _levels(sheet, scale, cells)
        for site, level in zip(scale.sites, levels, strict=True):
            if level is None:
                column = f"{scale.name}_{site}"
                remedy = f"Give 0 to {scale.top}, blank, 'not acquired' or 'not assessable'; the row is left out"
                yield sheet.problem(number, column, f"{cells[sheet.columns[column]]!r} is no level", remedy)
        yield from _total(sheet, number, cells, scale)


def _total(sheet: _Sheet, number: int, cells: Sequence[str], scale: Scale) -> Iterator[Problem]:
    stated = _key(sheet, cells, f"{scale.name}_total")
    levels = _levels(sheet, scale, cells)
    known = [level for level in levels if isinstance(level, int)]
    if not stated or len(known) < len(levels):
        return
    if as_number(stated) != sum(known):
        found = f"total {stated!r}, but the segments add up to {sum(known)}"
        yield sheet.problem(number, f"{scale.name}_total", found, "Check the row; the segments are used", lost=False)


def _rated(sheet: _Sheet, number: int, cells: Sequence[str]) -> Rated:
    levels = {
        scale.name: tuple(level for level in _levels(sheet, scale, cells) if level is not None)
        for scale in sheet.scales
    }
    study, patient = _key(sheet, cells, "study"), _key(sheet, cells, "patient")
    return Rated(study, patient, _iso(_key(sheet, cells, "date")) or "", levels, sheet.file, number)


def _key(sheet: _Sheet, cells: Sequence[str], column: str) -> str:
    return cells[sheet.columns[column]] if column in sheet.columns else ""


def _levels(sheet: _Sheet, scale: Scale, cells: Sequence[str]) -> tuple[Level | None, ...]:
    return tuple(as_level(cells[sheet.columns[f"{scale.name}_{site}"]], scale) for site in scale.sites)


def _iso(text: str) -> str | None:
    """The date in ISO form, "" of "", None where the text is none."""
    if not text:
        return ""
    try:
        return datetime.fromisoformat(text).date().isoformat()
    except ValueError:
        return None
