"""Whether an adaptation to a hospital's scores helps: another camera, and a reader with habits of his own."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from osteoscope.domain.anatomy import SIOPEN
from osteoscope.domain.reading import Case, Reading
from osteoscope.measure.adaptation_card import Gain
from osteoscope.measure.adaptation_evidence import Evidence, evidence
from osteoscope.measure.score_extent import extent
from osteoscope.measure.score_tables import ScoreOptions
from osteoscope.reading.plan_table import plan_for
from osteoscope.reading.read import read
from osteoscope.simulate.planar import Simulation, random_recipe, simulate_planar
from osteoscope.stats.resampling import Resampling
from osteoscope.train.adaptation_fit import Sample
from osteoscope.train.adaptation_folds import choose, out_of_fold
from osteoscope.train.adaptation_judge import Compared, judge, verdict

# Children 7000 to 7109 served to choose the method.
CHILDREN = range(7200, 7310)
# How the network's plan scores.
NETWORK = ScoreOptions(level="likeliest")
# Contrast to noise below which the reader sees nothing, and below which a single focus of a distal limb is faint.
SEEN, FAINT = 4.0, 10.0
Pairs = list[tuple[Evidence, int]]


def adaptation() -> Mapping[str, Any]:
    """110 simulated children on one camera (LEHR, 250,000 counts) and a reader who calls level 4 from three foci, 5
    from 30 % of a segment, and misses half of the faint single foci of the distal limbs: agreement of the program
    with that reader on children left out, as shipped and adapted, and the change with its 95 % interval by child."""
    workers = os.cpu_count() or 1
    with ProcessPoolExecutor(workers, initializer=os.nice, initargs=(15,)) as pool:
        children = list(pool.map(_child, CHILDREN))
    sample = _sample(children)
    gains = judge(Compared(sample, out_of_fold(sample, lambda *_: None).levels), Resampling())
    made, penalty = choose(sample)
    return {
        "children with scores": sum(bool(pairs) for pairs in children),
        **{f"{g.target}, {g.name}": _shown(g) for g in gains if g.target in ("pooled", "total")},
        "verdict": verdict(gains),
        "penalty": penalty,
        "20 of the children alone": verdict(_of_few(children[:20])),
        "level of three foci, sure": made.level(Evidence("pelvis", 3, (0.95,) * 3)),
        "level of a sure patch of 40 %": made.level(Evidence("pelvis", 4, (), (0.95,), 0.4)),
    }


def _of_few(children: list[Pairs]) -> tuple[Gain, ...]:
    sample = _sample(children)
    return judge(Compared(sample, out_of_fold(sample, lambda *_: None).levels), Resampling())


def _shown(gain: Gain) -> str:
    if gain.before is None or gain.after is None or gain.interval is None:
        return "undefined"
    low, high = gain.interval
    return f"{gain.before:.3f} -> {gain.after:.3f}, change {gain.after - gain.before:+.3f} [{low:+.3f}, {high:+.3f}]"


def _sample(children: list[Pairs]) -> Sample:
    found, levels = zip(*(pair for pairs in children for pair in pairs), strict=True)
    owners = np.repeat(np.arange(len(children)), [len(pairs) for pairs in children])
    return Sample(found, np.asarray(levels, dtype=np.intp), owners, owners)


def _child(seed: int) -> Pairs:
    """Evidence of the program and the level of the reader, segment by segment."""
    rng = np.random.default_rng(seed)
    recipe = random_recipe(rng)
    camera = replace(recipe.camera, rows=1024, columns=256, pixel_mm=2.4, collimator="LEHR", anterior_counts=2.5e5)
    made = simulate_planar(replace(recipe, camera=camera), seed)
    reading = read(made.study, plan_for(made.study)).reading
    levels = {segment: _level(made, segment, rng) for segment in SIOPEN if _assessed(made.reading, segment)}
    sites = {s.site: s for s in reading.sites if s.site in levels and s.status == "assessed"}
    found = {name: evidence(name, site.measures, reading.findings, NETWORK) for name, site in sites.items()}
    return [(one, levels[name]) for name, one in found.items() if one]


def _assessed(reading: Reading, segment: str) -> bool:
    site = reading.site(segment)
    return site is not None and site.status == "assessed"


def _level(made: Simulation, segment: str, rng: np.random.Generator) -> int:
    """What the reader with his habits says of the truth."""
    units = SIOPEN[segment]
    case = Case(made.study, made.mapped, made.reading.findings)
    fraction = extent(case, units, 0.5, ScoreOptions()).fraction
    foci = [f for f in made.reading.findings if f.site in units and f.kind == "focal"]
    contrasts = [m.value for f in foci for m in f.measures if m.name == "contrast_to_noise" and m.value >= SEEN]
    if fraction:
        return 4 + (fraction >= 0.3) + (fraction > 0.95)
    if segment.startswith("distal") and len(contrasts) == 1 and contrasts[0] < FAINT and rng.random() < 0.5:
        return 0
    return 4 if len(contrasts) >= 3 else len(contrasts)


ROWS: Mapping[str, Callable[[], Mapping[str, Any]]] = MappingProxyType({"adaptation": adaptation})
