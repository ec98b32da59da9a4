"""Grids that lie anyhow in the patient."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from osteoscope.domain.geometry import Grid


def _grid(
    shape: tuple[int, int, int], angles: tuple[float, ...], spacing: tuple[float, ...], origin: tuple[float, ...]
) -> Grid:
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() * spacing
    matrix[:3, 3] = origin
    return Grid.from_matrix(shape, matrix)


def oblique_grids(shape: tuple[int, int, int]) -> st.SearchStrategy[Grid]:
    """Turned by any angles, voxels of 0.3 to 6 mm, anywhere within half a metre."""
    return st.builds(
        _grid,
        st.just(shape),
        st.tuples(*[st.floats(-180, 180)] * 3),
        st.tuples(*[st.floats(0.3, 6)] * 3),
        st.tuples(*[st.floats(-500, 500)] * 3),
    )
