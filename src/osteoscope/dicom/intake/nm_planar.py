"""Planar NM frames into acquisitions: an anterior and a posterior view that belong together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from osteoscope.dicom.intake.header import Digest, Entry
from osteoscope.dicom.intake.nm_frames import PlanarFrame, frames_of
from osteoscope.domain.study import IntakeNote, NoteLevel

_TOGETHER = timedelta(minutes=30)
_ONE_SESSION = timedelta(hours=2)
_VIEWS = ("anterior", "posterior")


@dataclass(frozen=True, eq=False)
class PlanarViews:
    """The views of one acquisition: anterior, posterior, or one of them.

    Args:
        frames: at most one per view.
    """

    frames: tuple[PlanarFrame, ...]
    notes: tuple[IntakeNote, ...] = ()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The files."""
        return tuple(dict.fromkeys(frame.entry for frame in self.frames))

    @property
    def label(self) -> str:
        """Series number, description and views."""
        header = self.frames[0].entry.header
        words = ["NM", header.text("SeriesNumber"), header.text("SeriesDescription") or header.text("StudyDescription")]
        return " ".join(filter(None, words)) + f" ({' and '.join(frame.view for frame in self.frames)})"


def planar_of(entries: Sequence[Entry], digest: Digest) -> tuple[list[PlanarViews], list[IntakeNote]]:
    """The acquisitions that NM files make, and notes on what belongs to none."""
    entries, notes = _without_copies(entries, digest)
    studies: dict[tuple[str, ...], list[tuple[list[PlanarFrame], list[IntakeNote]]]] = defaultdict(list)
    for entry in entries:
        frames, about = frames_of(entry)
        wanted = [frame for frame in frames if frame.view in _VIEWS]
        about += [
            frame.found.note("set_aside", f"frame {frame.frame + 1} is a {frame.view} view", "not read")
            for frame in frames
            if frame.view not in _VIEWS
        ]
        if wanted:
            studies[entry.study].append((wanted, about))
        else:
            notes += about
    acquisitions: list[PlanarViews] = []
    for files in studies.values():
        made, left = _without_spots(list(_acquisitions(files)))
        acquisitions += made
        notes += left
    return acquisitions, notes


def _without_copies(entries: Sequence[Entry], digest: Digest) -> tuple[list[Entry], list[IntakeNote]]:
    """One file per object; files of one UID but other pixels are kept."""
    by_uid: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_uid[entry.header.text("SOPInstanceUID")].append(entry)
    kept, notes = [], []
    for uid, same in by_uid.items():
        firsts: dict[str, Entry] = {}
        for entry in same:
            first = firsts.setdefault(digest(entry) if uid and len(same) > 1 else entry.found.name, entry)
            if first is entry:
                kept.append(entry)
            else:
                notes.append(entry.found.note("set_aside", f"a copy of {first.found.name}", "read once"))
    return kept, notes


def _acquisitions(files: Sequence[tuple[list[PlanarFrame], list[IntakeNote]]]) -> Iterator[PlanarViews]:
    """Files with both views are whole; single views are paired across files; more frames than views are spots."""
    singles: list[PlanarFrame] = []
    about: dict[int, list[IntakeNote]] = {}
    for frames, notes in files:
        if len(frames) == 1:
            singles.append(frames[0])
            about[id(frames[0].entry)] = notes
        elif len({frame.view for frame in frames}) == len(frames):
            yield PlanarViews(_in_order(frames), tuple(notes))
        else:
            yield from (PlanarViews((frame,), tuple(notes)) for frame in frames)
    for pair in _pairs(_told_apart(singles)):
        yield PlanarViews(_in_order(pair), tuple(note for frame in pair for note in about[id(frame.entry)]))


def _told_apart(singles: Sequence[PlanarFrame]) -> list[PlanarFrame]:
    """Of two views of one series that look alike by their headers, the later one may be the other view."""
    by_series: dict[tuple[str, ...], list[PlanarFrame]] = defaultdict(list)
    for frame in sorted(singles, key=_rank):
        by_series[frame.entry.series].append(frame)
    apart: list[PlanarFrame] = []
    for frames in by_series.values():
        apart += _other_view_last(*frames) if len(frames) == 2 else frames
    return apart


def _other_view_last(first: PlanarFrame, second: PlanarFrame) -> tuple[PlanarFrame, PlanarFrame]:
    """Two files as the camera made them are two heads; derived ones may be one picture twice, and are left alone."""
    original = all(frame.entry.header.text("ImageType").upper() != "DERIVED" for frame in (first, second))
    if first.view != second.view or not second.guess or not original or not _belong_but_for_view(first, second):
        return first, second
    other = "posterior" if first.view == "anterior" else "anterior"
    return first, replace(second, view=other, guess=f"as the view that goes with {first.found.name}", by_order=True)


def _rank(frame: PlanarFrame) -> tuple[bool, float, str]:
    return bool(frame.guess), frame.entry.header.number("InstanceNumber") or 0, frame.found.name


def _pairs(singles: Sequence[PlanarFrame]) -> Iterator[tuple[PlanarFrame, ...]]:
    left = list(singles)
    while left:
        frame = left.pop(0)
        partners = [other for other in left if _belong(frame, other)]
        if not partners:
            yield (frame,)
            continue
        partner = min(partners, key=partial(_distance, frame))
        left.remove(partner)
        yield (frame, partner)


def _distance(one: PlanarFrame, other: PlanarFrame) -> tuple[bool, timedelta]:
    """Another series is further than any time."""
    return one.entry.series != other.entry.series, _apart(one, other) or timedelta()


def _belong(one: PlanarFrame, other: PlanarFrame) -> bool:
    return one.view != other.view and _belong_but_for_view(one, other)


def _belong_but_for_view(one: PlanarFrame, other: PlanarFrame) -> bool:
    if one.layout != other.layout:
        return False
    apart = _apart(one, other)
    if apart is None:
        return one.entry.series == other.entry.series
    return apart <= _TOGETHER


def _apart(one: PlanarFrame, other: PlanarFrame) -> timedelta | None:
    return abs(one.when - other.when) if one.when and other.when else None


def _without_spots(acquisitions: list[PlanarViews]) -> tuple[list[PlanarViews], list[IntakeNote]]:
    """Keep sweeps, and a static acquisition that stands alone in its session; spots of parts make no whole body."""
    notes: list[IntakeNote] = []
    kept = []
    for one in acquisitions:
        others = [other for other in acquisitions if other is not one and _one_session(one, other)]
        if one.frames[0].is_sweep or not others:
            kept.append(one)
        elif any(other.frames[0].is_sweep for other in others):
            notes += [*one.notes, *_notes(one, "set_aside", "a static spot", "the whole-body sweep is read")]
        else:
            problem = f"one of {len(others) + 1} static spots, which do not make one whole-body view"
            remedy = "Join the spots at the camera's workstation, or give one of them alone"
            notes += [*one.notes, *_notes(one, "refused", problem, remedy)]
    return kept, notes


def _one_session(one: PlanarViews, other: PlanarViews) -> bool:
    apart = _apart(one.frames[0], other.frames[0])
    return apart is None or apart <= _ONE_SESSION


def _in_order(frames: Iterable[PlanarFrame]) -> tuple[PlanarFrame, ...]:
    return tuple(sorted(frames, key=lambda frame: _VIEWS.index(frame.view)))


def _notes(one: PlanarViews, level: NoteLevel, problem: str, action: str) -> list[IntakeNote]:
    return [found.note(level, problem, action) for found in dict.fromkeys(frame.found for frame in one.frames)]
