"""Where a person says something else than the program."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from osteoscope.domain.finding import Finding
from osteoscope.domain.reading import Reading

_LEVELS = ("siopen", "curie")
_STUDY = ("siopen_total", "curie_total", "lesion_count", "lesion_volume")
Said = str | float | None


class Difference(BaseModel):
    """One point: of a segment, a finding (measure "finding", "site" or "type") or the study."""

    site: str
    measure: str
    finding: str | None = None
    program: str | float | None
    person: str | float | None


def differences(program: Reading, person: Reading) -> list[Difference]:
    """Levels, totals, burden and findings that differ."""
    return [*_of_study(program, person), *_of_sites(program, person), *_of_findings(program, person)]


def _of_study(program: Reading, person: Reading) -> list[Difference]:
    said = [(name, program.measure(name), person.measure(name)) for name in _STUDY]
    pairs = [(name, a.value if a else None, b.value if b else None) for name, a, b in said]
    return [Difference(site="study", measure=name, program=a, person=b) for name, a, b in pairs if a != b]


def _of_sites(program: Reading, person: Reading) -> list[Difference]:
    sites = dict.fromkeys([s.site for s in (*program.sites, *person.sites)])
    return [
        Difference(site=site, measure=name, program=before, person=after)
        for site in sites
        for name in _LEVELS
        if (before := _level(program, site, name)) != (after := _level(person, site, name))
    ]


def _level(reading: Reading, site: str, name: str) -> Said:
    said = reading.site(site)
    if said is None:
        return None
    measure = said.measure(name)
    return measure.value if measure else (said.status if said.status != "assessed" else None)


def _of_findings(program: Reading, person: Reading) -> list[Difference]:
    before: Mapping[str, Finding] = {f.id: f for f in program.findings}
    after: Mapping[str, Finding] = {f.id: f for f in person.findings}
    found = []
    for name in dict.fromkeys([*before, *after]):
        a, b = before.get(name), after.get(name)
        site = (b or a or program.findings[0]).site
        for measure, x, y in _aspects(a, b):
            if x != y:
                found.append(Difference(site=site, measure=measure, finding=name, program=x, person=y))
    return found


def _aspects(a: Finding | None, b: Finding | None) -> list[tuple[str, Said, Said]]:
    if a is None or b is None:
        return [("finding", a.kind if a else None, b.kind if b else None)]
    mask = None if a.region == b.region else "edited"
    return [("site", a.site, b.site), ("type", a.kind, b.kind), ("mask", None, mask)]
