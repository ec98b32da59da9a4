"""Simulated studies as files: DICOM beside the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np

from osteoscope.deliver.outputs import write_reading
from osteoscope.dicom.write_ct import write_ct
from osteoscope.dicom.write_nifti import write_bone_labels
from osteoscope.dicom.write_nm import write_nm
from osteoscope.domain.reading import Case, Reading
from osteoscope.domain.study import Study
from osteoscope.errors import InvalidValueError
from osteoscope.simulate.ct import CtRecipe, random_ct_recipe, simulate_ct
from osteoscope.simulate.planar import ChildRecipe, random_recipe, simulate_planar

Progress = Callable[[str, int, int], None]


def write_child(recipe: ChildRecipe, seed: int, folder: Path) -> None:
    """Simulate a child's scan and write ``dicom/`` and ``truth.json`` into the folder."""
    made = simulate_planar(recipe, seed)
    _write(made.study, made.reading, folder, write_nm)


def write_trunk(recipe: CtRecipe, seed: int, folder: Path) -> None:
    """Simulate a CT and write ``dicom/``, ``truth.json`` and the masks of its bones into the folder."""
    made = simulate_ct(recipe, seed)
    _write(made.study, made.reading, folder, write_ct)
    write_bone_labels(Case(made.study, made.mapped, made.reading.findings), folder / "truth_bones.nii.gz")


def _write(study: Study, truth: Reading, folder: Path, write: Callable[[Study, Path], object]) -> None:
    write(study, folder / "dicom")
    write_reading(truth, folder / "truth.json")


SIMULATORS: Mapping[str, Callable[[int, Path], None]] = MappingProxyType(
    {
        "planar": lambda seed, folder: write_child(random_recipe(np.random.default_rng(seed)), seed, folder),
        "ct": lambda seed, folder: write_trunk(random_ct_recipe(np.random.default_rng(seed)), seed, folder),
    }
)


def write_simulated(kind: str, seeds: Sequence[int], output: Path, progress: Progress) -> tuple[Path, ...]:
    """Write one study of a random recipe per seed into ``output/KIND-SEED``: dicom/ and truth.json.

    Raises:
        InvalidValueError: the kind is in no row of the table.
    """
    if kind not in SIMULATORS:
        raise InvalidValueError("simulate a study", f"kind {kind!r}", f"Choose one of {sorted(SIMULATORS)}")
    folders = []
    for number, seed in enumerate(seeds):
        progress(f"simulate {kind} {seed}", number, len(seeds))
        folders.append(output / f"{kind}-{seed:04d}")
        SIMULATORS[kind](seed, folders[-1])
    return tuple(folders)
