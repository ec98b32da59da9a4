"""Files of write_ct, checked by dciodvfy and read back with pydicom."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from files import validator_errors
from hypothesis import given, settings
from oblique import oblique_grids
from pydicom.dataset import Dataset
from scipy.spatial.transform import Rotation

from osteoscope.dicom.write_ct import CtOptions, write_ct
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.study import Acquisition, Patient, Study
from osteoscope.errors import OutputError, UnsuitableStudyError

SHAPE = (5, 24, 20)


def make_study(grid: Grid | None = None) -> Study:
    values = np.random.default_rng(3).integers(-1024, 3071, SHAPE, dtype=np.int16)
    image = Image(grid or Grid.axial(SHAPE, (2.5, 1.5, 1.25), (-10, -20, 30)), values, "HU")
    patient = Patient("SIM-7", "Simulated^adult", age_years=63.4, sex="F", weight_kg=71.5, height_cm=166)
    acquisition = Acquisition("CT, simulated", kvp=120, kernel="SOFT", contrast_agent="iodine", slice_thickness_mm=2.5)
    return Study("2.25.99", "ct", "2026-01-02", patient, {"ct": image}, acquisition)


def by_position(paths: tuple[Path, ...]) -> list[Dataset]:
    read = [pydicom.dcmread(path) for path in paths if path.name.startswith("CT")]
    normal = np.cross(*np.reshape(np.asarray(read[0].ImageOrientationPatient, float), (2, 3)))
    return sorted(read, key=lambda d: float(normal @ np.asarray(d.ImagePositionPatient, float)))


def hounsfield(dataset: Dataset) -> np.ndarray:
    return dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)


def corner(dataset: Dataset, row: int, column: int) -> np.ndarray:
    """PS3.3 C.7.6.2.1.1, equation for the position of a pixel."""
    along_row, along_column = np.reshape(np.asarray(dataset.ImageOrientationPatient, float), (2, 3))
    down, right = (float(v) for v in dataset.PixelSpacing)
    origin = np.asarray(dataset.ImagePositionPatient, float)
    return np.asarray(origin + along_row * right * column + along_column * down * row)


@pytest.mark.parametrize(
    "options",
    [
        CtOptions(),
        CtOptions(gantry_tilt_deg=14.0),
        CtOptions(padding=-2000, shuffled=True, localiser=True, dropped_slices=(2,)),
        CtOptions(enhanced=True, padding=-2000, localiser=True),
        CtOptions(enhanced=True, gantry_tilt_deg=14.0),
    ],
    ids=["plain", "tilted", "awkward", "enhanced", "enhanced tilted"],
)
def test_dciodvfy_finds_no_error(tmp_path: Path, options: CtOptions) -> None:
    checker = shutil.which("dciodvfy")
    if checker is None:
        pytest.skip("dciodvfy (Debian package dicom3tools) is absent")
    for path in write_ct(make_study(), tmp_path, options):
        report = subprocess.run([checker, "-new", str(path)], capture_output=True, text=True, check=False)
        assert "Error" not in report.stderr + report.stdout, report.stderr


@pytest.mark.parametrize("enhanced", [False, True])
def test_long_texts_and_no_date_are_sound_and_keep_patients_apart(tmp_path: Path, enhanced: bool) -> None:
    whole = make_study()
    long = "many words of a long text " * 4
    said = Acquisition(long, long, long, kernel=long, contrast_agent=long)
    ids = set()
    for number in (1, 2):
        study = replace(whole, date="", patient=Patient(f"{long}{number}", long), acquisition=said)
        (path, *_) = write_ct(study, tmp_path / str(number), CtOptions(enhanced=enhanced))
        assert validator_errors(path) == []
        ids.add(pydicom.dcmread(path).PatientID)
    assert len(ids) == 2
    assert max(map(len, ids)) <= 64


def test_a_tilted_enhanced_object_states_its_tilt(tmp_path: Path) -> None:
    (path,) = write_ct(make_study(), tmp_path, CtOptions(enhanced=True, gantry_tilt_deg=14.0))
    details = pydicom.dcmread(path).SharedFunctionalGroupsSequence[0].CTAcquisitionDetailsSequence[0]
    assert details.GantryDetectorTilt == 14.0


def test_dcentvfy_finds_the_objects_of_a_study_consistent(tmp_path: Path) -> None:
    checker = shutil.which("dcentvfy")
    if checker is None:
        pytest.skip("dcentvfy (Debian package dicom3tools) is absent")
    paths = write_ct(make_study(), tmp_path, CtOptions(localiser=True))
    report = subprocess.run([checker, *map(str, paths)], capture_output=True, text=True, check=False)
    assert (report.returncode, report.stderr) == (0, "")


@settings(max_examples=25)
@given(oblique_grids(SHAPE))
def test_oblique_geometry_and_pixels_survive(tmp_path_factory: pytest.TempPathFactory, grid: Grid) -> None:
    study = make_study(grid)
    image = study.images["ct"]
    paths = write_ct(study, tmp_path_factory.mktemp("oblique"))
    for index, path in enumerate(paths):
        dataset = pydicom.dcmread(path)
        np.testing.assert_array_equal(hounsfield(dataset), image.values[index])
        for row, column in ((0, 0), (SHAPE[1] - 1, SHAPE[2] - 1)):
            expected = image.grid.to_position((index, row, column))
            np.testing.assert_allclose(corner(dataset, row, column), expected, atol=1e-5)


def test_enhanced_object_holds_the_same_volume(tmp_path: Path) -> None:
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", (3, -4, 92), degrees=True).as_matrix() * (2.5, 1.5, 1.25)
    study = make_study(Grid.from_matrix(SHAPE, matrix))
    (path,) = write_ct(study, tmp_path, CtOptions(enhanced=True))
    volume = highdicom.imread(path).get_volume(apply_real_world_transform=False, apply_modality_transform=True)
    index = np.linalg.inv(volume.affine) @ [*study.images["ct"].grid.to_position((1, 2, 3)), 1]
    found = volume.array[tuple(np.rint(index[:3]).astype(int))]
    assert np.abs(index - np.rint(index)).max() < 1e-4
    assert found == study.images["ct"].values[1, 2, 3]
    assert sorted(volume.array.ravel()) == sorted(study.images["ct"].values.ravel())


def test_tilt_shears_the_series_and_keeps_the_anatomy_in_place(tmp_path: Path) -> None:
    rows = np.broadcast_to(np.linspace(-500, 1000, 61)[None, :, None], (41, 61, 9))
    grid = Grid.axial(rows.shape, (2, 2, 2))
    study = make_study()
    ramp = Study(study.uid, "ct", study.date, study.patient, {"ct": Image(grid, rows.astype(np.int16), "HU")})
    read = by_position(write_ct(ramp, tmp_path, CtOptions(gantry_tilt_deg=10)))
    normal = np.cross(*np.reshape(np.asarray(read[0].ImageOrientationPatient, float), (2, 3)))
    step = np.subtract(read[1].ImagePositionPatient, read[0].ImagePositionPatient).astype(float)
    assert np.degrees(np.arccos(abs(normal @ step) / np.linalg.norm(step))) == pytest.approx(10, abs=0.01)
    middle = read[20]
    y = corner(middle, 25, 4)[1]
    assert hounsfield(middle)[25, 4] == pytest.approx(-500 + 12.5 * y, abs=2)


def test_awkward_variants_are_what_they_say(tmp_path: Path) -> None:
    options = CtOptions(dropped_slices=(2,), shuffled=True, padding=-2000, localiser=True)
    paths = write_ct(make_study(), tmp_path, options)
    read = by_position(paths)
    heights = [float(d.ImagePositionPatient[2]) for d in read]
    assert heights == [30, 32.5, 37.5, 40]
    numbers = [int(d.InstanceNumber) for d in read]
    assert sorted(numbers) == [1, 2, 3, 4]
    assert numbers not in ([1, 2, 3, 4], [4, 3, 2, 1])
    assert read[0].pixel_array[0, 0] == read[0].PixelPaddingValue == -2000
    assert read[0].pixel_array[12, 10] != -2000
    scout = pydicom.dcmread(next(path for path in paths if path.name.startswith("LOC")))
    assert scout.ImageType[2] == "LOCALIZER"
    assert scout.SeriesInstanceUID != read[0].SeriesInstanceUID
    assert float(scout.ImagePositionPatient[2]) == 40


def test_patient_is_marked_as_simulated_and_uids_repeat(tmp_path: Path) -> None:
    first = [pydicom.dcmread(p) for p in write_ct(make_study(), tmp_path / "a")]
    again = [pydicom.dcmread(p) for p in write_ct(make_study(), tmp_path / "b")]
    assert first == again
    assert len({d.SOPInstanceUID for d in first}) == SHAPE[0]
    assert first[0].StudyInstanceUID == "2.25.99"
    assert first[0].PatientID.startswith("SIM-")
    assert str(first[0].PatientName).startswith("Simulated^")
    assert first[0].PatientComments == "simulated, not a patient"
    assert (first[0].PatientAge, first[0].PatientSize, first[0].PatientWeight) == ("063Y", 1.66, 71.5)


def test_refusals_name_what_was_wrong(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="every slice dropped"):
        write_ct(make_study(), tmp_path, CtOptions(dropped_slices=tuple(range(5))))
    matrix = np.eye(4)
    matrix[0, 1] = 0.4
    with pytest.raises(UnsuitableStudyError, match="90 degrees"):
        write_ct(make_study(Grid.from_matrix(SHAPE, matrix[[0, 1, 2, 3]][:, [2, 1, 0, 3]])), tmp_path)
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(OutputError, match="Name a folder"):
        write_ct(make_study(), blocked / "inside")
