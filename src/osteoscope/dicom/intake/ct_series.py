"""CT slices into series: what belongs to one volume, what is a copy, what is another acquisition."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from osteoscope.dicom.intake.ct_parts import Part, crowds, parting
from osteoscope.dicom.intake.ct_slices import Slice, slices_of
from osteoscope.dicom.intake.found import counted
from osteoscope.dicom.intake.header import Digest, Entry
from osteoscope.dicom.options import IntakeOptions
from osteoscope.domain.study import IntakeNote, NoteLevel

_SAME_DIRECTION = 1e-3
_AXIAL = 0.7


@dataclass(frozen=True, eq=False)
class CtSeries:
    """Slices that make one volume.

    Args:
        slices: of one orientation, spacing and matrix, no two at one height; in no order.
        part: tells several volumes of one series apart, "" where there is one.
    """

    slices: tuple[Slice, ...]
    notes: tuple[IntakeNote, ...] = ()
    part: str = ""

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The files."""
        return tuple(dict.fromkeys(item.entry for item in self.slices))

    @property
    def label(self) -> str:
        """Series number, description and size."""
        header = self.slices[0].header
        words = ["CT", header.text("SeriesNumber"), header.text("SeriesDescription"), self.part]
        return " ".join(filter(None, words)) + f" ({len(self.slices)} slices)"


def series_of(
    entries: Iterable[Entry], digest: Digest, options: IntakeOptions
) -> tuple[list[CtSeries], list[IntakeNote]]:
    """The volumes that CT files make, and notes on the files that belong to none."""
    notes: list[IntakeNote] = []
    groups: dict[tuple[str, ...], list[Slice]] = defaultdict(list)
    for entry in entries:
        slices = slices_of(entry)
        if isinstance(slices, IntakeNote):
            notes.append(slices)
            continue
        groups[*entry.series, entry.header.text("FrameOfReferenceUID")] += slices
    series: list[CtSeries] = []
    frames = _frames_of_reference(groups)
    for (*key, _), group in groups.items():
        made, left = _volumes(group, digest, options, frames.get(tuple(key), ""))
        series += made
        notes += left
    return _without_reformats(series, notes)


def _frames_of_reference(keys: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """By series, how many frames of reference it states where it does not state one for all of its files."""
    stated: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for *series, frame in keys:
        stated[tuple(series)].append(frame)
    return {
        series: f"its series states {counted(len(list(filter(None, frames))), 'frame')} of reference"
        + ("" if all(frames) else ", and none for some of its files")
        for series, frames in stated.items()
        if len(frames) > 1
    }


def _volumes(
    slices: Sequence[Slice], digest: Digest, options: IntakeOptions, frames: str
) -> tuple[list[CtSeries], list[IntakeNote]]:
    """The volumes of a group, and notes; ``frames``: what is odd about the frames of reference of its series."""
    notes: list[IntakeNote] = []
    series: list[CtSeries] = []
    stacks = _alike(slices)
    fewest = min(options.smallest_stack, max(map(len, stacks)))
    for stack in stacks:
        if len(stack) < fewest:
            notes += _notes(stack, "set_aside", "of another plane or matrix than the volume of its series", "not read")
            continue
        single, copies = _without_copies(stack, digest)
        parts, clashes = _parted(single, options.smallest_stack)
        notes += [*copies, *clashes]
        for part in parts:
            if len(part.slices) >= options.smallest_stack:
                odd = (part.slices[0].found.note("warning", frames, "each was read on its own"),) if frames else ()
                series.append(replace(part, notes=(*part.notes, *odd)))
            else:
                problem = f"{counted(len(part.slices), 'slice')}, where a volume needs {options.smallest_stack}"
                notes += _notes(part.slices, "refused", *_too_few(problem, frames))
    return series, notes


def _too_few(problem: str, frames: str) -> tuple[str, str]:
    if not frames:
        return problem, "Give all files of the series"
    remedy = "Give its files as the scanner made them: something has changed their FrameOfReferenceUID"
    return f"{problem}; {frames}", remedy


def _alike(slices: Sequence[Slice]) -> list[list[Slice]]:
    """Slices of one orientation, spacing and matrix together, each group in order of file name and frame."""
    stacks: list[list[Slice]] = []
    for item in sorted(slices, key=lambda s: (s.found.name, s.frame)):
        for stack in stacks:
            if _fits(stack[0], item):
                stack.append(item)
                break
        else:
            stacks.append([item])
    return stacks


def _fits(one: Slice, other: Slice) -> bool:
    return one.matrix == other.matrix and np.allclose(
        [*one.along_row, *one.along_column, *one.spacing],
        [*other.along_row, *other.along_column, *other.spacing],
        rtol=_SAME_DIRECTION,
        atol=_SAME_DIRECTION,
    )


def _without_copies(stack: list[Slice], digest: Digest) -> tuple[list[Slice], list[IntakeNote]]:
    copies: set[int] = set()
    notes = []
    for crowd in crowds(stack):
        kept: dict[tuple[str, int, tuple[float, float]], Slice] = {}
        for item in crowd:
            first = kept.setdefault((digest(item.entry), item.frame, item.rescale), item)
            if first is not item:
                copies.add(id(item))
                notes.append(item.found.note("set_aside", f"a copy of {first.found.name}", "read once"))
    return [item for item in stack if id(item) not in copies], notes


def _parted(stack: list[Slice], fewest: int) -> tuple[list[CtSeries], list[IntakeNote]]:
    """The stack, or the acquisitions that it mixes, and notes on slices that are in none of them."""
    made = parting(stack, fewest)
    if not made.parts:
        one, other = crowds(stack)[0][:2]
        pair = f"{one.found.name} and {other.found.name}"
        problem = f"two different images at one place ({pair}), nothing tells them apart"
        return [], _notes(stack, "refused", problem, "Give the acquisitions in separate folders")
    notes: list[IntakeNote] = []
    for small in made.small:
        problem = f"{counted(len(small.slices), 'slice')} with {_said(small)} at the place of others"
        notes += _notes(small.slices, "set_aside", problem, "too few for a volume of their own")
    return [_series(part, made.mixed) for part in made.parts], notes


def _series(part: Part, mixed: str) -> CtSeries:
    first = part.slices[0].found
    if mixed:
        problem = f"slices that differ in {mixed} lie between each other"
        note = first.note("warning", problem, "read as one volume, in which what moved between them is torn")
        return CtSeries(part.slices, (note,))
    if not part.keys:
        return CtSeries(part.slices)
    problem = f"its series mixes acquisitions that differ in {' and '.join(part.keys)}"
    values = " and ".join(repr(value) for value in part.values)
    note = first.note("repaired", problem, f"those with {values} were read on their own")
    return CtSeries(part.slices, (note,), _said(part))


def _said(part: Part) -> str:
    return ", ".join(f"{key} {value}" for key, value in zip(part.keys, part.values, strict=True))


def _without_reformats(series: list[CtSeries], notes: list[IntakeNote]) -> tuple[list[CtSeries], list[IntakeNote]]:
    """Derived volumes of another plane are set aside where their study has an axial one, else read with a warning."""
    axial = {one.slices[0].entry.study for one in series if not _is_reformat(one)}
    kept = []
    for one in series:
        if not _is_reformat(one):
            kept.append(one)
        elif one.slices[0].entry.study in axial:
            notes += _notes(one.slices, "set_aside", "a reformat in another plane", "the axial series is read")
        else:
            note = one.slices[0].found.note("warning", "only a reformat of the scan is here", "give the axial series")
            kept.append(replace(one, notes=(*one.notes, note)))
    return kept, notes


def _is_reformat(series: CtSeries) -> bool:
    kinds = {word.upper() for word in series.slices[0].header.texts("ImageType")}
    return bool(kinds & {"DERIVED", "REFORMATTED", "MPR"}) and abs(series.slices[0].normal[2]) < _AXIAL


def _notes(slices: Iterable[Slice], level: NoteLevel, problem: str, action: str) -> list[IntakeNote]:
    """One note per file."""
    return [found.note(level, problem, action) for found in dict.fromkeys(item.found for item in slices)]
