"""How far the surfaces of two regions are apart."""

from __future__ import annotations

import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.finding import Part
from osteoscope.stats.resampling import Floats


def surface_distances(a: Part, b: Part, spacing: tuple[float, ...]) -> tuple[float, float]:
    """Mean symmetric surface distance and 95 % Hausdorff distance of two Parts of one image, mm.

    A surface is the voxels with a neighbour by a face outside. The mean is over all voxels of both surfaces
    (Heimann 2009, IEEE Trans Med Imaging 28:1251); HD95 is the larger of the 95th centiles of the two directions.

    Args:
        a, b: masks.
        spacing: of the image [slice, row, column], mm.
    """
    low = np.minimum(a.offset, b.offset)
    high = np.maximum([s.stop for s in a.box], [s.stop for s in b.box])
    first, second = (_surface(part, low, high) for part in (a, b))
    there, back = _from_to(first, second, spacing), _from_to(second, first, spacing)
    mean = (there.sum() + back.sum()) / (there.size + back.size)
    return float(mean), float(max(np.quantile(there, 0.95), np.quantile(back, 0.95)))


def _surface(part: Part, low: NDArray[np.intp], high: NDArray[np.intp]) -> NDArray[np.bool_]:
    outline = part.mask & ~ndimage.binary_erosion(part.mask)
    whole = np.zeros(high - low, dtype=bool)
    whole[tuple(slice(o - w, o - w + n) for o, w, n in zip(part.offset, low, outline.shape, strict=True))] = outline
    return whole


def _from_to(start: NDArray[np.bool_], end: NDArray[np.bool_], spacing: tuple[float, ...]) -> Floats:
    return np.asarray(edt.edt(~end, anisotropy=spacing)[start], dtype=float)
