"""What a report is made of, as plain frozen data that the HTML and the PDF render alike."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fact:
    """A label and what stands behind it."""

    label: str
    value: str


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Args:
        text: what is read first.
        detail: its interval or a remark, set smaller.
        colour: "#rrggbb" of a swatch before the text, "" for none.
    """

    text: str
    detail: str = ""
    colour: str = ""


@dataclass(frozen=True)
class Column:
    """A column's heading; numbers are set to the right."""

    title: str
    numeric: bool = False


@dataclass(frozen=True)
class Table:
    """Rows under headings.

    Args:
        title, columns, rows: as they say; the first cell names its row.
        note: explains units, intervals and choices.
        total: whether the last row sums up the others.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    total: bool = False


@dataclass(frozen=True)
class Figure:
    """A picture.

    Args:
        name: unique within a Document, fit for a file's name.
        caption: shown below.
        alt: what a reader who cannot see it needs to know.
        png: the bytes of a PNG file.
        width: share of the page's width that it deserves, 0..1.
    """

    name: str
    caption: str
    alt: str
    png: bytes
    width: float = 1.0


@dataclass(frozen=True)
class Section:
    """Figures, then tables, under one heading; ``beside`` sets the figures next to the tables."""

    title: str
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    beside: bool = False


@dataclass(frozen=True)
class Document:
    """A report.

    Args:
        title, disclaimer: at its head.
        patient: who, and which images.
        asked: the question.
        summary: the answer, in a few sentences with intervals.
        limits: what the reader must know before using the answer.
        sections: pictures first, provenance last.
    """

    title: str
    disclaimer: str
    patient: tuple[Fact, ...]
    asked: str
    summary: tuple[str, ...]
    limits: tuple[str, ...]
    sections: tuple[Section, ...]

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All figures in order."""
        return tuple(figure for section in self.sections for figure in section.figures)
