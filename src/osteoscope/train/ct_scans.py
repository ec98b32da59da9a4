"""CT scans to train on, ready in the working frame: HU, bone, what is marked, and how the scan looks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.finding import Region
from osteoscope.domain.study import Study
from osteoscope.errors import UnsuitableStudyError
from osteoscope.find.ct_frame import AIR, ct_image, working_frame
from osteoscope.find.ct_lesion_windows import STEP_MM
from osteoscope.train.written import written

# Labels from here on are look-alikes, those below are lesions.
LOOK_ALIKE = 128
MARGIN_MM = 21.0  # kept around bone
_LEAST_BONE = round(10_000 / STEP_MM**3)  # voxels, 10 mL
# Width (sigma) of a body kernel in the plane, and of a box of width 1.
_KERNEL_MM, _BOX = 0.6, 12**-0.5
_SOFT_HU, _FLAT_HU = (-20.0, 130.0), 25.0

Triple = tuple[float, float, float]


def of_lesion(label: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where the labels of a `Scan` say lesion."""
    return np.asarray((label > 0) & (label < LOOK_ALIKE))


def lesion_label(number: int | NDArray[Any]) -> NDArray[np.uint8]:
    """The label of a lesion by its number, from 0; beyond the labels that there are they are given again."""
    return np.asarray(1 + np.asarray(number) % (LOOK_ALIKE - 1), dtype=np.uint8)


@dataclass(frozen=True, eq=False)
class Scan:
    """A scan in the working frame, cropped to its bone.

    Args:
        hu: int16 [z, y, x] at ``STEP_MM``; air beyond the scan.
        bone: bool, of the same shape.
        label: uint8: 0, a lesion each from 1 on, a look-alike each from ``LOOK_ALIKE`` on; of very many some share one.
        blur: sigma of the scan's own blur along each axis, voxels.
        noise: standard deviation of its noise, HU.
        grain: sigma of the blur that white noise would need to look like its noise, voxels.
    """

    hu: NDArray[np.int16]
    bone: NDArray[np.bool_]
    label: NDArray[np.uint8]
    blur: Triple
    noise: float
    grain: Triple

    @cached_property
    def numbers(self) -> NDArray[np.uint8]:
        """Labels that occur, 0 left out."""
        found = np.unique(self.label)
        return found[found > 0]

    def save(self, path: Path) -> Path:
        """Write a compressed .npz, whole or not at all."""
        look = np.array([*self.blur, self.noise, *self.grain])
        with written(path) as unfinished:
            np.savez_compressed(unfinished, hu=self.hu, bone=self.bone, label=self.label, look=look, step_mm=STEP_MM)
        return path

    @classmethod
    def load(cls, path: Path) -> Scan:
        """Read what `save` wrote.

        Raises:
            UnsuitableStudyError: a version that works at another spacing wrote it.
        """
        with np.load(path) as stored:
            if "step_mm" not in stored or stored["step_mm"] != STEP_MM:
                remedy = "Remove it, or give another folder: it is made again"
                raise UnsuitableStudyError(f"go on with {path}", "a scan that another version prepared", remedy)
            look = [float(value) for value in stored["look"]]
            blur, grain = (look[0], look[1], look[2]), (look[4], look[5], look[6])
            return cls(stored["hu"], stored["bone"], stored["label"], blur, look[3], grain)


@dataclass(frozen=True)
class NotSeen:
    """Lesions, by number from 0, no voxel of which training sees.

    Args:
        far: they lie further than ``MARGIN_MM`` from any bone.
        covered: they are smaller than a voxel, or others lie over them.
    """

    far: tuple[int, ...] = ()
    covered: tuple[int, ...] = ()


def prepare(study: Study, bones: Iterable[Region], lesions: Iterable[Region], look_alikes: Iterable[Region]) -> Scan:
    """A study with masks on its own grid as a Scan; see `prepare_all_of`."""
    return prepare_all_of(study, bones, lesions, look_alikes)[0]


def prepare_all_of(
    study: Study, bones: Iterable[Region], lesions: Iterable[Region], look_alikes: Iterable[Region]
) -> tuple[Scan, NotSeen]:
    """A study with masks on its own grid as a Scan, and what of the lesions is not in it.

    A voxel marked as both is a lesion.

    Raises:
        UnsuitableStudyError: it holds no CT, or hardly any bone.
    """
    image = ct_image(study)
    frame = working_frame(image, STEP_MM)
    bone = frame.from_source(_painted([(1, region) for region in bones], image.grid.shape)) > 0
    if np.count_nonzero(bone) < _LEAST_BONE:
        raise UnsuitableStudyError("prepare a scan", f"{np.count_nonzero(bone)} voxels of bone", "Leave this scan out")
    found, others = list(lesions), list(look_alikes)
    # Each has a number of its own until it is known which are seen; lesions come last, so that they lie on top.
    marked = [*enumerate(others, len(found) + 1), *enumerate(found, 1)]
    numbers = frame.from_source(_painted(marked, image.grid.shape))
    box = frame.around(bone, MARGIN_MM)
    codes = [0, *(int(lesion_label(n)) for n in range(len(found)))]
    codes += [LOOK_ALIKE + n % LOOK_ALIKE for n in range(len(others))]
    label = np.array(codes, dtype=np.uint8)[numbers[box]]
    hu = np.maximum(frame.hu[box], AIR)
    noise, grain = _noise(hu, bone[box])
    thickness = study.acquisition.slice_thickness_mm or image.grid.spacing[0]
    scan = Scan(hu, bone[box], label, _blur(image.grid.spacing, thickness), noise, grain)
    return scan, _not_seen(numbers, numbers[box], len(found))


def _not_seen(whole: NDArray[Any], kept: NDArray[Any], lesions: int) -> NotSeen:
    laid, seen = ({int(n) - 1 for n in np.unique(numbers[numbers > 0])} for numbers in (whole, kept))
    lost = [n for n in range(lesions) if n not in seen]
    return NotSeen(tuple(n for n in lost if n in laid), tuple(n for n in lost if n not in laid))


def _painted(marked: Sequence[tuple[int, Region]], shape: tuple[int, ...]) -> NDArray[Any]:
    label = np.zeros(shape, dtype=np.min_scalar_type(max((number for number, _ in marked), default=0)))
    for number, region in marked:
        part = region.on("ct")
        if part is not None:
            label[part.box][part.mask] = number
    return label


def _blur(spacing: tuple[float, ...], thickness: float) -> Triple:
    """Kernel or slice profile, and interpolation from the scan's own voxels (boxes, engineering accuracy)."""
    widths = (thickness * _BOX, _KERNEL_MM, _KERNEL_MM)
    z, y, x = (float(np.hypot(own, _BOX * step)) / STEP_MM for own, step in zip(widths, spacing, strict=True))
    return z, y, x


def _noise(hu: NDArray[np.int16], bone: NDArray[np.bool_]) -> tuple[float, Triple]:
    """Standard deviation and grain of what soft tissue away from edges shows beyond its smooth HU."""
    values = np.clip(hu, -200, 300).astype(np.float32)
    smooth = ndimage.gaussian_filter(values, 2.0)
    flat = (smooth > _SOFT_HU[0]) & (smooth < _SOFT_HU[1]) & ~ndimage.binary_dilation(bone, iterations=3)
    flat &= ndimage.gaussian_gradient_magnitude(values, 2.0) < _FLAT_HU / 5
    rest = values - smooth
    rest = np.where(flat & (np.abs(rest) < 6 * _FLAT_HU), rest, 0)
    count = np.count_nonzero(flat)
    if count < 500:
        return 12.0, (0.5, 0.5, 0.5)
    variance = float((rest**2).sum() / count)
    z, y, x = (_grain(rest, flat, variance, axis) for axis in range(3))
    return max(2.0, variance**0.5), (z, y, x)


def _grain(rest: NDArray[np.float32], flat: NDArray[np.bool_], variance: float, axis: int) -> float:
    """From the correlation of neighbours: white noise blurred by sigma has exp(-1 / (4 sigma^2))."""
    first, second = (
        tuple(s if a == axis else slice(None) for a in range(3)) for s in (slice(1, None), slice(None, -1))
    )
    both = int(np.count_nonzero(flat[first] & flat[second]))
    alike = float((rest[first] * rest[second]).sum()) / max(both, 1) / max(variance, 1e-6)
    return float(np.sqrt(-1 / (4 * np.log(np.clip(alike, 0.02, 0.95)))))
