"""What is left of bone that touches a bright organ."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from osteoscope.domain.geometry import Grid
from osteoscope.find.ct_body import SoftTissue
from osteoscope.find.ct_bone_look import Seen
from osteoscope.find.ct_bones import BoneMask
from osteoscope.find.ct_frame import Frame
from osteoscope.find.ct_organs import organs

CELLS, PER_CELL, MM = (8, 8, 12), 5, 1.5
SHAPE = tuple(PER_CELL * n for n in CELLS)
ORGAN = (slice(10, 30), slice(10, 30), slice(30, 50))
BONE = (slice(5, 35), slice(10, 30), slice(10, 30))
Mask = NDArray[np.bool_]


def found(organ_hu: int, says_bone: bool, marrow: bool = False) -> tuple[Mask, Mask, Mask]:
    """An organ that touches a bone with walls of 600 HU about marrow of 90: organ, bone, what is taken for organ."""
    hu: NDArray[np.int16] = np.full(SHAPE, 40, dtype=np.int16)
    organ, bone = np.zeros(SHAPE, dtype=bool), np.zeros(SHAPE, dtype=bool)
    organ[ORGAN], bone[BONE] = True, True
    hu[bone] = 600
    hu[tuple(slice(s.start + 2, s.stop - 2) for s in BONE)] = 90
    hu[organ] = organ_hu
    frame = Frame(hu, Grid.axial(SHAPE, (MM,) * 3, (0, 0, 0)), Grid.axial(SHAPE, (MM,) * 3, (0, 0, 0)))
    nothing = np.zeros(SHAPE, dtype=bool)
    eaten = organ if marrow else nothing
    bones = BoneMask(frame, hu, organ | bone, eaten, nothing, np.ones(SHAPE, bool), SoftTissue(50.0, 10.0), 115.0)
    seen = Seen.nothing(CELLS)
    box = ORGAN if says_bone else BONE
    for place in (BONE, box):
        seen.bone[tuple(slice(2 * s.start // PER_CELL, 2 * s.stop // PER_CELL) for s in place)] = 250
    z, y, x = (np.arange(n, dtype=np.intp) // PER_CELL for n in SHAPE)
    return organ, bone, organs(bones, seen, (z, y, x))


def test_an_even_organ_that_the_network_takes_for_no_bone_is_left_out() -> None:
    organ, bone, left_out = found(140, says_bone=False)
    assert (left_out & organ).sum() > 0.95 * organ.sum()
    assert not (left_out & bone).any()


@pytest.mark.parametrize(
    ("organ_hu", "says_bone", "marrow"),
    [(140, True, False), (400, False, False), (140, False, True)],
    ids=["the network sees bone", "as dense as bone", "eaten bone"],
)
def test_what_may_be_bone_stays(organ_hu: int, says_bone: bool, marrow: bool) -> None:
    assert not found(organ_hu, says_bone, marrow)[2].any()
