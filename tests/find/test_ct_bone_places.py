"""Bones that cannot lie where a network puts them."""

from __future__ import annotations

import numpy as np
import pytest

from osteoscope.domain.anatomy import VERTEBRAE
from osteoscope.find.ct_bone_maps import BONE, KIND_OF
from osteoscope.find.ct_bone_pieces import Vertebra
from osteoscope.find.ct_bone_places import Ladder


def row(lowest: str, count: int) -> list[Vertebra]:
    """Vertebrae ten slices apart from below upwards, one of them misread by six levels."""
    first = VERTEBRAE.index(f"vertebra_{lowest}")
    levels = [first - n + (6 if n == 1 else 0.2) for n in range(count)]
    cells = np.zeros((1, 3), dtype=np.intp)
    return [Vertebra(cells, np.array([10.0 * n, 20, 20]), level, 0.3) for n, level in enumerate(levels)]


@pytest.mark.parametrize(
    ("kind", "lowest", "place", "kept"),
    [
        ("femur_right", "L5", 0, True),
        ("femur_right", "L5", 60, False),
        ("femur_left", "T10", -40, True),
        ("hip_left", "L5", 20, True),
        ("hip_left", "T10", 30, False),
        ("skull", "L5", 30, False),
        ("skull", "L5", 400, True),
        ("humerus_right", "L5", 20, True),
        ("rib_left", "L5", 0, True),
    ],
    ids=[
        "femur at L5", "femur at T11", "femur below a thorax", "crest at L3", "hip beside T7", "skull at L2",
        "skull above the row", "hanging arm at L3", "ribs are counted elsewhere",
    ],
)  # fmt: skip
def test_a_bone_far_from_its_level_has_no_name(kind: str, lowest: str, place: int, kept: bool) -> None:
    kinds = np.array([KIND_OF[kind]], dtype=np.uint8)
    found = Ladder.of(row(lowest, 8)).corrected(kinds, np.array([place]))
    assert found[0] == (KIND_OF[kind] if kept else KIND_OF[BONE])


def test_a_short_row_rules_nothing_out() -> None:
    kinds = np.full((4, 2, 2), KIND_OF["femur_left"], dtype=np.uint8)
    slices = np.arange(4)[:, None, None]
    assert (Ladder.of(row("T4", 2)).corrected(kinds, slices) == kinds).all()
    assert (Ladder.of([]).corrected(kinds, slices) == kinds).all()
    assert (Ladder.of(row("T4", 3)).corrected(kinds, slices) == KIND_OF[BONE]).all()
