"""Numbers, units, names and places in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from osteoscope.domain.anatomy import site
from osteoscope.domain.finding import Measure, Point
from osteoscope.domain.reading import Reading
from osteoscope.errors import InvalidValueError

_UNITS: Mapping[str, str] = MappingProxyType(
    {"1": "", "{score}": "", "{count}": "", "[hnsf'U]": "HU", "mm2": "mm²", "mm3": "mm³", "Cel": "°C"}
)
_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "siopen": "SIOPEN level",
        "siopen_total": "SIOPEN score",
        "curie": "Curie level",
        "curie_total": "Curie score",
        "lesion_count": "number of lesions",
        "lesion_share": "lesion share of the bone in the field",
        "sins_at_least": "SINS, at least",
        "mirels_at_least": "Mirels score, at least",
    }
)
_WORDS: Mapping[str, str] = MappingProxyType({"siopen": "SIOPEN", "curie": "Curie", "hu": "HU"})
# Joins a number to its unit where a line may end.
JOINED = "\u00a0"
# Letters of the directions of growing x, y, z in LPS, and of their opposites.
_DIRECTIONS = (("L", "R"), ("P", "A"), ("H", "F"))


def unit(ucum: str) -> str:
    """How a UCUM unit is shown; "" for pure numbers."""
    return _UNITS.get(ucum, ucum)


def label(name: str) -> str:
    """A measure's name for a reader."""
    return _LABELS.get(name) or " ".join(_WORDS.get(word, word) for word in name.split("_"))


def sentence_case(text: str) -> str:
    """The text with its first letter large."""
    return text[:1].upper() + text[1:]


def site_name(where: str) -> str:
    """A site's name for a reader; for unknown levels with their number, so that two stay apart."""
    found = site(where)
    if found.level_known:
        return sentence_case(found.name)
    return sentence_case(f"{found.name} no. {where.rsplit('_', 1)[1]}")


def where(reading: Reading, place: str) -> str:
    """The name of a gap's place: the study, a finding by its number, a site, or the place's own word."""
    ids = [finding.id for finding in reading.findings]
    if place in ids:
        return f"Finding {ids.index(place) + 1}"
    try:
        return site_name(place)
    except InvalidValueError:
        return sentence_case(place)


def number(value: float) -> str:
    """Three significant digits, whole numbers as such, never an exponent, with a true minus sign."""
    if float(value).is_integer() or abs(value) >= 100:
        text = f"{value:.0f}"
    elif value == 0 or abs(value) >= 10:
        text = f"{value:.1f}"
    else:
        text = f"{value:.2f}" if abs(value) >= 0.995 else f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", "0."} else text.replace("-", "−")


def interval(measure: Measure) -> str:
    """ "low to high", or "" where none is known."""
    return " to ".join(number(v) for v in measure.interval) if measure.interval else ""


def quantity(measure: Measure, bound: str = "") -> str:
    """Value, unit and interval in one line: "21.6 mL (19.4 to 24.8)", "7 of 72 (6 to 9)" with a bound."""
    shown = JOINED.join(filter(None, (number(measure.value), unit(measure.unit), bound.replace(" ", JOINED))))
    return f"{shown} ({interval(measure)})" if measure.interval else shown


def percent(share: float | None) -> str:
    """A share as per cent; a dash for none."""
    return "–" if share is None else f"{100 * share:.0f}{JOINED}%"


def place(point: Point) -> str:
    """A place as a reader says it: "L 8, P 12, H 215 mm", or "anterior, row 177, column 126 (pixels)" of a view."""
    if point.frame != "LPS":
        row, column = point.position
        return f"{point.frame}, row {row:.0f}, column {column:.0f} (pixels)"
    parts = (
        f"{letters[coordinate < 0]}{JOINED}{abs(coordinate):.0f}"
        for letters, coordinate in zip(_DIRECTIONS, point.position, strict=True)
    )
    return f"{', '.join(parts)}{JOINED}mm"


def count(n: int, one: str, many: str = "") -> str:
    """ "no lesion", "1 lesion", "2 lesions"."""
    if n == 0:
        return f"no {one}"
    return f"1 {one}" if n == 1 else f"{n} {many or one + 's'}"


def age(years: float | None) -> str:
    """An age, in months below two years."""
    if years is None:
        return "not stated"
    if years < 2:
        return count(round(years * 12), "month") if years >= 1 / 24 else "under one month"
    return f"{years:.0f} years" if years >= 18 else f"{years:.1f}".removesuffix(".0") + " years"
