"""How much of a lesion is lytic, how much blastic, against the healthy marrow of the same bone.

No consensus on thresholds in HU was found; the rule is a proposal, docs/background/ct.md, "Type".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.finding import Finding, FindingKind, Measure
from osteoscope.domain.geometry import widened
from osteoscope.domain.reading import Case
from osteoscope.measure.intensity import healthy_marrow
from osteoscope.measure.place import part_on_ct, shifted, spread

_FRACTIONS = ("lytic_fraction", "blastic_fraction")
_TO_SD = 1.4826  # of the median absolute deviation of a normal distribution


@dataclass(frozen=True)
class TypeOptions:
    """Thresholds of the type; proposals, none of them validated.

    Args:
        spreads: a voxel is abnormal from so many robust standard deviations off the healthy median.
        lytic_hu: a lytic voxel lies below (native scans; contrast medium raises it).
        blastic_hu: a blastic voxel lies above.
        pure: a lesion is lytic (blastic) above this share of its abnormal voxels, else mixed.
        abnormal: share of its voxels that is to be abnormal, else its type is open.
    """

    spreads: float = 2.0
    lytic_hu: float = 130.0
    blastic_hu: float = 300.0
    pure: float = 2 / 3
    abnormal: float = 0.25


def type_fractions(case: Case, finding: Finding, options: TypeOptions = TypeOptions()) -> tuple[Measure, ...]:
    """lytic_fraction and blastic_fraction: shares 0..1 of the lesion's voxels; boundary +-1 voxel.

    Where the bone holds no healthy marrow to compare with, the thresholds in HU decide alone, and the method says so.

    Raises:
        UnsuitableStudyError: the finding has no region on the CT of the study.
    """
    part, image = part_on_ct(case, finding)
    healthy = healthy_marrow(case, finding)
    low, high = _limits(healthy, options)
    box = widened(part.box, 1, image.grid.shape)
    mask = part.within(box)
    values = [image.values[box][m] for m in (mask, *shifted(mask))]
    against = "HU alone, no healthy marrow" if healthy is None else "healthy marrow of the bone"
    return (
        spread("lytic_fraction", "1", f"voxels below {low:.0f} HU, by {against}", [_share(v < low) for v in values]),
        spread(
            "blastic_fraction", "1", f"voxels above {high:.0f} HU, by {against}", [_share(v > high) for v in values]
        ),
    )


def kinds_of(finding: Finding, options: TypeOptions = TypeOptions()) -> frozenset[FindingKind]:
    """The types that a lesion may be of: that of the finder, and that by fractions where they were measured.

    Where too few voxels are abnormal to bear out either, "mixed" stands beside them: the type may lie a step off.
    """
    fractions = {m.name: m.value for m in finding.measures if m.name in _FRACTIONS}
    kinds = {finding.kind, kind_by(fractions, options) or finding.kind}
    return frozenset(kinds | {"mixed"} if fractions and sum(fractions.values()) < options.abnormal else kinds)


def kind_by(fractions: Mapping[str, float], options: TypeOptions = TypeOptions()) -> FindingKind | None:
    """The type by "lytic_fraction" and "blastic_fraction"; None where no voxel is abnormal."""
    lytic, blastic = (fractions.get(name, 0.0) for name in _FRACTIONS)
    if lytic + blastic <= 0:
        return None
    share = lytic / (lytic + blastic)
    if share > options.pure:
        return "lytic"
    return "blastic" if share < 1 - options.pure else "mixed"


def _limits(healthy: NDArray[np.float64] | None, options: TypeOptions) -> tuple[float, float]:
    if healthy is None:
        return options.lytic_hu, options.blastic_hu
    median = float(np.median(healthy))
    apart = options.spreads * _TO_SD * float(np.median(np.abs(healthy - median)))
    return min(options.lytic_hu, median - apart), max(options.blastic_hu, median + apart)


def _share(flags: Sequence[bool] | NDArray[np.bool_]) -> float:
    return float(np.mean(flags))
