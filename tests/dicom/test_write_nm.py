"""Files of write_nm, checked by dciodvfy and read back with pydicom."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from osteoscope.dicom.write_nm import NmOptions, write_nm
from osteoscope.domain.geometry import Frame, Grid
from osteoscope.domain.image import Image
from osteoscope.domain.study import Acquisition, Patient, Study
from osteoscope.errors import OutputError, UnsuitableStudyError

VIEWS: tuple[Frame, ...] = ("anterior", "posterior")


def make_study(spacing: tuple[float, float] | None = (2.4, 2.2), views: tuple[Frame, ...] = VIEWS) -> Study:
    rng = np.random.default_rng(5)
    shape = (64, 32)
    images: dict[str, Image] = {
        v: Image(Grid.planar(shape, spacing, v), rng.poisson(20, shape).astype(np.int32), "counts") for v in views
    }
    acquisition = Acquisition("mIBG whole body, simulated", tracer="mIBG", radionuclide="I-123", collimator="MEGP")
    return Study("2.25.77", "nm-planar", "2026-01-02", Patient("SIM-8", age_years=1.4), images, acquisition)


AWKWARD = {
    "plain": NmOptions(),
    "two objects": NmOptions(one_object=False, view_codes="srt"),
    "no view codes": NmOptions(view_codes="none", posterior_mirrored=True),
    "scatter window, bone agent": NmOptions(scatter_share=0.4, tracer="bone agent"),
}


@pytest.mark.parametrize("options", AWKWARD.values(), ids=AWKWARD.keys())
@pytest.mark.parametrize("study", [make_study(), make_study(None), make_study(views=("posterior",))])
def test_dciodvfy_finds_no_error(tmp_path: Path, study: Study, options: NmOptions) -> None:
    checker = shutil.which("dciodvfy")
    if checker is None:
        pytest.skip("dciodvfy (Debian package dicom3tools) is absent")
    for path in write_nm(study, tmp_path, options):
        report = subprocess.run([checker, "-new", str(path)], capture_output=True, text=True, check=False)
        assert "Error" not in report.stderr + report.stdout, report.stderr


@settings(max_examples=20)
@given(hnp.arrays(np.uint16, st.tuples(st.just(2), st.integers(1, 30), st.integers(1, 30))))
def test_counts_survive(tmp_path_factory: pytest.TempPathFactory, counts: np.ndarray) -> None:
    images: dict[str, Image] = {
        v: Image(Grid.planar(c.shape, (2, 2), v), c, "counts") for v, c in zip(VIEWS, counts, strict=True)
    }
    study = Study("2.25.78", "nm-planar", "", Patient("SIM-9"), images, Acquisition(tracer="mIBG"))
    (path,) = write_nm(study, tmp_path_factory.mktemp("nm"))
    dataset = pydicom.dcmread(path)
    np.testing.assert_array_equal(dataset.pixel_array, counts)
    assert dataset.CountsAccumulated == counts.sum(dtype=np.int64)


def test_vectors_say_which_frame_is_which(tmp_path: Path) -> None:
    study = make_study()
    (path,) = write_nm(study, tmp_path, NmOptions(scatter_share=0.3))
    dataset = pydicom.dcmread(path)
    assert dataset.FrameIncrementPointer == [0x00540010, 0x00540020]
    assert (dataset.EnergyWindowVector, dataset.DetectorVector) == ([1, 1, 2, 2], [1, 2, 1, 2])
    codes = [d.ViewCodeSequence[0].CodeValue for d in dataset.DetectorInformationSequence]
    assert codes == ["399321004", "399001007"]
    np.testing.assert_array_equal(dataset.pixel_array[0], study.images["anterior"].values)
    share = dataset.pixel_array[2:].sum() / dataset.pixel_array[:2].sum()
    assert share == pytest.approx(0.3, rel=0.05)
    assert [float(v) for v in dataset.PixelSpacing] == [2.4, 2.2]
    assert dataset.ActualFrameDuration == 300_000


def test_radiopharmaceutical_follows_the_study_or_the_option(tmp_path: Path) -> None:
    def drug(options: NmOptions) -> tuple[str, str]:
        (path,) = write_nm(make_study(), tmp_path, options)
        item = pydicom.dcmread(path).RadiopharmaceuticalInformationSequence[0]
        return item.RadiopharmaceuticalCodeSequence[0].CodeValue, item.RadionuclideCodeSequence[0].CodeValue

    assert drug(NmOptions()) == ("395787009", "21572004")
    assert drug(NmOptions(tracer="bone agent")) == ("96390006", "72454006")


def test_two_objects_mirrored_posterior_and_unknown_spacing(tmp_path: Path) -> None:
    study = make_study(spacing=None)
    options = NmOptions(one_object=False, posterior_mirrored=True, view_codes="none")
    anterior, posterior = (pydicom.dcmread(path) for path in write_nm(study, tmp_path, options))
    assert anterior.SeriesInstanceUID == posterior.SeriesInstanceUID
    assert anterior.SOPInstanceUID != posterior.SOPInstanceUID
    assert anterior.PixelSpacing is None
    assert "ViewCodeSequence" not in anterior.DetectorInformationSequence[0]
    np.testing.assert_array_equal(posterior.pixel_array[:, ::-1], study.images["posterior"].values)


def test_patient_is_marked_as_simulated(tmp_path: Path) -> None:
    study = replace(make_study(), patient=Patient("child", age_years=1.4))
    (path,) = write_nm(study, tmp_path)
    dataset = pydicom.dcmread(path)
    assert dataset.PatientID == "SIM-child"
    assert str(dataset.PatientName).startswith("Simulated^")
    assert dataset.PatientComments == "simulated, not a patient"
    assert dataset.PatientAge == "017M"


def test_refusals_name_what_was_wrong(tmp_path: Path) -> None:
    study = make_study()
    with pytest.raises(UnsuitableStudyError, match="tracer 'FDG'"):
        write_nm(study, tmp_path, NmOptions(tracer="FDG"))
    hot = Image(study.images["anterior"].grid, study.images["anterior"].values + 70_000, "counts")
    with pytest.raises(OutputError, match="16 bits"):
        write_nm(replace(study, images={"anterior": hot}), tmp_path)
    small = Image(Grid.planar((2, 2), None, "posterior"), np.ones((2, 2), int), "counts")
    with pytest.raises(UnsuitableStudyError, match="different size"):
        write_nm(replace(study, images={**study.images, "posterior": small}), tmp_path)
