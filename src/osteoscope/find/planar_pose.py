"""Fit of the capsule child to the body outline: maximum a posteriori, priors by age."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from osteoscope.domain.anatomy import Side
from osteoscope.find.planar_model import (
    GROWN,
    LIMB_JOINTS,
    NAMES,
    NEWBORN,
    PRIORS,
    Limb,
    Prior,
    Skeleton,
    bent,
    grown,
    pose,
)
from osteoscope.find.planar_shapes import LIMB_ROWS, distance, limb_capsules, outline_capsules

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Angles tried for the two upper joints of a limb, (n, 2).
_TRIED: Mapping[Limb, Array] = {
    "arm": np.stack(np.meshgrid(np.arange(-0.3, 3.1, 0.3), np.arange(-2.4, 2.5, 0.6)), axis=-1).reshape(-1, 2),
    "leg": np.stack(np.meshgrid(np.arange(-0.2, 1.3, 0.2), np.arange(-1.6, 0.5, 0.4)), axis=-1).reshape(-1, 2),
}


@dataclass(frozen=True)
class PoseOptions:
    """Choices of the fit (engineering choices, no published source).

    Args:
        cells: the body's long side is sampled at about so many points.
        band, thinned: further than so many cells from the edge, one point in so many is kept.
        outside, inside: distances are cut at so many cells beyond and within the edge.
        prior_weight: weight of one prior standard deviation against one cell of distance at one point.
        age_spread: years that the body's proportions may lie off the stated age.
        statures: shares of the visible length tried as stature; less than 1 when arms reach over the head.
        ages: years tried where the age is not stated.
        rounds, evaluations: fits after each search of limb angles, and evaluations in each fit.
    """

    cells: int = 72
    band: float = 3.0
    thinned: int = 3
    outside: float = 5.0
    inside: float = 1.5
    prior_weight: float = 4.0
    age_spread: float = 0.7
    statures: tuple[float, ...] = (1.0, 0.9, 0.8)
    ages: tuple[float, ...] = (1.0, 4.0, 11.0)
    rounds: int = 2
    evaluations: int = 12


@dataclass(frozen=True, eq=False)
class Fit:
    """A posed child.

    Args:
        parameters: in the order of `NAMES`.
        cost: half the sum of squares at the end; compares fits of one outline only.
        misfit: share of the body's area that the capsules miss or add.
    """

    parameters: Array
    cost: float
    misfit: float

    @cached_property
    def skeleton(self) -> Skeleton:
        """The joints."""
        return pose(self.parameters)


@dataclass(frozen=True, eq=False)
class _Target:
    """What is fitted: points, distances to the outline there, priors."""

    points: Array
    edge: Array
    cell: float
    means: Array
    spreads: Array
    options: PoseOptions

    def residuals(self, parameters: Array) -> Array:
        return self.join(parameters, self._nearest(outline_capsules(pose(parameters))))

    def _nearest(self, capsules: Array) -> Array:
        return np.asarray(distance(self.points, capsules).min(axis=0))

    def clip(self, distances: Array) -> Array:
        limits = self.options
        return np.asarray(np.clip(distances / self.cell, -limits.inside, limits.outside))

    def join(self, parameters: Array, nearest: Array) -> Array:
        prior = self.options.prior_weight * (parameters - self.means) / self.spreads
        return np.concatenate([self.clip(nearest) - self.edge, prior])

    def jacobian(self, parameters: Array) -> Array:
        """Forward differences; a capsule that a step leaves alone keeps its distances."""
        capsules = outline_capsules(pose(parameters))
        apart = distance(self.points, capsules)
        start = self.clip(apart.min(axis=0))
        columns = np.zeros((start.size + parameters.size, parameters.size))
        for n, step in enumerate(_steps(self.cell)):
            moved = parameters.copy()
            moved[n] += step
            other = outline_capsules(pose(moved))
            changed = np.abs(other - capsules).max(axis=1) > 1e-9
            near = apart.copy()
            near[changed] = distance(self.points, other[changed])
            columns[: start.size, n] = (self.clip(near.min(axis=0)) - start) / step
            columns[start.size + n, n] = self.options.prior_weight / self.spreads[n]
        return columns

    def cost(self, parameters: Array) -> float:
        return float(_soft(self.residuals(parameters)).sum())


def _soft(residuals: Array) -> Array:
    return np.asarray(np.sqrt(1 + residuals**2) - 1)


def _steps(cell: float) -> Array:
    steps = np.full(len(NAMES), 0.01)
    steps[[NAMES.index("row"), NAMES.index("column")]] = 0.2 * cell
    steps[NAMES.index("age")] = 0.2
    return steps


def fit(edge: Array, seen: Mask, age: float | None, stature: Prior | None, options: PoseOptions) -> Fit:
    """The most plausible pose of a child upright in the picture.

    Args:
        edge: signed distance to the body's edge in elements, negative inside.
        seen: elements within the field of view; nothing is asked of the others.
        age: years, None where not stated.
        stature: logarithm of the stature in elements, None where nothing is known of it.
        options: see `PoseOptions`.
    """
    target = _target(edge, seen, _priors(age, stature, options), options)
    tried = [_search_limbs(target, start) for start in _starts(edge, age, stature, options)]
    parameters = _polish(target, min(tried, key=target.cost))
    for _ in range(options.rounds - 1):
        parameters = _polish(target, _search_limbs(target, parameters))
    return Fit(parameters, target.cost(parameters), _misfit(edge, seen, parameters))


def _priors(age: float | None, stature: Prior | None, options: PoseOptions) -> tuple[Array, Array]:
    priors = dict(PRIORS)
    if age is not None:
        priors["age"] = Prior(float(np.clip(age, NEWBORN, GROWN)), options.age_spread)
    priors["stature"] = stature or priors["stature"]
    return np.asarray([p.mean for p in priors.values()]), np.asarray([p.spread for p in priors.values()])


def _target(edge: Array, seen: Mask, priors: tuple[Array, Array], options: PoseOptions) -> _Target:
    rows, columns = (np.flatnonzero((edge < 0).any(axis=axis)) for axis in (1, 0))
    step = max(1, round((rows[-1] - rows[0] + 1) / options.cells))
    margin = round(options.outside * step)
    grid = np.mgrid[
        max(0, rows[0] - margin) : min(edge.shape[0], rows[-1] + margin + 1) : step,
        max(0, columns[0] - margin) : min(edge.shape[1], columns[-1] + margin + 1) : step,
    ].reshape(2, -1)
    grid = grid[:, seen[tuple(grid)]]
    deep = np.abs(edge[tuple(grid)]) > options.band * step
    grid = grid[:, ~deep | (np.arange(grid.shape[1]) % options.thinned == 0)]
    cut = np.clip(edge[tuple(grid)] / step, -options.inside, options.outside)
    return _Target(grid.T.astype(float), cut, float(step), *priors, options)


def _starts(edge: Array, age: float | None, stature: Prior | None, options: PoseOptions) -> Iterable[Array]:
    rows = np.flatnonzero((edge < 0).any(axis=1))
    middle = float(np.median(np.argwhere(edge < 0)[:, 1]))
    length = float(rows[-1] - rows[0] + 1)
    heights = [np.log(length * share) for share in options.statures] + ([stature.mean] if stature else [])
    for years, height in product([age] if age is not None else options.ages, heights):
        start = dict.fromkeys(NAMES, 0.0) | {name: p.mean for name, p in PRIORS.items()}
        start |= {"age": years, "stature": height, "column": middle}
        start["row"] = rows[0] + max(0.0, length - np.exp(height)) + grown("neck_base", years) * np.exp(height)
        yield np.asarray([start[name] for name in NAMES])


def _polish(target: _Target, parameters: Array) -> Array:
    scale = np.where(np.isfinite(target.spreads), target.spreads, 10 * _steps(target.cell))
    found = least_squares(
        target.residuals,
        parameters,
        jac=target.jacobian,
        x_scale=scale,
        loss="soft_l1",
        tr_solver="lsmr",
        max_nfev=target.options.evaluations,
    )
    return np.asarray(found.x)


def _search_limbs(target: _Target, parameters: Array) -> Array:
    for limb, side in LIMB_ROWS:
        parameters = _search_limb(target, parameters, limb, side)
    return parameters


def _search_limb(target: _Target, parameters: Array, limb: Limb, side: Side) -> Array:
    sparse = replace(target, points=target.points[::2], edge=target.edge[::2])
    skeleton = pose(parameters)
    rest = np.delete(outline_capsules(skeleton), LIMB_ROWS[limb, side], axis=0)
    index = [NAMES.index(f"{joint}_{side}") for joint in LIMB_JOINTS[limb][:2]]
    angles = np.concatenate([parameters[None, index], _TRIED[limb]])
    tried = limb_capsules(bent(skeleton, limb, side, angles), limb, side)
    apart = distance(sparse.points, tried.reshape(-1, 6)).reshape(len(angles), 3, -1).min(axis=1)
    fitted = sparse.clip(np.minimum(apart, distance(sparse.points, rest).min(axis=0))) - sparse.edge
    unlikely = target.options.prior_weight * (angles - target.means[index]) / target.spreads[index]
    best = parameters.copy()
    best[index] = angles[np.argmin(_soft(fitted).sum(axis=1) + _soft(unlikely).sum(axis=1))]
    return best


def _misfit(edge: Array, seen: Mask, parameters: Array) -> float:
    points = np.argwhere(seen)
    inside = distance(points.astype(float), outline_capsules(pose(parameters))).min(axis=0) < 0
    body = edge[seen] < 0
    return float((inside != body).sum() / max(1, body.sum()))
