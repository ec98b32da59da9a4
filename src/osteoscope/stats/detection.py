"""Detection of lesions: one-to-one matching of two readers' findings, sensitivity, surplus findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from osteoscope.domain.finding import Finding, Region


@dataclass(frozen=True)
class Matching:
    """Which finding of a reference is which finding of a reader.

    Args:
        pairs: (index in the reference, index in the reader's findings, overlap as IoU).
        missed: indices of the reference that no finding meets.
        surplus: indices of the reader's findings that meet none.
    """

    pairs: tuple[tuple[int, int, float], ...]
    missed: tuple[int, ...]
    surplus: tuple[int, ...]

    @property
    def sensitivity(self) -> float:
        """Share of the reference found; NaN where the reference is empty."""
        total = len(self.pairs) + len(self.missed)
        return len(self.pairs) / total if total else float("nan")


def iou(a: Region, b: Region) -> float:
    """Intersection over union of two regions on the same images."""
    shared = a.overlap(b)
    return shared / (a.size + b.size - shared)


def dice(a: Region, b: Region) -> float:
    """Dice coefficient of two regions on the same images (Dice 1945, Ecology 26:297)."""
    return 2 * a.overlap(b) / (a.size + b.size)


def match(reference: Sequence[Finding], findings: Sequence[Finding], minimum_iou: float = 0.0) -> Matching:
    """The one-to-one matching of greatest total IoU (Kuhn 1955), of pairs above ``minimum_iou``.

    With the default, one shared element is a match. There is no standard threshold: state the one used.
    """
    overlaps = np.array([[iou(a.region, b.region) for b in findings] for a in reference])
    overlaps = np.where(overlaps > minimum_iou, overlaps, 0.0).reshape(len(reference), len(findings))
    rows, columns = linear_sum_assignment(overlaps, maximize=True)
    pairs = tuple(
        (int(r), int(c), float(overlaps[r, c])) for r, c in zip(rows, columns, strict=True) if overlaps[r, c] > 0
    )
    met, meeting = {r for r, _, _ in pairs}, {c for _, c, _ in pairs}
    missed = tuple(r for r in range(len(reference)) if r not in met)
    return Matching(pairs, missed, tuple(c for c in range(len(findings)) if c not in meeting))
