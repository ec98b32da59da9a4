"""Scans to train on: simulated ones by number, and real ones without known lesions, by their licence."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from osteoscope.dicom.load import load, scan
from osteoscope.domain.reading import regions_of
from osteoscope.domain.study import Study
from osteoscope.errors import OsteoscopeError, UnsuitableStudyError
from osteoscope.find.ct_bones_network import map_bones
from osteoscope.find.ct_lesion_windows import STEP_MM
from osteoscope.simulate.ct import CtRecipe, random_ct_recipe, simulate_ct
from osteoscope.simulate.ct_make import random_make
from osteoscope.train.ct_scans import prepare

# Beyond the seeds of the benchmark and of the tests (all below 1,000,000).
FIRST_SEED = 2_000_000
# Finer pixels cost time and do not show at the network's spacing.
_FINEST_MM = STEP_MM / 1.2
_LICENCE = re.compile(r"^(?:repository )?licence:\s*(.*)$", re.IGNORECASE | re.MULTILINE)
_FREE = re.compile(r"\b(?:apache|bsd|mit|cc by (?:3|4)\.0)\b", re.IGNORECASE)
_SHOWN = 3
_DOUBT = re.compile(r"\bnone\b|from knowledge", re.IGNORECASE)


def scan_recipe(rng: np.random.Generator) -> CtRecipe:
    """A random recipe with bones of any make, no finer in the plane than the network sees."""
    recipe = random_ct_recipe(rng)
    distance, row, column = recipe.spacing_mm
    spacing = (distance, max(row, _FINEST_MM), max(column, _FINEST_MM))
    return replace(recipe, patient=replace(recipe.patient, make=random_make(rng)), spacing_mm=spacing)


def write_simulated(number: int, folder: Path) -> Path:
    """Simulate and prepare scan ``number``, unless it is there; the same number gives the same scan."""
    path = folder / f"simulated_{number:05d}.npz"
    if path.exists():
        return path
    rng = np.random.default_rng(FIRST_SEED + number)
    made = None
    while made is None:
        try:
            made = simulate_ct(scan_recipe(rng), int(rng.integers(2**31)))
        except OsteoscopeError:  # a bone had no room in its field: the next recipe then
            made = None
    lesions = [finding.region for finding in made.reading.findings]
    prepared = prepare(made.study, regions_of(made.mapped), lesions, [a.region for a in made.reading.set_aside])
    return prepared.save(path)


def write_all_simulated(numbers: Sequence[int], folder: Path, workers: int) -> Iterator[Path]:
    """Make all of them on several cores."""
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(partial(write_simulated, folder=folder), numbers)


def may_train(source: str) -> bool:
    """Whether the text of a SOURCE.txt states Apache, BSD, MIT or CC BY; hearsay ("from knowledge") does not count."""
    stated = _LICENCE.search(source)
    return bool(stated and _FREE.search(stated[1]) and not _DOUBT.search(stated[1]))


@dataclass(frozen=True)
class Real:
    """A real scan: its file, a name, and whether its licence lets a model be trained on it."""

    path: Path
    name: str
    free: bool


def find_real(folder: Path) -> list[Real]:
    """The volumes (.nii.gz) of all folders with a SOURCE.txt within a folder, label maps left out."""
    found = []
    for source in sorted(folder.rglob("SOURCE.txt")):
        free = may_train(source.read_text(encoding="utf-8"))
        volumes = [path for path in sorted(source.parent.glob("*.nii.gz")) if "_seg" not in f"_{path.name}"]
        found += [Real(path, f"{source.parent.name}_{path.name.removesuffix('.nii.gz')}", free) for path in volumes]
    return found


def write_real(real: Real, folder: Path) -> Path:
    """Prepare a real scan, unless it is there.

    Its bones are those that a reading maps: geometry alone takes costal cartilage for bone.

    Raises:
        OsteoscopeError: it cannot be read, or holds hardly any bone.
    """
    path = folder / f"{real.name}.npz"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    study = read_study(real.path)
    return prepare(study, regions_of(map_bones(study)), (), ()).save(path)


def read_study(path: Path) -> Study:
    """The one CT of a file or folder.

    Raises:
        UnsuitableStudyError: it holds none, or several.
    """
    with tempfile.TemporaryDirectory() as scratch:
        candidates = [one for one in scan(path, Path(scratch)).candidates if one.kind == "ct"]
        arrived = [load(one, Path(scratch)) for one in candidates]
        found = [(one.label, one.study) for one in arrived if one.study is not None]
        if len(found) > 1:
            named = ", ".join(label for label, _ in found[:_SHOWN])
            raise UnsuitableStudyError(f"read {path}", f"{len(found)} CTs in it ({named})", "Give a folder with one")
        for _, study in found:
            image = study.images["ct"]
            return replace(study, images={"ct": replace(image, values=np.array(image.values))})
    refused = [note.problem for one in arrived for note in one.notes if note.level == "refused"]
    why = f" ({refused[0]})" if refused else ""
    raise UnsuitableStudyError(f"read {path}", f"no CT in it{why}", "Give a CT volume")
