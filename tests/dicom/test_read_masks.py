"""Segmentations, structure sets and label maps come back as masks on the CT."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from drawn_masks import circle, segmentation, structure_set
from examples import ct, grid_of
from files import on_disk
from scipy import ndimage

from osteoscope.dicom.read_labels import read_labels
from osteoscope.dicom.read_masks import read_masks
from osteoscope.dicom.seg import write_bones_seg, write_seg
from osteoscope.dicom.write_nifti import write_label_nifti, write_nifti
from osteoscope.domain.finding import Part
from osteoscope.domain.geometry import Grid, Turn
from osteoscope.errors import IntakeError

SMALL = grid_of((10.0, 6.0, 6.0))


@pytest.mark.parametrize("grid", [SMALL, grid_of((9.0, 6.0, 6.0), 0.3)], ids=["axial", "oblique"])
def test_segmentations_of_ours_come_back_as_they_were(tmp_path: Path, grid: Grid) -> None:
    example = on_disk(ct(grid), tmp_path / "ct")
    write_seg(example.case, example.reading, tmp_path / "seg.dcm")
    found = read_masks(tmp_path / "seg.dcm", grid, tmp_path)
    assert [mask.part for mask in found] == [finding.region.parts[0] for finding in example.reading.findings]
    assert {mask.meaning for mask in found} == {"Lesion"}
    write_bones_seg(example.case, example.reading, tmp_path / "bones.dcm")
    bones = {mask.label: mask.part for mask in read_masks(tmp_path / "bones.dcm", grid, tmp_path)}
    assert bones == {m.site: m.region.on("ct") for m in example.case.mapped if m.region is not None}


@pytest.mark.parametrize(("rows", "columns"), [(3, 9), (3, 7), (5, 6), (7, 9), (2, 3), (4, 8)])
def test_frames_that_begin_within_a_byte_are_whole(tmp_path: Path, rows: int, columns: int) -> None:
    grid = Grid.axial((5, rows, columns), (5.0, 1.0, 1.0))
    masks = np.random.default_rng(rows * columns).random(grid.shape) < 0.5
    masks[:, 0, 0] = masks[:, -1, -1] = True
    path = segmentation(tmp_path / "seg.dcm", grid, dict(enumerate(masks)), {"SpacingBetweenSlices": 5.0})
    (mask,) = read_masks(path, grid, tmp_path)
    assert np.array_equal(mask.part.full(grid.shape), masks)


def test_a_segmentation_on_another_grid_is_taken_to_that_of_the_ct(tmp_path: Path) -> None:
    example = on_disk(ct(SMALL), tmp_path / "ct")
    write_seg(example.case, example.reading, tmp_path / "seg.dcm")
    fine = SMALL.resample((5.0, 3.0, 3.0))
    for finding, mask in zip(example.reading.findings, read_masks(tmp_path / "seg.dcm", fine, tmp_path), strict=True):
        part = finding.region.parts[0]
        assert mask.part.mask.sum() == 8 * part.mask.sum()
        apart = fine.to_position(mask.part.centroid()) - SMALL.to_position(part.centroid())
        assert np.abs(apart).max() < 0.01


@pytest.mark.parametrize("tilt", [0.0, 0.3])
def test_contours_become_masks_with_their_holes(tmp_path: Path, tilt: float) -> None:
    grid = Grid.from_matrix((9, 60, 50), grid_of((10.0, 6.0, 6.0), tilt).matrix)
    ring = [circle(grid, n, r) for n in (3, 4) for r in (15.0, 6.0)]
    path = structure_set(tmp_path / "rt.dcm", [("GTV bone", ring), ("off", [circle(grid, 30, 5.0)])])
    (mask,) = read_masks(path, grid, tmp_path)
    assert mask.label == "GTV bone"
    assert mask.part.offset[0] == 3
    assert mask.part.mask.shape[0] == 2
    assert mask.part.mask[0].sum() == pytest.approx(np.pi * (15**2 - 6**2), rel=0.02)
    whole = mask.part.full(grid.shape)
    assert not whole[3, 30, 25]
    assert whole[3, 30, 35]
    assert ndimage.label(~whole[3])[1] == 2


def test_contours_across_the_slices_are_refused(tmp_path: Path) -> None:
    tilted = Grid.from_matrix((9, 60, 50), grid_of((10.0, 6.0, 6.0), 0.3).matrix)
    path = structure_set(tmp_path / "rt.dcm", [("GTV", [circle(tilted, 4, 15.0)])])
    with pytest.raises(IntakeError, match="'GTV' that do not lie on the slices"):
        read_masks(path, Grid.from_matrix((9, 60, 50), SMALL.matrix), tmp_path)


def test_label_maps_and_wrong_files_by_name(tmp_path: Path) -> None:
    example = on_disk(ct(SMALL), tmp_path / "ct")
    regions = [finding.region for finding in example.reading.findings]
    write_label_nifti(SMALL, regions, tmp_path / "lesions.nii.gz")
    found = read_masks(tmp_path / "lesions.nii.gz", SMALL, tmp_path)
    assert [mask.part for mask in found] == [region.parts[0] for region in regions]
    for name, content, said in (
        ("absent.dcm", None, "no such file"),
        ("junk.dcm", b"x" * 200, "junk.dcm"),
        ("lesions.nii.gz", b"", "of 3 axes|grid"),
    ):
        if content:
            (tmp_path / name).write_bytes(content)
        other = Grid.axial((4, 4, 4), (1, 1, 1))
        with pytest.raises(IntakeError, match=said):
            read_masks(tmp_path / name, other, tmp_path)
    slice_of_ct = next((tmp_path / "ct").rglob("*.dcm"))
    with pytest.raises(IntakeError, match=r"class 1\.2\.840\.10008\.5\.1\.4\.1\.1\.2"):
        read_masks(slice_of_ct, SMALL, tmp_path)
    write_seg(example.case, example.reading, tmp_path / "seg.dcm")
    far = Grid.axial((4, 4, 4), (1, 1, 1), (9000, 0, 0))
    with pytest.raises(IntakeError, match="none of its 3 masks lies on the CT"):
        read_masks(tmp_path / "seg.dcm", far, tmp_path)


@pytest.mark.parametrize("turn", [Turn((0, 1, 2), (False, True, False)), Turn((2, 0, 1), (True, False, True))])
def test_a_label_map_of_the_same_voxels_in_another_order_is_taken_as_it_is(tmp_path: Path, turn: Turn) -> None:
    """As dcm2niix and what works on its volumes write them: rows upwards, or axes swapped, and the affine with them."""
    labels = np.zeros(SMALL.shape, dtype=np.uint8)
    labels[1:3, 2:7, 5:9], labels[4, 3:5, 3:4] = 1, 2
    write_nifti(SMALL.turned(turn), turn.array(labels), tmp_path / "mask.nii.gz")
    found = read_masks(tmp_path / "mask.nii.gz", SMALL, tmp_path)
    assert [mask.part for mask in found] == [Part.from_mask("ct", labels == n) for n in (1, 2)]


@pytest.mark.parametrize("columns", [slice(None), slice(1, None, 3)], ids=["all", "every third"])
def test_fractions_are_no_labels_wherever_they_are(tmp_path: Path, columns: slice) -> None:
    values = np.zeros(SMALL.shape, dtype=np.float32)
    values[1:4, 2:7, 3:18] = 1
    values[1:4, 2:7, 3:18][..., columns] = 0.7
    count = int(np.count_nonzero(values == np.float32(0.7)))
    write_nifti(SMALL, values, tmp_path / "mask.nii.gz")
    with pytest.raises(IntakeError, match=rf"not all of them labels \({count} voxels are no whole numbers\)"):
        read_masks(tmp_path / "mask.nii.gz", SMALL, tmp_path)


def test_a_label_map_of_other_voxels_says_in_what_they_differ(tmp_path: Path) -> None:
    write_nifti(SMALL, np.ones(SMALL.shape, dtype=np.uint8), tmp_path / "mask.nii.gz")
    moved = SMALL.matrix.copy()
    moved[0, 3] += 30.0
    with pytest.raises(IntakeError, match=r"from \(.*\) to \(.*\) mm \(LPS\), not from"):
        read_masks(tmp_path / "mask.nii.gz", Grid.from_matrix(SMALL.shape, moved), tmp_path)
    with pytest.raises(IntakeError, match=r"of 10\.000 x 6\.000 x 6\.000 mm, not \(.*\) of 5\.000 x"):
        read_masks(tmp_path / "mask.nii.gz", SMALL.resample((5.0, 3.0, 3.0)), tmp_path)


def test_a_segmentation_by_dcmqi_is_its_own_label_map(shared: Path, tmp_path: Path) -> None:
    folder = shared / "ct" / "dcmqi_ct3"
    if not folder.is_dir():
        pytest.skip("dcmqi_ct3 is absent")
    grid, labels = read_labels(folder / "liver_seg.nrrd", tmp_path)
    whole = np.any([part.full(grid.shape) for _, part in labels], axis=0)
    (mask,) = read_masks(folder / "dicom_seg_liver.dcm", grid, tmp_path)
    assert mask.label == "Liver"
    assert np.array_equal(mask.part.full(grid.shape), whole)
