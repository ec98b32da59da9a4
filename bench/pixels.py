"""What is lost when pixels were changed after the scan, as cameras, workstations and archives do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

import mibg
from osteoscope.domain.anatomy import SIOPEN
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import Reading
from osteoscope.domain.study import Study
from osteoscope.reading.planar_plans import MIBG
from osteoscope.reading.read import read
from osteoscope.simulate.planar import random_recipe, simulate_planar
from osteoscope.stats.agreement import icc_absolute, weighted_kappa

Pixels = NDArray[Any]
SEEDS = range(33_000, 33_040)


def _smoothed(pixels: Pixels, sigma: float) -> Pixels:
    return np.asarray(ndimage.gaussian_filter(pixels.astype(float), sigma))


def _tilted(pixels: Pixels, name: str) -> Pixels:
    """The child lies askew by 5 degrees, which the posterior view shows from behind."""
    degrees = 5 if name == "anterior" else -5
    return np.asarray(ndimage.rotate(pixels.astype(float), degrees, reshape=False, order=1))


def _dimmed(pixels: Pixels, name: str) -> Pixels:
    return pixels if name == "anterior" else np.random.default_rng(0).binomial(pixels, 0.7)


# What is done to the pixels of a view of that name; where their number changes, the field of view stays.
CHANGES: Mapping[str, Callable[[Pixels, str], Pixels]] = MappingProxyType(
    {
        "as scanned": lambda pixels, _: pixels,
        "smoothed, sigma 0.8 pixels": lambda pixels, _: _smoothed(pixels, 0.8),
        "median of 3 x 3": lambda pixels, _: ndimage.median_filter(pixels, 3),
        "a third of each number": lambda pixels, _: pixels / 3,
        "five times smoothed numbers": lambda pixels, _: 5 * _smoothed(pixels, 0.8),
        "halved pixels, repeated": lambda pixels, _: pixels.repeat(2, axis=0).repeat(2, axis=1),
        "halved pixels, interpolated": lambda pixels, _: ndimage.zoom(
            pixels.astype(float), 2, order=1, mode="nearest", grid_mode=True
        ),
        "tilted by 5 degrees, interpolated": _tilted,
        "posterior view of 0.7 times the counts": _dimmed,
    }
)


def _changed(study: Study, change: str) -> Study:
    images = {}
    for name, image in study.images.items():
        values = np.clip(np.rint(CHANGES[change](image.values, name)), 0, None).astype(np.int32)
        steps = np.array(image.grid.spacing) * image.grid.shape / values.shape
        grid = Grid.planar((values.shape[0], values.shape[1]), (float(steps[0]), float(steps[1])), image.grid.frame)
        images[name] = Image(grid, values, "counts")
    return replace(study, images=images)


def _levels(reading: Reading) -> list[float]:
    return [*(mibg.level(reading, s, "siopen") for s in SIOPEN), mibg.value(reading, "siopen_total")]


def _read(seed: int) -> NDArray[np.float64]:
    """Levels and total of the truth, then of each change, shape (1 + changes, 13)."""
    made = simulate_planar(random_recipe(np.random.default_rng(seed)), seed)
    readings = [read(_changed(made.study, change), MIBG).reading for change in CHANGES]
    return np.array([_levels(reading) for reading in (made.reading, *readings)])


def mibg_pixels() -> Mapping[str, Any]:
    """The shipped network on 40 children of a cohort, whose pixels were changed after the scan, each change alone."""
    with ProcessPoolExecutor(2) as pool:
        found = np.array(list(pool.map(_read, SEEDS)))
    return {change: _agreement(found[:, (0, 1 + n)]) for n, change in enumerate(CHANGES)}


def _agreement(found: NDArray[np.float64]) -> str:
    levels = found[:, :, :-1].transpose(0, 2, 1).reshape(-1, 2)
    truth, said = levels[~np.isnan(levels).any(axis=1)].astype(int).T
    totals = found[:, :, -1]
    totals = totals[~np.isnan(totals).any(axis=1)]
    bias = np.mean(totals[:, 1] - totals[:, 0])
    return (
        f"quadratic kappa {weighted_kappa(truth, said):.3f}, exact {np.mean(truth == said):.3f}, "
        f"ICC {icc_absolute(totals)}, bias {bias:+.2f}; {len(totals)} children scored"
    )


ROWS: Mapping[str, Callable[[], Mapping[str, Any]]] = MappingProxyType({mibg_pixels.__name__: mibg_pixels})
