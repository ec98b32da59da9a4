"""Free-response ROC: sensitivity by lesion against false positives per scan (Bunch 1978, J Appl Photogr Eng 4:166).

A point is a threshold of confidence. Between points nothing is interpolated: the sensitivity at x false positives
per scan is the greatest of any threshold that has at most x. Scans without a lesion count in the false positives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteoscope.stats.detection import Criterion
from osteoscope.stats.detection_record import BandPoint, Curve, CurvePoint
from osteoscope.stats.detection_scan import Counted
from osteoscope.stats.resampling import MOST_UNDEFINED, Floats, Resampling, drawn_sums

# The rates over which LUNA16 takes its mean (Setio 2017, Med Image Anal 42:1).
LUNA_RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
_MOST_THRESHOLDS = 1000
_BAND_POINTS = 200


@dataclass(frozen=True, eq=False)
class Marks:
    """Counts of scans under one criterion, by patient and threshold.

    Args:
        thresholds: falling, shape (n,); the first, infinite, uses no finding.
        hits, false: lesions found and false positives, shape (patients, n).
        lesions, scans: shape (patients,).
    """

    thresholds: Floats
    hits: Floats
    false: Floats
    lesions: Floats
    scans: Floats

    def pooled(self) -> tuple[Floats, Floats]:
        """False positives per scan and sensitivity, each of shape (n,); NaN without a lesion."""
        lesions = self.lesions.sum() or np.nan
        return self.false.sum(axis=0) / self.scans.sum(), self.hits.sum(axis=0) / lesions

    def drawn(self, resampling: Resampling) -> tuple[Floats, Floats]:
        """The same of resampled patients, each of shape (draws, n)."""
        columns = [self.hits, self.false, self.lesions[:, None], self.scans[:, None]]
        sums = drawn_sums(np.concatenate(columns, axis=1), resampling)
        n = self.thresholds.size
        lesions = np.where(sums[:, -2:-1] > 0, sums[:, -2:-1], np.nan)
        return sums[:, n : 2 * n] / sums[:, -1:], sums[:, :n] / lesions


def marks(scans: Sequence[Counted], criterion: Criterion) -> Marks:
    """The counts of scans; of very many confidences, at 1000 thresholds spread evenly over the findings."""
    patients, owner = np.unique([one.scan.patient for one in scans], return_inverse=True)
    confidences = np.concatenate([one.confidences for one in scans])
    gains = np.concatenate([one.gains(criterion) for one in scans])
    of = np.repeat(owner, [one.confidences.size for one in scans])
    levels = np.unique(confidences)
    if levels.size > _MOST_THRESHOLDS:
        levels = np.unique(np.quantile(confidences, np.linspace(0, 1, _MOST_THRESHOLDS), method="lower"))
    thresholds = np.concatenate([[np.inf], levels[::-1]])

    def tally(chosen: NDArray[np.bool_]) -> Floats:
        """Findings of at least each threshold, by patient."""
        first = np.searchsorted(-thresholds, -confidences[chosen], side="left")
        counts = np.zeros((patients.size, thresholds.size))
        np.add.at(counts, (of[chosen], first), 1)
        return np.asarray(counts.cumsum(axis=1))

    lesions = np.bincount(owner, [len(one.lesions) for one in scans]).astype(float)
    return Marks(thresholds, tally(gains), tally(~gains), lesions, np.bincount(owner).astype(float))


def within(rates: Floats, sensitivity: Floats, limits: Floats) -> Floats:
    """The greatest sensitivity within each limit of false positives per scan.

    Args:
        rates, sensitivity: rising, shape (n,); the first rate is 0.
        limits: shape (m,).
    """
    return np.asarray(sensitivity[np.searchsorted(rates, limits + 1e-9, side="right") - 1])


def curve(found: Marks, criterion: Criterion, rate: float, resampling: Resampling) -> Curve:
    """The curve with its band, and the threshold that stays within ``rate`` false positives per scan."""
    rates, sensitivity = found.pooled()
    last = int(np.searchsorted(rates, rate + 1e-9, side="right")) - 1
    threshold = float(found.thresholds[last]) if last else None
    if np.isnan(sensitivity).any():
        return Curve(criterion.name, (), (), threshold)
    each = zip(found.thresholds[1:].tolist(), rates[1:].tolist(), sensitivity[1:].tolist(), strict=True)
    points = tuple(CurvePoint(*point) for point in each)
    return Curve(criterion.name, points, _band(found, float(rates[-1]), resampling), threshold)


def _band(found: Marks, most: float, resampling: Resampling) -> tuple[BandPoint, ...]:
    limits = np.linspace(0, most, _BAND_POINTS)
    drawn = np.array([within(r, s, limits) for r, s in zip(*found.drawn(resampling), strict=True)])
    drawn = drawn[np.isfinite(drawn).all(axis=1)]
    if drawn.shape[0] < (1 - MOST_UNDEFINED) * resampling.draws:
        return ()
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    return tuple(BandPoint(*point) for point in zip(limits.tolist(), low.tolist(), high.tolist(), strict=True))
