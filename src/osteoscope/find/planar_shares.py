"""How much of each unit lies in the field of view, told from the network's silhouettes.

A unit whose silhouette stays away from the edge of the field is whole. One that reaches it is compared in area with
what it would have in this child by its whole units. The network itself says only whether it is at least half.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from osteoscope.find.planar_body import Frame
from osteoscope.find.planar_canvas import HALF, Fitting
from osteoscope.find.planar_maps import UNITS, Maps

Mask = NDArray[np.bool_]
Span = tuple[float, float]

# Area of a silhouette over that of the thoracic cage: medians of 240 simulated children. Of one child to another they
# spread by 5 to 12 %, those of skull (age) and forearm (pose) by 20 %.
_AREAS: Mapping[str, float] = MappingProxyType(
    {
        "skull": 0.67, "cervical_spine": 0.09, "thoracic_spine": 0.17, "lumbar_spine": 0.17, "sacrum": 0.14,
        "thoracic_cage": 1.0, "pelvis": 0.49, "proximal_upper_limb": 0.14, "distal_upper_limb": 0.27,
        "proximal_lower_limb": 0.24, "distal_lower_limb": 0.38,
    }
)  # fmt: skip
_STEP = 2.0  # canvas elements in one of half the resolution


def shares(maps: Maps, body: Frame, silhouette: float) -> Mapping[str, float]:
    """Share of each of `UNITS` in the field of any view, 0..1; 1 where its silhouette does not reach the field's edge.

    Args:
        maps: of the study.
        body: of the same study, with its field.
        silhouette: an element belongs to a unit from this chance on.
    """
    rows, columns = _field(maps.placing.fitting, body)
    inside, deep = _within(rows, columns, 0.0), _within(rows, columns, _STEP)
    drawn = {unit: plane >= silhouette for unit, plane in zip(UNITS, maps.units, strict=True)}
    areas = {unit: float((mask & inside).sum()) for unit, mask in drawn.items()}
    cut = {unit for unit, mask in drawn.items() if (mask & ~deep).any()}
    whole = {unit: area / _AREAS[_kind(unit)] for unit, area in areas.items() if area and unit not in cut}
    found = {unit: areas[unit] / (_AREAS[_kind(unit)] * cage) for unit in cut if (cage := _cage(unit, whole))}
    if "skull" in cut:
        found["skull"] = min(found.get("skull", 1.0), _above_a_chord(drawn["skull"] & inside))
    return {unit: min(1.0, found.get(unit, 1.0)) for unit in UNITS}


def _kind(unit: str) -> str:
    return unit.removesuffix("_right").removesuffix("_left")


def _cage(unit: str, whole: Mapping[str, float]) -> float:
    """Area that the thoracic cage would have by the whole units, 0 without any; of distal limbs by the limbs."""
    limbs = [area for name, area in whole.items() if "limb" in name]
    alike = limbs if limbs and unit.startswith("distal") else list(whole.values())
    return float(np.median(alike)) if alike else 0.0


def _field(fitting: Fitting, body: Frame) -> tuple[Span, Span]:
    """First and past-last row, and column, of the field on the canvas."""
    spans = [np.flatnonzero(body.seen.any(axis=axis)) * body.bin for axis in (1, 0)]
    down, right = (
        (float(at[0] * fitting.scale + shift), float((at[-1] + body.bin) * fitting.scale + shift))
        for at, shift in zip(spans, (fitting.down, fitting.right), strict=True)
    )
    return down, right


def _within(rows: Span, columns: Span, margin: float) -> Mask:
    """Elements at half the resolution whose middle lies within the field, by that margin."""
    row, column = (
        (at >= low + margin) & (at <= high - margin)
        for size, (low, high) in zip(HALF, (rows, columns), strict=True)
        for at in [(np.arange(size) + 0.5) * _STEP]
    )
    return np.asarray(row[:, None] & column[None, :])


def _above_a_chord(head: Mask) -> float:
    """Share of an ellipse that is left where a row cuts it off, by the width of the cut over the greatest width."""
    widths = head.sum(axis=1)
    rows = np.flatnonzero(widths)
    if not rows.size:
        return 1.0
    chord = float(max(widths[rows[0]], widths[rows[-1]]) / widths.max())
    away = float(np.sqrt(1 - chord**2))  # of the middle, in half heights
    return 1 - (float(np.arccos(away)) - away * chord) / np.pi
