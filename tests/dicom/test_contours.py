"""Contours of one region that are there twice, overlap, lie in each other or leave gaps: no drawn area is lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from drawn_masks import circle, structure_set

from osteoscope.dicom.read_masks import MasksRead, read_all_masks
from osteoscope.domain.geometry import Grid
from osteoscope.errors import IntakeError

GRID = Grid.axial((30, 60, 60), (2.0, 1.0, 1.0))
LEVELS = range(10, 15)
RADIUS = 8.0
DISC = np.pi * RADIUS**2
MIDDLE = (30.0, 30.0)


def disc(level: float, radius: float = RADIUS, middle: tuple[float, float] = MIDDLE) -> np.ndarray:
    return circle(GRID, level, radius, middle)


def drawn(folder: Path, contours: list[np.ndarray]) -> MasksRead:
    return read_all_masks(structure_set(folder / "rt.dcm", [("GTV", contours)]), GRID, folder)


def voxels(read: MasksRead) -> int:
    (mask,) = read.masks
    return int(mask.part.mask.sum())


@pytest.mark.parametrize("copies", [1, 5])
def test_a_contour_that_is_there_twice_counts_once(tmp_path: Path, copies: int) -> None:
    once = [disc(level) for level in LEVELS]
    twice = drawn(tmp_path, [*once, *once[:copies]])
    assert voxels(twice) == voxels(drawn(tmp_path, once))
    assert twice.notes == (("GTV", f"contours that were there twice were drawn once (planes: {copies} of 5)"),)


def test_contours_that_overlap_in_part_are_united(tmp_path: Path) -> None:
    apart = [[disc(level), disc(level, middle=(30.0, 36.0))] for level in LEVELS]
    read = drawn(tmp_path, [contour for pair in apart for contour in pair])
    lens = 2 * RADIUS**2 * np.arccos(3 / RADIUS) - 6 / 2 * np.sqrt(4 * RADIUS**2 - 6**2)
    assert voxels(read) == pytest.approx(5 * (2 * DISC - lens), rel=0.02)
    assert read.notes == (("GTV", "contours that overlap in part were united (planes: 5 of 5)"),)


def test_a_hole_may_hold_an_island_and_a_neighbour_does_not_lose_to_a_hole(tmp_path: Path) -> None:
    plane = [disc(12, radius) for radius in (20.0, 12.0, 6.0)]
    read = drawn(tmp_path, plane)
    assert voxels(read) == pytest.approx(np.pi * (20**2 - 12**2 + 6**2), rel=0.02)
    assert read.notes == ()
    beside = disc(12, 5.0, (30.0, 40.0))
    with_neighbour = drawn(tmp_path, [*plane, beside])
    assert with_neighbour.masks[0].part.full(GRID.shape)[12, 30, 49]
    assert voxels(with_neighbour) < voxels(read), "within the largest, across the hole's edge: a second hole"


@pytest.mark.parametrize("kind", ["CLOSEDPLANAR_XOR", "CLOSED_PLANAR"])
def test_only_contours_that_ask_for_it_cancel_each_other(tmp_path: Path, kind: str) -> None:
    path = structure_set(tmp_path / "rt.dcm", [("GTV", [disc(12), disc(12, middle=(30.0, 36.0))])])
    data = pydicom.dcmread(path)
    for contour in data.ROIContourSequence[0].ContourSequence:
        contour.ContourGeometricType = kind
    data.save_as(path)
    (mask,) = read_all_masks(path, GRID, tmp_path).masks
    assert mask.part.full(GRID.shape)[12, 30, 33] == (kind == "CLOSED_PLANAR")


def test_one_close_pair_does_not_make_the_other_slices_thin(tmp_path: Path) -> None:
    read = drawn(tmp_path, [disc(level) for level in (4, 6, 8, 9, 11, 13, 15)])
    assert voxels(read) == pytest.approx(13 * DISC, rel=0.03)
    assert read.notes == ()


def test_gaps_are_left_open_and_said(tmp_path: Path) -> None:
    read = drawn(tmp_path, [disc(level) for level in (4, 5, 6, 10, 11, 20, 21)])
    assert voxels(read) == pytest.approx(7 * DISC, rel=0.03)
    assert read.notes == (("GTV", "its contours lie 2 mm apart, gaps of up to 18 mm were left open (gaps: 2)"),)


def test_contours_between_the_centres_of_voxels_say_so(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match=r"none of its 1 masks lies on the CT .its contours hold the centre of no"):
        drawn(tmp_path, [disc(12, 0.2, (30.5, 30.5))])
