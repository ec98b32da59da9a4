"""Who trains, who calibrates, who is held out: drawn once, kept whatever becomes of the dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from osteoscope.deliver.ct_outputs import OTHER_FOLDER, SPLIT_SCHEMA, read_kept, write_kept
from osteoscope.deliver.ct_patients import Patients, patients_of
from osteoscope.deliver.ct_prepared import Prepared
from osteoscope.deliver.ratings import Problem
from osteoscope.errors import IntakeError, InvalidValueError, UnsuitableStudyError
from osteoscope.train.ct_lesion_tune import Split, split

_ROLES = ("training", "calibration", "held_out")
_SHOWN = 8


@dataclass(frozen=True)
class Stored:
    """split.json.

    Args:
        training, calibration, held_out: patients, also those that are not in the dataset now.
        known_by: what each is told by: ids, studies, digests of CTs (`osteoscope.deliver.ct_patients`).
        share, seed: that it was drawn with.
    """

    training: tuple[str, ...]
    calibration: tuple[str, ...]
    held_out: tuple[str, ...]
    known_by: Mapping[str, tuple[str, ...]]
    share: float
    seed: int
    schema: Literal["osteoscope/ct-split/1"] = SPLIT_SCHEMA

    def __post_init__(self) -> None:
        object.__setattr__(self, "known_by", MappingProxyType(dict(self.known_by)))
        if sorted(self.known_by) != sorted((*self.training, *self.calibration, *self.held_out)):
            found = "patients of two roles or of none"
            raise InvalidValueError("keep a split", found, "Give each patient one role and what it is known by")

    @property
    def roles(self) -> dict[str, str]:
        """The role of each patient."""
        return {patient: role for role in _ROLES for patient in getattr(self, role)}


@dataclass(frozen=True)
class Divided:
    """Cases by role; ``split`` also names patients of an earlier run that are not in the dataset now."""

    split: Split
    training: tuple[Prepared, ...]
    calibration: tuple[Prepared, ...]
    held_out: tuple[Prepared, ...]
    problems: tuple[Problem, ...]


def divide(cases: Sequence[Prepared], path: Path, drawn: tuple[float, int], elder: Stored | None = None) -> Divided:
    """The split of a dataset as written before, so that nothing trained on is held out; new patients join training.

    Args:
        cases: of the dataset, each CT once.
        path: of split.json; written.
        drawn: share of the patients held out, and the seed.
        elder: split of the training that made the model to go on from; kept where it knows a patient of the dataset.

    Raises:
        IntakeError: the split of before cannot be read; a patient has two roles, or a name another CT than before;
            another share or seed than before; or nobody is left of a role.
        UnsuitableStudyError: fewer than three patients where there is no split.
        OutputError: the split cannot be written.
    """
    whose = [case.whose for case in cases]
    stored, problems = read_kept(Stored, path), []
    if stored is not None and (stored.share, stored.seed) != drawn:
        found = f"a split drawn with --held-out {stored.share:g} --seed {stored.seed}, and another is asked for"
        raise IntakeError(f"go on in {path.parent}", found, f"Give the same, or {OTHER_FOLDER}")
    if stored is None and elder is not None and any(patients_of(whose, elder.known_by).before.values()):
        stored = elder
        found = "the split is that of the training that made the model to start from, since patients are the same"
        problems.append(Problem(str(path), None, "", found, "--held-out and --seed do not change it", lost=False))
    found_now = patients_of(whose, stored.known_by if stored else {})
    parts = _kept(found_now, stored, path) if stored else _drawn(found_now, drawn)
    own = {patient: found_now.known_by[patient] for role in _ROLES for patient in getattr(parts, role)}
    by_role = _by_role(cases, found_now, parts, path)
    write_kept(Stored(parts.training, parts.calibration, parts.held_out, own, *drawn), path)
    return Divided(parts, *by_role, (*problems, *found_now.problems, *_absent(found_now, parts, path)))


def _drawn(now: Patients, drawn: tuple[float, int]) -> Split:
    try:
        return split(list(now.of.values()), *drawn)
    except UnsuitableStudyError as error:
        joined = "".join(f"; {problem.found}" for problem in now.problems)
        raise UnsuitableStudyError(error.asked, f"{error.found}{joined}", error.remedy) from error


def _kept(now: Patients, stored: Stored, path: Path) -> Split:
    if now.clashes:
        found = f"{_shown(now.clashes)}: another CT than before, and nothing tells that it is of the same patient"
        remedy = "Give new scans names of their own, or the patient's id; or " + OTHER_FOLDER
        raise IntakeError(f"go on in {path.parent}", found, remedy)
    roles = stored.roles
    made = dict(roles)
    for patient, then in now.before.items():
        had = {roles[name] for name in then}
        if len(had) > 1:
            found = f"{', '.join(map(repr, then))} are one patient now, of several parts of the split"
            raise IntakeError(f"go on in {path.parent}", found, f"Name patients as before, or {OTHER_FOLDER}")
        for name in then:
            del made[name]
        made[patient] = next(iter(had), "training")
    return Split(*(tuple(sorted(name for name, role in made.items() if role == wanted)) for wanted in _ROLES))


def _by_role(
    cases: Sequence[Prepared], now: Patients, parts: Split, path: Path
) -> tuple[tuple[Prepared, ...], tuple[Prepared, ...], tuple[Prepared, ...]]:
    named = [replace(case, patient=now.of[case.case.name]) for case in cases]
    training, calibration, held_out = (
        tuple(case for case in named if case.patient in getattr(parts, role)) for role in _ROLES
    )
    for role, there in zip(_ROLES, (training, calibration, held_out), strict=True):
        if not there:
            found = f"all patients of the part {role.replace('_', ' ')!r} are no longer in the dataset"
            remedy = f"Give them again ({_shown(getattr(parts, role))}), or another folder with -o"
            raise IntakeError(f"go on in {path.parent}", found, remedy)
    return training, calibration, held_out


def _absent(now: Patients, parts: Split, path: Path) -> list[Problem]:
    present = set(now.of.values())
    away = [f"{name} ({role.replace('_', ' ')})" for role in _ROLES for name in getattr(parts, role)
            if name not in present]  # fmt: skip
    found = f"not in the dataset now, or not usable: {_shown(away)}; they keep their part of the split"
    remedy = "Nothing to do if that is meant; figures on other held-out patients are not comparable"
    return [Problem(str(path), None, "", found, remedy, lost=False)] if away else []


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
