"""The level of a segment that is expected to cost least: counting, weighed with all that was found in the child.

Counting takes each finding for itself. Simulated children with known levels show what it misses: foci that run together
where there are many, faint ones beside others, patches seen too small. For each level k of a score

    logit P(level >= k) = offset_k of the segment + weights_k . inputs

(cumulative logits with weights of their own for each level: Peterson & Harrell 1990, Appl Stat 39:205), fitted by
`osteoscope.train.mibg_levels`. `inputs` that grow with disease of the segment have no weight below 0, so that a surer
focus or a larger patch never lowers the level. The level given is the one that is expected to cost least: each level
too high costs 1, each too low `TOO_LOW`, and disease called 0 `MISSED` on top; but the counted one stands unless that
saves more than `LEAST_GAIN`. It is often not the likeliest one: where two levels apart are likely, one between them
costs less. These are choices, made on simulated children.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from osteoscope.domain.finding import Finding
from osteoscope.domain.reading import ModelRecord
from osteoscope.errors import ModelError
from osteoscope.measure.card_digest import digest
from osteoscope.measure.score_tables import Scheme

Floats = NDArray[np.float64]

SHIPPED = Path(__file__).with_name("mibg_levels.json")
TOO_LOW, MISSED, LEAST_GAIN = 1.25, 1.0, 0.2
# Least chance of a level by counting: the head may hold it likelier.
_LEAST = 0.005
_SOFT_TISSUE = "soft_tissue"
# So many foci, or a patch, are taken for a level of their own while the burden elsewhere is summed up.
_FOCI_OF_FOUR, _LEVEL_OF_PATCH, _TOP = 4.0, 4.5, 6.0
_LISTED_FOCI, _LISTED_PATCHES = 4, 2  # the surest ones, that are an input each
# The inputs that alone may have a weight below 0.
BURDEN = ("burden", "root of burden")


@dataclass(frozen=True)
class Signs:
    """What was found in a segment and around it.

    Args:
        segment: id of a segment, or region, of the score.
        foci: confidences 0..1 of its foci, accepted or not, falling.
        patches: confidences 0..1 of its diffuse findings, falling.
        fraction: share of its silhouette that accepted patches cover, 0..1.
        burden: mean of the other segments in bone, 0 without disease to 1.
    """

    segment: str
    foci: tuple[float, ...]
    patches: tuple[float, ...]
    fraction: float
    burden: float


def signs_of(findings: Collection[Finding], table: Scheme, segment: str, fraction: float) -> Signs:
    """The Signs of a segment of a score from all findings of a child and its diffuse fraction."""
    foci, patches = confidences(findings, table.members[segment])
    others = [units for name, units in table.members.items() if name not in {segment, _SOFT_TISSUE}]
    burden = float(np.mean([_involvement(*confidences(findings, units)) for units in others]))
    return Signs(segment, foci, patches, min(fraction, 1.0), burden)


def confidences(findings: Collection[Finding], units: Sequence[str]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Of the foci, and of the diffuse findings, of these units, each falling."""
    own = [f for f in findings if f.site in units]
    foci = sorted((f.confidence for f in own if f.kind != "diffuse"), reverse=True)
    patches = sorted((f.confidence for f in own if f.kind == "diffuse"), reverse=True)
    return tuple(foci), tuple(patches)


def _involvement(foci: Sequence[float], patches: Sequence[float]) -> float:
    return max(min(sum(foci), _FOCI_OF_FOUR), max(patches, default=0.0) * _LEVEL_OF_PATCH) / _TOP


def inputs(counted: Floats, signs: Signs) -> Mapping[str, float]:
    """What the head weighs, by name: what grows with disease of the segment, some of it again the more the other
    segments have, and that burden itself (`BURDEN`).

    Args:
        counted: chance of each level 0 .. top by counting.
        signs: of the segment.
    """
    at_least = np.clip(1 - np.cumsum(counted)[:-1], _LEAST, 1 - _LEAST)
    odds = {f"counted {k}": float(o) for k, o in enumerate(np.log(at_least / (1 - at_least)), start=1)}
    extent = {"foci": sum(signs.foci), "patches": sum(signs.patches), "fraction": signs.fraction}
    surest = {**_listed("focus", signs.foci, _LISTED_FOCI), **_listed("patch", signs.patches, _LISTED_PATCHES)}
    root = signs.burden**0.5
    again = {f"{name} x root of burden": value * root for name, value in {**odds, **extent}.items()}
    return {**odds, **extent, **surest, **again, **dict(zip(BURDEN, (signs.burden, root), strict=True))}


def _listed(name: str, sure: Sequence[float], most: int) -> dict[str, float]:
    return {f"{name} {n + 1}": sure[n] if n < len(sure) else 0.0 for n in range(most)}


@dataclass(frozen=True, eq=False)
class ScoreHead:
    """Of one score.

    Args:
        names: of `inputs`.
        weights: of each, shape (top, inputs).
        offsets: of each segment, shape (top,).
    """

    names: tuple[str, ...]
    weights: Floats
    offsets: Mapping[str, Floats]

    def chances(self, counted: Floats, signs: Signs) -> Floats:
        """Chance of each level 0 .. top, from what counting gives, and from the Signs."""
        found = inputs(counted, signs)
        odds = self.offsets[signs.segment] + self.weights @ [found[name] for name in self.names]
        at_least = np.minimum.accumulate(expit(odds))
        return np.asarray(-np.diff(np.concatenate(([1.0], at_least, [0.0]))))


def least_costly(chances: Floats, counted: int, signs: Signs) -> int:
    """The level expected to cost least; the counted one where that saves little, or where nothing was found."""
    if not (signs.foci or signs.patches):
        return counted
    expected = costs(len(chances) - 1) @ chances
    best = int(expected.argmin())
    return best if expected[counted] - expected[best] > LEAST_GAIN else counted


@cache
def costs(top: int) -> Floats:
    """What it costs to give a level where another is true, shape (given, true)."""
    levels = np.arange(top + 1)
    short = levels - levels[:, None]
    missed = (levels[:, None] == 0) & (levels > 0)
    return np.asarray(np.where(short > 0, TOO_LOW * short, -short) + MISSED * missed, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class LevelHead:
    """Heads by score, and the card that they come from."""

    scores: Mapping[str, ScoreHead]
    record: ModelRecord


@cache
def level_head(path: Path = SHIPPED) -> LevelHead:
    """The head of a card; that of the package by default.

    Raises:
        ModelError: the card cannot be read, or was changed.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        heads = {
            name: ScoreHead(
                tuple(head["inputs"]),
                np.array(head["weights"]),
                {segment: np.array(values) for segment, values in head["offsets"].items()},
            )
            for name, head in content["scores"].items()
        }
        record = ModelRecord(content["name"], content["version"], content["sha256"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"load the model {path.name}", repr(error), "Install the package again") from error
    if digest(content) != record.sha256:
        found = f"content with another SHA-256 than {record.sha256[:12]}... as it says itself"
        raise ModelError(f"load the model {path.name}", found, "It was changed or damaged: install the package again")
    return LevelHead(heads, record)
