"""Matched pairs of one scan: overlap, surfaces, sizes, types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from osteoscope.domain.anatomy import BONE_TO_UNIT
from osteoscope.stats.detection import Criterion, dice
from osteoscope.stats.detection_record import LesionRow, PairRow, ScanResult
from osteoscope.stats.detection_scan import Counted, Lesion
from osteoscope.stats.detection_surface import surface_distances

KINDS = ("lytic", "blastic", "mixed")
NOT_STATED = "not stated"
# Upper ends of the size classes, mm of the long axis; 10 mm is the least that RECIST 1.1 measures.
_SIZES = (5, 10, 20, 30)


@dataclass(frozen=True, eq=False)
class Found:
    """What the findings of a scan, used from some confidence on, make of its lesions under one criterion.

    Args:
        pairs: lesion, finding, IoU.
        missed, surplus: the rest.
        splits: how many of the surplus meet a lesion that another finding has.
    """

    pairs: tuple[tuple[Lesion, Lesion, float], ...]
    missed: tuple[Lesion, ...]
    surplus: tuple[Lesion, ...]
    splits: int


def found_from(one: Counted, criterion: Criterion, threshold: float) -> Found:
    """The pairs of a scan."""
    matching = one.matching(criterion, threshold)
    met = criterion.met(one.overlaps)
    return Found(
        tuple((one.lesions[a], one.findings[b], overlap) for a, b, overlap in matching.pairs),
        tuple(one.lesions[n] for n in matching.missed),
        tuple(one.findings[n] for n in matching.surplus),
        sum(bool(met[:, n].any()) for n in matching.surplus),
    )


def scan_result(one: Counted, found: Mapping[str, Found]) -> ScanResult:
    """The scan as listed in evaluation.json; ``found`` by criterion."""
    known: dict[tuple[str, str], tuple[float, float, float]] = {}
    rows = []
    for criterion, made in found.items():
        for lesion, finding, overlap in made.pairs:
            key = (lesion.id, finding.id)
            if key not in known:
                surfaces = surface_distances(lesion.region.parts[0], finding.region.parts[0], one.scan.spacing)
                known[key] = (dice(lesion.region, finding.region), *surfaces)
            rows.append(PairRow(criterion, *key, overlap, *known[key]))
    lesions = (*_rows(one.lesions, True), *_rows(one.ignored, False))
    findings = (*_rows(one.findings, True), *_rows(one.left_out, False))
    return ScanResult(one.scan.study, one.scan.patient, lesions, findings, tuple(rows))


def _rows(lesions: Sequence[Lesion], counts: bool) -> tuple[LesionRow, ...]:
    return tuple(LesionRow(a.id, a.confidence, a.kind, a.site, a.long_axis_mm, a.volume_ml, counts) for a in lesions)


def _size(lesion: Lesion) -> str:
    steps = [*_SIZES]
    above = [step for step in steps if lesion.long_axis_mm >= step]
    if not above:
        return f"below {steps[0]} mm"
    place = len(above)
    return f"{above[-1]} to {steps[place]} mm" if place < len(steps) else f"{above[-1]} mm or more"


def _bone(lesion: Lesion) -> str:
    if not lesion.site:
        return NOT_STATED
    unit = BONE_TO_UNIT.get(lesion.site, lesion.site.partition("_unknown")[0] + ", level unknown")
    return unit.removesuffix("_right").removesuffix("_left").replace("_", " ")


STRATA = MappingProxyType({"kind": lambda lesion: lesion.kind or NOT_STATED, "size": _size, "bone": _bone})
