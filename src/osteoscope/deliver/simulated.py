"""Simulated studies as files: DICOM beside the truth."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from osteoscope.deliver.outputs import write_reading
from osteoscope.deliver.own_files import files_below
from osteoscope.dicom.write_ct import write_ct
from osteoscope.dicom.write_nifti import write_bone_labels
from osteoscope.dicom.write_nm import write_nm
from osteoscope.domain.reading import Case, Reading
from osteoscope.domain.study import Study
from osteoscope.errors import InvalidValueError, OsteoscopeError, OutputError
from osteoscope.simulate.ct import CtRecipe, random_ct_recipe, simulate_ct
from osteoscope.simulate.planar import ChildRecipe, random_recipe, simulate_planar

Progress = Callable[[str, int, int], None]
_SHOWN = 3


@dataclass(frozen=True)
class Simulated:
    """What became of several studies.

    Args:
        folders: of those that were made.
        faults: a line for each that was not, with the reason.
    """

    folders: tuple[Path, ...]
    faults: tuple[str, ...] = ()


def write_child(recipe: ChildRecipe, seed: int, folder: Path) -> None:
    """Simulate a child's scan and write ``dicom/`` and ``truth.json`` into the folder."""
    made = simulate_planar(recipe, seed)
    with _draft(folder) as draft:
        _write(made.study, made.reading, draft, write_nm)


def write_trunk(recipe: CtRecipe, seed: int, folder: Path) -> None:
    """Simulate a CT and write ``dicom/``, ``truth.json`` and the masks of its bones into the folder."""
    made = simulate_ct(recipe, seed)
    with _draft(folder) as draft:
        _write(made.study, made.reading, draft, write_ct)
        write_bone_labels(Case(made.study, made.mapped, made.reading.findings), draft / "truth_bones.nii.gz")


def _write(study: Study, truth: Reading, folder: Path, write: Callable[[Study, Path], object]) -> None:
    write(study, folder / "dicom")
    write_reading(truth, folder / "truth.json")


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    """Where the files of a study are written; they take their places in its folder once all are there.

    Raises:
        OutputError: the folder cannot be written, or files of another series would stay among those of this one.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".osteoscope-", dir=folder) as scratch:
            draft = Path(scratch)
            yield draft
            names = files_below(draft)
            _refuse_others(folder, names)
            for name in names:
                (folder / name).parent.mkdir(exist_ok=True)
                (draft / name).replace(folder / name)
    except OSError as error:
        raise OutputError(f"write {folder}", str(error), "Choose a folder that can be written with -o") from error


def _refuse_others(folder: Path, names: Sequence[str]) -> None:
    there = [name for name in files_below(folder / "dicom") if not Path(name).name.startswith(".")]
    if others := [name for name in there if f"dicom/{name}" not in names]:
        found = f"{len(others)} files of another series ({', '.join(others[:_SHOWN])})"
        raise OutputError(f"write {folder / 'dicom'}", found, "Move them away, or choose another folder with -o")


SIMULATORS: Mapping[str, Callable[[int, Path], None]] = MappingProxyType(
    {
        "planar": lambda seed, folder: write_child(random_recipe(np.random.default_rng(seed)), seed, folder),
        "ct": lambda seed, folder: write_trunk(random_ct_recipe(np.random.default_rng(seed)), seed, folder),
    }
)


def write_simulated(kind: str, seeds: Sequence[int], output: Path, progress: Progress) -> Simulated:
    """Write one study of a random recipe per seed into ``output/KIND-SEED``: dicom/ and truth.json.

    A study that cannot be made, such as one with a lesion that finds no room in its bone, does not stop the others.

    Raises:
        InvalidValueError: the kind is in no row of the table, or a seed is negative.
        OutputError: the folder cannot be made.
    """
    if kind not in SIMULATORS:
        raise InvalidValueError("simulate a study", f"kind {kind!r}", f"Choose one of {sorted(SIMULATORS)}")
    if any(seed < 0 for seed in seeds):
        raise InvalidValueError("simulate a study", f"seed {min(seeds)}", "Give a seed of at least 0")
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"write {output}", str(error), "Choose a folder that can be written with -o") from error
    folders, faults = [], []
    for number, seed in enumerate(seeds):
        progress(f"simulate {kind} {seed}", number, len(seeds))
        folder = output / f"{kind}-{seed:04d}"
        try:
            SIMULATORS[kind](seed, folder)
        except OsteoscopeError as error:
            faults.append(f"{folder.name}: {error}")
        else:
            folders.append(folder)
    return Simulated(tuple(folders), tuple(faults))
