"""Implicit shapes, smooth noise and partial volume against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteoscope.domain.geometry import Grid
from osteoscope.simulate.ct_canvas import Bone, Canvas, share
from osteoscope.simulate.ct_implicit import (
    Place,
    Triple,
    capsule,
    chain,
    common,
    ellipsoid,
    polygon,
    shifted,
    union,
    without,
)
from osteoscope.simulate.ct_noise import SmoothNoise
from osteoscope.simulate.ct_truth import true_size


def points(*xyz: tuple[float, float, float]) -> Place:
    x, y, z = np.array(xyz, dtype=np.float32).T
    return Place(x, y, z)


coordinate = st.floats(-50, 50)
point = st.tuples(coordinate, coordinate, coordinate)


@given(point, point, point, st.floats(1, 20))
def test_capsule_is_the_distance_to_its_axis(at: Triple, start: Triple, end: Triple, radius: float) -> None:
    p, a, b = np.array(at), np.array(start), np.array(shifted(end, 0, 0, 120))
    along = np.clip((p - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
    expected = np.linalg.norm(p - a - along * (b - a)) - radius
    assert capsule(points(at), a, b, radius)[0] == pytest.approx(expected, abs=1e-2)


def test_polygon_is_signed() -> None:
    square = [(0, 0), (10, 0), (10, 10), (0, 10)]
    u, v = np.array([5, 5, 12, -3], np.float32), np.array([5, 9, 5, -4], np.float32)
    np.testing.assert_allclose(polygon(u, v, square), [-5, -1, 2, 5], atol=1e-4)


@given(st.floats(-30, 30), st.floats(-30, 30), st.floats(0.5, 10))
def test_union_and_intersection_stay_within_their_fillet(a: float, b: float, blend: float) -> None:
    left, right = np.array([a], np.float32), np.array([b], np.float32)
    assert min(a, b) - blend / 4 - 1e-3 <= union([left, right], blend)[0] <= min(a, b) + 1e-3
    assert max(a, b) - 1e-3 <= common([left, right], blend)[0] <= max(a, b) + blend / 4 + 1e-3
    assert without(left, right, blend)[0] >= max(a, -b) - 1e-3


def test_chain_passes_through_its_points() -> None:
    stops = [(0, 0, 0), (20, 5, 0), (30, -5, 12)]
    assert (chain(points(*stops), stops, (4, 5, 3)) < -2.9).all()


def test_places_turn_and_fold() -> None:
    place = points((3, 10, 0), (-3, 0, 10)).pitched(90)
    np.testing.assert_allclose([place.y, place.z], [[0, 10], [-10, 0]], atol=1e-5)
    assert (points((3, 0, 0), (-3, 0, 0)).folded().x == 3).all()


def test_noise_has_unit_variance_and_one_value_per_place() -> None:
    noise = SmoothNoise.over(np.random.default_rng(0), (0, 0, 0), (200, 200, 200), 8.0)
    axis = np.arange(0, 200, 3, dtype=np.float32)
    whole = noise.on((axis, axis, axis))
    assert abs(float(whole.mean())) < 0.1
    assert float(whole.std()) == pytest.approx(1, abs=0.1)
    np.testing.assert_allclose(noise.on((axis[5:9], axis, axis[2:4])), whole[5:9, :, 2:4], atol=1e-4)


@settings(max_examples=15)
@given(st.floats(12, 25), st.sampled_from([(1.0, 1.0, 1.0), (2.5, 1.5, 1.5), (5.0, 0.9, 0.9)]))
def test_shares_of_voxels_add_up_to_the_volume(radius: float, spacing: tuple[float, float, float]) -> None:
    shape = [int(64 / d) for d in spacing]
    canvas = Canvas.on(Grid.axial(shape, spacing, (-31, -33, -32)), np.random.default_rng(1), 0.0)
    box = canvas.box((-40, -40, -40), (40, 40, 40))
    assert box is not None
    distance, step = canvas.metric(ellipsoid(canvas.place(box), (0.3, 0.4, -0.2), (radius,) * 3))
    expected = 4 / 3 * np.pi * radius**3
    assert float(share(distance, step).sum()) * np.prod(spacing) == pytest.approx(expected, rel=0.04)


def test_thin_cortex_keeps_its_mass_and_bones_keep_their_distance() -> None:
    """A shell thinner than a voxel holds thickness x area of dense bone; a second bone stays off the first."""
    canvas = Canvas.on(Grid.axial((40, 60, 60), (2.0, 1.2, 1.2), (-36, -36, -40)), np.random.default_rng(2), 0.0)
    canvas.hu[:] = 0
    canvas.texture[:] = 0

    def ball(at: float) -> Bone:
        return Bone(
            "sacrum", (-36, -36, -40), (36, 36, 40), lambda p: ellipsoid(p, (at, 0, 0), (18, 18, 18)), 0.6, 0.0, gap=4.0
        )

    first = canvas.add(ball(-10))
    mass = float(canvas.hu.sum()) * 2.0 * 1.2 * 1.2
    shell = 4 / 3 * np.pi * (18**3 - 17.4**3) * 1100
    second = canvas.add(ball(12))
    assert first is not None
    assert second is not None
    assert mass == pytest.approx(shell, rel=0.06)
    assert (np.maximum(first.distance, second.distance).min()) > 1.0


def test_true_size_of_an_ellipsoid() -> None:
    z, y, x = np.ogrid[-20:20:2.5, -24:24:1.5, -24:24:1.5]
    reach = np.sqrt((x / 14) ** 2 + (y / 9) ** 2 + (z / 12) ** 2)
    volume, long_axis, short_axis = true_size(((reach - 1) * 9).astype(np.float32), (2.5, 1.5, 1.5))
    assert volume == pytest.approx(4 / 3 * np.pi * 14 * 9 * 12 / 1000, rel=0.04)
    assert long_axis == pytest.approx(28, abs=0.8)
    assert short_axis == pytest.approx(18, abs=0.8)
