"""What the writers write, the intake reads back: plain files unchanged, awkward ones repaired and said so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from osteoscope.dicom.load import load, scan
from osteoscope.dicom.write_ct import CtOptions, write_ct
from osteoscope.dicom.write_nm import NmOptions, write_nm
from osteoscope.domain.geometry import Frame, Grid
from osteoscope.domain.image import Image
from osteoscope.domain.study import Acquisition, Patient, Study


def volume() -> Study:
    """A smooth block in air, so that resampling changes little; slices of 2 mm."""
    values = np.full((20, 48, 40), -1000.0)
    values[4:16, 12:36, 8:30] = 80
    values[6:12, 16:26, 12:20] = 600
    smooth = np.rint(gaussian_filter(values, 2)).astype(np.int16)
    image = Image(Grid.axial(smooth.shape, (2.0, 1.5, 1.5), (-30, -36, 100)), smooth, "HU")
    patient = Patient("SIM-21", "Simulated^CT", age_years=61.0, sex="F", weight_kg=70.0, height_cm=165.0)
    acquisition = Acquisition(
        "CT, simulated", kernel="SOFT", contrast_agent="iodine", kvp=120.0, slice_thickness_mm=2.0
    )
    return Study("2.25.2101", "ct", "2000-01-01", patient, {"ct": image}, acquisition)


def planar(views: tuple[Frame, ...] = ("anterior", "posterior")) -> Study:
    """A warm body with a hot liver on the patient's right and a bladder."""
    rows, columns = np.ogrid[:200, :96]
    rng = np.random.default_rng(3)
    body = 8.0 * (((rows - 100) / 85) ** 2 + ((columns - 48) / 24) ** 2 < 1)
    liver = 70.0 * (((rows - 90) / 14) ** 2 + ((columns - 38) / 11) ** 2 < 1)
    bladder = 90.0 * (((rows - 150) / 8) ** 2 + ((columns - 48) / 8) ** 2 < 1)
    front = rng.poisson(8 * gaussian_filter(body + liver + bladder, 2)).astype(np.uint16)
    back = rng.poisson(8 * gaussian_filter(body + 0.6 * liver + 0.4 * bladder, 3)).astype(np.uint16)[:, ::-1]
    images: dict[str, Image] = {
        v: Image(Grid.planar(a.shape, (2.4, 2.4), v), np.ascontiguousarray(a), "counts")
        for v, a in (("anterior", front), ("posterior", back))
        if v in views
    }
    acquisition = Acquisition("mIBG whole body, simulated", tracer="mIBG", radionuclide="I-123", collimator="MEGP")
    return Study("2.25.2102", "nm-planar", "2000-01-01", Patient("SIM-22", age_years=4.0), images, acquisition)


def read(folder: Path, scratch: Path) -> Study:
    found = scan(folder, scratch)
    assert len(found.candidates) == 1, found.notes
    arrival = load(found.candidates[0], scratch)
    assert arrival.study is not None, arrival.notes
    return arrival.study


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "scratch").mkdir()
    return tmp_path / "files", tmp_path / "scratch"


@pytest.mark.parametrize(
    "options",
    [CtOptions(), CtOptions(shuffled=True, localiser=True), CtOptions(enhanced=True)],
    ids=["plain", "shuffled", "enhanced"],
)
def test_ct_comes_back_as_it_was(folders: tuple[Path, Path], options: CtOptions) -> None:
    study = volume()
    write_ct(study, folders[0], options)
    loaded = read(*folders)
    assert loaded.uid == study.uid
    assert loaded.patient.id == study.patient.id
    assert loaded.patient.sex == "F"
    image = loaded.images["ct"]
    expected = image.grid.to_index(study.images["ct"].grid.to_position(np.argwhere(np.ones((20, 48, 40), bool))))
    assert np.abs(expected - np.rint(expected)).max() < 1e-3
    at = tuple(np.rint(expected).astype(int).T)
    np.testing.assert_array_equal(np.asarray(image.values)[at], study.images["ct"].values.ravel())


def test_padding_becomes_air(folders: tuple[Path, Path]) -> None:
    write_ct(volume(), folders[0], CtOptions(padding=-2000))
    loaded = read(*folders).images["ct"]
    assert loaded.values.min() >= -1024
    assert loaded.values.max() == volume().images["ct"].values.max()


@pytest.mark.parametrize("options", [CtOptions(gantry_tilt_deg=12), CtOptions(dropped_slices=(9,))])
def test_tilt_and_a_small_gap_are_repaired_and_said_so(folders: tuple[Path, Path], options: CtOptions) -> None:
    study = volume()
    write_ct(study, folders[0], options)
    loaded = read(*folders)
    assert any(note.level == "repaired" for note in loaded.intake)
    image, original = loaded.images["ct"], study.images["ct"]
    for index in ((8, 20, 16), (12, 28, 22)):
        z, y, x = np.rint(image.grid.to_index(original.grid.to_position(index))).astype(int)
        assert abs(int(image.values[z, y, x]) - int(original.values[index])) < 90


def test_a_wide_gap_is_refused_by_name(folders: tuple[Path, Path]) -> None:
    write_ct(volume(), folders[0], CtOptions(dropped_slices=(7, 8, 9, 10)))
    found = scan(*folders)
    refused = load(found.candidates[0], folders[1])
    assert refused.study is None
    assert any(note.level == "refused" and "8" in note.problem for note in refused.notes)


@pytest.mark.parametrize(
    "options",
    [
        NmOptions(),
        NmOptions(one_object=False, view_codes="srt"),
        NmOptions(view_codes="none"),
        NmOptions(scatter_share=0.4),
    ],
    ids=["plain", "two objects", "no codes", "scatter window"],
)
def test_planar_views_come_back_as_they_were(folders: tuple[Path, Path], options: NmOptions) -> None:
    study = planar()
    write_nm(study, folders[0], options)
    loaded = read(*folders)
    assert loaded.acquisition.tracer == "mIBG"
    for view, image in study.images.items():
        np.testing.assert_array_equal(loaded.images[view].values, image.values)
        assert loaded.images[view].grid.spacing == pytest.approx((2.4, 2.4))


def test_one_view_another_tracer_and_a_mirrored_posterior(folders: tuple[Path, Path], tmp_path: Path) -> None:
    write_nm(planar(("posterior",)), folders[0], NmOptions(tracer="bone agent"))
    alone = read(*folders)
    assert set(alone.images) == {"posterior"}
    assert alone.acquisition.tracer != "mIBG"
    write_nm(planar(), tmp_path / "mirrored", NmOptions(posterior_mirrored=True))
    (tmp_path / "scratch2").mkdir()
    mirrored = read(tmp_path / "mirrored", tmp_path / "scratch2")
    np.testing.assert_array_equal(mirrored.images["posterior"].values, planar().images["posterior"].values)
    assert any(note.level == "repaired" and "mirrored" in note.problem for note in mirrored.intake)
