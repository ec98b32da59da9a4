"""Agreement of the sizes of matched lesions: bias and 95 % limits (Bland & Altman 1986, Lancet 327:307).

Lesions of a patient are not independent, so intervals draw whole patients. Volumes span orders of magnitude and are
compared as ratios: differences of logarithms, shown as their exponential (Bland & Altman 1999, section 3.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from osteoscope.stats.detection_scan import Lesion
from osteoscope.stats.levels import bootstrap_interval
from osteoscope.stats.limits import Z
from osteoscope.stats.ratings import Statistic, Target
from osteoscope.stats.resampling import Floats, Resampling, drawn_sums

_FEWEST = 2
_SIZES: tuple[tuple[str, str, Callable[[Lesion], float], Callable[[Floats], Floats]], ...] = (
    ("long_axis", "mm, reading minus reference", lambda lesion: lesion.long_axis_mm, lambda values: values),
    ("volume_ratio", "reading over reference", lambda lesion: float(np.log(lesion.volume_ml)), np.exp),
)
_FIGURES = (("bias", 0.0, "mean difference"), ("limit_low", -Z, "mean - 1.96 SD"), ("limit_high", Z, "mean + 1.96 SD"))


def size_figures(
    target: Target,
    pairs: Sequence[Sequence[tuple[Lesion, Lesion]]],
    owner: NDArray[np.intp],
    resampling: Resampling,
) -> Iterator[Statistic]:
    """Bias and limits of the long axis and of the volume.

    Args:
        target: of the statistics.
        pairs: lesion of the reference and finding, by scan.
        owner: number of the patient of every scan, shape (scans,).
        resampling: of the patients.
    """
    for name, unit, size, shown in _SIZES:
        sums = np.zeros((int(owner.max()) + 1, 3))
        for patient, scan in zip(owner, pairs, strict=True):
            differences = np.array([size(b) - size(a) for a, b in scan])
            sums[patient] += (differences.size, differences.sum(), (differences**2).sum())
        drawn = drawn_sums(sums, resampling)
        number, patients = int(sums[:, 0].sum()), int((sums[:, 0] > 0).sum())
        for figure, deviations, words in _FIGURES:
            value = float(shown(_at(sums.sum(axis=0), deviations)))
            known = bool(np.isfinite(value))
            intervals, note = bootstrap_interval(shown(_at(drawn, deviations))) if known else ((), "too few pairs")
            method = f"{words}, {unit}" + (", of logarithms" if shown is np.exp else "")
            yield target.statistic(
                f"{name}_{figure}", value, intervals, method=method, observations=number, patients=patients, note=note
            )


def _at(sums: Floats, deviations: float) -> Floats:
    """Mean and a multiple of the SD, from count, sum and sum of squares, shape (..., 3); NaN of fewer than 2."""
    count = np.where(sums[..., 0] >= _FEWEST, sums[..., 0], np.nan)
    mean = sums[..., 1] / count
    variance = np.maximum(sums[..., 2] - count * mean**2, 0) / (count - 1)
    return np.asarray(mean + deviations * np.sqrt(variance))
