"""Bricks of any shape: patch test, rigid motions, and bodies whose answer is known (reference ladder, section 6.1)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from bricks import NU, Array, E, Ints, block, displaced, flat, pressed, strains
from hypothesis import given
from hypothesis import strategies as st

from osteoscope.errors import InvalidValueError
from osteoscope.fe.element import CORNERS, elasticity, stiffness
from osteoscope.fe.model import Element
from osteoscope.fe.modes import CLASSES, PATTERNS, coefficients

ELEMENTS: tuple[Element, ...] = ("incompatible", "plain")


@pytest.mark.parametrize("element", ELEMENTS)
@given(seed=st.integers(0, 2**31))
def test_a_distorted_patch_keeps_a_constant_strain(element: Element, seed: int) -> None:
    draw = np.random.default_rng(seed)
    points, bricks = block((2, 2, 2), lambda p: p * [1, 2, 1.5] + draw.uniform(-0.12, 0.12, p.shape))
    slope = draw.uniform(-1e-3, 1e-3, (3, 3))
    wanted = points @ slope.T
    outside = np.setdiff1d(np.arange(27), [13])
    held = {3 * int(n) + a: float(wanted[n, a]) for n in outside for a in range(3)}
    u = displaced(points, bricks, held, np.zeros_like(points), element)
    assert u == pytest.approx(wanted, rel=1e-10, abs=1e-10 * np.abs(wanted).max())
    even = (slope + slope.T) / 2
    strain = [even[0, 0], even[1, 1], even[2, 2], 2 * even[1, 2], 2 * even[0, 2], 2 * even[0, 1]]
    assert strains(points, bricks, u) == pytest.approx(np.tile(strain, (8, 1)), rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("element", ELEMENTS)
@given(seed=st.integers(0, 2**31))
def test_a_distorted_brick_has_six_rigid_motions(element: Element, seed: int) -> None:
    corners = CORNERS + np.random.default_rng(seed).uniform(-0.25, 0.25, (8, 3))
    values = np.abs(np.linalg.eigvalsh(stiffness(corners, 1, NU, element)))
    assert (np.sort(values) / values.max() < 1e-8).tolist() == [True] * 6 + [False] * 18


def test_a_brick_inside_out_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="inside out"):
        stiffness(CORNERS * [-1, 1, 1], 1, NU)


@pytest.mark.parametrize("element", ELEMENTS)
def test_the_symmetry_classes_hold_the_whole_voxel(element: Element) -> None:
    spacing = (1.0, 1.3, 0.7)
    numbers = list(coefficients(spacing, NU, element))
    whole = np.zeros((24, 24))
    for group in CLASSES:
        places = [3 * pattern + axis for pattern, axis in group]
        for i, place in enumerate(places):
            for other in places[i:]:
                whole[place, other] = whole[other, place] = numbers.pop(0)
    patterns = np.kron(PATTERNS, np.eye(3))
    brick = stiffness(CORNERS * np.asarray(spacing) / 2, 1, NU, element)
    assert patterns @ whole @ patterns.T == pytest.approx(brick, abs=1e-14)


def tube(n: tuple[int, int, int], height: float = 1.0) -> tuple[Array, Ints]:
    """A quarter of a cylinder, radii 10 and 20 mm: points (z, y, x), parameters (height, angle, radius)."""

    def place(p: Array) -> Array:
        angle, radius = p[:, 1] * np.pi / 2, 10 * 2 ** p[:, 2]
        return np.stack([p[:, 0] * height, radius * np.sin(angle), radius * np.cos(angle)], 1)

    return block(n, place)


def test_a_thick_cylinder_under_pressure_in_plane_strain() -> None:
    points, bricks = tube((1, 12, 12))
    sides = [*((n, 0) for n in flat(points, 0)), *((n, 0) for n in flat(points, 0, 1.0))]
    sides += [*((n, 1) for n in flat(points, 1)), *((n, 2) for n in flat(points, 2))]
    radius = np.linalg.norm(points[:, 1:], axis=1)
    push = pressed(points, bricks, np.flatnonzero(radius < 10.001), 10.0)
    u = displaced(points, bricks, {3 * int(n) + a: 0.0 for n, a in sides}, push)
    outward = np.linalg.norm(u[:, 1:], axis=1)
    assert outward[radius < 10.001] == pytest.approx(0.0112157, rel=0.01)
    assert outward[radius > 19.999] == pytest.approx(0.0071373, rel=0.01)
    stress = strains(points, bricks, u) @ elasticity(E, NU)
    r = np.linalg.norm(points[bricks].mean(1)[:, 1:], axis=1)
    assert stress[:, 1] + stress[:, 2] == pytest.approx(6.6667, rel=0.02)  # hoop and radial: 2 p Ri^2 / (Ro^2 - Ri^2)
    assert np.ptp(r) > 8


def octant(radial: int, around: int, radius: Callable[[Array], Array]) -> tuple[Array, Ints]:
    """An eighth of a hollow sphere: three blocks that meet on the diagonal; radius maps 0..1 to mm."""
    parts = []
    for turn in range(3):

        def place(p: Array, turn: int = turn) -> Array:
            way = np.stack([np.ones(len(p)), np.tan(p[:, 0] * np.pi / 4), np.tan(p[:, 1] * np.pi / 4)], 1)
            way /= np.linalg.norm(way, axis=1, keepdims=True)
            return np.roll(way, turn, 1) * radius(p[:, 2])[:, None]

        parts.append(block((around, around, radial), place))
    points = np.concatenate([part for part, _ in parts])
    bricks = np.concatenate([nodes + i * len(parts[0][0]) for i, (_, nodes) in enumerate(parts)])
    _, first, same = np.unique(points.round(7), axis=0, return_index=True, return_inverse=True)
    return points[first], same.ravel()[bricks]


def mirrors(points: Array) -> dict[int, float]:
    return {3 * int(n) + axis: 0.0 for axis in range(3) for n in flat(points, axis)}


def test_a_thick_sphere_under_pressure() -> None:
    points, bricks = octant(10, 5, lambda t: 10 * 2**t)
    inner = np.flatnonzero(np.linalg.norm(points, axis=1) < 10.001)
    u = displaced(points, bricks, mirrors(points), pressed(points, bricks, inner, 10.0))
    assert np.linalg.norm(u[inner], axis=1) == pytest.approx(0.00470588, rel=0.03)


def test_a_spherical_cavity_doubles_the_stress() -> None:
    """Goodier 1933: (27 - 15 nu) / (2 (7 - 5 nu)) = 2.0455 times the tension, on the equator of a hole."""
    points, bricks = octant(16, 5, lambda t: 1 + 11 * t**2.5)
    far = np.flatnonzero(np.linalg.norm(points, axis=1) > 11.999)
    wanted = points * np.asarray([1, -NU, -NU]) / E
    held = {3 * int(n) + a: float(wanted[n, a]) for n in far for a in range(3)} | mirrors(points)
    u = displaced(points, bricks, held, np.zeros_like(points))
    middle = points[bricks].mean(1)
    stress = (strains(points, bricks, u) @ elasticity(E, NU))[:, 0]
    r = np.linalg.norm(middle, axis=1)
    inner = np.flatnonzero((r < 1.2) & (np.abs(middle[:, 0]) < 0.15 * r))
    at_wall = np.polynomial.polynomial.polyfit(r[inner] - 1, stress[inner], 2)[0]
    assert at_wall == pytest.approx(2.0455, rel=0.05)


@pytest.mark.parametrize(("element", "least"), [("incompatible", 1.9), ("plain", 1.9)])
def test_displacements_converge_with_the_square_of_the_size(element: Element, least: float) -> None:
    errors = []
    for n in (3, 6, 12):
        points, bricks = tube((1, n, n))
        sides = [(int(p), 0) for h in (0.0, 1.0) for p in flat(points, 0, h)]
        sides += [(int(p), a) for a in (1, 2) for p in flat(points, a)]
        inner = np.flatnonzero(np.linalg.norm(points[:, 1:], axis=1) < 10.001)
        push = pressed(points, bricks, inner, 10.0)
        u = displaced(points, bricks, {3 * p + a: 0.0 for p, a in sides}, push, element)
        errors.append(abs(float(np.linalg.norm(u[inner, 1:], axis=1).mean()) / 0.01121569 - 1))
    assert min(np.log2(a / b) for a, b in pairwise(errors)) > least
