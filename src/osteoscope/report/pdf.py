"""The report as PDF, set by typst from its wheel alone: no system library, no network, its own fonts.

matplotlib's DejaVu fonts are added for scripts that typst's own do not hold; fonts of the system are
used for what is still missing, such as East Asian names.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import matplotlib as mpl
import typst

from osteoscope.errors import OutputError
from osteoscope.report.parts import Column, Document, Table

_TEMPLATE = "report.typ"
_SHORT_TITLE = 14


def write_pdf(document: Document, path: Path) -> None:
    """Write the report as PDF, A4.

    Raises:
        OutputError: typst refuses the document, or the file cannot be written.
    """
    with TemporaryDirectory() as folder:
        workshop = Path(folder)
        for figure in document.figures:
            (workshop / f"{figure.name}.png").write_bytes(figure.png)
        (workshop / "report.json").write_text(json.dumps(_plain(document)), encoding="utf-8")
        source = files("osteoscope.report").joinpath("templates", _TEMPLATE)
        (workshop / _TEMPLATE).write_bytes(source.read_bytes())
        content = _compile(workshop / _TEMPLATE, path)
    try:
        path.write_bytes(content)
    except OSError as error:
        raise OutputError(f"write report {path}", str(error), "Name a folder that can be written") from error


def _plain(document: Document) -> dict[str, Any]:
    """The document as JSON holds it: pictures by file name, columns with their share of the width."""
    plain = asdict(document)
    for section, source in zip(plain["sections"], document.sections, strict=True):
        for figure in section["figures"]:
            figure["file"] = f"{figure['name']}.png"
            del figure["png"]
        for table, shape in zip(section["tables"], source.tables, strict=True):
            table["widths"] = _widths(shape)
    return plain


def _compile(template: Path, path: Path) -> bytes:
    fonts = [str(Path(mpl.get_data_path()) / "fonts" / "ttf")]
    try:
        content: Any = typst.compile(str(template), root=str(template.parent), font_paths=fonts)
    except RuntimeError as error:
        raise OutputError(
            f"write report {path}", f"typst: {error}", "Send the reading.json to the developers"
        ) from error
    return bytes(content)


def _widths(table: Table) -> list[float]:
    """Shares of the width that columns get, by their longest text within bounds; 0: as wide as its numbers."""
    return [_width(column, [row[n].text for row in table.rows]) for n, column in enumerate(table.columns)]


def _width(column: Column, texts: list[str]) -> float:
    if column.numeric and len(column.title) <= _SHORT_TITLE:
        return 0.0
    words = column.title.split() if column.numeric else [column.title]
    return float(min(max(6, *(len(text) for text in (*words, *texts))), 40) ** 0.75)
