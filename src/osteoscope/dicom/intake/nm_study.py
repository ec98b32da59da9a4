"""A planar acquisition into a Study: decode the counts, set the views upright, describe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoscope.dicom.intake.header import Header
from osteoscope.dicom.intake.nm_frames import PlanarFrame
from osteoscope.dicom.intake.nm_mirror import posterior_side
from osteoscope.dicom.intake.nm_planar import PlanarViews
from osteoscope.dicom.intake.patient import digest_uid, patient_of, study_date
from osteoscope.dicom.intake.screen import NM_CLASS, lossy, pixel_spacing
from osteoscope.dicom.intake.tracer import Tracer, tracer_of
from osteoscope.dicom.intake.workplace import Workplace
from osteoscope.domain.geometry import Frame, Grid
from osteoscope.domain.image import Image
from osteoscope.domain.study import Acquisition, IntakeNote, Source, Study
from osteoscope.errors import IntakeError

_FRAMES: dict[str, Frame] = {"anterior": "anterior", "posterior": "posterior"}
# Counter-clockwise quarter turns that bring the head up, by where (right, lower) edges of the picture point.
_TURNS_BY_RIGHT = {"F": -1, "H": 1}
_TURNS_BY_DOWN = {"H": 2}
_LYING = 1.5


@dataclass(frozen=True, eq=False)
class _View:
    """One view on its way: counts [row, column], (row, column) spacing in mm, source and notes."""

    frame: PlanarFrame
    counts: NDArray[np.int32]
    spacing: tuple[float, float] | None
    source: Source
    notes: tuple[IntakeNote, ...]

    def noted(self, level: Any, problem: str, action: str) -> _View:
        return replace(self, notes=(*self.notes, self.frame.found.note(level, problem, action)))


def load_planar(acquisition: PlanarViews, work: Workplace) -> Study:
    """The Study of a planar acquisition.

    Raises:
        IntakeError: a file that cannot be decoded, a view without counts, or one lying on its side
            without a hint of where the head is.
    """
    views = []
    for done, frame in enumerate(acquisition.frames):
        work.progress("decode", done, len(acquisition.frames))
        views.append(_described(_upright(_decoded(frame, work))))
    work.progress("decode", len(views), len(views))
    views, unsure = _settled(views)
    first, header = acquisition.frames[0].found, acquisition.frames[0].entry.header
    patient, odd = patient_of(header)
    tracer = _insisted(tracer_of(header), work.options.tracer)
    notes = [
        first.note("accepted", " and ".join(view.frame.view for view in views), "read as counts"),
        *acquisition.notes,
        *(note for view in views for note in view.notes),
        *(first.note("warning", problem, action) for problem, action in tracer.problems),
        *(first.note("warning", problem, "read on") for problem in odd),
    ]
    return Study(
        uid=header.text("StudyInstanceUID") or digest_uid(view.source.sha256 for view in views),
        kind="nm-planar",
        date=study_date(header),
        patient=patient,
        images={view.frame.view: _image(view) for view in views},
        acquisition=_acquisition(header, tracer, views, unsure),
        sources=tuple(view.source for view in views),
        intake=tuple(dict.fromkeys(notes)),
    )


def _image(view: _View) -> Image:
    counts = np.ascontiguousarray(view.counts)
    return Image(Grid.planar(counts.shape, view.spacing, _FRAMES[view.frame.view]), counts, "counts")


def _decoded(frame: PlanarFrame, work: Workplace) -> _View:
    header, found = frame.entry.header, frame.found
    slope, intercept = header.number("RescaleSlope"), header.number("RescaleIntercept")
    rescale = (1.0 if slope is None else slope, intercept or 0.0)
    path = work.new_array()
    request = {
        "op": "counts",
        "file": str(found.path),
        "out": str(path),
        "frames": [frame.frame],
        "rescale": rescale,
    }
    answer = work.sandbox.one(request)
    if "refused" in answer:
        raise IntakeError(f"read {found.name}", answer["refused"], answer["remedy"])
    counts: NDArray[np.int32] = np.load(path, allow_pickle=False)[0]
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
    view = _View(frame, counts, pixel_spacing(header), source, ())
    if rescale != (1.0, 0.0):
        view = view.noted("repaired", f"stored values scaled by {rescale[0]:g} + {rescale[1]:g}", "undone to counts")
    if answer["rounded"]:
        view = view.noted("repaired", f"{answer['rounded']} values are no whole counts", "rounded")
    if answer["negative"]:
        problem = f"{answer['negative']} values below 0 (to {answer['lowest']:g})"
        view = view.noted("repaired", problem, "set to 0 counts")
    return view


def _upright(view: _View) -> _View:
    """Turn a view by quarters where its header says that the head is not up; refuse one that lies without saying."""
    right, down = _edges(view.frame)
    turns = _TURNS_BY_RIGHT.get(right, _TURNS_BY_DOWN.get(down, 0))
    rows, columns = view.counts.shape
    if turns == 0:
        if view.frame.is_sweep and columns > _LYING * rows:
            raise IntakeError(
                f"read {view.frame.found.name}",
                f"a whole body lying on its side ({rows} x {columns}), and no PatientOrientation that tells the head",
                "Export it with the head up",
            )
        return view
    spacing = view.spacing and (view.spacing[::-1] if turns % 2 else view.spacing)
    turned = replace(view, counts=np.rot90(view.counts, turns), spacing=spacing)
    return turned.noted("repaired", f"stored with the head not up ({right}\\{down})", f"turned by {90 * turns} degrees")


def _edges(frame: PlanarFrame) -> tuple[str, str]:
    """Where the right and the lower edge of the picture point: L, R, A, P, H or F each, "" where unknown."""
    heads = frame.entry.header.items("DetectorInformationSequence")
    if 0 < frame.detector <= len(heads):
        cosines = heads[frame.detector - 1].numbers("ImageOrientationPatient", 6)
        if any(cosines):
            return _towards(cosines[:3]), _towards(cosines[3:])
    words = frame.entry.header.texts("PatientOrientation")
    return (words[0][:1].upper(), words[1][:1].upper()) if len(words) == 2 else ("", "")


def _towards(cosines: Sequence[float]) -> str:
    axis = int(np.argmax(np.abs(cosines)))
    return ("LPH" if cosines[axis] > 0 else "RAF")[axis]


def _described(view: _View) -> _View:
    """Notes on what the header leaves open."""
    frame, header = view.frame, view.frame.entry.header
    if frame.guess:
        view = view.noted(
            "warning", f"frame {frame.frame + 1} does not state its view", f"taken as {frame.view} {frame.guess}"
        )
    if lossy(header):
        view = view.noted("warning", lossy(header), "small counts are not to be trusted")
    if view.spacing is None:
        view = view.noted("warning", "no pixel spacing", "sizes are given in pixels, not in mm")
    if not frame.is_sweep:
        problem = "a single static view, not a whole-body sweep"
        view = view.noted("warning", problem, "what it does not show is not acquired")
    if header.text("SOPClassUID") != NM_CLASS:
        view = view.noted("warning", "stored as a secondary capture", "its values are taken as counts")
    if header.text("PhotometricInterpretation") != "MONOCHROME2":
        problem = f"stored for display as {header.text('PhotometricInterpretation')}"
        view = view.noted("accepted", problem, "the stored counts are used")
    return view


def _settled(views: list[_View]) -> tuple[list[_View], tuple[str, ...]]:
    """Put a mirrored posterior view back to "as seen from behind", if the anterior one shows clearly that it is."""
    back = next((view for view in views if view.frame.view == "posterior"), None)
    front = next((view for view in views if view.frame.view == "anterior"), None)
    if back is None:
        return views, ()
    right, _ = _edges(back.frame)
    if front is None or front.counts.shape != back.counts.shape:
        said = {"R": "its header says so", "L": "though its header says the contrary"}.get(right, "unchecked")
        level = "accepted" if right == "R" else "warning"
        kept = back.noted(level, "a posterior view without its anterior one", f"taken as seen from behind ({said})")
        return [kept if view is back else view for view in views], () if right == "R" else ("posterior_side",)
    side, behind, mirrored = posterior_side(front.counts, back.counts)
    figures = f"likeness to the anterior view {behind:.3f} from behind, {mirrored:.3f} mirrored"
    if side == "mirrored" and (front.frame.by_order or back.frame.by_order):
        raise IntakeError(
            f"tell {front.frame.found.name} and {back.frame.found.name} apart",
            f"neither states its view, and they look like one view twice ({figures})",
            "Give one of them, or files whose header states the view",
        )
    if side == "mirrored":
        back_again = replace(back, counts=back.counts[:, ::-1])
        new = back_again.noted("repaired", "the posterior view is stored mirrored", f"flipped back ({figures})")
    elif side == "unclear":
        new = back.noted(
            "warning", "the side of the posterior view cannot be checked", f"taken as from behind ({figures})"
        )
    else:
        new = back.noted("accepted", "the posterior view is as seen from behind", figures)
    return [new if view is back else view for view in views], ("posterior_side",) if side == "unclear" else ()


def _insisted(tracer: Tracer, wanted: str) -> Tracer:
    if not wanted or wanted == tracer.name:
        return tracer
    says = tracer.name or "nothing"
    problem = (f"the reader insists on {wanted}; the header says {says}", f"taken as {wanted}")
    return replace(tracer, name=wanted, problems=(*tracer.problems, problem))


def _acquisition(header: Header, tracer: Tracer, views: Sequence[_View], unsure: tuple[str, ...]) -> Acquisition:
    guessed = ("view",) if any(view.frame.guess for view in views) else ()
    return Acquisition(
        description=header.text("SeriesDescription") or header.text("StudyDescription"),
        manufacturer=header.text("Manufacturer"),
        model=header.text("ManufacturerModelName"),
        tracer=tracer.name,
        radionuclide=tracer.radionuclide,
        collimator=header.item("DetectorInformationSequence").text("CollimatorGridName"),
        guessed=(*guessed, *unsure, *tracer.guessed),
    )
