"""How likely each level of a segment is, from how sure each of its findings is.

A finding is there with its confidence, each independently of the others, so that the number of foci follows a
Poisson-binomial distribution; foci that no finding shows are Poisson, more of them the more other segments have
disease (`ScoreOptions.missed`, `ScoreOptions.missed_beside`), since then faint ones are likelier. Where a focus counts
once per view (`ScoreOptions.count_once`), one that no finding shows is taken to be in every view. The diffuse
fraction, where there is a patch at all, is normal around its measured value with `fraction_error`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, poisson

from osteoscope.domain.reading import Case
from osteoscope.measure.score_extent import counting_from, extent, findings_of, is_patch, sites_of
from osteoscope.measure.score_tables import Scheme, ScoreOptions

Chances = NDArray[np.float64]

_STEPS = 41
_TAIL = 0.05  # on both sides: intervals are of 90 %
_ENOUGH = 4  # so many unseen foci reach any level that a number of foci can reach


def level_chances(case: Case, units: Sequence[str], table: Scheme, options: ScoreOptions) -> Chances:
    """Chance of each level 0 to ``table.top`` of these units, shape (top + 1,)."""
    found = [f for f in case.findings if f.site in units]
    patches = [f for f in found if is_patch(case, f, options)]
    foci = [(f.confidence, sites_of(f, options)) for f in found if f not in patches]
    average = options.missed + options.missed_beside * _involved(case, units, table, options)
    unseen = poisson.pmf(np.arange(_ENOUGH), average)
    views = 1 if options.count_once else len(case.study.images)
    number = np.convolve(_count(foci), _apart(np.append(unseen, max(0.0, 1 - unseen.sum())), views))
    without = float(np.prod([1 - p.confidence for p in patches]))
    chances = np.zeros(table.top + 1)
    for sites, chance in enumerate(number):
        chances[table.level(sites, 0.0)] += without * chance
    if patches:
        accepted = min(counting_from(case, options), max([p.confidence for p in patches]))
        measured = extent(case, units, accepted, options).fraction
        spread = _spread(measured, options.fraction_error)
        for sites, chance in enumerate(number):
            for fraction, share in spread:
                counted = sites + (1 if table.patch_is_site else 0)
                chances[table.level(counted, fraction)] += (1 - without) * chance * share
    return np.asarray(chances / chances.sum())


def _involved(case: Case, units: Sequence[str], table: Scheme, options: ScoreOptions) -> float:
    """Share of the other segments with a finding that counts, 0..1."""
    others = [members for members in table.members.values() if not set(members) & set(units)]
    return float(np.mean([bool(findings_of(case, members, options.accepted)) for members in others])) if others else 0.0


def range_of(chances: Chances, value: float) -> tuple[float, float]:
    """The central 90 % of a distribution over 0, 1, 2 ..., widened to hold the value."""
    total = np.cumsum(chances)
    low, high = (int(np.searchsorted(total, end)) for end in (_TAIL + 1e-9, 1 - _TAIL - 1e-9))
    return min(float(low), value), max(float(min(high, len(chances) - 1)), value)


def _count(foci: Sequence[tuple[float, int]]) -> Chances:
    """Chance of each number of sites, of foci with their chances and the sites that each makes."""
    number = np.ones(1)
    for chance, sites in foci:
        number = np.convolve(number, _apart((1 - chance, chance), sites))
    return number


def _apart(chances: Sequence[float] | Chances, sites: int) -> Chances:
    """Chances of so many foci as those of so many sites, each focus being ``sites`` of them."""
    spread = np.zeros((len(chances) - 1) * sites + 1)
    spread[::sites] = chances
    return spread


def _spread(measured: float, error: float) -> list[tuple[float, float]]:
    """Fractions above 0 up to 1 with their chances, what falls beyond the ends kept at the ends."""
    at = np.linspace(0, 1, _STEPS)
    edges = np.concatenate(([-np.inf], (at[1:] + at[:-1]) / 2, [np.inf]))
    shares = np.diff(norm.cdf(edges, loc=measured, scale=max(error, 1e-6)))
    return [(float(max(fraction, 1e-6)), float(share)) for fraction, share in zip(at, shares, strict=True)]
