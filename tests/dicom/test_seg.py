"""Segmentations read back: masks on the right slices, geometry, identity; dciodvfy finds no error."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
import pytest
from examples import Example, ct, empty, grid_of, planar
from files import on_disk, source_of, validator_errors, with_sources
from highdicom.legacy import LegacyConvertedEnhancedCTImage
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from osteoscope.deliver.review.draft import Ground
from osteoscope.deliver.review.edits import Person, edited
from osteoscope.dicom.derived import SOFTWARE_VERSION
from osteoscope.dicom.seg import write_bones_seg, write_seg
from osteoscope.domain.finding import Part, Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.errors import OutputError

SMALL = grid_of((10.0, 6.0, 6.0))
PROGRAM = ("osteoscope", SOFTWARE_VERSION)


def reversed_slices() -> Grid:
    matrix = SMALL.matrix.copy()
    matrix[:3, 3] = SMALL.to_position((SMALL.shape[0] - 1, 0, 0))
    matrix[:3, 0] *= -1
    return Grid.from_matrix(SMALL.shape, matrix)


def masks(segmentation: Dataset, grid: Grid) -> dict[int, NDArray[np.bool_]]:
    """Masks by segment number, each frame placed by its own position alone."""
    found: dict[int, NDArray[np.bool_]] = {}
    frames = np.atleast_3d(segmentation.pixel_array).reshape(-1, segmentation.Rows, segmentation.Columns)
    shared = segmentation.SharedFunctionalGroupsSequence[0]
    for pixels, group in zip(frames, segmentation.PerFrameFunctionalGroupsSequence, strict=True):
        index = grid.to_index(np.asarray(group.PlanePositionSequence[0].ImagePositionPatient, dtype=float))
        assert np.abs(index - [round(index[0]), 0, 0]).max() < 1e-3
        holder = group if "SegmentIdentificationSequence" in group else shared
        number = int(holder.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
        found.setdefault(number, np.zeros(grid.shape, dtype=bool))[round(index[0])] = pixels
    return found


def checked(path: Path, parts: list[Part], grid: Grid) -> Dataset:
    segmentation = pydicom.dcmread(path)
    found = masks(segmentation, grid)
    assert sorted(found) == list(range(1, len(parts) + 1))
    for number, part in enumerate(parts, start=1):
        assert np.array_equal(found[number], part.full(grid.shape))
    return segmentation


def parts_of(example: Example) -> list[Part]:
    return [finding.region.parts[0] for finding in example.reading.findings]


@pytest.mark.parametrize(
    "grid", [SMALL, grid_of((9.0, 6.0, 6.0), 0.3), reversed_slices()], ids=["axial", "oblique", "reversed"]
)
def test_every_mask_lies_on_its_slices(tmp_path: Path, grid: Grid) -> None:
    example = on_disk(ct(grid), tmp_path / "ct")
    write_seg(example.case, example.reading, tmp_path / "seg.dcm")
    segmentation = checked(tmp_path / "seg.dcm", parts_of(example), grid)
    assert validator_errors(tmp_path / "seg.dcm") == []
    source = pydicom.dcmread(example.case.study.sources[0].path)
    assert segmentation.FrameOfReferenceUID == source.FrameOfReferenceUID
    assert (segmentation.PatientID, segmentation.StudyInstanceUID) == (source.PatientID, source.StudyInstanceUID)
    assert segmentation.SeriesInstanceUID != source.SeriesInstanceUID
    assert segmentation.ContentQualification == "RESEARCH"
    assert "Research use only" in segmentation.ContentDescription
    assert (segmentation.Manufacturer, segmentation.SoftwareVersions[:2]) == ("Osteoscope", "0.")


def test_frames_name_the_slice_they_were_drawn_on(tmp_path: Path) -> None:
    example = on_disk(ct(SMALL), tmp_path / "ct")
    write_seg(example.case, example.reading, tmp_path / "seg.dcm")
    slices = {source.sop_instance_uid: source.index for source in example.case.study.sources}
    for group in pydicom.dcmread(tmp_path / "seg.dcm").PerFrameFunctionalGroupsSequence:
        named = group.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        position = np.asarray(group.PlanePositionSequence[0].ImagePositionPatient, dtype=float)
        assert slices[named] == round(SMALL.to_index(position)[0])


def test_segments_say_what_and_where(tmp_path: Path) -> None:
    example = on_disk(ct(SMALL), tmp_path / "ct")
    write_seg(example.case, example.reading, tmp_path / "seg.dcm")
    segmentation = hd.seg.segread(tmp_path / "seg.dcm")
    second = segmentation.get_segment_description(2)
    assert (second.tracking_id, second.segment_label) == ("lesion-2", "2 blastic left hip bone")
    region = second.AnatomicRegionSequence[0]
    assert (region.CodeValue, region.AnatomicRegionModifierSequence[0].CodeMeaning) == ("29836001", "Left")
    assert "AnatomicRegionModifierSequence" not in segmentation.get_segment_description(1).AnatomicRegionSequence[0]
    assert second.algorithm_identification is not None
    assert second.algorithm_identification.name == "osteoscope example"
    uids = [segmentation.get_segment_description(n).tracking_uid for n in (1, 2, 3)]
    assert len(set(uids)) == 3


@pytest.mark.parametrize("corrected", [True, False])
def test_segments_of_a_person_say_what_the_program_did(tmp_path: Path, corrected: bool) -> None:
    example = on_disk(ct(SMALL), tmp_path / "ct")
    signed = edited(example.reading, [], Person("Noether^Emmy"), Ground())
    alone = replace(example.reading, reader=signed.reader)
    reading, lesions = (signed, ("SEMIAUTOMATIC", *PROGRAM)) if corrected else (alone, ("MANUAL", None, None))
    write_seg(example.case, reading, tmp_path / "lesions.dcm")
    write_bones_seg(example.case, reading, tmp_path / "bones.dcm")
    assert {drawn(item) for item in pydicom.dcmread(tmp_path / "lesions.dcm").SegmentSequence} == {lesions}
    bones = {drawn(item) for item in pydicom.dcmread(tmp_path / "bones.dcm").SegmentSequence}
    assert bones == {("AUTOMATIC", *PROGRAM)}
    assert validator_errors(tmp_path / "lesions.dcm") == []


def drawn(segment: Dataset) -> tuple[str | None, ...]:
    """How, and by which algorithm of which version."""
    (said,) = segment.get("SegmentationAlgorithmIdentificationSequence") or [Dataset()]
    return segment.SegmentAlgorithmType, said.get("AlgorithmName"), said.get("AlgorithmVersion")


def test_volume_resampled_at_intake_keeps_its_own_geometry(tmp_path: Path) -> None:
    source = on_disk(ct(SMALL), tmp_path / "ct")
    resampled = with_sources(ct(grid_of((7.0, 5.0, 5.0))), source.case.study.sources)
    write_seg(resampled.case, resampled.reading, tmp_path / "seg.dcm")
    segmentation = checked(tmp_path / "seg.dcm", parts_of(resampled), resampled.case.study.images["ct"].grid)
    first = pydicom.dcmread(source.case.study.sources[0].path)
    assert segmentation.FrameOfReferenceUID == first.FrameOfReferenceUID
    assert segmentation.ReferencedSeriesSequence[0].SeriesInstanceUID == first.SeriesInstanceUID
    assert validator_errors(tmp_path / "seg.dcm") == []


@pytest.mark.parametrize("grid", [SMALL, grid_of((10.0, 7.0, 8.0))], ids=["whole bytes", "odd bits"])
def test_overlapping_findings_are_both_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, grid: Grid) -> None:
    example = on_disk(ct(grid), tmp_path / "ct")
    first, second, third = example.reading.findings
    grown = np.zeros(grid.shape, dtype=bool)
    grown[first.region.parts[0].box] = True
    wider = replace(second, region=Region((Part.from_mask("ct", grown),)))
    overlapping = Example(example.case, replace(example.reading, findings=(first, wider, third)))
    axes: set[int] = set()

    class Counted(hd.Volume):
        def __init__(self, array: NDArray[np.uint16], *others: Any, **more: Any) -> None:
            axes.add(array.ndim)
            super().__init__(array, *others, **more)

    monkeypatch.setattr(hd, "Volume", Counted)
    write_seg(overlapping.case, overlapping.reading, tmp_path / "seg.dcm")
    assert axes == {3}, "a stack of all masks grows with their number"
    segmentation = checked(tmp_path / "seg.dcm", parts_of(overlapping), grid)
    assert segmentation.SegmentsOverlap == "YES"
    assert validator_errors(tmp_path / "seg.dcm") == []
    indices = [tuple(g.FrameContentSequence[0].DimensionIndexValues) for g in frames_of(segmentation)]
    assert indices == sorted(set(indices))
    assert [frame[0] for frame in indices] == [
        int(g.SegmentIdentificationSequence[0].ReferencedSegmentNumber) for g in frames_of(segmentation)
    ]


def frames_of(segmentation: Dataset) -> list[Dataset]:
    return list(segmentation.PerFrameFunctionalGroupsSequence)


def test_bones_are_deflated_and_complete(tmp_path: Path) -> None:
    example = on_disk(ct(SMALL), tmp_path / "ct")
    write_bones_seg(example.case, example.reading, tmp_path / "bones.dcm")
    regions = [mapped.region for mapped in example.case.mapped]
    segmentation = checked(tmp_path / "bones.dcm", [region.parts[0] for region in regions if region], SMALL)
    left = segmentation.SegmentSequence[-1]
    assert (left.SegmentLabel, left.SegmentedPropertyTypeCodeSequence[0].CodeValue) == ("hip_left", "29836001")
    # dciodvfy of Debian does not read deflated files: the same content is checked inflated.
    segmentation.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    segmentation.save_as(tmp_path / "inflated.dcm")
    assert validator_errors(tmp_path / "inflated.dcm") == []


def test_enhanced_ct_source(tmp_path: Path) -> None:
    plain = on_disk(ct(SMALL), tmp_path / "ct")
    slices = [pydicom.dcmread(source.path) for source in plain.case.study.sources]
    enhanced = LegacyConvertedEnhancedCTImage(slices, "2.25.11", 5, "2.25.12", 1)
    enhanced.save_as(tmp_path / "enhanced.dcm")
    example = with_sources(plain, (source_of(tmp_path / "enhanced.dcm", "ct", None),))
    write_seg(example.case, example.reading, tmp_path / "seg.dcm")
    checked(tmp_path / "seg.dcm", parts_of(example), SMALL)
    assert validator_errors(tmp_path / "seg.dcm") == []


def test_slices_whose_orientations_differ_in_the_last_digit(tmp_path: Path) -> None:
    example = on_disk(ct(SMALL), tmp_path / "ct")
    header = pydicom.dcmread(example.case.study.sources[3].path)
    header.ImageOrientationPatient = [1, 0.000001, 0, -0.000001, 1, 0]
    header.save_as(example.case.study.sources[3].path)
    write_seg(example.case, example.reading, tmp_path / "seg.dcm")
    checked(tmp_path / "seg.dcm", parts_of(example), SMALL)


@pytest.mark.parametrize(
    ("charset", "name"),
    [("", "PSEUDONYM-1"), ("ISO_IR 100", "Müller^Jörg"), (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎")],
    ids=["default", "latin", "japanese"],
)
def test_sparse_and_odd_headers_are_completed(tmp_path: Path, charset: str | list[str], name: str) -> None:
    example = on_disk(ct(SMALL), tmp_path / "ct")
    for source in example.case.study.sources:
        header = pydicom.dcmread(source.path)
        del header.PatientBirthDate, header.AccessionNumber, header.StudyID
        header.PatientSex, header.PatientName = "U", name
        header.SpecificCharacterSet = charset
        header.save_as(source.path)
    write_seg(example.case, example.reading, tmp_path / "seg.dcm")
    assert str(pydicom.dcmread(tmp_path / "seg.dcm").PatientName) == name
    assert validator_errors(tmp_path / "seg.dcm") == []


def test_sources_without_uids_are_named(tmp_path: Path) -> None:
    example = on_disk(ct(SMALL), tmp_path / "ct")
    source = example.case.study.sources[2]
    header = pydicom.dcmread(source.path)
    header.SeriesInstanceUID = ""
    header.save_as(source.path)
    with pytest.raises(OutputError, match=rf"source {source.path.name} states no SeriesInstanceUID"):
        write_seg(example.case, example.reading, tmp_path / "seg.dcm")


def test_two_frames_of_reference_are_refused(tmp_path: Path) -> None:
    example = on_disk(ct(SMALL), tmp_path / "ct")
    header = pydicom.dcmread(example.case.study.sources[3].path)
    header.FrameOfReferenceUID = "2.25.5"
    header.save_as(example.case.study.sources[3].path)
    with pytest.raises(OutputError, match=r"frames of reference .*2\.25\.5"):
        write_seg(example.case, example.reading, tmp_path / "seg.dcm")


@pytest.mark.parametrize(
    ("example", "found"),
    [
        (ct(SMALL), "not read from DICOM files"),
        (planar(), "a nm-planar study"),
        (empty(ct(SMALL)), "nothing to segment"),
    ],
)
def test_what_cannot_be_segmented_says_so(tmp_path: Path, example: Example, found: str) -> None:
    with pytest.raises(OutputError, match=found):
        write_seg(example.case, example.reading, tmp_path / "seg.dcm")


def test_a_sheared_grid_is_refused(tmp_path: Path) -> None:
    example = on_disk(ct(SMALL), tmp_path / "ct")
    matrix = SMALL.matrix.copy()
    matrix[1, 0] = 3.0
    image = example.case.study.images["ct"]
    sheared = Image(Grid.from_matrix(SMALL.shape, matrix), image.values, "HU")
    study = replace(example.case.study, images={"ct": sheared})
    with pytest.raises(OutputError, match="write DICOM Segmentation"):
        write_seg(replace(example.case, study=study), example.reading, tmp_path / "seg.dcm")


def test_same_reading_same_identity(tmp_path: Path) -> None:
    example = on_disk(ct(SMALL), tmp_path / "ct")
    changed = replace(example.reading, findings=example.reading.findings[:2], sites=())
    uids = []
    for n, reading in enumerate((example.reading, replace(example.reading, gaps=()), changed)):
        write_seg(example.case, reading, tmp_path / f"{n}.dcm")
        uids.append(pydicom.dcmread(tmp_path / f"{n}.dcm").SOPInstanceUID)
    assert uids[0] == uids[1] != uids[2]
