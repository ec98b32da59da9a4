"""How one kind of Study is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from osteoscope.domain.finding import Finding, Measure
from osteoscope.domain.reading import Case, Gap, MappedSite, ModelRecord
from osteoscope.domain.study import Study
from osteoscope.find.detection import Detection

Sites = tuple[MappedSite, ...]


@dataclass(frozen=True)
class SiteTest:
    """What a test of a site gave.

    Args:
        measures: of the site.
        gaps: what of it is not given, and why; they become gaps of the Reading.
        notes: what a reader must know; they become notes of the site.
    """

    measures: tuple[Measure, ...] = ()
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """How one kind of Study is read.

    Args:
        name: shown in the provenance.
        suits: whether this plan is for that Study; the first row that suits is taken.
        map_sites: where each site lies.
        reported: which sites are reported, and the mapped sites that each is made of.
        detect: the findings.
        of_finding, of_site, of_study: measures at the three scopes, each with one signature.
        tests_of_site: as ``of_site``, of whose measures some may be missing, or hold within limits alone.
        limits: what this plan does not do, written into every Reading made by it.
        caveats: what makes this Study less fit for it.
        models: trained models that it uses.
        settings: choices that its numbers rest on, kept with every Reading made by it.
    """

    name: str
    suits: Callable[[Study], bool]
    map_sites: Callable[[Study], Sites]
    reported: Callable[[Sites], Mapping[str, tuple[str, ...]]]
    detect: Callable[[Study, Sites], Detection]
    of_finding: tuple[Callable[[Case, Finding], tuple[Measure, ...]], ...] = ()
    of_site: tuple[Callable[[Case, str], tuple[Measure, ...]], ...] = ()
    of_study: tuple[Callable[[Case], tuple[Measure, ...]], ...] = ()
    tests_of_site: tuple[Callable[[Case, str], SiteTest], ...] = ()
    limits: tuple[Gap, ...] = field(default=())
    caveats: Callable[[Study], tuple[Gap, ...]] = lambda _: ()
    models: Callable[[], tuple[ModelRecord, ...]] = tuple
    settings: Mapping[str, str] = field(default_factory=dict)


def origin(act: Callable[..., Any]) -> Callable[..., Any]:
    """The function that an act of a plan was made of, its choices apart."""
    wrapped: Callable[..., Any] = getattr(act, "__wrapped__", act)
    return wrapped
