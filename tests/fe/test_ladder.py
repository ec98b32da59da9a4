"""Published problems with known answers on bricks of any shape: the reference ladder, sections 6.1 and 6.2."""

from __future__ import annotations

import numpy as np
import pytest
from bricks import NU, Array, E, Ints, block, displaced, flat, pressed, strains

from osteoscope.fe.element import elasticity, stiffness

STEEL = (210e3, 0.3)


def sides(points: Array, *which: tuple[int, float]) -> dict[int, float]:
    """Nodes at a coordinate held along that axis."""
    return {3 * int(n) + axis: 0.0 for axis, where in which for n in flat(points, axis, where)}


def extrapolated(places: Array, values: Array, to: Array, degree: int) -> float:
    """A polynomial through values at places [n, k], all products up to a degree, read off at a place [k]."""
    powers = [p for p in np.ndindex((degree + 1,) * places.shape[1]) if sum(p) <= degree]

    def terms(at: Array) -> Array:
        return np.stack([np.prod((at - to) ** p, axis=-1) for p in powers], axis=-1)

    return float(terms(to) @ np.linalg.lstsq(terms(places), values, rcond=None)[0])


def kirsch(points: Array) -> Array:
    """Displacement (z, y, x) in plane strain of a plate under 1 MPa along x around a hole of radius 1 mm."""
    r, angle = np.hypot(points[:, 1], points[:, 2]), np.arctan2(points[:, 1], points[:, 2])
    kappa, shear = 3 - 4 * NU, E / (2 * (1 + NU))
    x = r * (kappa + 1) * np.cos(angle) + 2 / r * ((1 + kappa) * np.cos(angle) + np.cos(3 * angle))
    y = r * (kappa - 3) * np.sin(angle) + 2 / r * ((1 - kappa) * np.sin(angle) + np.sin(3 * angle))
    x, y = x - 2 / r**3 * np.cos(3 * angle), y - 2 / r**3 * np.sin(3 * angle)
    return np.stack([np.zeros_like(x), y, x], axis=1) / (8 * shear)


def test_a_hole_in_a_plate_triples_the_stress() -> None:
    """Kirsch 1898; bricks with incompatible modes, 20 from the hole to 6 radii."""

    def place(p: Array) -> Array:
        angle, r = p[:, 1] * np.pi / 2, 6 ** p[:, 2]
        return np.stack([p[:, 0] * 0.1, r * np.sin(angle), r * np.cos(angle)], axis=1)

    points, bricks = block((1, 20, 20), place)
    wanted = kirsch(points)
    r = np.hypot(points[:, 1], points[:, 2])
    held = {3 * int(n) + a: float(wanted[n, a]) for n in np.flatnonzero(r > 5.999) for a in (1, 2)}
    held |= sides(points, (0, 0.0), (0, 0.1), (1, 0.0), (2, 0.0))
    u = displaced(points, bricks, held, np.zeros_like(points))
    assert u == pytest.approx(wanted, abs=0.01 * np.abs(wanted[r < 1.001]).max())
    stress = strains(points, bricks, u) @ elasticity(E, NU)
    middle = points[bricks].mean(axis=1)
    top = (np.hypot(middle[:, 1], middle[:, 2]) < 1.7) & (np.arctan2(middle[:, 1], middle[:, 2]) > np.pi * 0.35)
    assert extrapolated(middle[top, 1:], stress[top, 2], np.array([1.0, 0.0]), 3) == pytest.approx(3, rel=0.05)


def plan(n: tuple[int, int, int], thickness: float) -> tuple[Array, Ints]:
    """A quarter of the NAFEMS plate between ellipses of 2 x 1 and 3.25 x 2.75 m, in mm: z, y, x."""

    def place(p: Array) -> Array:
        angle = p[:, 1] * np.pi / 2
        inner = np.stack([np.sin(angle), 2 * np.cos(angle)], axis=1)
        outer = np.stack([2.75 * np.sin(angle), 3.25 * np.cos(angle)], axis=1)
        share = p[:, 2:] ** 1.5
        return 1000 * np.column_stack([p[:, 0] * thickness, inner + share * (outer - inner)])

    return block(n, place)


def test_an_elliptic_membrane() -> None:
    """NAFEMS LE1: 10 MPa outwards on the outer rim; stress along y at the end of the inner ellipse."""
    points, bricks = plan((1, 24, 24), 0.1)
    rim = np.flatnonzero(np.hypot(points[:, 1] / 2750, points[:, 2] / 3250) > 0.9999)
    # ``pressed`` pushes on first faces along the last axis: seen from outside, the bricks turn round.
    turned = bricks[:, [1, 0, 3, 2, 5, 4, 7, 6]]
    forces = pressed(points, turned, rim, -10.0)
    held = sides(points, (0, 0.0), (1, 0.0), (2, 0.0))
    stress = strains(points, bricks, displaced(points, bricks, held, forces, material=STEEL)) @ elasticity(*STEEL)
    middle = points[bricks].mean(axis=1)[:, 1:]
    near = (middle[:, 1] < 2400) & (middle[:, 1] > 1500) & (middle[:, 0] < 450)
    assert extrapolated(middle[near], stress[near, 1], np.array([0.0, 2000.0]), 3) == pytest.approx(92.7, rel=0.03)


def test_a_thick_elliptic_plate() -> None:
    """NAFEMS LE10: 1 MPa on top, the rim held sideways and its middle held up; stress along y on top."""
    points, bricks = plan((6, 14, 12), 0.6)
    forces = np.zeros_like(points)
    for brick in bricks[np.abs(points[bricks[:, 4], 0] - 600) < 1e-6]:
        face = brick[4:]
        a, b, c, d = points[face]
        forces[face, 0] -= np.linalg.norm(np.cross(d - a, c - b)) / 2 / 4
    rim = np.flatnonzero(np.hypot(points[:, 1] / 2750, points[:, 2] / 3250) > 0.9999)
    held = sides(points, (1, 0.0), (2, 0.0)) | {3 * int(n) + a: 0.0 for n in rim for a in (1, 2)}
    held |= {3 * int(n): 0.0 for n in rim if abs(points[n, 0] - 300) < 1e-6}
    stress = strains(points, bricks, displaced(points, bricks, held, forces, material=STEEL)) @ elasticity(*STEEL)
    middle = points[bricks].mean(axis=1)
    near = (middle[:, 2] < 2450) & (middle[:, 2] > 1500) & (middle[:, 1] < 500)
    found = extrapolated(middle[near], stress[near, 1], np.array([600.0, 0.0, 2000.0]), 3)
    assert found == pytest.approx(-5.38, rel=0.05)


def test_a_warmed_cylinder_taper_and_sphere() -> None:
    """NAFEMS LE11, a quarter, in m: a temperature of r + z, both ends held along z; axial stress at the inner foot.

    A brick wants to widen by its mean temperature: the forces of that are those which would widen it without warmth.
    """
    sphere = np.deg2rad([0, 5.625, 11.25, 16.875])
    e, d = np.sqrt(0.5), np.deg2rad(30)
    inner = [(np.cos(a), np.sin(a)) for a in (*sphere, np.deg2rad(22.5))] + [(e, e), (e, (e + 1.79) / 2), (e, 1.79)]
    outer = [(1.4 * np.cos(a), 1.4 * np.sin(a)) for a in (*sphere, d)] + [(1.1062, 1.045), (1.0, 1.39), (1.0, 1.79)]

    def place(p: Array) -> Array:
        station, angle = 7 * p[:, 0], np.pi / 2 * p[:, 1]
        walls = [np.stack([np.interp(station, range(8), c) for c in np.transpose(wall)], 1) for wall in (inner, outer)]
        r, z = (walls[0] + p[:, 2:] * (walls[1] - walls[0])).T
        return np.stack([z, r * np.sin(angle), r * np.cos(angle)], axis=1)

    points, bricks = block((28, 12, 8), place)
    middle = points[bricks].mean(axis=1)
    wish = 2.3e-4 * (np.hypot(middle[:, 1], middle[:, 2]) + middle[:, 0])
    forces = np.zeros_like(points)
    for brick, strain in zip(bricks, wish, strict=True):
        forces[brick] += (stiffness(points[brick], *STEEL) @ (strain * points[brick]).ravel()).reshape(8, 3)
    held = sides(points, (0, 0.0), (0, 1.79), (1, 0.0), (2, 0.0))
    strain = strains(points, bricks, displaced(points, bricks, held, forces, material=STEEL))
    stress = (strain - wish[:, None] * (1, 1, 1, 0, 0, 0)) @ elasticity(*STEEL)
    near = (middle[:, 0] < 0.2) & (middle[:, 1] < 0.4)
    places = np.stack([middle[near, 0], np.hypot(middle[near, 1], middle[near, 2])], axis=1)
    assert extrapolated(places, stress[near, 0], np.array([0.0, 1.0]), 3) == pytest.approx(-105, rel=0.02)


@pytest.mark.parametrize(("axis", "wanted"), [(1, 5.424e-3), (0, 1.754e-3)])
def test_a_twisted_beam(axis: int, wanted: float) -> None:
    """MacNeal and Harder 1985: 12 long, 1.1 by 0.32, turned by 90 degrees; 1 at the tip, along its width and across."""

    def place(p: Array) -> Array:
        turn, wide, thin = p[:, 2] * np.pi / 2, 1.1 * (p[:, 0] - 0.5), 0.32 * (p[:, 1] - 0.5)
        z, y = wide * np.cos(turn) - thin * np.sin(turn), wide * np.sin(turn) + thin * np.cos(turn)
        return np.stack([z, y, 12 * p[:, 2]], axis=1)

    points, bricks = block((2, 2, 24), place)
    tip = flat(points, 2, 12.0)
    weight = np.array([1, 2, 1, 2, 4, 2, 1, 2, 1]) / 16
    forces = np.zeros_like(points)
    forces[tip, axis] = weight
    held = {3 * int(n) + a: 0.0 for n in flat(points, 2) for a in range(3)}
    u = displaced(points, bricks, held, forces, material=(29e6, 0.22))
    assert float(forces[tip, axis] @ u[tip, axis]) == pytest.approx(wanted, rel=0.02)


def test_cooks_membrane() -> None:
    """A tapered panel sheared at its end, plane stress: 23.97 (Cook 1974)."""

    def place(p: Array) -> Array:
        x = 48 * p[:, 2]
        low, high = 44 * p[:, 2], 44 + 16 * p[:, 2]
        return np.stack([p[:, 0], low + p[:, 1] * (high - low), x], axis=1)

    points, bricks = block((1, 16, 16), place)
    end = flat(points, 2, 48.0)
    inner = np.where(np.abs(points[end, 1] - 52) < 7.99, 2.0, 1.0)
    forces = np.zeros_like(points)
    forces[end, 1] = inner / inner.sum()
    held = sides(points, (0, 0.0), (2, 0.0)) | {3 * int(n) + 1: 0.0 for n in flat(points, 2)}
    u = displaced(points, bricks, held, forces, material=(1.0, 1 / 3))
    tip = np.flatnonzero((np.abs(points[:, 2] - 48) < 1e-9) & (np.abs(points[:, 1] - 52) < 1e-9))
    assert u[tip, 1].mean() == pytest.approx(23.97, rel=0.01)


def test_a_shaft_under_the_load_of_an_offset_head() -> None:
    """A tube of 28 and 14 mm: 1000 N at 40 mm from its axis; -21.963 and +17.632 MPa at its outer fibres."""

    def place(p: Array) -> Array:
        angle, r = 2 * np.pi * p[:, 1], 7 + 7 * p[:, 2]
        return np.stack([100 * p[:, 0], r * np.sin(angle), r * np.cos(angle)], axis=1)

    points, bricks = block((10, 24, 4), place)
    _, first, same = np.unique(points.round(7), axis=0, return_index=True, return_inverse=True)
    points, bricks = points[first], same.ravel()[bricks]
    area, inertia = 461.81, 28286.1
    forces = np.zeros_like(points)
    for brick in bricks[points[bricks[:, 4], 0] > 99.9]:
        face = brick[4:]
        a, b, c, d = points[face]
        own = np.linalg.norm(np.cross(d - a, c - b)) / 2
        forces[face, 0] += own / 4 * (-1000 / area - 1000 * 40 * points[face, 2].mean() / inertia)
    held = {3 * int(n) + a: 0.0 for n in flat(points, 0) for a in range(3)}
    stress = (strains(points, bricks, displaced(points, bricks, held, forces)) @ elasticity(E, NU))[:, 0]
    middle = points[bricks].mean(axis=1)
    half = np.abs(middle[:, 0] - 50) < 10
    slope, mean = np.polyfit(middle[half, 2], stress[half], 1)
    assert mean + 14 * slope == pytest.approx(-21.963, rel=0.05)
    assert mean - 14 * slope == pytest.approx(17.632, rel=0.05)
