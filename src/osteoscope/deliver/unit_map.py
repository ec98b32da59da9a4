"""units.json beside reading.json: where the planar units lie, for a comparison of dates without the images."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from osteoscope.domain import codec
from osteoscope.domain.reading import Case, MappedSite

UNITS_SCHEMA: Literal["osteoscope/units/1"] = "osteoscope/units/1"
UNITS_FILE = "units.json"


@dataclass(frozen=True)
class UnitMap:
    """The site map of one planar study, as reading.json encodes regions."""

    study: str
    units: tuple[MappedSite, ...]
    schema: Literal["osteoscope/units/1"] = UNITS_SCHEMA


def write_units(case: Case, path: Path) -> None:
    """Write the site map of a Case."""
    plain = codec.encode(UnitMap(case.study.uid, case.mapped))
    path.write_text(json.dumps(plain, ensure_ascii=False) + "\n", encoding="utf-8")


def read_units(path: Path) -> UnitMap:
    """The site map of a units.json.

    Raises:
        InvalidValueError: the file does not follow `UnitMap`, or is no JSON.
        OSError, UnicodeDecodeError: it cannot be read as text.
    """
    return codec.parse(UnitMap, path.read_text(encoding="utf-8"))
