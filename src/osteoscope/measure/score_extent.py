"""Extent of disease in a segment: discrete foci counted, diffuse fraction of the silhouette."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.anatomy import SKELETAL_UNITS
from osteoscope.domain.finding import Finding, Part
from osteoscope.domain.reading import Case
from osteoscope.measure.score_tables import ScoreOptions

Mask = NDArray[np.bool_]

# Smallest fraction of a segment that holds a patch at all, even one that the site map places beside it.
_SOME = 1e-6
# Chest and abdomen, for soft tissue: the rows of a spine unit over the width of the thoracic cage.
COMPARTMENT_ROWS = ("thoracic_spine", "lumbar_spine")
_COMPARTMENT_WIDTH = "thoracic_cage"


@dataclass(frozen=True)
class Extent:
    """What a level follows from.

    Args:
        foci: discrete foci.
        patches: diffuse lesions.
        fraction: of the silhouette that patches cover, 0..1, in the view that shows more.
    """

    foci: int
    patches: int
    fraction: float


def extent(case: Case, units: Sequence[str], confidence: float, options: ScoreOptions) -> Extent:
    """Extent of the findings of these units that are at least so confident."""
    found = findings_of(case, units, confidence)
    patches = [f for f in found if is_patch(case, f, options)]
    foci = [f for f in found if f not in patches]
    number = sum(sites_of(focus, options) for focus in foci)
    area = found if options.foci_beside_patch == "joined" else patches
    fraction = max(_SOME, _fraction(case, units, area, options)) if patches else 0.0
    return Extent(number, len(patches), fraction)


def counting_from(case: Case, options: ScoreOptions) -> float:
    """The confidence from which the findings of this child count, 0..1: lower where more of it is surely diseased."""
    sure = {f.site for f in case.findings if f.confidence >= options.accepted and f.site in SKELETAL_UNITS}
    if not sure:
        return options.accepted
    share = len(sure) / len(SKELETAL_UNITS)
    beside = options.accepted_beside + share * (options.accepted_throughout - options.accepted_beside)
    return min(options.accepted, beside)


def sites_of(focus: Finding, options: ScoreOptions) -> int:
    """How many sites a focus makes: one, or one per view that shows it."""
    return 1 if options.count_once else len(focus.region.parts)


def findings_of(case: Case, units: Sequence[str], confidence: float) -> tuple[Finding, ...]:
    """Findings of these units that are at least so confident."""
    return tuple(f for f in case.findings if f.site in units and f.confidence >= confidence)


def is_patch(case: Case, finding: Finding, options: ScoreOptions) -> bool:
    """Whether a finding is graded by its extent: by its kind, or by its length where `confluence` says so."""
    place = case.place(finding.site)
    if options.confluence is None or place is None or place.region is None:
        return finding.kind == "diffuse"
    shares = (
        _length(case, part) / max(_length(case, unit), 1.0)
        for part in finding.region.parts
        if (unit := place.region.on(part.image))
    )
    return max(shares, default=0.0) > options.confluence


def _length(case: Case, part: Part) -> float:
    spacing = case.study.images[part.image].grid.spacing
    spread = np.cov(np.argwhere(part.mask).T * np.reshape(spacing, (2, 1)), bias=True)
    return 4 * float(np.sqrt(max(np.linalg.eigvalsh(spread)[-1], 0.0)))


def _fraction(case: Case, units: Sequence[str], found: Sequence[Finding], options: ScoreOptions) -> float:
    shares = [0.0]
    for view, image in case.study.images.items():
        covered = _union([f.region.on(view) for f in found], image.grid.shape)
        silhouettes = _silhouettes(case, units, view, options)
        shares += [np.count_nonzero(covered & whole) / np.count_nonzero(whole) for whole in silhouettes if whole.any()]
    return float(max(shares))


def _silhouettes(case: Case, units: Sequence[str], view: str, options: ScoreOptions) -> Iterator[Mask]:
    shape = case.study.images[view].grid.shape
    if "soft_tissue" in units:
        yield from _compartments(case, view, shape)
    elif options.denominator == "unit":
        yield from (_union([_part(case, unit, view)], shape) for unit in units)
    else:
        yield _union([_part(case, unit, view) for unit in units], shape)


def _compartments(case: Case, view: str, shape: tuple[int, ...]) -> Iterator[Mask]:
    width = _part(case, _COMPARTMENT_WIDTH, view)
    for unit in COMPARTMENT_ROWS:
        rows = _part(case, unit, view)
        if rows and width:
            box = np.zeros(shape, dtype=bool)
            box[rows.box[0], width.box[1]] = True
            yield box


def _part(case: Case, unit: str, view: str) -> Part | None:
    place = case.place(unit)
    return place.region.on(view) if place and place.region else None


def _union(parts: Sequence[Part | None], shape: tuple[int, ...]) -> Mask:
    whole = np.zeros(shape, dtype=bool)
    for part in parts:
        if part:
            whole[part.box] |= part.mask
    return whole
