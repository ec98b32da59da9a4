"""Totals over segments, on one rule for every date and every reader."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from osteoscope.domain.anatomy import CURIE, SIOPEN
from osteoscope.domain.finding import Measure
from osteoscope.domain.reading import Reading
from osteoscope.stats.inrc import Score

# The original Curie score is of bone alone (Ady 1995, docs/background/mibg.md S15).
CURIE_BONE: tuple[str, ...] = tuple(place for place in CURIE if place != "soft_tissue")
_ALL_PLACES = {"siopen": tuple(SIOPEN), "curie": tuple(CURIE)}
_Ends = tuple[float, float]  # distances from a value down and up to the ends of its interval


def total(reading: Reading, score: str, places: Sequence[str], top: int) -> Score:
    """The sum of the levels of these places, with the interval of the Reading's own total where that is known.

    Where it is not (persons, files), or for some of the places alone, distances from value to interval ends are added
    in quadrature, as if places erred independently, and widened as the Reading says ("together" of its settings). Of
    some of the places they are at least what is left of the Reading's own distances without the other places, and no
    more than those. A place without a level could add up to ``top``. A level without an interval is taken as exact.
    """
    levels, others = _levels(reading, score, places), _levels(reading, score, set(_ALL_PLACES[score]) - set(places))
    value = sum(level.value for level in levels)
    missing = (len(places) - len(levels)) * top
    widening = _widening(reading)
    ends = _in_quadrature(levels, widening)
    own = _own_ends(reading, score, [*levels, *others], top)
    if own is not None:
        rest = _in_quadrature(others, widening)
        left = (math.sqrt(max(0.0, whole**2 - part**2)) for whole, part in zip(own, rest, strict=True))
        ends = _pair(min(whole, max(one, two)) for whole, one, two in zip(own, ends, left, strict=True))
        ends = ends if others else own
    down, up = ends
    interval = (max(0, math.floor(value - down)), min(math.ceil(value + up), len(levels) * top))
    return Score(round(value), interval, missing)


def _levels(reading: Reading, score: str, places: Iterable[str]) -> list[Measure]:
    said = (reading.site(place) for place in places)
    return [measure for site in said if site and (measure := site.measure(score)) is not None]


def _in_quadrature(levels: Sequence[Measure], widening: float) -> _Ends:
    ends = [(level.value, *(level.interval or (level.value, level.value))) for level in levels]
    down, up = (math.hypot(*distances) for distances in ([v - low for v, low, _ in ends], [h - v for v, _, h in ends]))
    return widening * down, widening * up


def _own_ends(reading: Reading, score: str, levels: Sequence[Measure], top: int) -> _Ends | None:
    """Of the Reading's own total, without what places that have no level could add; None where its levels differ."""
    own = reading.measure(f"{score}_total")
    if own is None or own.interval is None or own.value != sum(level.value for level in levels):
        return None
    missing = (len(_ALL_PLACES[score]) - len(levels)) * top
    return own.value - own.interval[0], max(0.0, own.interval[1] - missing - own.value)


def _widening(reading: Reading) -> float:
    try:
        stated = float(reading.provenance.settings.get("together", 1))
    except ValueError:
        return 1.0
    return stated if math.isfinite(stated) and stated >= 1 else 1.0


def _pair(values: Iterable[float]) -> _Ends:
    down, up = values
    return down, up
