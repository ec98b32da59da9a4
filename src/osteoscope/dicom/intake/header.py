"""A DICOM header as the worker hands it over, with typed, forgiving access."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from osteoscope.dicom.intake.found import Found
from osteoscope.domain.study import IntakeNote

_CONTROLS = {code: " " if chr(code).isspace() else None for code in (*range(32), *range(127, 160))}


@dataclass(frozen=True, eq=False)
class Header:
    """Plain header fields by keyword; a field that is absent, empty or of another kind reads as "" or None."""

    fields: Mapping[str, Any]

    def text(self, keyword: str) -> str:
        """The value as text; the first one of several."""
        values = self.texts(keyword)
        return values[0] if values else ""

    def texts(self, keyword: str) -> tuple[str, ...]:
        """All values as text, without control characters, which nothing that keeps or shows a text agrees on."""
        return tuple(text.translate(_CONTROLS).strip() for text in self.stated(keyword))

    def stated(self, keyword: str) -> tuple[str, ...]:
        """All values as text, as they are."""
        value = self.fields.get(keyword)
        values = value if isinstance(value, list) else [value]
        return tuple(str(v).strip() for v in values if v not in (None, ""))

    def numbers(self, keyword: str, count: int = 0) -> tuple[float, ...]:
        """All values as finite numbers; () where there are others, or not ``count`` of them (0: any)."""
        try:
            values = tuple(float(v) for v in self.texts(keyword))
        except ValueError:
            return ()
        if (count and len(values) != count) or not all(map(math.isfinite, values)):
            return ()
        return values

    def number(self, keyword: str) -> float | None:
        """One finite number, the first of several."""
        values = self.numbers(keyword)
        return values[0] if values else None

    def integer(self, keyword: str) -> int | None:
        """One whole number."""
        value = self.number(keyword)
        return int(value) if value is not None and value == int(value) else None

    def items(self, keyword: str) -> tuple[Header, ...]:
        """The items of a sequence."""
        value = self.fields.get(keyword)
        return tuple(Header(item) for item in value if isinstance(item, dict)) if isinstance(value, list) else ()

    def item(self, keyword: str) -> Header:
        """The first item of a sequence, empty where there is none."""
        items = self.items(keyword)
        return items[0] if items else Header({})


@dataclass(frozen=True, eq=False)
class Entry:
    """A DICOM file, its header, and what was noticed while reading it."""

    found: Found
    header: Header
    notes: tuple[IntakeNote, ...] = ()

    @property
    def study(self) -> tuple[str, ...]:
        """What files of one study share; those that name none are one study per patient and folder."""
        uid = self.header.text("StudyInstanceUID")
        return self.header.text("PatientID"), uid or self.folder

    @property
    def series(self) -> tuple[str, ...]:
        """What files of one series share, by the same rule."""
        return *self.study, self.header.text("SeriesInstanceUID") or self.folder

    @property
    def folder(self) -> str:
        """The folder's name as the user knows it."""
        return str(PurePosixPath(self.found.name).parent)


Digest = Callable[[Entry], str]
