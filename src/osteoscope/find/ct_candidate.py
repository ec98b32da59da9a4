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
Box = tuple[slice, ...]


@dataclass(frozen=True)
class CandidateOptions:
    """Choices of the grouping.

    Args:
        least_mm: diameter of the smallest sphere that counts (section 1.3: 5 mm, 65 mm3).
        gap_mm: abnormal places nearer than this are one lesion.
        pure: share of lytic (blastic) voxels from which a lesion is lytic (blastic) and not mixed (section 3.1: 2/3).
        joint_mm: bone of another site within this distance makes a place part of a joint.
        joint_share: a lytic place with more of it in a joint is disc or cartilage.
    """

    least_mm: float = 5.0
    gap_mm: float = 1.5
    pure: float = 2 / 3
    joint_mm: float = 3.5
    joint_share: float = 0.3

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
        """-1 where most of it is less dense than usual bone."""
        return -1 if self.kind == "lytic" else 1


def candidates_in(
    lytic: Mask, blastic: Mask, sites: NDArray[np.integer], frame: Frame, options: CandidateOptions = CandidateOptions()
) -> list[Candidate]:
    """Groups of abnormal voxels (26-connected after closing small gaps) that are large enough."""
    either = lytic | blastic
    closed = ndimage.binary_closing(either, iterations=frame.voxels(options.gap_mm)) & (sites > 0) | either
    least = max(1, round(options.least_ml / frame.cell_ml))
    labels = cc3d.dust(cc3d.connected_components(closed, connectivity=26), least, precomputed_ccl=True)
    found = []
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is not None:
            candidate = _candidate(labels[box] == number, box, (lytic, blastic), sites, frame, options)
            if candidate is not None:
                found.append(candidate)
    return found


def _candidate(
    mask: Mask,
    box: Box,
    abnormal: tuple[Mask, Mask],
    sites: NDArray[np.integer],
    frame: Frame,
    options: CandidateOptions,
) -> Candidate | None:
    low, high = (int(np.count_nonzero(part[box] & mask)) for part in abnormal)
    kind: FindingKind = "mixed"
    if low > options.pure * (low + high):
        kind = "lytic"
    elif high > options.pure * (low + high):
        kind = "blastic"
    site = int(np.bincount(sites[box][mask]).argmax())
    if kind == "lytic" and near_other_site(mask, box, site, sites, frame, options.joint_mm) > options.joint_share:
        return None
    volume = float(np.count_nonzero(mask)) * frame.grid.cell
    diameter = (6 * volume / np.pi) ** (1 / 3)
    ball = 2 * float(edt.edt(np.pad(mask, 1), anisotropy=(frame.step,) * 3).max())
    return Candidate(box, mask, site, kind, diameter, min(1.0, ball / diameter))


def near_other_site(
    mask: Mask, box: Box, site: int, sites: NDArray[np.integer], frame: Frame, reach_mm: float
) -> float:
    """Share of a place that lies within ``reach_mm`` of bone of another site."""
    margin = frame.voxels(reach_mm) + 1
    wide = tuple(slice(max(0, s.start - margin), s.stop + margin) for s in box)
    others = (sites[wide] > 0) & (sites[wide] != site)
    if not others.any():
        return 0.0
    away = edt.edt(~others, anisotropy=(frame.step,) * 3)
    inner = tuple(slice(s.start - w.start, s.stop - w.start) for s, w in zip(box, wide, strict=True))
    return float((away[inner][mask] <= reach_mm).mean())
