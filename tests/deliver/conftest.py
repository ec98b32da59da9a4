from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from osteoscope.dicom.write_nifti import write_nifti
from osteoscope.domain.geometry import Grid


@pytest.fixture
def small_ct() -> Callable[[Path], Path]:
    """Writes a CT of a water cylinder with a bone cylinder in it."""

    def write(path: Path) -> Path:
        rows, columns = np.mgrid[:96, :96]
        values = np.full((24, 96, 96), -1000.0)
        values[:, (rows - 48) ** 2 + (columns - 48) ** 2 < 42**2] = 30
        shaft = (rows - 48) ** 2 + (columns - 30) ** 2
        values[:, shaft < 7**2] = 1100
        values[:, shaft < 4**2] = 60
        noisy = values + np.random.default_rng(0).normal(0, 8, values.shape)
        write_nifti(Grid.axial(values.shape, (3, 2, 2)), noisy.astype(np.int16), path)
        return path

    return write
