"""The report as plain data, as HTML and as PDF."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from examples import Example, ct, empty, planar
from hypothesis import given, settings
from hypothesis import strategies as st

from osteoscope.domain.reading import Gap
from osteoscope.errors import OutputError
from osteoscope.report import tables
from osteoscope.report.document import DISCLAIMER, build_document
from osteoscope.report.html import render_html, write_html
from osteoscope.report.parts import Cell, Column, Document, Fact, Section, Table
from osteoscope.report.pdf import write_pdf
from osteoscope.report.wording import JOINED

GOLDEN = Path(__file__).parent / "golden"
NASTY = '<script>alert(1)</script> & "A" \' {{ 7 * 7 }} {% raw %} #image("x") *b* $y$ @z [u] \\ // <a href=http://x>'
EXAMPLES = {
    "ct": ct(),
    "planar": planar(),
    "one-view": planar(("posterior",), found=False, spacing=False),
    "empty-ct": empty(ct()),
    "empty-planar": empty(planar()),
}


class Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def document_of(example: Example) -> Document:
    return build_document(example.reading, example.case)


def named(text: str) -> Document:
    """A document that says one text in every place that can hold one."""
    table = Table(text, (Column(text), Column(text, numeric=True)), ((Cell(text), Cell(text, text)),), text, total=True)
    return Document(
        text, text, (Fact(text, text), Fact(text, text)), text, (text,), (text,), (Section(text, (), (table,)),)
    )


def plain(document: Document) -> str:
    """The texts of a document, one a line; what the golden files hold."""
    lines = [document.title, document.asked, *document.summary, *(f"! {limit}" for limit in document.limits)]
    lines += [f"{fact.label}: {fact.value}" for fact in document.patient]
    for section in document.sections:
        lines += ["", f"## {section.title}", *(f"[{figure.name}] {figure.caption}" for figure in section.figures)]
        for table in section.tables:
            lines += [f"# {table.title}", " | ".join(column.title for column in table.columns)]
            lines += [
                " | ".join(f"{cell.text} ({cell.detail})" if cell.detail else cell.text for cell in row)
                for row in table.rows
            ]
            lines += [table.note] if table.note else []
    return "\n".join(lines).replace(JOINED, " ") + "\n"


@pytest.mark.parametrize("name", ["ct", "planar", "one-view"])
def test_texts_are_the_golden_ones(name: str) -> None:
    assert plain(document_of(EXAMPLES[name])) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_first_screen_says_who_what_and_for_what_use(name: str) -> None:
    example = EXAMPLES[name]
    document = document_of(example)
    facts = {fact.label: fact.value for fact in document.patient}
    assert facts["Identifier"] == example.reading.study.patient.id
    assert facts["Study date"] == example.reading.study.date
    assert document.disclaimer == DISCLAIMER
    assert "Research use only" in DISCLAIMER
    assert 1 <= len(document.summary) <= 3
    assert document.sections[-1].title == "Provenance"
    assert len({figure.name for figure in document.figures}) == len(document.figures)


@pytest.mark.parametrize("name", EXAMPLES)
def test_rows_fit_their_headings(name: str) -> None:
    for section in document_of(EXAMPLES[name]).sections:
        for table in section.tables:
            assert all(len(row) == len(table.columns) for row in table.rows)


def test_the_same_set_aside_for_the_same_reason_is_one_row() -> None:
    reading = planar().reading
    table = tables.set_aside(replace(reading, set_aside=(*reading.set_aside, *reading.set_aside[:1])))
    assert [tuple(cell.text for cell in row) for row in table.rows] == [
        ("liver", "physiological uptake", "2 on anterior, 2 on posterior"),
        ("bladder", "physiological uptake", "1 on anterior, 1 on posterior"),
    ]


def test_what_was_not_scored_has_no_score_form() -> None:
    example = planar()
    sites = tuple(replace(site, measures=()) for site in example.reading.sites)
    titles = [s.title for s in build_document(replace(example.reading, sites=sites), example.case).sections]
    assert "Scores" not in titles
    assert "Scores" in [s.title for s in document_of(example).sections]


def test_unknown_facts_are_said_to_be() -> None:
    example = ct()
    patient = replace(example.reading.study.patient, name="", age_years=None, weight_kg=None, sex=None)
    reading = replace(example.reading, study=replace(example.reading.study, patient=patient, date=""))
    values = [fact.value for fact in build_document(reading, example.case).patient]
    assert values.count("not stated") == 3


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_page_needs_nothing_else_and_is_accessible(name: str) -> None:
    document = document_of(EXAMPLES[name])
    page = Page(render_html(document))
    assert not page.all("script") + page.all("link") + page.all("iframe")
    pictures = page.all("img")
    assert len(pictures) == len(document.figures)
    assert all((picture["src"] or "").startswith("data:image/png;base64,") for picture in pictures)
    assert all(picture["alt"] for picture in pictures)
    assert "url(" not in render_html(document)
    assert len(page.all("caption")) == len(page.all("table")) == sum(len(s.tables) for s in document.sections)
    assert {attributes["scope"] for attributes in page.all("th")} == {"col", "row"}
    assert page.all("html")[0]["lang"] == "en"
    levels = [int(tag[1]) for tag, _ in page.tags if tag in {"h1", "h2", "h3"}]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@settings(max_examples=50)
@given(st.text(min_size=1, max_size=60))
def test_no_text_becomes_markup(text: str) -> None:
    harmless, tested = Page(render_html(named("x"))), Page(render_html(named(text)))
    assert [tag for tag, _ in tested.tags] == [tag for tag, _ in harmless.tags]
    assert tested.text.split() == Page(render_html(named("PLACE"))).text.replace("PLACE", text).split()


def test_markup_in_names_and_files_stays_text(tmp_path: Path) -> None:
    example = ct(lesions=1)
    patient = replace(example.reading.study.patient, name=NASTY)
    gaps = (Gap("sacrum", "size", NASTY),)
    study = replace(example.reading.study, patient=patient)
    reading = replace(example.reading, study=study, gaps=gaps)
    document = build_document(reading, example.case)
    write_html(document, tmp_path / "report.html")
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert not page.all("script") + page.all("a")
    assert page.text.count(NASTY) >= 2
    write_pdf(document, tmp_path / "report.pdf")
    assert "*b* $y$ @z [u]" in text_of(tmp_path / "report.pdf")


def text_of(pdf: Path) -> str:
    """The text of a PDF with single spaces, by pdftotext of poppler-utils; skips where it is absent."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (Debian package poppler-utils) is absent")
    found = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True)
    return " ".join(found.stdout.split())


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_pdf_says_the_same(tmp_path: Path, name: str) -> None:
    document = document_of(EXAMPLES[name])
    write_pdf(document, tmp_path / "report.pdf")
    text = text_of(tmp_path / "report.pdf")
    for sentence in (document.title, document.disclaimer, *document.summary):
        assert " ".join(sentence.split()) in text
    for section in document.sections:
        assert section.title in text
    assert text.count("Research use only") >= 2


def test_pdf_of_every_script(tmp_path: Path) -> None:
    write_pdf(named("Žofie Łęcka Ελένη Анна"), tmp_path / "report.pdf")
    assert "Žofie Łęcka Ελένη Анна" in text_of(tmp_path / "report.pdf")


@pytest.mark.parametrize("write", [write_html, write_pdf])
def test_a_folder_that_is_absent(tmp_path: Path, write: object) -> None:
    assert callable(write)
    with pytest.raises(OutputError, match="can be written"):
        write(document_of(EXAMPLES["empty-ct"]), tmp_path / "absent" / "report")
