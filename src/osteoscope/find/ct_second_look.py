"""A second look at a candidate of CT: what it and all around it look like, judged as one.

The detector says each voxel on its own and is trained on outlines; whether a place as a whole is a lesion is another
question, and the one that a list of findings is ranked by (two stages, as Dou et al. 2017, IEEE Trans Biomed Eng
64:1558, did against false positives).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.find.ct_cutting import cut
from osteoscope.find.ct_frame import AIR
from osteoscope.find.ct_lesion_spots import Spot
from osteoscope.find.ct_lesion_windows import Array, Mask, planes
from osteoscope.find.model import Model

MODEL = "ct_second_look"
FEATURE = "second_look"
# Of the cube: 72 mm, more of the surroundings than in as many voxels of the detector.
SIDE, STEP_MM = 48, 1.5
# Mirrored along neither, x, y, and both: axes of a picture (plane, z, y, x).
WAYS: Sequence[tuple[int, ...]] = ((), (3,), (2,), (2, 3))


@dataclass(frozen=True, eq=False)
class Around:
    """A cube around a candidate.

    Args:
        hu: (SIDE, SIDE, SIDE) at ``STEP_MM``.
        own: bool (SIDE, SIDE, SIDE), the candidate.
    """

    hu: NDArray[np.int16] | Array
    own: Mask

    @classmethod
    def of(cls, spot: Spot, hu: NDArray[np.int16], step_mm: float) -> Around:
        """Cut from a whole volume of spacing ``step_mm``, interpolated linearly; air lies beyond it."""
        side = round(SIDE * STEP_MM / step_mm)
        voxels = np.argwhere(spot.mask) + [s.start for s in spot.box]
        start = np.floor(voxels.mean(axis=0)).astype(int) - side // 2
        own = np.zeros((side,) * 3, dtype=bool)
        inside = voxels - start
        own[tuple(inside[((inside >= 0) & (inside < side)).all(axis=1)].T)] = True
        cube = cut(hu, start, own.shape, AIR)
        if side == SIDE:
            return cls(cube, own)
        share = _resampled(own)
        return cls(np.rint(_resampled(cube)).astype(np.int16), share >= min(0.5, float(share.max())))

    def picture(self) -> Array:
        """What the network is shown, (3, SIDE, SIDE, SIDE): HU through two windows, and the candidate."""
        return np.concatenate([planes(self.hu), self.own[None]], dtype=np.float32)


def looked_at(spot: Spot, hu: NDArray[np.int16], step_mm: float, model: Model) -> Spot:
    """A candidate with the logit of the second look, the mean over `WAYS`, among its features.

    Args:
        spot: from `osteoscope.find.ct_lesion_spots.spots`.
        hu, step_mm: of the whole volume.
        model: of the name ``MODEL``.
    """
    picture = Around.of(spot, hu, step_mm).picture()
    logits = [model.run(np.ascontiguousarray(np.flip(picture, axes)))[0][0] for axes in WAYS]
    return spot.knowing(FEATURE, float(np.mean(logits)))


def _resampled(cube: NDArray[Any]) -> Array:
    """Of another number of voxels, as ``SIDE`` of them."""
    scale = len(cube) / SIDE
    middle, sides = (scale - 1) / 2, (SIDE,) * 3
    return np.asarray(
        ndimage.affine_transform(
            cube.astype(np.float32), np.full(3, scale), middle, sides, order=1, mode="nearest", prefilter=False
        )
    )
