"""The report as one HTML file that needs nothing else."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from osteoscope.errors import OutputError
from osteoscope.report.parts import Document, Figure

_TEMPLATE = "report.html.j2"


def render_html(document: Document) -> str:
    """The page; every text is escaped, every picture inlined."""
    return _template().render(document=document, data_url=_data_url)


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("osteoscope.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(_TEMPLATE)


def write_html(document: Document, path: Path) -> None:
    """Write the report as HTML (UTF-8).

    Raises:
        OutputError: the file cannot be written.
    """
    try:
        path.write_text(render_html(document), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"write report {path}", str(error), "Name a folder that can be written") from error


def _data_url(figure: Figure) -> str:
    return f"data:image/png;base64,{base64.b64encode(figure.png).decode('ascii')}"
