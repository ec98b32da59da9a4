"""A date whose files are broken is refused by name, whatever is wrong with them, and takes no memory."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from examples import planar

from osteoscope.deliver.exams import READING_FILE, Taken, take
from osteoscope.deliver.outputs import write_reading
from osteoscope.deliver.unit_map import UNITS_FILE, write_units
from osteoscope.dicom.options import IntakeOptions
from osteoscope.errors import IntakeError


def taken(folder: Path) -> Taken:
    return take(folder, folder, IntakeOptions(), lambda *_: None)


def written(folder: Path) -> dict[str, Any]:
    """Results of a planar study on disk; its reading.json as plain data."""
    example = planar()
    write_reading(replace(example.reading, sites=()), folder / READING_FILE)
    write_units(example.case, folder / UNITS_FILE)
    plain: dict[str, Any] = json.loads((folder / READING_FILE).read_text(encoding="utf-8"))
    return plain


def test_a_whole_date_is_taken_with_its_units(tmp_path: Path) -> None:
    written(tmp_path)
    assert taken(tmp_path).exam.mapped == planar().case.mapped


@pytest.mark.parametrize("text", ["[" * 100_000, '{"schema": ' + "7" * 5000 + "}", "", "\x00"])
@pytest.mark.parametrize("name", [READING_FILE, UNITS_FILE])
def test_a_file_that_is_no_json_is_named(tmp_path: Path, name: str, text: str) -> None:
    written(tmp_path)
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(IntakeError, match="no JSON that can be read") as caught:
        taken(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_a_lesion_beyond_its_image_or_any_memory_is_named(tmp_path: Path) -> None:
    plain = written(tmp_path)
    part = plain["findings"][0]["region"]["parts"][0]
    for mask, said in (
        ({"shape": [40_000, 500_000], "runs": [0, 20_000_000_000]}, "masks of 20000"),
        ({"shape": [3000, 1], "runs": [0, 3000]}, "reaches to"),
    ):
        part["mask"] = mask
        (tmp_path / READING_FILE).write_text(json.dumps(plain), encoding="utf-8")
        with pytest.raises(IntakeError, match=said):
            taken(tmp_path)


def test_a_unit_beyond_its_image_is_named(tmp_path: Path) -> None:
    written(tmp_path)
    units = json.loads((tmp_path / UNITS_FILE).read_text(encoding="utf-8"))
    unit = next(u for u in units["units"] if u["region"] is not None)
    unit["region"]["parts"][0]["offset"] = [100_000, 0]
    (tmp_path / UNITS_FILE).write_text(json.dumps(units), encoding="utf-8")
    with pytest.raises(IntakeError, match=f"{UNITS_FILE}.*{unit['site']}.*reaches to"):
        taken(tmp_path)
