"""Totals over segments, on one rule for every date and every reader."""

from __future__ import annotations

import math
from collections.abc import Sequence

from osteoscope.domain.anatomy import CURIE
from osteoscope.domain.reading import Reading
from osteoscope.stats.inrc import Score

# The original Curie score is of bone alone (Ady 1995, docs/background/mibg.md S15).
CURIE_BONE: tuple[str, ...] = tuple(place for place in CURIE if place != "soft_tissue")


def total(reading: Reading, score: str, places: Sequence[str], top: int) -> Score:
    """The sum of the levels of these places.

    Distances from value to interval ends are added in quadrature, as if places erred independently: readings of
    persons and of files hold levels and intervals alone, not the chances that `osteoscope read` sums. A place without
    a level could add up to ``top``. A level without an interval is taken as exact.
    """
    said = [reading.site(place) for place in places]
    levels = [measure for site in said if site and (measure := site.measure(score)) is not None]
    value = sum(level.value for level in levels)
    ends = [(level.value, *(level.interval or (level.value, level.value))) for level in levels]
    down = math.hypot(*(v - low for v, low, _ in ends))
    up = math.hypot(*(high - v for v, _, high in ends))
    most = len(levels) * top
    interval = (max(0, math.floor(value - down)), min(math.ceil(value + up), most))
    return Score(round(value), interval, (len(places) - len(levels)) * top)
