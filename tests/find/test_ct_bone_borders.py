"""What kind of bone a voxel is, between cells of the network."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from osteoscope.domain.geometry import Grid
from osteoscope.find.ct_bone_borders import Places, kinds_of_voxels
from osteoscope.find.ct_bone_look import Seen
from osteoscope.find.ct_bone_maps import FOLD, KIND_OF
from osteoscope.find.ct_frame import Frame

CELLS = (8, 9, 10)
PER_CELL = 5
HIP, FEMUR, SKULL = (KIND_OF[kind] for kind in ("hip_left", "femur_left", "skull"))


def places(cells: tuple[int, ...] = CELLS) -> Places:
    return Places(tuple((np.arange(n * PER_CELL) + 0.5) / PER_CELL - 0.5 for n in cells), cells)


def beyond(along: tuple[NDArray[np.float64], ...], slope: tuple[float, float, float]) -> NDArray[np.bool_]:
    """Whether places lie beyond a plane through the middle."""
    z, y, x = (place - (n - 1) / 2 for place, n in zip(along, CELLS, strict=True))
    return np.asarray(slope[0] * z[:, None, None] + slope[1] * y[:, None] + slope[2] * x > 0)


def halves(slope: tuple[float, float, float]) -> Seen:
    """A hip and a femur that meet in a plane; all is bone."""
    seen = Seen.nothing(CELLS)
    seen.bone[:], seen.sure[:] = 255, 255
    cells = tuple(np.arange(n, dtype=float) for n in CELLS)
    seen.kind[:] = np.where(beyond(cells, slope), HIP, FEMUR)
    return seen


@given(st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda slope: np.linalg.norm(slope) > 0.3))
def test_a_slanted_border_is_nearer_to_the_truth_than_its_cells(slope: tuple[float, float, float]) -> None:
    seen, at = halves(slope), places()
    truth = np.where(beyond(at.along, slope), HIP, FEMUR)
    found = kinds_of_voxels(seen, at, np.ones(truth.shape, dtype=bool))
    assert set(np.unique(found)) <= {HIP, FEMUR}
    by_cell = seen.kind[np.ix_(*at.axes)]
    assert np.count_nonzero(found != truth) <= 1.05 * np.count_nonzero(by_cell != truth)


def test_most_of_the_stairs_of_cells_are_gone() -> None:
    slope = (0.5, 0.3, 1.0)
    seen, at = halves(slope), places()
    truth = np.where(beyond(at.along, slope), HIP, FEMUR)
    found = kinds_of_voxels(seen, at, np.ones(truth.shape, dtype=bool))
    by_cell = seen.kind[np.ix_(*at.axes)]
    assert np.count_nonzero(found != truth) < 0.6 * np.count_nonzero(by_cell != truth)


def test_the_chance_of_bone_is_that_of_the_nearest_voxel_of_the_picture() -> None:
    seen, at = Seen.nothing(CELLS), places()
    seen.bone[5, 4, 7] = 200
    found = np.argwhere(at.chance_of_bone(seen) == 200)
    middle = [np.mean(along[index]) for along, index in zip(at.along, found.T, strict=True)]
    assert middle == pytest.approx([(n + 0.5) / FOLD - 0.5 for n in (5, 4, 7)], abs=0.5 / PER_CELL)
    assert len(found) in range(8, 28)  # 2 or 3 voxels a side


def test_cells_without_bone_do_not_say_what_bone_beside_them_is() -> None:
    seen = Seen.nothing(CELLS)
    seen.kind[:], seen.sure[:] = SKULL, 255
    bone = np.zeros([n * PER_CELL for n in CELLS], dtype=bool)
    seen.kind[4, 4, 3:7], seen.bone[8:10, 8:10, 6:14] = FEMUR, 255
    bone[20:25, 20:25, 15:35] = True
    assert (kinds_of_voxels(seen, places(), bone)[bone] == FEMUR).all()


def test_voxels_that_are_no_bone_are_those_of_their_cell() -> None:
    seen, at = halves((0.5, 0.3, 1.0)), places()
    none = np.zeros([n * PER_CELL for n in CELLS], dtype=bool)
    np.testing.assert_array_equal(kinds_of_voxels(seen, at, none), seen.kind[np.ix_(*at.axes)])


def test_voxels_know_their_cells() -> None:
    fine = Grid.axial((40, 30, 20), (1.5,) * 3, (5, -20, 100))
    coarse = Grid.axial((15, 11, 7), (4.0,) * 3, (6.25, -18.75, 101.25))
    found = Places.of(Frame(np.zeros(fine.shape, np.int16), fine, fine), coarse, (8, 6, 4))
    for axis, (voxels, cells) in enumerate(zip(found.axes, (8, 6, 4), strict=True)):
        assert len(voxels) == fine.shape[axis]
        assert voxels[0] == 0
        assert (np.diff(voxels) >= 0).all()
        assert voxels[-1] <= cells - 1
        at = [0.0, 0.0, 0.0]
        at[axis] = 11.0
        place = coarse.to_index(fine.to_position(at))[axis]
        assert voxels[11] == int((place + 0.5) // 2)
        assert found.along[axis][11] == pytest.approx((place + 0.5) / 2 - 0.5)
