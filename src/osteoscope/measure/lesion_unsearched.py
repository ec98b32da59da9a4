"""Places of a CT that metal kept from being searched for lesions: nothing found there says nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from osteoscope.domain.geometry import Grid
from osteoscope.domain.reading import Reading
from osteoscope.measure.lesion_matching_ct import positions

METAL = "metal"  # what `find.ct_findings.beside_metal` sets aside
# Between bone and metal lies a rim that is counted to neither.
_RIM_MM = 2.0


@dataclass(frozen=True, eq=False)
class Unsearched:
    """Bone of a CT that was not searched.

    Args:
        places: of its voxels, LPS mm, shape (n, 3).
    """

    places: NDArray[np.float64]

    @classmethod
    def of(cls, reading: Reading, grid: Grid) -> Unsearched:
        """What a Reading of a CT on a grid sets aside beside metal."""
        parts = [part for aside in reading.set_aside if aside.what == METAL and (part := aside.region.on("ct"))]
        return cls(np.concatenate([np.empty((0, 3)), *(positions(part, grid) for part in parts)]))

    def share(self, places: NDArray[np.float64]) -> float:
        """Share of positions of the same date, LPS mm, shape (n, 3), that lie in it."""
        low, high = places.min(axis=0) - _RIM_MM, places.max(axis=0) + _RIM_MM
        near = self.places[((self.places >= low) & (self.places <= high)).all(axis=1)]
        return float((cKDTree(near).query(places)[0] <= _RIM_MM).mean()) if len(near) else 0.0
