"""CT series: order, geometry, repairs, refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from foreign import (
    HEIGHTS,
    Place,
    ct_stack,
    enhanced_ct,
    errors_against,
    put_pixels,
    ramp,
    reading,
    save,
    set_fields,
)
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, JPEGLSLossless, generate_uid

from osteoscope.dicom.load import IntakeOptions


def test_a_sound_series_is_read_whole(tmp_path: Path) -> None:
    save(tmp_path, ct_stack())
    with reading(tmp_path) as read:
        study = read.study
        assert errors_against(study, ramp).max() <= 0.5
        assert study.images["ct"].values.dtype == np.int16
        assert study.images["ct"].grid.spacing == pytest.approx((2.0, 1.5, 1.25))
        assert [source.index for source in study.sources] == list(range(12))
        assert (study.patient.name, study.date, study.acquisition.kernel) == ("Doe^Jane", "2026-01-02", "B30f")
        assert [note.level for note in study.intake] == ["accepted", "warning", "warning", "warning"]
        # A ramp of a few voxels is no body.
        assert all(read.says("warning", doubt) for doubt in ("only 12 slices", "no air", "narrow for a CT"))


def test_voxels_are_mapped_not_held(tmp_path: Path) -> None:
    save(tmp_path, ct_stack())
    with reading(tmp_path) as read:
        values = read.study.images["ct"].values
        assert isinstance(values.base, np.memmap) or isinstance(values, np.memmap)
        assert not values.flags.writeable


def test_multi_frame_enhanced_ct(tmp_path: Path) -> None:
    heights = [4.0, 0.0, 8.0, 2.0, 6.0, 10.0]
    save(tmp_path, [enhanced_ct(heights)])
    with reading(tmp_path) as read:
        assert errors_against(read.study, ramp).max() <= 0.5
        assert read.study.images["ct"].grid.shape[0] == 6
        assert [source.index for source in read.study.sources] == [None]
        assert read.study.acquisition.slice_thickness_mm == 2.0


@pytest.mark.parametrize(("dropped", "gap"), [((5,), 4.0), ((5, 6), 6.0)])
def test_a_hole_is_filled_up_to_the_limit_and_refused_beyond(
    tmp_path: Path, dropped: tuple[int, ...], gap: float
) -> None:
    slices = ct_stack()
    paths = save(tmp_path, slices)
    for number in dropped:
        paths[number].unlink()
    with reading(tmp_path) as read:
        if gap <= IntakeOptions().largest_gap_mm:
            assert read.says("repaired", f"{gap:.2f} mm between i004.dcm and i006.dcm", "interpolated")
            assert errors_against(read.study, ramp).max() <= 1.0
        else:
            assert not read.studies
            assert read.says("refused", f"{gap:.2f} mm between i004.dcm and i007.dcm", "gaps are allowed")
    with reading(tmp_path, IntakeOptions(allow_gaps=True)) as read:
        assert read.study.images["ct"].grid.shape[0] == 12
        assert errors_against(read.study, ramp).max() <= 1.0


def test_rounding_of_positions_is_no_unevenness(tmp_path: Path) -> None:
    exact = [0.625 * i for i in range(12)]
    save(tmp_path, ct_stack([round(height, 1) for height in exact]))
    with reading(tmp_path) as read:
        assert read.study.sources[3].index == 3
        assert not read.says("repaired")
        assert read.study.images["ct"].grid.spacing[0] == pytest.approx(6.9 / 11)


def test_uneven_spacing_is_resampled(tmp_path: Path) -> None:
    save(tmp_path, ct_stack([0, 1, 2, 3, 4, 5, 6, 7.4, 8.8, 10.2]))
    with reading(tmp_path) as read:
        assert read.says("repaired", "1.00 to 1.40 mm apart", "resampled")
        assert errors_against(read.study, ramp).max() <= 1.0
        assert {source.index for source in read.study.sources} == {None}


@pytest.mark.parametrize("tag", ["0", "15", "nan"])
def test_gantry_tilt_is_taken_from_positions_not_from_the_tag(tmp_path: Path, tag: str) -> None:
    place = Place(shear=(np.tan(np.radians(6.78)), 0.0))
    slices = ct_stack(place=place)
    for item in slices:
        item.add_new(0x00181120, "LO", tag)
    save(tmp_path, slices)
    with reading(tmp_path) as read:
        assert read.says("repaired", "6.78 degrees")
        study = read.study
        inside = study.images["ct"].values > -1024
        errors = errors_against(study, ramp)
        assert inside.mean() > 0.8
        core = errors[2:-2, 4:-4, 2:-2]
        assert core.max() <= 1.0
        axes = study.images["ct"].grid.matrix[:3, :3]
        assert (axes.T @ axes)[~np.eye(3, dtype=bool)] == pytest.approx(0, abs=1e-9)


def test_slices_that_wander_in_plane_are_brought_in_line(tmp_path: Path) -> None:
    slices = [*ct_stack(HEIGHTS[:6]), *ct_stack(HEIGHTS[6:], Place(origin=(-26.25, -20.0, 5.0)))]
    save(tmp_path, slices)
    with reading(tmp_path) as read:
        assert read.says("repaired", "shifted against each other by up to 3.75 mm")
        assert errors_against(read.study, ramp)[:, :, 3:-3].max() <= 1.0


def test_copies_are_set_aside_by_name(tmp_path: Path) -> None:
    slices = ct_stack()
    save(tmp_path / "a", slices)
    save(tmp_path / "b", slices[3:5])
    with reading(tmp_path) as read:
        assert read.study.images["ct"].grid.shape[0] == 12
        assert read.says("set_aside", "b/i000.dcm", "a copy of a/i003.dcm")
        assert read.says("set_aside", "b/i001.dcm", "a copy of a/i004.dcm")


def test_two_acquisitions_in_one_series_become_two_studies(tmp_path: Path) -> None:
    again = [
        set_fields(item, {"AcquisitionNumber": 2, "PixelData": bytes(len(item.PixelData) - 2) + b"\x10\x20"})
        for item in ct_stack()
    ]
    for item in again:
        values = np.frombuffer(item.PixelData, np.int16).reshape(16, 16).copy()
        values[0] = 2000
        put_pixels(item, values)
    save(tmp_path, [*ct_stack(), *again])
    with reading(tmp_path) as read:
        assert len(read.studies) == 2
        assert read.says("repaired", "differ in AcquisitionNumber", "'2'")


def test_acquisitions_whose_slices_lie_between_each_other_are_not_woven_into_one(tmp_path: Path) -> None:
    between = ct_stack([height + 1.0 for height in HEIGHTS], fields={"AcquisitionNumber": 2})
    after = ct_stack(
        [HEIGHTS[-1] + (HEIGHTS[1] - HEIGHTS[0]) * (1 + n) for n in range(6)], fields={"AcquisitionNumber": 2}
    )
    save(tmp_path / "between", [*ct_stack(), *between])
    with reading(tmp_path / "between") as read:
        assert [study.images["ct"].grid.shape[0] for study in read.studies] == [len(HEIGHTS)] * 2
        assert read.says("repaired", "differ in AcquisitionNumber", "'2'")
    save(tmp_path / "after", [*ct_stack(), *after])
    with reading(tmp_path / "after") as read:
        assert read.study.images["ct"].grid.shape[0] == len(HEIGHTS) + 6


def test_two_images_at_one_place_that_nothing_tells_apart_are_refused(tmp_path: Path) -> None:
    slices = ct_stack()
    double = ct_stack([HEIGHTS[4]])[0]
    put_pixels(double, np.full((16, 16), 900, np.int16))
    save(tmp_path, [*slices, double])
    with reading(tmp_path) as read:
        assert not read.studies
        assert read.says("refused", "i004.dcm and i012.dcm", "nothing tells them apart")


def test_series_of_one_folder_are_kept_apart(tmp_path: Path) -> None:
    bone = ct_stack(HEIGHTS[:8], fields={"SeriesInstanceUID": generate_uid(), "SeriesNumber": 9})
    save(tmp_path, [*ct_stack(), *bone])
    with reading(tmp_path) as read:
        assert sorted(study.images["ct"].grid.shape[0] for study in read.studies) == [8, 12]


def test_a_localiser_of_another_plane_is_set_aside_by_name(tmp_path: Path) -> None:
    marked = ct_stack([0.0], fields={"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]})
    coronal = ct_stack([0.0], Place(column=(0.0, 0.0, -1.0)))
    small = [put_pixels(item, np.zeros((8, 8), np.int16)) for item in ct_stack([4.0])]
    save(tmp_path, [*ct_stack(), *marked, *coronal, *small])
    with reading(tmp_path) as read:
        assert errors_against(read.study, ramp).max() <= 0.5
        assert read.says("set_aside", "i012.dcm", "localiser")
        assert read.says("set_aside", "i013.dcm", "another plane or matrix")
        assert read.says("set_aside", "i014.dcm", "another plane or matrix")


def test_a_reformat_is_set_aside_beside_its_axial_series_and_read_alone(tmp_path: Path) -> None:
    coronal = ct_stack(
        place=Place(column=(0.0, 0.0, -1.0)),
        fields={"ImageType": ["DERIVED", "SECONDARY", "MPR"], "SeriesInstanceUID": generate_uid()},
    )
    save(tmp_path / "both" / "mpr", coronal)
    save(tmp_path / "both" / "axial", ct_stack())
    save(tmp_path / "alone", coronal)
    with reading(tmp_path / "both") as read:
        assert len(read.studies) == 1
        assert read.says("set_aside", "mpr/i000.dcm", "reformat")
    with reading(tmp_path / "alone") as read:
        assert errors_against(read.study, ramp).max() <= 0.5
        assert read.says("warning", "only a reformat")


def test_slope_and_intercept_are_taken_per_slice(tmp_path: Path) -> None:
    slices = ct_stack()
    for item in slices[::2]:
        values = np.frombuffer(item.PixelData, np.int16).reshape(16, 16).astype(int) - 1024
        put_pixels(item, ((values + 2000) * 2).astype(np.int16))
        item.RescaleSlope, item.RescaleIntercept = 0.5, -2000
    save(tmp_path, slices)
    with reading(tmp_path) as read:
        assert errors_against(read.study, ramp).max() <= 0.5


def test_values_outside_the_scan_become_air(tmp_path: Path) -> None:
    slices = ct_stack(fields={"PixelPaddingValue": -2000})
    for item in slices:
        values = np.frombuffer(item.PixelData, np.int16).reshape(16, 16).copy()
        values[0, :3], values[0, 3:5] = -2000, -1100
        put_pixels(item, values)
    save(tmp_path, slices)
    with reading(tmp_path) as read:
        assert (read.study.images["ct"].values[:, 0, :5] == -1024).all()
        assert read.says("repaired", "36 padding voxels", "-1024 HU")
        assert read.says("repaired", "24 voxels below -1024 HU (to -2124)")


def test_a_padding_value_that_means_tissue_is_not_obeyed(tmp_path: Path) -> None:
    save(tmp_path, ct_stack(fields={"PixelPaddingValue": 1064}))
    with reading(tmp_path) as read:
        assert errors_against(read.study, ramp).max() <= 0.5
        assert read.says("warning", "padding value of 1064", "not treated as padding")


def test_overlays_in_spare_bits_do_not_change_hu(tmp_path: Path) -> None:
    slices = ct_stack()
    for item in slices:
        values = np.frombuffer(item.PixelData, np.int16).reshape(16, 16)
        put_pixels(item, (values & 0x0FFF).astype(np.uint16) | 0x8000)
        item.BitsStored, item.HighBit = 12, 11
    save(tmp_path, slices)
    with reading(tmp_path) as read:
        assert errors_against(read.study, ramp).max() <= 0.5


def test_values_beyond_int16_are_clipped_and_said_so(tmp_path: Path) -> None:
    slices = ct_stack()
    values = np.frombuffer(slices[0].PixelData, np.int16).reshape(16, 16).astype(np.uint16)
    values[0, 0] = 60000
    put_pixels(slices[0], values)
    save(tmp_path, slices)
    with reading(tmp_path) as read:
        assert read.study.images["ct"].values[0, 0, 0] == 32767
        assert read.says("repaired", "1 voxel above 32767 HU")


def test_compressed_slices_are_decoded(tmp_path: Path) -> None:
    slices = ct_stack()
    for item in slices:
        item.compress(JPEGLSLossless, generate_instance_uid=False)
    save(tmp_path, slices)
    with reading(tmp_path) as read:
        assert errors_against(read.study, ramp).max() <= 0.5


def test_big_endian_and_mislabelled_files_are_read(tmp_path: Path) -> None:
    slices = ct_stack()
    explicit = [path.read_bytes() for path in save(tmp_path, slices)]
    for item in slices[:6]:
        item.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
        item.PixelData = np.frombuffer(item.PixelData, np.int16).byteswap().tobytes()
        item["PixelData"].VR = "OW"
    for item in slices[6:]:
        item.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    paths = save(tmp_path, slices)
    for path, labelled in zip(paths[9:], explicit[9:], strict=True):
        implicit = path.read_bytes()
        path.write_bytes(labelled[: _data_set(labelled)] + implicit[_data_set(implicit) :])
    with reading(tmp_path) as read:
        assert errors_against(read.study, ramp).max() <= 0.5


def _data_set(data: bytes) -> int:
    """Where the data set starts, by the length of group 2."""
    return 144 + int.from_bytes(data[140:144], "little")


def test_lossy_compression_is_warned_of(tmp_path: Path) -> None:
    save(tmp_path, ct_stack(fields={"LossyImageCompression": "01", "LossyImageCompressionRatio": 12}))
    with reading(tmp_path) as read:
        assert read.says("warning", "compressed with loss 12:1")


def test_files_without_identity_are_named_by_their_bytes(tmp_path: Path) -> None:
    blank = {"SOPClassUID": "", "SOPInstanceUID": "", "StudyInstanceUID": "", "SeriesInstanceUID": ""}
    save(tmp_path, ct_stack(fields=blank))
    with reading(tmp_path) as read:
        assert read.study.uid.startswith("sha256:")
        assert read.says("warning", "no study UID")
        assert all(source.sop_instance_uid for source in read.study.sources)


def test_a_file_that_does_not_name_its_colours_is_grey(tmp_path: Path) -> None:
    save(tmp_path, ct_stack(fields={"PhotometricInterpretation": ""}))
    with reading(tmp_path) as read:
        assert errors_against(read.study, ramp).max() <= 0.5


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"RescaleIntercept": None}, ("not HU",)),
        ({"RescaleType": "MGML"}, ("MGML",)),
        ({"PixelSpacing": None}, ("pixel spacing",)),
        ({"ImagePositionPatient": None}, ("position",)),
        ({"ImageOrientationPatient": [1, 0, 0, 0.3, 1, 0]}, ("not orthonormal",)),
    ],
)
def test_slices_that_cannot_be_placed_or_are_not_hu_are_refused_by_name(
    tmp_path: Path, fields: dict[str, object], words: tuple[str, ...]
) -> None:
    save(tmp_path, ct_stack(fields=fields))
    with reading(tmp_path) as read:
        assert not read.studies
        assert read.says("refused", "i000.dcm", *words)


def test_nearly_orthonormal_cosines_are_repaired_and_said_so(tmp_path: Path) -> None:
    save(tmp_path, ct_stack(fields={"ImageOrientationPatient": [1, 0, 0, 0.01, 1, 0]}))
    with reading(tmp_path) as read:
        assert read.says("repaired", "direction cosines are off by up to 0.010")


def test_wide_spacing_of_thin_slices_is_warned_of(tmp_path: Path) -> None:
    save(tmp_path, ct_stack([10.0 * i for i in range(5)], fields={"SliceThickness": 1.0}))
    with reading(tmp_path) as read:
        assert read.says("warning", "slices of 1 mm lie 10 mm apart")


def test_patient_facts_that_cannot_be_are_left_out(tmp_path: Path) -> None:
    facts = {"PatientAge": "018M", "PatientSize": 165.0, "PatientWeight": 11.5, "PatientSex": "F"}
    save(tmp_path, ct_stack(fields=facts))
    with reading(tmp_path) as read:
        patient = read.study.patient
        assert (patient.age_years, patient.height_cm, patient.weight_kg, patient.sex) == (1.5, None, 11.5, "F")
        assert read.says("warning", "size of 165 m")


def test_age_from_the_date_of_birth(tmp_path: Path) -> None:
    save(tmp_path, ct_stack(fields={"PatientBirthDate": "20210103"}))
    with reading(tmp_path) as read:
        assert read.study.patient.age_years == pytest.approx(5.0, abs=0.01)


def test_slices_flung_far_apart_allocate_nothing(tmp_path: Path) -> None:
    slices = ct_stack()
    slices[6].ImagePositionPatient[1] = 90_000
    slices[7].ImagePositionPatient[0] = 90_000
    save(tmp_path, slices)
    with reading(tmp_path) as read:
        assert not read.studies
        assert read.says("refused", "Limits.pixels")


def test_of_three_slices_the_middle_one_tells_a_hole(tmp_path: Path) -> None:
    save(tmp_path, ct_stack([0.0, 5.0, 15.0]))
    with reading(tmp_path) as read:
        assert read.says("refused", "10.00 mm between i001.dcm and i002.dcm")
