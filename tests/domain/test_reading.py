from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from nouns import readings

from osteoscope.domain import codec
from osteoscope.domain.finding import Part
from osteoscope.domain.reading import Reading, SiteReading
from osteoscope.errors import InvalidValueError

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "docs" / "reference" / "reading.schema.json"


@given(readings())
@settings(max_examples=60)
def test_reading_json_round_trips_and_follows_the_published_schema(reading: Reading) -> None:
    text = json.dumps(codec.encode(reading), allow_nan=False)
    jsonschema.validate(json.loads(text), json.loads(PUBLISHED.read_text()))
    assert codec.decode(Reading, json.loads(text)) == reading


def _example() -> dict[str, Any]:
    found: list[Reading] = []

    @given(readings().filter(lambda r: bool(r.findings) and bool(r.sites)))
    @settings(max_examples=1, database=None, derandomize=True)
    def keep(reading: Reading) -> None:
        found.append(reading)

    keep()
    plain: dict[str, Any] = json.loads(json.dumps(codec.encode(found[0])))
    return plain


def _nested(depth: int) -> list[Any]:
    inner: list[Any] = []
    for _ in range(depth):
        inner = [inner]
    return inner


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("schema",), "osteoscope/reading/9", "Reading.schema"),
        (("findings", 0, "confidence"), "high", "Reading.findings[0].confidence"),
        (("findings", 0, "region", "parts", 0, "mask", "runs"), [1], "mask"),
        (("study", "patient", "age_years"), "3", "Reading.study.patient.age_years"),
        (("sites",), None, "Reading.sites"),
        (("surprise",), 1, "the fields"),
        (("findings", 0, "region", "parts", 0, "mask", "runs"), ["x"], "mask.runs"),
        (("findings", 0, "region", "parts", 0, "mask", "runs"), None, "mask.runs"),
        (("findings", 0, "region", "parts", 0, "mask", "runs"), [0.5], "mask.runs"),
        (("findings", 0, "region", "parts", 0, "mask", "shape"), [8, None, 8], "mask.shape"),
        (("findings", 0, "region", "parts", 0, "mask"), {"shape": [10**30], "runs": [10**30]}, "mask"),
        (("findings", 0, "confidence"), 10**400, "Reading.findings[0].confidence"),
        (("findings", 0, "site"), _nested(990), "nested too deep"),
    ],
)
def test_foreign_data_is_refused_naming_the_place(path: tuple[Any, ...], value: Any, named: str) -> None:
    data = _example()
    place = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(InvalidValueError) as caught:
        codec.decode(Reading, data)
    assert named in str(caught.value)


def test_masks_that_a_few_bytes_claim_take_no_memory() -> None:
    claimed = {"shape": [10_000, 10_000, 200], "runs": [0, 20_000_000_000]}
    with pytest.raises(InvalidValueError, match="masks of 20000000000 elements"):
        codec.decode(Part, {"image": "ct", "offset": [0, 0, 0], "mask": claimed})
    data = _example()
    data["findings"][0]["region"]["parts"][0]["mask"] = {"shape": [1000, 1000, 1000], "runs": [0, 10**9]}
    data["set_aside"] = [{"what": "x", "reason": "y", "region": data["findings"][0]["region"]}] * 2
    with pytest.raises(InvalidValueError, match="masks of 3000000"):
        codec.decode(Reading, data)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": ' + "1" * 5000 + "}", "{", '"\\ud800'])
def test_text_that_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="no JSON that can be read"):
        codec.parse(Reading, text)


@pytest.mark.parametrize("where", ["findings", "set_aside"])
def test_a_region_beyond_its_image_is_refused(where: str) -> None:
    data = _example()
    part = {"image": "ct", "offset": [38, 0, 0], "mask": {"shape": [3, 1, 1], "runs": [0, 3]}}
    data[where][0]["region"] = {"parts": [part]}
    with pytest.raises(InvalidValueError, match=r"reaches to \(41, 1, 1\) on 'ct' of \(40, 40, 40\)"):
        codec.decode(Reading, data)
    part["offset"] = [37, 0, 0]
    codec.decode(Reading, data)
    part |= {"offset": [0, 0], "mask": {"shape": [3, 1], "runs": [0, 3]}}
    with pytest.raises(InvalidValueError, match="reaches to"):
        codec.decode(Reading, data)


def test_a_reading_refuses_evidence_without_a_finding_and_unknown_sites() -> None:
    reading = codec.decode(Reading, _example())
    with pytest.raises(InvalidValueError, match="without a finding"):
        replace(reading, sites=(SiteReading("skull", "assessed", evidence=("nowhere",)),))
    with pytest.raises(InvalidValueError, match="look up a site"):
        replace(reading, sites=(SiteReading("tail", "assessed"),))
    with pytest.raises(InvalidValueError, match="one id"):
        replace(reading, findings=(reading.findings[0],) * 2)
