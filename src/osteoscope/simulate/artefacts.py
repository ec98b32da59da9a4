"""Artefacts put on the expected counts of both views, before noise is drawn (saturation after); none is disease.

Priors are those of a working department as far as docs/background/mibg.md tells; how often each occurs is not
published and is a choice of this file: about half of all studies have none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from osteoscope.domain.finding import Part, Region, SetAside
from osteoscope.errors import InvalidValueError
from osteoscope.simulate.artefact_kinds import Catheter, Contamination, Extravasation, Facing, Views
from osteoscope.simulate.artefact_objects import Absorber, HoldingHand
from osteoscope.simulate.camera import Floats
from osteoscope.simulate.detector_faults import LowCounts, Saturation, Seam, Spots, Stripe
from osteoscope.simulate.motion import row_motion, shift_rows
from osteoscope.simulate.scene import Place, Scene
from osteoscope.simulate.visibility import contrast_to_noise

__all__ = [
    "Absorber",
    "Artefact",
    "Catheter",
    "Contamination",
    "Extravasation",
    "HoldingHand",
    "LowCounts",
    "OfCamera",
    "Saturation",
    "Scene",
    "Seam",
    "Spots",
    "Stripe",
    "disturb",
    "random_artefacts",
    "row_motion",
    "shift_rows",
    "with_traces",
]  # fmt: skip

OfCamera = Saturation | Stripe | Seam | Spots | LowCounts
Artefact = Contamination | Catheter | Extravasation | Absorber | HoldingHand | OfCamera
_VIEWS = ("anterior", "posterior")
# A trace is listed where it stands out by that contrast to noise; its outline is at that share of its largest change.
_SHOWS, _OUTLINE = 3.0, 0.12


def disturb(
    views: Mapping[str, Floats], scene: Scene, artefacts: Iterable[Artefact], rng: np.random.Generator
) -> Mapping[str, Floats]:
    """Expected counts of both views with artefacts.

    Args:
        views: "anterior" and "posterior" (as seen from behind), expected counts [row, column].
        scene: silhouettes.
        artefacts: in the order in which they are put on.
        rng: draws what an artefact leaves open.

    Raises:
        InvalidValueError: a view is missing or does not fit the scene.
    """
    return with_traces(views, scene, artefacts, rng).views


@dataclass(frozen=True, eq=False)
class Disturbed:
    """Views with artefacts, and what of them shows.

    Args:
        views: expected counts by name.
        traces: artefacts that stand out, with their outlines.
    """

    views: Mapping[str, Floats]
    traces: tuple[SetAside, ...]


def with_traces(
    views: Mapping[str, Floats], scene: Scene, artefacts: Iterable[Artefact], rng: np.random.Generator
) -> Disturbed:
    """As `disturb`, and what of each artefact stands out against the views without it."""
    if set(views) != set(_VIEWS) or any(view.shape != scene.body.shape for view in views.values()):
        found = ", ".join(f"{name} {view.shape}" for name, view in views.items())
        raise InvalidValueError("put artefacts on views", found, f"Give {' and '.join(_VIEWS)} of {scene.body.shape}")
    now: Views = (views["anterior"], views["posterior"][:, ::-1])
    traces = []
    for artefact in artefacts:
        then, now = now, artefact.apply(now, scene, rng)
        region = _outline(then, now, scene) if not isinstance(artefact, LowCounts | Seam | Spots) else None
        if region:
            traces.append(SetAside(artefact.reason, artefact.reason, region))
    return Disturbed(
        MappingProxyType({"anterior": now[0], "posterior": np.ascontiguousarray(now[1][:, ::-1])}), tuple(traces)
    )


def _outline(then: Views, now: Views, scene: Scene) -> Region | None:
    parts = []
    for view, before, after, step in zip(_VIEWS, then, now, (1, -1), strict=True):
        change = np.abs(after - before)
        if not change.any():
            continue
        standing = contrast_to_noise(np.minimum(before, after), change, scene.pixel_mm)
        mask = (standing > _SHOWS) & (change > _OUTLINE * change.max())
        if mask.any():
            parts.append(Part.from_mask(view, mask[:, ::step]))
    return Region(tuple(parts)) if parts else None


def _log(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _of(rng: np.random.Generator, places: tuple[Place, ...]) -> Place:
    return places[int(rng.integers(len(places)))]


def _facing(rng: np.random.Generator) -> Facing:
    return "anterior" if rng.random() < 0.6 else "posterior"


def _contamination(rng: np.random.Generator) -> Artefact:
    place = _of(rng, ("nappy", "nappy", "pelvis", "thigh", "thigh", "chin", "hand", "beside", "belly"))
    through = 0.0 if rng.random() < 0.3 else float(rng.uniform(0.05, 0.9))
    return Contamination(place, int(rng.integers(1, 5)), _log(rng, 3, 50), _log(rng, 8, 45), _facing(rng), through)


def _catheter(rng: np.random.Generator) -> Artefact:
    return Catheter(_log(rng, 1, 10), int(rng.random() < 0.3), bool(rng.random() < 0.6), float(rng.uniform(0.2, 0.7)))


def _extravasation(rng: np.random.Generator) -> Artefact:
    place = _of(rng, ("hand", "hand", "forearm", "elbow", "foot"))
    return Extravasation(place, _log(rng, 5, 100), _log(rng, 10, 50), bool(rng.random() < 0.3), rng.uniform(0.4, 1.0))


def _absorber(rng: np.random.Generator) -> Artefact:
    place = _of(rng, ("chest", "belly", "hip", "thigh", "knee", "head"))
    return Absorber(place, _log(rng, 15, 80), float(rng.uniform(0.1, 0.7)), _facing(rng))


def _hand(rng: np.random.Generator) -> Artefact:
    return HoldingHand(_of(rng, ("head", "hand", "elbow", "knee", "foot")), _log(rng, 0.2, 1.2))


def _saturation(rng: np.random.Generator) -> Artefact:
    return Saturation(float(rng.uniform(0.15, 0.8)))


def _stripe(rng: np.random.Generator) -> Artefact:
    along, at, width = rng.random() < 0.3, float(rng.uniform(0.25, 0.75)), int(rng.integers(1, 4))
    return Stripe("row" if along else "column", at, width, float(rng.uniform(0, 0.8)), int(rng.integers(2)))


def _seam(rng: np.random.Generator) -> Artefact:
    return Seam(
        float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.75, 1.25)), float(rng.uniform(0, 2)), int(rng.integers(0, 7))
    )


def _spots(rng: np.random.Generator) -> Artefact:
    return Spots(int(rng.integers(2, 7)), float(rng.uniform(0.05, 0.35)), int(rng.integers(0, 4)))


def _low(rng: np.random.Generator) -> Artefact:
    return LowCounts(_log(rng, 0.1, 0.6))


# How often each occurs in a study (choice), and how it is drawn.
_PRIORS: tuple[tuple[float, Callable[[np.random.Generator], Artefact]], ...] = (
    (0.18, _contamination), (0.10, _catheter), (0.04, _extravasation), (0.04, _absorber), (0.04, _hand),
    (0.05, _stripe), (0.04, _seam), (0.04, _spots), (0.06, _low), (0.04, _saturation),
)  # fmt: skip


def random_artefacts(rng: np.random.Generator, rate: float = 1.0) -> tuple[Artefact, ...]:
    """Artefacts of one study: at `rate` 1 about 0.6 of them on average, none in about half of all studies.

    Raises:
        InvalidValueError: the rate is negative.
    """
    if rate < 0:
        raise InvalidValueError("draw artefacts", f"a rate of {rate}", "Give a rate from 0 on")
    return tuple(draw(rng) for share, draw in _PRIORS if rng.random() < rate * share)
