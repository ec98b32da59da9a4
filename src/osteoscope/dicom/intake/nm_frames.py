"""Frames of a planar NM file: which energy window, which view (PS3.3 C.8.4.8, C.8.4.9, C.8.4.11)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from osteoscope.dicom.intake.found import Found
from osteoscope.dicom.intake.header import Entry, Header
from osteoscope.dicom.intake.screen import pixel_spacing
from osteoscope.dicom.intake.tracer import PEAKS_KEV, tracer_of, windows_kev
from osteoscope.domain.study import IntakeNote

# PS3.16 CID 26, SCT and the SRT codes before them.
_VIEW_CODES: Mapping[str, str] = {
    "399321004": "anterior", "G-5215": "anterior",
    "399001007": "posterior", "G-5216": "posterior",
    "399297009": "right lateral", "G-5222": "right lateral",
    "399118008": "left lateral", "G-5223": "left lateral",
    "399108003": "oblique", "G-5206": "oblique", "399074003": "oblique", "G-5207": "oblique",
    "399075002": "oblique", "G-5208": "oblique", "399136008": "oblique", "G-5209": "oblique",
}  # fmt: skip
_VIEW_WORDS = (
    (re.compile(r"obli|\b[lr][ap]o\b", re.IGNORECASE), "oblique"),
    (re.compile(r"lateral|\b(r|l)(t|l)?[ _-]?lat\b|profil", re.IGNORECASE), "lateral"),
    (re.compile(r"(?<![a-z])(ant(erior|erieur|érieur)?|vorn)(?![a-z])", re.IGNORECASE), "anterior"),
    (re.compile(r"(?<![a-z])(post?(erior|erieur|érieur)?|hinten)(?![a-z])", re.IGNORECASE), "posterior"),
)
# "24 h post", "post injection", "post-induction": a time, not a view.
_LATER = re.compile(
    r"\d\s*(h|hrs?|hours?|std|min)\.?[\s_-]*post(?![a-z])"
    r"|(?<![a-z])post[\s_-]*(i\.?v|inj|ind|th[eé]r|treat|trait|tx|rx|chem|chim|op|surg|trans|stem|asct|bmt|cons|imm|rad"
    r"|mibg|lu-?1|i-?1|1\d\d-?i)\w*",
    re.IGNORECASE,
)
_NOT_PLANAR: Mapping[str, str] = {
    "TOMO": "the projections of a SPECT",
    "GATED TOMO": "the projections of a gated SPECT",
    "RECON TOMO": "a reconstructed SPECT",
    "RECON GATED TOMO": "a reconstructed gated SPECT",
    "DYNAMIC": "a dynamic acquisition",
    "GATED": "a gated acquisition",
}
_POINTERS: Mapping[int, str] = {
    0x00540050: "the projections of a SPECT (frames by rotation)",
    0x00540090: "the projections of a SPECT (frames by angular view)",
    0x00540080: "a reconstructed SPECT (frames by slice)",
    0x00540060: "a gated acquisition (frames by R-R interval)",
    0x00540070: "a gated acquisition (frames by time slot)",
    0x00540030: "a dynamic acquisition (frames by phase)",
    0x00540100: "a dynamic acquisition (frames by time slice)",
}
_PLANAR_POINTERS = frozenset({0x00540010, 0x00540020})
_ELONGATED = 1.8
_GUESSED_WINDOW = "the first, a guess: nothing tells which one holds the peak"
_OFF_PEAK = "the only one, and it does not hold the peak"


@dataclass(frozen=True, eq=False)
class PlanarFrame:
    """One planar picture.

    Args:
        frame: its number in the file, from 0.
        guess: how the view was inferred, "" where the header states it.
        detector: from 1, 0 where unknown.
        by_order: the view is inferred from the file that comes before it.
        window_guess: nothing told which energy window holds the photopeak, or none does.
    """

    entry: Entry
    frame: int
    view: str
    guess: str
    detector: int
    by_order: bool = False
    window_guess: bool = False

    @property
    def found(self) -> Found:
        """The file."""
        return self.entry.found

    @property
    def is_sweep(self) -> bool:
        """Whether it is a whole-body sweep rather than a static spot."""
        header = self.entry.header
        kinds = {word.upper() for word in header.texts("ImageType")}
        rows, columns = sorted((header.integer("Rows") or 1, header.integer("Columns") or 1), reverse=True)
        return bool(kinds & {"WHOLE BODY", "WHOLEBODY"}) or rows >= _ELONGATED * columns

    @property
    def layout(self) -> tuple[object, ...]:
        """What two views of one acquisition share."""
        header = self.entry.header
        return header.integer("Rows"), header.integer("Columns"), pixel_spacing(header), self.is_sweep

    @property
    def when(self) -> datetime | None:
        """Start of the acquisition."""
        return acquired(self.entry.header)


def acquired(header: Header) -> datetime | None:
    """Date and time of an acquisition where both are stated."""
    for day, time in (("AcquisitionDate", "AcquisitionTime"), ("SeriesDate", "SeriesTime")):
        stamp = header.text(day).replace(".", "") + header.text(time).replace(":", "")[:6]
        try:
            return datetime.strptime(stamp, "%Y%m%d%H%M%S")
        except ValueError:
            continue
    return None


def frames_of(entry: Entry) -> tuple[list[PlanarFrame], list[IntakeNote]]:
    """The photopeak frames of a planar file with their views, and notes on what was passed over or guessed."""
    header = entry.header
    other = _not_planar(header)
    if other:
        action = "Give the planar whole-body views; only these are scored"
        return [], [entry.found.note("refused", other, action)]
    notes: list[IntakeNote] = []
    count = header.integer("NumberOfFrames") or 1
    windows, detectors, stated = _vectors(header, count)
    if not stated:
        problem = f"{count} frames without a usable frame increment pointer"
        notes.append(entry.found.note("warning", problem, "taken window by window, detector by detector"))
    peak, basis = _photopeak(header, windows)
    dropped = sorted({window for window in windows if window != peak})
    if dropped:
        ranges = windows_kev(header)
        names = ", ".join(_window_name(ranges, window) for window in dropped)
        action = f"only window {_window_name(ranges, peak)} is read ({basis})"
        notes.append(entry.found.note("set_aside", f"frames of energy window {names}", action))
    if basis == _OFF_PEAK:
        problem = f"energy window {_window_name(windows_kev(header), peak)} does not hold the peak of {_peaks(header)}"
        action = "read on, though it may show scatter; give the photopeak window, or check the header"
        notes.append(entry.found.note("warning", problem, action))
    kept = [i for i in range(count) if windows[i] == peak]
    frames = [_frame(entry, i, detectors[i], len(kept)) for i in kept]
    return [_unsure(frame, stated, basis) for frame in frames], notes


def _unsure(frame: PlanarFrame, stated: bool, basis: str) -> PlanarFrame:
    """A view told by its detector is a guess where the frame's detector is one."""
    guess = frame.guess or ("" if stated else "by its place among the frames")
    return replace(frame, guess=guess, window_guess=basis in {_GUESSED_WINDOW, _OFF_PEAK})


def _not_planar(header: Header) -> str:
    kind = header.texts("ImageType")[2:3]
    if kind and kind[0].upper() in _NOT_PLANAR:
        return _NOT_PLANAR[kind[0].upper()]
    pointers = {int(value) for value in header.numbers("FrameIncrementPointer")}
    return next((_POINTERS.get(p, f"frames by element {p:08x}") for p in sorted(pointers - _PLANAR_POINTERS)), "")


def _vectors(header: Header, count: int) -> tuple[list[int], list[int], bool]:
    """Energy window and detector number of each frame, and whether the header states them."""
    windows = [int(v) for v in header.numbers("EnergyWindowVector", count)]
    detectors = [int(v) for v in header.numbers("DetectorVector", count)]
    if windows and detectors:
        return windows, detectors, True
    if count == 1:
        return windows or [1], detectors or [header.integer("GenieDetector") or 0], True
    heads = header.integer("NumberOfDetectors") or 2
    heads = heads if count % heads == 0 else count
    guess = windows or [1 + i // heads for i in range(count)]
    return guess, detectors or [1 + i % heads for i in range(count)], False


def _photopeak(header: Header, windows: Sequence[int]) -> tuple[int, str]:
    """The energy window to read, and why."""
    present = sorted(set(windows))
    ranges = windows_kev(header)
    nuclide = tracer_of(header).radionuclide
    for peak in PEAKS_KEV.get(nuclide, ()):
        holding = [
            (high - low, window)
            for window in present
            if 0 < window <= len(ranges)
            for low, high in ranges[window - 1]
            if low <= peak <= high
        ]
        if holding:
            return min(holding)[1], f"it holds the {peak:g} keV peak of {nuclide}"
    if len(present) > 1:
        return present[0], _GUESSED_WINDOW
    stated = 0 < present[0] <= len(ranges) and ranges[present[0] - 1]
    return present[0], _OFF_PEAK if stated and nuclide in PEAKS_KEV else "the only one"


def _peaks(header: Header) -> str:
    nuclide = tracer_of(header).radionuclide
    return f"{nuclide} ({' and '.join(f'{peak:g}' for peak in PEAKS_KEV[nuclide])} keV)"


def _window_name(ranges: Sequence[Sequence[tuple[float, float]]], window: int) -> str:
    limits = ranges[window - 1] if 0 < window <= len(ranges) else ()
    return f"{window}" + "".join(f" ({low:g}-{high:g} keV)" for low, high in limits)


def head_of(header: Header, detector: int) -> Header:
    """What a header says of a detector, from 1; of a single frame, what it says of the only one."""
    heads = header.items("DetectorInformationSequence")
    if 0 < detector <= len(heads):
        return heads[detector - 1]
    return heads[0] if len(heads) == 1 and (header.integer("NumberOfFrames") or 1) == 1 else Header({})


def _frame(entry: Entry, frame: int, detector: int, count: int) -> PlanarFrame:
    header = entry.header
    code = head_of(header, detector).item("ViewCodeSequence")
    stated = _VIEW_CODES.get(code.text("CodeValue"), "") or _view_in(code.text("CodeMeaning"))
    if stated:
        return PlanarFrame(entry, frame, stated, "", detector)
    if count == 1:
        names = ("ViewPosition", "ImageID", "GenieDataset", "GeniePicture", "SeriesDescription", "ImageType")
        for name in names:
            view = _view_in(" ".join(header.texts(name)))
            if view:
                return PlanarFrame(entry, frame, view, f"by its {name}", detector)
    view = "posterior" if detector == 2 else "anterior"
    basis = f"by detector {detector}" if detector else "for want of any hint"
    return PlanarFrame(entry, frame, view, basis, detector)


def _view_in(text: str) -> str:
    """The one view that a text names, "" where it names none or both."""
    text = _LATER.sub(" ", text)
    views = {view for pattern, view in _VIEW_WORDS if pattern.search(text)}
    if views & {"oblique", "lateral"}:
        return next(iter(views & {"oblique", "lateral"}))
    return views.pop() if len(views) == 1 else ""
