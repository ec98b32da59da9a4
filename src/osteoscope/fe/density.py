"""HU -> equivalent density, from a phantom's rods or from the patient's own tissues.

Without any of these a nominal scanner serves for ratios alone: no absolute load is made with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage, stats

from osteoscope.errors import UnsuitableStudyError
from osteoscope.fe.laws import Phantom

Array = NDArray[np.float64]
# Uncertainties of a calibration by name.
SLOPE, OFFSET = "calibration", "calibration offset"


@dataclass(frozen=True)
class Calibration:
    """density = slope * HU + intercept.

    Args:
        method: in a few words.
        phantom: what the density is equivalent to.
        slope, intercept: in g/cm3 per HU, and g/cm3.
        spread: relative uncertainty of the slope, 0.05 for +-5 %.
        absolute: whether loads in newtons may be given with it.
        source: reference of the method.
        caveats: what is not verified or limits it.
        spread_below: that of the slope downwards where it is larger, 0.15 for -15 %.
        offset_spread: uncertainty of the intercept both ways, g/cm3.
    """

    method: str
    phantom: Phantom
    slope: float
    intercept: float
    spread: float
    absolute: bool
    source: str
    caveats: tuple[str, ...] = ()
    spread_below: float = 0.0
    offset_spread: float = 0.0

    def density(self, hu: NDArray[np.floating]) -> NDArray[np.float32]:
        """Equivalent density in g/cm3."""
        return np.asarray(np.float32(self.slope) * hu + np.float32(self.intercept), np.float32)

    @property
    def slopes(self) -> tuple[float, float]:
        """Least and greatest factor on the slope."""
        return 1 - max(self.spread, self.spread_below), 1 + self.spread

    def moved(self) -> tuple[tuple[str, Calibration], ...]:
        """Each uncertainty alone, both ways, by its name; slope and offset as if they were independent."""
        slopes = tuple((SLOPE, replace(self, slope=self.slope * factor)) for factor in self.slopes)
        offsets = (-self.offset_spread, self.offset_spread) if self.offset_spread else ()
        return (*slopes, *((OFFSET, replace(self, intercept=self.intercept + by)) for by in offsets))

    def alike(self, other: Calibration) -> bool:
        """Whether both give nearly the same densities of the same phantom: slopes within 2 %, offsets within 5 mg/cm3,
        by choice."""
        near = abs(self.slope / other.slope - 1) <= 0.02 and abs(self.intercept - other.intercept) <= 0.005
        return near and (self.phantom, self.absolute) == (other.phantom, other.absolute)

    def noting(self, kvp: float | None, contrast: str) -> Calibration:
        """With what the header says of tube voltage and contrast agent.

        A phantom or the patient's own tissues see the voltage; an agent moves the patient's muscle and the bone, so
        that the offset is less certain.
        """
        said = (
            (kvp is None, "tube voltage not stated"),
            (kvp is not None and not self.absolute, f"{kvp or 0:g} kVp: HU of bone depend on it by about 10 % (S67)"),
            (bool(contrast), f"contrast agent ({contrast}): HU of marrow and muscle are raised"),
        )
        offset = max(self.offset_spread, _AGENT_OFFSET) if contrast else self.offset_spread
        return replace(self, caveats=(*self.caveats, *(text for there, text in said if there)), offset_spread=offset)


def nominal() -> Calibration:
    """A typical scanner, for ratios alone; a choice of this program."""
    return Calibration(
        "none: a typical scanner, for ratios alone", "K2HPO4", 0.8e-3, 0.0, 0.2, False, "choice of this program",
        offset_spread=_NOMINAL_OFFSET,
    )  # fmt: skip


def from_rods(hu: Sequence[float], density: Sequence[float], phantom: Phantom = "K2HPO4") -> Calibration:
    """Least squares over the rods of a phantom scanned with the patient.

    Args:
        hu: mean HU of each rod.
        density: of each rod, g/cm3.
        phantom: what the rods are made of.

    Raises:
        UnsuitableStudyError: fewer than two rods, a value that is no finite number, or a line that no scanner gives.
    """
    x, y = np.asarray(hu, float), np.asarray(density, float)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        found = f"HU {x.tolist()} and densities {(1000 * y).tolist()} mg/cm3, not all of them finite numbers"
        raise UnsuitableStudyError("calibrate by a phantom", found, _ROD)
    if len(x) != len(y) or len(x) < 2 or np.ptp(x) < 20 or np.ptp(y) == 0:
        found = f"{len(x)} rods over {np.ptp(x) if len(x) else 0:.0f} HU"
        raise UnsuitableStudyError("calibrate by a phantom", found, "Give at least two rods of different density")
    fit = stats.linregress(x, y)
    slope, intercept = float(fit.slope), float(fit.intercept)
    if not _POSSIBLE[0] <= slope <= _POSSIBLE[1] or abs(intercept) > _MOST_INTERCEPT:
        found = (
            f"{1000 * slope:.3g} mg/cm3 per HU and {1000 * intercept:.3g} mg/cm3 at 0 HU, where scanners give "
            f"{1000 * _POSSIBLE[0]:g} to {1000 * _POSSIBLE[1]:g} and {1000 * _MOST_INTERCEPT:.0f} at most"
        )
        raise UnsuitableStudyError("calibrate by a phantom", found, _ROD)
    usual = f"{1000 * _USUAL[0]:g} to {1000 * _USUAL[1]:g}"
    said = (
        f"the rods give {1000 * slope:.3g} mg/cm3 per HU, outside of the usual {usual}: check that each is DENSITY=HU"
    )
    sure = float(stats.t.ppf(0.975, len(x) - 2)) if len(x) > 2 else 0.0
    return Calibration(
        f"phantom of {len(x)} rods", phantom, slope, intercept, max(_LEAST, sure * float(fit.stderr) / slope), True,
        "least squares over rods", () if _USUAL[0] <= slope <= _USUAL[1] else (said,),
        offset_spread=max(_ROD_OFFSET, sure * float(fit.intercept_stderr)),
    )  # fmt: skip


# Uncertainty of the slope that calibrations keep at least: a choice after Gardegaront 2024 (S45), where it dominates.
_LEAST = 0.05
# Of the offset, g/cm3; choices. Means of rods are off by some HU. The two sets of ``REFERENCES`` differ by 8 mg/cm3 in
# muscle. A contrast agent raises marrow and muscle by 20 to 30 HU.
_ROD_OFFSET, _TISSUE_OFFSET, _AGENT_OFFSET, _NOMINAL_OFFSET = 0.005, 0.010, 0.025, 0.020
# Of the slope by the patient's tissues, downwards: spectra behind 15 cm of water give 0.68 where the reference, that of
# large patients, has 0.80 mg/cm3 per HU (docs/background/strength.md).
_THIN = 0.15
# g/cm3 per HU of bone mineral from 70 to 140 kVp, with room for other scanners; g/cm3 at 0 HU. Choices.
_POSSIBLE, _USUAL, _MOST_INTERCEPT = (0.5e-3, 1.4e-3), (0.6e-3, 1.1e-3), 0.060
_ROD = "Give each rod as DENSITY=HU, not the other way round, with the density in mg/cm3, not g/cm3"
# HU between which the peak of a tissue lies.
_PEAKS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"air": (-1060.0, -930.0), "fat": (-140.0, -60.0), "muscle": (20.0, 110.0)}
)


@dataclass(frozen=True)
class TissueReference:
    """Equivalent densities (g/cm3, HA, at 120 kVp) of air, fat and muscle; ``caveats``: what is not verified."""

    air: float
    fat: float
    muscle: float
    source: str
    caveats: tuple[str, ...]


REFERENCES: Mapping[str, TissueReference] = MappingProxyType(
    {
        "szyszko_2024": TissueReference(
            -0.797, -0.095, 0.038, "Szyszko et al. 2024, PLoS ONE 19:e0305474 (abstract), after Eggermont 2019 (S66)",
            ("that the reference densities of air, fat and muscle are in HA and at 120 kVp is from memory",),
        ),
        "eggermont_2019": TissueReference(
            -0.840, -0.080, 0.030, "Eggermont et al. 2019 (S66)",
            ("reference densities of air, fat and muscle from memory, not verified against the primary paper",),
        ),
    }
)  # fmt: skip
# Density of HA per HU at a tube voltage over that at 120 kVp. Computed: tungsten spectra behind 7 mm of aluminium and
# 15 to 35 cm of water (spekpy 2.5), attenuation of HA and water (xraylib 4.3); the width of the patient moves it by
# 1 %. Ataei 2022 (S67) saw the 10 % between 120 and 140 kVp that air, fat and muscle do not show.
_KVP = (70.0, 80.0, 90.0, 100.0, 110.0, 120.0, 130.0, 140.0)
_BY_KVP = (0.62, 0.72, 0.80, 0.87, 0.94, 1.0, 1.06, 1.11)
_OFF, _UNKNOWN_KVP = 0.05, 0.10


def by_air_fat_muscle(hu: ArrayLike, kvp: float | None = None, reference: str = "szyszko_2024") -> Calibration:
    """Three histogram peaks around the bone, after Eggermont et al. 2019 (S66), fitted to reference densities and
    corrected for the tube voltage.

    Args:
        hu: values of the patient and of the air around, in the slices of the bone.
        kvp: tube voltage; None where it is not stated: the slope is less certain then.
        reference: a name in ``REFERENCES``.

    Raises:
        UnsuitableStudyError: a peak is missing, or the three do not lie on a line.
    """
    values = np.asarray(hu, float).ravel()
    peaks = {name: _peak(values, *limits) for name, limits in _PEAKS.items()}
    missing = [name for name, peak in peaks.items() if peak is None]
    if missing:
        raise UnsuitableStudyError(
            "calibrate by air, fat and muscle", f"no peak of {', '.join(missing)}",
            "Give a field that shows the patient and the air around, or a phantom's rods",
        )  # fmt: skip
    chosen = REFERENCES[reference]
    x = np.array([peak for peak in peaks.values() if peak is not None])
    y = np.array([chosen.air, chosen.fat, chosen.muscle])
    fit = stats.linregress(x, y)
    off = np.abs(fit.slope * x + fit.intercept - y).max()
    found = ", ".join(f"{name} {peak:.0f} HU" for name, peak in peaks.items())
    if off > _OFF:
        raise UnsuitableStudyError(
            "calibrate by air, fat and muscle", f"peaks {found}: {1000 * off:.0f} mg/cm3 off a line",
            "Give a phantom's rods",
        )  # fmt: skip
    known = kvp is not None and _KVP[0] <= kvp <= _KVP[-1]
    factor = float(np.interp(kvp, _KVP, _BY_KVP)) if kvp is not None and known else 1.0
    voltage = f", {kvp:g} kVp: times {factor:.2f}" if known else ""
    beyond = (f"no correction for a tube voltage of {kvp:g} kVp",) if kvp is not None and not known else ()
    spread = _LEAST if known else _UNKNOWN_KVP
    return Calibration(
        f"air, fat and muscle ({found}{voltage})", "HA", factor * float(fit.slope), factor * float(fit.intercept),
        spread, True, chosen.source, (*chosen.caveats, *beyond), float(np.hypot(_THIN, 0.0 if known else spread)),
        _TISSUE_OFFSET,
    )  # fmt: skip


def _peak(values: Array, low: float, high: float, least: float = 0.002) -> float | None:
    """HU of the highest bin of a smoothed histogram, None where there is no peak within the limits."""
    floor = values.min()
    if np.mean(values == floor) > 0.02:
        values = values[values > floor]
    counts, edges = np.histogram(values, np.arange(low - 40, high + 41, 2))
    smooth = ndimage.gaussian_filter1d(counts.astype(float), 3)
    centres = (edges[:-1] + edges[1:]) / 2
    inside = (centres >= low) & (centres <= high)
    top = int(np.argmax(np.where(inside, smooth, -1)))
    rises = smooth[top] >= max(smooth[top - 1], smooth[top + 1])
    enough = counts[max(0, top - 5) : top + 6].sum() >= least * max(1, values.size)
    return float(centres[top]) if rises and enough else None
