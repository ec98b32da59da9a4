"""The likeliest level of a segment: what counting says of it, weighed with all that was found in the child.

Counting takes each finding for itself. Simulated children with known levels show what it misses: foci that run together
where there are many, faint ones beside others, patches seen too small. For each level k of a score

    logit P(level >= k) = offset_k of the segment + weights_k . inputs

(cumulative logits with weights of their own for each level: Peterson & Harrell 1990, Appl Stat 39:205), fitted by
`osteoscope.train.mibg_levels`. `INPUTS` that grow with disease of the segment have no weight below 0, so that a surer
focus or a larger patch never lowers the level. The counted level stands unless another is expected to be nearer to the
truth by more than `LEAST_GAIN` of a level.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from osteoscope.domain.finding import Finding
from osteoscope.domain.reading import ModelRecord
from osteoscope.errors import ModelError
from osteoscope.measure.score_tables import Scheme

Floats = NDArray[np.float64]

SHIPPED = Path(__file__).with_name("mibg_levels.json")
LEAST_GAIN = 0.1
# Least chance of a level by counting: the head may hold it likelier.
_LEAST = 0.005
_SOFT_TISSUE = "soft_tissue"
# So many foci, or a patch, are taken for a level of their own while the burden elsewhere is summed up.
_FOCI_OF_FOUR, _LEVEL_OF_PATCH, _TOP = 4.0, 4.5, 6.0
_LISTED = 4
# Inputs beside the logits of counting: of the segment, of the segment times the root of the burden elsewhere, and the
# burden itself. The last alone may have a weight below 0.
OWN = ("foci", *(f"focus {n + 1}" for n in range(_LISTED)), "fraction", "patch")
TIMES_BURDEN = ("foci x burden", "fraction x burden")
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
    foci, patches = _confidences(findings, table.members[segment])
    others = [units for name, units in table.members.items() if name not in {segment, _SOFT_TISSUE}]
    burden = float(np.mean([_involvement(*_confidences(findings, units)) for units in others]))
    return Signs(segment, foci, patches, min(fraction, 1.0), burden)


def _confidences(findings: Collection[Finding], units: Sequence[str]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    own = [f for f in findings if f.site in units]
    foci = sorted((f.confidence for f in own if f.kind != "diffuse"), reverse=True)
    patches = sorted((f.confidence for f in own if f.kind == "diffuse"), reverse=True)
    return tuple(foci), tuple(patches)


def _involvement(foci: Sequence[float], patches: Sequence[float]) -> float:
    return max(min(sum(foci), _FOCI_OF_FOUR), max(patches, default=0.0) * _LEVEL_OF_PATCH) / _TOP


def names_of_inputs(top: int) -> tuple[str, ...]:
    """The names of `inputs`, in their order."""
    counted = [f"counted {k}" for k in range(1, top + 1)]
    return (*counted, *OWN, *(f"{name} x burden" for name in counted), *TIMES_BURDEN, *BURDEN)


def inputs(counted: Floats, signs: Signs) -> Floats:
    """What the head weighs, by `names_of_inputs`.

    Args:
        counted: chance of each level 0 .. top by counting.
        signs: of the segment.
    """
    at_least = np.clip(1 - np.cumsum(counted)[:-1], _LEAST, 1 - _LEAST)
    odds = np.log(at_least / (1 - at_least))
    root = signs.burden**0.5
    foci = sum(signs.foci)
    listed = [*signs.foci[:_LISTED], *[0.0] * (_LISTED - len(signs.foci))]
    own = [foci, *listed, signs.fraction, max(signs.patches, default=0.0)]
    return np.array([*odds, *own, *(odds * root), foci * root, signs.fraction * root, signs.burden, root])


@dataclass(frozen=True, eq=False)
class ScoreHead:
    """Of one score.

    Args:
        offsets: of each segment, shape (top,).
        weights: of `inputs`, shape (top, inputs).
    """

    offsets: Mapping[str, Floats]
    weights: Floats

    def chances(self, counted: Floats, signs: Signs) -> Floats:
        """Chance of each level 0 .. top, from what counting gives, and from the Signs."""
        odds = self.offsets[signs.segment] + self.weights @ inputs(counted, signs)
        at_least = np.minimum.accumulate(expit(odds))
        return np.asarray(-np.diff(np.concatenate(([1.0], at_least, [0.0]))))


def likeliest(chances: Floats, counted: int) -> int:
    """The level that is expected to be nearest to the truth; the counted one where that gains little."""
    levels = np.arange(len(chances))
    error = np.abs(levels[:, None] - levels) @ chances
    best = int(error.argmin())
    return best if error[counted] - error[best] > LEAST_GAIN else counted


@dataclass(frozen=True, eq=False)
class LevelHead:
    """Heads by score, and the card that they come from."""

    scores: Mapping[str, ScoreHead]
    record: ModelRecord


def digest(content: Mapping[str, Any]) -> str:
    """SHA-256 of a card, its own apart."""
    plain = {name: value for name, value in content.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


@cache
def level_head(path: Path = SHIPPED) -> LevelHead:
    """The head of a card; that of the package by default.

    Raises:
        ModelError: the card cannot be read, or was changed.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        heads = {
            name: ScoreHead({s: np.array(v) for s, v in head["offsets"].items()}, np.array(head["weights"]))
            for name, head in content["scores"].items()
        }
        record = ModelRecord(content["name"], content["version"], content["sha256"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"load the model {path.name}", repr(error), "Install the package again") from error
    if digest(content) != record.sha256:
        found = f"content with another SHA-256 than {record.sha256[:12]}... as it says itself"
        raise ModelError(f"load the model {path.name}", found, "It was changed or damaged: install the package again")
    return LevelHead(heads, record)
