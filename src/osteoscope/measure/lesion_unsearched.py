"""Places of a CT that metal kept from being searched for lesions: nothing found there says nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from osteoscope.domain.geometry import Grid
from osteoscope.domain.reading import Reading
from osteoscope.measure.lesion_matching_ct import positions

METAL = "metal"  # what `find.ct_findings.beside_metal` sets aside
# Between bone and metal lies a rim that is counted to neither.
_RIM_MM = 2.0


def share_unsearched(places: NDArray[np.float64], reading: Reading, grid: Grid) -> float:
    """Share of positions, LPS mm, that lie in bone that was not searched.

    Args:
        places: shape (n, 3), of the date of the reading.
        reading: of a CT.
        grid: of that CT.
    """
    regions = [part for aside in reading.set_aside if aside.what == METAL and (part := aside.region.on("ct"))]
    if not regions:
        return 0.0
    spoilt = np.concatenate([positions(part, grid) for part in regions])
    low, high = places.min(axis=0) - _RIM_MM, places.max(axis=0) + _RIM_MM
    near = spoilt[((spoilt >= low) & (spoilt <= high)).all(axis=1)]
    return float((cKDTree(near).query(places)[0] <= _RIM_MM).mean()) if len(near) else 0.0
