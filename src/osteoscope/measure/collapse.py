"""How much height a vertebral body has lost, against its neighbours.

Height loss = 1 - h / h_ref in the front, middle and back third of the body, h_ref the mean of the neighbouring levels;
the greatest of the three counts (docs/background/ct.md, "Vertebrae").
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.anatomy import VERTEBRAE
from osteoscope.domain.finding import Measure
from osteoscope.domain.reading import Case
from osteoscope.measure.place import bone_at, is_cut, spread
from osteoscope.measure.vertebra import BODILESS, vertebra_at

Floats = NDArray[np.float64]
_METHOD = "greatest loss of front, middle and back against {}; +-1 voxel"
_NO_HEIGHT = (BODILESS, "vertebra_C2")  # the dens is no height of a body
_CENTRAL = 0.6  # share of the body's width in which columns are measured


def height_loss(case: Case, site: str) -> tuple[Measure, ...]:
    """height_loss: share 0..1 of the body's height, of a vertebra of known level with a whole neighbour.

    A neighbour with findings, cut by the field or not mapped is no reference, nor are C1 and C2. Nothing where neither
    is left, nor of C1 and C2 themselves.
    """
    own = _heights(case, site)
    references = {near: heights for near in _neighbours(case, site) if (heights := _heights(case, near)) is not None}
    if own is None or not references:
        return ()
    usual = np.mean([heights for heights, _ in references.values()], axis=0)
    voxel = own[1]
    losses = [float(np.max(1 - (own[0] + shift) / usual)) for shift in (0.0, voxel, -voxel)]
    return (spread("height_loss", "1", _METHOD.format(", ".join(references)), [min(1.0, max(0.0, x)) for x in losses]),)


def _neighbours(case: Case, site: str) -> list[str]:
    if site not in VERTEBRAE:
        return []
    place = VERTEBRAE.index(site)
    near = [VERTEBRAE[n] for n in (place - 1, place + 1) if 0 <= n < len(VERTEBRAE)]
    involved = {finding.site for finding in case.findings}
    return [level for level in near if level not in involved]


def _heights(case: Case, site: str) -> tuple[Floats, float] | None:
    """Median heights (front, middle, back) in mm of a body that is wholly in the field, and the voxel's height."""
    bone = bone_at(case, site)
    shape = case.study.images["ct"].grid.shape
    if bone is None or site in _NO_HEIGHT or is_cut(bone.box, shape):
        return None
    found = vertebra_at(case, site)
    if found is None or not found.body.any():
        return None
    columns = found.body.sum(axis=0) * found.spacing[0]
    y, x = np.nonzero(columns)
    central = np.abs(x - np.median(x)) <= _CENTRAL / 2 * (np.ptp(x) + 1)
    y, x = y[central], x[central]
    third = np.minimum((y - y.min()) * 3 // (np.ptp(y) + 1), 2)
    heights = columns[y, x]
    if len(np.unique(third)) < 3:
        return None
    return np.array([np.median(heights[third == n]) for n in range(3)]), found.spacing[0]
