"""Loads at which bodies give, against limit analysis (reference ladder, section 6.1)."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from osteoscope.errors import InvalidValueError, NotConvergedError
from osteoscope.fe import modes
from osteoscope.fe.flow_kernels import SIGNS, flow, weaken
from osteoscope.fe.model import Supports, VoxelModel, nodes_of
from osteoscope.fe.plastic import PushOptions, push
from osteoscope.fe.solve import solve
from osteoscope.fe.voxels import Voxels

E, NU, S = 17000.0, 0.3, 100.0
EXACT = PushOptions(tolerance=1e-7, exactness=1e-3, flat=1e-7, patience=200)


def bone(shape: tuple[int, int, int], size: float = 1.0, mask: NDArray[np.bool_] | None = None) -> VoxelModel:
    modulus = np.full(shape, E, np.float32)
    if mask is not None:
        modulus[~mask] = 0
    return VoxelModel(modulus, NU, (size,) * 3, np.full(shape, S, np.float32))


def plane(model: VoxelModel, axis: int, end: int) -> NDArray[np.bool_]:
    chosen = np.zeros(model.lattice, bool)
    np.moveaxis(chosen, axis, 0)[end] = True
    return chosen & model.nodes


def smooth(model: VoxelModel, *walls: tuple[int, int]) -> Supports:
    """Planes that hold along their normal: (axis, end)."""
    parts = [Supports.at(plane(model, axis, end), _along(axis, 0.0)) for axis, end in walls]
    return sum(parts[1:], parts[0])


def _along(axis: int, value: float) -> tuple[float | None, float | None, float | None]:
    z, y, x = (value if a == axis else None for a in range(3))
    return z, y, x


def squeezed(model: VoxelModel, by: float) -> Supports:
    return smooth(model, (0, 0), (1, 0), (2, 0)) + Supports.at(plane(model, 0, -1), (by, None, None))


def test_a_bar_carries_its_yield_stress_times_its_area() -> None:
    model = bone((6, 3, 3))
    curve = push(model, squeezed(model, -0.1), EXACT)
    assert curve.failure_load == pytest.approx(S * 9, rel=1e-6)
    assert curve.peaked
    assert curve.failed.all()
    assert curve.stiffness == pytest.approx(E * 9 / 6, rel=1e-4)
    past_yield = curve.displacement[-1] / 6 - S / E
    assert curve.plastic_strain == pytest.approx(np.full((6, 3, 3), past_yield), rel=1e-3)


def test_the_strength_of_a_bar_is_that_of_its_weakest_slice() -> None:
    model = bone((18, 3, 3))
    assert model.yield_stress is not None
    model.yield_stress[5:13] = 40
    curve = push(model, squeezed(model, -0.1))
    assert curve.failure_load == pytest.approx(40 * 9, rel=0.03)  # its ends are confined by the strong slices
    assert curve.failed[7:11].all()
    assert not curve.failed[[0, 1, 2, 3, 14, 15, 16, 17]].any()


def test_a_block_in_plane_strain_is_stronger_by_two_over_the_root_of_three() -> None:
    model = bone((4, 4, 4))
    curve = push(model, squeezed(model, -0.3) + smooth(model, (1, -1)), PushOptions(steps=30, tolerance=5e-4))
    assert curve.failure_load == pytest.approx(2 / np.sqrt(3) * S * 16, rel=2e-3)


def test_a_beam_reaches_its_plastic_moment() -> None:
    """Bent by turning its end: S b h^2 / 4, a half more than at first yield; bricks that lock would carry more."""
    model = bone((8, 6, 2))
    end = np.argwhere(plane(model, 0, -1))
    turn = Supports(end, np.zeros(len(end), int), np.asarray(end[:, 1] - 3, float) * 0.15)
    held = smooth(model, (0, 0), (2, 0)) + Supports(np.asarray([[0, 3, 0]]), np.asarray([1]), np.asarray([0.0]))
    curve = push(model, held + turn, PushOptions(steps=40))
    moment = curve.last.reactions @ curve.last.supports.value / 0.15
    assert curve.force[-1] * 3 == pytest.approx(moment, rel=1e-9)
    assert moment == pytest.approx(S * 2 * 36 / 4, rel=0.01)


def swollen(model: VoxelModel, hole: NDArray[np.bool_], by: float, axes: tuple[int, ...]) -> tuple[Supports, float]:
    """The wall of a hole pushed away from the origin, a corner: supports, and the volume per mm that they sweep."""
    place = np.moveaxis(np.indices(model.lattice), 0, -1) * model.spacing[0]
    place[..., [a for a in range(3) if a not in axes]] = 0
    wall = model.nodes & nodes_of(hole)
    outward = place / np.maximum(np.linalg.norm(place, axis=-1, keepdims=True), 1e-9)
    nodes = np.argwhere(wall)
    parts = [Supports(nodes, np.full(len(nodes), axis), outward[wall][:, axis] * by) for axis in axes]
    swept = 0.0
    for axis in axes:
        ahead = np.roll(hole, 1, axis) & ~hole & (np.indices(hole.shape)[axis] > 0)
        for place_of in np.argwhere(ahead):
            face = [slice(n, n + 1) if a == axis else slice(n, n + 2) for a, n in enumerate(place_of)]
            swept += float(outward[tuple(face)][..., axis].mean()) * model.spacing[0] ** 2
    return sum(parts[1:], parts[0]), swept


def test_a_thick_cylinder_collapses_at_its_limit_pressure() -> None:
    """Radii 10 and 20 mm, plane strain: p = 2 / sqrt(3) S ln 2 = 80.04 MPa."""
    n = 40
    middle = (np.arange(2 * n) + 0.5) * 10 / n
    radius = np.broadcast_to(np.hypot(middle[:, None], middle), (1, 2 * n, 2 * n))
    model = bone(radius.shape, 10 / n, (radius > 10) & (radius < 20))
    wall, swept = swollen(model, radius < 10, 0.2, (1, 2))
    sides = smooth(model, (0, 0), (0, -1)) + _besides(smooth(model, (1, 0), (2, 0)), wall)
    curve = push(model, wall + sides, PushOptions(steps=8))
    assert curve.failure_load / swept == pytest.approx(80.04, rel=0.03)


def test_a_thick_sphere_collapses_at_its_limit_pressure() -> None:
    """Radii 10 and 20 mm: p = 2 S ln 2 = 138.63 MPa."""
    n = 20
    middle = (np.arange(2 * n) + 0.5) * 10 / n
    radius = np.linalg.norm(np.stack(np.meshgrid(middle, middle, middle)), axis=0)
    model = bone(radius.shape, 10 / n, (radius > 10) & (radius < 20))
    wall, swept = swollen(model, radius < 10, 0.3, (0, 1, 2))
    curve = push(model, wall + _besides(smooth(model, (0, 0), (1, 0), (2, 0)), wall), PushOptions(steps=8))
    assert curve.failure_load / swept == pytest.approx(138.63, rel=0.03)


def _besides(supports: Supports, others: Supports) -> Supports:
    taken = {(*map(int, node), int(axis)) for node, axis in zip(others.nodes, others.axis, strict=True)}
    places = zip(supports.nodes, supports.axis, strict=True)
    kept = np.asarray([(*map(int, node), int(axis)) not in taken for node, axis in places])
    return Supports(supports.nodes[kept], supports.axis[kept], supports.value[kept])


def test_the_tangent_is_the_derivative_of_the_forces_of_elements_that_flow_partly_or_wholly() -> None:
    rng = np.random.default_rng(3)
    model = bone((3, 3, 3))
    law = (modes.coefficients(model.spacing, NU, model.element), np.asarray(model.spacing), NU, SIGNS)
    voxels = Voxels.of(model)
    before, after, normal = np.zeros((3, 3, 3, 3, 6), np.float32)
    limit, soft, theta = np.ones((3, 3, 3, 3), np.float32)
    state = (limit, soft, theta, normal)

    def forces(moved: NDArray[np.float64], *, renew: bool = False) -> NDArray[np.float64]:
        out = np.zeros_like(moved)
        flow((model.modulus, model.yield_stress, voxels.spans, before), law, moved, after, out, state, renew)
        return out

    moved, way = rng.normal(0, 1.2e-2, (2, 3, 4, 4, 4))
    forces(moved, renew=True)
    # Some flow on from where they are, in some only a part of the depth does.
    before[:] = after * rng.choice([0.5, 1.1], (3, 3, 3, 1))
    expected = (forces(moved + 1e-4 * way) - forces(moved - 1e-4 * way)) / 2e-4
    forces(moved)
    assert np.count_nonzero(theta < 1) > 3
    assert np.count_nonzero((soft < 1) & (theta == 1)) > 3
    found = np.zeros_like(moved)
    voxels.apply(way, found)
    weaken(np.argwhere((theta < 1) | (soft < 1)), model.modulus, law, state, way, found)
    assert found == pytest.approx(expected, rel=0.01, abs=1e-3 * np.abs(expected).max())


def test_a_step_that_is_too_long_is_halved() -> None:
    model = bone((8, 6, 2))
    end = np.argwhere(plane(model, 0, -1))
    turn = Supports(end, np.zeros(len(end), int), np.asarray(end[:, 1] - 3, float) * 0.05)
    held = smooth(model, (0, 0), (2, 0)) + Supports(np.asarray([[0, 3, 0]]), np.asarray([1]), np.asarray([0.0]))
    long, halved = (push(model, held + turn, PushOptions(steps=2, corrections=n)) for n in (60, 5))
    assert len(long.force) == 4
    assert len(halved.force) > 4
    assert halved.failure_load == pytest.approx(long.failure_load, rel=0.02)


def test_a_push_within_the_elastic_range_is_a_line() -> None:
    model = bone((6, 3, 3))
    curve = push(model, squeezed(model, -0.01))
    assert curve.force == pytest.approx(curve.displacement * E * 9 / 6, rel=1e-4)
    assert not curve.peaked
    assert not curve.failed.any()
    assert curve.failure_load == pytest.approx(solve(model, squeezed(model, -0.01)).force, rel=1e-4)


def test_a_model_that_never_yields_and_a_push_that_moves_nothing_are_refused() -> None:
    elastic = VoxelModel(np.full((3, 3, 3), E, np.float32), NU, (1.0, 1.0, 1.0))
    with pytest.raises(InvalidValueError, match="no yield stress"):
        push(elastic, squeezed(elastic, -0.1))
    with pytest.raises(InvalidValueError, match="displace nothing"):
        push(bone((3, 3, 3)), squeezed(elastic, 0))


def test_a_step_without_balance_is_an_error_that_says_where() -> None:
    model = bone((6, 3, 3))
    held = Supports.at(plane(model, 0, 0), (0, 0, 0)) + Supports.at(plane(model, 0, -1), (-0.1, 0, 0))
    with pytest.raises(NotConvergedError, match=r"after 1 corrections of the material .* at node"):
        push(model, held, PushOptions(corrections=1, tolerance=1e-9))
