"""Disease of a cohort: the bimodal burden at diagnosis, what is left after therapy, and every level alike.

Where a prior has no source it is a choice of this file, made wide so that what is learnt from it holds elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import numpy as np

from osteoscope.domain.anatomy import SIDES, SIOPEN
from osteoscope.simulate.lesion_kinds import (
    Confluent,
    Diffuse,
    Foci,
    Lesion,
    Mass,
    MassPlace,
    NodePlace,
    Nodes,
    Pattern,
)

# SIOPEN totals at diagnosis of one series: docs/background/mibg.md (S8).
BURDENS = ((0, 0), (1, 3), (4, 12), (13, 23), (24, 48), (49, 72))
_BURDEN_SHARE = (0.20, 0.16, 0.07, 0.04, 0.44, 0.09)

# How readily a segment is involved: trunk and proximal limbs before distal ones (prior, unverified).
_SEGMENTS: Mapping[str, float] = MappingProxyType(
    {
        "spine": 1.0, "pelvis": 1.0, "skull": 0.8, "thoracic_cage": 0.8,
        **{f"proximal_lower_limb_{side}": 0.8 for side in SIDES},
        **{f"proximal_upper_limb_{side}": 0.6 for side in SIDES},
        **{f"distal_lower_limb_{side}": 0.4 for side in SIDES}, **{f"distal_upper_limb_{side}": 0.2 for side in SIDES},
    }
)  # fmt: skip
_PATTERNS: Mapping[str, tuple[Pattern, ...]] = MappingProxyType(
    {
        "skull": ("patchy", "patch", "calvaria", "orbital", "beads"), "limb": ("metaphyseal", "metaphyseal", "patch",
        "patchy"), "spine": ("patch", "patchy", "column"), "pelvis": ("patch", "patchy", "iliac"),
        "thoracic_cage": ("patch", "patchy", "beads"),
    }
)  # fmt: skip
_PLACES: tuple[MassPlace, ...] = ("adrenal_right", "adrenal_left", "abdomen", "mediastinum", "neck", "pelvis")
_PLACE_SHARE = (0.30, 0.30, 0.15, 0.15, 0.05, 0.05)
_CHAINS: tuple[NodePlace, ...] = ("retroperitoneum", "mediastinum", "neck_left", "neck_right")
_CHAIN_SHARE = (0.45, 0.25, 0.20, 0.10)
# Children with nodes: 42 % in the series of 1.7 (S8).
_WITH_NODES = 0.42
# Concentrations from about the least that a planar scan shows to very hot; that of a child's typical lesion.
_HEAT, _RESIDUAL_HEAT = (5.0, 80.0), (3.5, 14.0)
_SIZES_MM = (6.0, 28.0)
# A focus smaller than this is hotter by the ratio, since one that cannot be seen teaches nothing.
_FAINT_MM = 14.0
_SYMMETRIC, _CONFLUENT, _CONFLUENT_LONG, _AT_ENDS = 0.6, 0.15, 0.25, 0.5


def _log(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def random_lesions(rng: np.random.Generator, burden: tuple[int, int] | None = None) -> tuple[Lesion, ...]:
    """Disease whose SIOPEN total is meant to lie within `burden` (default: drawn from a real series)."""
    low, high = burden or BURDENS[int(rng.choice(len(BURDENS), p=_BURDEN_SHARE))]
    heat = _log(rng, *_HEAT)
    levels = paired_levels(rng, spread_levels(rng, int(rng.integers(low, high + 1))))
    skeletal = [lesion for segment, level in levels.items() for lesion in lesions_of_level(rng, segment, level, heat)]
    return (*skeletal, *_soft_tissue(rng))


def residual_lesions(rng: np.random.Generator) -> tuple[Lesion, ...]:
    """What therapy left: mostly nothing or 1 to 4 spots, mostly faint; 60-73 % score at most 3 (S5)."""
    if rng.random() < 0.4:
        return _soft_tissue(rng) if rng.random() < 0.5 else ()
    names, weights = list(_SEGMENTS), np.array(list(_SEGMENTS.values()))
    spots = []
    for n in rng.choice(len(names), int(rng.integers(1, 5)), p=weights / weights.sum()):
        size = _log(rng, *_SIZES_MM)
        heat = _log(rng, *_RESIDUAL_HEAT) * max(1.0, _FAINT_MM / size)
        spots.append(Foci(names[n], 1, size, heat, at="ends" if rng.random() < _AT_ENDS else "anywhere"))
    return (*spots, *(_soft_tissue(rng) if rng.random() < 0.3 else ()))


def balanced_lesions(rng: np.random.Generator) -> tuple[Lesion, ...]:
    """Disease in which each level, 0 to 6, of each SIOPEN segment is as frequent as the others."""
    heat = _log(rng, *_HEAT)
    drawn = [(segment, int(rng.integers(7))) for segment in SIOPEN]
    skeletal = [lesion for segment, level in drawn for lesion in lesions_of_level(rng, segment, level, heat)]
    return (*skeletal, *_soft_tissue(rng))


def spread_levels(rng: np.random.Generator, total: int) -> dict[str, int]:
    """Levels of segments that add up to a total: few foci when small, near-diffuse when large."""
    weights = np.array(list(_SEGMENTS.values()))
    names = list(_SEGMENTS)
    order = [names[n] for n in rng.choice(len(names), len(names), replace=False, p=weights / weights.sum())]
    levels = dict.fromkeys(order, 0)
    typical = 1 + 5 * min(1.0, total / 50)
    for place, segment in enumerate(order):
        rest = total - sum(levels.values())
        floor = rest - 6 * (len(order) - place - 1)
        drawn = round(float(rng.normal(typical, 1.2)))
        levels[segment] = int(np.clip(drawn, max(0, floor), min(6, rest)))
    return levels


def paired_levels(rng: np.random.Generator, levels: Mapping[str, int]) -> dict[str, int]:
    """The same total with both sides of a limb more alike in most children, as metaphyseal disease is."""
    paired = dict(levels)
    if rng.random() >= _SYMMETRIC:
        return paired
    for right in (segment for segment in levels if segment.endswith("_right")):
        left = right.removesuffix("right") + "left"
        both = levels[right] + levels[left]
        if both > 2:
            paired[right], paired[left] = both // 2, both - both // 2
    return paired


def lesions_of_level(rng: np.random.Generator, segment: str, level: int, heat: float) -> Sequence[Lesion]:
    """Disease that makes a SIOPEN segment that level (0-6), with concentrations around `heat`."""
    contrast = heat * float(rng.lognormal(0, 0.4))
    if level == 0:
        return ()
    if level <= 3 or (level == 4 and rng.random() < 0.45):
        return _of_foci(rng, segment, level if level <= 3 else int(rng.integers(4, 9)), contrast)
    if level == 4 and rng.random() < _CONFLUENT_LONG:
        return (Confluent(segment, _log(rng, 8, 18), contrast, long=True),)
    patterns = _PATTERNS.get(segment, _PATTERNS["limb"])
    pattern = patterns[int(rng.integers(len(patterns)))]
    low, high = {4: (0.08, 0.48), 5: (0.52, 0.93), 6: (1.0, 1.0)}[level]
    return (Diffuse(segment, float(rng.uniform(low, high)), pattern, 0.5 * contrast),)


def _of_foci(rng: np.random.Generator, segment: str, count: int, contrast: float) -> Sequence[Lesion]:
    """That many foci, one of them at times of confluent parts; small enough to stay apart where there are many."""
    size = _log(rng, _SIZES_MM[0], _SIZES_MM[1] if count <= 2 else 18.0)
    at: Literal["anywhere", "ends"] = (
        "ends" if "limb" in segment and count <= 3 and rng.random() < _AT_ENDS else "anywhere"
    )
    joined = count <= 3 and rng.random() < _CONFLUENT
    foci, contrast = count - joined, contrast * max(1.0, _FAINT_MM / size)
    spread = float(rng.uniform(0.1, 0.8)), float(rng.uniform(0, 0.35))
    lesions: list[Lesion] = [Foci(segment, foci, size, contrast, *spread, at)] if foci else []
    return [*lesions, Confluent(segment, _log(rng, 6, 11), contrast)] if joined else lesions


def _soft_tissue(rng: np.random.Generator) -> tuple[Lesion, ...]:
    count = int(rng.choice(4, p=(0.35, 0.40, 0.15, 0.10)))
    places = rng.choice(len(_PLACES), count, replace=False, p=_PLACE_SHARE)
    masses = [Mass(_PLACES[n], float(rng.uniform(15, 80)), _log(rng, 3, 20)) for n in places]
    if rng.random() >= _WITH_NODES:
        return tuple(masses)
    chain = _CHAINS[int(rng.choice(len(_CHAINS), p=_CHAIN_SHARE))]
    return (*masses, Nodes(chain, int(rng.integers(1, 6)), _log(rng, 8, 25), _log(rng, 3, 30)))
