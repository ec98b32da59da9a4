"""Scans of the ICRP-110 phantoms: whole heads, hanging arms with hands, and legs, which no simulated adult has.

Tissue is quiet in a phantom, so the texture of marrow and muscle is added; how much of it is a choice.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.finding import Part, Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.study import Patient, Study
from osteoscope.errors import UnsuitableStudyError
from osteoscope.simulate.ct_noise import SmoothNoise
from osteoscope.simulate.ct_scanner import KERNELS, Scanner, scan
from osteoscope.train.ct_bones_maps import DRAWN_MM
from osteoscope.train.ct_bones_sources import drawn_parts
from osteoscope.train.ct_scans import Scan, prepare

_SOFT_HU, _SOFT_PITCH_MM, _GAS_HU = 7.0, 6.0, -500
# Marrow and cortex are denser or thinner by places: logarithms, and widths, mm.
_BONE = ((0.22, 5.0), (0.2, 25.0))
_NOISE_HU = (5.0, 35.0)


def phantom_scans(path: Path, rng: np.random.Generator) -> Iterator[Scan]:
    """The parts of a phantom as scans, without those that hold hardly any bone; see `drawn_parts`."""
    for number, (hu, label) in enumerate(drawn_parts(path, rng)):
        study = _study(path.stem, number, _textured(hu, label > 0, rng), rng)
        try:
            yield prepare(study, [Region((Part.from_mask("ct", label > 0),))] if label.any() else [], (), ())
        except UnsuitableStudyError:
            continue


def _textured(hu: NDArray[np.int32], bone: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.float32]:
    axes = [np.arange(n, dtype=np.float32) * np.float32(DRAWN_MM) for n in hu.shape]
    high = [float(axis[-1]) for axis in axes]

    def waves(pitch_mm: float) -> NDArray[np.float32]:
        return np.asarray(SmoothNoise.over(rng, (0.0, 0.0, 0.0), high, pitch_mm).on(axes), dtype=np.float32)

    density = sum(np.float32(strength) * waves(pitch) for strength, pitch in _BONE)
    made = hu.astype(np.float32)
    made += np.where(hu > _GAS_HU, np.float32(_SOFT_HU) * waves(_SOFT_PITCH_MM), 0)
    return np.where(bone, made * np.exp(density), made).astype(np.float32)


def _study(name: str, number: int, hu: NDArray[np.float32], rng: np.random.Generator) -> Study:
    grid = Grid.axial(hu.shape, (DRAWN_MM,) * 3)
    scanner = Scanner(
        kernel=list(KERNELS)[rng.integers(len(KERNELS))],
        noise_hu=float(np.exp(rng.uniform(*np.log(_NOISE_HU)))),
        slice_mm=DRAWN_MM,
    )
    return Study(f"{name}.{number}", "ct", "", Patient(name), {"ct": Image(grid, scan(hu, grid, scanner, rng), "HU")})
