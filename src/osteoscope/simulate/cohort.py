"""A plausible cohort: ages, poses, uptake, scans and the bimodal burden of metastatic neuroblastoma."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from osteoscope.domain.anatomy import SIDES
from osteoscope.simulate.artefacts import random_artefacts
from osteoscope.simulate.camera import COLLIMATORS, Camera, CollimatorName
from osteoscope.simulate.growth import Sex
from osteoscope.simulate.lesions import Diffuse, Foci, Lesion, Mass, MassPlace, Pattern
from osteoscope.simulate.posture import ArmPose, LegPose, Pose
from osteoscope.simulate.recipe import ChildRecipe
from osteoscope.simulate.uptake import Uptake

# SIOPEN totals at diagnosis of one series: docs/background/mibg.md 1.7 (S8).
_BURDEN = ((0, 0), (1, 3), (4, 12), (13, 23), (24, 48), (49, 72))
_BURDEN_SHARE = (0.20, 0.16, 0.07, 0.04, 0.44, 0.09)

# How readily a segment is involved: trunk and proximal limbs before distal ones (prior, unverified).
_SEGMENTS = {
    "spine": 1.0, "pelvis": 1.0, "skull": 0.8, "thoracic_cage": 0.8,
    **{f"proximal_lower_limb_{side}": 0.8 for side in SIDES}, **{f"proximal_upper_limb_{side}": 0.6 for side in SIDES},
    **{f"distal_lower_limb_{side}": 0.4 for side in SIDES}, **{f"distal_upper_limb_{side}": 0.2 for side in SIDES},
}  # fmt: skip
_PATTERNS: dict[str, tuple[Pattern, ...]] = {"skull": ("patchy", "patch"), "limb": ("metaphyseal", "patch", "patchy")}
_PLACES: tuple[MassPlace, ...] = ("adrenal_right", "adrenal_left", "abdomen", "mediastinum", "neck", "pelvis")
_PLACE_SHARE = (0.30, 0.30, 0.15, 0.15, 0.05, 0.05)
# Children that move during the sweep (choice); by 3 to 30 mm, docs/background/mibg.md 4.5.
_MOVES = 0.12


def random_recipe(rng: np.random.Generator) -> ChildRecipe:
    """One child of a cohort at diagnosis or after induction."""
    age = float(np.clip(rng.lognormal(np.log(3.3), 0.75), 0.1, 17.9))
    sexes: tuple[Sex, ...] = ("M", "F")
    return ChildRecipe(
        age,
        sexes[int(rng.integers(2))],
        float(np.clip(rng.normal(1, 0.04), 0.88, 1.12)),
        float(np.clip(rng.normal(1, 0.06), 0.85, 1.25)),
        random_pose(rng, age),
        random_uptake(rng),
        random_lesions(rng),
        random_camera(rng, age),
        random_artefacts(rng),
        float(np.exp(rng.uniform(np.log(3), np.log(30)))) if rng.random() < _MOVES else 0.0,
    )


def random_pose(rng: np.random.Generator, age_years: float) -> Pose:
    """Arms at the sides, bent or up; legs apart, bent in the young; slight turns."""
    return Pose(
        (_arm(rng), _arm(rng)) if rng.random() < 0.3 else (_arm(rng),) * 2,
        (_leg(rng, age_years), _leg(rng, age_years)),
        float(rng.normal(0, 12)),
        float(rng.normal(0, 5)),
        float(rng.normal(0, 6)),
        float(rng.normal(0, 4)),
        float(rng.normal(0, 2)),
        float(rng.normal(0, 0.02)),
    )


def _arm(rng: np.random.Generator) -> ArmPose:
    kind = rng.choice(4, p=(0.74, 0.10, 0.08, 0.08))
    if kind == 0:
        return ArmPose(rng.uniform(8, 28), rng.uniform(-18, 15))
    if kind == 1:
        return ArmPose(rng.uniform(20, 40), -rng.uniform(40, 75), rng.uniform(25, 45))
    if kind == 2:
        return ArmPose(rng.uniform(50, 90), rng.uniform(60, 100))
    return ArmPose(rng.uniform(135, 165), rng.uniform(10, 60))


def _leg(rng: np.random.Generator, age_years: float) -> LegPose:
    frog = rng.random() < 0.4 * np.exp(-age_years / 1.5)
    spread = rng.uniform(25, 50) if frog else rng.uniform(2, 12)
    knee = rng.uniform(30, 70) if frog else rng.uniform(0, 10)
    return LegPose(spread, knee, rng.uniform(5, 55), rng.uniform(15, 50))


def random_uptake(rng: np.random.Generator) -> Uptake:
    """Physiological uptake with the spread of docs/background/mibg.md 4.1 and 4.2."""
    sympathetic = float(rng.uniform(0.5, 1.1))
    return Uptake(
        heart=sympathetic * rng.lognormal(0, 0.18),
        lung=rng.lognormal(0, 0.12),
        liver=rng.lognormal(0, 0.25),
        spleen=rng.lognormal(0, 0.2),
        kidneys=rng.lognormal(0, 0.3),
        adrenals=rng.uniform(0, 2.5) * (rng.random() < 0.3),
        bladder=np.exp(rng.uniform(np.log(0.15), np.log(2.5))),
        bowel=rng.lognormal(0, 0.5),
        salivary=sympathetic * rng.lognormal(0.0, 0.3),
        lacrimal=rng.lognormal(0, 0.3),
        nasal=rng.lognormal(0, 0.35),
        thyroid=rng.uniform(0.3, 1.5) * (rng.random() < 0.12),
        brown_fat=rng.uniform(0.4, 1.2) * (rng.random() < 0.12),
        muscle=rng.lognormal(0, 0.15),
        brain=rng.lognormal(0, 0.15),
        left_lobe=max(0.8, rng.normal(1.35, 0.15)),
        bladder_fill=rng.beta(1.2, 2.5),
    )


def random_lesions(rng: np.random.Generator, burden: tuple[int, int] | None = None) -> tuple[Lesion, ...]:
    """Disease whose SIOPEN total is meant to lie within `burden` (default: drawn from a real series)."""
    low, high = burden or _BURDEN[int(rng.choice(len(_BURDEN), p=_BURDEN_SHARE))]
    heat = float(np.exp(rng.uniform(np.log(10), np.log(60))))
    levels = spread_levels(rng, int(rng.integers(low, high + 1)))
    skeletal = [lesion for segment, level in levels.items() for lesion in lesions_of_level(rng, segment, level, heat)]
    return (*skeletal, *_masses(rng))


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


def lesions_of_level(rng: np.random.Generator, segment: str, level: int, heat: float) -> Sequence[Lesion]:
    """Disease that makes a SIOPEN segment that level (0-6), with concentrations around `heat`."""
    contrast = heat * float(rng.lognormal(0, 0.25))
    if level == 0:
        return ()
    if level <= 3 or (level == 4 and rng.random() < 0.5):
        count = level if level <= 3 else int(rng.integers(4, 9))
        return (Foci(segment, count, float(rng.uniform(8, 20)), contrast),)
    patterns = _PATTERNS.get(segment, _PATTERNS["limb"] if "limb" in segment else ("patch", "patchy"))
    pattern = patterns[int(rng.integers(len(patterns)))]
    low, high = {4: (0.08, 0.48), 5: (0.52, 0.93), 6: (1.0, 1.0)}[level]
    return (Diffuse(segment, float(rng.uniform(low, high)), pattern, 0.5 * contrast),)


def _masses(rng: np.random.Generator) -> list[Lesion]:
    count = int(rng.choice(4, p=(0.35, 0.40, 0.15, 0.10)))
    places = rng.choice(len(_PLACES), count, replace=False, p=_PLACE_SHARE)
    return [
        Mass(_PLACES[n], float(rng.uniform(15, 80)), float(np.exp(rng.uniform(np.log(3), np.log(20))))) for n in places
    ]


def random_camera(rng: np.random.Generator, age_years: float) -> Camera:
    """Matrix, pixel, collimator, counts and table as hospitals differ."""
    names: tuple[CollimatorName, ...] = tuple(COLLIMATORS)
    fine = rng.random() < 0.1
    pixel = float(rng.choice((1.8, 2.0, 2.21, 2.4, 2.4, 2.4, 2.8, 3.3)))
    typical = np.log(3e5) + 0.6 * np.log1p(age_years) / np.log(10)
    return Camera(
        rows=2048 if fine else 1024,
        columns=512 if fine else 256,
        pixel_mm=pixel / 2 if fine else pixel,
        collimator=names[int(rng.choice(len(names), p=(0.40, 0.15, 0.45)))],
        anterior_counts=float(np.clip(np.exp(rng.normal(typical, 0.5)), 1.5e5, 1.5e6)),
        anterior_gap_mm=float(rng.uniform(10, 60)),
        posterior_gap_mm=float(rng.uniform(25, 60)),
        top_margin_mm=float(rng.uniform(20, 200)),
        scan_mm=float(rng.choice((1900.0, 2100.0, 1300.0))),
        table_mm=float(rng.normal(0, 12)),
    )
