"""What lies where on the two views of a study, and shapes drawn on them, for what is not disease."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from osteoscope.domain.anatomy import SIDES
from osteoscope.errors import InvalidValueError
from osteoscope.simulate.camera import Floats

Mask = NDArray[np.bool_]
Place = Literal[
    "pelvis", "nappy", "thigh", "chin", "hand", "beside", "chest", "belly", "hip", "forearm", "elbow", "foot", "head",
    "axilla", "knee",
]  # fmt: skip
_UPPER, _LOWER = ("proximal_upper_limb", "distal_upper_limb"), ("proximal_lower_limb", "distal_lower_limb")


@dataclass(frozen=True, eq=False)
class Scene:
    """Silhouettes on the anterior view, [row, column]; those on the posterior view are their mirror images.

    Args:
        pixel_mm: size of a pixel.
        body: of the whole body.
        units: of planar units (`osteoscope.domain.anatomy.PLANAR_UNITS`); those out of the field may be absent.

    Raises:
        InvalidValueError: the pixel has no size, or masks differ in shape.
    """

    pixel_mm: float
    body: Mask
    units: Mapping[str, Mask]

    def __post_init__(self) -> None:
        if not self.pixel_mm > 0 or any(mask.shape != self.body.shape for mask in self.units.values()):
            raise InvalidValueError(
                "build a Scene",
                f"pixels of {self.pixel_mm} mm, masks beside {self.body.shape}",
                "Give one shape and size",
            )

    @cached_property
    def _pixels(self) -> Mapping[str, Floats]:
        found = {name: np.argwhere(mask).astype(float) for name, mask in self.units.items()}
        return {name: at for name, at in found.items() if len(at)}

    def of(self, *units: str) -> Floats:
        """Pixels (row, column) of units, shape (n, 2)."""
        parts = [self._pixels[unit] for unit in units if unit in self._pixels]
        return np.concatenate(parts) if parts else np.empty((0, 2))

    def end(self, unit: str, other: str, *, far: bool) -> Floats | None:
        """Middle of the pixels of a unit that lie farthest from, or nearest to, the middle of another."""
        at, there = self.of(unit), self.of(other)
        if not len(at) or not len(there):
            return None
        away = np.linalg.norm(at - there.mean(axis=0), axis=1)
        edge = away >= np.quantile(away, 0.97) if far else away <= np.quantile(away, 0.03)
        return np.asarray(at[edge].mean(axis=0))

    def spot(self, place: Place, rng: np.random.Generator) -> Floats | None:
        """A random (row, column) at a place, None where it is out of the field."""
        found = self._anchor(place, rng)
        if found is None:
            return None
        spread = {"nappy": 22.0, "pelvis": 18.0, "thigh": 10.0, "belly": 25.0, "chest": 8.0}.get(place, 6.0)
        return np.asarray(found + rng.normal(0, spread / self.pixel_mm, 2))

    def _anchor(self, place: Place, rng: np.random.Generator) -> Floats | None:
        side = SIDES[int(rng.integers(2))]
        upper, fore, thigh, shank = (f"{unit}_{side}" for unit in (*_UPPER, *_LOWER))
        ends = {
            "hand": (fore, upper, True), "elbow": (fore, upper, False), "foot": (shank, thigh, True),
            "axilla": (upper, "thoracic_spine", False), "hip": (thigh, shank, True), "knee": (shank, thigh, False),
        }  # fmt: skip
        if place in ends:
            unit, other, far = ends[place]
            return self.end(unit, other, far=far)
        if place == "beside":
            return self._beside(rng)
        units = {"thigh": thigh, "forearm": fore, "head": "skull", "chin": "skull", "chest": "thoracic_cage",
                 "belly": "lumbar_spine"}  # fmt: skip
        at = self.of(units.get(place, "pelvis"))
        if not len(at):
            return None
        drawn = at[rng.integers(len(at))]
        bottom = {"chin": 0.99, "nappy": 1.0}.get(place)
        return drawn if bottom is None else np.array([np.quantile(at[:, 0], bottom), at[:, 1].mean()])

    def _beside(self, rng: np.random.Generator) -> Floats | None:
        rows = np.flatnonzero(self.body.any(axis=1))
        if not rows.size:
            return None
        row = int(rng.choice(rows))
        columns = np.flatnonzero(self.body[row])
        off = rng.uniform(8, 60) / self.pixel_mm
        return np.array([row, columns[0] - off if rng.random() < 0.5 else columns[-1] + off], dtype=float)

    def background(self, view: Floats) -> float:
        """Median counts of a pixel of the body on the anterior view."""
        return float(np.median(view[self.body])) if self.body.any() else float(view.mean())

    def blob(self, at: ArrayLike, size_mm: Sequence[float], turn: float = 0.0, edge_mm: float = 4.0) -> Floats:
        """An ellipse of height 1 with a soft edge: `size_mm` (rows, columns) across, turned by `turn` radians."""
        row, column = (np.arange(n) - c for n, c in zip(self.body.shape, np.ravel(np.asarray(at)), strict=True))
        half = np.maximum(np.asarray(size_mm, dtype=float) / 2 / self.pixel_mm, 0.5)
        down = row[:, None] * np.cos(turn) + column[None, :] * np.sin(turn)
        right = column[None, :] * np.cos(turn) - row[:, None] * np.sin(turn)
        radius = np.hypot(down / half[0], right / half[1])
        steep = 2 * float(half.mean()) * self.pixel_mm / edge_mm
        return np.asarray(expit(steep * (1 - radius) * 2))

    def line(self, points: Sequence[ArrayLike], width_mm: float) -> Floats:
        """A soft line of height 1 through points (row, column)."""
        picture = np.zeros(self.body.shape)
        rows, columns = np.arange(self.body.shape[0])[:, None], np.arange(self.body.shape[1])[None, :]
        sigma = max(width_mm / self.pixel_mm / 2, 0.5)
        for start, end in pairwise(points):
            (r, c), (dr, dc) = np.asarray(start, dtype=float), np.subtract(end, start)
            share = np.clip(((rows - r) * dr + (columns - c) * dc) / max(dr**2 + dc**2, 1e-9), 0, 1)
            squared = (rows - r - share * dr) ** 2 + (columns - c - share * dc) ** 2
            picture = np.maximum(picture, np.exp(-squared / (2 * sigma**2)))
        return picture
