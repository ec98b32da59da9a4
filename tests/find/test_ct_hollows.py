"""What shells of known shape enclose."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.find.ct_frame import Frame, working_frame
from osteoscope.find.ct_hollows import hollows

Mask = NDArray[np.bool_]
SHAPE, MM = (60, 60, 80), 1.5


def shell(half_mm: tuple[float, float, float], inside_hu: int = 20) -> tuple[Mask, Mask, Frame]:
    """An ellipsoid of bone 3 mm thick in soft tissue: wall, interior, frame."""
    centre = np.array(SHAPE).reshape(3, 1, 1, 1) / 2
    offset = (np.indices(SHAPE) - centre) * MM
    size = np.array(half_mm).reshape(3, 1, 1, 1)
    outer, inner = ((offset / (size - thick)) ** 2 for thick in (0.0, 3.0))
    interior = inner.sum(axis=0) < 1
    wall = (outer.sum(axis=0) < 1) & ~interior
    hu = np.select([wall, interior], [700, inside_hu], 40).astype(np.int16)
    return wall, interior, working_frame(Image(Grid.axial(SHAPE, (MM, MM, MM)), hu, "HU"), MM)


def test_a_shell_as_wide_as_a_sacrum_is_filled_though_it_has_gaps() -> None:
    wall, interior, frame = shell((18, 17, 45))
    for column in (30, 50):
        wall[:, 28:32, column : column + 4] = False
    found = hollows(wall, frame)
    assert (found & interior).sum() > 0.97 * interior.sum()
    assert not (found & wall).any()
    assert (found & ~interior).sum() < 0.05 * interior.sum()


@pytest.mark.parametrize(("half_mm", "inside_hu"), [((40, 40, 55), 20), ((18, 17, 45), -900)], ids=["brain", "air"])
def test_what_is_too_wide_or_air_is_no_marrow(half_mm: tuple[float, float, float], inside_hu: int) -> None:
    wall, interior, frame = shell(half_mm, inside_hu)
    assert (hollows(wall, frame) & interior).sum() < 0.2 * interior.sum()


def test_a_tube_open_at_its_ends_is_not_filled() -> None:
    wall, interior, frame = shell((40, 18, 18))
    wall[:15] = wall[-15:] = False
    assert not (hollows(wall, frame)[18:-18] & interior[18:-18]).any()
