"""How right the comparison of two CTs is: simulated bodies in another pose, every lesion with a known change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from osteoscope.measure.lesion_change import CtDate, follow
from osteoscope.reading.known import read_known
from osteoscope.simulate.ct import CtLesion, CtPatient, CtRecipe, CtSimulation, Scanner, simulate_ct
from osteoscope.simulate.ct_followup import Change, FollowUp, Pose, follow_up, sources

Figures = dict[str, Any]
SEEDS = range(7300, 7306)
_SITES = ("vertebra_L1", "vertebra_L2", "vertebra_L3", "vertebra_L4", "vertebra_L5", "sacrum")


def pairs() -> Iterator[tuple[CtSimulation, CtSimulation, Pose, dict[str, str]]]:
    """Two dates, the pose of the second, and what each bone's lesion is truly to be called."""
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        sites = [str(site) for site in rng.permutation(_SITES)]
        kinds = ("lytic", "lytic", "lytic", "blastic", "lytic")
        lesions = tuple(
            CtLesion(site, kind, round(float(rng.uniform(12, 18)), 1))  # type: ignore[arg-type]
            for site, kind in zip(sites, kinds, strict=False)
        )
        spacing = (float(rng.choice((1.5, 2.5, 3.0))), 1.2, 1.2)
        scanner = Scanner(noise_hu=float(rng.uniform(8, 25)))
        first = simulate_ct(CtRecipe(CtPatient(bone_density=1.4), "lumbar", spacing, scanner, lesions=lesions), seed)
        by_site = {finding.site: finding.id for finding in first.reading.findings}
        changes = {
            by_site[sites[0]]: Change(grow_mm=3),
            by_site[sites[1]]: Change(grow_mm=-2.5),
            by_site[sites[2]]: Change(gone=True),
            by_site[sites[4]]: Change(hu=350, kind="blastic"),
        }
        called = dict(zip(sites, ("grown", "shrunk", "gone", "stable", "turned_sclerotic", "new"), strict=True))
        turn, shift = rng.uniform(-8, 8, 3), rng.uniform(-15, 15, 3)
        pose = Pose(tuple(turn.tolist()), tuple(shift.tolist()), float(rng.uniform(-10, 10)))
        second = follow_up(first, FollowUp(pose, changes, ((sites[5], 14.0),)), seed)
        yield first, second, pose, called


def ct_two_dates() -> Figures:
    """Calls of 6 lesions in 6 pairs of simulated CTs with true masks, and how far bones lie off after alignment."""
    calls: Counter[tuple[str, str]] = Counter()
    sure: list[bool] = []
    errors: list[float] = []
    for first, second, pose, called in pairs():
        response = follow(_date(first), _date(second))
        found = {lesion.site: lesion for lesion in response.lesions}
        for site, wanted in called.items():
            lesion = found.get(site)
            calls[wanted, lesion.call if lesion else "nothing"] += 1
            sure.append(bool(lesion and wanted in lesion.possible))
        grid = second.study.images["ct"].grid
        origin = sources(grid, pose)
        motions = {motion.site: motion.rigid for motion in response.motions}
        for mapped in second.mapped:
            if mapped.region is not None and mapped.site in motions and mapped.region.size > 1000:
                index = np.argwhere(mapped.region.parts[0].full(grid.shape))[::7]
                went = motions[mapped.site].move(origin[tuple(index.T)])
                errors.append(float(np.linalg.norm(went - grid.to_position(index), axis=1).mean()))
    right = sum(n for (wanted, got), n in calls.items() if wanted == got)
    wrong = "; ".join(f"{wanted} called {got}: {n}" for (wanted, got), n in calls.items() if wanted != got)
    return {
        "lesions": sum(calls.values()),
        "called right": round(right / sum(calls.values()), 3),
        "wrong": wrong or "none",
        "right call among the possible ones": round(float(np.mean(sure)), 3),
        "bones aligned": len(errors),
        "mean distance of a bone's voxels from where they went, median over bones, mm": round(
            float(np.median(errors)), 2
        ),
        "the same, 95th centile, mm": round(float(np.percentile(errors, 95)), 2),
    }


def _date(made: CtSimulation) -> CtDate:
    reading = read_known(made.study, made.mapped, made.reading.findings)
    return CtDate(made.study.date, reading, made.mapped, made.study.images["ct"])


ROWS: Mapping[str, Callable[[], Figures]] = MappingProxyType({"ct_two_dates": ct_two_dates})
