"""How children lie on the table: arms, legs, head, and the body as a whole. Shares are choices, made wide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from osteoscope.simulate.posture import ArmPose, LegPose, Pose

# Body turned on the table and within the picture, head turned: largest degrees, and share of children well turned.
_ROLL, _LEAN, _TURN = 15.0, 12.0, 60.0
_WELL_TURNED = 0.2


def random_pose(rng: np.random.Generator, age_years: float) -> Pose:
    """Arms at the sides, before the trunk, bent or up; legs apart, bent in the young, or crossed; slight turns."""
    return Pose(
        _arms(rng),
        _legs(rng, age_years),
        _turned(rng, 12, _TURN),
        float(rng.normal(0, 5)),
        float(rng.normal(0, 6)),
        _turned(rng, 4, _ROLL),
        _turned(rng, 2.5, _LEAN),
        float(rng.normal(0, 0.02)),
    )


def _turned(rng: np.random.Generator, usual: float, most: float) -> float:
    """Degrees: mostly near straight; at times anything up to the most."""
    if rng.random() < _WELL_TURNED:
        return float(rng.uniform(-most, most))
    return float(np.clip(rng.normal(0, usual), -most, most))


def _at_the_side(rng: np.random.Generator) -> ArmPose:
    return ArmPose(rng.uniform(6, 28), rng.uniform(-18, 15))


def _on_the_belly(rng: np.random.Generator) -> ArmPose:
    return ArmPose(rng.uniform(18, 40), -rng.uniform(40, 80), rng.uniform(25, 50))


def _over_the_chest(rng: np.random.Generator) -> ArmPose:
    return ArmPose(rng.uniform(8, 25), -rng.uniform(85, 125), rng.uniform(35, 60))


def _out(rng: np.random.Generator) -> ArmPose:
    return ArmPose(rng.uniform(50, 95), rng.uniform(20, 100))


def _up(rng: np.random.Generator) -> ArmPose:
    return ArmPose(rng.uniform(130, 168), rng.uniform(0, 60))


_ARMS: tuple[tuple[float, Callable[[np.random.Generator], ArmPose]], ...] = (
    (0.66, _at_the_side), (0.12, _on_the_belly), (0.05, _over_the_chest), (0.08, _out), (0.09, _up),
)  # fmt: skip


def _arm(rng: np.random.Generator) -> ArmPose:
    return _ARMS[int(rng.choice(len(_ARMS), p=[share for share, _ in _ARMS]))][1](rng)


def _arms(rng: np.random.Generator) -> tuple[ArmPose, ArmPose]:
    first = _arm(rng)
    if rng.random() < 0.35:
        return first, _arm(rng)
    other = ArmPose(first.abduction + rng.normal(0, 4), first.elbow + rng.normal(0, 6), max(first.lift, 0.0))
    # Of two forearms before the trunk one lies upon the other.
    return first, replace(other, lift=other.lift + rng.uniform(6, 14)) if other.lift else other


def _leg(rng: np.random.Generator, *, frog: bool) -> LegPose:
    spread = rng.uniform(25, 50) if frog else rng.uniform(1, 12)
    knee = rng.uniform(30, 70) if frog else rng.uniform(0, 10)
    return LegPose(spread, knee, rng.uniform(5, 55), rng.uniform(15, 50))


def _legs(rng: np.random.Generator, age_years: float) -> tuple[LegPose, LegPose]:
    chance = rng.random()
    if chance < 0.06 and age_years > 1:
        over, under = LegPose(rng.uniform(0, 4), rng.uniform(8, 22)), LegPose(rng.uniform(0, 4), rng.uniform(0, 6))
        return (over, under) if rng.random() < 0.5 else (under, over)
    frog = rng.random() < 0.4 * np.exp(-age_years / 1.5)
    return _leg(rng, frog=bool(frog)), _leg(rng, frog=bool(frog and rng.random() < 0.85))
