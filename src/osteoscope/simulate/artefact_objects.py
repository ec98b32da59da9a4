"""Things in the picture that hold no urine and no tracer of the child: metal, a hand. See `artefact_kinds`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from osteoscope.simulate.artefact_kinds import Facing, Views, added, check_kind
from osteoscope.simulate.scene import Place, Scene


@dataclass(frozen=True)
class Absorber:
    """A prosthesis, pump or other metal: a cold spot.

    Args:
        place: where.
        size_mm: length; the breadth is 0.3 to 1 of it.
        passing: share of the counts that pass on the view that faces it; on the other three quarters of the loss are
            spared.
        facing: the view that it lies before.
    """

    place: Place = "chest"
    size_mm: float = 40.0
    passing: float = 0.5
    facing: Facing = "anterior"
    reason: ClassVar[str] = "absorber"

    def __post_init__(self) -> None:
        check_kind("an absorber", good=self.size_mm > 0 and 0 <= self.passing <= 1, found=str(self))

    def apply(self, views: Views, scene: Scene, rng: np.random.Generator) -> Views:
        """Both views with it."""
        at = scene.spot(self.place, rng)
        if at is None:
            return views
        size = (self.size_mm, self.size_mm * rng.uniform(0.3, 1))
        shade = (1 - self.passing) * scene.blob(at, size, rng.uniform(0, np.pi), 6.0)
        near, far = 1 - shade, 1 - 0.25 * shade
        front, back = views
        return (front * near, back * far) if self.facing == "anterior" else (front * far, back * near)


@dataclass(frozen=True)
class HoldingHand:
    """A parent's hand that holds the child: warm fingers at the edge of the body.

    Args:
        place: near where.
        heat: of the hand.
    """

    place: Place = "head"
    heat: float = 0.6
    reason: ClassVar[str] = "holding hand"

    def __post_init__(self) -> None:
        check_kind("a hand", good=self.heat > 0, found=str(self))

    def apply(self, views: Views, scene: Scene, rng: np.random.Generator) -> Views:
        """Both views with it."""
        at = scene.spot(self.place, rng)
        if at is None:
            return views
        row = int(np.clip(at[0], 0, scene.body.shape[0] - 1))
        columns = np.flatnonzero(scene.body[row])
        sign = rng.choice((-1, 1))
        edge = at[1] if not columns.size else float(columns[0] if sign < 0 else columns[-1])
        px = scene.pixel_mm
        palm = np.array([row + rng.normal(0, 10 / px), edge + sign * 55 / px])
        add = scene.blob(palm, (70, 75), 0.0, 8.0)
        for finger in np.linspace(-1, 1, 4):
            root = palm + np.array([finger * 28 / px, -sign * 25 / px])
            tip = root + np.array([finger * 12 / px + rng.normal(0, 3), -sign * rng.uniform(45, 75) / px])
            add = np.maximum(add, scene.line([root, tip], 15.0))
        away = scene.line([palm, palm + np.array([rng.uniform(-60, 60) / px, sign * 200 / px])], 50.0)
        return added(views, self.heat * scene.background(views[0]) * np.maximum(add, away), "anterior", 0.9)
