"""A Reading: what one reader says of one Study. Encoded as `reading.json` by `osteoscope.domain.codec`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from osteoscope.domain.anatomy import site
from osteoscope.domain.finding import Finding, Measure, Region, SetAside
from osteoscope.domain.geometry import Grid
from osteoscope.domain.study import Acquisition, IntakeNote, Patient, Study, StudyKind
from osteoscope.errors import InvalidValueError

SCHEMA: Literal["osteoscope/reading/1"] = "osteoscope/reading/1"

Status = Literal["assessed", "not_acquired", "not_assessable"]

LEVEL_UNCERTAIN = "level uncertain"  # what a note of a bone begins with whose level may be another
SITES_STEP, FINDINGS_STEP = "sites", "findings"
_SEARCH = frozenset({SITES_STEP, FINDINGS_STEP})


@dataclass(frozen=True)
class ImageRecord:
    """An image of the Study without its values."""

    grid: Grid
    quantity: str


@dataclass(frozen=True)
class StudyRecord:
    """What a Reading keeps of its Study."""

    uid: str
    kind: StudyKind
    date: str
    patient: Patient
    acquisition: Acquisition
    images: Mapping[str, ImageRecord]

    def __post_init__(self) -> None:
        object.__setattr__(self, "images", MappingProxyType(dict(self.images)))

    def check_holds(self, what: str, region: Region) -> None:
        """Check that a region lies on the images that the record knows.

        Raises:
            InvalidValueError: it reaches beyond one; ``what`` names it.
        """
        for part in region.parts:
            shape = self.images[part.image].grid.shape if part.image in self.images else None
            ends = tuple(s.stop for s in part.box)
            if shape and (len(ends) != len(shape) or any(end > n for end, n in zip(ends, shape, strict=True))):
                found = f"{what!r} reaches to {ends} on {part.image!r} of {shape}"
                raise InvalidValueError("build a Reading", found, "Keep regions within their image")

    @classmethod
    def of(cls, study: Study) -> StudyRecord:
        """The record of a Study."""
        images = {name: ImageRecord(image.grid, image.quantity) for name, image in study.images.items()}
        return cls(study.uid, study.kind, study.date, study.patient, study.acquisition, images)


@dataclass(frozen=True)
class ModelRecord:
    """A trained model that took part."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True)
class Reader:
    """Who read: a person, a program, or the truth of a simulation."""

    kind: Literal["program", "person", "truth"]
    name: str
    version: str = ""
    models: tuple[ModelRecord, ...] = ()


@dataclass(frozen=True)
class SiteReading:
    """What was said of one site.

    Args:
        site: id of a site.
        status: "assessed", "not_acquired" (out of the field) or "not_assessable" (hidden); never a silent 0.
        measures: of the site as a whole, such as "siopen".
        evidence: ids of the findings that the measures rest on.
        confidence: of the site's name, 0..1, None where it is certain.
        notes: limits, such as "level uncertain".
    """

    site: str
    status: Status
    measures: tuple[Measure, ...] = ()
    evidence: tuple[str, ...] = ()
    confidence: float | None = None
    notes: tuple[str, ...] = ()

    def measure(self, name: str) -> Measure | None:
        """The measure of that name, if any."""
        return next((m for m in self.measures if m.name == name), None)


@dataclass(frozen=True)
class Gap:
    """A step that could not be done: where (site, finding or "study"), which step, why."""

    where: str
    step: str
    reason: str


@dataclass(frozen=True)
class Input:
    """A file that went in."""

    file: str
    sha256: str


@dataclass(frozen=True)
class Provenance:
    """How a Reading came about, enough to make it again."""

    software: str
    inputs: tuple[Input, ...] = ()
    settings: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    started: str = ""
    seconds: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))


@dataclass(frozen=True)
class Reading:
    """What one reader says of one Study.

    Raises:
        InvalidValueError: a site id is unknown, two findings or two sites share an id, the evidence
            of a site names no finding, or a region reaches beyond its image.
    """

    study: StudyRecord
    reader: Reader
    findings: tuple[Finding, ...]
    sites: tuple[SiteReading, ...]
    measures: tuple[Measure, ...]
    provenance: Provenance
    set_aside: tuple[SetAside, ...] = ()
    gaps: tuple[Gap, ...] = ()
    intake: tuple[IntakeNote, ...] = ()
    schema: Literal["osteoscope/reading/1"] = SCHEMA

    def __post_init__(self) -> None:
        ids = {finding.id for finding in self.findings}
        sites = {s.site for s in self.sites}
        if len(ids) < len(self.findings) or len(sites) < len(self.sites):
            raise InvalidValueError("build a Reading", "two findings or two sites with one id", "Number them apart")
        for named in (*sites, *(finding.site for finding in self.findings)):
            site(named)
        unknown = {e for s in self.sites for e in s.evidence} - ids
        if unknown:
            raise InvalidValueError(
                "build a Reading", f"evidence {sorted(unknown)} without a finding", "Name findings by id"
            )
        for what, region in [(f.id, f.region) for f in self.findings] + [(s.what, s.region) for s in self.set_aside]:
            self.study.check_holds(what, region)

    def site(self, site_id: str) -> SiteReading | None:
        """What was said of that site, if anything."""
        return next((s for s in self.sites if s.site == site_id), None)

    def measure(self, name: str) -> Measure | None:
        """The measure of the whole study of that name, if any."""
        return next((m for m in self.measures if m.name == name), None)

    @property
    def unsearched(self) -> tuple[Gap, ...]:
        """Why the study could not be searched; without findings, no statement follows from such a Reading."""
        missed = (gap for gap in self.gaps if gap.where == "study" and gap.step in _SEARCH)
        return () if self.findings else tuple(missed)


@dataclass(frozen=True)
class MappedSite:
    """Where a site lies on the images of a Study.

    Args:
        site: id of a site.
        region: its elements; None where the site is not on the images.
        status: why it can or cannot be assessed.
        confidence: of its name, 0..1.
        notes: limits, such as "level uncertain".
    """

    site: str
    region: Region | None
    status: Status = "assessed"
    confidence: float = 1.0
    notes: tuple[str, ...] = ()

    @property
    def level_uncertain(self) -> bool:
        """Whether a note says that the level, or the number, may be another."""
        return any(note.startswith(LEVEL_UNCERTAIN) for note in self.notes)


def regions_of(mapped: Iterable[MappedSite]) -> list[Region]:
    """Where sites lie, without those that are not on the images."""
    return [place.region for place in mapped if place.region is not None]


@dataclass(frozen=True)
class Case:
    """A Study on its way to a Reading: what the measures of every scope look at.

    Args:
        study: the images.
        mapped: every site of the study's site map, overlapping ones too (planar projection).
        findings: of all sites.
        set_aside: seen and not counted.
        sites: readings of sites, complete once the study's own measures are made.
    """

    study: Study
    mapped: tuple[MappedSite, ...]
    findings: tuple[Finding, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    sites: tuple[SiteReading, ...] = ()

    def place(self, site_id: str) -> MappedSite | None:
        """Where that site lies, if it was mapped."""
        return next((m for m in self.mapped if m.site == site_id), None)
