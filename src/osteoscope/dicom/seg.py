"""Lesions and bones of a volume as DICOM Segmentation (PS3.3 A.51).

The geometry is that of the Study's own grid, in the frame of reference of the source slices. Where a
frame of the grid coincides with a source slice or frame, that is recorded as its source (of several phases in one file
the Study's own); where intake resampled, only the series is referenced.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import highdicom as hd
import numpy as np
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentationTypeValues, SegmentDescription
from highdicom.sr import CodedConcept
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
    uid_for,
)
from osteoscope.dicom.seg_layers import merged
from osteoscope.dicom.seg_sources import seg_sources
from osteoscope.domain.anatomy import Site, site
from osteoscope.domain.finding import Part
from osteoscope.domain.geometry import Grid
from osteoscope.domain.reading import Case, Reading
from osteoscope.errors import OutputError

_IMAGE = "ct"
# The setting of a person's Reading that names whose Reading it began with.
_BASE = "base"
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
    sources = seg_sources(case, image, asked)
    key = content_key(reading)
    made = build(
        asked,
        lambda: merged(
            Segmentation(
                source_images=sources.headers,
                pixel_array=layer,
                segmentation_type=SegmentationTypeValues.BINARY,
                segment_descriptions=[_describe(reading, key, n, s) for n, s in enumerate(segments, start=1)],
                content_label=role.key.upper(),
                content_description=RESEARCH_USE,
                content_creator_name=f"{MANUFACTURER}^",
                **identity(role, reading),
            )
            for layer in _layers(segments, image.grid, sources.headers[0].FrameOfReferenceUID)
        ),
    )
    sources.renumber(made)
    return made


def _layers(segments: Sequence[_Segment], grid: Grid, frame: str) -> Iterator[hd.Volume]:
    """Label maps on the slices that hold any segment: more than one where segments overlap."""
    first = min(s.part.offset[0] for s in segments)
    last = max(s.part.box[0].stop for s in segments)
    used = grid.crop((slice(first, last), slice(0, grid.shape[1]), slice(0, grid.shape[2])))
    left = list(enumerate(segments, start=1))
    while left:
        labels, hidden = np.zeros(used.shape, dtype=np.uint16), []
        for number, segment in left:
            area, mask = labels[_box(segment.part, first)], segment.part.mask
            if area[mask].any():
                hidden.append((number, segment))
            else:
                area[mask] = number
        left = hidden
        yield hd.Volume(labels, used.matrix, "PATIENT", frame)


def _box(part: Part, first: int) -> tuple[slice, ...]:
    slices, *others = part.box
    return (slice(slices.start - first, slices.stop - first), *others)


def _describe(reading: Reading, key: str, number: int, segment: _Segment) -> SegmentDescription:
    made = _made(reading, segment)
    described = SegmentDescription(
        segment_number=number,
        segment_label=segment.label,
        segmented_property_category=segment.category,
        segmented_property_type=segment.kind,
        algorithm_type=made,
        algorithm_identification=None if made is SegmentAlgorithmTypeValues.MANUAL else _algorithm(reading),
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


def _made(reading: Reading, segment: _Segment) -> SegmentAlgorithmTypeValues:
    """Bones are always the program's; lesions of a person are its too, corrected, where he began with its Reading."""
    if reading.reader.kind != "person" or segment.category == codes.SCT.AnatomicalStructure:
        return SegmentAlgorithmTypeValues.AUTOMATIC
    corrected = _BASE in reading.provenance.settings
    return SegmentAlgorithmTypeValues.SEMIAUTOMATIC if corrected else SegmentAlgorithmTypeValues.MANUAL


def _algorithm(reading: Reading) -> hd.AlgorithmIdentificationSequence:
    name, version, models = reading.reader.name, reading.reader.version, bool(reading.reader.models)
    if reading.reader.kind == "person":
        # Which models the program used is not kept with a person's Reading; it has some for every volume.
        (name, _, version), models = reading.provenance.software.partition(" "), True
    family = codes.cid7162.ArtificialIntelligence if models else codes.cid7162.MorphologicalOperations
    return hd.AlgorithmIdentificationSequence(name[:64] or MODEL, family, (version or SOFTWARE_VERSION)[:64])
