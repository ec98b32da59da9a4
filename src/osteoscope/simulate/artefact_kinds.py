"""Kinds of artefacts of planar scans: docs/background/mibg.md. Heats are multiples of the body's median counts.

Each changes the expected counts of both views; `front` and `back` are both as seen from the front, [row, column].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from osteoscope.domain.anatomy import SIDES
from osteoscope.errors import InvalidValueError
from osteoscope.simulate.camera import Floats
from osteoscope.simulate.scene import Place, Scene

Views = tuple[Floats, Floats]
Facing = Literal["anterior", "posterior"]


def check_kind(what: str, *, good: bool, found: str) -> None:
    """Refuse an artefact that makes no sense."""
    if not good:
        raise InvalidValueError(f"build {what}", found, "Give positive sizes and heats, and shares of 0 to 1")


def added(views: Views, add: Floats, facing: Facing, through: float) -> Views:
    """Both views with counts that one head sees in full and the other in part."""
    front, back = views
    shares = (1.0, through) if facing == "anterior" else (through, 1.0)
    return front + shares[0] * add, back + shares[1] * add


@dataclass(frozen=True)
class Contamination:
    """Urine, saliva or a wet nappy: hot sharp blobs on skin, cloth or table.

    Args:
        place: where; each blob lies somewhere else around it.
        count: blobs, 1 to 4.
        heat: of the hottest.
        size_mm: of the largest.
        facing: the view that sees it best.
        through: share that the other view sees.
    """

    place: Place = "nappy"
    count: int = 2
    heat: float = 15.0
    size_mm: float = 18.0
    facing: Facing = "anterior"
    through: float = 0.3
    reason: ClassVar[str] = "contamination"

    def __post_init__(self) -> None:
        good = 1 <= self.count <= 4 and self.heat > 0 and self.size_mm > 0 and 0 <= self.through <= 1
        check_kind("contamination", good=good, found=str(self))

    def apply(self, views: Views, scene: Scene, rng: np.random.Generator) -> Views:
        """Both views with it."""
        level = self.heat * scene.background(views[0])
        for _ in range(self.count):
            at = scene.spot(self.place, rng)
            if at is None:
                return views
            size = self.size_mm * rng.uniform(0.35, 1) * np.array([rng.uniform(0.5, 1), 1])
            blob = scene.blob(at, size.tolist(), rng.uniform(0, np.pi), rng.uniform(3, 7))
            views = added(views, level * rng.uniform(0.3, 1) * blob, self.facing, self.through)
        return views


@dataclass(frozen=True)
class Catheter:
    """A central line, with or without a port, in the upper chest.

    Args:
        heat: of the line; the port is twice as hot.
        side: 0 right, 1 left.
        port: whether there is one.
        through: share that the posterior view sees.
    """

    heat: float = 3.0
    side: int = 0
    port: bool = True
    through: float = 0.4
    reason: ClassVar[str] = "catheter"

    def __post_init__(self) -> None:
        check_kind("a catheter", good=self.heat > 0 and self.side in (0, 1) and 0 <= self.through <= 1, found=str(self))

    def apply(self, views: Views, scene: Scene, rng: np.random.Generator) -> Views:
        """Both views with it."""
        cage, spine = scene.of("thoracic_cage"), scene.of("thoracic_spine")
        if not len(cage) or not len(spine):
            return views
        top, low = np.quantile(cage[:, 0], (0.03, 0.97))
        middle, sign = float(spine[:, 1].mean()), (-1, 1)[self.side]
        wide, tall = float(np.ptp(cage[:, 1])) / 2, low - top
        port = np.array([top + rng.uniform(0.12, 0.30) * tall, middle + sign * rng.uniform(0.35, 0.65) * wide])
        neck = np.array([top - rng.uniform(-0.02, 0.10) * tall, middle + sign * rng.uniform(0.12, 0.30) * wide])
        tip = np.array([top + rng.uniform(0.35, 0.5) * tall, middle - 0.06 * wide])
        bend = (neck + tip) / 2 + np.array([0, sign * rng.uniform(0, 0.06) * wide])
        level = self.heat * scene.background(views[0])
        add = level * scene.line([port, (port + neck) / 2 + rng.normal(0, 2, 2), neck, bend, tip], rng.uniform(3, 5))
        if self.port:
            size = rng.uniform(10, 18)
            add = np.maximum(add, 2 * level * scene.blob(port, (size, size), 0.0, 4.0))
        return added(views, add, "anterior", self.through)


@dataclass(frozen=True)
class Extravasation:
    """Tracer left beside the vein: a very hot blob on one limb, with or without a node in the armpit.

    Args:
        place: "hand", "forearm", "elbow" or "foot".
        heat: of the blob.
        size_mm: of the blob.
        node: whether a node in the armpit holds some of it.
        through: share that the posterior view sees.
    """

    place: Place = "hand"
    heat: float = 40.0
    size_mm: float = 22.0
    node: bool = False
    through: float = 0.7
    reason: ClassVar[str] = "extravasation"

    def __post_init__(self) -> None:
        good = self.place in ("hand", "forearm", "elbow", "foot") and min(self.heat, self.size_mm) > 0
        check_kind("an extravasation", good=good and 0 <= self.through <= 1, found=str(self))

    def apply(self, views: Views, scene: Scene, rng: np.random.Generator) -> Views:
        """Both views with it."""
        level, at = self.heat * scene.background(views[0]), scene.spot(self.place, rng)
        if at is None:
            return views
        size = self.size_mm * np.array([rng.uniform(0.6, 1.6), rng.uniform(0.5, 1.0)])
        add = level * scene.blob(at, size.tolist(), rng.uniform(0, np.pi), 6.0)
        if self.node and self.place != "foot":
            arm = min(SIDES, key=lambda side: _distance(scene.of(f"distal_upper_limb_{side}"), at))
            node = scene.end(f"proximal_upper_limb_{arm}", "thoracic_spine", far=False)
            if node is not None:
                add = add + 0.3 * level * scene.blob(node + rng.normal(0, 2, 2), (9, 9), 0.0, 4.0)
        return added(views, add, "anterior", self.through)


def _distance(pixels: Floats, at: Floats) -> float:
    return float(np.linalg.norm(pixels - at, axis=1).min()) if len(pixels) else np.inf
