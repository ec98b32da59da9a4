"""Scans under one criterion, and the ratios taken over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from osteoscope.stats.detection import Criterion
from osteoscope.stats.detection_pairs import Found
from osteoscope.stats.detection_scan import Counted
from osteoscope.stats.levels import WILSON, bootstrap_interval, wilson
from osteoscope.stats.ratings import Interval, Statistic, Target
from osteoscope.stats.resampling import Resampling, drawn_sums

_SHARES = frozenset(
    (
        "sensitivity", "sensitivity_at_rate", "kind_exact", "precision",
        "sensitivity_with_unread", "sensitivity_at_rate_with_unread",
    )
)  # fmt: skip
_RATES = frozenset(("false_positives", "false_positives_negative", "splits"))


def owners(scans: Sequence[Counted]) -> NDArray[np.intp]:
    """Number of the patient of each scan."""
    return np.unique([one.scan.patient for one in scans], return_inverse=True)[1]


@dataclass(frozen=True, eq=False)
class Under:
    """Scans under one criterion: what is found by the findings used, and by those within the asked rate.

    Args:
        criterion: when a finding is a lesion.
        scans: what counts of them.
        found, at_rate: of each scan, by the findings used and by those within the rate.
        owner: number of the patient of each, shape (scans,).
        target: of the statistics.
        resampling: of the patients.
    """

    criterion: Criterion
    scans: tuple[Counted, ...]
    found: tuple[Found, ...]
    at_rate: tuple[Found, ...]
    owner: NDArray[np.intp]
    target: Target
    resampling: Resampling

    def with_unread(self, unread: Sequence[Counted]) -> Under:
        """With scans that were not read: nothing is found there."""
        missed = tuple(Found((), one.lesions, (), 0) for one in unread)
        scans = (*self.scans, *unread)
        found, at_rate = (*self.found, *missed), (*self.at_rate, *missed)
        return replace(self, scans=scans, found=found, at_rate=at_rate, owner=owners(scans))

    def by_patient(self, values: Sequence[Sequence[float]]) -> NDArray[np.float64]:
        """Sums over the scans of every patient, shape (patients, ...), of values of every scan."""
        given = np.asarray(values, dtype=float)
        sums = np.zeros((int(self.owner.max()) + 1, *given.shape[1:]))
        np.add.at(sums, self.owner, given)
        return sums

    def ratio(self, name: str, method: str, part: Sequence[float], whole: Sequence[float]) -> Statistic:
        """Sum over sum of two numbers of every scan."""
        sums = self.by_patient(list(zip(part, whole, strict=True)))
        total, among = sums.sum(axis=0)
        patients = int((sums[:, 1] > 0).sum())
        if not among:
            return self.target.statistic(
                name, np.nan, (), method=method, observations=0, patients=0, note="undefined: nothing to count"
            )
        drawn = drawn_sums(sums, self.resampling)
        intervals, note = bootstrap_interval(drawn[:, 0] / np.where(drawn[:, 1] > 0, drawn[:, 1], np.nan))
        value = total / among
        if name in _SHARES:
            intervals = share_intervals(value, intervals, patients)
        if name in _RATES and not total:
            intervals = (no_event_interval(patients),)
        return self.target.statistic(
            name, value, intervals, method=method, observations=int(among), patients=patients, note=note
        )


def share_intervals(value: float, drawn: tuple[Interval, ...], patients: int) -> tuple[Interval, ...]:
    """Of a share of 0 or 1, whose resamples are all the same, the interval that takes every patient as one case."""
    if value in {0.0, 1.0}:
        return (wilson(int(value) * patients, patients, f"{WILSON}, a patient as one case"),)
    return drawn


def no_event_interval(patients: int) -> Interval:
    """Of a rate per scan without an event, whose resamples are all 0 (Garwood 1936, Biometrika 28:437)."""
    return Interval(0.0, float(chi2.ppf(0.975, 2)) / 2 / patients, "exact Poisson, a patient as one scan")
