"""TID 1500 reports read back with highdicom: measures, intervals, regions, identity; dciodvfy finds no error."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
import pytest
from examples import Example, ct, empty, grid_of, planar
from files import on_disk, validator_errors
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.path import Path as Outline
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import SegmentationStorage
from scipy.ndimage import binary_fill_holes

from osteoscope.dicom.outline import Frame, outlines
from osteoscope.dicom.seg import write_seg
from osteoscope.dicom.sr import write_sr
from osteoscope.domain.anatomy import site
from osteoscope.domain.finding import Finding, Measure, Part, Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import Reader, StudyRecord
from osteoscope.errors import OutputError

SMALL = grid_of((10.0, 6.0, 6.0))


def written(example: Example, path: Path) -> Any:
    write_sr(example.case, example.reading, path)
    assert validator_errors(path) == []
    report = hd.sr.srread(path)
    assert referred(report) <= {str(row[2]) for row in report.get_evidence()}
    return report


def referred(node: Dataset) -> set[str]:
    """Instances that a content tree refers to."""
    here = {str(item.ReferencedSOPInstanceUID) for item in node.get("ReferencedSOPSequence", [])}
    return here.union(*(referred(child) for child in node.get("ContentSequence", [])))


def values(group: Any) -> list[tuple[str, float, str]]:
    return [(m.name.meaning, m.value, m.unit.value) for m in group.get_measurements()]


def items(node: Dataset, meaning: str) -> list[Dataset]:
    """Content items of that concept name anywhere below a node."""
    children = list(node.get("ContentSequence", []))
    here = [c for c in children if c.ConceptNameCodeSequence[0].CodeMeaning == meaning]
    return here + [found for child in children for found in items(child, meaning)]


def inside(polygon: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Pixels whose centre, half a pixel from its corner (PS3.3 C.18.6.1.2), lies in the polygon."""
    rows, columns = np.indices(shape)
    centres = np.column_stack([columns.ravel() + 0.5, rows.ravel() + 0.5])
    return np.asarray(Outline(polygon).contains_points(centres)).reshape(shape)


def test_volumes_refer_to_the_segments(tmp_path: Path) -> None:
    example = on_disk(ct(SMALL), tmp_path / "ct")
    report = written(example, tmp_path / "sr.dcm")
    write_seg(example.case, example.reading, tmp_path / "seg.dcm")
    segmentation = hd.seg.segread(tmp_path / "seg.dcm")
    groups = report.content.get_volumetric_roi_measurement_groups()
    assert len(groups) == 3
    for number, (group, finding) in enumerate(zip(groups, example.reading.findings, strict=True), start=1):
        segment = segmentation.get_segment_description(number)
        assert (group.tracking_identifier, group.tracking_uid) == (finding.id, segment.tracking_uid)
        referred = group.referenced_segment
        assert referred.referenced_sop_instance_uid == segmentation.SOPInstanceUID
        assert [i.ReferencedSegmentNumber for i in referred[0].ReferencedSOPSequence] == [number]
        volume, long_axis = finding.measures[:2]
        assert values(group) == [
            ("Volume", volume.value, "mL"),
            ("Long axis", long_axis.value, "mm"),
            ("Mean Attenuation Coefficient", 412.25, "[hnsf'U]"),
            ("Confidence", finding.confidence, "1"),
        ]
        kind = group.get_qualitative_evaluations()[0]
        assert (kind.name.meaning, kind.value.value) == ("Kind of finding", finding.kind)
    assert segmentation.SOPInstanceUID in {str(uid) for row in report.get_evidence() for uid in row}


def test_without_a_segmentation_none_is_referred_to(tmp_path: Path) -> None:
    example = on_disk(ct(SMALL), tmp_path / "ct")
    for source in example.case.study.sources:
        header = pydicom.dcmread(source.path)
        header.FrameOfReferenceUID = None
        header.save_as(source.path)
    write_sr(example.case, example.reading, tmp_path / "sr.dcm", segmented=False)
    assert validator_errors(tmp_path / "sr.dcm") == []
    report: Any = hd.sr.srread(tmp_path / "sr.dcm")
    assert referred(report) == set()
    assert SegmentationStorage not in {row[3] for row in report.get_evidence()}
    assert report.content.get_volumetric_roi_measurement_groups() == []
    groups = {g.tracking_identifier: g for g in report.content.get_image_measurement_groups()}
    for finding in example.reading.findings:
        said = groups[finding.id]
        assert values(said)[0] == ("Volume", finding.measures[0].value, "mL")
        assert said.get_qualitative_evaluations()[0].value.value == finding.kind
        assert said.finding_sites[0].value.value == site(finding.site).code


def test_a_report_without_segments_is_another_instance_than_one_with_them(tmp_path: Path) -> None:
    example = on_disk(ct(SMALL, 1), tmp_path / "ct")
    for name, segmented in (("with", True), ("again", True), ("without", False), ("nothing", False)):
        said = empty(example).reading if name == "nothing" else example.reading
        write_sr(example.case, said, tmp_path / f"{name}.dcm", segmented=segmented)
    write_sr(example.case, empty(example).reading, tmp_path / "nothing again.dcm")
    uid = {path.stem: str(pydicom.dcmread(path).SOPInstanceUID) for path in tmp_path.glob("*.dcm")}
    assert uid["with"] == uid["again"]
    assert uid["nothing"] == uid["nothing again"]
    assert len(set(uid.values())) == 3


def test_sites_carry_their_side(tmp_path: Path) -> None:
    report = written(on_disk(ct(SMALL), tmp_path / "ct"), tmp_path / "sr.dcm")
    hip = report.content.get_volumetric_roi_measurement_groups()[1].finding_sites[0]
    assert (hip.value.value, hip.value.scheme_designator, hip.laterality.meaning) == ("29836001", "SCT", "Left")


def test_intervals_are_uncertainties_in_the_unit_of_the_measure(tmp_path: Path) -> None:
    example = on_disk(ct(SMALL), tmp_path / "ct")
    written(example, tmp_path / "sr.dcm")
    measure = example.reading.findings[0].measures[0]
    assert measure.interval is not None
    volume = items(pydicom.dcmread(tmp_path / "sr.dcm"), "Volume")[0]
    for sign, distance in (
        ("+, range", measure.interval[1] - measure.value),
        ("-, range", measure.value - measure.interval[0]),
    ):
        kind = "upper" if sign[0] == "+" else "lower"
        found = items(volume, f"{sign} of {kind} measurement uncertainty")[0].MeasuredValueSequence[0]
        assert float(found.NumericValue) == pytest.approx(distance)
        assert found.MeasurementUnitsCodeSequence[0].CodeValue == "mL"


@pytest.mark.parametrize("views", [("anterior", "posterior"), ("posterior",)], ids=["both", "one"])
def test_planar_findings_are_outlined_on_their_frame(tmp_path: Path, views: tuple[str, ...]) -> None:
    example = on_disk(planar(views), tmp_path / "nm")
    report = written(example, tmp_path / "sr.dcm")
    groups = report.content.get_planar_roi_measurement_groups()
    parts = [(finding, part) for finding in example.reading.findings for part in finding.region.parts]
    assert len(groups) == len(parts)
    for group, (finding, part) in zip(groups, parts, strict=True):
        region = group.roi
        reference = region.ContentSequence[0].ReferencedSOPSequence[0]
        assert reference.get("ReferencedFrameNumber", 1) == views.index(part.image) + 1
        assert reference.ReferencedSOPInstanceUID == example.case.study.sources[0].sop_instance_uid
        shape = example.case.study.images[part.image].grid.shape
        assert np.array_equal(inside(region.value, (shape[0], shape[1])), part.full(shape))
        assert group.tracking_identifier == finding.id


def test_measures_of_a_focus_seen_twice_stand_once(tmp_path: Path) -> None:
    report = written(on_disk(planar(), tmp_path / "nm"), tmp_path / "sr.dcm")
    skull = [g for g in report.content.get_planar_roi_measurement_groups() if g.tracking_identifier == "focus-1"]
    assert [len(g.get_measurements()) for g in skull] == [2, 0]
    assert skull[0].tracking_uid == skull[1].tracking_uid


def test_scores_per_segment_and_totals(tmp_path: Path) -> None:
    example = on_disk(planar(), tmp_path / "nm")
    report = written(example, tmp_path / "sr.dcm")
    groups = {g.tracking_identifier: g for g in report.content.get_image_measurement_groups()}
    assert values(groups["proximal_lower_limb_right"]) == [("Siopen", 4, "{score}")]
    assert values(groups["femurs"]) == [("Curie", 3, "{score}")]
    assert {name for name, *_ in values(groups["study"])} == {"Siopen total", "Curie total"}
    absent = groups["distal_lower_limb_left"]
    assert absent.get_measurements() == []
    assert absent.get_qualitative_evaluations()[0].value.value == "not_acquired"
    name = items(pydicom.dcmread(tmp_path / "sr.dcm"), "Siopen")[0].ConceptNameCodeSequence[0]
    assert (name.CodeValue, name.CodingSchemeDesignator) == ("siopen", "99OSTEOSCOPE")


@pytest.mark.parametrize("repair", [lambda v: v, lambda v: 2 * v, lambda v: np.maximum(v, 3)], ids=["", "x2", "clip"])
def test_view_mirrored_at_intake_is_outlined_where_the_file_has_it(tmp_path: Path, repair: Any) -> None:
    example = on_disk(planar(("posterior",)), tmp_path / "nm")
    image = example.case.study.images["posterior"]
    columns = image.grid.shape[1]
    turned = Image(image.grid, repair(image.values[:, ::-1]), "counts")
    findings = example.reading.findings
    moved = tuple(replace(f, region=Region((mirrored(f.region.parts[0], columns),))) for f in findings)
    case = replace(example.case, study=replace(example.case.study, images={"posterior": turned}))
    reading = replace(example.reading, study=StudyRecord.of(case.study), findings=moved, set_aside=())
    report = written(Example(case, reading), tmp_path / "sr.dcm")
    for group, finding in zip(report.content.get_planar_roi_measurement_groups(), findings, strict=True):
        expected = finding.region.parts[0].full(image.grid.shape)
        assert np.array_equal(inside(group.roi.value, (expected.shape[0], columns)), expected)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_view_turned_at_intake_is_outlined_where_the_file_has_it(tmp_path: Path, turns: int) -> None:
    example = on_disk(planar(("posterior",)), tmp_path / "nm")
    image = example.case.study.images["posterior"]
    shown = np.ascontiguousarray(np.rot90(image.values, turns))
    turned = Image(Grid.planar(shown.shape, None, "posterior"), shown, "counts")
    findings = example.reading.findings
    masks = [np.rot90(f.region.parts[0].full(image.grid.shape), turns) for f in findings]
    moved = tuple(
        replace(f, region=Region((Part.from_mask("posterior", mask),))) for f, mask in zip(findings, masks, strict=True)
    )
    case = replace(example.case, study=replace(example.case.study, images={"posterior": turned}))
    reading = replace(example.reading, study=StudyRecord.of(case.study), findings=moved, set_aside=())
    report = written(Example(case, reading), tmp_path / "sr.dcm")
    for group, finding in zip(report.content.get_planar_roi_measurement_groups(), findings, strict=True):
        expected = finding.region.parts[0].full(image.grid.shape)
        assert np.array_equal(inside(group.roi.value, expected.shape), expected)


def mirrored(part: Part, columns: int) -> Part:
    row, column = part.offset
    return Part(part.image, (row, columns - column - part.mask.shape[1]), part.mask[:, ::-1])


def test_a_view_that_is_not_the_files_is_refused(tmp_path: Path) -> None:
    example = on_disk(planar(("anterior",)), tmp_path / "nm")
    image = example.case.study.images["anterior"]
    other = Image(image.grid, np.roll(image.values, 9, axis=0), "counts")
    case = replace(example.case, study=replace(example.case.study, images={"anterior": other}))
    with pytest.raises(OutputError, match="anterior view is unlike frame 1"):
        write_sr(case, example.reading, tmp_path / "sr.dcm")


@pytest.mark.parametrize(
    ("reader", "who"),
    [
        (Reader("person", "Noether^Emmy"), ("Person Observer Name", "Noether^Emmy")),
        (
            Reader("program", "osteoscope ct-baseline", "0.1.0"),
            ("Device Observer Name", "osteoscope ct-baseline 0.1.0"),
        ),
    ],
    ids=["person", "program"],
)
def test_the_observer_is_named(tmp_path: Path, reader: Reader, who: tuple[str, str]) -> None:
    example = on_disk(ct(SMALL), tmp_path / "ct")
    written(Example(example.case, replace(example.reading, reader=reader)), tmp_path / "sr.dcm")
    item = items(pydicom.dcmread(tmp_path / "sr.dcm"), who[0])[0]
    assert str(item.get("PersonName", item.get("TextValue"))) == who[1]


@pytest.mark.parametrize("make", [ct, planar])
def test_an_empty_reading_is_still_a_report(tmp_path: Path, make: Any) -> None:
    example = on_disk(empty(make()), tmp_path / "source")
    report = written(example, tmp_path / "sr.dcm")
    only = report.content.get_image_measurement_groups()
    assert [(g.tracking_identifier, g.get_measurements()) for g in only] == [("study", [])]
    assert only[0].get_qualitative_evaluations()[0].value.value == "not_assessable"
    assert report.ContentQualification == "RESEARCH"
    assert "research use only" in report.SeriesDescription


@pytest.fixture
def far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A place whose clocks are 14 hours ahead of UTC."""
    with monkeypatch.context() as there:
        there.setenv("TZ", "LINT-14")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("far_east")
def test_the_time_of_reading_is_that_of_the_place(tmp_path: Path) -> None:
    example = on_disk(planar(), tmp_path / "nm")
    assert example.reading.provenance.started == "2024-03-06T10:20:30+00:00"
    written(example, tmp_path / "sr.dcm")
    report = pydicom.dcmread(tmp_path / "sr.dcm")
    assert (report.ContentDate, report.ContentTime[:6]) == ("20240307", "002030")


def test_sources_without_dicom_are_refused(tmp_path: Path) -> None:
    example = planar()
    with pytest.raises(OutputError, match="not read from DICOM files"):
        write_sr(example.case, example.reading, tmp_path / "sr.dcm")


@given(arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))), st.booleans())
def test_outlines_hold_the_pixels_of_the_mask(mask: NDArray[np.bool_], turned: bool) -> None:
    if not mask.any():
        return
    part = Part.from_mask("anterior", np.pad(mask, 2))
    shape = (mask.shape[0] + 4, mask.shape[1] + 4)
    frame = Frame(Dataset(), None, 0, turned, shape)
    found = np.zeros(shape, dtype=bool)
    for _, polygon in outlines(Region((part,)), {"anterior": frame}):
        found |= inside(polygon, shape)
    expected = filled(part.full(shape))
    assert np.array_equal(found[:, ::-1] if turned else found, expected)


def filled(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask with what it encloses; a background that touches only by corners is enclosed."""
    return np.asarray(binary_fill_holes(mask))


def test_kinds_of_measures_without_a_standard_code_are_kept(tmp_path: Path) -> None:
    example = on_disk(ct(SMALL, 1), tmp_path / "ct")
    finding: Finding = example.reading.findings[0]
    odd = Measure("cortical_contact_length_of_all", 3.5, "mm2", "a method of more than sixty-four characters, " * 3)
    reading = replace(example.reading, findings=(replace(finding, measures=(odd,)),))
    report = written(Example(example.case, reading), tmp_path / "sr.dcm")
    group = report.content.get_volumetric_roi_measurement_groups()[0]
    assert values(group)[0] == ("Cortical contact length of all", 3.5, "mm2")
