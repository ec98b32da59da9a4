"""What even and bright tissue without a cortex is: contrast agent, or the body of a vertebra in a thick slice."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.geometry import Grid
from osteoscope.find.ct_contrast import contrast_mask
from osteoscope.find.ct_frame import Frame

SIDE = 48


@pytest.fixture(scope="module")
def scan() -> tuple[Frame, NDArray[np.bool_]]:
    """Soft tissue with noise around an even ball of 27 mm, and where that is."""
    rng = np.random.default_rng(3)
    away = np.linalg.norm(np.indices((SIDE,) * 3) - (SIDE - 1) / 2, axis=0)
    ball = away < 9
    hu = 50 + 140 * ball + ndimage.gaussian_filter(rng.normal(0, 60, ball.shape), 1.0)
    grid = Grid.axial(ball.shape, (1.5, 1.5, 1.5), (0.0, 0.0, 0.0))
    return Frame(hu.astype(np.int16), grid, grid), ball


@pytest.mark.parametrize(("chance", "kept"), [(None, False), (0.5, False), (0.9, True)])
def test_what_a_network_is_sure_of_is_never_taken_for_contrast_agent(
    scan: tuple[Frame, NDArray[np.bool_]], chance: float | None, kept: bool
) -> None:
    frame, ball = scan
    said = None if chance is None else np.full(ball.shape, round(255 * chance), dtype=np.uint8)
    agent = contrast_mask(frame, frame.hu, ball, chance=said)
    assert agent[ball].mean() == (0.0 if kept else pytest.approx(1.0, abs=0.05))
