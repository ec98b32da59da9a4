"""The views of one planar acquisition into a Study."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from osteoscope.dicom.intake.header import Header
from osteoscope.dicom.intake.nm_mirror import posterior_side
from osteoscope.dicom.intake.nm_planar import PlanarViews
from osteoscope.dicom.intake.nm_view import View, read_view, right_edge
from osteoscope.dicom.intake.patient import digest_uid, patient_of, study_date
from osteoscope.dicom.intake.tracer import Tracer, tracer_named, tracer_of
from osteoscope.dicom.intake.workplace import Workplace
from osteoscope.domain.geometry import Frame, Grid
from osteoscope.domain.image import Image
from osteoscope.domain.study import Acquisition, Study
from osteoscope.errors import IntakeError

_FRAMES: dict[str, Frame] = {"anterior": "anterior", "posterior": "posterior"}
_SIDE = "posterior_side"


def load_planar(acquisition: PlanarViews, work: Workplace) -> Study:
    """The Study of a planar acquisition; a posterior view that is clearly mirrored is flipped back, and said so.

    Raises:
        IntakeError: a view that cannot be read (see ``read_view``), or two pictures that show, or may show,
            one view twice.
    """
    views = []
    for done, frame in enumerate(acquisition.frames):
        work.progress("decode", done, len(acquisition.frames))
        views.append(read_view(frame, work))
    work.progress("decode", len(views), len(views))
    views, guessed = _sides_settled(views)
    first, header = acquisition.frames[0].found, acquisition.frames[0].entry.header
    patient, odd = patient_of(header)
    tracer = _insisted(tracer_of(header), work.options.tracer)
    notes = [
        first.note("accepted", " and ".join(view.frame.view for view in views), "read as counts"),
        *(note for view in views for note in view.notes),
        *(first.note("warning", problem, action) for problem, action in tracer.problems),
        *(first.note("warning", problem, "read on") for problem in odd),
    ]
    if any(view.frame.window_guess for view in views):
        guessed = ("energy_window", *guessed)
    if any(view.frame.guess for view in views):
        guessed = ("view", *guessed)
    return Study(
        uid=header.text("StudyInstanceUID") or digest_uid(view.source.sha256 for view in views),
        kind="nm-planar",
        date=study_date(header),
        patient=patient,
        images={view.frame.view: _image(view) for view in views},
        acquisition=_acquisition(header, tracer, (*guessed, *tracer.guessed)),
        sources=tuple(view.source for view in views),
        intake=tuple(dict.fromkeys(notes)),
    )


def _image(view: View) -> Image:
    counts = np.ascontiguousarray(view.counts)
    return Image(Grid.planar(counts.shape, view.spacing, _FRAMES[view.frame.view]), counts, "counts")


def _sides_settled(views: Sequence[View]) -> tuple[list[View], tuple[str, ...]]:
    """The views with the posterior one as seen from behind, and what of this is a guess."""
    by_name = {view.frame.view: view for view in views}
    back, front = by_name.get("posterior"), by_name.get("anterior")
    if front is not None and back is not None and front.counts.shape == back.counts.shape:
        settled, sure = _side_by_likeness(front, back)
    else:
        settled = {name: _BY_HEADER[name](view) for name, view in by_name.items()}
        sure = back is None or right_edge(back.frame) == "R"
    return [settled[view.frame.view] for view in views], () if sure else (_SIDE,)


def _front_by_header(front: View) -> View:
    """As it is: a header alone, which no other view bears out, is not acted on."""
    if right_edge(front.frame) != "R":
        return front
    problem = "the header says that the anterior view is stored mirrored, and no other view bears it out"
    return front.noted("warning", problem, "taken as seen from the front; look whether the liver lies on the right")


def _side_by_header(back: View) -> View:
    """Without an anterior view of its size, only the header can tell; it is not acted on alone."""
    right = right_edge(back.frame)
    if right == "R":
        return back.noted("accepted", "the posterior view is as seen from behind", "so its header says")
    doubt = "though its header says that it is mirrored" if right == "L" else "unchecked for want of an anterior view"
    return back.noted("warning", "a posterior view whose side cannot be checked", f"taken as seen from behind, {doubt}")


_BY_HEADER: Mapping[str, Callable[[View], View]] = {"anterior": _front_by_header, "posterior": _side_by_header}


def _side_by_likeness(front: View, back: View) -> tuple[dict[str, View], bool]:
    """Both views by name, and whether their sides are sure.

    Likeness tells whether the two agree, not which is mirrored where they do not: that is the posterior one, unless the
    header says that the anterior one is.
    """
    _refuse_one_picture_twice(front, back)
    side, agreement = posterior_side(front.counts, back.counts)
    figure = f"agreement with the anterior view {agreement:+.2f}, where +1 is seen from behind and -1 mirrored"
    stated = right_edge(front.frame) == "R"
    if side == "from behind" and stated and right_edge(back.frame) == "L":
        return _named(*(_flipped(view, f"so its header says; {figure}") for view in (front, back))), True
    if side != "mirrored" and stated:
        front = _front_by_header(front)
    if side == "from behind":
        return _named(front, back.noted("accepted", "the posterior view is as seen from behind", figure)), not stated
    if side == "unclear":
        problem = "the side of the posterior view cannot be checked"
        return _named(front, back.noted("warning", problem, f"taken as seen from behind ({figure})")), False
    if front.frame.by_order or back.frame.by_order:
        raise IntakeError(
            f"tell {front.frame.found.name} and {back.frame.found.name} apart",
            f"neither states its view, and they may show one view twice ({figure})",
            "Give one of them, or files whose header states the view",
        )
    if stated:
        return _named(_flipped(front, f"so its header says; {figure}"), back), False
    return _named(front, _flipped(back, figure)), False


def _named(front: View, back: View) -> dict[str, View]:
    return {view.frame.view: view for view in (front, back)}


def _flipped(view: View, why: str) -> View:
    turned = replace(view, counts=view.counts[:, ::-1])
    return turned.noted("repaired", f"the {view.frame.view} view is stored mirrored", f"flipped back ({why})")


def _refuse_one_picture_twice(front: View, back: View) -> None:
    """Two heads never count the same, pixel for pixel."""
    copies = {"the same": back.counts, "mirror images": back.counts[:, ::-1]}
    alike = next((how for how, counts in copies.items() if np.array_equal(front.counts, counts)), "")
    files = dict.fromkeys(view.frame.found.name for view in (front, back))
    if alike:
        raise IntakeError(
            f"read {' and '.join(files)} as two views",
            f"both pictures are {alike}, pixel for pixel: one view twice",
            "Give the view that is missing, or one view alone",
        )


def _insisted(tracer: Tracer, wanted: str) -> Tracer:
    name = tracer_named(wanted)
    if not name or name == tracer.name:
        return tracer
    problem = f"the reader insists on {name}; the header says {tracer.name or 'nothing'}"
    return replace(tracer, name=name, problems=(*tracer.problems, (problem, f"taken as {name}")))


def _acquisition(header: Header, tracer: Tracer, guessed: tuple[str, ...]) -> Acquisition:
    return Acquisition(
        description=header.text("SeriesDescription") or header.text("StudyDescription"),
        manufacturer=header.text("Manufacturer"),
        model=header.text("ManufacturerModelName"),
        tracer=tracer.name,
        radionuclide=tracer.radionuclide,
        collimator=header.item("DetectorInformationSequence").text("CollimatorGridName"),
        guessed=guessed,
    )
