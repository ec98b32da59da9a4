"""A CT series into a Study."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from osteoscope.dicom.intake.ct_decode import Decoded, decode_series, padding_of
from osteoscope.dicom.intake.ct_geometry import StackPlan
from osteoscope.dicom.intake.ct_series import CtSeries
from osteoscope.dicom.intake.found import Found
from osteoscope.dicom.intake.header import Header
from osteoscope.dicom.intake.patient import digest_uid, patient_of, study_date
from osteoscope.dicom.intake.plausible import doubts, refuse_other_quantities, value_notes
from osteoscope.dicom.intake.screen import lossy
from osteoscope.dicom.intake.workplace import Workplace
from osteoscope.domain.image import Image
from osteoscope.domain.study import Acquisition, IntakeNote, NoteLevel, Source, Study

_FEW_SLICES = 20
_SPARSE = 1.5


def load_series(series: CtSeries, work: Workplace) -> Study:
    """The Study of a CT series; its voxels are a read-only map of a file in the scratch folder.

    Raises:
        IntakeError: a hole in the stack, values that are no HU, or too many files that cannot be decoded.
    """
    decoded = decode_series(series, work)
    plan = decoded.plan
    refuse_other_quantities(decoded.tally, series.label)
    image = Image(plan.grid, np.load(decoded.path, mmap_mode="r", allow_pickle=False), "HU")
    first, header = plan.slices[0].found, plan.slices[0].header
    patient, odd = patient_of(header)
    lines = [*_header_lines(plan), *(("warning", problem, "read on") for problem in odd)]
    return Study(
        uid=header.text("StudyInstanceUID") or digest_uid(decoded.digests.values()),
        kind="ct",
        date=study_date(header),
        patient=patient,
        images={"ct": image},
        acquisition=_acquisition(header),
        sources=_sources(decoded),
        intake=(
            _accepted(plan),
            *decoded.lost,
            *plan.notes,
            *value_notes(decoded.tally, first),
            *doubts(image, decoded.tally["padded"] + decoded.tally["not_finite"], first),
            *(first.note(*line) for line in lines),
        ),
    )


def _accepted(plan: StackPlan) -> IntakeNote:
    size = " x ".join(str(n) for n in plan.grid.shape)
    spacing = " x ".join(f"{n:.3g}" for n in plan.grid.spacing)
    action = f"read as a volume of {size} voxels of {spacing} mm"
    return plan.slices[0].found.note("accepted", f"{len(plan.slices)} slices", action)


def _header_lines(plan: StackPlan) -> Iterator[tuple[NoteLevel, str, str]]:
    """What the headers say that a reader should know."""
    first, header = plan.slices[0], plan.slices[0].header
    step, thickness = plan.grid.spacing[0], header.number("SliceThickness")
    loss = next(filter(None, (lossy(item.header) for item in plan.slices)), "")
    repair = max(item.repair for item in plan.slices)
    padding = header.number("PixelPaddingValue")
    bits, high = header.integer("BitsStored"), header.integer("HighBit")
    if loss:
        yield "warning", loss, "fine detail and HU are less sure"
    if len(plan.slices) < _FEW_SLICES:
        yield "warning", f"only {len(plan.slices)} slices", "bones are hard to name on so few"
    if thickness and step > _SPARSE * thickness:
        yield "warning", f"slices of {thickness:g} mm lie {step:.3g} mm apart", "what lies between was not imaged"
    if bits and high is not None and high >= bits and (header.integer("BitsAllocated") or 0) > bits:
        yield "warning", f"values of {bits} bits said to end at bit {high}, not at {bits - 1}", "read where they lie"
    if repair:
        problem = f"direction cosines are off by up to {repair:.3f}"
        yield "repaired", problem, "the nearest perpendicular directions were used"
    if padding is not None and padding_of(first) is None:
        yield "warning", f"a padding value of {padding:g}, which would mean tissue", "not treated as padding"
    if header.text("RescaleType").upper() == "US":
        yield "warning", "the unit of the values is not stated", "taken as HU, whose range they have"
    if header.text("PhotometricInterpretation") == "MONOCHROME1":
        yield "accepted", "stored for inverse display", "HU are not affected"
    if not header.text("StudyInstanceUID"):
        yield "warning", "no study UID", "named by the SHA-256 of its files"


def _acquisition(header: Header) -> Acquisition:
    return Acquisition(
        description=header.text("SeriesDescription") or header.text("StudyDescription"),
        manufacturer=header.text("Manufacturer"),
        model=header.text("ManufacturerModelName"),
        kernel=header.text("ConvolutionKernel"),
        contrast_agent=header.text("ContrastBolusAgent"),
        kvp=header.number("KVP"),
        slice_thickness_mm=header.number("SliceThickness"),
    )


def _sources(decoded: Decoded) -> tuple[Source, ...]:
    """One per file; a slice number only where a file is exactly one slice of the volume."""
    frames: dict[Found, list[int]] = defaultdict(list)
    for index, item in enumerate(decoded.plan.slices):
        frames[item.found].append(index)
    headers = {item.found: item.header for item in decoded.plan.slices}
    return tuple(
        Source(
            file=found.name,
            sha256=decoded.digests[found],
            path=found.path,
            sop_class_uid=headers[found].text("SOPClassUID"),
            sop_instance_uid=headers[found].text("SOPInstanceUID"),
            image="ct",
            index=indices[0] if len(indices) == 1 and not decoded.plan.blends else None,
        )
        for found, indices in frames.items()
    )
