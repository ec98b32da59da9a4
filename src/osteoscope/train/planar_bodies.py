"""Bodies to train on, by number: the same number gives the same body, camera and disease."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from osteoscope.simulate.body import Body, Child, build_child
from osteoscope.simulate.cohort import random_recipe
from osteoscope.simulate.phantom import Phantom
from osteoscope.simulate.recipe import ChildRecipe
from osteoscope.simulate.scanner import Collimator
from osteoscope.simulate.voxel_body import voxel_child
from osteoscope.train.planar_apart import make_basis, usual_uptake
from osteoscope.train.planar_basis import Basis
from osteoscope.train.written import written

# Beyond the seeds of the benchmark and of the tests (all below 100,000).
FIRST_SEED = 1_000_000
# Wider than the typical collimators of `scanner.COLLIMATORS` on every side (choice).
_OWN_HOLES = 0.5
_HOLE_MM = (0.9, 4.2)
_LENGTH_OF_HOLE = (10.0, 26.0)
_SEPTAL = (0.0, 1.1)


def basis_recipe(rng: np.random.Generator) -> ChildRecipe:
    """A recipe as of the cohort, with uptake as usual; half of the collimators are in no table."""
    recipe = random_recipe(rng)
    camera = replace(recipe.camera, drawn_holes=some_holes(rng))
    if camera.rows > 1024:
        camera = replace(camera, rows=1024, columns=256, pixel_mm=2 * camera.pixel_mm)
    uptake = replace(usual_uptake(), bladder_fill=recipe.uptake.bladder_fill, left_lobe=recipe.uptake.left_lobe)
    return replace(recipe, camera=camera, uptake=uptake)


def some_holes(rng: np.random.Generator) -> Collimator | None:
    """Holes of a collimator in no table for half of the bodies; None for those that keep the table's."""
    return random_holes(rng) if rng.random() < _OWN_HOLES else None


def random_holes(rng: np.random.Generator) -> Collimator:
    """From high-resolution to high-energy holes, their septa from tight to twice as open as the table's."""
    hole = float(np.exp(rng.uniform(*np.log(_HOLE_MM))))
    return Collimator(hole, float(hole * rng.uniform(*_LENGTH_OF_HOLE)), float(rng.uniform(*_SEPTAL)))


def parametric_body(recipe: ChildRecipe, rng: np.random.Generator) -> Body:
    """The simulator's own child."""
    return build_child(Child(recipe.stature, recipe.age_years, recipe.pose, recipe.uptake.bladder_fill), rng)


@lru_cache(maxsize=4)
def _phantom(path: Path) -> Phantom:
    return Phantom.load(path)


def of_phantom(number: int) -> bool:
    """Whether body `number` is made of a voxel phantom, where there is any: every third."""
    return number % 3 == 2


def some_body(number: int, phantoms: Sequence[Path], recipe: ChildRecipe, rng: np.random.Generator) -> Body:
    """A parametric child, or one made of a phantom."""
    if phantoms and of_phantom(number):
        return voxel_child(_phantom(phantoms[number // 3 % len(phantoms)]), recipe.stature, rng, recipe.pose)
    return parametric_body(recipe, rng)


def body_basis(number: int, phantoms: Sequence[Path] = ()) -> Basis:
    """Basis `number`."""
    rng = np.random.default_rng(FIRST_SEED + number)
    recipe = basis_recipe(rng)
    return make_basis(recipe, some_body(number, phantoms, recipe, rng), rng)


def write_basis(number: int, folder: Path, phantoms: Sequence[Path] = ()) -> Path:
    """Make basis `number`, unless it is there."""
    path = folder / f"basis_{number:05d}.npz"
    if path.exists():
        return path
    basis = body_basis(number, phantoms)
    with written(path) as unfinished:
        basis.save(unfinished)
    return path


def write_bases(numbers: Sequence[int], folder: Path, workers: int, phantoms: Sequence[Path] = ()) -> Iterator[Path]:
    """Make all of them on several cores."""
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(partial(write_basis, folder=folder, phantoms=phantoms), numbers, chunksize=4)
