"""What a Reading holds on the level of one SIOPEN segment, without its images: the input of an adaptation.

Chances of levels follow from the confidences as in `score_chance`: the number of foci is Poisson-binomial plus a
Poisson number of foci not found, more of them the more other segments have disease; the diffuse fraction is normal
around its measured value. Images are not needed, so that a reading.json made years ago serves; a patch too unsure to be
measured is taken as small. Where the Reading gives likeliest levels, its chances are those of `level_head`.

Choices of scoring hold here as in the levels, but for two that need images: a finding is a patch by its kind, whatever
`ScoreOptions.confluence` is, and a focus counts once (`ScoreOptions.count_once`).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.stats import poisson

from osteoscope.domain.anatomy import SIOPEN
from osteoscope.domain.finding import Finding, Measure
from osteoscope.errors import InvalidValueError
from osteoscope.measure.level_head import Signs, confidences, level_head, signs_of
from osteoscope.measure.score_tables import Scheme, ScoreOptions, scheme

Floats = NDArray[np.float64]

UNADAPTED = "siopen_unadapted"
FEATURES = ("expected_foci", "accepted_foci", "diffuse_fraction", "patch_confidence")
_DEFAULT = ScoreOptions()
TOP = scheme("siopen", _DEFAULT).top
# Least chance of a level: no evidence of a program excludes that a reader sees it otherwise.
_LEAST = 0.01
# Least distance in logits from a threshold to the side on which the shipped level lies.
_MARGIN = 0.05
# Least error of a fraction: that of `score_chance`, since a choice of 0 is none to divide by.
_LEAST_ERROR = 1e-6
# Foci above so many say nothing more on a level.
_MANY_FOCI = 6


@dataclass(frozen=True)
class Evidence:
    """What was found in one segment.

    Args:
        segment: id of a SIOPEN segment.
        level: of the shipped scorer, 0..6.
        foci: confidences 0..1 of discrete foci, accepted or not.
        patches: confidences 0..1 of diffuse findings.
        fraction: share of the segment's silhouette that accepted patches cover, 0..1.
        elsewhere: share of the other segments with disease that counts, 0..1.
        burden: of the other segments (`level_head.Signs`), where likeliest levels are given; None with counted ones.
        options: choices under which it was scored.

    Raises:
        InvalidValueError: the segment is none, or a number is out of its range.
    """

    segment: str
    level: int
    foci: tuple[float, ...] = ()
    patches: tuple[float, ...] = ()
    fraction: float = 0.0
    elsewhere: float = 0.0
    burden: float | None = None
    options: ScoreOptions = _DEFAULT

    def __post_init__(self) -> None:
        shares = (*self.foci, *self.patches, self.fraction, self.elsewhere, self.burden or 0.0)
        if self.segment not in SIOPEN or self.level not in range(TOP + 1) or not all(0 <= s <= 1 for s in shares):
            found = f"segment {self.segment!r}, level {self.level}, shares {shares}"
            raise InvalidValueError("build Evidence", found, f"Give a SIOPEN segment, 0..{TOP} and shares of 0..1")

    @cached_property
    def features(self) -> Floats:
        """Of `FEATURES`, shape (4,): foci in halves, the rest in shares; none falls as disease grows."""
        expected, accepted = sum(self.foci), sum(c >= self.options.accepted for c in self.foci)
        foci = [min(float(n), _MANY_FOCI) / 2 for n in (expected, accepted)]
        return np.array([*foci, self.fraction, max(self.patches, default=0.0)])

    @cached_property
    def logits(self) -> Floats:
        """Log odds that the level is at least 1, 2 ... 6, shape (6,), falling; their signs give the shipped level."""
        chances = np.clip(self._by_head(self._by_counting()), _LEAST, 1 - _LEAST)
        odds = np.log(chances / (1 - chances))
        reached = np.arange(1, TOP + 1) <= self.level
        return np.asarray(np.where(reached, np.maximum(odds, _MARGIN), np.minimum(odds, -_MARGIN)))

    @cached_property
    def _table(self) -> Scheme:
        return scheme("siopen", self.options)

    def _by_counting(self) -> Floats:
        return np.array([self._at_least(level) for level in range(1, TOP + 1)])

    def _by_head(self, at_least: Floats) -> Floats:
        if self.burden is None:
            return at_least
        counted = -np.diff(np.concatenate(([1.0], at_least, [0.0])))
        signs = Signs(self.segment, self.foci, self.patches, self.fraction, self.burden)
        return np.asarray(1 - np.cumsum(level_head().scores["siopen"].chances(counted, signs))[:-1])

    def _at_least(self, level: int) -> float:
        rungs = [rung for rung in self._table.rungs if rung.level >= level]
        enough = min((rung.sites for rung in rungs if rung.sites is not None), default=None)
        by_number = 0.0 if enough is None else self._tail(enough)
        by_extent = self._above(min((rung.fraction for rung in rungs if rung.fraction is not None), default=1.0))
        none = math.prod(1 - c for c in self.patches)
        return by_number + (1 - by_number) * (1 - none) * by_extent

    def _tail(self, least: int) -> float:
        """Chance of at least so many foci (Poisson-binomial, and Poisson for those not found)."""
        rate = self.options.missed + self.options.missed_beside * self.elsewhere
        number = poisson.pmf(np.arange(least), rate)
        for confidence in self.foci:
            number = np.convolve(number, (1 - confidence, confidence))[:least]
        return float(np.clip(1 - number.sum(), 0.0, 1.0))

    def _above(self, fraction: float) -> float:
        if fraction <= 0:
            return 1.0
        error = max(self.options.fraction_error, _LEAST_ERROR)
        return 0.5 * math.erfc((fraction - self.fraction) / (error * math.sqrt(2)))


def evidence(
    segment: str, measures: Iterable[Measure], findings: Collection[Finding], options: ScoreOptions = _DEFAULT
) -> Evidence | None:
    """The Evidence of a segment; None where the measures hold no SIOPEN level of it.

    Args:
        segment: id of a SIOPEN segment.
        measures: of the segment; a level that was adapted before is replaced by the unadapted one.
        findings: of the whole study.
        options: choices under which the Reading was scored.

    Raises:
        InvalidValueError: the id names no SIOPEN segment, or a level is off the scale.
    """
    named = {measure.name: measure.value for measure in measures}
    level = named.get(UNADAPTED, named.get("siopen"))
    if level is None:
        return None
    table = scheme("siopen", options)
    foci, patches = confidences(findings, table.members.get(segment, ()))
    fraction = min(named.get("siopen_diffuse_fraction", 0.0), 1.0)
    sure = {f.site for f in findings if f.confidence >= options.accepted}
    elsewhere = float(
        np.mean([bool(sure.intersection(units)) for name, units in table.members.items() if name != segment])
    )
    burden = signs_of(findings, table, segment, fraction).burden if options.level == "likeliest" else None
    return Evidence(segment, round(level), foci, patches, fraction, elsewhere, burden, options)
