"""Lesions and bones of a volume as DICOM Segmentation (PS3.3 A.51).

The geometry is that of the Study's own grid, in the frame of reference of the source slices. Where a
frame of the grid coincides with a source slice, highdicom records the slice as its source; where
intake resampled, only the series is referenced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import highdicom as hd
import numpy as np
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentationTypeValues, SegmentDescription
from highdicom.sr import CodedConcept
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import DeflatedExplicitVRLittleEndian, SegmentationStorage

from osteoscope.dicom.derived import (
    BONES,
    LESIONS,
    MANUFACTURER,
    MODEL,
    RESEARCH_USE,
    SOFTWARE_VERSION,
    Role,
    build,
    content_key,
    identity,
    save,
    side_code,
    site_code,
    source_headers,
    uid_for,
)
from osteoscope.domain.anatomy import Site, site
from osteoscope.domain.finding import Part
from osteoscope.domain.geometry import Grid
from osteoscope.domain.reading import Case, Reading
from osteoscope.errors import OutputError

_IMAGE = "ct"
_MOST_STACKED_BYTES = 2**31
_ALGORITHM_TYPES = {
    "program": SegmentAlgorithmTypeValues.AUTOMATIC,
    "person": SegmentAlgorithmTypeValues.MANUAL,
    "truth": SegmentAlgorithmTypeValues.AUTOMATIC,
}
# Okabe and Ito's colours that stand out on grey.
_COLOURS = ((213, 94, 0), (0, 114, 178), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233))


@dataclass(frozen=True)
class _Segment:
    """A mask with what is said of it."""

    part: Part
    label: str
    site: Site
    category: Code | CodedConcept
    kind: Code | CodedConcept
    tracking_id: str


def write_seg(case: Case, reading: Reading, path: Path) -> None:
    """Write one segment per finding, numbered in the order of findings, as a BINARY Segmentation.

    Each carries its site with laterality and a tracking id and UID that the structured report repeats.

    Raises:
        OutputError: no volume, no finding, sources without DICOM identity or one frame of reference,
            or a file that cannot be written.
    """
    segments = [
        _Segment(
            finding.region.parts[0],
            f"{n} {finding.kind} {site(finding.site).name}"[:64],
            site(finding.site),
            codes.SCT.MorphologicallyAbnormalStructure,
            codes.SCT.Lesion,
            finding.id,
        )
        for n, finding in enumerate(reading.findings, start=1)
    ]
    save(_segmentation(case, reading, segments, LESIONS), path)


def write_bones_seg(case: Case, reading: Reading, path: Path) -> None:
    """Write one segment per mapped bone, as a BINARY Segmentation in a deflated file (bones fill many frames).

    Raises:
        OutputError: as `write_seg`.
    """
    segments = [
        _Segment(part, mapped.site[:64], where, codes.SCT.AnatomicalStructure, site_code(where), mapped.site)
        for mapped in case.mapped
        if mapped.region is not None and (part := mapped.region.on(_IMAGE)) is not None
        for where in [site(mapped.site)]
    ]
    dataset = _segmentation(case, reading, segments, BONES)
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    save(dataset, path)


def tracking_uid(key: str, finding_id: str) -> str:
    """The UID by which the Segmentation and the structured report of one `content_key` track a finding."""
    return str(uid_for(LESIONS, key, "tracking", finding_id))


def reference(key: str, headers: Sequence[Dataset]) -> Dataset:
    """What a report of one `content_key` needs to refer to the Segmentation of `write_seg`: identity alone."""
    dataset = Dataset()
    dataset.SOPClassUID = SegmentationStorage
    dataset.SOPInstanceUID = uid_for(LESIONS, key, "instance")
    dataset.SeriesInstanceUID = uid_for(LESIONS, key, "series")
    dataset.StudyInstanceUID = headers[0].StudyInstanceUID
    return dataset


def _segmentation(case: Case, reading: Reading, segments: Sequence[_Segment], role: Role) -> Segmentation:
    asked = f"write DICOM Segmentation of {role.key}"
    image = case.study.images.get(_IMAGE)
    if image is None or not segments:
        found = f"a {case.study.kind} study" if image is None else "nothing to segment"
        raise OutputError(asked, found, "Write a Segmentation of volumes with at least one region only")
    headers = _harmonised(source_headers(case, asked), asked)
    key = content_key(reading)
    return build(
        asked,
        lambda: Segmentation(
            source_images=headers,
            pixel_array=_volume(segments, image.grid, headers[0].FrameOfReferenceUID),
            segmentation_type=SegmentationTypeValues.BINARY,
            segment_descriptions=[_describe(reading, key, n, s) for n, s in enumerate(segments, start=1)],
            content_label=role.key.upper(),
            content_description=RESEARCH_USE,
            content_creator_name=f"{MANUFACTURER}^",
            **identity(role, reading),
        ),
    )


def _harmonised(headers: list[Dataset], asked: str) -> list[Dataset]:
    """Headers that share one frame of reference, made to share one orientation.

    Slices of one series may differ in the last digits of their orientation; the masks' own geometry
    comes from the grid, so that the first slice's digits can stand for all.
    """
    frames = sorted({str(header.get("FrameOfReferenceUID", "")) for header in headers})
    if len(frames) != 1 or not frames[0]:
        raise OutputError(asked, f"source slices in frames of reference {frames}", "Read one series with one frame")
    orientation = headers[0].get("ImageOrientationPatient")
    for header in headers[1:] if orientation else ():
        header.ImageOrientationPatient = orientation
    return headers


def _volume(segments: Sequence[_Segment], grid: Grid, frame: str) -> hd.Volume:
    """A label map, or a stack of masks where segments overlap, on the slices that hold any of them."""
    first = min(s.part.offset[0] for s in segments)
    last = max(s.part.box[0].stop for s in segments)
    used = grid.crop((slice(first, last), slice(0, grid.shape[1]), slice(0, grid.shape[2])))
    labels, overlap = _label(segments, used.shape, first)
    if not overlap:
        return hd.Volume(labels, used.matrix, "PATIENT", frame)
    stack = _stack(segments, used.shape, first)
    numbers = list(range(1, len(segments) + 1))
    return hd.Volume(stack, used.matrix, "PATIENT", frame, channels={"SegmentNumber": numbers})


def _label(segments: Sequence[_Segment], shape: tuple[int, ...], first: int) -> tuple[NDArray[np.uint16], bool]:
    labels = np.zeros(shape, dtype=np.uint16)
    overlap = False
    for number, segment in enumerate(segments, start=1):
        area = labels[_box(segment.part, first)]
        overlap = overlap or bool(area[segment.part.mask].any())
        area[segment.part.mask] = number
    return labels, overlap


def _stack(segments: Sequence[_Segment], shape: tuple[int, ...], first: int) -> NDArray[np.uint8]:
    size = int(np.prod(shape)) * len(segments)
    if size > _MOST_STACKED_BYTES:
        raise OutputError(
            "write DICOM Segmentation",
            f"{len(segments)} overlapping segments, {size / 2**30:.1f} GiB of masks",
            "Separate the overlapping findings, or use NIfTI",
        )
    stack = np.zeros((*shape, len(segments)), dtype=np.uint8)
    for number, segment in enumerate(segments):
        stack[..., number][_box(segment.part, first)] = segment.part.mask
    return stack


def _box(part: Part, first: int) -> tuple[slice, ...]:
    slices, *others = part.box
    return (slice(slices.start - first, slices.stop - first), *others)


def _describe(reading: Reading, key: str, number: int, segment: _Segment) -> SegmentDescription:
    automatic = _ALGORITHM_TYPES[reading.reader.kind] is SegmentAlgorithmTypeValues.AUTOMATIC
    described = SegmentDescription(
        segment_number=number,
        segment_label=segment.label,
        segmented_property_category=segment.category,
        segmented_property_type=segment.kind,
        algorithm_type=_ALGORITHM_TYPES[reading.reader.kind],
        algorithm_identification=_algorithm(reading) if automatic else None,
        tracking_uid=tracking_uid(key, segment.tracking_id),
        tracking_id=segment.tracking_id,
        anatomic_regions=[site_code(segment.site)],
        display_color=hd.color.CIELabColor.from_rgb(*_COLOURS[(number - 1) % len(_COLOURS)]),
    )
    side = side_code(segment.site)
    if side is not None:
        described.AnatomicRegionSequence[0].AnatomicRegionModifierSequence = [side]
        if segment.category == codes.SCT.AnatomicalStructure:
            described.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence = [side]
    return described


def _algorithm(reading: Reading) -> hd.AlgorithmIdentificationSequence:
    family = codes.cid7162.ArtificialIntelligence if reading.reader.models else codes.cid7162.MorphologicalOperations
    return hd.AlgorithmIdentificationSequence(
        reading.reader.name[:64] or MODEL, family, (reading.reader.version or SOFTWARE_VERSION)[:64]
    )
