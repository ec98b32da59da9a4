"""How often a person found a program's finding right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from osteoscope.stats.detection_under import share_intervals
from osteoscope.stats.levels import WILSON, bootstrap_interval, wilson
from osteoscope.stats.ratings import Interval, Statistic, Target
from osteoscope.stats.resampling import Resampling, drawn_sums


def adequacy(target: Target, name: str, marks: Sequence[tuple[str, bool]], resampling: Resampling) -> Statistic:
    """The share of marks that say "right", by Wilson and, of several marks of a patient, by patient first.

    Where patients have several marks and all say the same, Wilson's interval takes a patient as one case.

    Args:
        target: of the statistic.
        name: of the question.
        marks: patient and answer.
        resampling: of the patients.
    """
    method = "share of marks that say right"
    if not marks:
        return target.statistic(name, np.nan, (), method=method, observations=0, patients=0, note="no mark")
    _, owner = np.unique([patient for patient, _ in marks], return_inverse=True)
    sums = np.zeros((int(owner.max()) + 1, 2))
    np.add.at(sums, owner, [(float(right), 1.0) for _, right in marks])
    right, whole = (int(n) for n in sums.sum(axis=0))
    intervals: tuple[Interval, ...] = (wilson(right, whole, WILSON),)
    note = ""
    if whole > len(sums) and right in {0, whole}:
        intervals = share_intervals(right / whole, (), len(sums))
    elif whole > len(sums):
        drawn = drawn_sums(sums, resampling)
        by_patient, note = bootstrap_interval(drawn[:, 0] / drawn[:, 1])
        intervals = (*by_patient, *intervals)
    return target.statistic(
        name, right / whole, intervals, method=method, observations=whole, patients=len(sums), note=note
    )
