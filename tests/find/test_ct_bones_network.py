"""The site map of the bones network, from what a good network would say of a row of vertebrae with ribs and sacrum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from osteoscope.domain.anatomy import VERTEBRAE
from osteoscope.domain.geometry import Grid
from osteoscope.find.ct_bone_count import CountOptions, _slots, count_levels, rib_level
from osteoscope.find.ct_bone_look import Seen, coarse_frame, look, spans_of
from osteoscope.find.ct_bone_maps import FINE_MM, KIND_OF, OUTPUTS, TILE, VOXEL_MM, folded, kind_of, level_of, unfolded
from osteoscope.find.ct_bone_naming import Naming
from osteoscope.find.ct_bone_pieces import Rib, Vertebra
from osteoscope.find.ct_bone_tables import TOTALSEGMENTATOR, VERSE, label_of_class
from osteoscope.find.ct_bones_network import name_cells, name_rest
from osteoscope.find.ct_frame import Frame
from osteoscope.find.ct_level_odds import Marks
from osteoscope.find.ct_levels import Level
from osteoscope.find.model import Model

L5 = VERTEBRAE.index("vertebra_L5")
Levels = NDArray[np.float64]


def row(levels: Sequence[float], spread: float = 0.3, apart: float = 10.0) -> list[Vertebra]:
    """Vertebrae from below upwards, as the network reads them."""
    cells = np.zeros((100, 3), dtype=np.intp)
    return [Vertebra(cells, np.array([n * apart, 20.0, 20.0]), level, spread) for n, level in enumerate(levels)]


def names(levels: Sequence[float], spread: float = 0.3) -> list[str]:
    found = count_levels(row(levels, spread), Marks()).levels
    return [(level.vertebra or "?").removeprefix("vertebra_") for level in found]


def body(lowest: int, count: int, ribs: bool = True, sacrum: bool = True) -> Seen:
    """What a good network says of `count` vertebrae from level `lowest` upwards, ribs and sacrum as they belong."""
    seen = Seen.nothing((10 * count + 12, 24, 40))
    rng = np.random.default_rng(0)
    cells = folded(seen.bone)[0]

    def put(box: tuple[slice, ...], kind: str, level: float) -> None:
        cells[box] = 255
        seen.kind[box], seen.sure[box], seen.spread[box] = KIND_OF[kind], 255, 0.3
        seen.level[box] = level + rng.normal(0, 0.2, seen.level[box].shape)

    for n in range(count):
        box = (slice(10 * n + 10, 10 * n + 18), slice(8, 14), slice(16, 24))
        put(box, "vertebra", lowest - n)
        for axis, s in enumerate(box):
            shape = [-1 if a == axis else 1 for a in range(3)]
            seen.way[(axis, *box)] = ((s.start + s.stop - 1) / 2 - np.arange(s.start, s.stop)).reshape(shape)
        if ribs and 7 <= lowest - n <= 18:
            for side, span in (("right", slice(2, 15)), ("left", slice(25, 38))):
                put((slice(10 * n + 13, 10 * n + 16), slice(10, 13), span), f"rib_{side}", lowest - n)
    if sacrum:
        put((slice(0, 9), slice(8, 14), slice(14, 26)), "sacrum", 0)
    seen.bone[:] = unfolded(np.repeat(cells[None], 8, axis=0))
    return seen


def test_every_bone_is_named_by_its_level_and_side() -> None:
    seen = body(L5, 7)
    naming = name_cells(seen, seen.bone_cells())
    found, cells = naming.names, naming.voxels
    assert {name.site for name in found} == {
        "sacrum", *VERTEBRAE[L5 - 6 : L5 + 1], "rib_right_11", "rib_left_11", "rib_right_12", "rib_left_12",
    }  # fmt: skip
    assert all(name.confidence > 0.5 and not name.notes for name in found)
    at = [name.site for name in found].index("vertebra_L4") + 1
    assert np.argwhere(cells == at)[:, 0].tolist()[:1] == [20]


def test_the_row_counts_on_over_a_misread_vertebra() -> None:
    assert names([23.1, 22.0, 19.6, 20.2, 18.9]) == ["L5", "L4", "L3", "L2", "L1"]


def test_a_shift_of_the_network_against_the_sacrum_is_said() -> None:
    count = count_levels(row([22.0, 21.0, 20.0, 19.0], spread=0.9), Marks(sacrum=True))
    assert count.shift == 1
    assert all("network says" in level.notes[0] and level.confidence < 0.5 for level in count.levels)
    assert all(level.vertebra is None for level in count.levels)


def test_a_sixth_lumbar_vertebra_is_never_a_silent_shift() -> None:
    """The lowest rib is on the seventh vertebra from below: one too many."""
    found = count_levels(row([23, 22, 21, 20, 19, 18, 17, 16], spread=0.8), Marks([6, 7], sacrum=True)).levels
    assert all(level.confidence < 0.5 for level in found)
    assert all("level uncertain" in level.notes[0] for level in found)


def test_without_any_certainty_there_is_no_level() -> None:
    found = count_levels(row([15.4, 14.5], spread=8.0), Marks()).levels
    assert all(level.vertebra is None and level.notes for level in found)


def test_a_missed_vertebra_leaves_its_level_out() -> None:
    rows = row([23, 22, 20, 19])
    moved = [
        *rows[:2], *(Vertebra(v.cells, v.centre + np.array([10.0, 0, 0]), v.level, v.spread) for v in rows[2:]),
    ]  # fmt: skip
    found = count_levels(moved, Marks(sacrum=True)).levels
    assert [level.vertebra for level in found] == [f"vertebra_L{n}" for n in (5, 4, 2, 1)]
    assert [n for n, level in enumerate(found) if any("not found" in note for note in level.notes)] == [2]


@given(st.integers(9, 16), st.data())
def test_a_vertebra_lost_without_a_gap_leaves_its_level_out(count: int, data: st.DataObject) -> None:
    """A disc that was not seen: two bodies share the room of three, and readings alone tell."""
    lost = data.draw(st.integers(4, count - 5))
    levels = [L5 - n for n in range(count) if n != lost]
    read = [level + data.draw(st.floats(-0.15, 0.15)) for level in levels]
    found = count_levels(row(read), Marks(sacrum=True)).levels
    assert [level.vertebra for level in found] == [VERTEBRAE[level] for level in levels]
    assert [n for n, level in enumerate(found) if any("not found" in note for note in level.notes)] == [lost]


def test_a_rib_is_told_of_a_lost_vertebra_in_words_that_fit_a_rib() -> None:
    levels = [L5 - n for n in range(12) if n != 6]
    spine = row(levels)
    rib = Rib(spine[0].cells, float(levels[6]), 0.1)
    notes = rib_level(rib, spine, count_levels(spine, Marks(sacrum=True))).notes
    assert any("near it was not found" in note for note in notes)
    assert not any("below it" in note for note in notes)


@given(st.integers(4, 17), st.floats(-0.9, 0.9), st.data())
def test_readings_that_drift_break_no_row(count: int, drift: float, data: st.DataObject) -> None:
    read = [L5 - n + drift * n / count + data.draw(st.floats(-0.2, 0.2)) for n in range(count)]
    slots, doubtful = _slots(row(read), CountOptions())
    assert slots == list(range(count))
    assert not any(doubtful)


def test_a_row_that_sacrum_ribs_and_network_read_differently_has_no_levels() -> None:
    """A disc too many: the sacrum counts one too low, the lowest rib right, the network one too high."""
    found = count_levels(row([24.5, 24, 23, 22, 20.5, 19.5, 19, 18], spread=1.2), Marks([6, 7], sacrum=True)).levels
    assert all(level.vertebra is None and "ribs says" in level.notes[0] for level in found)


def test_ribs_settle_what_an_unsure_network_leaves_open() -> None:
    """A chest: the first rib is not followed to the spine, and the network is off by one."""
    levels = [17.9, 18.7, 18.1, 16.7, 15.2, 14.0, 13.4, 13.0, 12.8, 12.6, 12.5, 12.6, 13.0, 13.9]
    found = count_levels(row(levels, spread=1.7), Marks([1, 2, 3, 4, 6, 7, 8, 9, 10, 11])).levels
    assert found[0].vertebra == "vertebra_L1"
    assert all(level.confidence < 0.5 and "level uncertain" in level.notes[0] for level in found)


def test_a_count_that_another_comes_near_is_never_silent() -> None:
    """Chest and loin without a sacrum: all agree, none of them surely."""
    found = count_levels(row([19.6, 18.9, 18, 17, 16, 15], spread=2.0), Marks([1, 2, 3, 4, 5])).levels
    assert all("level uncertain" in level.notes[0] and level.confidence < 0.5 for level in found)


def test_no_vertebrae_no_count() -> None:
    assert count_levels([], Marks()).levels == ()


@pytest.mark.parametrize(("off", "named"), [(0.1, True), (-0.1, True), (0.3, False), (-0.3, False)])
def test_a_vertebra_alone_has_a_level_where_the_network_is_sure_of_it(off: float, named: bool) -> None:
    assert names([12 + off], spread=0.1) == (["T6"] if named else ["?"])


@given(st.integers(0, 18), st.integers(2, 6), st.floats(-0.3, 0.3))
def test_levels_shift_with_the_network(top: int, count: int, off: float) -> None:
    lowest = top + count - 1
    found = names([lowest - n + off for n in range(count)], spread=0.1)
    assert found == [VERTEBRAE[lowest - n].removeprefix("vertebra_") for n in range(count)]


@given(st.integers(1, 700), st.sampled_from(sorted(set(TILE))))
def test_tiles_decide_each_cell_once_and_see_it(cells: int, tile: int) -> None:
    spans = list(spans_of(cells, tile))
    decided = [n for _, first, stop in spans for n in range(first, stop)]
    assert decided == list(range(cells))
    assert all(start <= first < stop <= start + tile for start, first, stop in spans)


def test_the_coarse_frame_lies_where_the_fine_one_does() -> None:
    grid = Grid.axial((5, 6, 8), (FINE_MM,) * 3, (-30, 20, 100))
    hu = np.arange(5 * 6 * 8, dtype=np.int16).reshape(5, 6, 8)
    found = coarse_frame(Frame(hu, grid, grid))
    assert found.hu.shape == (2, 3, 4)
    assert found.hu[0, 0, 0] == round(float(hu[:2, :2, :2].mean()))
    assert found.grid.to_position([1, 1, 1]) == pytest.approx(grid.to_position([2.5, 2.5, 2.5]))


def test_nothing_seen_is_no_bone() -> None:
    seen = Seen.nothing((8, 8, 8))
    assert name_cells(seen, seen.bone_cells()).names == []


def test_tables_of_other_tools_name_known_bones() -> None:
    for table in (TOTALSEGMENTATOR, VERSE):
        assert all(kind_of(name) >= 0 for name in table.values())
    assert (TOTALSEGMENTATOR[27], TOTALSEGMENTATOR[50], TOTALSEGMENTATOR[77]) == (
        "vertebra_L5", "vertebra_C1", "hip_left",
    )  # fmt: skip
    assert (TOTALSEGMENTATOR[92], TOTALSEGMENTATOR[115]) == ("rib_left_1", "rib_right_12")
    assert (VERSE[1], VERSE[24]) == ("vertebra_C1", "vertebra_L5")
    assert label_of_class("vertebrae_T12") == "vertebra_T12"
    assert label_of_class("clavicula_left") == "clavicle_left"
    assert label_of_class("vertebrae_S1") == "sacrum"
    assert label_of_class("fibula_left") == "fibula_left"
    kinds = {"rib_left_13": "rib_left", "vertebrae_L6": "vertebra", "tibia": "bone"}
    assert {name: label_of_class(name) for name in kinds} == kinds
    assert not any(map(label_of_class, ("liver", "costal_cartilages", "rib_left_cartilage", "spinal_cord")))
    assert level_of("rib_left_12") == VERTEBRAE.index("vertebra_T12")


def test_bone_that_the_network_does_not_see_is_unknown_and_not_lost() -> None:
    pieces = np.zeros((4, 4, 6), dtype=np.int32)
    pieces[:, :, :2], pieces[:, :, 3], pieces[0, 0, 5] = 1, 2, 3
    cells = Naming((1, 1, 1))
    cells.add(np.zeros((1, 3), dtype=np.intp), "skull", "skull", Level(None, 0.9))
    cells.add(np.zeros((1, 3), dtype=np.intp), None, "bone", Level(None, 0.3))
    sites = np.zeros(pieces.shape, dtype=np.uint16)
    sites[:, :, 0] = sites[:, :, 3] = 1
    naming = cells.over(sites)
    name_rest(naming, pieces)
    found = np.array(["", *(name.site for name in naming.names)])[naming.voxels]
    assert ((found != "") == (pieces > 0)).all()
    assert (found[:, :, 0] == "skull").all()
    assert (found[:, :, 3] == "skull").all()
    assert set(found[:, :, 1].ravel()) == {"bone_unknown_2"}
    assert found[0, 0, 5] == "bone_unknown_3"


class Emphatic:
    """A network that is as sure as can be of everything that it denies."""

    def run(self, _picture: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        return [np.full((planes, *TILE), -500, dtype=np.float32) for planes in OUTPUTS.values()]


def test_a_network_may_be_as_sure_as_it_likes_that_there_is_no_bone() -> None:
    hu = np.full((24, 24, 24), 40, dtype=np.int16)
    grid = Grid.axial(hu.shape, (VOXEL_MM,) * 3, (0.0, 0.0, 0.0))
    assert not look(Frame(hu, grid, grid), cast("Model", Emphatic())).bone.any()
