"""Findings that are one lesion: parts of one outline in units that meet, outlines of one patch in both views.

Ever one of them is a person's: the program's own findings are told apart, and paired, where they are found.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from osteoscope.deliver.review.draft import is_by_person
from osteoscope.deliver.review.outlines import united
from osteoscope.domain.anatomy import site
from osteoscope.domain.finding import Finding, Part, Region
from osteoscope.domain.reading import MappedSite, Reading
from osteoscope.stats.lesion_matching import IdentityOptions
from osteoscope.stats.unit_frame import UnitFrames

# Choice: patches with at most one pixel between them meet.
_APART = 2.0


@dataclass(frozen=True, eq=False)
class Lesions:
    """Which findings count as one.

    Args:
        reading: for the grids of the views.
        units: their outlines; without them patches of opposite views are never one.
        counted: confidence from which findings count.
    """

    reading: Reading
    units: tuple[MappedSite, ...]
    counted: float

    def joined(self, findings: Sequence[Finding], units: Collection[str]) -> tuple[Finding, ...]:
        """The findings, diffuse ones of these units that are one lesion as one: with the id and site of the first."""
        patches = [f for f in findings if f.site in units and f.kind == "diffuse" and f.confidence >= self.counted]
        if len(patches) < 2 or not any(map(is_by_person, patches)):
            return tuple(findings)
        pairs = [[a is b or self._is_one(a, b) for b in patches] for a in patches]
        groups: dict[int, list[Finding]] = {}
        for patch, label in zip(patches, connected_components(np.asarray(pairs), directed=False)[1], strict=True):
            groups.setdefault(int(label), []).append(patch)
        first = {group[0].id: _merged(group) for group in groups.values()}
        others = {patch.id for patch in patches} - first.keys()
        return tuple(first.get(f.id, f) for f in findings if f.id not in others)

    def _is_one(self, a: Finding, b: Finding) -> bool:
        if not (is_by_person(a) or is_by_person(b)) or site(a.site).side != site(b.site).side:
            return False
        pairs = [(one, other) for one in a.region.parts for other in b.region.parts]
        if any(one.image == other.image and _meet(one, other) for one, other in pairs):
            return True
        return a.site == b.site and any(
            one.image != other.image and self._face(one, other, a.site) for one, other in pairs
        )

    def _face(self, a: Part, b: Part, unit: str) -> bool:
        """Whether parts on opposite views lie on one another within their unit."""
        one, other = (self._frames.spots(Region((part,)), (unit,)).get(unit) for part in (a, b))
        return one is not None and other is not None and min(one.gap(other), other.gap(one)) <= IdentityOptions().inside

    @cached_property
    def _frames(self) -> UnitFrames:
        return UnitFrames(self.reading, self.units)


def _meet(a: Part, b: Part) -> bool:
    one, other = (np.argwhere(part.mask) + np.asarray(part.offset) for part in (a, b))
    return bool(cKDTree(one).query(other)[0].min() <= _APART)


def _merged(group: Sequence[Finding]) -> Finding:
    views = dict.fromkeys(part.image for finding in group for part in finding.region.parts)
    parts = (united([finding.region for finding in group], view) for view in views)
    region = Region(tuple(part for part in parts if part is not None))
    return replace(group[0], confidence=max(f.confidence for f in group), region=region)
