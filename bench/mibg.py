"""SIOPEN and Curie of simulated children against the truth: the trained network beside the classical baseline.

Children of these seeds were never drawn in training, which numbers its own from 1,000,000 on, nor looked at while
choices were made (20,000 and up).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from measure import SHARED
from osteoscope.domain.anatomy import SIOPEN
from osteoscope.domain.reading import Reading
from osteoscope.domain.study import Study
from osteoscope.reading.plan import Plan
from osteoscope.reading.plan_table import plan_for
from osteoscope.reading.planar_plans import scored_by
from osteoscope.reading.read import read
from osteoscope.simulate.body import Body
from osteoscope.simulate.phantom import Phantom
from osteoscope.simulate.planar import ChildRecipe, balanced_recipe, random_recipe, simulate_planar
from osteoscope.simulate.voxel_body import voxel_child
from osteoscope.stats.agreement import icc_absolute, weighted_kappa

Figures = dict[str, Any]
# As shipped; the same findings with levels by counting alone; the classical baseline.
WAYS = ("network", "counted", "baseline")
COHORT = range(30_000, 30_100)
VISIBLE = 4.0  # contrast to noise


@dataclass(frozen=True)
class Child:
    """A simulated child, read: (12, 1 + ways) SIOPEN levels and totals of truth and each way; nan where there is none.

    Args:
        recipe: what was simulated.
        levels: SIOPEN levels [segment, reader].
        totals, curie: totals [reader].
        covered: whether the interval of each way holds the true total.
        visible, faintest: per segment, the highest and the lowest contrast to noise of its findings; 0 without any.
    """

    recipe: ChildRecipe
    levels: NDArray[np.float64]
    totals: NDArray[np.float64]
    curie: NDArray[np.float64]
    covered: NDArray[np.bool_]
    visible: NDArray[np.float64]
    faintest: NDArray[np.float64]


def read_child(task: tuple[str, int, Sequence[str]]) -> Child:
    """A child of a kind ("cohort", "balanced", "phantom") by its seed, simulated and read in those ways."""
    kind, seed, ways = task
    rng = np.random.default_rng(seed)
    recipe = (balanced_recipe if kind == "balanced" else random_recipe)(rng)
    made = simulate_planar(recipe, seed, _phantom_child(recipe, seed, rng) if kind == "phantom" else None)
    readings = [read(made.study, _plan(made.study, way)).reading for way in ways]
    everyone = (made.reading, *readings)
    total = everyone[0].measure("siopen_total")
    intervals = [m.interval if (m := r.measure("siopen_total")) else None for r in readings]
    contrast = {f.id: m.value for f in made.reading.findings for m in f.measures if m.name == "contrast_to_noise"}
    seen = [[contrast.get(e, 0.0) for e in site.evidence] if (site := made.reading.site(s)) else [] for s in SIOPEN]
    return Child(
        recipe,
        np.array([[level(r, s, "siopen") for r in everyone] for s in SIOPEN]),
        np.array([value(r, "siopen_total") for r in everyone]),
        np.array([value(r, "curie_total") for r in everyone]),
        np.array([bool(total and i and i[0] <= total.value <= i[1]) for i in intervals]),
        np.array([max(values, default=0.0) for values in seen]),
        np.array([min(values, default=0.0) for values in seen]),
    )


def _plan(study: Study, way: str) -> Plan:
    plan = plan_for(study, way == "baseline")
    return scored_by(plan, ["level=counted"]) if way == "counted" else plan


def level(reading: Reading, segment: str, score: str) -> float:
    site = reading.site(segment)
    measure = site.measure(score) if site else None
    return measure.value if measure else np.nan


def value(reading: Reading, name: str) -> float:
    measure = reading.measure(name)
    return measure.value if measure else np.nan


@lru_cache(maxsize=2)
def _phantom(number: int) -> Phantom:
    return Phantom.load(sorted((SHARED / "phantom" / "icrp110").glob("*.npz"))[number])


def _phantom_child(recipe: ChildRecipe, seed: int, rng: np.random.Generator) -> Body:
    return voxel_child(_phantom(seed % 2), recipe.stature, rng, recipe.pose)


@lru_cache(maxsize=1)
def children(kind: str, seeds: range, ways: Sequence[str] = WAYS) -> tuple[Child, ...]:
    """Simulate and read, on two cores."""
    with ProcessPoolExecutor(2) as pool:
        return tuple(pool.map(read_child, [(kind, seed, ways) for seed in seeds], chunksize=4))


def _figures(found: Sequence[Child], way: int) -> Iterator[tuple[str, Any]]:
    levels = np.concatenate([c.levels[:, (0, 1 + way)] for c in found])
    known = ~np.isnan(levels).any(axis=1)
    truth, said = levels[known].astype(int).T
    totals = np.array([c.totals[[0, 1 + way]] for c in found])
    totals = totals[~np.isnan(totals).any(axis=1)]
    wrong = totals[:, 1] - totals[:, 0]
    visible, faintest = (np.concatenate(c)[known] for c in ([c.visible for c in found], [c.faintest for c in found]))
    single, clear = (truth == 1) & (visible >= VISIBLE), (faintest >= VISIBLE) | (truth == 0)
    healthy, low, heavy = totals[:, 0] == 0, totals[:, 0] <= 3, totals[:, 0] > 30
    yield "segment: quadratic kappa", round(weighted_kappa(truth, said), 3)
    yield "segment: quadratic kappa where not 0", round(weighted_kappa(truth[truth > 0], said[truth > 0]), 3)
    yield "segment: exact; within 1", f"{(truth == said).mean():.3f}; {(np.abs(truth - said) <= 1).mean():.3f}"
    yield "level exact, 0 to 6", ", ".join(_share(said[truth == n] == n) for n in range(7))
    yield "the same where every lesion is visible", ", ".join(_share(said[clear & (truth == n)] == n) for n in range(7))
    yield "segment: quadratic kappa where every lesion is visible", round(weighted_kappa(truth[clear], said[clear]), 3)
    yield "one visible focus not called 0", _share(said[single] > 0)
    yield "children with 0 given 0; highest given", f"{_share(totals[healthy, 1] == 0)}; {_highest(totals[healthy, 1])}"
    yield "cut <= 3: sensitivity; specificity", f"{_share(totals[~low, 1] > 3)}; {_share(totals[low, 1] <= 3)}"
    yield "total: ICC(2,1)", str(icc_absolute(totals))
    yield "total: median absolute error; bias", f"{np.median(np.abs(wrong)):.1f}; {wrong.mean():+.2f}"
    yield "total: bias above 30", f"{wrong[heavy].mean():+.2f}" if heavy.any() else "none"
    curie = np.array([c.curie[[0, 1 + way]] for c in found])
    yield "Curie total: ICC(2,1)", str(icc_absolute(curie[~np.isnan(curie).any(axis=1)]))
    yield "90 % interval covers the true total", round(float(np.mean([c.covered[way] for c in found])), 3)


def _share(right: NDArray[np.bool_]) -> str:
    return f"{right.mean():.2f} of {right.size}" if right.size else "none"


def _highest(values: NDArray[np.float64]) -> str:
    return f"{values.max():.0f}" if values.size else "none"


def _both(kind: str, seeds: range, ways: Sequence[str] = WAYS) -> Figures:
    found = children(kind, seeds, ways)
    said = {f"{way}, {name}": value for n, way in enumerate(ways) for name, value in _figures(found, n)}
    return {"children": len(found)} | said


def mibg_scores() -> Figures:
    """SIOPEN and Curie of simulated children as of a cohort, unseen in training, against the truth."""
    return _both("cohort", COHORT)


def mibg_balanced() -> Figures:
    """The same where every level of every segment is about as frequent as the others."""
    return _both("balanced", range(31_000, 31_040), WAYS[:1])


def mibg_phantom() -> Figures:
    """The same on children made of the ICRP-110 voxel phantoms (two thirds of the training knows no phantom)."""
    if not (SHARED / "phantom").exists():
        return {"skipped": "reference data ../shared/data is absent"}
    return _both("phantom", range(32_000, 32_040), WAYS[:1])


def _band(value: float, bands: Mapping[float, str]) -> str:
    return next(name for highest, name in bands.items() if value <= highest)


_STRATA: Mapping[str, Callable[[Child], str]] = MappingProxyType(
    {
        "burden": lambda c: _band(c.totals[0], {0: "0", 3: "1-3", 23: "4-23", 72: "24-72"}),
        "age": lambda c: _band(c.recipe.age_years, {2: "below 2 years", 7: "2-6 years", 18: "7-17 years"}),
        "counts": lambda c: "below 300,000" if c.recipe.camera.anterior_counts < 3e5 else "300,000 and more",
        "collimator": lambda c: c.recipe.camera.collimator,
    }
)


def mibg_strata() -> Figures:
    """The network by burden, age, counts of the anterior view and collimator: exact levels, mean error of the total."""
    found = children("cohort", COHORT, WAYS)
    figures: Figures = {}
    for name, stratum in _STRATA.items():
        for label in sorted({stratum(c) for c in found}):
            mine = [c for c in found if stratum(c) == label]
            levels = np.concatenate([c.levels for c in mine])
            exact = np.nanmean(np.where(np.isnan(levels).any(axis=1), np.nan, levels[:, 0] == levels[:, 1]))
            error = np.nanmean([abs(c.totals[1] - c.totals[0]) for c in mine])
            figures[f"{name} {label}"] = f"{len(mine)} children, exact {exact:.3f}, mean error {error:.2f} points"
    return figures


def mibg_errors() -> Figures:
    """Where the network's levels go wrong on that cohort: levels lost or added in all, by cause."""
    found = children("cohort", COHORT, WAYS)
    truth, said = np.concatenate([c.levels[:, :2] for c in found]).T
    faintest = np.concatenate([c.faintest for c in found])
    lost, added = np.nan_to_num(np.maximum(truth - said, 0)), np.nan_to_num(np.maximum(said - truth, 0))
    faint, foci = faintest < VISIBLE, truth <= 3
    causes = {
        f"lost where a lesion's contrast to noise is below {VISIBLE:g}": lost[faint],
        "lost where every lesion is visible, levels 1 to 3": lost[~faint & foci],
        "lost where every lesion is visible, levels 4 to 6": lost[~faint & ~foci],
        "added where there is no disease": added[truth == 0],
        "added to levels 1 to 3": added[(truth > 0) & foci],
        "added to levels 4 and 5": added[~foci],
    }
    return {name: f"{levels.sum():.0f} levels in {(levels > 0).sum()} segments" for name, levels in causes.items()}


ROWS: Mapping[str, Callable[[], Figures]] = MappingProxyType(
    {row.__name__: row for row in (mibg_scores, mibg_balanced, mibg_phantom, mibg_strata, mibg_errors)}
)
