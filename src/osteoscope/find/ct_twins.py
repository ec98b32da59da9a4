"""Whether a body shows elsewhere what it shows at a candidate: joints and veins have counterparts, lesions have none.

Left and right, and level by level, a skeleton repeats itself, and readers compare sides before they call a lesion. The
places of a scan whose surroundings look most like those of a candidate, in the mirror or not, are its twins; what is
within it is compared with what is within them (own method, no published source).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
import SimpleITK
from numpy.typing import NDArray
from scipy import fft, ndimage

from osteoscope.find.ct_cutting import cut, held
from osteoscope.find.ct_lesion_spots import Spot
from osteoscope.find.ct_lesion_windows import Array, Mask

FEATURE = "unlike_twins"
# Spacing that is compared at, about; what lies beyond the window says nothing of bone.
_COARSE_MM, _WINDOW, _BLUR = 2.25, (-300, 900), 0.7
# Differences, HU, that count as none, and that say nothing either way: that of a candidate without any twin.
_NONE_HU, _USUAL_HU = 10.0, 100.0
# No candidate's feature is larger: all black on all white.
MOST = log((_NONE_HU + _WINDOW[1] - _WINDOW[0]) / (_NONE_HU + _USUAL_HU))
_MARGIN = 5  # voxels around a template that it may move by when it is fitted
# Places tried in one view, the most alike first, and how far apart they are, voxels.
_TRIED, _APART = 40, 5
_ITERATIONS, _SAMPLES = 40, 30_000


@dataclass(frozen=True)
class TwinOptions:
    """Choices of what is a twin (engineering choices, no published source).

    Args:
        shell_mm: width of the surroundings that are compared.
        reach_mm: how far along z and y a twin may lie; along x it may lie anywhere.
        own: a place that shares more of a candidate than this is no twin of it.
        count: the most alike that are fitted to it.
        alike: of those, the ones whose surroundings differ by no more than this many times the least difference.
    """

    shell_mm: float = 11.25
    reach_mm: tuple[float, float] = (72.0, 67.5)
    own: float = 0.1
    count: int = 2
    alike: float = 1.25


@dataclass(frozen=True, eq=False)
class Coarse:
    """A whole volume at about 2.25 mm, within the window that is compared.

    Args:
        hu: [z, y, x].
        ratio: voxels of the volume, along an axis, in one of these.
        step_mm: spacing of these.
    """

    hu: Array
    ratio: int
    step_mm: float

    @classmethod
    def of(cls, hu: NDArray[np.int16], step_mm: float) -> Coarse:
        """Means of blocks of a volume of spacing ``step_mm``; rests of blocks at its ends are left out."""
        ratio = max(1, round(_COARSE_MM / step_mm))
        means = _blocks(np.clip(hu, *_WINDOW), ratio)
        return cls(ndimage.gaussian_filter(means, _BLUR, output=np.float32), ratio, ratio * step_mm)


@dataclass(frozen=True, eq=False)
class _Template:
    """A candidate with its surroundings: HU, where it is, and what surrounds it within the scan."""

    start: NDArray[np.intp]
    hu: Array
    mask: Mask
    shell: Mask


def compared(spot: Spot, coarse: Coarse, options: TwinOptions = TwinOptions()) -> Spot:
    """A candidate with its difference from its twins among its features.

    The feature is the logarithm of their root mean square difference in HU, 0 for a difference that says nothing.

    Args:
        spot: from `osteoscope.find.ct_lesion_spots.spots`.
        coarse: the whole volume.
        options: see `TwinOptions`.
    """
    template = _template(spot, coarse, round(options.shell_mm / coarse.step_mm))
    found = sorted(_twins(template, coarse, options), key=lambda twin: twin[0])[: options.count]
    fitted = [_differences(template, _fitted(template, picture)) for _, picture in found]
    closest = min((around for around, _ in fitted), default=0.0)
    unlike = min((within for around, within in fitted if around <= options.alike * closest), default=_USUAL_HU)
    return spot.knowing(FEATURE, log((_NONE_HU + unlike) / (_NONE_HU + _USUAL_HU)))


def _blocks(values: NDArray[Any], ratio: int) -> Array:
    """Means over cubes of ``ratio`` voxels."""
    whole = tuple(n // ratio for n in values.shape)
    even = values[tuple(slice(n * ratio) for n in whole)]
    z, y, x = whole
    return np.asarray(even.reshape(z, ratio, y, ratio, x, ratio).mean(axis=(1, 3, 5), dtype=np.float32))


def _template(spot: Spot, coarse: Coarse, shell: int) -> _Template:
    start = np.array([s.start // coarse.ratio for s in spot.box])
    stop = np.array([-(-s.stop // coarse.ratio) for s in spot.box])
    fine = np.zeros((stop - start) * coarse.ratio, dtype=bool)
    offsets = [s.start - int(a) * coarse.ratio for s, a in zip(spot.box, start, strict=True)]
    fine[tuple(slice(o, o + n) for o, n in zip(offsets, spot.mask.shape, strict=True))] = spot.mask
    share = _blocks(fine, coarse.ratio)
    mask = np.pad(share >= min(0.5, float(share.max())), shell)
    start = start - shell
    scanned = np.zeros(mask.shape, dtype=bool)
    scanned[held(coarse.hu.shape, start, mask.shape)[1]] = True
    near = ndimage.distance_transform_edt(~mask) <= shell
    return _Template(start, cut(coarse.hu, start, mask.shape, _WINDOW[0]), mask, near & ~mask & scanned)


def _twins(template: _Template, coarse: Coarse, options: TwinOptions) -> Iterator[tuple[float, Array]]:
    """Mean square difference of the surroundings, and HU there with a margin: some places of each view."""
    whole, shape, start = np.array(coarse.hu.shape), np.array(template.mask.shape), template.start
    # A twin may be cut by the end of a scan as the candidate is.
    beyond = round(options.shell_mm / coarse.step_mm)
    reach = [*(round(mm / coarse.step_mm) for mm in options.reach_mm), max(whole)]
    low, high = np.maximum(-beyond, start - reach), np.minimum(whole + beyond, start + shape + reach)
    mirrored = np.array([start[0], start[1], whole[2] - start[2] - shape[2]])
    # A view of the scan and, in it, the candidate and where that begins.
    views = ((coarse.hu, template.mask, start), (coarse.hu[..., ::-1], template.mask[..., ::-1], mirrored))
    windows = [cut(hu, low, high - low, _WINDOW[0]) for hu, _, _ in views]
    for (hu, own, at), misfit in zip(views, _misfits(template, windows), strict=True):
        places = np.argwhere(ndimage.minimum_filter(misfit, _APART) == misfit)
        found = 0
        for place in places[np.argsort(misfit[tuple(places.T)])[:_TRIED]]:
            shared = cut(own, place + low - at, shape, False) & template.mask
            if np.count_nonzero(shared) > options.own * np.count_nonzero(template.mask):
                continue
            yield float(misfit[tuple(place)]), cut(hu, place + low - _MARGIN, shape + 2 * _MARGIN, _WINDOW[0])
            found += 1
            if found == options.count:
                break


def _misfits(template: _Template, windows: Sequence[Array]) -> Iterator[Array]:
    """Mean square difference of the surroundings wherever a template lies within each of some windows of one shape."""
    sides = [fft.next_fast_len(n, real=True) for n in windows[0].shape]
    within = tuple(slice(n - m + 1) for n, m in zip(windows[0].shape, template.mask.shape, strict=True))
    floor = np.float32(_WINDOW[0])
    shell = template.shell.astype(np.float32)
    wanted = shell * (template.hu - floor)
    around, asked = (np.conj(fft.rfftn(values, sides)) for values in (shell, wanted))
    for window in windows:
        crossed = fft.rfftn((window - floor) ** 2, sides) * around
        crossed -= 2 * fft.rfftn(window - floor, sides) * asked
        total = fft.irfftn(crossed, sides)[within] + np.sum(wanted**2, dtype=np.float64)
        yield np.asarray(np.maximum(total, 0) / max(1, np.count_nonzero(template.shell)), dtype=np.float32)


def _fitted(template: _Template, picture: Array) -> Array:
    """A twin moved affinely so that its surroundings lie on those of the candidate; as it is where nothing fits."""
    fixed, moving = SimpleITK.GetImageFromArray(template.hu), SimpleITK.GetImageFromArray(picture)
    moving.SetOrigin([float(-_MARGIN)] * 3)
    transform = SimpleITK.AffineTransform(3)
    transform.SetCenter([n / 2 for n in template.hu.shape[::-1]])
    method = SimpleITK.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)  # sums in one order: the same confidence each time
    method.SetMetricAsMeanSquares()
    method.SetMetricFixedMask(SimpleITK.GetImageFromArray(template.shell.astype(np.uint8)))
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(min(1.0, _SAMPLES / template.hu.size), 1)
    method.SetInterpolator(SimpleITK.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 0.01, _ITERATIONS)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(transform, inPlace=True)
    try:
        method.Execute(fixed, moving)
    except RuntimeError:  # ITK says that all of it moved out of the picture
        transform.SetIdentity()
    return np.asarray(
        SimpleITK.GetArrayFromImage(
            SimpleITK.Resample(moving, fixed, transform, SimpleITK.sitkLinear, float(_WINDOW[0]))
        )
    )


def _differences(template: _Template, twin: Array) -> tuple[float, float]:
    """Root mean square difference around, and within, the candidate, HU."""
    squared = (template.hu - twin) ** 2
    around = float(squared[template.shell].mean()) if template.shell.any() else 0.0
    return around**0.5, float(squared[template.mask].mean()) ** 0.5
