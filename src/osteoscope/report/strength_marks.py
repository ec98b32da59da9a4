"""Landmarks as lines to draw and rows to read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.finding import Point
from osteoscope.fe.cases import Marks
from osteoscope.fe.landmarks import VertebraMarks
from osteoscope.report.wording import number, place


@dataclass(frozen=True, eq=False)
class Line:
    """A line through LPS positions [n, 3], mm; ``ends`` are marked where they are landmarks themselves."""

    places: NDArray[np.float64]
    ends: bool = True


def marked_lines(marks: Marks, right: NDArray[np.float64], up: NDArray[np.float64]) -> tuple[Line, ...]:
    """What is drawn over a section with these directions."""
    if isinstance(marks, VertebraMarks):
        return (Line(np.array([marks.lower, marks.upper])),)
    turn = np.linspace(0, 2 * np.pi, 60)[:, None]
    circle = marks.head + marks.radius * (np.cos(turn) * right + np.sin(turn) * up)
    far = marks.shaft - 4 * marks.radius * marks.along
    return (
        Line(circle, ends=False),
        Line(np.array([marks.head, marks.head - 7 * marks.radius * marks.axis])),
        Line(np.array([marks.head, marks.neck])),
        Line(np.array([marks.neck, far]), ends=False),
    )


def mark_rows(marks: Marks, by_hand: Collection[str] = ()) -> tuple[tuple[str, str], ...]:
    """Landmarks in words, so that a hand can check and correct them; ``by_hand`` are those that one set."""
    if isinstance(marks, VertebraMarks):
        return (
            ("Upper end plate", _place(marks.upper)),
            ("Lower end plate", _place(marks.lower)),
            ("Height at the middle", f"{number(marks.height)} mm"),
        )
    found = "middle of the condyles" if marks.knee_seen else "out of the field, estimated from the shaft"
    knee = "set by hand" if "knee" in by_hand else found
    return (
        ("Centre of the head", _place(marks.head)),
        ("Radius of the head", f"{number(marks.radius)} mm"),
        ("Knee", f"{_place(marks.knee)} ({knee})"),
        ("Neck-shaft angle", f"{number(round(marks.neck_shaft_angle))}°"),
    )


def _place(position: NDArray[np.float64]) -> str:
    x, y, z = (float(v) for v in position)
    return place(Point("LPS", "mm", (x, y, z)))
