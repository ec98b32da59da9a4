"""Whether lesions keep their ids between two dates of simulated children."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).parents[1] / "tests" / "stats"))

from followup import Spot, Visit, scan

from osteoscope.domain.reading import MappedSite
from osteoscope.find.planar_network import map_segments
from osteoscope.simulate.cohort import random_camera, random_pose
from osteoscope.simulate.planar import Simulation
from osteoscope.stats.lesion_identity import Exam, follow

CHILDREN = range(6000, 6030)
BONES = (
    "skull", "vertebra_C5", "vertebra_T3", "vertebra_T9", "vertebra_L1", "vertebra_L4", "sacrum", "rib_left_4",
    "rib_right_7", "rib_left_9", "sternum", "scapula_right", "clavicle_left", "hip_right", "hip_left", "femur_left",
    "femur_right", "tibia_left", "tibia_right", "humerus_left", "humerus_right", "radius_left",
)  # fmt: skip
GROWTH, HELD, STAYS = 1.08, 0.4, 0.75


def lesion_identity() -> Mapping[str, Any]:
    """Two dates of 30 simulated children with other pose and camera and 8 % more age: do lesions that stay keep their
    id, and are others called new or resolved? True findings; outlines of the units true, or as `read` fits them.
    Children with a lesion out of the field are left out."""
    found: dict[str, Counter[str]] = {"true outlines": Counter(), "fitted outlines": Counter()}
    children = 0
    for seed in CHILDREN:
        dates = list(_dates(seed))
        if len(dates) < 2:
            continue
        children += 1
        names = [names for *_, names in dates]
        fitted = [Exam("fitted", made.reading, outlines) for made, outlines, _ in dates]
        found["true outlines"] += _count([Exam("true", made.reading, made.mapped) for made, *_ in dates], names)
        found["fitted outlines"] += _count(fitted, names)
    return {"children": children} | {
        f"{which}, {what}": f"{n[got]} of {n[whole]}" if whole else n[got]
        for which, n in found.items()
        for what, got, whole in (
            ("stays and keeps its id", "kept", "stay"),
            ("two lesions under one id", "wrong", ""),
            ("new and called so", "new", "came"),
            ("gone and called so", "resolved", "went"),
        )
    }


def _dates(seed: int) -> Iterator[tuple[Simulation, tuple[MappedSite, ...], Mapping[str, str]]]:
    rng = np.random.default_rng(seed)
    age = float(rng.uniform(1, 9))
    lesions = [Spot(bone, share, 12) for bone in BONES for share in (0.25, 0.75) if rng.random() < HELD]
    for number in range(2):
        kept = tuple(lesion for lesion in lesions if rng.random() < STAYS)
        visit = Visit(
            f"2026-0{number + 1}-01", kept, age * GROWTH**number, random_pose(rng, age), random_camera(rng, age)
        )
        made = scan(visit, seed)
        if len(made.reading.findings) == len(kept):
            names = {f.id: f"{s.bone} {s.share}" for f, s in zip(made.reading.findings, kept, strict=True)}
            yield made, map_segments(made.study), names


def _count(exams: list[Exam], names: list[Mapping[str, str]]) -> Counter[str]:
    before, now = (set(n.values()) for n in names)
    n = Counter({"stay": len(before & now), "came": len(now - before), "went": len(before - now)})
    for lesion in follow(exams):
        a, b = (name.get(sight.finding or "", "") for name, sight in zip(names, lesion.course, strict=True))
        n["kept"] += bool(a) and a == b
        n["wrong"] += bool(a and b) and a != b
        n["new"] += not a and b not in before
        n["resolved"] += not b and a not in now
    return n


ROWS: Mapping[str, Callable[[], Mapping[str, Any]]] = MappingProxyType({"lesion_identity": lesion_identity})
