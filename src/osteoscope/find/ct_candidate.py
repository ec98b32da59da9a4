"""Connected places of abnormal bone, each with its kind, size and shape."""

from __future__ import annotations

from dataclasses import dataclass

import cc3d
import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.finding import FindingKind
from osteoscope.find.ct_frame import Frame

Mask = NDArray[np.bool_]
Labels = NDArray[np.integer]
Box = tuple[slice, ...]
_RING_MM = 3.0


@dataclass(frozen=True)
class CandidateOptions:
    """Choices of the grouping.

    Args:
        least_mm: diameter of the smallest sphere that counts (section 1.3: 5 mm, 65 mm3).
        gap_mm: abnormal places nearer than this are one lesion.
        pure: share of lytic (blastic) voxels from which a lesion is lytic (blastic) and not mixed (section 3.1: 2/3).
        joint_share: a lytic place with more bone of another site right around it is disc or cartilage.
    """

    least_mm: float = 5.0
    gap_mm: float = 1.5
    pure: float = 2 / 3
    joint_share: float = 0.35

    @property
    def least_ml(self) -> float:
        """Volume of the smallest sphere."""
        return float(np.pi / 6 * self.least_mm**3 / 1000)


@dataclass(frozen=True, eq=False)
class Candidate:
    """A connected abnormal place, in the working frame.

    Args:
        box: where ``mask`` lies.
        mask: bool, its voxels.
        site: label of the site that holds most of it.
        kind: lytic, blastic or mixed.
        diameter: mm, of the sphere of its volume.
        roundness: 0..1, diameter of the largest ball inside over ``diameter``; a sheet is near 0.
    """

    box: Box
    mask: Mask
    site: int
    kind: FindingKind
    diameter: float
    roundness: float

    @property
    def sign(self) -> int:
        """-1 where it is less dense than usual bone, 1 where more, 0 where both."""
        return {"lytic": -1, "blastic": 1}.get(self.kind, 0)


def candidates_in(
    lytic: Mask, blastic: Mask, sites: NDArray[np.integer], frame: Frame, options: CandidateOptions = CandidateOptions()
) -> list[Candidate]:
    """Groups of abnormal voxels (26-connected after closing small gaps) that are large enough.

    A lytic and a blastic group that touch are one lesion where neither holds more than ``pure`` of it.
    """
    low, high = (_groups(part, sites, frame, options) for part in (lytic, blastic))
    mixed = _mixed(low, high, options)
    low[mixed > 0] = 0
    high[mixed > 0] = 0
    found = []
    by_kind: dict[FindingKind, Labels] = {"lytic": low, "blastic": high, "mixed": mixed}
    for kind, labels in by_kind.items():
        for number, box in enumerate(ndimage.find_objects(labels), start=1):
            if box is not None:
                found.append(_candidate(labels[box] == number, box, kind, sites, frame))
    return [c for c in found if c.kind != "lytic" or _beside_other_site(c, sites, frame) <= options.joint_share]


def _groups(abnormal: Mask, sites: NDArray[np.integer], frame: Frame, options: CandidateOptions) -> NDArray[np.integer]:
    closed = ndimage.binary_closing(abnormal, iterations=frame.voxels(options.gap_mm)) & (sites > 0) | abnormal
    least = max(1, round(options.least_ml / frame.cell_ml))
    return np.asarray(cc3d.connected_components(cc3d.dust(closed, least, connectivity=26), connectivity=26))


def _mixed(lytic: Labels, blastic: Labels, options: CandidateOptions) -> Labels:
    """Labels of lytic and blastic groups that are one lesion together."""
    touching = ndimage.grey_dilation(lytic, size=3)
    both = (touching > 0) & (blastic > 0)
    sizes = [np.bincount(group.ravel()) for group in (lytic, blastic)]
    together = np.zeros(lytic.shape, dtype=bool)
    for low, high in np.unique(np.column_stack([touching[both], blastic[both]]), axis=0):
        share = sizes[0][low] / (sizes[0][low] + sizes[1][high])
        if 1 - options.pure <= share <= options.pure:
            together |= (lytic == low) | (blastic == high)
    return np.asarray(cc3d.connected_components(together, connectivity=26))


def _candidate(mask: Mask, box: Box, kind: FindingKind, sites: NDArray[np.integer], frame: Frame) -> Candidate:
    volume = float(np.count_nonzero(mask)) * frame.grid.cell
    diameter = (6 * volume / np.pi) ** (1 / 3)
    ball = 2 * float(edt.edt(np.pad(mask, 1), anisotropy=(frame.step,) * 3).max())
    held = np.bincount(sites[box][mask])
    held[0] = 0
    return Candidate(box, mask, int(held.argmax()), kind, diameter, min(1.0, ball / diameter))


def _beside_other_site(found: Candidate, sites: NDArray[np.integer], frame: Frame) -> float:
    """Share of the bone right around a candidate that belongs to another site: a half around a disc."""
    wide, inner = _widened(found.box, frame.voxels(_RING_MM))
    mask = np.zeros(sites[wide].shape, dtype=bool)
    mask[inner] = found.mask
    ring = ndimage.binary_dilation(mask, iterations=frame.voxels(_RING_MM)) & ~mask & (sites[wide] > 0)
    return float((sites[wide][ring] != found.site).mean()) if ring.any() else 0.0


def near_other_site(
    mask: Mask, box: Box, site: int, sites: NDArray[np.integer], frame: Frame, reach_mm: float
) -> float:
    """Share of a place that lies within ``reach_mm`` of bone of another site."""
    wide, inner = _widened(box, frame.voxels(reach_mm) + 1)
    others = (sites[wide] > 0) & (sites[wide] != site)
    if not others.any():
        return 0.0
    away = edt.edt(~others, anisotropy=(frame.step,) * 3)
    return float((away[inner][mask] <= reach_mm).mean())


def _widened(box: Box, margin: int) -> tuple[Box, Box]:
    """The box grown by a margin, and the old box within the new one."""
    wide = tuple(slice(max(0, s.start - margin), s.stop + margin) for s in box)
    return wide, tuple(slice(s.start - w.start, s.stop - w.start) for s, w in zip(box, wide, strict=True))
