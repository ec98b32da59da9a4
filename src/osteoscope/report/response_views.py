"""The views of several dates side by side, findings labelled by the lesion's id and coloured by what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from matplotlib.axes import Axes

from osteoscope.domain.finding import DOUBTFUL_BELOW
from osteoscope.domain.image import Image
from osteoscope.domain.reading import Case, MappedSite, Reading
from osteoscope.domain.study import Study
from osteoscope.report.parts import Figure
from osteoscope.report.planar_views import (
    Mark,
    PlanarOptions,
    Window,
    body_window,
    outline,
    show_view,
    write_labels,
)  # fmt: skip
from osteoscope.report.style import BLUE, BONE, GREEN, INK, PURPLE, SKY, VERMILION, new_figure, to_png
from osteoscope.report.wording import percent
from osteoscope.stats.lesion_identity import Lesion, State
from osteoscope.stats.response_record import Response

_HEIGHT, _TITLE, _DPI, _FULL_WIDTH = 6.0, 0.5, 150, 9.0
DATES_PER_FIGURE = 3

# State of a lesion that is there -> colour (told apart by the colour-blind).
STATE_COLOURS: Mapping[State, str] = MappingProxyType(
    {
        **dict.fromkeys(("baseline", "persisting"), BLUE),
        **dict.fromkeys(("confluent", "remnant"), PURPLE),
        **dict.fromkeys(("new", "returned"), VERMILION),
        "not_known": SKY,
    }
)
RESOLVED_NEXT = GREEN


@dataclass(frozen=True, eq=False)
class DatedView:
    """A date to be drawn; without images, outlines alone are."""

    reading: Reading
    mapped: tuple[MappedSite, ...]
    images: Mapping[str, Image]

    def case(self) -> Case:
        """The Case to draw: empty views where the counts are not at hand."""
        record = self.reading.study
        blank = {
            name: Image(image.grid, np.zeros(image.grid.shape, dtype=np.int32), "counts")
            for name, image in record.images.items()
        }
        study = Study(record.uid, record.kind, record.date, record.patient, self.images or blank)
        return Case(study, self.mapped, self.reading.findings, self.reading.set_aside)


def response_views(response: Response, dates: Sequence[DatedView]) -> tuple[Figure, ...]:
    """One figure for up to three dates, oldest left: both views of each, on one scale where pixels have a size."""
    starts = range(0, len(dates), DATES_PER_FIGURE)
    return tuple(_figure(response, dates, range(s, min(s + DATES_PER_FIGURE, len(dates)))) for s in starts)


def _figure(response: Response, dates: Sequence[DatedView], numbers: range) -> Figure:
    cases = {n: dates[n].case() for n in numbers}
    options = PlanarOptions()
    windows = _one_scale({n: body_window(case, options) for n, case in cases.items()}, cases)
    panels = [(n, name) for n, case in cases.items() for name in ("anterior", "posterior") if name in case.study.images]
    widths = [_HEIGHT * windows[n].shape[0] / windows[n].shape[1] for n, _ in panels]
    figure = new_figure(sum(widths), _HEIGHT + _TITLE, dpi=_DPI)
    axes = figure.subplots(1, len(panels), squeeze=False, width_ratios=widths)[0]
    figure.subplots_adjust(left=0, right=1, top=_HEIGHT / (_HEIGHT + _TITLE), bottom=0, wspace=0)
    for each, (n, name) in zip(axes, panels, strict=True):
        show_view(each, cases[n], name, (windows[n], options))
        each.set_title(f"{response.exams[n].date or f'date {n + 1}'}\n{name}", fontsize=9, color=INK, pad=4)
        _mark(each, cases[n], name, (response.lesions, n, windows[n]))
    blank = [response.exams[n].date or f"date {n + 1}" for n in numbers if not dates[n].images]
    without = f"No counts at hand for {', '.join(blank)}: outlines alone. " if blank else ""
    caption = (
        f"{without}Inverse grey, each view on its own scale. Lesions by their id: blue persisting, orange new or "
        "returned, green resolved by the next date, purple confluent or broken up, light blue not known whether new; "
        f"dashed below {percent(DOUBTFUL_BELOW)} confidence. Segments thin. R and L are the patient's sides."
    )
    alt = f"views of {len(numbers)} dates with {len(response.lesions)} lesions followed"
    share = round(min(1.0, sum(widths) / _FULL_WIDTH), 3)
    return Figure(f"dates-{numbers.start + 1}", caption, alt, to_png(figure), share)


def _one_scale(windows: Mapping[int, Window], cases: Mapping[int, Case]) -> Mapping[int, Window]:
    """Windows of one size about their middles; each its own where the size of a pixel is not known."""
    if any(image.grid.unit == "pixel" for case in cases.values() for image in case.study.images.values()):
        return windows
    width, height = (max(w.shape[axis] for w in windows.values()) / 2 for axis in (0, 1))
    return {n: _about((w.left + w.right) / 2, (w.top + w.bottom) / 2, width, height) for n, w in windows.items()}


def _about(x: float, y: float, width: float, height: float) -> Window:
    return Window(x - width, x + width, y - height, y + height)


def _mark(axes: Axes, case: Case, name: str, what: tuple[Sequence[Lesion], int, Window]) -> None:
    lesions, number, window = what
    grid = case.study.images[name].grid
    for mapped in case.mapped:
        outline(axes, mapped.region, name, grid, (BONE, 0.3, "-"))
    by_finding = {lesion.course[number].finding: lesion for lesion in lesions}
    marks = []
    for finding in case.findings:
        lesion = by_finding.get(finding.id)
        if lesion is None:
            continue
        colour = _colour(lesion, number)
        style = "-" if finding.confidence >= DOUBTFUL_BELOW else "--"
        part = outline(axes, finding.region, name, grid, (colour, 1.0, style))
        if part is not None:
            row, column = (part.centroid() + 0.5) * grid.spacing
            marks.append(Mark(lesion.id, float(column), float(row), colour))
    write_labels(axes, marks, (window, _HEIGHT))


def _colour(lesion: Lesion, number: int) -> str:
    following = [sight.state for sight in lesion.course[number + 1 : number + 2]]
    return RESOLVED_NEXT if following == ["resolved"] else STATE_COLOURS[lesion.course[number].state]
