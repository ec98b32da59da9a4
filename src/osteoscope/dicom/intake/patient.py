"""Who was imaged and how, from a header."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Literal

from osteoscope.dicom.intake.header import Header
from osteoscope.domain.study import Patient

_YEARS = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
_SEXES: Mapping[str, Literal["M", "F", "O"]] = {"M": "M", "F": "F", "O": "O"}
_TALLEST_M = 2.8
_HEAVIEST_KG = 700.0
_OLDEST_YEARS = 130.0


def patient_of(header: Header) -> tuple[Patient, tuple[str, ...]]:
    """The patient, and what in the header was left out or cleaned."""
    problems = []
    stated = ["".join(header.stated(keyword)[:1]) for keyword in ("PatientName", "PatientID")]
    name, identity = map(_printable, stated)
    if [name, identity] != stated:
        problems.append("control characters in the patient's name or id were removed")
    size, weight = header.number("PatientSize"), header.number("PatientWeight")
    if size is not None and not 0 <= size <= _TALLEST_M:
        problems.append(f"a patient's size of {size:g} m is not credible and was left out")
    if weight is not None and not 0 <= weight <= _HEAVIEST_KG:
        problems.append(f"a patient's weight of {weight:g} kg is not credible and was left out")
    patient = Patient(
        id=identity,
        name=name.rstrip("^ "),
        age_years=age_years(header),
        sex=_SEXES.get(header.text("PatientSex").upper()),
        weight_kg=_within(weight, _HEAVIEST_KG),
        height_cm=_within(None if size is None else 100 * size, 100 * _TALLEST_M),
    )
    return patient, tuple(problems)


def age_years(header: Header) -> float | None:
    """PatientAge (PS3.5 AS: nnnD, nnnW, nnnM or nnnY), or birth date to study date."""
    stated = header.text("PatientAge").upper()
    if stated[:-1].isdigit() and stated[-1:] in _YEARS and int(stated[:-1]) > 0:
        return round(int(stated[:-1]) * _YEARS[stated[-1]], 3)
    born, seen = iso_date(header.text("PatientBirthDate")), study_date(header)
    if not born or not seen:
        return None
    age = (date.fromisoformat(seen) - date.fromisoformat(born)).days / 365.25
    return round(age, 3) if 0 <= age <= _OLDEST_YEARS else None


def study_date(header: Header) -> str:
    """ISO date of the acquisition's study, "" where unknown."""
    dates = (iso_date(header.text(keyword)) for keyword in ("StudyDate", "AcquisitionDate", "SeriesDate"))
    return next(filter(None, dates), "")


def digest_uid(digests: Iterable[str]) -> str:
    """A study's name made from its files, for those that carry none."""
    return f"sha256:{hashlib.sha256(''.join(sorted(digests)).encode()).hexdigest()}"


def iso_date(text: str) -> str:
    """YYYYMMDD or YYYY.MM.DD as ISO date, "" where it is no date."""
    digits = text.replace(".", "").replace("-", "")[:8]
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])).isoformat()
    except ValueError:
        return ""


def _within(value: float | None, most: float) -> float | None:
    return round(value, 3) if value is not None and 0 < value <= most else None


def _printable(text: str) -> str:
    return "".join(c for c in text if c.isprintable()).strip()
