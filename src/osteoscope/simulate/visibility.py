"""How well disease stands out on a view, before noise is drawn."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from osteoscope.simulate.camera import FWHM_OF_SIGMA, Floats

_APERTURE_FWHM_MM = 12.0


def contrast_to_noise(background: Floats, excess: Floats, pixel_mm: float) -> Floats:
    """Excess counts over the Poisson noise of the background, each seen through a Gaussian aperture.

    With an aperture of standard deviation s pixels that sums to 1, the variance of the background b is b / (4 pi s^2).

    Args:
        background: expected counts without disease, [row, column].
        excess: expected counts that disease adds.
        pixel_mm: size of a pixel; the aperture is 12 mm wide (FWHM), about the resolution of a camera at depth.
    """
    sigma = _APERTURE_FWHM_MM / FWHM_OF_SIGMA / pixel_mm
    noise = np.sqrt(np.maximum(gaussian_filter(background, sigma), 1e-9) / (4 * np.pi * sigma**2))
    return np.asarray(gaussian_filter(excess, sigma) / noise)
