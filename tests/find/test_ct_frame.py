"""The working frame is bounded, whatever spacing a scan states."""

from __future__ import annotations

import numpy as np
import pytest

from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.errors import UnsuitableStudyError
from osteoscope.find.ct_frame import working_frame


def test_a_field_too_wide_to_search_is_refused_with_its_sizes() -> None:
    image = Image(Grid.axial((64, 64, 64), (40.0, 40.0, 40.0)), np.zeros((64, 64, 64), np.int16), "HU")
    with pytest.raises(UnsuitableStudyError, match=r"40 x 40 x 40 mm, which takes 1707 x 1707 x 1707 voxels of 1.5 mm"):
        working_frame(image, 1.5)
    assert working_frame(image, 40.0).hu.shape == (64, 64, 64)
