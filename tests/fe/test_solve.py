"""The voxel solver against closed forms, a dense solution, and bad models."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from osteoscope.errors import InvalidValueError, NotConvergedError
from osteoscope.fe.element import CORNERS, stiffness
from osteoscope.fe.model import Element, Loads, Supports, VoxelModel
from osteoscope.fe.solution import Solution
from osteoscope.fe.solve import SolveOptions, solve

E, NU = 17000.0, 0.3
Array = NDArray[np.float64]


def plane(model: VoxelModel, axis: int, end: int) -> NDArray[np.bool_]:
    """Nodes of elements on the first (0) or last (-1) plane of the lattice."""
    chosen = np.zeros(model.lattice, bool)
    np.moveaxis(chosen, axis, 0)[end] = True
    return chosen & model.nodes


def squeezed(model: VoxelModel, by: float) -> Supports:
    return Supports.at(plane(model, 0, 0), (0, 0, 0)) + Supports.at(plane(model, 0, -1), (by, 0, 0))


def sliding(model: VoxelModel, by: float) -> Supports:
    """Between smooth plates, with three planes of symmetry."""
    held = Supports.at(plane(model, 0, 0), (0, None, None)) + Supports.at(plane(model, 0, -1), (by, None, None))
    return held + Supports.at(plane(model, 1, 0), (None, 0, None)) + Supports.at(plane(model, 2, 0), (None, None, 0))


def dense(model: VoxelModel, supports: Supports) -> Array:
    """The same equilibrium by assembling everything."""
    corners = np.asarray(list(np.ndindex(2, 2, 2)))
    brick = stiffness(CORNERS * model.spacing / 2, 1, model.poisson, model.element)
    number = np.arange(3 * np.prod(model.lattice)).reshape(*model.lattice, 3)
    whole = np.zeros((number.size, number.size))
    for place in np.argwhere(model.modulus > 0):
        rows = number[tuple((place + corners).T)].ravel()
        whole[np.ix_(rows, rows)] += float(model.modulus[tuple(place)]) * brick
    u = np.zeros(number.size)
    held = number[supports.places]
    u[held] = supports.value
    free = np.setdiff1d(np.flatnonzero(np.diag(whole)), held)
    u[free] = np.linalg.solve(whole[np.ix_(free, free)], -(whole @ u)[free])
    return u.reshape(number.shape)


@settings(max_examples=8)
@given(seed=st.integers(0, 2**31), element=st.sampled_from(["incompatible", "plain"]))
def test_a_ragged_bone_of_any_contrast_as_the_dense_solution(seed: int, element: Element) -> None:
    draw = np.random.default_rng(seed)
    modulus = 10 ** draw.uniform(0, 4, (5, 4, 4)) * (draw.random((5, 4, 4)) < 0.8)
    modulus[[0, -1]] = 2500
    model = VoxelModel(modulus.astype(np.float32), NU, (1.0, 0.8, 1.4), element=element)
    solution = solve(model, squeezed(model, -0.1))
    wanted = dense(solution.model, solution.supports)
    assert solution.displacement == pytest.approx(wanted, abs=1e-5 * np.abs(wanted).max())


def test_a_bar_between_smooth_plates_has_its_modulus() -> None:
    model = VoxelModel(np.full((4, 3, 3), E), NU, (1.0, 2.0, 1.5))
    solution = solve(model, sliding(model, -0.01))
    assert solution.force == pytest.approx(E * 6 * 4.5 / 4 * 0.01, rel=1e-6)


def test_a_confined_bar_has_the_oedometric_modulus() -> None:
    model = VoxelModel(np.full((4, 3, 3), E), NU, (1.0, 1.0, 1.0))
    walls = [Supports.at(plane(model, axis, -1), (None, 0, None) if axis == 1 else (None, None, 0)) for axis in (1, 2)]
    solution = solve(model, sliding(model, -0.01) + walls[0] + walls[1])
    assert solution.stiffness == pytest.approx(22884.6 * 9 / 4, rel=1e-5)


def test_a_soft_slab_in_a_bar_in_series() -> None:
    modulus = np.full((40, 2, 2), E, np.float32)
    modulus[15:25] = 500
    model = VoxelModel(modulus, 0.0, (1.0, 1.0, 1.0))
    assert solve(model, sliding(model, -0.1)).stiffness == pytest.approx(1837.84 * 4 / 40, rel=1e-5)


def test_a_graded_bar_converges_with_the_square_of_the_size() -> None:
    errors = []
    for n in (4, 8, 16):
        middle = (np.arange(n) + 0.5) / n
        modulus = np.broadcast_to((E * (1 + middle))[:, None, None], (n, 1, 1))
        model = VoxelModel(modulus.astype(np.float32), 0.0, (16 / n, 1.0, 1.0))
        errors.append(abs(solve(model, sliding(model, -0.1)).stiffness / (E / (16 * np.log(2))) - 1))
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.1)
    assert np.log2(errors[1] / errors[2]) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize(
    ("through", "element", "low", "high"),
    [
        (1, "incompatible", -0.02, 0),
        (2, "incompatible", -0.02, 0),
        (4, "incompatible", -0.02, 0),
        (1, "plain", -0.37, -0.34),
    ],
)
def test_a_cantilever_does_not_lock(through: int, element: Element, low: float, high: float) -> None:
    """Tip of a 100 x 10 x 10 mm beam under 100 N: 2.37094 mm (Timoshenko); plain bricks are a third too stiff."""
    model = VoxelModel(np.full((10 * through, through, through), E), NU, (10 / through,) * 3, element=element)
    tip = np.argwhere(plane(model, 0, -1))
    edge = (1 + (tip[:, 1:] % through > 0)).prod(1)
    forces = np.outer(edge / edge.sum(), [0, 100, 0])
    solution = solve(model, Supports.at(plane(model, 0, 0), (0, 0, 0)), Loads(tip, forces))
    assert low < solution.displacement[-1, ..., 1].mean() / 2.37094 - 1 < high
    assert solution.reactions[solution.supports.axis == 1].sum() == pytest.approx(-100, rel=1e-5)


def twisted(through: int) -> tuple[Solution, float]:
    """A 100 x 10 x 10 mm bar turned at its ends, free to warp: the solution and its torque in N mm for 0.01 rad."""
    model = VoxelModel(np.full((5 * through, through, through), E), NU, (20 / through, 10 / through, 10 / through))
    nodes = np.argwhere(plane(model, 0, -1))
    arm = (nodes[:, 1:] - through / 2) * 10 / through
    ends = [
        Supports(np.tile(nodes, (2, 1)), np.repeat([1, 2], len(nodes)), 0.01 * np.concatenate([-arm[:, 1], arm[:, 0]])),
        Supports.at(plane(model, 0, 0), (None, 0, 0)),
        Supports(np.asarray([[0, through // 2, through // 2]]), np.asarray([0]), np.asarray([0.0])),
    ]
    solution = solve(model, ends[0] + ends[1] + ends[2])
    pull = solution.reactions[: 2 * len(nodes)].reshape(2, -1)
    return solution, float(pull[1] @ arm[:, 0] - pull[0] @ arm[:, 1])


def test_a_square_bar_in_torsion() -> None:
    _, torque = twisted(8)
    assert torque == pytest.approx(1406 * E / 2.6 * 0.01 / 100, rel=0.03)


def test_forces_balance_and_their_work_is_twice_the_energy() -> None:
    draw = np.random.default_rng(3)
    model = VoxelModel(draw.uniform(10, 1e4, (9, 6, 7)).astype(np.float32), NU, (1.0, 1.2, 0.9))
    solution = solve(model, squeezed(model, -0.2), options=SolveOptions(tolerance=1e-9))
    for axis in range(3):
        along = solution.reactions[solution.supports.axis == axis]
        assert abs(along.sum()) < 1e-6 * np.abs(along).sum()
    corners = np.asarray(list(np.ndindex(2, 2, 2)))
    brick = stiffness(CORNERS * model.spacing / 2, 1, NU)
    moved = [solution.displacement[tuple((place + corners).T)].ravel() for place in np.argwhere(model.modulus)]
    energy = sum(float(e) * (u @ brick @ u) / 2 for e, u in zip(model.modulus.ravel(), moved, strict=True))
    assert solution.reactions @ solution.supports.value == pytest.approx(2 * energy, rel=1e-6)


def test_starting_from_the_solution_takes_no_iteration() -> None:
    modulus = np.random.default_rng(3).uniform(10, 1e4, (9, 6, 7))
    model = VoxelModel(modulus.astype(np.float32), NU, (1.0, 1.2, 0.9))
    first = solve(model, squeezed(model, -0.2))
    again = solve(model, squeezed(model, -0.2), start=first.displacement)
    assert (first.iterations > 3, again.iterations) == (True, 0)
    assert again.force == pytest.approx(first.force)


def test_a_piece_that_nothing_holds_is_left_out_and_named() -> None:
    modulus = np.full((6, 4, 4), E)
    modulus[:, 2] = 0
    model = VoxelModel(modulus, NU, (1.0, 1.0, 1.0))
    ends = squeezed(model, -0.1)
    kept = ends.nodes[:, 1] < 3
    solution = solve(model, Supports(ends.nodes[kept], ends.axis[kept], ends.value[kept]))
    assert solution.notes == ("24 elements in 1 pieces that no support holds were left out",)
    assert np.isfinite(solution.displacement).all()
    assert not solution.displacement[:, 3:].any()


def test_a_bone_that_may_slide_is_solved_and_named() -> None:
    model = VoxelModel(np.full((6, 4, 4), E), NU, (1.0, 1.0, 1.0))
    plates = Supports.at(plane(model, 0, 0), (0, None, None)) + Supports.at(plane(model, 0, -1), (-0.06, None, None))
    solution = solve(model, plates)
    assert solution.force == pytest.approx(E * 16 * 0.01, rel=1e-5)
    assert solution.notes == ("96 elements may still move in 3 rigid ways",)


def test_a_load_on_what_may_move_is_an_error_that_says_where() -> None:
    model = VoxelModel(np.full((6, 4, 4), E), NU, (1.0, 1.0, 1.0))
    push = Loads(np.asarray([[6, 2, 2]]), np.asarray([[0.0, 10, 0]]))
    with pytest.raises(NotConvergedError, match=r"out of balance by .* most at node \(\d+, \d+, \d+\) along axis"):
        solve(model, Supports.at(plane(model, 0, 0), (0, None, None)), push)


def test_supports_and_loads_beside_the_bone_are_refused() -> None:
    modulus = np.full((6, 4, 4), E)
    modulus[:, 2:] = 0
    model = VoxelModel(modulus, NU, (1.0, 1.0, 1.0))
    whole = np.zeros(model.lattice, bool)
    whole[0] = True
    with pytest.raises(InvalidValueError, match="10 of 25 supports at nodes without an element"):
        solve(model, Supports.at(whole, (0, None, None)))
    with pytest.raises(InvalidValueError, match="1 of 1 loads at nodes without an element"):
        solve(model, squeezed(model, 0), Loads(np.asarray([[9, 0, 0]]), np.ones((1, 3))))
