"""One training example from a basis: other uptake, disease, dose and blur, then noise; the labels follow.

Everything is drawn anew each time, so that a few hundred bodies never give the same picture twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteoscope.find.planar_canvas import CANVAS, HALF, Fitting, Plane, planes
from osteoscope.simulate.artefacts import Artefact, random_artefacts
from osteoscope.simulate.scene import Scene
from osteoscope.train.planar_basis import UNITS, Basis, Part
from osteoscope.train.planar_draw import MEMBERS, UNIT_OF, Floats, contrast, level_of
from osteoscope.train.planar_plan import Plan
from osteoscope.train.planar_proportions import Proportions

HEAT_SIGMA = 1.5  # canvas elements
REACH = 6
NEAR = 2  # half elements around a focus that name its unit
_VIEWS = ("anterior", "posterior")
BACKGROUND = frozenset({"soft_tissue", "viscera", "mediastinum", "bone", "brain", "lung", "heart_cavity", "eye"})


@dataclass(frozen=True, eq=False)
class Example:
    """What the network sees and should say.

    Args:
        picture: (3, *CANVAS) float32.
        heat: CANVAS float32, 1 at the centre of each focus.
        units: (15, *HALF) uint8 silhouettes.
        owner: HALF int8, unit of the focus there, -1 elsewhere.
        diffuse: (15, *HALF) uint8, diffuse disease of each unit.
        other: (3, *HALF) uint8, soft-tissue disease, physiological uptake, diffuse disease of any unit.
        acquired: (15,) uint8, whether at least half of each unit's bone is in the field.
        levels: (12,) int8, SIOPEN level of each of `SEGMENTS`, -1 where it was not acquired.
        foci: (n, 3) canvas row and column of each focus, and its unit.
        counts: per view, counts on the canvas.
    """

    picture: Plane
    heat: Plane
    units: NDArray[np.uint8]
    owner: NDArray[np.int8]
    diffuse: NDArray[np.uint8]
    other: NDArray[np.uint8]
    acquired: NDArray[np.uint8]
    levels: NDArray[np.int8]
    foci: NDArray[np.float64]
    counts: Mapping[str, Plane]


@dataclass(frozen=True)
class Laying:
    """How a basis lies on the canvas: in other proportions, then fitted.

    Args:
        proportions: of the picture.
        fitting: of the picture in those proportions.
    """

    proportions: Proportions
    fitting: Fitting

    @classmethod
    def of(cls, body: NDArray[np.bool_], plan: Plan) -> Laying:
        """A silhouette in the plan's proportions, fitted as its outline would be."""
        return cls(plan.proportions, Fitting.of(_box(plan.proportions.mask(body), plan.off)))

    def lay(self, plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Masks (..., rows, columns) of the basis at half the canvas' resolution."""
        return self.proportions.lay(self.fitting, plane)


def draw(basis: Basis, rng: np.random.Generator) -> Example:
    """Draw one example."""
    return rendered(basis, Plan.random(basis, rng), random_artefacts(rng), rng)


def rendered(basis: Basis, plan: Plan, artefacts: Iterable[Artefact], rng: np.random.Generator) -> Example:
    """The example of a plan, with artefacts and noise."""
    shape = basis.body.shape
    organs = [part for part in basis.parts if part.kind == "organ"]
    healthy = _summed(organs, plan.organs, shape)
    shining = [(p, w) for p, w in zip(organs, plan.organs, strict=True) if p.name not in BACKGROUND]
    glow = _summed([p for p, _ in shining], [w for _, w in shining], shape).sum(axis=0) > healthy.sum(axis=0) / 2
    dose = np.float32(plan.counts / max(float(healthy[0].sum()), 1e-9))
    disease = plan.lesions(basis)
    heats = plan.heats.over([contrast(part, dose * healthy, float(dose), basis.pixel_mm) for part in disease])
    worn, stray = _worn(basis, dose * (healthy + _summed(disease, heats, shape)), artefacts, rng)
    laying = Laying.of(basis.body, plan)
    expected = plan.disturbance.apply(plan.proportions.picture(worn))
    counts = {
        name: laying.fitting.resample(view)
        for number, (name, view) in enumerate(zip(_VIEWS, _detected(basis, expected, rng), strict=True))
        if number != plan.absent
    }
    return _labelled(basis, plan, laying, counts, stray | (basis.body & glow))


def _detected(basis: Basis, expected: Floats, rng: np.random.Generator) -> Floats:
    seen = np.zeros(basis.body.shape, dtype=bool)
    seen[slice(*basis.seen[0]), slice(*basis.seen[1])] = True
    return rng.poisson(np.maximum(expected * seen, 0)).astype(np.float32)


def _summed(parts: Iterable[Part], weights: Iterable[float], shape: tuple[int, ...]) -> Floats:
    total = np.zeros((2, *shape), dtype=np.float32)
    for part, weight in zip(parts, weights, strict=True):
        (row, column), (_, rows, columns) = part.corner, part.views.shape
        total[:, row : row + rows, column : column + columns] += part.views * np.float32(weight * part.scale)
    return total


def _worn(
    basis: Basis, expected: Floats, artefacts: Iterable[Artefact], rng: np.random.Generator
) -> tuple[Floats, NDArray[np.bool_]]:
    """With artefacts, and where they add more than was there."""
    scene = scene_of(basis)
    views = (expected[0].astype(np.float64), expected[1].astype(np.float64))
    for artefact in artefacts:
        views = artefact.apply(views, scene, rng)
    worn = np.stack(views).astype(np.float32)
    return worn, (worn.sum(axis=0) > 2 * expected.sum(axis=0)) & (expected.sum(axis=0) > 0)


def scene_of(basis: Basis) -> Scene:
    """Where artefacts are put."""
    return Scene(basis.pixel_mm, basis.body, dict(zip(UNITS, basis.units, strict=True)))


def _box(body: NDArray[np.bool_], off: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """The body's box as an outline finds it: some per cent off."""
    rows, columns = (np.flatnonzero(body.any(axis=axis)) for axis in (1, 0))
    height, width = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    top, bottom, left, right = (off * np.array([height, height, width, width])).tolist()
    return float(rows[0] + top), float(rows[-1] + 1 + bottom), float(columns[0] + left), float(columns[-1] + 1 + right)


def _labelled(
    basis: Basis, plan: Plan, laying: Laying, counts: Mapping[str, Plane], organs: NDArray[np.bool_]
) -> Example:
    disease = plan.lesions(basis)
    diffuse = np.zeros((len(UNITS), *basis.body.shape), dtype=np.uint8)
    mass = np.zeros(basis.body.shape, dtype=np.uint8)
    for part in disease:
        if part.kind in ("diffuse", "mass"):
            (row, column), (rows, columns) = part.corner, part.mask.shape
            target = mass if part.kind == "mass" else diffuse[UNIT_OF[part.name]]
            target[row : row + rows, column : column + columns] |= part.mask
    heat, owner = np.zeros(CANVAS, dtype=np.float32), np.full(HALF, -1, dtype=np.int8)
    foci = np.array([(*laying.fitting.on_canvas(row, column), unit) for row, column, unit in plan.foci]).reshape(-1, 3)
    for row, column, unit in foci.tolist():
        _add_centre(heat, row, column)
        owner[tuple(_around(int(np.floor((at - 0.5) / 2 + 0.5)), NEAR) for at in (row, column))] = int(unit)
    levels = [
        level_of(basis, n, [p for p in disease if p.segment == n]) if basis.acquired[units].mean() >= 0.5 else -1
        for n, units in enumerate(MEMBERS)
    ]
    return Example(
        planes(counts),
        heat,
        laying.lay(basis.units.view(np.uint8)),
        owner,
        laying.lay(diffuse),
        laying.lay(np.stack([mass, organs.view(np.uint8), diffuse.max(axis=0)])),
        (basis.acquired >= 0.5).astype(np.uint8),
        np.array(levels, dtype=np.int8),
        foci,
        counts,
    )


def _around(at: int, reach: int) -> slice:
    return slice(max(0, at - reach), max(0, at + reach + 1))


def _add_centre(heat: Plane, row: float, column: float) -> None:
    box = (_around(int(row), REACH), _around(int(column), REACH))
    near = heat[box]
    down, right = np.ogrid[box]
    away = ((down - row) ** 2 + (right - column) ** 2)[: near.shape[0], : near.shape[1]]
    np.maximum(near, np.exp(-away / (2 * HEAT_SIGMA**2)), out=near, casting="same_kind")
