"""CT slices into series: what belongs to one volume, what is a copy, what is another acquisition."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from osteoscope.dicom.intake.ct_geometry import heights
from osteoscope.dicom.intake.ct_slices import SPLIT_KEYS, Slice, slices_of
from osteoscope.dicom.intake.found import counted
from osteoscope.dicom.intake.header import Digest, Entry
from osteoscope.dicom.options import IntakeOptions
from osteoscope.domain.study import IntakeNote, NoteLevel

_SAME_PLACE_MM = 0.01
_SAME_DIRECTION = 1e-3
_AXIAL = 0.7
# Acquisitions that share more of their span than this show one place twice; bodies are scanned on with less overlap.
_WOVEN = 0.5


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
    for group in groups.values():
        made, left = _volumes(group, digest, options)
        series += made
        notes += left
    return _without_reformats(series, notes)


def _volumes(
    slices: Sequence[Slice], digest: Digest, options: IntakeOptions
) -> tuple[list[CtSeries], list[IntakeNote]]:
    notes: list[IntakeNote] = []
    series: list[CtSeries] = []
    stacks = _alike(slices)
    fewest = min(options.smallest_stack, max(map(len, stacks)))
    for stack in stacks:
        if len(stack) < fewest:
            notes += _notes(stack, "set_aside", "of another plane or matrix than the volume of its series", "not read")
            continue
        single, copies = _without_copies(stack, digest)
        parts, clashes = _parts(single, options.smallest_stack)
        notes += [*copies, *clashes]
        for part in parts:
            if len(part.slices) >= options.smallest_stack:
                series.append(part)
            else:
                problem = f"{counted(len(part.slices), 'slice')}, where a volume needs {options.smallest_stack}"
                notes += _notes(part.slices, "refused", problem, "Give all files of the series")
    return series, notes


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


def _crowds(slices: Sequence[Slice]) -> list[list[Slice]]:
    """Slices that share a height, each group in order of file name; only groups of two and more."""
    height = heights(slices)
    order = np.argsort(height, kind="stable")
    cuts = np.flatnonzero(np.diff(height[order]) > _SAME_PLACE_MM) + 1
    return [[slices[i] for i in sorted(group)] for group in np.split(order, cuts) if len(group) > 1]


def _without_copies(stack: list[Slice], digest: Digest) -> tuple[list[Slice], list[IntakeNote]]:
    copies: set[int] = set()
    notes = []
    for crowd in _crowds(stack):
        kept: dict[tuple[str, int, tuple[float, float]], Slice] = {}
        for item in crowd:
            first = kept.setdefault((digest(item.entry), item.frame, item.rescale), item)
            if first is not item:
                copies.add(id(item))
                notes.append(item.found.note("set_aside", f"a copy of {first.found.name}", "read once"))
    return [item for item in stack if id(item) not in copies], notes


def _parts(stack: list[Slice], fewest: int) -> tuple[list[CtSeries], list[IntakeNote]]:
    """The stack, or the acquisitions that it mixes, told apart by the first header field that can."""
    crowds = _crowds(stack)
    for index, key in enumerate(SPLIT_KEYS):
        parts: dict[str, list[Slice]] = defaultdict(list)
        for item in stack:
            parts[item.splits[index]].append(item)
        whole = len(parts) > 1 and not any(len(part) < fewest or _crowds(part) for part in parts.values())
        if whole and (crowds or _woven(parts.values())):
            return [_named_part(part, key, value) for value, part in parts.items()], []
    if not crowds:
        return [CtSeries(tuple(stack))], []
    one, other = crowds[0][:2]
    problem = f"two different images at one place ({one.found.name} and {other.found.name}), nothing tells them apart"
    return [], _notes(stack, "refused", problem, "Give the acquisitions in separate folders")


def _woven(parts: Iterable[Sequence[Slice]]) -> bool:
    """Whether acquisitions, none of whose slices share a height, lie between each other and not one after the other."""
    low, high = np.array([(height.min(), height.max()) for height in map(heights, parts)]).T
    return bool(high.min() - low.max() > _WOVEN * (high.max() - low.min()))


def _named_part(part: list[Slice], key: str, value: str) -> CtSeries:
    problem = f"its series mixes acquisitions that differ in {key}"
    note = part[0].found.note("repaired", problem, f"those with {value!r} were read on their own")
    return CtSeries(tuple(part), (note,), f"{key} {value}")


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
