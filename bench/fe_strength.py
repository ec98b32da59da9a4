"""Strength of whole bones: lesions that grow and move, masks that are not quite right, time from CT to interval."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from measure import SHARED, run
from osteoscope.fe.bone import Bone, bone_from
from osteoscope.fe.cases import CASES, case_for
from osteoscope.fe.density import Calibration
from osteoscope.fe.laws import law_for
from osteoscope.fe.loads import UPRIGHT
from osteoscope.fe.mesh import Material
from osteoscope.fe.plastic import push
from osteoscope.fe.strength import strength
from osteoscope.fe.strength_record import Setting
from osteoscope.reading.ct_plans import CT_PLAN
from osteoscope.simulate.ct import CtLesion, CtRecipe, simulate_ct

sys.path.append(str(Path(__file__).parents[1] / "tests" / "fe"))
from real_vertebra import bone_of
from redrawn import perturbed, smoothed
from simulated_bones import femur

Figures = dict[str, Any]
FIXED = Calibration("fixed", "K2HPO4", 0.8e-3, 0.0, 0.05, True, "bench")
VERTEBRA = SHARED / "ct" / "tptbox_vertebra"
# LPS centres in the simulated left femur, mm.
NECK, CALCAR, TROCHANTER = (108.0, -33.0, -110.0), (112.0, -32.0, -128.0), (135.0, -28.0, -128.0)
DIAMETERS = (5.0, 12.0, 20.0, 30.0, 40.0)
ELEMENT, VOXEL = 3.0, 1.5


def load(bone: Bone, size: float = ELEMENT) -> float:
    """Failure load in N."""
    test = case_for(bone.site)
    trial = test.trial(bone, test.marks(bone), Material(law_for(bone.site), FIXED), size, UPRIGHT)
    return push(trial.model, trial.supports).failure_load


def femur_with(centre: tuple[float, float, float], diameter: float) -> Bone:
    """The simulated femur with a lytic ball, or none."""
    return femur({"a": (centre, diameter)} if diameter else None, VOXEL)


def fe_growing() -> Figures:
    """Stance of a simulated femur with a lytic ball of 5 to 40 mm: failure load over that of the healthy femur."""
    figures: Figures = {}
    whole = load(femur_with(NECK, 0.0))
    for name, centre in (("neck", NECK), ("calcar", CALCAR), ("greater trochanter", TROCHANTER)):
        left = [load(femur_with(centre, diameter)) / whole for diameter in DIAMETERS]
        sizes = " / ".join(f"{d:g}" for d in DIAMETERS)
        figures[f"{name}: left at {sizes} mm, %"] = " / ".join(f"{100 * one:.1f}" for one in left)
        figures[f"{name}: falls all the way, to 0.1 %"] = str(all(b < a + 1e-3 for a, b in pairwise([1.0, *left])))
    return figures


def fe_masks() -> Figures:
    """Failure loads with masks that another reader, or a network, might have drawn, over those with the true mask."""
    figures: Figures = {}
    bones = {"femur": (femur_with(CALCAR, 25.0), ELEMENT)}
    if VERTEBRA.is_dir():
        bones["vertebra"] = bone_of(VERTEBRA), CASES["compression"].element_mm
    for name, (bone, size) in bones.items():
        true = load(bone, size)
        changed = [load(perturbed(bone, seed), size) / true - 1 for seed in range(4)]
        figures[f"{name}: +-1 voxel on patches, 4 seeds, %"] = " / ".join(f"{100 * one:+.1f}" for one in changed)
        figures[f"{name}: smoothed, %"] = round(100 * (load(smoothed(bone), size) / true - 1), 1)
    return figures


def fe_automatic() -> Figures:
    """Vertebrae L2 to L4 of four simulated scans, L3 with a lytic lesion: failure load with the mask that the program
    finds (the bone that shares most voxels, whatever its name) over that with the true mask."""
    size, changes, overlaps = CASES["compression"].element_mm, [], []
    lesions = (CtLesion("vertebra_L3", kind="lytic", diameter_mm=20.0),)
    for seed in range(11, 15):
        made = simulate_ct(CtRecipe(coverage="lumbar", spacing_mm=(1.5, 1.2, 1.2), lesions=lesions), seed)
        ct = made.study.images["ct"]
        true, found = (
            {m.site: m.region.parts[0] for m in of if m.region} for of in (made.mapped, CT_PLAN.map_sites(made.study))
        )
        for site in ("vertebra_L2", "vertebra_L3", "vertebra_L4"):
            part = true[site]
            shared = {name: np.count_nonzero(other.within(part.box) & part.mask) for name, other in found.items()}
            own = found[max(shared, key=lambda name: shared[name])]
            loads = [load(bone_from(ct, site, mask), size) for mask in (own, part)]
            changes.append(loads[0] / loads[1] - 1)
            overlaps.append(2 * max(shared.values()) / (np.count_nonzero(part.mask) + np.count_nonzero(own.mask)))
    return {
        "changes, %": " / ".join(f"{100 * one:+.1f}" for one in changes),
        "within 5 %": f"{sum(abs(one) <= 0.05 for one in changes)} of {len(changes)}",
        "Dice of the masks": " / ".join(f"{one:.2f}" for one in overlaps),
    }


def tested(kind: str) -> list[float]:
    """Seconds, CPU seconds, failure load and its interval."""
    bone = bone_of(VERTEBRA) if kind == "vertebra" else femur({"a": (CALCAR, 25.0)}, 1.0)
    wall, cpu = time.perf_counter(), time.process_time()
    case = CASES["compression" if kind == "vertebra" else kind]
    found = strength(bone, Setting(case, Material(law_for(bone.site), FIXED), weight_kg=70.0))
    spent = [time.perf_counter() - wall, time.process_time() - cpu]
    measure = found.measure("failure_load")
    assert measure is not None
    assert measure.interval is not None
    return [*spent, measure.value, *measure.interval]


def _timed(kind: str) -> Figures:
    done = run(tested, kind)
    wall, cpu, value, low, high = done.result
    return {
        "s": round(wall),
        "CPU s": round(cpu),
        "peak GB": round(done.peak_gb, 2),
        "failure load and interval, N": f"{value:.0f} ({low:.0f} to {high:.0f})",
    }


def fe_vertebra() -> Figures:
    """L3 of a real CT from its mask to failure load and interval, elements of 1.5 mm."""
    return _timed("vertebra") if VERTEBRA.is_dir() else {"skipped": "reference data ../shared/data is absent"}


def fe_femur() -> Figures:
    """Stance of a simulated femur with a lytic lesion: failure load, the lesion's cost, intervals; elements of 2 mm."""
    return _timed("stance")


def fe_fall() -> Figures:
    """A fall of the same femur on its trochanter."""
    return _timed("fall")


ROWS: Mapping[str, Callable[[], Figures]] = MappingProxyType(
    {row.__name__: row for row in (fe_growing, fe_masks, fe_automatic, fe_vertebra, fe_femur, fe_fall)}
)
