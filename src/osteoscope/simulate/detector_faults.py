"""Artefacts that the camera makes: clipped pixels, stripes, seams, too few counts. See `artefact_kinds` for `apply`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from osteoscope.errors import InvalidValueError
from osteoscope.simulate.artefact_kinds import Views
from osteoscope.simulate.scene import Scene


def _check(what: str, *, good: bool, found: str) -> None:
    if not good:
        raise InvalidValueError(f"build {what}", found, "Give shares of 0 to 1")


@dataclass(frozen=True)
class Saturation:
    """Pixels clipped at a share of the hottest one: of counts that are drawn, so that they hold one number."""

    share: float = 0.5
    reason: ClassVar[str] = "saturated"

    def __post_init__(self) -> None:
        _check("a saturation", good=0 < self.share <= 1, found=str(self))

    def apply(self, views: Views, scene: Scene, rng: np.random.Generator) -> Views:  # noqa: ARG002
        """Both views with it."""
        limit = self.share * max(float(view.max()) for view in views)
        return np.minimum(views[0], limit), np.minimum(views[1], limit)


@dataclass(frozen=True)
class Stripe:
    """Dead or weak rows or columns of one head.

    Args:
        along: "row" or "column".
        at: where, share of the height or width.
        width: pixels.
        gain: of the counts that are left.
        view: the head, 0 anterior or 1 posterior.
    """

    along: Literal["row", "column"] = "column"
    at: float = 0.5
    width: int = 1
    gain: float = 0.0
    view: int = 0
    reason: ClassVar[str] = "detector stripe"

    def __post_init__(self) -> None:
        good = 0 <= self.at <= 1 and self.width >= 1 and 0 <= self.gain <= 2 and self.view in (0, 1)
        _check("a stripe", good=good, found=str(self))

    def apply(self, views: Views, scene: Scene, rng: np.random.Generator) -> Views:  # noqa: ARG002
        """Both views with it."""
        axis = 0 if self.along == "row" else 1
        start = int(self.at * (views[0].shape[axis] - 1))
        box = tuple(slice(start, start + self.width) if a == axis else slice(None) for a in (0, 1))
        hit = views[self.view].copy()
        hit[box] *= self.gain
        return (hit, views[1]) if self.view == 0 else (views[0], hit)


@dataclass(frozen=True)
class Seam:
    """Two passes joined within the body: below the seam another gain, at it lost or doubled rows.

    Args:
        at: share of the body's height.
        gain: below the seam.
        joint: gain of the rows at the seam, 0 to 2.
        rows: how many rows that is.
    """

    at: float = 0.5
    gain: float = 0.9
    joint: float = 1.3
    rows: int = 4
    reason: ClassVar[str] = "seam"

    def __post_init__(self) -> None:
        good = 0 <= self.at <= 1 and 0 <= self.gain <= 2 and 0 <= self.joint <= 2 and self.rows >= 0
        _check("a seam", good=good, found=str(self))

    def apply(self, views: Views, scene: Scene, rng: np.random.Generator) -> Views:  # noqa: ARG002
        """Both views with it."""
        rows = np.flatnonzero(scene.body.any(axis=1))
        if not rows.size:
            return views
        at = int(rows[0] + self.at * (rows[-1] - rows[0]))
        gains = np.where(np.arange(scene.body.shape[0]) < at, 1.0, self.gain)
        gains[at : at + self.rows] = self.joint
        return views[0] * gains[:, None], views[1] * gains[:, None]


@dataclass(frozen=True)
class Spots:
    """Static spots joined into one picture instead of a sweep: each with its own duration, with lost rows between.

    Args:
        count: spots along the body, 2 to 8.
        spread: log-standard deviation of the durations.
        lost: rows without counts between two spots.
    """

    count: int = 4
    spread: float = 0.2
    lost: int = 0
    reason: ClassVar[str] = "static spots"

    def __post_init__(self) -> None:
        _check("static spots", good=2 <= self.count <= 8 and self.spread >= 0 and self.lost >= 0, found=str(self))

    def apply(self, views: Views, scene: Scene, rng: np.random.Generator) -> Views:
        """Both views with it."""
        rows = np.flatnonzero(scene.body.any(axis=1))
        if not rows.size:
            return views
        joints = np.linspace(rows[0], rows[-1] + 1, self.count + 1)[1:-1] + rng.normal(0, 4, self.count - 1)
        at = np.arange(scene.body.shape[0])
        spot = np.searchsorted(np.sort(joints), at)
        gains = rng.lognormal(0, self.spread, self.count)[spot]
        gains[(np.abs(at[:, None] - joints) < self.lost / 2).any(axis=1)] = 0.0
        return views[0] * gains[:, None], views[1] * gains[:, None]


@dataclass(frozen=True)
class LowCounts:
    """Too little activity or time: a share of the counts."""

    share: float = 0.3
    reason: ClassVar[str] = "low counts"

    def __post_init__(self) -> None:
        _check("low counts", good=0 < self.share <= 1, found=str(self))

    def apply(self, views: Views, scene: Scene, rng: np.random.Generator) -> Views:  # noqa: ARG002
        """Both views with it."""
        return views[0] * self.share, views[1] * self.share
