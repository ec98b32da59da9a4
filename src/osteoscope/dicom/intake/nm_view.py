"""One planar view: decode its counts, bring the head up, say what its header leaves open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from osteoscope.dicom.intake.nm_frames import PlanarFrame, head_of
from osteoscope.dicom.intake.screen import NM_CLASS, lossy, pixel_spacing
from osteoscope.dicom.intake.workplace import Workplace
from osteoscope.domain.study import IntakeNote, NoteLevel, Source
from osteoscope.errors import IntakeError

# Counter-clockwise quarter turns that bring the head up, by where the right and the lower edge point.
_TURNS_BY_RIGHT = {"F": -1, "H": 1}
_TURNS_BY_DOWN = {"H": 2}
_OPPOSITE = {"L": "R", "R": "L"}
_LYING = 1.5
# A capture of so few bits was windowed for display.
_GREY_BITS = 8


@dataclass(frozen=True, eq=False)
class View:
    """One view on its way: counts [row, column], (row, column) spacing in mm, source and notes."""

    frame: PlanarFrame
    counts: NDArray[np.int32]
    spacing: tuple[float, float] | None
    source: Source
    notes: tuple[IntakeNote, ...] = ()

    def noted(self, level: NoteLevel, problem: str, action: str) -> View:
        """The same with one more line of report."""
        return replace(self, notes=(*self.notes, self.frame.found.note(level, problem, action)))


def read_view(frame: PlanarFrame, work: Workplace) -> View:
    """The view of a frame, head up.

    Raises:
        IntakeError: a file that cannot be decoded, a grey picture whose values are no counts, a view without
            counts, or one lying on its side without a hint of where the head is.
    """
    _refuse_grey_picture(frame)
    return _described(_upright(_decoded(frame, work)))


def _refuse_grey_picture(frame: PlanarFrame) -> None:
    header = frame.entry.header
    bits = header.integer("BitsStored") or header.integer("BitsAllocated") or 0
    if header.text("SOPClassUID") != NM_CLASS and bits <= _GREY_BITS:
        raise IntakeError(
            f"read {frame.found.name}",
            f"a secondary capture of {bits} bits, whose grey values are no counts",
            "Export the original NM object from the camera or the PACS",
        )


def edges(frame: PlanarFrame) -> tuple[str, str]:
    """Where the right and the lower edge of the stored picture point: L, R, A, P, H or F each, "" where unknown."""
    cosines = head_of(frame.entry.header, frame.detector).numbers("ImageOrientationPatient", 6)
    if any(cosines):
        return _towards(cosines[:3]), _towards(cosines[3:])
    words = frame.entry.header.texts("PatientOrientation")
    return (words[0][:1].upper(), words[1][:1].upper()) if len(words) == 2 else ("", "")


def right_edge(frame: PlanarFrame) -> str:
    """Where the right edge points once the head is up: L or R, "" where unknown."""
    right, down = edges(frame)
    if right in _TURNS_BY_RIGHT:
        right = down if _TURNS_BY_RIGHT[right] > 0 else _OPPOSITE.get(down, "")
    elif down in _TURNS_BY_DOWN:
        right = _OPPOSITE.get(right, "")
    return right if right in _OPPOSITE else ""


def _towards(cosines: Sequence[float]) -> str:
    axis = int(np.argmax(np.abs(cosines)))
    return ("LPH" if cosines[axis] > 0 else "RAF")[axis]


def _decoded(frame: PlanarFrame, work: Workplace) -> View:
    header, found, path = frame.entry.header, frame.found, work.new_array()
    slope, intercept = header.number("RescaleSlope"), header.number("RescaleIntercept")
    rescale = (1.0 if slope is None else slope, intercept or 0.0)
    answer = work.sandbox.one(
        {"op": "counts", "file": str(found.path), "out": str(path), "frame": frame.frame, "rescale": rescale}
    )
    if "refused" in answer:
        raise IntakeError(f"read {found.name}", answer["refused"], answer["remedy"])
    counts: NDArray[np.int32] = np.load(path, allow_pickle=False)
    path.unlink()
    if not counts.any():
        problem = f"frame {frame.frame + 1} ({frame.view}) holds no counts at all"
        raise IntakeError(f"read {found.name}", problem, "Export the image again")
    source = Source(
        file=found.name,
        sha256=answer["sha256"],
        path=found.path,
        sop_class_uid=header.text("SOPClassUID"),
        sop_instance_uid=header.text("SOPInstanceUID"),
        image=frame.view,
        index=frame.frame,
    )
    view = View(frame, counts, pixel_spacing(header), source)
    if rescale != (1.0, 0.0):
        problem = f"stored values that mean counts only when scaled by {rescale[0]:g} and shifted by {rescale[1]:g}"
        view = view.noted("repaired", problem, "scaled to counts")
    if answer["rounded"]:
        view = view.noted("repaired", f"{answer['rounded']} values are no whole counts", "rounded")
    if answer["negative"]:
        problem = f"{answer['negative']} values below 0 (to {answer['lowest']:g})"
        view = view.noted("repaired", problem, "set to 0 counts")
    return view


def _upright(view: View) -> View:
    right, down = edges(view.frame)
    turns = _TURNS_BY_RIGHT.get(right, _TURNS_BY_DOWN.get(down, 0))
    rows, columns = view.counts.shape
    if turns:
        spacing = view.spacing and (view.spacing[::-1] if turns % 2 else view.spacing)
        turned = replace(view, counts=np.rot90(view.counts, turns), spacing=spacing)
        problem = f"stored with the head not up (its edges point to {right} and {down})"
        return turned.noted("repaired", problem, f"turned by {90 * turns} degrees")
    if view.frame.is_sweep and columns > _LYING * rows:
        raise IntakeError(
            f"read {view.frame.found.name}",
            f"a whole body lying on its side ({rows} x {columns}), and no PatientOrientation that tells the head",
            "Export it with the head up",
        )
    return view


def _described(view: View) -> View:
    frame, header = view.frame, view.frame.entry.header
    if frame.guess:
        problem = f"frame {frame.frame + 1} does not state its view"
        view = view.noted("warning", problem, f"taken as {frame.view} {frame.guess}")
    if lossy(header):
        view = view.noted("warning", lossy(header), "small counts are not to be trusted")
    if view.spacing is None:
        view = view.noted("warning", "no pixel spacing", "sizes are given in pixels, not in mm")
    if not frame.is_sweep:
        problem = "a single static view, not a whole-body sweep"
        view = view.noted("warning", problem, "what it does not show is not acquired")
    if header.text("SOPClassUID") != NM_CLASS:
        view = view.noted("warning", "stored as a secondary capture", "its values are taken as counts")
    if header.text("PhotometricInterpretation") not in {"", "MONOCHROME2"}:
        problem = f"stored for display as {header.text('PhotometricInterpretation')}"
        view = view.noted("accepted", problem, "the stored counts are used")
    return view
