"""How bones moved from one date to another: rigid motions of positions in mm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from osteoscope.domain.geometry import Matrix

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rigid:
    """A motion of positions in mm: the matrix (4, 4) from (x, y, z, 1) of one date to that of another."""

    matrix: Matrix

    @classmethod
    def of(cls, turn: Floats, shift: Floats) -> Rigid:
        """By a rotation matrix and a shift."""
        whole = np.eye(4)
        whole[:3, :3], whole[:3, 3] = turn, shift
        return cls(tuple(tuple(float(v) for v in row) for row in whole))

    def move(self, positions: Floats) -> Floats:
        """Positions, shape (..., 3), moved."""
        matrix = np.asarray(self.matrix)
        return np.asarray(positions @ matrix[:3, :3].T + matrix[:3, 3])

    def back(self) -> Rigid:
        """The opposite motion."""
        matrix = np.asarray(self.matrix)
        turn = matrix[:3, :3].T
        return Rigid.of(turn, -turn @ matrix[:3, 3])

    @property
    def turn_deg(self) -> float:
        """Angle of the rotation."""
        return float(np.degrees(Rotation.from_matrix(np.asarray(self.matrix)[:3, :3]).magnitude()))


@dataclass(frozen=True)
class BoneMotion:
    """How one bone moved.

    Args:
        site: id of the bone.
        rigid: from positions of the earlier date to those of the later.
        residual_mm: median distance of the surfaces after it; None where too little of the bone is in both fields.
        aligned: False where the motion of the nearest bone had to be taken.
        off_mm: how far the bone's middle lies from where the motion of all bones would put it.
    """

    site: str
    rigid: Rigid
    residual_mm: float | None
    aligned: bool
    off_mm: float


@dataclass(frozen=True, eq=False)
class Alignment:
    """How the skeleton moved.

    Args:
        together: the one motion that fits all bones best.
        bones: the motion of every bone that both dates hold, by its id.
        points: some places on the earlier surface of each bone that was aligned on its own.
    """

    together: Rigid
    bones: Mapping[str, BoneMotion]
    points: Mapping[str, Floats]

    def rigid(self, site: str, place: Floats) -> Rigid:
        """The motion of a bone, or of the nearest bone to a place of the earlier date where it has none of its own."""
        return self.bones[site].rigid if site in self.bones else self.near(place)

    def near(self, place: Floats) -> Rigid:
        """The motion of the bone that is nearest to a place of the earlier date."""
        if not self.points:
            return self.together
        apart = {site: float(((points - place) ** 2).sum(axis=1).min()) for site, points in self.points.items()}
        return self.bones[min(apart, key=lambda site: apart[site])].rigid
