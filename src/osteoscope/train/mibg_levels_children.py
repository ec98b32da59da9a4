"""Children to learn levels from: simulated, read by counting, and what the truth says of each segment."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from osteoscope.domain import codec
from osteoscope.domain.reading import Case, Reading
from osteoscope.errors import OsteoscopeError
from osteoscope.find.model import shipped
from osteoscope.find.planar_maps import MODEL
from osteoscope.measure.level_head import Signs, signs_of
from osteoscope.measure.score_chance import level_chances
from osteoscope.measure.score_tables import SCHEME_NAMES, SchemeName, ScoreOptions, scheme
from osteoscope.reading.planar_plans import MIBG, scored_by
from osteoscope.reading.read import read
from osteoscope.simulate.cohort import balanced_recipe, random_recipe
from osteoscope.simulate.planar import simulate_planar
from osteoscope.train.made_of import key_of
from osteoscope.train.planar_bodies import some_body, some_holes
from osteoscope.train.written import written

# Beyond the seeds of the bench, of the tests and of the bodies that the network was trained on.
FIRST_SEED = 2_000_000
# One child of so many is drawn with every level alike, so that all levels of all segments are seen.
_BALANCED_OF = 7
_COUNTED = ScoreOptions()


@dataclass(frozen=True)
class Row:
    """A segment of a child: what counting says of it, the Signs, and its true level.

    Args:
        score: "siopen" or "curie".
        level: the truth.
        counted: the level that counting gives.
        chances: of each level by counting.
        signs: of the segment.
    """

    score: SchemeName
    level: int
    counted: int
    chances: tuple[float, ...]
    signs: Signs


def rows_of(case: Case, truth: Reading) -> Iterator[Row]:
    """Every segment that has a level in both, of a Case whose sites were scored by counting."""
    sites = {site.site: site for site in case.sites}
    for score in SCHEME_NAMES:
        table = scheme(score, _COUNTED)
        for segment, units in table.members.items():
            told, said = truth.site(segment), sites.get(segment)
            level, counted = (one.measure(score) if one else None for one in (told, said))
            fraction = said.measure(f"{score}_diffuse_fraction") if said else None
            if level is None or counted is None or fraction is None:
                continue
            chances = level_chances(case, units, table, _COUNTED)
            signs = signs_of(case.findings, table, segment, fraction.value)
            yield Row(score, round(level.value), round(counted.value), tuple(chances.tolist()), signs)


def children_folder(work: Path, phantoms: Sequence[Path] = ()) -> Path:
    """Where the children of these phantoms lie as the shipped planar network reads them; another one finds others.

    Raises:
        ModelError: the network cannot be loaded.
        InvalidValueError: a phantom cannot be read.
    """
    planar = shipped(MODEL).card
    return work / f"children-{planar.version}-{key_of(phantoms, planar.sha256)}"


def write_child(number: int, folder: Path, phantoms: Sequence[Path] = ()) -> Path:
    """The rows of child `number`, unless they are there; a child that cannot be read has none."""
    path = folder / f"child_{number:05d}.json"
    if not path.exists():
        rows = list(_rows(number, phantoms))
        with written(path) as unfinished:
            unfinished.write_text(json.dumps([codec.encode(row) for row in rows]))
    return path


def _rows(number: int, phantoms: Sequence[Path]) -> Iterator[Row]:
    seed = FIRST_SEED + number
    rng = np.random.default_rng(seed)
    recipe = (random_recipe if number % _BALANCED_OF else balanced_recipe)(rng)
    recipe = replace(recipe, camera=replace(recipe.camera, drawn_holes=some_holes(rng)))
    try:
        made = simulate_planar(recipe, seed, some_body(number, phantoms, recipe, rng))
        case = read(made.study, scored_by(MIBG, ("level=counted",))).case
    except OsteoscopeError:
        return
    yield from rows_of(case, made.reading)


def write_children(numbers: Sequence[int], folder: Path, workers: int, phantoms: Sequence[Path] = ()) -> Iterator[Path]:
    """Make all of them on several cores."""
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(partial(write_child, folder=folder, phantoms=phantoms), numbers)


def rows_in(path: Path) -> tuple[Row, ...]:
    """What `write_child` wrote."""
    return tuple(codec.decode(Row, row) for row in json.loads(path.read_text()))
