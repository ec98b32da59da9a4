"""Real files: CT series of three makers, planar NM in two encodings, NIfTI and NRRD."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from foreign import reading

from osteoscope.domain.study import Study


@pytest.mark.parametrize(
    ("folder", "volume"),
    [
        ("ct/acrin_flt_breast_001/dicom_ct_trunk", "ct/acrin_flt_breast_001/ct_trunk_19600104.nii.gz"),
        ("ct/totalsegmentator_tests/example_ct_dicom", "ct/totalsegmentator_tests/example_ct_dicom.nii.gz"),
        ("ct/dcmqi_ct3/dicom", "ct/dcmqi_ct3/ct.nii.gz"),
        ("radiomics/ibsi1_ct/pat1_dicom", "radiomics/ibsi1_ct/pat1_ct.nii.gz"),
    ],
)
def test_a_dicom_series_and_its_nifti_show_the_same_hu_at_the_same_place(
    shared: Path, folder: str, volume: str
) -> None:
    with reading(shared / folder) as dicom, reading(shared / volume) as nifti:
        one, other = dicom.study.images["ct"], nifti.study.images["ct"]
        index = np.stack(np.meshgrid(*[np.arange(0, n, max(1, n // 17)) for n in one.grid.shape], indexing="ij"), -1)
        there = other.grid.to_index(one.grid.to_position(index))
        assert np.abs(there - np.rint(there)).max() < 1e-3
        near = np.rint(there).astype(int)
        assert np.array_equal(one.values[tuple(index.T)], other.values[tuple(near.T)])
        assert [source.index for source in dicom.study.sources] == list(range(one.grid.shape[0]))


def test_the_trunk_series_is_read_fast(shared: Path) -> None:
    start = time.perf_counter()
    with reading(shared / "ct/acrin_flt_breast_001/dicom_ct_trunk") as read:
        assert time.perf_counter() - start < 10
        assert read.study.images["ct"].grid.spacing == pytest.approx((4.25, 0.976562, 0.976562))
        assert read.says("repaired", "5521428 padding voxels")
        assert read.study.patient.age_years == 49


def test_the_structure_set_of_a_series_is_set_aside(shared: Path) -> None:
    with reading(shared / "radiomics/ibsi1_ct/pat1_dicom") as read:
        assert len(read.studies) == 1
        assert read.says("set_aside", "DCM_RS_00060.dcm", "RT Structure Set")


def test_three_slices_are_read_with_a_warning(shared: Path) -> None:
    with reading(shared / "ct/dcmqi_ct3") as read:
        assert [study.images["ct"].grid.shape[0] for study in read.studies] == [3, 3]
        assert read.says("warning", "only 3 slices")
        assert read.says("set_aside", "dicom_seg_liver.dcm", "Segmentation Storage")
        assert read.says("refused", "spine_seg.nrrd", "label map")


def test_both_encodings_of_the_bone_scan(shared: Path) -> None:
    with reading(shared / "planar/nm_planar") as read:
        lossless = _of_file(read.studies, "JPEG-LL")
        expected = np.load(shared / "planar/nm_planar/wholebody_bone_NM1_lossless.npy")
        assert np.array_equal(lossless.images["anterior"].values, expected)
        for study in read.studies:
            assert list(study.images) == ["anterior"]
            assert study.images["anterior"].grid.spacing == (2.26, 2.26)
            assert (study.acquisition.tracer, study.acquisition.radionuclide) == ("bone agent", "Tc-99m")
            assert study.acquisition.guessed == ("view", "tracer")
        assert read.says("warning", "JPEG2000_UNC", "compressed with loss 2097:1")
        assert read.says("repaired", "JPEG2000_UNC", "values below 0 (to -30)")
        assert not any("loss" in note.problem for note in lossless.intake)


def _of_file(studies: list[Study], words: str) -> Study:
    (study,) = (study for study in studies if words in study.sources[0].file)
    return study


def test_every_volume_there_is_read_or_refused_for_what_it_is(shared: Path) -> None:
    with reading(shared / "ct/totalsegmentator_tests") as read:
        names = {study.sources[0].file for study in read.studies if study.uid.startswith("sha256:")}
        assert {name for name in names if name.endswith(".nii.gz")} == {
            "example_ct.nii.gz",
            "example_ct_dicom.nii.gz",
            "example_ct_sm.nii.gz",
            "pulmonary_ct_cropped.nii.gz",
        }
        assert read.says("refused", "spine_report.nii.gz", "3 numbers per voxel")
        assert read.says("refused", "totalseg.nii.gz", "from 0 to 33", "label map")


@pytest.mark.parametrize("name", ["brain1_image.nrrd", "brain1_label.nrrd", "breast1_image.nrrd"])
def test_mr_images_and_labels_are_no_ct(shared: Path, name: str) -> None:
    with reading(shared / "radiomics/pyradiomics_baseline" / name) as read:
        assert not read.studies
        assert read.says("refused", name, "cannot be Hounsfield units")
