"""A Reading as a Comprehensive 3D SR after template TID 1500 (PS3.16).

Volumes refer to the segments of `seg.write_seg` (TID 1411), where there are any; planar findings carry their outline
on the source frame (TID 1410). A measure's interval is written as its upper and lower range of
uncertainty (TID 310), in the unit of the measure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import (
    CodedConcept,
    Comprehensive3DSR,
    FindingSite,
    ImageRegion,
    Measurement,
    MeasurementProperties,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    ReferencedSegment,
    SourceImageForRegion,
    SourceSeriesForSegmentation,
    TrackingIdentifier,
    VolumetricROIMeasurementsAndQualitativeEvaluations,
)
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from osteoscope.dicom import seg
from osteoscope.dicom.codes import (
    FINDING_TYPES,
    KIND_OF_FINDING,
    PROCEDURES,
    STATUS,
    measure_code,
    method_code,
    named_code,
    unit_code,
)
from osteoscope.dicom.derived import (
    MANUFACTURER,
    MODEL,
    PRIVATE_SCHEME,
    REPORT,
    RESEARCH_USE,
    SOFTWARE_VERSION,
    build,
    content_key,
    identity,
    save,
    side_code,
    site_code,
    source_headers,
    uid_for,
)
from osteoscope.dicom.outline import outlines, source_frames
from osteoscope.domain.anatomy import site
from osteoscope.domain.finding import Finding, Measure
from osteoscope.domain.reading import Case, Reading, SiteReading
from osteoscope.domain.study import StudyKind

Group = (
    PlanarROIMeasurementsAndQualitativeEvaluations
    | VolumetricROIMeasurementsAndQualitativeEvaluations
    | MeasurementsAndQualitativeEvaluations
)
STUDY = "study"


@dataclass(frozen=True)
class _Subject:
    """What a report is of: the Case, its Reading with its `content_key`, headers of the sources, segments if any."""

    case: Case
    reading: Reading
    key: str
    headers: tuple[Dataset, ...]
    segmentation: Dataset | None


def write_sr(case: Case, reading: Reading, path: Path, *, segmented: bool = True) -> None:
    """Write findings, sites and totals of a Reading with their measures and intervals.

    Args:
        case, reading: what is reported.
        path: the file.
        segmented: False where `seg.write_seg` wrote nothing: findings of a volume then refer to no segment.

    Raises:
        OutputError: sources without DICOM identity, a view that is not that of its source, or a file
            that cannot be written.
    """
    asked = "write DICOM structured report"
    headers = source_headers(case, asked)
    key, refers = content_key(reading), segmented and reading.findings and reading.study.kind == "ct"
    subject = _Subject(case, reading, key, tuple(headers), seg.reference(key, headers) if refers else None)
    save(build(asked, lambda: _report(subject)), path)


def _report(subject: _Subject) -> Comprehensive3DSR:
    reading = subject.reading
    without = reading.study.kind == "ct" and reading.findings and subject.segmentation is None
    last = _study_group(subject)
    report = Comprehensive3DSR(
        evidence=[*subject.headers, *filter(None, [subject.segmentation])],
        content=_content(reading, [last]),
        is_complete=True,
        is_final=reading.reader.kind == "person",
        coding_schemes=[_SCHEME],
        **identity(REPORT, reading, *(["no segments"] if without else [])),
    )
    # highdicom copies and searches the whole tree several times over: it gets the other groups when it is done.
    groups = [*_FINDINGS[reading.study.kind](subject), *_site_groups(subject), last]
    report.ContentSequence = _content(reading, groups)[0].ContentSequence
    return report


def _content(reading: Reading, groups: Sequence[Group]) -> MeasurementReport:
    return MeasurementReport(
        observation_context=_context(reading),
        procedure_reported=PROCEDURES[reading.study.kind],
        imaging_measurements=groups,
        title=codes.DCM.ImagingMeasurementReport,
    )


_SCHEME = CodingSchemeIdentificationItem(
    designator=PRIVATE_SCHEME, name=f"Osteoscope measures and kinds. {RESEARCH_USE}", version=SOFTWARE_VERSION
)


def _context(reading: Reading) -> ObservationContext:
    if reading.reader.kind == "person":
        person = hd.sr.PersonObserverIdentifyingAttributes(name=_person_name(reading.reader.name))
        return ObservationContext(observer_person_context=ObserverContext(codes.DCM.Person, person))
    device = hd.sr.DeviceObserverIdentifyingAttributes(
        uid=uid_for(REPORT, "device", reading.reader.name, reading.reader.version),
        name=f"{reading.reader.name} {reading.reader.version}".strip(),
        manufacturer_name=MANUFACTURER,
        model_name=MODEL,
        serial_number=reading.reader.version or SOFTWARE_VERSION,
    )
    return ObservationContext(observer_device_context=ObserverContext(codes.DCM.Device, device))


def _person_name(name: str) -> str:
    return name if "^" in name else f"{name}^"


def _volume_groups(subject: _Subject) -> list[Group]:
    segmentation, findings = subject.segmentation, subject.reading.findings
    if segmentation is None:
        return [MeasurementsAndQualitativeEvaluations(**_said(subject, finding)) for finding in findings]
    series = SourceSeriesForSegmentation(subject.headers[0].SeriesInstanceUID)
    return [
        VolumetricROIMeasurementsAndQualitativeEvaluations(
            referenced_segment=ReferencedSegment(
                segmentation.SOPClassUID, segmentation.SOPInstanceUID, number, source_series=series
            ),
            **_said(subject, finding),
        )
        for number, finding in enumerate(findings, start=1)
    ]


def _planar_groups(subject: _Subject) -> list[Group]:
    findings = subject.reading.findings
    asked = "write DICOM structured report"
    frames = source_frames(subject.case, subject.headers, asked) if findings else {}
    groups: list[Group] = []
    for finding in findings:
        said = _said(subject, finding)
        for frame, polygon in outlines(finding.region, frames):
            source = SourceImageForRegion(
                frame.header.SOPClassUID, frame.header.SOPInstanceUID, [frame.number] if frame.number else None
            )
            region = ImageRegion(hd.sr.GraphicTypeValues.POLYLINE, polygon.astype(np.float32), source)
            groups.append(PlanarROIMeasurementsAndQualitativeEvaluations(referenced_region=region, **said))
            said = {**said, "measurements": None, "qualitative_evaluations": None}
    return groups


_FINDINGS: Mapping[StudyKind, Callable[[_Subject], list[Group]]] = {
    "ct": _volume_groups,
    "nm-planar": _planar_groups,
}


def _said(subject: _Subject, finding: Finding) -> dict[str, Any]:
    confidence = Measure("confidence", finding.confidence, "1", "as the reader states it")
    return {
        "tracking_identifier": TrackingIdentifier(seg.tracking_uid(subject.key, finding.id), finding.id),
        "finding_type": FINDING_TYPES[subject.reading.study.kind],
        "finding_sites": [_finding_site(finding.site)],
        "measurements": _measurements([*finding.measures, confidence]),
        "qualitative_evaluations": [QualitativeEvaluation(KIND_OF_FINDING, named_code(finding.kind))],
    }


def _finding_site(where: str) -> FindingSite:
    found = site(where)
    return FindingSite(site_code(found), laterality=side_code(found))


def _site_groups(subject: _Subject) -> list[Group]:
    return [_site_group(subject, said) for said in subject.reading.sites if said.measures or said.status != "assessed"]


def _site_group(subject: _Subject, said: SiteReading) -> Group:
    uid = str(uid_for(REPORT, subject.key, "site", said.site))
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid, said.site),
        finding_sites=[_finding_site(said.site)],
        measurements=_measurements(said.measures) or None,
        qualitative_evaluations=[QualitativeEvaluation(STATUS, named_code(said.status))],
    )


def _study_group(subject: _Subject) -> Group:
    measures = subject.reading.measures
    uid = str(uid_for(REPORT, subject.key, STUDY))
    status = "assessed" if measures else "not_assessable"
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid, STUDY),
        measurements=_measurements(measures) or None,
        qualitative_evaluations=[QualitativeEvaluation(STATUS, named_code(status))],
    )


def _measurements(measures: Sequence[Measure]) -> list[Measurement]:
    return [_measurement(measure) for measure in measures]


def _measurement(measure: Measure) -> Measurement:
    unit = unit_code(measure.unit)
    return Measurement(
        name=measure_code(measure.name),
        value=measure.value,
        unit=unit,
        method=method_code(measure.method),
        properties=_uncertainty(measure, unit) if measure.interval else None,
    )


def _uncertainty(measure: Measure, unit: CodedConcept) -> MeasurementProperties:
    low, high = measure.interval or (measure.value, measure.value)
    properties = MeasurementProperties(
        upper_measurement_uncertainty=high - measure.value, lower_measurement_uncertainty=measure.value - low
    )
    for item in properties:
        # highdicom writes "no units"; TID 310 asks for those of the measure.
        item.MeasuredValueSequence[0].MeasurementUnitsCodeSequence = [unit]
    return properties
