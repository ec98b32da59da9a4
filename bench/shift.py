"""What is lost on an anatomy or a camera that training never saw.

Three networks of the shipped kind learn from equally many bodies and examples (fewer than the shipped one): from
everything, without voxel phantoms, without the medium-energy collimator. Each is read beside the first on children of
what it never saw. Some hours; what is made lies in build/shift, from where it is gone on with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

import mibg
from measure import SHARED
from osteoscope.find import model
from osteoscope.simulate import scanner
from osteoscope.simulate.planar import random_recipe
from osteoscope.simulate.scanner import Collimator
from osteoscope.stats.agreement import icc_absolute, weighted_kappa
from osteoscope.stats.resampling import Estimate, bootstrap
from osteoscope.train.planar_bodies import FIRST_SEED, basis_recipe, of_phantom, write_bases
from osteoscope.train.planar_export import Story, export
from osteoscope.train.planar_fit import FitOptions, fit
from osteoscope.train.planar_net import NARROW

WORK = Path(__file__).parents[1] / "build" / "shift"
BODIES, HELD_OUT, EXAMPLES = 200, 40, 8000
_POOL, _HELD_OUT_POOL = 400, range(500_000, 500_100)
_CHILDREN = 60
_SEEDS = 33_000
_LOW_ENERGY_MM = 1.5


@dataclass(frozen=True)
class Shift:
    """A part of the world that one network never sees.

    Args:
        has: whether a body by that number of `osteoscope.train.planar_bodies` is of it.
        kind: of the children that are read (see `mibg`).
        seeds: of children of it.
    """

    has: Callable[[int], bool]
    kind: str
    seeds: Callable[[], Sequence[int]]


def _medium_energy(number: int) -> bool:
    return basis_recipe(np.random.default_rng(FIRST_SEED + number)).camera.holes.hole_mm > _LOW_ENERGY_MM


def _medium_energy_children() -> Sequence[int]:
    of_it = (n for n in range(_SEEDS, 2 * _SEEDS) if random_recipe(np.random.default_rng(n)).camera.collimator == "ME")
    return list(islice(of_it, _CHILDREN))


SHIFTS: Mapping[str, Shift] = MappingProxyType(
    {
        "voxel phantoms": Shift(of_phantom, "phantom", lambda: range(_SEEDS, _SEEDS + _CHILDREN)),
        "medium-energy collimator": Shift(_medium_energy, "cohort", _medium_energy_children),
    }
)


def mibg_shift() -> Mapping[str, Any]:
    """Levels of children of an anatomy or a camera that the network was not trained on, beside a network that was:
    quadratic kappa and exact levels, and the change with its 95 % interval by child. Both learned from 200 bodies and
    8,000 examples, an eighth of the shipped network's, so that only their difference counts."""
    phantoms = sorted((SHARED / "phantom" / "icrp110").glob("*.npz"))
    if not phantoms:
        return {"skipped": "reference data ../shared/data is absent"}
    everything = _network("everything", lambda _: False, phantoms)
    figures = {}
    for name, shift in SHIFTS.items():
        without = _network(f"without {name}", shift.has, phantoms)
        seeds = list(shift.seeds())
        seen, unseen = (_levels(folder, shift.kind, seeds) for folder in (everything, without))
        for figure, of in _FIGURES.items():
            figures[f"{name}, {figure}"] = _change(of, seen, unseen)
    return figures


def _network(name: str, left_out: Callable[[int], bool], phantoms: Sequence[Path]) -> Path:
    """Folder of a model that learned without such bodies."""
    folder = WORK / name.replace(" ", "_")
    if (folder / "mibg_planar.json").exists():
        return folder
    bases = []
    for numbers, wanted in ((range(_POOL), BODIES), (_HELD_OUT_POOL, HELD_OUT)):
        chosen = list(islice((n for n in numbers if not left_out(n)), wanted))
        bases.append(list(write_bases(chosen, WORK / "bases", 2, phantoms)))
    for line in fit(bases[0], folder, FitOptions(examples=EXAMPLES), widths=NARROW):
        print(name, line, flush=True)
    return export(folder / "weights.pt", folder, bases[1], Story("0", name, ()), 300).parent


def _use(folder: Path) -> None:
    model.SHIPPED = folder
    model.shipped.cache_clear()


Levels = np.ndarray[tuple[int, int], np.dtype[np.float64]]


def _levels(folder: Path, kind: str, seeds: Sequence[int]) -> Levels:
    """(12 per child, 2) true levels and those by a model."""
    with ProcessPoolExecutor(2, initializer=_use, initargs=(folder,)) as pool:
        children = pool.map(mibg.read_child, [(kind, seed, ("network",)) for seed in seeds])
        return np.concatenate([child.levels for child in children])


def _exact(levels: Levels) -> float:
    return float(np.mean(levels[:, 0] == levels[:, 1]))


def _kappa(levels: Levels) -> float:
    return weighted_kappa(*levels.astype(int).T)


_FIGURES: Mapping[str, Callable[[Levels], float]] = MappingProxyType({"quadratic kappa": _kappa, "exact": _exact})


def _change(of: Callable[[Levels], float], seen: Levels, unseen: Levels) -> str:
    known = ~np.isnan(np.hstack([seen, unseen])).any(axis=1)
    patients = np.repeat(np.arange(len(seen) // 12), 12)[known]
    here, there = seen[known], unseen[known]
    change: Estimate = bootstrap(lambda drawn: of(there[drawn]) - of(here[drawn]), patients)
    return f"trained on it {of(here):.3f}, never seen {of(there):.3f}, change {change}"


# Holes in mm, their length in mm, counts through septa per photon. None is in `scanner.COLLIMATORS`, from which the
# shipped network learned; the recipe as it is now also draws from ranges that hold most of these (`planar_bodies`).
UNSEEN: Mapping[str, Collimator] = MappingProxyType(
    {
        "low energy, no septal penetration": Collimator(1.11, 23.0, 0.0),
        "low energy, twice the penetration": Collimator(1.11, 23.0, 1.1),
        "high energy": Collimator(4.0, 50.0, 0.02),
        "sharp": Collimator(0.9, 30.0, 0.0),
        "blurred": Collimator(3.8, 38.0, 0.3),
    }
)


def mibg_cameras() -> Mapping[str, Any]:
    """The shipped network on 40 children of a cohort seen through collimators of no table, each alone."""
    figures = {}
    for name in (None, *UNSEEN):
        with ProcessPoolExecutor(2, initializer=_see_through, initargs=(name,)) as pool:
            tasks = [("cohort", seed, ("network",)) for seed in range(_SEEDS, _SEEDS + 40)]
            children = list(pool.map(mibg.read_child, tasks))
        levels = np.concatenate([child.levels for child in children])
        known = levels[~np.isnan(levels).any(axis=1)]
        totals = np.array([child.totals for child in children])
        icc = icc_absolute(totals[~np.isnan(totals).any(axis=1)])
        figures[name or "as trained on"] = f"quadratic kappa {_kappa(known):.3f}, exact {_exact(known):.3f}, ICC {icc}"
    return figures


def _see_through(name: str | None) -> None:
    if name is not None:
        vars(scanner)["COLLIMATORS"] = dict.fromkeys(scanner.COLLIMATORS, UNSEEN[name])


ROWS: Mapping[str, Callable[[], Mapping[str, Any]]] = MappingProxyType(
    {row.__name__: row for row in (mibg_shift, mibg_cameras)}
)
