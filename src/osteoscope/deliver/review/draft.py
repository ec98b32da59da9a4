"""A Reading while edits are applied to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.anatomy import CURIE, SIOPEN
from osteoscope.domain.finding import Finding, Measure, SetAside
from osteoscope.domain.image import Image, Quantity
from osteoscope.domain.reading import Gap, MappedSite, Reading, SiteReading, StudyRecord
from osteoscope.domain.study import Study
from osteoscope.errors import InvalidValueError

TOPS: Mapping[str, int] = {"siopen": 6, "curie": 3}
SITES: Mapping[str, tuple[str, ...]] = {"siopen": tuple(SIOPEN), "curie": tuple(CURIE)}
_PERSON = "P"  # what the id of a finding of a person begins with


@dataclass(frozen=True, eq=False)
class CtGround:
    """A CT at hand: its voxels, mapped from a file, and its bones."""

    image: Image
    bones: tuple[MappedSite, ...]


@dataclass(frozen=True)
class Ground:
    """Where sites lie.

    Args:
        units: outlines of planar units; () where they are not known.
        bone_at: the bone at or near an index [slice, row, column] of a CT, "" where none is near.
        ct: the CT and its bones, None where they are not at hand.
        body: [row, column] of a planar view, True on the patient; None where that is not known.
    """

    units: tuple[MappedSite, ...] = ()
    bone_at: Callable[[tuple[int, ...]], str] = lambda _: ""
    ct: Callable[[], CtGround | None] = lambda: None
    body: Callable[[str], NDArray[np.bool_] | None] = lambda _: None


@dataclass(frozen=True)
class Level:
    """A level set by hand, None for "not assessable", and who set it."""

    value: int | None
    by: str


@dataclass(frozen=True)
class Draft:
    """What the edits so far come to.

    Args:
        base, person, ground: what is edited, by whom, on what.
        findings, set_aside: as they are now.
        by_hand: (score, site) -> level, those of the base included.
        note: on soft tissue; None where the base's stays, "" where there is none any more.
        comment: on the whole study; None and "" as of the note.
        sites, measures, gaps: as they come out, once scored again; gaps of the base that still stand included.
    """

    base: Reading
    person: str
    ground: Ground
    findings: tuple[Finding, ...]
    set_aside: tuple[SetAside, ...]
    by_hand: Mapping[tuple[str, str], Level] = field(default_factory=dict)
    note: str | None = None
    comment: str | None = None
    sites: tuple[SiteReading, ...] = ()
    measures: tuple[Measure, ...] = ()
    gaps: tuple[Gap, ...] = ()

    def finding(self, finding_id: str) -> Finding:
        """The finding of that id.

        Raises:
            InvalidValueError: there is none any more.
        """
        found = next((f for f in self.findings if f.id == finding_id), None)
        if found is None:
            raise InvalidValueError("edit a finding", f"no finding {str(finding_id)[:40]!r}", "Reload the study")
        return found

    def with_finding(self, finding: Finding) -> Draft:
        """With that finding in the place of the one of its id, or added."""
        if any(f.id == finding.id for f in self.findings):
            return replace(self, findings=tuple(finding if f.id == finding.id else f for f in self.findings))
        return replace(self, findings=(*self.findings, finding))

    def changed(self, *fields: str) -> list[Finding]:
        """Findings of the base and of now that the other lacks or has otherwise: by id, site and these fields."""
        looked_at = attrgetter("id", "site", *fields)
        before, after = ({looked_at(f): f for f in found} for found in (self.base.findings, self.findings))
        return [(before | after)[key] for key in before.keys() ^ after.keys()]

    def setting(self, score: str, site: str, level: int | None) -> Draft:
        """With a level set by hand.

        Raises:
            InvalidValueError: no such segment, or no such level.
        """
        if site not in SITES[score]:
            raise InvalidValueError(f"set a {score} level", f"no segment {str(site)[:40]!r}", f"Use {SITES[score]}")
        if level is not None and not 0 <= level <= TOPS[score]:
            raise InvalidValueError(f"set a {score} level", f"level {level}", f"Give 0 to {TOPS[score]}, or null")
        return replace(self, by_hand={**self.by_hand, (score, site): Level(level, self.person)})

    def new_id(self) -> str:
        """An id for a finding of the person."""
        taken = {f.id for f in self.base.findings} | {f.id for f in self.findings} | set(self._removed())
        return next(name for n in range(1, len(taken) + 2) if (name := f"{_PERSON}{n}") not in taken)

    def _removed(self) -> list[str]:
        return [aside.what.split()[1] for aside in self.set_aside if aside.what.startswith("finding ")]


def is_by_person(finding: Finding) -> bool:
    """Whether a person added it."""
    return finding.id.startswith(_PERSON)


def blank_study(record: StudyRecord) -> Study:
    """The Study of a record without its pictures, for what looks at grids and not at values."""
    quantity: Quantity = "HU" if record.kind == "ct" else "counts"
    blank = {
        name: Image(image.grid, np.broadcast_to(np.int16(0), image.grid.shape), quantity)
        for name, image in record.images.items()
    }
    return Study(record.uid, record.kind, record.date, record.patient, blank)
