"""What is drawn for a training example: organ uptake, disease, and how hot each lesion is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.anatomy import SIOPEN
from osteoscope.simulate.cohort import random_uptake
from osteoscope.simulate.random_disease import BURDENS, spread_levels
from osteoscope.simulate.truth import siopen_level
from osteoscope.simulate.uptake import FOLLOWS, NEVER_COLD
from osteoscope.train.planar_basis import SEGMENTS, UNITS, Basis, Part

Floats = NDArray[np.float32]

UNIT_OF = MappingProxyType({unit: n for n, unit in enumerate(UNITS)})
MEMBERS = tuple(np.array([UNIT_OF[unit] for unit in SIOPEN[segment]]) for segment in SEGMENTS)
_APERTURE_MM = 12.0 / 2.355
LEAST_BEHIND = 0.05  # counts of a pixel that noise is taken from
_MUSCLE = 0.6


def organ_weights(basis: Basis, organs: Sequence[Part], rng: np.random.Generator) -> list[float]:
    """Multiples of each organ's usual concentration, drawn wider than a cohort's."""
    drawn = random_uptake(rng)
    made = []
    for part, usual in zip(organs, basis.usual, strict=True):
        organ = "bowel" if part.name.startswith("bowel") else part.name
        follows = FOLLOWS.get(organ, "muscle")
        multiple = float(getattr(drawn, follows)) * float(rng.lognormal(0, 0.5 if organ == "bowel" else 0.2))
        if organ in NEVER_COLD:
            multiple = max(multiple, _MUSCLE / usual)
        made.append(multiple)
    return made


def choose_disease(basis: Basis, rng: np.random.Generator) -> list[Part]:
    """Some of the lesions that the basis holds: like a cohort, or every level of every segment, or few foci."""
    way = rng.choice(3, p=(0.35, 0.4, 0.25))
    if way == 0:
        low, high = BURDENS[int(rng.integers(len(BURDENS)))]
        by_name = spread_levels(rng, int(rng.integers(low, high + 1)))
        levels = [by_name[segment] for segment in SEGMENTS]
    elif way == 1:
        involved = rng.random(len(SEGMENTS)) < rng.uniform(0.1, 0.9)
        levels = [int(n) for n in np.where(involved, rng.integers(1, 7, len(SEGMENTS)), 0)]
    else:
        involved = rng.random(len(SEGMENTS)) < rng.uniform(0.0, 0.35)
        levels = [int(n) for n in np.where(involved, rng.integers(1, 5, len(SEGMENTS)), 0)]
    chosen = [part for number, level in enumerate(levels) if level for part in _of_level(basis, number, level, rng)]
    masses = [part for part in basis.parts if part.kind == "mass" and rng.random() < 0.25]
    return chosen + masses


def _of_level(basis: Basis, segment: int, level: int, rng: np.random.Generator) -> list[Part]:
    mine = [part for part in basis.parts if part.segment == segment]
    foci = [part for part in mine if part.kind == "focus"]
    groups: dict[int, list[Part]] = {}
    for part in mine:
        if part.kind == "diffuse":
            groups.setdefault(part.group, []).append(part)
    if groups and (level > 4 or (level == 4 and (rng.random() < 0.5 or len(foci) < 4))):
        patches = list(groups.values())
        wanted = [g for g in patches if level_of(basis, segment, g) == level] or patches
        return wanted[int(rng.integers(len(wanted)))]
    count = min(len(foci), level if level <= 3 else int(rng.integers(4, 8)))
    return [foci[n] for n in rng.permutation(len(foci))[:count]]


def level_of(basis: Basis, segment: int, parts: Sequence[Part]) -> int:
    """SIOPEN level of a segment (index into `SEGMENTS`) with that disease, by the rule of the simulation's truth."""
    units = MEMBERS[segment]
    involved = np.zeros(len(UNITS))
    for part in parts:
        if part.kind == "diffuse" and part.segment == segment:
            involved[UNIT_OF[part.name]] += part.share
    bone = float(basis.volumes[units].sum())
    share = float((np.minimum(involved, 1)[units] * basis.volumes[units]).sum() / bone) if bone else 0.0
    return siopen_level(sum(part.kind == "focus" and part.segment == segment for part in parts), share)


@dataclass(frozen=True, eq=False)
class Heats:
    """Concentrations as in a cohort, or such that each lesion stands out by a drawn contrast to noise.

    Args:
        values: (n,) of each part: its concentration, or its contrast to noise.
        by_contrast: (n,) which of both.
        leader: (n,) the first part put in together with it, whose concentration is that of all of them.
    """

    values: Floats
    by_contrast: NDArray[np.bool_]
    leader: NDArray[np.int64]

    @classmethod
    def random(cls, disease: Sequence[Part], rng: np.random.Generator) -> Heats:
        """Of some parts."""
        typical = float(np.exp(rng.uniform(np.log(8), np.log(60))))
        by_contrast = rng.random() < 0.5
        child = float(np.exp(rng.uniform(np.log(4.0), np.log(25.0))))
        made = []
        for part in disease:
            if part.kind == "mass":
                made.append(float(np.exp(rng.uniform(np.log(2), np.log(30)))))
            elif by_contrast:
                made.append(child * float(rng.lognormal(0, 0.5)))
            else:
                made.append(typical * float(rng.lognormal(0, 0.35)) * (0.5 if part.kind == "diffuse" else 1.0))
        first: dict[int, int] = {}
        leader = [first.setdefault(part.group, number) for number, part in enumerate(disease)]
        relative = [by_contrast and part.kind != "mass" for part in disease]
        return cls(np.array(made, dtype=np.float32), np.array(relative, dtype=bool), np.array(leader, dtype=np.int64))

    def over(self, contrasts: Sequence[float]) -> Floats:
        """Concentrations, given the contrast to noise that a concentration of 1 has in each part."""
        least = np.maximum(np.asarray(contrasts, dtype=np.float32), 1e-9)
        return np.asarray(np.where(self.by_contrast, self.values / least, self.values)[self.leader], dtype=np.float32)


def contrast(part: Part, healthy: Floats, dose: float, pixel_mm: float) -> float:
    """Contrast to noise of a concentration of 1, in the better view, through an aperture of 12 mm."""
    (row, column), (_, rows, columns) = part.corner, part.views.shape
    behind = healthy[:, row : row + rows, column : column + columns].reshape(2, -1)
    here = part.views.reshape(2, -1).astype(np.float32)
    at = here.argmax(axis=1)
    noise = np.sqrt(np.maximum(behind[(0, 1), at], LEAST_BEHIND))
    return float((here[(0, 1), at] * part.scale * dose * aperture(pixel_mm) / noise).max())


def aperture(pixel_mm: float) -> float:
    """What a pixel's contrast to noise is multiplied by: the root of the pixels in the aperture."""
    return float(np.sqrt(4 * np.pi) * _APERTURE_MM / pixel_mm)
