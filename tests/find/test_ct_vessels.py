"""Which pieces before the spine are the calcified wall of a vessel."""

from __future__ import annotations

import numpy as np
import pytest

from osteoscope.find.ct_pieces import Setting, is_vessel
from osteoscope.find.ct_zones import Piece

FACE_MM = 42.0
TRUNK = Setting(sacrum=0.0, head=500.0)


def piece(forward: float, side: float = 15.0, along: float = 200.0, attached: float | None = None) -> Piece:
    return Piece(np.arange(10), 6.0, 7.5, 66.0, 30.0, side, forward, (along - 20, along, along + 20), attached)


@pytest.mark.parametrize(
    ("found", "vessel"),
    [
        (piece(58), True),
        (piece(58, attached=190.0), False),
        (piece(35), False),
        (piece(75), False),
        (piece(58, side=70), False),
        (piece(58, along=450), False),
        (piece(58, along=-40), False),
    ],
    ids=["free, before the spine", "joined", "within the spine", "sternum", "rib", "neck", "pelvis"],
)
def test_only_a_free_piece_right_before_the_spine_is_a_vessel(found: Piece, vessel: bool) -> None:
    assert is_vessel(found, FACE_MM, TRUNK) is vessel
