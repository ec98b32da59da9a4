"""Five steps from a Study to a Reading, the same for every kind of Study."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import TypeVar

from osteoscope.domain.finding import Finding, Measure
from osteoscope.domain.reading import (
    FINDINGS_STEP,
    SITES_STEP,
    Case,
    Gap,
    Input,
    MappedSite,
    ModelRecord,
    Provenance,
    Reader,
    Reading,
    SiteReading,
    Status,
    StudyRecord,
)
from osteoscope.domain.study import Study
from osteoscope.errors import UnsuitableStudyError
from osteoscope.find.detection import Detection
from osteoscope.reading.plan import Plan, SiteTest
from osteoscope.reading.plan_table import plan_for

T = TypeVar("T")
Measures = tuple[Measure, ...]
Progress = Callable[[str, int, int], None]

_NO_MODELS: tuple[ModelRecord, ...] = ()
STEPS = (SITES_STEP, FINDINGS_STEP, "measures of findings", "measures of sites", "measures of the study")
_NOTHING_MAPPED = (
    "no part of the skeleton was found on the images, so that nothing could be searched for lesions; check what they "
    "show and their values"
)
_UNSEARCHED = "lesions could not be looked for"


@dataclass(frozen=True)
class Outcome:
    """A Reading, and the Case behind it for pictures and DICOM objects."""

    reading: Reading
    case: Case


class _Gaps:
    """Runs steps and keeps what went wrong: one failing site or finding never loses a Reading."""

    def __init__(self, known: Iterable[Gap]) -> None:
        self.found = list(known)

    def attempt(self, where: str, step: str, act: Callable[[], T], otherwise: T) -> T:
        try:
            return act()
        except Exception as error:  # noqa: BLE001 - whatever fails here becomes a gap with its reason
            said = str(error) if isinstance(error, UnsuitableStudyError) else f"{type(error).__name__}: {error}"
            self.found.append(Gap(where, step, said))
            return otherwise

    def explain(self, where: str, step: str, reason: str) -> None:
        """Keep why a step came to nothing, unless it failed and said why itself."""
        if not any((gap.where, gap.step) == (where, step) for gap in self.found):
            self.found.append(Gap(where, step, reason))

    def measures(self, where: str, acts: Sequence[Callable[..., Measures]], *subject: object) -> Measures:
        empty: Measures = ()
        made = [self.attempt(where, act.__name__, partial(act, *subject), empty) for act in acts]
        return tuple(measure for measures in made for measure in measures)

    def tests(self, case: Case, site: str, plan: Plan) -> list[SiteTest]:
        """What tests of a site gave; their gaps are kept."""
        made = [self.attempt(site, act.__name__, partial(act, case, site), SiteTest()) for act in plan.tests_of_site]
        self.found += [gap for test in made for gap in test.gaps]
        return made


def read(study: Study, plan: Plan | None = None, progress: Progress | None = None) -> Outcome:
    """Read one Study.

    Args:
        study: the images.
        plan: how to read it (default: the first row of the table that suits).
        progress: called with (step, number done, number of steps).

    Returns:
        The Reading and its Case. Whatever failed is a gap of the Reading.

    Raises:
        UnsuitableStudyError: no plan suits.
    """
    chosen = plan or plan_for(study)
    tell = progress or (lambda *_: None)
    started, clock = datetime.now(UTC), time.perf_counter()
    gaps = _Gaps((*chosen.limits, *chosen.caveats(study)))
    models = gaps.attempt("study", "model", chosen.models, _NO_MODELS)

    tell(STEPS[0], 0, len(STEPS))
    nowhere: tuple[MappedSite, ...] = ()
    mapped = gaps.attempt("study", STEPS[0], lambda: chosen.map_sites(study), nowhere)
    tell(STEPS[1], 1, len(STEPS))
    if not mapped:
        gaps.explain("study", STEPS[0], _NOTHING_MAPPED)
    undetected: Detection | None = None
    detection = gaps.attempt("study", STEPS[1], lambda: chosen.detect(study, mapped), undetected)
    if detection is None:
        case = Case(study, tuple(map(_unsearched, mapped)))
    else:
        case = Case(study, mapped, detection.findings, detection.set_aside)
    tell(STEPS[2], 2, len(STEPS))
    case = replace(case, findings=tuple(_measure_finding(case, f, chosen, gaps) for f in case.findings))
    tell(STEPS[3], 3, len(STEPS))
    reported = chosen.reported(case.mapped).items()
    case = replace(case, sites=tuple(_read_site(case, site, members, chosen, gaps) for site, members in reported))
    tell(STEPS[4], 4, len(STEPS))
    measures = gaps.measures("study", chosen.of_study, case)
    tell("done", len(STEPS), len(STEPS))

    software = f"osteoscope {version('osteoscope')}"
    inputs = {source.file: Input(source.file, source.sha256) for source in study.sources}
    seconds = round(time.perf_counter() - clock, 3)
    reading = Reading(
        study=StudyRecord.of(study),
        reader=Reader("program", f"osteoscope {chosen.name}", version("osteoscope"), models),
        findings=case.findings,
        sites=case.sites,
        measures=measures,
        provenance=Provenance(
            software,
            tuple(inputs.values()),
            {"plan": chosen.name, **chosen.settings},
            started.isoformat(timespec="seconds"),
            seconds,
        ),
        set_aside=case.set_aside,
        gaps=tuple(gaps.found),
        intake=study.intake,
    )
    return Outcome(reading, case)


def _measure_finding(case: Case, finding: Finding, plan: Plan, gaps: _Gaps) -> Finding:
    return replace(finding, measures=finding.measures + gaps.measures(finding.id, plan.of_finding, case, finding))


def _unsearched(place: MappedSite) -> MappedSite:
    """A site that no search reached: without findings, and yet not free of lesions."""
    if place.status != "assessed":
        return place
    return replace(place, status="not_assessable", notes=(*place.notes, _UNSEARCHED))


def _read_site(case: Case, site: str, members: tuple[str, ...], plan: Plan, gaps: _Gaps) -> SiteReading:
    places = {member: place for member in members if (place := case.place(member)) is not None}
    unmapped: Status = "assessed" if any(m.status == "assessed" for m in case.mapped) else "not_assessable"
    statuses = {member: places[member].status if member in places else unmapped for member in members}
    status = _combine(tuple(statuses.values()))
    missing = tuple(f"{m}: {s.replace('_', ' ')}" for m, s in statuses.items() if s != status)
    notes = tuple(dict.fromkeys(note for place in places.values() for note in place.notes)) + missing
    evidence = tuple(f.id for f in case.findings if f.site in members)
    tests: list[SiteTest] = []
    measures: Measures = ()
    if status == "assessed":
        tests = gaps.tests(case, site, plan)
        measures = gaps.measures(site, plan.of_site, case, site)
    measures += tuple(measure for test in tests for measure in test.measures)
    notes += tuple(note for test in tests for note in test.notes)
    confidence = min((place.confidence for place in places.values()), default=None)
    return SiteReading(site, status, measures, evidence, confidence, notes)


def _combine(statuses: tuple[Status, ...]) -> Status:
    """One status of a site made of several: assessed if any part is."""
    order: tuple[Status, ...] = ("assessed", "not_assessable", "not_acquired")
    return next(status for status in order if status in statuses)
