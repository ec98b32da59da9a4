"""Fits the coefficients of `measure.adaptation` to a reader's levels, drawn towards the shipped scorer.

Penalised maximum likelihood: every coefficient has a normal prior around the value that changes nothing
(ridge towards an offset: Hoerl & Kennard 1970, Technometrics 12:55), so that few studies leave the shipped scorer as
it is. Offsets of segments are the sum of a group's and a segment's own, both shrunken.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from osteoscope.domain.anatomy import SIOPEN
from osteoscope.measure.adaptation import LAPSE, Coefficients
from osteoscope.measure.adaptation_evidence import FEATURES, TOP, Evidence, Floats

Indices = NDArray[np.intp]

SEGMENTS = tuple(SIOPEN)
_GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "trunk": ("skull", "thoracic_cage", "spine", "pelvis"),
        "proximal": tuple(s for s in SEGMENTS if s.startswith("proximal")),
        "distal": tuple(s for s in SEGMENTS if s.startswith("distal")),
    }
)
# Standard deviations of the priors at a penalty of 1, in logits (of the slope: of its logarithm). Choices.
_PRIORS = (("slope", 1, 0.5), ("shifts", TOP, 3.0), ("weights", len(FEATURES), 1.0), ("groups", len(_GROUPS), 1.0))
_SEGMENT_PRIOR = 0.5
_SPREAD = np.concatenate([*(np.full(n, sd) for _, n, sd in _PRIORS), np.full(len(SEGMENTS), _SEGMENT_PRIOR)])
_OPTIONS = {"maxiter": 300, "ftol": 1e-7}
_ENDS = np.cumsum([n for _, n, _ in _PRIORS])
# (segment, group or segment): which offsets a segment adds up.
_MEMBERS = np.hstack([[[s in g for g in _GROUPS.values()] for s in SEGMENTS], np.eye(len(SEGMENTS))]).astype(float)


@dataclass(frozen=True, eq=False)
class Sample:
    """Segments with what was found in them and what the reader called them.

    Args:
        found: the evidence of each.
        levels: of the reader, 0..6, shape (n,).
        patients: number of the patient of each, shape (n,).
        studies: number of the study of each, shape (n,).
    """

    found: tuple[Evidence, ...]
    levels: Indices
    patients: Indices
    studies: Indices

    def where(self, chosen: NDArray[np.bool_]) -> Sample:
        """The part chosen by a mask of shape (n,)."""
        kept = tuple(e for e, keep in zip(self.found, chosen, strict=True) if keep)
        return Sample(kept, self.levels[chosen], self.patients[chosen], self.studies[chosen])


def fit(sample: Sample, penalty: float) -> Coefficients:
    """The coefficients that fit best under a penalty; an infinite one leaves the shipped scorer as it is.

    Args:
        sample: at least one segment.
        penalty: strength of the prior, above 0; 1 is the prior of the table above.
    """
    return fit_path(sample, (penalty,))[0]


def fit_path(sample: Sample, penalties: Sequence[float]) -> tuple[Coefficients, ...]:
    """As `fit` for several penalties, each begun where the one before ended; best given from strong to weak."""
    likelihood = _Likelihood(sample)
    # Slopes stay above 0 by their logarithm, weights by their bounds: levels never fall as disease grows.
    bounds = [(0.0, None) if _ENDS[1] <= n < _ENDS[2] else (None, None) for n in range(_SPREAD.size)]
    at, made = np.zeros(_SPREAD.size), []
    for penalty in penalties:
        if math.isfinite(penalty):
            at = minimize(likelihood, at, (penalty,), "L-BFGS-B", jac=True, bounds=bounds, options=_OPTIONS).x
        made.append(_coefficients(at) if math.isfinite(penalty) else Coefficients())
    return tuple(made)


def losses(sample: Sample, coefficients: Coefficients) -> Floats:
    """Minus log likelihood of each segment, shape (n,)."""
    chances = [coefficients.chances(e)[level] for e, level in zip(sample.found, sample.levels, strict=True)]
    return np.asarray(-np.log(np.asarray(chances)))


def _coefficients(at: Floats) -> Coefficients:
    slope, shifts, weights, offsets = np.split(at, _ENDS[:3])
    return Coefficients(
        float(np.exp(slope[0])),
        tuple(round(float(v), 6) for v in shifts),
        {name: round(max(float(v), 0.0), 6) for name, v in zip(FEATURES, weights, strict=True)},
        {name: round(float(v), 6) for name, v in zip(SEGMENTS, _MEMBERS @ offsets, strict=True)},
    )


class _Likelihood:
    """Minus penalised log likelihood and its gradient; arrays are made once."""

    def __init__(self, sample: Sample) -> None:
        self.base = np.array([e.logits for e in sample.found])
        self.features = np.array([e.features for e in sample.found])
        self.members = _MEMBERS[[SEGMENTS.index(e.segment) for e in sample.found]]
        self.levels = sample.levels
        self.rows = np.arange(len(sample.found))

    def __call__(self, at: Floats, penalty: float) -> tuple[float, Floats]:
        slope, shifts, weights, offsets = np.split(at, _ENDS[:3])
        scale = np.exp(slope[0])
        raw = scale * self.base + shifts + (self.features @ weights + self.members @ offsets)[:, None]
        odds, source = _never_rising(raw)
        # Of an observed level k: P(>= k) - P(>= k + 1); the ends are certain.
        least = np.pad(expit(odds), ((0, 0), (1, 1)), constant_values=((0, 0), (1, 0)))
        chance = least[self.rows, self.levels] - least[self.rows, self.levels + 1]
        mixed = (1 - LAPSE) * chance + LAPSE / (TOP + 1)
        change = np.zeros_like(raw)
        for step, sign in ((0, -1.0), (1, 1.0)):
            threshold = self.levels + step - 1
            inside = (threshold >= 0) & (threshold < TOP)
            rows, column = self.rows[inside], threshold[inside]
            bound = least[rows, column + 1]
            slopes = sign * (1 - LAPSE) * bound * (1 - bound) / mixed[inside]
            np.add.at(change, (rows, source[rows, column]), slopes)
        whole = change.sum(axis=1)
        gradient = np.concatenate(
            [[scale * np.sum(change * self.base)], change.sum(axis=0), whole @ self.features, whole @ self.members]
        )
        departure = at / _SPREAD
        value = -np.log(mixed).sum() + penalty / 2 * departure @ departure
        return float(value), np.asarray(gradient + penalty * departure / _SPREAD)


def _never_rising(raw: Floats) -> tuple[Floats, Any]:
    """The running minimum along thresholds, and the column that each value comes from."""
    odds = np.minimum.accumulate(raw, axis=1)
    source = np.zeros(raw.shape, dtype=np.intp)
    for column in range(1, raw.shape[1]):
        source[:, column] = np.where(raw[:, column] < odds[:, column - 1], column, source[:, column - 1])
    return odds, source
