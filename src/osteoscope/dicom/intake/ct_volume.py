"""A CT series into a Study: decode in the sandbox, straighten, describe."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from osteoscope.dicom.intake.ct_geometry import StackPlan, plan_stack
from osteoscope.dicom.intake.ct_series import CtSeries
from osteoscope.dicom.intake.ct_slices import Slice
from osteoscope.dicom.intake.found import Found
from osteoscope.dicom.intake.header import Header
from osteoscope.dicom.intake.patient import digest_uid, patient_of, study_date
from osteoscope.dicom.intake.plausible import refuse_other_quantities, value_notes
from osteoscope.dicom.intake.screen import lossy
from osteoscope.dicom.intake.workplace import Workplace
from osteoscope.domain.image import Image
from osteoscope.domain.study import Acquisition, IntakeNote, Source, Study
from osteoscope.errors import IntakeError

_FEW_SLICES = 20
_SPARSE = 1.5
# Padding is honoured where it means air or less: a PixelPaddingValue that means tissue is a wrong header.
_PADDING_HU = -900.0
_MOST_LOST = 5


def load_series(series: CtSeries, work: Workplace) -> Study:
    """The Study of a CT series; its voxels are a read-only map of a file in the scratch folder.

    Raises:
        IntakeError: a hole in the stack, values that are no HU, or too many files that cannot be decoded.
    """
    slices = series.slices
    lost: list[IntakeNote] = []
    while True:
        plan = plan_stack(slices, work.options)
        path, tally, digests, failed = _decode(plan, work)
        if not failed:
            break
        lost += failed.values()
        slices = tuple(item for item in slices if item.found not in failed)
        if len(lost) > _MOST_LOST or len(slices) < work.options.smallest_stack:
            raise IntakeError(
                f"read {series.label}",
                "; ".join(f"{note.file}: {note.problem}" for note in lost),
                "Export the series again from its source",
            )
    first = plan.slices[0].found
    refuse_other_quantities(tally, series.label)
    if plan.blends:
        path = _straighten(path, plan, work)
    values = np.load(path, mmap_mode="r", allow_pickle=False)
    header = plan.slices[0].entry.header
    patient, odd = patient_of(header)
    notes = [
        first.note("accepted", f"{len(plan.slices)} slices", _summary(plan)),
        *series.notes,
        *lost,
        *plan.notes,
        *value_notes(tally, first),
        *_header_notes(plan),
        *(first.note("warning", problem, "read on") for problem in odd),
    ]
    return Study(
        uid=header.text("StudyInstanceUID") or digest_uid(digests.values()),
        kind="ct",
        date=study_date(header),
        patient=patient,
        images={"ct": Image(plan.grid, values, "HU")},
        acquisition=_acquisition(header),
        sources=_sources(plan, digests),
        intake=tuple(notes),
    )


def _decode(
    plan: StackPlan, work: Workplace
) -> tuple[Path, Mapping[str, Any], Mapping[Found, str], Mapping[Found, IntakeNote]]:
    path = work.new_array()
    shape = (len(plan.slices), *plan.slices[0].matrix)
    np.lib.format.open_memmap(path, mode="w+", dtype=np.int16, shape=shape).flush()
    by_file: dict[Found, list[tuple[int, Slice]]] = defaultdict(list)
    for index, item in enumerate(plan.slices):
        by_file[item.found].append((index, item))
    tallies, digests, failed = [], {}, {}
    for done, (found, items) in enumerate(by_file.items()):
        work.progress("decode", done, len(by_file))
        answer = work.sandbox.one(_request(found, items, path))
        if "refused" in answer:
            failed[found] = found.note("refused", answer["refused"], answer["remedy"])
        else:
            tallies.append(answer)
            digests[found] = answer["sha256"]
    work.progress("decode", len(by_file), len(by_file))
    return path, _total(tallies), digests, failed


def _request(found: Found, items: Sequence[tuple[int, Slice]], path: Path) -> Mapping[str, Any]:
    return {
        "op": "ct",
        "file": str(found.path),
        "out": str(path),
        "frames": [[item.frame, index, *item.rescale] for index, item in items],
        "padding": _padding(items[0][1]),
    }


def _padding(item: Slice) -> tuple[float, float] | None:
    value = item.entry.header.number("PixelPaddingValue")
    if value is None:
        return None
    limit = item.entry.header.number("PixelPaddingRangeLimit")
    low, high = sorted((value, value if limit is None else limit))
    slope, intercept = item.rescale
    return (low, high) if max(low * slope, high * slope) + intercept <= _PADDING_HU else None


def _total(tallies: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    total: dict[str, Any] = {"lowest": np.inf, "highest": -np.inf, "kinds": 0}
    for tally in tallies:
        total["lowest"] = min(total["lowest"], tally["lowest"])
        total["highest"] = max(total["highest"], tally["highest"])
        total["kinds"] = max(total["kinds"], tally["kinds"])
        for key in ("padded", "below_air", "clipped", "not_finite"):
            total[key] = total.get(key, 0) + tally[key]
    return total


def _straighten(path: Path, plan: StackPlan, work: Workplace) -> Path:
    out = work.new_array()
    np.lib.format.open_memmap(out, mode="w+", dtype=np.int16, shape=plan.grid.shape).flush()
    request = {
        "op": "resample",
        "file": str(path),
        "out": str(out),
        "shifts": plan.shifts,
        "blends": plan.blends,
    }
    for answer in work.sandbox.stream(request):
        if "refused" in answer:
            raise IntakeError("resample the stack", answer["refused"], answer["remedy"])
        work.progress("resample", answer["slice"] + 1, len(plan.blends))
    path.unlink()
    return out


def _summary(plan: StackPlan) -> str:
    size = " x ".join(str(n) for n in plan.grid.shape)
    spacing = " x ".join(f"{n:.3g}" for n in plan.grid.spacing)
    return f"read as a volume of {size} voxels of {spacing} mm"


def _header_notes(plan: StackPlan) -> list[IntakeNote]:
    first = plan.slices[0]
    header, found = first.entry.header, first.found
    step, thickness = plan.grid.spacing[0], header.number("SliceThickness")
    repair = max(item.repair for item in plan.slices)
    padding = header.number("PixelPaddingValue")
    notes = [found.note("warning", words, "fine detail and HU are less sure") for words in filter(None, [_lossy(plan)])]
    if len(plan.slices) < _FEW_SLICES:
        notes.append(found.note("warning", f"only {len(plan.slices)} slices", "bones are hard to name on so few"))
    if thickness and step > _SPARSE * thickness:
        problem = f"slices of {thickness:g} mm lie {step:.3g} mm apart"
        notes.append(found.note("warning", problem, "what lies between them was not imaged"))
    if repair:
        problem = f"direction cosines are off by up to {repair:.3f}"
        notes.append(found.note("repaired", problem, "the nearest perpendicular directions were used"))
    if padding is not None and _padding(first) is None:
        problem = f"a padding value of {padding:g}, which would mean tissue"
        notes.append(found.note("warning", problem, "not treated as padding"))
    if header.text("RescaleType").upper() == "US":
        notes.append(found.note("warning", "the rescaled unit is not stated", "taken as HU, whose range they have"))
    if header.text("PhotometricInterpretation") == "MONOCHROME1":
        notes.append(found.note("accepted", "stored for inverse display", "HU are not affected"))
    return notes


def _lossy(plan: StackPlan) -> str:
    return next(filter(None, (lossy(item.entry.header) for item in plan.slices)), "")


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


def _sources(plan: StackPlan, digests: Mapping[Found, str]) -> tuple[Source, ...]:
    """One per file; a slice number only where a file is exactly one slice of the volume."""
    frames: dict[Found, list[int]] = defaultdict(list)
    for index, item in enumerate(plan.slices):
        frames[item.found].append(index)
    headers = {item.found: item.entry.header for item in plan.slices}
    return tuple(
        Source(
            file=found.name,
            sha256=digests[found],
            path=found.path,
            sop_class_uid=headers[found].text("SOPClassUID"),
            sop_instance_uid=headers[found].text("SOPInstanceUID"),
            image="ct",
            index=indices[0] if len(indices) == 1 and not plan.blends else None,
        )
        for found, indices in frames.items()
    )
