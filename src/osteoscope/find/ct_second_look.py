"""A second look at a candidate of CT: what it and all around it look like, judged as one.

The detector says each voxel on its own and is trained on outlines; whether a place as a whole is a lesion is another
question, and the one that a list of findings is ranked by (two stages, as Dou et al. 2017, IEEE Trans Biomed Eng
64:1558, did against false positives).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from osteoscope.find.ct_frame import AIR
from osteoscope.find.ct_lesion_spots import Spot
from osteoscope.find.ct_lesion_windows import Array, Mask, planes
from osteoscope.find.model import Model

MODEL = "ct_second_look"
FEATURE = "second_look"
SIDE = 48  # voxels of 1.5 mm
# Mirrored along neither, x, y, and both: axes of a picture (plane, z, y, x).
WAYS: Sequence[tuple[int, ...]] = ((), (3,), (2,), (2, 3))


@dataclass(frozen=True, eq=False)
class Around:
    """A cube around a candidate.

    Args:
        hu: (SIDE, SIDE, SIDE).
        own: bool (SIDE, SIDE, SIDE), the candidate.
    """

    hu: NDArray[np.int16] | Array
    own: Mask

    @classmethod
    def of(cls, spot: Spot, hu: NDArray[np.int16]) -> Around:
        """Cut from a whole volume; air lies beyond it."""
        voxels = np.argwhere(spot.mask) + [s.start for s in spot.box]
        start = np.floor(voxels.mean(axis=0)).astype(int) - SIDE // 2
        own = np.zeros((SIDE,) * 3, dtype=bool)
        inside = voxels - start
        own[tuple(inside[((inside >= 0) & (inside < SIDE)).all(axis=1)].T)] = True
        return cls(_cut(hu, start), own)

    def picture(self) -> Array:
        """What the network is shown, (3, SIDE, SIDE, SIDE): HU through two windows, and the candidate."""
        return np.concatenate([planes(self.hu), self.own[None]], dtype=np.float32)


def looked_at(spot: Spot, hu: NDArray[np.int16], model: Model) -> Spot:
    """A candidate with the logit of the second look, the mean over `WAYS`, among its features.

    Args:
        spot: from `osteoscope.find.ct_lesion_spots.spots`.
        hu: of the whole volume.
        model: of the name ``MODEL``.
    """
    picture = Around.of(spot, hu).picture()
    logits = [model.run(np.ascontiguousarray(np.flip(picture, axes)))[0][0] for axes in WAYS]
    return replace(spot, features={**spot.features, FEATURE: float(np.mean(logits))})


def _cut(volume: NDArray[np.int16], start: NDArray[np.intp]) -> NDArray[np.int16]:
    held = tuple(slice(max(0, int(a)), min(n, int(a) + SIDE)) for a, n in zip(start, volume.shape, strict=True))
    cube = np.full((SIDE,) * 3, AIR, dtype=volume.dtype)
    cube[tuple(slice(h.start - int(a), h.stop - int(a)) for h, a in zip(held, start, strict=True))] = volume[held]
    return cube
