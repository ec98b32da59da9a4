"""The run of a training: what it began with, and which scans it has learnt from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from osteoscope.deliver.ct_outputs import OTHER_FOLDER, SPLIT_FILE, read_kept, write_kept
from osteoscope.deliver.ct_prepared import Prepared
from osteoscope.errors import IntakeError
from osteoscope.find.model import Model
from osteoscope.train.ct_lesion_tune import TuneOptions, tune
from osteoscope.train.fitting import examples_done

_BEGUN_FILE, _LEARNT_FILE = "begun.json", "learnt.json"
_SHOWN = 4


@dataclass(frozen=True)
class Begun:
    """begun.json: SHA-256 of the model that a run began with, "" where it is new; and the width of a new network."""

    start: str
    width: int
    schema: Literal["osteoscope/ct-begun/1"] = "osteoscope/ct-begun/1"


@dataclass(frozen=True)
class LearntScan:
    """A scan that steps were made on: whose it is, how many lesions it shows, SHA-256 of its labels."""

    patient: str
    lesions: int
    marks: str


@dataclass(frozen=True)
class Learnt:
    """learnt.json: the scans that the steps of a run were drawn from, by the digest of their CT."""

    scans: Mapping[str, LearntScan] = field(default_factory=dict)
    schema: Literal["osteoscope/ct-learnt/1"] = "osteoscope/ct-learnt/1"

    def __post_init__(self) -> None:
        object.__setattr__(self, "scans", MappingProxyType(dict(self.scans)))

    def with_all(self, cases: Sequence[Prepared]) -> Learnt:
        """With the scans of a further step."""
        new = {case.whose.ct: LearntScan(case.patient, case.lesions, case.marks) for case in cases}
        return Learnt({**self.scans, **new})


def begin_run(folder: Path, start: Model | None, width: int) -> None:
    """Note what a run began with, or see that it is the same.

    Args:
        folder: of the run.
        start: the model to go on from, None for a new network.
        width: of a new network.

    Raises:
        IntakeError: it began with another model or width, or an earlier version left it.
        OutputError: the folder cannot be written.
    """
    begun = Begun(start.card.sha256 if start else "", 0 if start else width)
    stored = read_kept(Begun, folder / _BEGUN_FILE)
    for name, there in ((_BEGUN_FILE, stored), (SPLIT_FILE, (folder.parent / SPLIT_FILE).is_file())):
        if not there and examples_done(folder):
            _refuse(folder, name)
    if stored not in {None, begun}:
        found = "a run that began with another model or another width"
        raise IntakeError(f"go on in {folder}", found, "Give the same options, or another folder with -o")
    write_kept(begun, folder / _BEGUN_FILE)


def learnt(folder: Path) -> Learnt:
    """The scans that a run has learnt from.

    Raises:
        IntakeError: weights are there, and no list of scans that can be read.
    """
    stored = read_kept(Learnt, folder / _LEARNT_FILE)
    if stored is None and examples_done(folder):
        _refuse(folder, _LEARNT_FILE)
    return stored or Learnt()


def learn(
    folder: Path, cases: Sequence[Prepared], start: Model | None, options: TuneOptions
) -> Iterator[Mapping[str, float]]:
    """Train, or go on where a run stopped, and note what it has learnt from; yields the losses of `tune`.

    Args:
        folder: of the run.
        cases: to train on.
        start: the model that it began with.
        options: see `TuneOptions`.

    Raises:
        IntakeError: no step is left for scans that were added or marked anew.
        ModelError: the training diverged.
    """
    done = examples_done(folder)
    _check_steps_left(folder, cases, done, options)
    for line in tune([case.scan for case in cases], folder, start, options):
        _note(folder, cases)
        yield line
    if examples_done(folder) > done:
        _note(folder, cases)


def _note(folder: Path, cases: Sequence[Prepared]) -> None:
    stored = read_kept(Learnt, folder / _LEARNT_FILE) or Learnt()
    if stored.with_all(cases) != stored:
        write_kept(stored.with_all(cases), folder / _LEARNT_FILE)


def _check_steps_left(folder: Path, cases: Sequence[Prepared], done: int, options: TuneOptions) -> None:
    seen = learnt(folder).scans
    new = [case.case.name for case in cases if case.whose.ct not in seen or seen[case.whose.ct].marks != case.marks]
    if done and options.steps * options.batch - done < options.batch and new:
        named = ", ".join(new[:_SHOWN]) + (f" and {len(new) - _SHOWN} more" if len(new) > _SHOWN else "")
        steps = done // options.batch
        found = f"{steps} steps are done, none is left for scans that were added or marked anew ({named})"
        raise IntakeError(f"go on in {folder}", found, f"Give more --steps than {steps}")


def _refuse(folder: Path, lacking: str) -> None:
    found = f"weights of a run without {lacking}: it was removed, or an earlier version made them"
    raise IntakeError(f"go on in {folder}", found, OTHER_FOLDER.capitalize())
