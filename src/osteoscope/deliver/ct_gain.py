"""Whether a new lesion model is better than what it began with, on patients that neither has learnt from."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from osteoscope.deliver.evaluation_inputs import Entry
from osteoscope.deliver.evaluation_scans import load_scan
from osteoscope.errors import OsteoscopeError
from osteoscope.report.wording import count
from osteoscope.stats.detection import CRITERIA
from osteoscope.stats.detection_figures import DetectionOptions
from osteoscope.stats.detection_froc import marks, within
from osteoscope.stats.detection_scan import Scan, count_only
from osteoscope.stats.resampling import percentile_interval

CRITERION = "iou_0.1"
# All of five patients on one side happen by chance once in 16 times (sign test, two-sided: 2 / 2^5), of six in 32.
_FEWEST = 6
Word = Literal["better", "worse", "not distinguishable", "cannot be told"]


@dataclass(frozen=True)
class Gain:
    """The sensitivity within the asked false positives per scan with the new model, less that before.

    Args:
        patients: held out with a lesion, read both times.
        value: of the difference, None where no lesion is held out.
        interval: 95 %, of the paired difference over resampled patients; None where it is not known.
    """

    patients: int
    value: float | None
    interval: tuple[float, float] | None

    @property
    def word(self) -> Word:
        """What may be said."""
        if self.value is None or self.interval is None or self.patients < _FEWEST:
            return "cannot be told"
        low, high = self.interval
        return "better" if low > 0 else "worse" if high < 0 else "not distinguishable"

    def __str__(self) -> str:
        if self.value is None:
            return "which is better cannot be told: no lesion is held out"
        if self.word == "cannot be told":
            return f"which is better cannot be told from {count(self.patients, 'held-out patient')} with lesions"
        low, high = self.interval or (0.0, 0.0)
        shown = f"difference {100 * self.value:+.0f} points ({100 * low:+.0f} to {100 * high:+.0f})".replace("-", "−")
        do_not = ": do not use it as it is" if self.word == "worse" else ""
        return f"{shown}, {self.word}{do_not}"


def gain(before: Path, after: Path, options: DetectionOptions) -> Gain:
    """The gain between two tables of held-out readings, as `osteoscope.deliver.ct_held_out.judge` writes them.

    Scans that were not searched either time are left out of both.
    """
    sides = [_scans(table) for table in (before, after)]
    both = sorted(sides[0].keys() & sides[1].keys())
    if not both:
        return Gain(0, None, None)
    criterion = next(one for one in CRITERIA if one.name == CRITERION)
    counted = [marks([count_only(side[name], options.smallest_mm) for name in both], criterion) for side in sides]
    limit = np.array([options.rate])
    was, now = (float(within(*one.pooled(), limit)[0]) for one in counted)
    patients = int((counted[1].lesions > 0).sum())
    if not np.isfinite([was, now]).all():
        return Gain(patients, None, None)
    # The same seed draws the same patients for both, so that their difference is that of pairs.
    drawn = [
        np.array([within(r, s, limit)[0] for r, s in zip(*one.drawn(options.resampling), strict=True)])
        for one in counted
    ]
    interval = percentile_interval(drawn[1] - drawn[0])
    return Gain(patients, now - was, interval and interval[:2])


def _scans(table: Path) -> dict[str, Scan]:
    found = {}
    with table.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            entry = Entry(row["study"], row["patient"], Path(row["reference"]), Path(row["reading"]))
            try:
                found[entry.study] = load_scan(entry).scan
            except OsteoscopeError:  # told by the evaluation
                continue
    return found
