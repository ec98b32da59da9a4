"""One scan under evaluation: the lesions of a reference, the findings of a reading, what counts of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.finding import Region
from osteoscope.stats.detection import Criterion, Matching, assign, overlaps
from osteoscope.stats.resampling import Floats


@dataclass(frozen=True, eq=False)
class Lesion:
    """A lesion as either reader has it.

    Args:
        id: unique within its list.
        region: on the grid of the scan, one Part.
        confidence: 0..1; 1 for a reference.
        kind: lytic / blastic / mixed, "" where not stated.
        site: id of its bone, "" where not stated.
        long_axis_mm, volume_ml: its size.
    """

    id: str
    region: Region
    confidence: float
    kind: str
    site: str
    long_axis_mm: float
    volume_ml: float


@dataclass(frozen=True, eq=False)
class Scan:
    """A scan with its reference and the reading of it.

    Args:
        study, patient: names; scans of one patient share the latter.
        spacing: of its grid [slice, row, column], mm.
        reference, findings: kept in an order of their own, so that the one given changes nothing.
    """

    study: str
    patient: str
    spacing: tuple[float, ...]
    reference: tuple[Lesion, ...]
    findings: tuple[Lesion, ...]

    def __post_init__(self) -> None:
        for name in ("reference", "findings"):
            object.__setattr__(self, name, tuple(sorted(getattr(self, name), key=_place)))


def _place(lesion: Lesion) -> tuple[object, ...]:
    part = lesion.region.parts[0]
    return (-lesion.confidence, part.offset, part.mask.shape, part.mask.tobytes(), lesion.kind, lesion.site)


@dataclass(frozen=True, eq=False)
class Counted:
    """What counts in a scan.

    Args:
        scan: with everything.
        lesions: of the reference, long enough to count.
        ignored: lesions of the reference that are too small: neither hit nor missed.
        findings: all but those left out.
        left_out: findings that meet an ignored lesion and no counted one: neither hit nor false positive.
        overlaps: IoU, shape (lesions, findings).
    """

    scan: Scan
    lesions: tuple[Lesion, ...]
    ignored: tuple[Lesion, ...]
    findings: tuple[Lesion, ...]
    left_out: tuple[Lesion, ...]
    overlaps: Floats

    @property
    def confidences(self) -> Floats:
        """Of the findings, highest first, shape (findings,)."""
        return np.array([finding.confidence for finding in self.findings])

    def matching(self, criterion: Criterion, threshold: float) -> Matching:
        """The pairs of lesions and findings of at least that confidence."""
        return assign(self.overlaps[:, self.confidences >= threshold], criterion)

    def gains(self, criterion: Criterion) -> NDArray[np.bool_]:
        """Which findings, taken from the surest on, each let one more lesion be found, shape (findings,).

        How many of the first n do so is the most pairs that n findings can make (Kuhn's augmenting paths keep
        what was found before), so that sensitivity never falls as the threshold does.
        """
        met = criterion.met(self.overlaps)
        finder = np.full(len(self.lesions), -1)
        return np.array([_augment(met, finder, number) for number in range(len(self.findings))], dtype=bool)


def count_only(scan: Scan, smallest_mm: float) -> Counted:
    """What counts in a scan if lesions of the reference with a long axis below ``smallest_mm`` are ignored."""
    long_enough = [lesion.long_axis_mm >= smallest_mm for lesion in scan.reference]
    found = overlaps([a.region for a in scan.reference], [b.region for b in scan.findings])
    counted = np.array(long_enough, dtype=bool)
    out = (found[~counted] > 0).any(axis=0) & ~(found[counted] > 0).any(axis=0)
    return Counted(
        scan,
        _where(scan.reference, counted),
        _where(scan.reference, ~counted),
        _where(scan.findings, ~out),
        _where(scan.findings, out),
        found[np.ix_(counted, ~out)],
    )


def _where(lesions: Sequence[Lesion], chosen: NDArray[np.bool_]) -> tuple[Lesion, ...]:
    return tuple(lesion for lesion, there in zip(lesions, chosen, strict=True) if there)


def _augment(met: NDArray[np.bool_], finder: NDArray[np.intp], start: int) -> bool:
    """Find a lesion for a finding, moving earlier findings to other lesions where needed; ``finder`` is updated."""
    came_from: dict[int, int] = {}
    waiting = deque([start])
    while waiting:
        finding = waiting.popleft()
        for lesion in np.flatnonzero(met[:, finding]).tolist():
            if lesion in came_from:
                continue
            came_from[lesion] = finding
            if finder[lesion] < 0:
                _move_along(came_from, finder, lesion, start)
                return True
            waiting.append(int(finder[lesion]))
    return False


def _move_along(came_from: dict[int, int], finder: NDArray[np.intp], free: int, start: int) -> None:
    lesion = free
    while True:
        finding = came_from[lesion]
        held = np.flatnonzero(finder == finding)
        finder[lesion] = finding
        if finding == start:
            return
        lesion = int(held[0])
