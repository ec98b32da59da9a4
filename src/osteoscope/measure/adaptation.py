"""SIOPEN levels adapted to the readers of one hospital: an ordinal head on what the shipped model finds.

Proportional odds (McCullagh 1980, J R Stat Soc B 42:109) with the shipped log odds as an offset:

    logit P(level >= k) = slope * shipped_k + shift_k + weights . features + offset of the segment

Slope 1 and zeros elsewhere are the shipped scorer: its level exactly, its chances up to what `Evidence.logits` rounds.
Where a shift would make a higher level likelier than a lower one, the lower bound holds. A share `LAPSE` of levels is
taken as a slip that says nothing (Wichmann & Hill 2001, Percept Psychophys 63:1293). The level given is the highest
that is reached with more than a chance of `Coefficients.cut`; at a half it is the median.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from types import MappingProxyType

import numpy as np
from scipy.special import expit

from osteoscope.domain.anatomy import SIOPEN, siopen_members
from osteoscope.domain.finding import Measure
from osteoscope.domain.in_part import is_whole
from osteoscope.domain.reading import Case, ModelRecord
from osteoscope.errors import InvalidValueError
from osteoscope.measure.adaptation_evidence import FEATURES, TOP, UNADAPTED, Evidence, Floats, evidence
from osteoscope.measure.score import siopen, totals
from osteoscope.measure.score_chance import range_of
from osteoscope.measure.score_tables import ScoreOptions

LAPSE = 0.01
_COUNTED = ScoreOptions()


@dataclass(frozen=True)
class Coefficients:
    """The numbers of an adaptation; the defaults change nothing.

    Args:
        slope: of the shipped log odds, at least 0.
        shifts: of the thresholds 1 to 6, in logits.
        weights: of `FEATURES`, at least 0, in logits; absent ones are 0.
        offsets: per segment, in logits; absent ones are 0.
        cut: chance above which a level is given, above 0 and below 1.

    Raises:
        InvalidValueError: the cut is out of its range, a slope or weight is below 0, a name is unknown, or a number
            is not finite.
    """

    slope: float = 1.0
    shifts: tuple[float, ...] = (0.0,) * TOP
    weights: Mapping[str, float] = field(default_factory=dict)
    offsets: Mapping[str, float] = field(default_factory=dict)
    cut: float = 0.5

    def __post_init__(self) -> None:
        numbers = [self.slope, self.cut, *self.shifts, *self.weights.values(), *self.offsets.values()]
        unknown = (set(self.weights) - set(FEATURES)) | (set(self.offsets) - set(SIOPEN))
        least = min(self.slope, *self.weights.values(), 0.0)
        if least < 0 or not 0 < self.cut < 1 or not np.isfinite(numbers).all():
            remedy = "Give finite ones, slope and weights >= 0, a cut between 0 and 1"
            raise InvalidValueError("build Coefficients", f"numbers {numbers}", remedy)
        if unknown or len(self.shifts) != TOP:
            found = f"names {sorted(unknown)} and {len(self.shifts)} shifts"
            raise InvalidValueError("build Coefficients", found, f"Give {TOP} shifts, features and segments by name")
        object.__setattr__(self, "weights", MappingProxyType(dict(self.weights)))
        object.__setattr__(self, "offsets", MappingProxyType(dict(self.offsets)))

    def log_odds(self, found: Evidence) -> Floats:
        """Log odds that the level is at least 1, 2 ... 6, shape (6,), never rising."""
        weights = np.array([self.weights.get(name, 0.0) for name in FEATURES])
        rest = float(weights @ found.features) + self.offsets.get(found.segment, 0.0)
        raw = self.slope * found.logits + np.asarray(self.shifts) + rest
        return np.asarray(np.minimum.accumulate(raw))

    def level(self, found: Evidence) -> int:
        """The highest level that is reached with more than a chance of ``cut``."""
        return int(np.count_nonzero(self.log_odds(found) > math.log(self.cut / (1 - self.cut))))

    def chances(self, found: Evidence) -> Floats:
        """Chance of each level 0 to 6, shape (7,)."""
        least = expit(self.log_odds(found))
        plain = -np.diff(np.concatenate(([1.0], least, [0.0])))
        return np.asarray((1 - LAPSE) * plain + LAPSE / (TOP + 1))


@dataclass(frozen=True)
class Head:
    """Coefficients and the record of the card that they come from."""

    coefficients: Coefficients
    record: ModelRecord


def adapted_siopen(case: Case, segment: str, head: Head, options: ScoreOptions = _COUNTED) -> tuple[Measure, ...]:
    """As `score.siopen` under these options: level, interval and probability adapted, and the shipped level beside.

    Returns:
        "siopen" in {score}, "siopen_foci" and "siopen_diffuse_fraction" in 1 as found, "siopen_probability" in 1,
        "siopen_unadapted" in {score}. Nothing where `score.siopen` gives nothing.

    Raises:
        InvalidValueError: the id names no site.
    """
    shipped = siopen(case, segment, options)
    found = evidence(segment, shipped, case.findings, options)
    if found is None:
        return ()
    level, chances = head.coefficients.level(found), head.coefficients.chances(found)
    low, high = range_of(chances, level)
    by_name = {measure.name: measure for measure in shipped}
    plain = by_name.pop("siopen")
    interval = (low, float(TOP) if _in_part(case, segment, options) else high)
    how = f"{plain.method}, adapted by {head.record.name} {head.record.version}"
    chance = round(float(chances[level]), 3)
    changed = {
        "siopen": Measure("siopen", level, plain.unit, how, interval),
        **by_name,
        "siopen_probability": Measure("siopen_probability", chance, "1", "chance by the adapted distribution"),
        UNADAPTED: Measure(UNADAPTED, plain.value, plain.unit, plain.method, plain.interval),
    }
    return tuple(changed.values())


def adapted_totals(case: Case, head: Head, options: ScoreOptions = _COUNTED) -> tuple[Measure, ...]:
    """As `score.totals`, the interval of "siopen_total" by the adapted chances of its segments under these options.

    Segments are taken to err independently: `ScoreOptions.together` was chosen for the chances of the shipped scorer.
    """
    made = {total.name: total for total in totals(case, options)}
    plain = made.get("siopen_total")
    if plain is not None:
        how = f"{plain.method}, adapted by {head.record.name} {head.record.version}"
        made["siopen_total"] = Measure(
            plain.name, plain.value, plain.unit, how, _range(case, plain.value, head, options)
        )
    return tuple(made.values())


def _range(case: Case, value: float, head: Head, options: ScoreOptions) -> tuple[float, float]:
    """Of the sum of independent segments; segments without a level, and those seen in part, may hold more."""
    read = {s.site: s for s in case.sites if s.status == "assessed" and s.measure("siopen") and s.site in SIOPEN}
    found = [e for name, s in read.items() if (e := evidence(name, s.measures, case.findings, options))]
    low, high = range_of(reduce(np.convolve, (head.coefficients.chances(e) for e in found)), value)
    unseen = TOP * (len(SIOPEN) - len(read))
    rest = sum(TOP - head.coefficients.level(e) for e in found if _in_part(case, e.segment, options))
    return low, min(high + unseen + rest, float(TOP * len(SIOPEN)))


def _in_part(case: Case, segment: str, options: ScoreOptions) -> bool:
    return not all(is_whole(case.place(unit)) for unit in siopen_members(options.sacrum)[segment])
