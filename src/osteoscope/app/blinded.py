"""A Reading as a reader study shows it: without the patient, and without the program where he reads alone."""

from __future__ import annotations

from dataclasses import replace

from osteoscope.domain.anatomy import CURIE, SIOPEN
from osteoscope.domain.finding import Measure
from osteoscope.domain.reading import Provenance, Reading, SiteReading
from osteoscope.domain.study import Patient

_BLANK = "form as it begins"
_SCORES = {"siopen": SIOPEN, "curie": CURIE}


def pseudonymous(reading: Reading, name: str, patient: str) -> Reading:
    """Without name, id, date, file names; age, sex and weight stay, since readers need them."""
    who = replace(reading.study.patient, id=patient, name="")
    said = replace(reading.study, uid=name, date="", patient=_coarse(who))
    made = Provenance(reading.provenance.software, (), reading.provenance.settings, "", 0.0)
    return replace(reading, study=said, provenance=made, intake=())


def _coarse(patient: Patient) -> Patient:
    age = patient.age_years
    return replace(patient, age_years=None if age is None else float(int(age)))


def blank(reading: Reading) -> Reading:
    """The form that a reader begins with alone: no finding, level 0 wherever a segment is on the images."""
    scored = reading.study.kind == "nm-planar"
    sites = tuple(_empty(said, scored) for said in reading.sites)
    totals = tuple(Measure(f"{score}_total", 0, "{score}", _BLANK) for score in _SCORES) if scored else ()
    return replace(reading, findings=(), set_aside=(), sites=sites, measures=totals, gaps=())


def _empty(said: SiteReading, scored: bool) -> SiteReading:
    levels = tuple(
        Measure(score, 0, "{score}", _BLANK)
        for score, segments in _SCORES.items()
        if scored and said.status == "assessed" and said.site in segments
    )
    return SiteReading(said.site, said.status, levels)
