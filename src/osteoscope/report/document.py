"""A Reading and its Case to a report as plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from osteoscope.domain.reading import Case, Reading
from osteoscope.domain.study import StudyKind
from osteoscope.report import tables
from osteoscope.report.answer import QUESTIONS, limits, summary
from osteoscope.report.figures import IMAGES, SCHEMATICS, draw
from osteoscope.report.parts import Document, Fact, Section, Table
from osteoscope.report.wording import age, number

DISCLAIMER = "Research use only – not a medical device; does not replace the physician's reading."
_SEXES = {"M": "male", "F": "female", "O": "other"}
_SCORES: Mapping[StudyKind, tuple[Callable[[Reading], Table], ...]] = MappingProxyType(
    {"ct": (), "nm-planar": (tables.siopen, tables.curie)}
)


def build_document(reading: Reading, case: Case) -> Document:
    """The report of one Reading, with pictures of the Case that it was made of.

    A picture that cannot be drawn raises what its library raises: nothing is left out in silence.
    """
    kind = reading.study.kind
    question = QUESTIONS[kind]
    sections = (
        Section("Images", draw(IMAGES[kind], reading, case)),
        *_scores(reading, case),
        Section(
            "Findings", (), (tables.findings(reading), *tables.more_of_findings(reading), tables.measures(reading))
        ),
        Section("Sites", (), (tables.sites(reading),)),
        Section("Limits", (), (tables.gaps(reading), tables.set_aside(reading), tables.intake(reading))),
        Section("Provenance", (), (tables.provenance(reading),)),
    )
    return Document(
        title=question.title,
        disclaimer=DISCLAIMER,
        patient=_patient(reading),
        asked=question.asked,
        summary=summary(reading),
        limits=limits(reading),
        sections=tuple(section for section in sections if section.figures or section.tables),
    )


def _scores(reading: Reading, case: Case) -> tuple[Section, ...]:
    """Schematic and tables side by side; none where nothing was scored, as the summary then says."""
    kind = reading.study.kind
    made = {measure.name for site in reading.sites for measure in site.measures}
    if made.isdisjoint(tables.SCORES):
        return ()
    scored = tuple(make(reading) for make in _SCORES[kind])
    return (Section("Scores", draw(SCHEMATICS[kind], reading, case), scored, beside=True),)


def _patient(reading: Reading) -> tuple[Fact, ...]:
    study, made = reading.study, reading.study.acquisition
    patient = study.patient
    weight = "" if patient.weight_kg is None else f"{number(patient.weight_kg)} kg"
    scan = ", ".join(filter(None, (made.description, made.tracer, made.radionuclide, made.collimator, made.kernel)))
    machine = " ".join(filter(None, (made.manufacturer, made.model)))
    facts = (
        ("Patient", patient.name.replace("^", ", ", 1).replace("^", " ").rstrip(", ") or "not stated"),
        ("Identifier", patient.id or "not stated"),
        ("Age", ", ".join(filter(None, (age(patient.age_years), _SEXES.get(patient.sex or "", ""), weight)))),
        ("Study date", study.date or "not stated"),
        ("Images", scan or "not described"),
        ("Device", machine or "not stated"),
        ("Read by", f"{reading.reader.name} {reading.reader.version}".strip()),
    )
    return tuple(Fact(label, value) for label, value in facts)
