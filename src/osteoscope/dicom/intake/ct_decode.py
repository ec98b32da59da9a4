"""Have the sandbox decode a CT series into one volume on disk, and straighten it where the plan says so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from osteoscope.dicom.intake.ct_geometry import StackPlan, plan_stack
from osteoscope.dicom.intake.ct_series import CtSeries
from osteoscope.dicom.intake.ct_slices import Slice
from osteoscope.dicom.intake.found import Found
from osteoscope.dicom.intake.plausible import refuse_wide_field
from osteoscope.dicom.intake.workplace import Workplace
from osteoscope.domain.study import IntakeNote
from osteoscope.errors import IntakeError

# Padding is honoured where it means air or less: a PixelPaddingValue that means tissue is a wrong header.
_PADDING_HU = -900.0
_MOST_LOST = 5
_COUNTS = ("padded", "below_air", "clipped", "not_finite")


@dataclass(frozen=True, eq=False)
class Decoded:
    """A volume on disk.

    Args:
        path: int16 .npy [slice, row, column] of the plan's grid.
        tally: what was met in the values, see ``worker.hounsfield.Tally``.
        digests: SHA-256 of each file.
        lost: one note per file that could not be decoded.
    """

    plan: StackPlan
    path: Path
    tally: Mapping[str, Any]
    digests: Mapping[Found, str]
    lost: tuple[IntakeNote, ...]


@dataclass
class _Pass:
    """One attempt to decode all slices of a plan."""

    path: Path
    tallies: list[Mapping[str, Any]] = field(default_factory=list)
    digests: dict[Found, str] = field(default_factory=dict)
    failed: dict[Found, IntakeNote] = field(default_factory=dict)


def decode_series(series: CtSeries, work: Workplace) -> Decoded:
    """Decode all slices; those that fail are left out, and the stack is planned anew without them.

    Raises:
        IntakeError: a hole in the stack, a field too wide, or too many files that cannot be decoded.
    """
    slices, lost = series.slices, dict[Found, IntakeNote]()
    while True:
        plan = plan_stack(slices, work.options)
        refuse_wide_field(plan.grid, series.label)
        done = _decode(plan, work, _MOST_LOST - len(lost))
        lost |= done.failed
        if not done.failed:
            path = _straighten(done.path, plan, work) if plan.blends else done.path
            return Decoded(plan, path, _total(done.tallies), done.digests, tuple(lost.values()))
        done.path.unlink()
        slices = tuple(item for item in slices if item.found not in lost)
        if len(lost) > _MOST_LOST or len(slices) < work.options.smallest_stack:
            note = next(iter(lost.values()))
            found = f"{len(lost)} files or more cannot be decoded, the first is {note.file}: {note.problem}"
            raise IntakeError(f"read {series.label}", found, note.action)


def padding_of(item: Slice) -> tuple[float, float] | None:
    """Range of stored values that are padding (PS3.3 C.7.5.1.1.2), None where there is none or it means tissue."""
    value = item.header.number("PixelPaddingValue")
    if value is None:
        return None
    limit = item.header.number("PixelPaddingRangeLimit")
    low, high = sorted((value, value if limit is None else limit))
    slope, intercept = item.rescale
    return (low, high) if max(low * slope, high * slope) + intercept <= _PADDING_HU else None


def _decode(plan: StackPlan, work: Workplace, failures: int) -> _Pass:
    done = _Pass(_new_volume((len(plan.slices), *plan.slices[0].matrix), work))
    by_file: dict[Found, list[tuple[int, Slice]]] = defaultdict(list)
    for index, item in enumerate(plan.slices):
        by_file[item.found].append((index, item))
    for number, (found, items) in enumerate(by_file.items()):
        work.progress("decode", number, len(by_file))
        answer = work.sandbox.one(_request(found, items, done.path))
        if "refused" in answer:
            done.failed[found] = found.note("refused", answer["refused"], answer["remedy"])
            if len(done.failed) > failures:
                break
        else:
            done.tallies.append(answer)
            done.digests[found] = answer["sha256"]
    work.progress("decode", len(by_file), len(by_file))
    return done


def _request(found: Found, items: Sequence[tuple[int, Slice]], path: Path) -> Mapping[str, Any]:
    return {
        "op": "ct",
        "file": str(found.path),
        "out": str(path),
        "frames": [[item.frame, index, *item.rescale] for index, item in items],
        "padding": padding_of(items[0][1]),
    }


def _total(tallies: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    return {
        "lowest": min(tally["lowest"] for tally in tallies),
        "highest": max(tally["highest"] for tally in tallies),
        "kinds": max(tally["kinds"] for tally in tallies),
        **{key: sum(tally[key] for tally in tallies) for key in _COUNTS},
    }


def _straighten(path: Path, plan: StackPlan, work: Workplace) -> Path:
    out = _new_volume(plan.grid.shape, work)
    request = {"op": "resample", "file": str(path), "out": str(out), "shifts": plan.shifts, "blends": plan.blends}
    for answer in work.sandbox.stream(request):
        if "refused" in answer:
            raise IntakeError("resample the stack", answer["refused"], answer["remedy"])
        work.progress("resample", answer["slice"] + 1, len(plan.blends))
    path.unlink()
    return out


def _new_volume(shape: tuple[int, ...], work: Workplace) -> Path:
    path = work.new_array()
    np.lib.format.open_memmap(path, mode="w+", dtype=np.int16, shape=shape).flush()
    return path
