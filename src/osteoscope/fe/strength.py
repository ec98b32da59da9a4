"""What load a bone still carries, and what each of its lesions costs.

A lesion's cost: the failure load with all lesions against that with this one replaced by the bone's own healthy tissue.
Intervals: each uncertainty alone moves the result on coarser elements in fewer steps (relative to the same unmoved),
an eighth of the cost of the central run; the moves are added as squares. Elastic stiffness alone, cheaper still, would
not do: yield stress goes with another power of density, and what fails need not be what is compliant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.finding import Measure
from osteoscope.domain.reading import Gap
from osteoscope.errors import OsteoscopeError, UnsuitableStudyError
from osteoscope.fe.bone import Bone
from osteoscope.fe.cases import corrected
from osteoscope.fe.loads import UPRIGHT, Tilt, Trial
from osteoscope.fe.mesh import Material
from osteoscope.fe.plastic import PushOptions, push
from osteoscope.fe.rigidity import Rigidity, rigidity, weakest
from osteoscope.fe.site import first_failure
from osteoscope.fe.solution import Curve
from osteoscope.fe.strength_record import LesionCost, Setting, Strength, Term

Progress = Callable[[str, int, int], None]
GRAVITY = 9.81
# What moves the result: degrees of the axis, voxels of the mask, factors on lesion tissue (METABONE, S64: little in
# small lesions, more in large ones; the range is a choice).
TILT_DEGREES, LESION_FACTORS = 5.0, (0.5, 2.0)
_WHOLE_SECTION, _LESION_TERM = 0.9, "lesion tissue"
# Of the runs behind the interval, where both sides of a ratio are pushed alike.
_FEWER_STEPS = PushOptions(steps=5)


def strength(bone: Bone, setting: Setting, progress: Progress = lambda *_: None) -> Strength:
    """Test a bone with and without its lesions.

    Raises:
        UnsuitableStudyError: the bone cannot be tested: cut by the field, metal, a lesion through the whole section.
        NotConvergedError: the solver did not reach its tolerance.
    """
    return _Test(bone, setting, progress).result()


class _Test:
    def __init__(self, bone: Bone, setting: Setting, progress: Progress) -> None:
        self.setting, self.progress = setting, progress
        self.case, self.law = setting.case, setting.material.law
        self.marks = corrected(self.case.marks(bone), setting.landmarks)
        far = self.case.beyond(bone, self.marks, setting.size)
        self.gaps = [Gap(name, "strength_loss", "the lesion lies below the part that is modelled") for name in far]
        self.bone = replace(bone, lesions={n: m for n, m in bone.lesions.items() if n not in far})
        sick = bool(self.bone.lesions)
        self.done, self.runs = 0, 1 + len(self.bone.lesions) + (len(self.bone.lesions) > 1)
        if setting.interval_size:
            self.runs += (1 + sick) * (1 + len(list(self._moves()))) - sick * len(LESION_FACTORS)

    def result(self) -> Strength:
        trial = self._trial(self.bone, self.setting.material, self.setting.size)
        _refuse_whole_section(trial, self.bone.site)
        curve = self._push(trial)
        twins = {name: self._twin((name,)) for name in self.bone.lesions}
        whole = self._twin(tuple(self.bone.lesions)) if len(twins) > 1 else next(iter(twins.values()), None)
        terms = self._terms()
        profile = rigidity(trial.mesh, self.law.poisson)
        absolute = self.setting.material.calibration.absolute
        if not absolute:
            reason = f"no calibration of density ({self.setting.material.calibration.method}): only ratios are given"
            self.gaps.append(Gap(self.bone.site, "failure_load", reason))
        return Strength(
            self.bone.site, self.setting, self.marks,
            tuple(self._measures(curve, terms)) + tuple(self._losses("", curve, whole, terms)),
            tuple(self._cost(name, (trial, curve), twin, (profile, terms)) for name, twin in twins.items()),
            terms, tuple(self.gaps), tuple(self._notes(trial, curve)), first_failure(trial, curve), self.bone, trial,
            curve, whole[1] if whole else None, (profile, whole[2] if whole else None),
        )  # fmt: skip

    def _trial(self, bone: Bone, material: Material, size: float, tilt: Tilt = UPRIGHT) -> Trial:
        return self.case.trial(bone, self.marks, material, size, tilt)

    def _push(self, trial: Trial, options: PushOptions | None = None) -> Curve:
        self.progress(f"load {self.bone.site}", self.done, self.runs)
        self.done += 1
        return push(trial.model, trial.supports, options)

    def _twin(self, names: tuple[str, ...]) -> tuple[Trial, Curve, Rigidity] | None:
        """The bone with these lesions healed; None, and a gap, where there is nothing to heal them with."""
        try:
            healed = self._trial(self.bone.healed(names), self.setting.material, self.setting.size)
            return healed, self._push(healed), rigidity(healed.mesh, self.law.poisson)
        except OsteoscopeError as error:
            self.gaps += [Gap(name, "strength_loss", f"{error.asked}: {error.found}") for name in names]
            return None

    def _moves(self) -> Iterator[tuple[str, Bone, Material, Tilt]]:
        """Every uncertainty, both ways."""
        bone, material = self.bone, self.setting.material
        spread = material.calibration.spread
        for factor in (1 - spread, 1 + spread):
            yield "calibration", bone, replace(material, calibration=material.calibration.scaled(factor)), UPRIGHT
        for voxels in (-1, 1):
            yield "mask", bone.grown(voxels), material, UPRIGHT
        for tilt in ((TILT_DEGREES, 0.0), (-TILT_DEGREES, 0.0), (0.0, TILT_DEGREES), (0.0, -TILT_DEGREES)):
            yield "axis", bone, material, tilt
        for factor in LESION_FACTORS if bone.lesions else ():
            yield _LESION_TERM, bone, replace(material, lesion_factor=factor), UPRIGHT

    def _terms(self) -> tuple[Term, ...]:
        size = self.setting.interval_size
        if not size:
            return ()
        try:
            own, twin = self._pair(self.bone, self.setting.material, UPRIGHT)
        except OsteoscopeError as error:
            self.gaps.append(Gap(self.bone.site, "interval", f"{error.asked}: {error.found}"))
            return ()
        moved: dict[str, list[tuple[float, float]]] = {}
        for name, bone, material, tilt in self._moves():
            try:
                load, healed = self._pair(bone, material, tilt, twin if name == _LESION_TERM else 0.0)
            except OsteoscopeError as error:
                self.gaps.append(Gap(self.bone.site, f"interval, {name}", f"{error.asked}: {error.found}"))
                continue
            moved.setdefault(name, []).append((load / own - 1, (load / healed) / (own / twin) - 1))
        return tuple(
            Term(name, *((min(0.0, *column), max(0.0, *column)) for column in zip(*rows, strict=True)))
            for name, rows in moved.items()
        )

    def _pair(self, bone: Bone, material: Material, tilt: Tilt, healed: float = 0.0) -> tuple[float, float]:
        """Failure loads of a bone and of its healed twin, ``healed`` where that is known."""

        def load(of: Bone) -> float:
            return self._push(self._trial(of, material, self.setting.interval_size, tilt), _FEWER_STEPS).failure_load

        own = load(bone)
        there = [name for name in self.bone.lesions if name in bone.lesions]
        return own, healed or (load(bone.healed(there)) if there else own)

    def _measures(self, curve: Curve, terms: tuple[Term, ...]) -> Iterator[Measure]:
        if not self.setting.material.calibration.absolute:
            return
        low, high = span([term.load for term in terms])
        method = f"{self.case.title}; {self.law.name}; elements of {self.setting.size:g} mm"

        def ranged(name: str, value: float, unit: str, how: str) -> Measure:
            return Measure(name, value, unit, how, (value * (1 - low), value * (1 + high)) if terms else None)

        yield ranged("failure_load", curve.failure_load, "N", f"greatest force, {method}")
        if self.setting.weight_kg:
            weight = self.setting.weight_kg * GRAVITY
            yield ranged("failure_load_by_weight", curve.failure_load / weight, "1", "failure load over body weight")
        else:
            self.gaps.append(Gap(self.bone.site, "failure_load_by_weight", "the patient's weight is not stated"))
        yield ranged("stiffness", curve.stiffness, "N/mm", f"first step, {method}")

    def _losses(
        self, lesion: str, curve: Curve, twin: tuple[Trial, Curve, Rigidity] | None, terms: tuple[Term, ...]
    ) -> Iterator[Measure]:
        if twin is None:
            return
        left = curve.failure_load / twin[1].failure_load
        low, high = span([term.left for term in terms])
        interval = (100 * (1 - left * (1 + high)), 100 * (1 - left * (1 - low))) if terms else None
        what = "this lesion" if lesion else "all lesions"
        method = f"failure load against {what} replaced by the bone's own healthy tissue"
        yield Measure("strength_loss", 100 * (1 - left), "%", method, interval)

    def _cost(
        self,
        lesion: str,
        tested: tuple[Trial, Curve],
        twin: tuple[Trial, Curve, Rigidity] | None,
        of: tuple[Rigidity, tuple[Term, ...]],
    ) -> LesionCost:
        trial, curve = tested
        profile, terms = of
        measures = list(self._losses(lesion, curve, twin, terms))
        compared = in_sections(trial, lesion)
        worst = weakest(profile, twin[2], trial.sections) if twin and compared else None
        method = "of the weakest section against this lesion healed (CTRA)"
        found = worst
        if twin and not compared:
            found = self.case.across(self.bone, lesion, self.marks, self.setting.material, self.setting.size)
            method = "of the weakest section across the neck's axis against this lesion healed (CTRA)"
        if found:
            measures.append(Measure("rigidity_loss", 100 * found.loss, "%", f"{found.kind} rigidity {method}"))
        elif not compared:
            self.gaps.append(Gap(lesion, "rigidity_loss", "the lesion lies above or below the sections compared"))
        return LesionCost(lesion, tuple(measures), worst)

    def _notes(self, trial: Trial, curve: Curve) -> Iterator[str]:
        yield from self.setting.material.calibration.caveats
        yield from self.law.caveats(self.setting.material.calibration.phantom)
        yield from self.bone.notes
        yield from curve.last.notes
        if trial.mesh.extrapolated > 0.2:
            low, high = self.law.valid
            yield (
                f"{100 * trial.mesh.extrapolated:.0f} % of the bone's volume has a density outside of "
                f"{low:g} to {high:g} g/cm3, the range of {self.law.name}: extrapolated there"
            )
        if curve.last.residual > PushOptions().tolerance:
            yield f"forces are balanced to {100 * curve.last.residual:.1f} % of those that act only"
        if not curve.peaked:
            rise = f"{100 * PushOptions().flat:.0f} % of its elastic slope"
            yield f"the force still rose by over {rise} at the end of the test: the failure load is the force there"


def span(changes: list[tuple[float, float]]) -> tuple[float, float]:
    """Relative widths below and above: one-sided changes added as squares."""
    if not changes:
        return 0.0, 0.0
    low, high = np.sqrt((np.asarray(changes) ** 2).sum(axis=0))
    return float(low), float(high)


def in_sections(trial: Trial, lesion: str) -> bool:
    """Whether at least half of a lesion lies in cross-sections that are compared: a femur's head and neck have none."""
    along = trial.mesh.lesions[lesion].sum(axis=(1, 2))
    return bool(along[trial.sections].sum() >= 0.5 * along.sum() > 0)


def _refuse_whole_section(trial: Trial, site: str) -> None:
    most = max(_most_taken(trial, (1, 2), trial.sections), _most_taken(trial, (0, 1), trial.lengthwise))
    if most > _WHOLE_SECTION:
        raise UnsuitableStudyError(
            f"load {site}", f"lesions take {100 * most:.0f} % of one whole section",
            "No law of healthy bone holds there: treat it as not bearing",
        )  # fmt: skip


def _most_taken(trial: Trial, within: tuple[int, int], layers: NDArray[np.bool_]) -> float:
    """Greatest share of lesions in layers that run along the axes ``within``."""
    bone = trial.mesh.share.sum(axis=within)
    sick = sum((share.sum(axis=within) for share in trial.mesh.lesions.values()), np.zeros_like(bone))
    taken = np.divide(sick, bone, out=np.zeros_like(bone), where=bone > 0)
    return float(taken[np.flatnonzero(layers)].max(initial=0.0))
