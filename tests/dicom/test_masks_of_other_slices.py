"""Masks drawn on other slices than those of the CT, partly off it, or on another scan."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from drawn_masks import circle, segmentation, structure_set
from examples import ct, grid_of
from files import on_disk

from osteoscope.dicom.load import load, scan
from osteoscope.dicom.read_masks import Identity, identity_of, read_all_masks, read_masks
from osteoscope.dicom.seg import write_seg
from osteoscope.dicom.worker.belonging import check_belongs
from osteoscope.domain.geometry import Grid
from osteoscope.errors import IntakeError

RADIUS = 10.0


def axial(slices: int, apart: float) -> Grid:
    return Grid.axial((slices, 60, 60), (apart, 1.0, 1.0))


@pytest.mark.parametrize(
    ("apart", "planes"),
    [
        (1.0, np.arange(20, 40, 3.0)),
        (1.0, np.arange(20, 40, 5.0)),
        (5.0, np.arange(20, 40, 2.5)),
        (3.0, np.arange(21, 39, 2.0)),
        (2.0, np.arange(21, 41, 2.0)),
        (0.625, np.arange(20, 40, 0.625)),
    ],
    ids=["thin slices", "thinner slices", "thick slices", "no multiple", "between the slices", "on the slices"],
)
def test_contours_of_other_slices_keep_their_volume(tmp_path: Path, apart: float, planes: np.ndarray) -> None:
    grid = axial(round(60 / apart), apart)
    drawn = [circle(grid, z / apart, RADIUS) for z in planes]
    (mask,) = read_masks(structure_set(tmp_path / "rt.dcm", [("GTV", drawn)]), grid, tmp_path)
    deep = planes[-1] - planes[0] + planes[1] - planes[0]
    assert mask.part.mask.any(axis=(1, 2)).all()
    assert mask.part.mask.sum() * apart == pytest.approx(np.pi * RADIUS**2 * deep, rel=0.04)


def test_between_contours_the_outline_changes_evenly(tmp_path: Path) -> None:
    grid = axial(40, 1.0)
    cone = [circle(grid, level, radius) for level, radius in ((10, 4.0), (14, 12.0), (18, 20.0))]
    (mask,) = read_masks(structure_set(tmp_path / "rt.dcm", [("GTV", cone)]), grid, tmp_path)
    radii = np.sqrt(mask.part.mask.sum(axis=(1, 2)) / np.pi)
    inner = radii[10 - mask.part.offset[0] :][:9]
    assert inner == pytest.approx(np.linspace(4, 20, 9), abs=0.5)


def test_planes_far_apart_are_lesions_of_their_own(tmp_path: Path) -> None:
    grid = axial(60, 1.0)
    lonely = [circle(grid, level, RADIUS) for level in (10, 50)]
    body = [circle(grid, level, 25.0) for level in range(5, 55, 4)]
    path = structure_set(tmp_path / "rt.dcm", [("GTV", lonely), ("body", body)])
    found = read_all_masks(path, grid, tmp_path)
    marked = np.flatnonzero(found.masks[0].part.full(grid.shape).any(axis=(1, 2)))
    assert marked.tolist() == [8, 9, 10, 11, 48, 49, 50, 51]
    assert found.notes == (("GTV", "its contours lie 40 mm apart, each was drawn 4 mm deep"),)


def test_a_plane_between_two_slices_is_not_lost(tmp_path: Path) -> None:
    grid = axial(12, 5.0)
    small = [circle(grid, 4.5, 5.0)]
    other = [circle(grid, level / 2, 20.0) for level in range(20)]
    path = structure_set(tmp_path / "rt.dcm", [("GTV", small), ("body", other)])
    assert read_masks(path, grid, tmp_path)[0].part.mask.shape[0] == 1


def test_what_lies_off_the_ct_is_said(tmp_path: Path) -> None:
    grid = axial(20, 2.0)
    half = [circle(grid, level, 8.0, (0.0, 30.0)) for level in range(5, 10)]
    above = [circle(grid, level, 8.0) for level in range(15, 25)]
    off = [circle(grid, 40, 8.0)]
    path = structure_set(tmp_path / "rt.dcm", [("half", half), ("above", above), ("off", off), ("empty", [])])
    found = read_all_masks(path, grid, tmp_path)
    assert [mask.label for mask in found.masks] == ["half", "above"]
    said = dict(found.notes)
    assert said["above"] == "50 % of it lies off the CT"
    assert 40 < int(said["half"].split()[0]) < 60
    assert said["off"] == "nothing of it lies on the CT"
    assert said["empty"] == "no closed contour"
    mask = np.ones((60, 60), dtype=bool)
    measures = {"SliceThickness": 2.0}
    seg = segmentation(tmp_path / "seg.dcm", grid, {-2.0: mask, -1.0: mask, 0.0: mask, 1.0: mask}, measures)
    assert read_all_masks(seg, grid, tmp_path).notes == (("lesion", "50 % of it lies off the CT"),)


MASK = np.pad(np.ones((10, 10), dtype=bool), 25)


@pytest.mark.parametrize(
    "measures",
    [{"SpacingBetweenSlices": 5.0}, {"SliceThickness": 5.0}, {"SpacingBetweenSlices": 5.0, "SliceThickness": 1.0}],
    ids=["distance", "thickness", "both"],
)
def test_lone_slices_of_a_segmentation_stay_lone(tmp_path: Path, measures: dict[str, float]) -> None:
    grid = axial(20, 5.0)
    path = segmentation(tmp_path / "seg.dcm", grid, {2.0: MASK, 12.0: MASK}, measures)
    (mask,) = read_masks(path, grid, tmp_path)
    assert np.flatnonzero(mask.part.mask.any(axis=(1, 2))).tolist() == [0, 10]


@pytest.mark.parametrize("measures", [{}, {"SliceThickness": 1.3}, {"SpacingBetweenSlices": 50.0}])
def test_slices_that_follow_each_other_tell_their_distance(tmp_path: Path, measures: dict[str, float]) -> None:
    grid = axial(60, 0.625)
    path = segmentation(tmp_path / "seg.dcm", grid, {float(n): MASK for n in range(3, 53)}, measures)
    (mask,) = read_masks(path, grid, tmp_path)
    assert mask.part.offset[0] == 3
    assert mask.part.mask.sum() == 50 * 100


def ball(grid: Grid, centre: np.ndarray, radius: float) -> np.ndarray:
    apart = grid.to_position(np.moveaxis(np.indices(grid.shape), 0, -1)) - centre
    return np.asarray((apart**2).sum(axis=-1) < radius**2)


def tilted(path: Path, marked: Callable[[Grid], np.ndarray]) -> Grid:
    """A Segmentation of frames of 15 degrees of tilt whose origin moves along z alone; the upright grid through it."""
    turn = np.radians(15)
    right, down = np.array([1.0, 0, 0]), np.array([0, np.cos(turn), -np.sin(turn)])
    sheared = np.eye(4)
    sheared[:3, :3] = np.stack([[0, 0, 3.0], down, right], axis=1)
    masks = marked(Grid.from_matrix((40, 60, 60), sheared))
    frames = {float(level): mask for level, mask in enumerate(masks)}
    data = pydicom.dcmread(segmentation(path, axial(40, 3.0), frames, {"SliceThickness": 3.0}))
    orientation = data.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0]
    orientation.ImageOrientationPatient = [f"{value:.9f}" for value in (*right, *down)]
    data.save_as(path)
    straight = sheared.copy()
    straight[:3, 0], straight[:3, 3] = 3.0 * np.cos(turn) * np.cross(right, down), -40 * down
    return Grid.from_matrix((40, 100, 60), straight)


def test_frames_of_a_tilted_gantry_lie_where_they_say(tmp_path: Path) -> None:
    middle = np.array([28.0, 25.0, 95.0])
    grid = tilted(tmp_path / "seg.dcm", lambda sheared: ball(sheared, middle, 12.0))
    found = read_all_masks(tmp_path / "seg.dcm", grid, tmp_path)
    assert found.notes == ()
    made, meant = found.masks[0].part.full(grid.shape), ball(grid, middle, 12.0)
    assert np.sum(made & meant) > 0.95 * np.sum(made | meant)


def test_frames_of_one_slice_that_lie_side_by_side_are_refused(tmp_path: Path) -> None:
    grid = axial(20, 5.0)
    data = pydicom.dcmread(segmentation(tmp_path / "seg.dcm", grid, {2.0: MASK, 3.0: MASK}, {}))
    data.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence[0].ImagePositionPatient = [60, 0, 10]
    data.save_as(tmp_path / "seg.dcm")
    with pytest.raises(IntakeError, match="shifted against each other in the plane"):
        read_masks(tmp_path / "seg.dcm", grid, tmp_path)


def test_masks_of_another_scan_or_patient_are_refused(tmp_path: Path) -> None:
    grid = axial(20, 2.0)
    drawn = [("GTV", [circle(grid, level, 8.0) for level in range(5, 10)])]
    path = structure_set(tmp_path / "rt.dcm", drawn, "1.2.3", "A")
    dataset = pydicom.dcmread(path)
    for frame, patient in (("", ""), ("1.2.3", "A"), ("", "A"), ("1.2.3", "")):
        check_belongs(dataset, {"frame": frame, "patient": patient})
    with pytest.raises(IntakeError, match="the patient 'A', where the CT is of 'B'"):
        check_belongs(dataset, {"frame": "1.2.3", "patient": "B"})
    with pytest.raises(IntakeError, match=r"rt\.dcm.*frame of reference 1\.2\.3, where the CT has 9\.9"):
        read_all_masks(path, grid, tmp_path, Identity("9.9", "A"))


def test_a_segmentation_of_ours_is_of_its_ct(tmp_path: Path) -> None:
    grid = grid_of((10.0, 6.0, 6.0))
    example = on_disk(ct(grid), tmp_path / "ct")
    write_seg(example.case, example.reading, tmp_path / "seg.dcm")
    (candidate,) = scan(tmp_path / "ct", tmp_path).candidates
    study = load(candidate, tmp_path).study
    assert study is not None
    own = identity_of(study)
    assert own.frame
    found = read_all_masks(tmp_path / "seg.dcm", grid, tmp_path, own)
    assert len(found.masks) == len(example.reading.findings)
    assert found.notes == ()
