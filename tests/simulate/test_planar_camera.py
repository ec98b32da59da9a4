"""The gamma camera against what physics says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from osteoscope.domain.geometry import Grid
from osteoscope.errors import InvalidValueError
from osteoscope.simulate.camera import COLLIMATORS, WATER_PER_MM, Camera, CollimatorName, Optics, detect, field_of
from osteoscope.simulate.visibility import contrast_to_noise

STEP = 3.0
SHAPE = (81, 61, 81)
NARROW = Camera(
    rows=128, columns=128, pixel_mm=2.4, scatter_share=0.0, top_margin_mm=40.0, anterior_gap_mm=20, posterior_gap_mm=35
)
Views = Mapping[str, NDArray[np.float64]]


def exposed(activity: NDArray[np.float32], camera: Camera, density: float = 0.0) -> Views:
    grid = Grid.axial(SHAPE, (STEP,) * 3)
    top, middle = STEP * (SHAPE[0] - 1), STEP * (SHAPE[2] - 1) / 2
    attenuation = np.full(SHAPE, density * WATER_PER_MM, dtype=np.float32)
    return Optics.of(attenuation, field_of(grid, camera, top, middle), camera).expose(activity)


def point(z: int = 40, y: int = 30, x: int = 40) -> NDArray[np.float32]:
    activity = np.zeros(SHAPE, dtype=np.float32)
    activity[z, y, x] = 1.0
    return activity


def near_peak(view: NDArray[np.float64]) -> float:
    row, column = np.unravel_index(view.argmax(), view.shape)
    return float(view[row - 12 : row + 13, column - 12 : column + 13].sum())


def fwhm(profile: NDArray[np.float64]) -> float:
    half, peak = profile.max() / 2, int(profile.argmax())
    left = np.interp(half, profile[: peak + 1], np.arange(peak + 1))
    right = np.interp(-half, -profile[peak:], np.arange(peak, len(profile)))
    return float(right - left)


@pytest.mark.parametrize("y", [5, 20, 40, 55])
def test_a_point_fades_with_its_depth(y: int) -> None:
    in_air, in_water = (exposed(point(y=y), NARROW, density) for density in (0.0, 1.0))
    for view, depth in (("anterior", y + 0.5), ("posterior", SHAPE[1] - y - 0.5)):
        primary = near_peak(in_water[view]) / near_peak(in_air[view])
        # Septal penetration is a little share of the counts under the peak.
        assert primary == pytest.approx(np.exp(-WATER_PER_MM * STEP * depth), rel=0.06)


@pytest.mark.parametrize("collimator", ["LEHR", "ME"])
def test_a_point_is_as_wide_as_stated(collimator: CollimatorName) -> None:
    camera = replace(NARROW, collimator=collimator, pixel_mm=1.2, rows=256, columns=256)
    ratios = []
    for y in (3, 12, 20, 30, 40, 57):
        views = exposed(point(y=y), camera)
        for view, gap, depth in (("anterior", 20.0, y + 0.5), ("posterior", 35.0, SHAPE[1] - y - 0.5)):
            wanted = camera.fwhm_mm(gap + STEP * depth)
            row, column = np.unravel_index(views[view].argmax(), views[view].shape)
            ratios += [fwhm(views[view][row]) * 1.2 / wanted, fwhm(views[view][:, column]) * 1.2 / wanted]
    # Voxels of 3 mm and slabs of 10 mm under a kernel of 5 to 19 mm: each within a tenth, all together within 3 %.
    assert np.abs(np.array(ratios) - 1).max() < 0.1
    assert np.mean(ratios) == pytest.approx(1, abs=0.03)


def test_resolution_at_ten_centimetres_is_that_of_real_collimators() -> None:
    assert Camera(collimator="LEHR").fwhm_mm(100) == pytest.approx(7.5, abs=1)
    assert Camera(collimator="ME").fwhm_mm(100) == pytest.approx(11, abs=1)


@pytest.mark.parametrize("pixel", [1.8, 2.4, 3.3])
def test_no_count_is_lost_or_made_by_the_pixels(pixel: float) -> None:
    camera = replace(NARROW, pixel_mm=pixel, rows=512, columns=512, top_margin_mm=300, field_width_mm=1e4)
    wide = COLLIMATORS[camera.collimator].septal
    total = exposed(point(), camera)["anterior"].sum()
    assert total == pytest.approx(1 + wide, rel=1e-3)


def test_both_views_look_at_the_same_place() -> None:
    views = exposed(point(x=55, z=30), NARROW)
    front, back = (np.unravel_index(view.argmax(), view.shape) for view in views.values())
    assert front[0] == back[0]
    assert abs(front[1] + back[1] - (NARROW.columns - 1)) <= 1
    assert front[1] > NARROW.columns / 2, "the patient's left is on the right of the anterior view"
    assert front[1] == pytest.approx(NARROW.columns / 2 + (55 - 40) * STEP / 2.4, abs=1)
    assert front[0] == pytest.approx((40 + (80 - 30) * STEP) / 2.4, abs=1)


def test_turning_the_patient_over_swaps_the_views() -> None:
    rng = np.random.default_rng(0)
    activity = np.zeros(SHAPE, dtype=np.float32)
    activity[10:70, 10:50, 10:70] = rng.random((60, 40, 60))
    even = replace(NARROW, posterior_gap_mm=NARROW.anterior_gap_mm, scatter_share=0.1)
    straight, turned = exposed(activity, even, 1.0), exposed(activity[:, ::-1], even, 1.0)
    assert np.allclose(turned["anterior"][:, ::-1], straight["posterior"], rtol=1e-4, atol=1e-4)


def test_exposure_is_linear() -> None:
    one, two = exposed(point(x=30), NARROW, 0.5), exposed(point(z=50, y=10), NARROW, 0.5)
    both = exposed(2 * point(x=30) + point(z=50, y=10), NARROW, 0.5)
    for view in both:
        assert both[view] == pytest.approx(2 * one[view] + two[view], abs=1e-7)


def test_scatter_adds_counts_away_from_the_source() -> None:
    without, having = (exposed(point(), replace(NARROW, scatter_share=share), 1.0) for share in (0.0, 0.12))
    added = having["anterior"] - without["anterior"]
    assert added.min() > -1e-12
    lost = 1 - np.exp(-WATER_PER_MM * STEP * 30.5)
    assert added.sum() == pytest.approx(0.12 * lost, rel=0.1)
    assert added.max() < 0.01 * without["anterior"].max()


def test_low_energy_holes_let_more_through_their_septa() -> None:
    tails = {}
    for name in ("LEHR", "ME"):
        view = exposed(point(), replace(NARROW, collimator=name))["anterior"]
        tails[name] = 1 - near_peak(view) / view.sum()
    assert tails["LEHR"] > 3 * tails["ME"]


def test_nothing_is_counted_outside_the_field() -> None:
    camera = replace(NARROW, field_width_mm=150, scan_mm=120, top_margin_mm=0)
    view = exposed(np.ones(SHAPE, dtype=np.float32), camera)["anterior"]
    rows, columns = (np.flatnonzero(view.any(axis=axis)) for axis in (1, 0))
    assert rows[-1] == 49
    assert (columns[-1] - columns[0] + 1) * 2.4 == pytest.approx(150, abs=4.8)


def test_counts_are_poisson() -> None:
    expected = {"anterior": np.full((300, 300), 7.0), "posterior": np.full((300, 300), 0.3)}
    counts = detect(expected, np.random.default_rng(1))
    for view, mean in (("anterior", 7.0), ("posterior", 0.3)):
        assert counts[view].dtype == np.int32
        assert counts[view].mean() == pytest.approx(mean, rel=0.02)
        assert counts[view].var() == pytest.approx(mean, rel=0.03)


def test_contrast_to_noise_is_measured_as_defined() -> None:
    background, excess = np.full((128, 128), 20.0), np.full((128, 128), 5.0)
    predicted = contrast_to_noise(background, excess, 2.4)[64, 64]
    rng = np.random.default_rng(2)
    seen = gaussian_filter(rng.poisson(background, (200, 128, 128)).astype(float), (0, *[12 / 2.3548 / 2.4] * 2))
    assert predicted == pytest.approx(5.0 / seen[:, 20:-20:8, 20:-20:8].std(), rel=0.05)


@pytest.mark.parametrize("wrong", [{"pixel_mm": 0.0}, {"anterior_counts": -1.0}, {"collimator": "PINHOLE"}])
def test_an_impossible_camera_is_refused(wrong: dict[str, float | str]) -> None:
    with pytest.raises(InvalidValueError, match="build a Camera"):
        replace(NARROW, **wrong)  # type: ignore[arg-type]
