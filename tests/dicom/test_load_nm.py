"""Planar NM: frames, views, sides, tracers, what is not planar."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from foreign import behind, child, energy_window, nm, put_pixels, reading, save, set_fields
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import JPEGLSLossless, SecondaryCaptureImageStorage, generate_uid

from osteoscope.dicom.intake.header import Header
from osteoscope.dicom.intake.nm_frames import _view_in
from osteoscope.dicom.intake.nm_mirror import posterior_side
from osteoscope.dicom.intake.tracer import BONE, MIBG, tracer_of
from osteoscope.dicom.load import IntakeOptions

FRONT, BACK = child(), behind()


def test_two_heads_in_one_object(tmp_path: Path) -> None:
    save(tmp_path, [nm([FRONT, BACK])])
    with reading(tmp_path) as read:
        study = read.study
        assert study.kind == "nm-planar"
        assert np.array_equal(study.images["anterior"].values, FRONT)
        assert np.array_equal(study.images["posterior"].values, BACK)
        assert study.images["posterior"].grid.spacing == (2.4, 2.4)
        assert study.images["posterior"].values.dtype == np.int32
        acquisition = study.acquisition
        assert (acquisition.tracer, acquisition.radionuclide, acquisition.collimator) == (MIBG, "I-123", "LEHR")
        assert acquisition.guessed == ()
        assert [(source.image, source.index) for source in study.sources] == [("anterior", 0), ("posterior", 1)]
        assert {note.level for note in study.intake} == {"accepted"}


def test_views_are_told_by_code_whatever_their_order(tmp_path: Path) -> None:
    save(tmp_path, [nm([BACK, FRONT], ["posterior", "anterior"])])
    with reading(tmp_path) as read:
        assert np.array_equal(read.study.images["anterior"].values, FRONT)
        assert np.array_equal(read.study.images["posterior"].values, BACK)


def test_only_the_photopeak_window_is_read(tmp_path: Path) -> None:
    scatter = np.full_like(FRONT, 3)
    dataset = nm([scatter, scatter, FRONT, BACK], ["anterior", "posterior"])
    dataset.EnergyWindowVector, dataset.DetectorVector = [1, 1, 2, 2], [1, 2, 1, 2]
    dataset.EnergyWindowInformationSequence = Items([energy_window(127, 143), energy_window(143.1, 174.9)])
    save(tmp_path, [dataset])
    with reading(tmp_path) as read:
        assert np.array_equal(read.study.images["anterior"].values, FRONT)
        assert read.says("set_aside", "1 (127-143 keV)", "2 (143.1-174.9 keV)", "159 keV")


@pytest.mark.parametrize("same_series", [True, False])
def test_two_single_frame_objects_are_paired(tmp_path: Path, same_series: bool) -> None:
    front, back = nm([FRONT], ["anterior"]), nm([BACK], ["posterior"])
    back.AcquisitionTime = "101800"
    if not same_series:
        back.SeriesInstanceUID = generate_uid()
    later = nm([FRONT], ["anterior"])
    later.AcquisitionTime = "201500"
    save(tmp_path, [later, back, front])
    with reading(tmp_path) as read:
        assert sorted(tuple(sorted(study.images)) for study in read.studies) == [
            ("anterior",),
            ("anterior", "posterior"),
        ]


def test_views_of_two_patients_are_never_paired(tmp_path: Path) -> None:
    blank = {"StudyInstanceUID": "", "SeriesInstanceUID": ""}
    front, back = (set_fields(nm([c], [v]), blank) for c, v in ((FRONT, "anterior"), (BACK, "posterior")))
    save(tmp_path / "a", [front])
    save(tmp_path / "b", [back])
    front.SOPInstanceUID, back.SOPInstanceUID = generate_uid(), generate_uid()
    save(tmp_path / "c", [front, set_fields(back, {"PatientID": "P2"})])
    with reading(tmp_path) as read:
        assert sorted(list(study.images) for study in read.studies) == [["anterior"]] * 2 + [["posterior"]] * 2


def test_copies_of_an_object_are_set_aside(tmp_path: Path) -> None:
    front, back = nm([FRONT], ["anterior"]), nm([BACK], ["posterior"])
    save(tmp_path / "a", [front, back])
    save(tmp_path / "b", [front, back])
    with reading(tmp_path) as read:
        assert sorted(read.study.images) == ["anterior", "posterior"]
        assert read.says("set_aside", "b/i001.dcm", "a copy of a/i001.dcm")


def test_an_energy_window_that_nothing_tells_is_a_guess(tmp_path: Path) -> None:
    dataset = nm([FRONT, FRONT // 3], ["anterior"])
    dataset.EnergyWindowVector, dataset.DetectorVector = [1, 2], [1, 1]
    del dataset.EnergyWindowInformationSequence
    save(tmp_path, [dataset])
    with reading(tmp_path) as read:
        assert np.array_equal(read.study.images["anterior"].values, FRONT)
        assert read.study.acquisition.guessed == ("energy_window",)
        assert read.says("set_aside", "energy window 2", "a guess")


@pytest.mark.parametrize("limits", [(127, 143), (126, 154)])
def test_a_lone_energy_window_beside_the_peak_is_said(tmp_path: Path, limits: tuple[float, float]) -> None:
    dataset = nm([FRONT, BACK])
    dataset.EnergyWindowInformationSequence = Items([energy_window(*limits)])
    save(tmp_path, [dataset])
    with reading(tmp_path) as read:
        assert read.study.acquisition.guessed == ("energy_window",)
        assert read.says("warning", f"1 ({limits[0]}-{limits[1]} keV) does not hold the peak of I-123 (159 keV)")


def test_missing_view_codes_are_guessed_and_shown(tmp_path: Path) -> None:
    save(tmp_path, [nm([FRONT, BACK], ["", ""])])
    with reading(tmp_path) as read:
        assert np.array_equal(read.study.images["posterior"].values, BACK)
        assert read.study.acquisition.guessed == ("view",)
        assert read.says("warning", "frame 2 does not state its view", "posterior by detector 2")


def test_two_objects_without_any_hint_are_paired_by_order(tmp_path: Path) -> None:
    datasets = [set_fields(nm([counts], [""]), {"InstanceNumber": n}) for n, counts in ((1, FRONT), (2, BACK))]
    save(tmp_path, datasets[::-1])
    with reading(tmp_path) as read:
        assert np.array_equal(read.study.images["anterior"].values, FRONT)
        assert read.says("warning", "taken as posterior as the view that goes with i001.dcm")
    save(tmp_path / "twice", [nm([FRONT], [""]), set_fields(nm([FRONT], [""]), {"InstanceNumber": 2})])
    with reading(tmp_path / "twice") as read:
        assert not read.studies
        assert read.says("refused", "one view twice")


def test_private_names_of_a_camera_tell_the_view(tmp_path: Path) -> None:
    dataset = nm([BACK], [""])
    block = dataset.private_block(0x0011, "GEMS_GENIE_1", create=True)
    block.add_new(0x12, "LO", "WB_POST")
    save(tmp_path, [dataset])
    with reading(tmp_path) as read:
        assert list(read.study.images) == ["posterior"]
        assert read.says("warning", "by its GenieDataset")
        assert "posterior_side" in read.study.acquisition.guessed


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("WB ANT", "anterior"),
        ("Ganzkörper_post", "posterior"),
        ("ANT_POST", ""),
        ("Postoperative", ""),
        ("mIBG WB 24h post injection", ""),
        ("MIBG post-induction", ""),
        ("mIBG 24 h post", ""),
        ("post 131I-mIBG", ""),
        ("WB POST 24h", "posterior"),
        ("post-thérapie face postérieure", "posterior"),
        ("Crane profil", "lateral"),
        ("RAO", "oblique"),
        ("plant", ""),
    ],
)
def test_views_in_words(text: str, view: str) -> None:
    assert _view_in(text) == view


def test_a_time_in_the_description_is_no_view(tmp_path: Path) -> None:
    """As a detector tells the view, "post injection" says nothing of it."""
    datasets = [set_fields(nm([c], [""]), {"SeriesDescription": "mIBG WB 24h post injection"}) for c in (FRONT, BACK)]
    for detector, dataset in enumerate(datasets, start=1):
        dataset.DetectorVector, dataset.EnergyWindowVector = [detector], [1]
    save(tmp_path, datasets)
    with reading(tmp_path) as read:
        assert np.array_equal(read.study.images["anterior"].values, FRONT)
        assert np.array_equal(read.study.images["posterior"].values, BACK)


def test_a_single_frame_states_its_view_without_a_detector_vector(tmp_path: Path) -> None:
    datasets = [nm([BACK], ["posterior"]), nm([FRONT], ["anterior"])]
    for number, dataset in enumerate(datasets, start=1):
        dataset.InstanceNumber = number
        del dataset.DetectorVector
    save(tmp_path, datasets)
    with reading(tmp_path) as read:
        assert np.array_equal(read.study.images["anterior"].values, FRONT)
        assert np.array_equal(read.study.images["posterior"].values, BACK)
        assert "view" not in read.study.acquisition.guessed


def _facing(dataset: Dataset, *rights: str) -> Dataset:
    """Each head with where the right edge of its picture points."""
    for head, right in zip(dataset.DetectorInformationSequence, rights, strict=True):
        head.ImageOrientationPatient = [1 if right == "L" else -1, 0, 0, 0, 0, -1]
    return dataset


def test_a_mirrored_anterior_view_is_told_by_its_header(tmp_path: Path) -> None:
    mirrored_front, mirrored_back = (np.ascontiguousarray(view[:, ::-1]) for view in (FRONT, BACK))
    save(tmp_path / "front", [_facing(nm([mirrored_front, BACK]), "R", "R")])
    save(tmp_path / "both", [_facing(nm([mirrored_front, mirrored_back]), "R", "L")])
    for folder in ("front", "both"):
        with reading(tmp_path / folder) as read:
            assert np.array_equal(read.study.images["anterior"].values, FRONT)
            assert np.array_equal(read.study.images["posterior"].values, BACK)
            assert read.says("repaired", "the anterior view is stored mirrored", "so its header says")
    save(tmp_path / "odd", [_facing(nm([FRONT, BACK]), "R", "R")])
    with reading(tmp_path / "odd") as read:
        assert np.array_equal(read.study.images["anterior"].values, FRONT)
        assert read.says("warning", "header says that the anterior view is stored mirrored")
        assert read.study.acquisition.guessed == ("posterior_side",)
    save(tmp_path / "alone", [_facing(nm([FRONT], ["anterior"]), "R")])
    with reading(tmp_path / "alone") as read:
        assert np.array_equal(read.study.images["anterior"].values, FRONT)
        assert read.says("warning", "no other view bears it out")


def test_a_posterior_view_on_its_head_is_seen_from_behind_once_turned(tmp_path: Path) -> None:
    stored = np.ascontiguousarray(np.rot90(BACK, 2))
    save(tmp_path, [set_fields(nm([stored], ["posterior"]), {"PatientOrientation": ["L", "H"]})])
    with reading(tmp_path) as read:
        assert np.array_equal(read.study.images["posterior"].values, BACK)
        assert read.study.acquisition.guessed == ()


def test_a_mirrored_posterior_view_is_flipped_back_and_said_so(tmp_path: Path) -> None:
    save(tmp_path, [nm([FRONT, np.ascontiguousarray(BACK[:, ::-1])])])
    with reading(tmp_path) as read:
        assert np.array_equal(read.study.images["posterior"].values, BACK)
        assert read.says("repaired", "stored mirrored", "flipped back")
        assert read.study.acquisition.guessed == ("posterior_side",)


@pytest.mark.parametrize("back", [FRONT, np.ascontiguousarray(FRONT[:, ::-1])])
def test_one_picture_given_as_both_views_is_refused(tmp_path: Path, back: NDArray[np.uint16]) -> None:
    save(tmp_path, [nm([FRONT, back])])
    with reading(tmp_path) as read:
        assert not read.studies
        assert read.says("refused", "pixel for pixel: one view twice", "one view alone")


def test_a_symmetric_body_leaves_the_side_open(tmp_path: Path) -> None:
    even = np.minimum(FRONT, FRONT[:, ::-1])
    save(tmp_path, [nm([even, 2 * even])])
    with reading(tmp_path) as read:
        assert read.says("warning", "side of the posterior view cannot be checked")
        assert read.study.acquisition.guessed == ("posterior_side",)


@pytest.mark.parametrize("seed", range(4))
def test_the_side_is_found_in_noise_and_with_heads_a_little_apart(seed: int) -> None:
    noise, size = np.random.default_rng(seed), (512, 128)
    views = (child(size), np.roll(behind(size), seed - 1, axis=1))
    front, back = (noise.poisson(view).astype(np.int32) for view in views)
    assert posterior_side(front, back)[0] == "from behind"
    assert posterior_side(front, back[:, ::-1])[0] == "mirrored"


def test_the_side_of_a_real_scan_is_found(shared: Path) -> None:
    front, back = np.load(shared / "planar/nm_planar/lung_kidney_ant_post.npy").astype(np.int32)
    side, agreement = posterior_side(front, back)
    assert side == "from behind"
    assert agreement == pytest.approx(0.92, abs=0.03)


def test_without_pixel_spacing_positions_are_in_pixels(tmp_path: Path) -> None:
    save(tmp_path, [set_fields(nm([FRONT, BACK]), {"PixelSpacing": None})])
    with reading(tmp_path) as read:
        assert read.study.images["anterior"].grid.unit == "pixel"
        assert read.says("warning", "no pixel spacing")


def test_counts_are_kept_scaled_or_cut_off_as_stated(tmp_path: Path) -> None:
    many = FRONT.copy()
    many[40, 16] = 65535
    save(tmp_path / "large", [nm([many, BACK])])
    with reading(tmp_path / "large") as read:
        assert read.study.images["anterior"].values.max() == 65535
    scaled = set_fields(nm([FRONT, BACK]), {"RescaleSlope": 2, "RescaleIntercept": -10})
    save(tmp_path / "scaled", [scaled])
    with reading(tmp_path / "scaled") as read:
        assert np.array_equal(read.study.images["anterior"].values, np.clip(2 * FRONT.astype(int) - 10, 0, None))
        assert read.says("repaired", "scaled by 2 and shifted by -10")
        assert read.says("repaired", "values below 0 (to -10)", "set to 0")


def test_lossless_jpeg_counts_are_decoded(tmp_path: Path) -> None:
    dataset = nm([FRONT], ["anterior"])
    dataset.compress(JPEGLSLossless, generate_instance_uid=False)
    save(tmp_path, [dataset])
    with reading(tmp_path) as read:
        assert np.array_equal(read.study.images["anterior"].values, FRONT)


def test_a_picture_lying_on_its_side_is_turned_by_its_header_or_refused(tmp_path: Path) -> None:
    lying = np.ascontiguousarray(np.rot90(FRONT))
    save(tmp_path / "told", [set_fields(nm([lying], ["anterior"]), {"PatientOrientation": ["F", "R"]})])
    with reading(tmp_path / "told") as read:
        assert np.array_equal(read.study.images["anterior"].values, FRONT)
        assert read.says("repaired", "head not up")
    save(tmp_path / "untold", [nm([lying], ["anterior"])])
    with reading(tmp_path / "untold") as read:
        assert not read.studies
        assert read.says("refused", "lying on its side", "head up")


def _spots(count: int) -> list[Dataset]:
    square = child((32, 32))
    spots = [nm([square, behind((32, 32))]) for _ in range(count)]
    return [set_fields(spot, {"ImageType": ["ORIGINAL", "PRIMARY", "STATIC", "EMISSION"]}) for spot in spots]


def test_static_spots(tmp_path: Path) -> None:
    save(tmp_path / "one", _spots(1))
    with reading(tmp_path / "one") as read:
        assert read.says("warning", "a single static view")
        assert len(read.studies) == 1
    save(tmp_path / "mosaic", _spots(3))
    with reading(tmp_path / "mosaic") as read:
        assert not read.studies
        assert read.says("refused", "i002.dcm", "one of 3 static spots", "Join the spots")
    save(tmp_path / "beside", [*_spots(2), nm([FRONT, BACK])])
    with reading(tmp_path / "beside") as read:
        assert read.study.images["anterior"].grid.shape == FRONT.shape
        assert read.says("set_aside", "i001.dcm", "a static spot", "sweep is read")


def test_lateral_views_are_set_aside(tmp_path: Path) -> None:
    dataset = nm([FRONT, BACK, FRONT])
    lateral = Dataset()
    lateral.ViewCodeSequence = Items([Dataset()])
    lateral.ViewCodeSequence[0].CodeValue = "G-5223"
    dataset.DetectorInformationSequence.append(lateral)
    save(tmp_path, [dataset])
    with reading(tmp_path) as read:
        assert sorted(read.study.images) == ["anterior", "posterior"]
        assert read.says("set_aside", "frame 3 is a left lateral view")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ImageType": ["ORIGINAL", "PRIMARY", "TOMO", "EMISSION"]}, "projections of a SPECT"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "DYNAMIC", "EMISSION"]}, "dynamic"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "GATED", "EMISSION"]}, "gated"),
        ({"FrameIncrementPointer": 0x00540080}, "reconstructed SPECT"),
        ({"FrameIncrementPointer": [0x00540010, 0x00540030, 0x00540100]}, "dynamic"),
        ({"FrameIncrementPointer": [0x00540010, 0x00540020, 0x00540050]}, "projections of a SPECT"),
        ({"FrameIncrementPointer": 0x00181063}, "00181063"),
    ],
)
def test_what_is_not_planar_is_refused_by_what_it_is(tmp_path: Path, change: dict[str, object], words: str) -> None:
    save(tmp_path, [set_fields(nm([FRONT, BACK]), change)])
    with reading(tmp_path) as read:
        assert not read.scan.candidates
        assert read.says("refused", "i000.dcm", words)


@pytest.mark.parametrize(
    ("frames", "words"),
    [([np.zeros_like(FRONT), BACK], "no counts at all"), ([FRONT, np.zeros_like(FRONT)], "frame 2 (posterior)")],
)
def test_a_view_without_counts_is_refused(tmp_path: Path, frames: list[NDArray[np.uint16]], words: str) -> None:
    save(tmp_path, [nm(frames)])
    with reading(tmp_path) as read:
        assert not read.studies
        assert read.says("refused", "i000.dcm", words)


def test_a_colour_screenshot_is_refused(tmp_path: Path) -> None:
    dataset = nm([FRONT], ["anterior"])
    put_pixels(dataset, np.zeros((64, 32), np.uint8))
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "RGB", 0
    dataset.PixelData = bytes(64 * 32 * 3)
    save(tmp_path, [dataset])
    with reading(tmp_path) as read:
        assert read.says("refused", "i000.dcm", "colour screenshot")


def test_a_grey_screenshot_is_refused(tmp_path: Path) -> None:
    dataset = set_fields(nm([FRONT], ["anterior"]), {"SOPClassUID": SecondaryCaptureImageStorage})
    put_pixels(dataset, FRONT.astype(np.uint8))
    save(tmp_path, [dataset])
    with reading(tmp_path) as read:
        assert not read.studies
        assert read.says("refused", "secondary capture of 8 bits", "grey values are no counts", "original NM object")


def test_counts_in_a_secondary_capture_are_read_with_a_warning(tmp_path: Path) -> None:
    save(tmp_path, [set_fields(nm([FRONT, BACK]), {"SOPClassUID": SecondaryCaptureImageStorage})])
    with reading(tmp_path) as read:
        assert read.study.acquisition.tracer == MIBG
        assert read.says("warning", "secondary capture")


def test_the_reader_may_insist_on_a_tracer(tmp_path: Path) -> None:
    dataset = nm([FRONT, BACK])
    del dataset.RadiopharmaceuticalInformationSequence
    save(tmp_path, [dataset])
    for word in (MIBG, "MIBG", "iobenguane"):
        with reading(tmp_path, IntakeOptions(tracer=word)) as read:
            assert read.study.acquisition.tracer == MIBG
            assert read.says("warning", "insists on mIBG", "header says nothing")
    with reading(tmp_path) as read:
        assert read.study.acquisition.tracer == ""
        assert read.study.acquisition.guessed == ("radionuclide",)


def _drug(drug: dict[str, str], nuclide: dict[str, str], text: str = "") -> dict[str, object]:
    item = {
        "RadiopharmaceuticalCodeSequence": [drug],
        "RadionuclideCodeSequence": [nuclide],
        "Radiopharmaceutical": text,
    }
    return {"RadiopharmaceuticalInformationSequence": [item]}


def _with_note(words: str) -> Callable[[tuple[tuple[str, str], ...]], bool]:
    return lambda problems: any(words in f"{problem} {action}" for problem, action in problems)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (_drug({"CodeValue": "395787009"}, {}), (MIBG, "I-123", ())),
        (_drug({"CodeValue": "C-B112D"}, {}), (MIBG, "I-131", ())),
        (_drug({}, {"CodeValue": "C-114A4"}, "Iobenguane [123I]"), (MIBG, "I-123", ())),
        (_drug({"CodeMeaning": "Technetium Tc99m oxidronate"}, {}), (BONE, "Tc-99m", ())),
        (_drug({}, {"CodeMeaning": "^99m^Technetium"}, "HDP"), (BONE, "Tc-99m", ())),
        (_drug({}, {"CodeValue": "72454006"}, "Pertechnetate"), ("Pertechnetate", "Tc-99m", ())),
        ({"StudyDescription": "123I-MIBG 24h"}, (MIBG, "I-123", ("radionuclide", "tracer"))),
        (
            {"StudyDescription": "Scintigraphie osseuse", **_drug({}, {"CodeValue": "72454006"})},
            (BONE, "Tc-99m", ("tracer",)),
        ),
        ({"StudyDescription": "MIBG", **_drug({}, {"CodeValue": "72454006"})}, ("", "Tc-99m", ())),
        ({"StudyDescription": "Whole body"}, ("", "", ())),
    ],
)
def test_tracers(fields: dict[str, object], expected: tuple[str, str, tuple[str, ...]]) -> None:
    tracer = tracer_of(Header(fields))
    assert (tracer.name, tracer.radionuclide, tracer.guessed) == expected
    assert bool(tracer.problems) == bool(tracer.guessed) or _with_note("left unknown")(tracer.problems)
