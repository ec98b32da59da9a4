"""Detection of lesions: one-to-one matching of two readers' findings, sensitivity, surplus findings.

Overlaps are counted where bounding boxes meet, so that time grows with the voxels of the regions alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from osteoscope.domain.finding import Finding, Region
from osteoscope.stats.resampling import Floats


@dataclass(frozen=True)
class Criterion:
    """When a finding may be taken for a lesion: by their IoU, of which one shared element is the least.

    Args:
        name: id.
        title: for a reader.
        least: IoU to be above.
        inclusive: whether just ``least`` is enough.
    """

    name: str
    title: str
    least: float = 0.0
    inclusive: bool = False

    def met(self, overlaps: Floats) -> NDArray[np.bool_]:
        """Where it holds, of IoUs of any shape."""
        enough = overlaps >= self.least if self.inclusive else overlaps > self.least
        return np.asarray(enough & (overlaps > 0))


# No rule is standard: the loosest, the usual one of 3-D detection, and that of panoptic quality (Kirillov 2019).
CRITERIA: tuple[Criterion, ...] = (
    Criterion("any_overlap", "any overlap"),
    Criterion("iou_0.1", "IoU > 0.1", 0.1),
    Criterion("iou_0.5", "IoU at least 0.5", 0.5, inclusive=True),
)


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


def overlaps(reference: Sequence[Region], found: Sequence[Region]) -> Floats:
    """IoU of every region of a reference with every region found, shape (reference, found)."""
    shared = np.array([[a.overlap(b) for b in found] for a in reference], dtype=float)
    shared = shared.reshape(len(reference), len(found))
    sizes = np.array([a.size for a in reference])[:, None] + np.array([b.size for b in found])
    return np.asarray(shared / (sizes - shared))


def match(reference: Sequence[Finding], findings: Sequence[Finding], minimum_iou: float = 0.0) -> Matching:
    """The one-to-one matching of most pairs above ``minimum_iou``, of these the one of greatest total IoU.

    With the default, one shared element is a match. There is no standard threshold: state the one used.
    """
    found = overlaps([a.region for a in reference], [b.region for b in findings])
    return assign(found, Criterion("", "", minimum_iou))


def assign(found: Floats, criterion: Criterion) -> Matching:
    """The one-to-one matching (Kuhn 1955, Naval Res Logist Q 2:83) of overlaps as made by `overlaps`.

    A pair weighs more than all overlaps together: it has most pairs, and of these the greatest total overlap.
    """
    met = criterion.met(found)
    rows, columns = linear_sum_assignment(np.where(met, min(found.shape) + 1 + found, 0.0), maximize=True)
    pairs = tuple(
        (int(r), int(c), float(found[r, c])) for r, c in zip(rows, columns, strict=True) if met[r, c]
    )  # fmt: skip
    hit, hitting = {r for r, _, _ in pairs}, {c for _, c, _ in pairs}
    missed, surplus = ([n for n in range(size) if n not in used]
                       for size, used in zip(found.shape, (hit, hitting), strict=True))  # fmt: skip
    return Matching(pairs, tuple(missed), tuple(surplus))
