"""Agreement of totals: six forms of ICC, bias and limits of agreement, by burden stratum too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteoscope.errors import InvalidValueError
from osteoscope.stats.icc import FORMS, IccForm, icc, icc_value, mean_squares
from osteoscope.stats.levels import bootstrap_interval
from osteoscope.stats.limits import DIFFERENCE_NAMES, difference_figures, limits_of_agreement
from osteoscope.stats.ratings import Interval, Scale, Statistic, Target
from osteoscope.stats.resampling import Floats, Resampling, drawn_indices

_FEWEST = 3
_F_INTERVAL = "F distribution (McGraw & Wong 1996)"
_T_INTERVAL = "Student's t (Bland & Altman 1999)"
_INDEPENDENT = "the analytic interval takes repeated scans of one patient as independent"
_DIFFERENCES = {
    "bias": "mean of second minus first",
    "limit_low": "bias - 1.96 SD (Bland & Altman 1986)",
    "limit_high": "bias + 1.96 SD (Bland & Altman 1986)",
    "rank_limit_low": "2.5th centile of the differences",
    "rank_limit_high": "97.5th centile of the differences",
    "mean_absolute_difference": "mean size of the differences",
}


@dataclass(frozen=True)
class Totals:
    """Totals of the same cases.

    Args:
        values: shape (cases, readers), no missing values.
        owners: number of the patient of each case, shape (cases,).
    """

    values: Floats
    owners: NDArray[np.intp]

    @classmethod
    def known(cls, values: Floats, owners: NDArray[np.intp]) -> Totals:
        """The cases with a total of every reader, of values of shape (readers, cases)."""
        known = np.isfinite(values).all(axis=0)
        return cls(values.T[known], owners[known])

    @property
    def patients(self) -> int:
        """Number of patients."""
        return np.unique(self.owners).size

    @property
    def independent(self) -> bool:
        """Whether every patient gave one case."""
        return self.patients == self.owners.size


def icc_statistics(target: Target, totals: Totals, resampling: Resampling) -> tuple[Statistic, ...]:
    """All forms of ICC with the F-based and the bootstrap interval."""
    values = totals.values
    if len(values) < _FEWEST or np.ptp(values) == 0:
        why = f"undefined: {len(values)} cases" if len(values) < _FEWEST else "undefined: all totals are the same"
        return tuple(_icc(target, totals, form, (), why) for form in FORMS)
    draws = np.array([_forms(values[index]) for index in drawn_indices(totals.owners, resampling)])
    found = (bootstrap_interval(draws[:, n]) for n in range(len(FORMS)))
    return tuple(
        _icc(target, totals, form, intervals, note) for form, (intervals, note) in zip(FORMS, found, strict=True)
    )


def _forms(values: Floats) -> list[float]:
    squares = mean_squares(values - values.mean())
    return [icc_value(squares, form) for form in FORMS]


def _icc(target: Target, totals: Totals, form: IccForm, drawn: tuple[Interval, ...], note: str) -> Statistic:
    name, method = f"icc_{form.replace(',', '_')}", f"ICC({form}): {FORMS[form]} (Shrout & Fleiss 1979)"
    value, analytic = np.nan, tuple[Interval, ...]()
    if not note.startswith("undefined:"):
        found = icc(totals.values, form)
        note = note if np.isfinite(found.value) else "undefined: the cases do not differ in their mean"
        value, analytic = found.value, (Interval(found.low, found.high, _F_INTERVAL),)
        note = "; ".join(filter(None, (note, f"F({found.df1:g}, {found.df2:g}) = {found.f:.4g}, p = {found.p:.3g}")))
    intervals, note = _ordered(analytic, drawn, totals.independent, note)
    return target.statistic(
        name,
        value,
        intervals=intervals,
        method=method,
        observations=len(totals.values),
        patients=totals.patients,
        note=note,
    )


def _ordered(
    analytic: tuple[Interval, ...], drawn: tuple[Interval, ...], independent: bool, note: str
) -> tuple[tuple[Interval, ...], str]:
    if independent or not analytic:
        return (*analytic, *drawn), note
    return (*drawn, *analytic), "; ".join(filter(None, (note, _INDEPENDENT)))


def difference_statistics(target: Target, totals: Totals, resampling: Resampling) -> tuple[Statistic, ...]:
    """Bias, limits, non-parametric limits and mean absolute difference of two readers.

    Raises:
        InvalidValueError: the totals are not of two readers.
    """
    if totals.values.shape[1] != 2:
        raise InvalidValueError("compare totals", f"{totals.values.shape[1]} readers", "Give two")
    base = {"observations": len(totals.values), "patients": totals.patients}
    if len(totals.values) < _FEWEST:
        why = f"undefined: {len(totals.values)} cases"
        return tuple(
            target.statistic(name, np.nan, intervals=(), method=_DIFFERENCES[name], note=why, **base)
            for name in DIFFERENCE_NAMES
        )
    difference = totals.values[:, 1] - totals.values[:, 0]
    draws = np.array([difference_figures(difference[index]) for index in drawn_indices(totals.owners, resampling)])
    limits = limits_of_agreement(totals.values[:, 0], totals.values[:, 1])
    ends = dict(zip(DIFFERENCE_NAMES, (limits.bias_interval, limits.low_interval, limits.high_interval), strict=False))
    made = []
    for n, (name, value) in enumerate(zip(DIFFERENCE_NAMES, difference_figures(difference), strict=True)):
        drawn, note = bootstrap_interval(draws[:, n])
        analytic = (Interval(*ends[name], _T_INTERVAL),) if name in ends else ()
        intervals, note = _ordered(analytic, drawn, totals.independent, note)
        made.append(
            target.statistic(name, float(value), intervals=intervals, method=_DIFFERENCES[name], note=note, **base)
        )
    return tuple(made)


def strata(scale: Scale, totals: Totals) -> Iterator[tuple[str, Totals]]:
    """Name and cases of each burden stratum that holds any, by the mean of all readers.

    By the mean and not by the reference: differences of two noisy readings plotted against one of them slope
    even where neither is biased (Bland & Altman 1995, Lancet 346:1085).
    """
    burden = totals.values.mean(axis=1)
    lower = -1
    for upper in scale.strata:
        chosen = (burden > max(lower, -1)) & (burden <= upper)
        if chosen.any():
            name = "stratum 0" if upper == 0 else f"stratum >{lower} to {upper}"
            yield name, Totals(totals.values[chosen], totals.owners[chosen])
        lower = upper
