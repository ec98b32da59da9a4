"""The scanner on phantoms whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from osteoscope.domain.geometry import Grid
from osteoscope.simulate.ct_scanner import KERNELS, Kernel, Scanner, scan

GRID = Grid.axial((12, 160, 160), (2.5, 1.5, 1.5))


def water() -> np.ndarray:
    """A water cylinder of 200 mm in air."""
    rows, columns = np.ogrid[-80:80, -80:80]
    disc = np.where(np.hypot(rows, columns) * 1.5 < 100, 0, -1000).astype(np.float32)
    return np.repeat(disc[None], 12, axis=0)


@pytest.mark.parametrize("kernel", KERNELS)
def test_water_stays_zero_with_the_asked_order_of_noise(kernel: Kernel) -> None:
    hu = scan(water(), GRID, Scanner(kernel, noise_hu=20), np.random.default_rng(0))
    middle = hu[:, 70:90, 70:90]
    assert hu.dtype == np.int16
    assert abs(float(middle.mean())) < 3
    assert 8 < float(middle.std()) < 25


def test_noise_is_correlated_by_the_kernel() -> None:
    def neighbours(kernel: Kernel) -> float:
        hu = scan(water(), GRID, Scanner(kernel, noise_hu=30), np.random.default_rng(0))[:, 60:100, 60:100].astype(
            float
        )
        hu -= hu.mean()
        return float((hu[..., 1:] * hu[..., :-1]).mean() / (hu**2).mean())

    assert neighbours("soft") > neighbours("standard") > neighbours("sharp")


def test_kernels_order_the_edge() -> None:
    def steepest(kernel: Kernel) -> float:
        hu = scan(water(), GRID, Scanner(kernel, noise_hu=0.01), np.random.default_rng(0))
        return float(np.abs(np.diff(hu[6, 80].astype(float))).max())

    assert steepest("sharp") > steepest("standard") > steepest("soft") > 300


def test_thick_slices_average_along_the_table() -> None:
    hu = np.zeros((21, 16, 16), np.float32)
    hu[10] = 900
    thick = scan(
        hu, Grid.axial(hu.shape, (1.0, 1.5, 1.5)), Scanner(noise_hu=0.01, slice_mm=4), np.random.default_rng(0)
    )
    profile = thick[:, 8, 8]
    np.testing.assert_allclose(profile[7:14], [0, 112.5, 225, 225, 225, 112.5, 0], atol=2)


def test_circle_is_filled() -> None:
    hu = scan(water(), GRID, Scanner(circle=True), np.random.default_rng(0))
    assert (hu[:, 0, 0] == -1024).all()
    assert (hu[:, 0, 80] > -1024).any()
