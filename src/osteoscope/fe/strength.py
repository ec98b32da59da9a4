"""What load a bone still carries, and what each of its lesions costs.

A lesion's cost: the failure load with all lesions against that with this one replaced by the bone's own healthy tissue.
Intervals: each uncertainty alone moves the result on coarser elements in fewer steps (relative to the same unmoved),
an eighth of the cost of the central run; the moves are added as squares. Elastic stiffness alone, cheaper still, would
not do: yield stress goes with another power of density, and what fails need not be what is compliant.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

from osteoscope.domain.finding import Measure
from osteoscope.domain.reading import Gap
from osteoscope.errors import OsteoscopeError
from osteoscope.fe.bone import Bone
from osteoscope.fe.cases import corrected
from osteoscope.fe.interval import LESION_FACTORS, LESION_TERM, moves, span, terms_of
from osteoscope.fe.loads import UPRIGHT, Tilt, Trial
from osteoscope.fe.mesh import Material
from osteoscope.fe.plastic import PushOptions, push
from osteoscope.fe.rigidity import Rigidity, rigidity, weakest
from osteoscope.fe.site import first_failure
from osteoscope.fe.solution import Curve
from osteoscope.fe.strength_record import LesionCost, Setting, Strength, Term
from osteoscope.fe.whole_section import refuse_whole_section, refuse_whole_section_outside

Progress = Callable[[str, int, int], None]
GRAVITY = 9.81
_BELOW = "the lesion lies below the part that is modelled"
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
        self.marks = corrected(self.case, bone, self.case.marks(bone), setting.landmarks)
        held = self.case.beyond(bone, self.marks, setting.size)
        self.partly = {name: share for name, share in held.items() if share}
        self.far = {name: bone.lesions[name] for name, share in held.items() if not share}
        refuse_whole_section_outside(bone, self.far, self.marks.axis)
        self.gaps = [Gap(name, "strength_loss", _BELOW) for name in self.far]
        self.bone = self._reached(bone)
        sick = bool(self.bone.lesions)
        self.done, self.runs = 0, 1 + len(self.bone.lesions) + (len(self.bone.lesions) > 1)
        if setting.interval_size:
            self.moves = list(moves(self.bone, setting.material))
            self.runs += (1 + sick) * (1 + len(self.moves)) - sick * len(LESION_FACTORS)

    def result(self) -> Strength:
        trial = self._trial(self.bone, self.setting.material, self.setting.size)
        refuse_whole_section(trial, self.bone.site)
        curve = self._push(trial)
        # Without the pieces that nothing holds, which the solver left out.
        trial = replace(trial, model=curve.last.model)
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
            curve, whole[1] if whole else None, (profile, whole[2] if whole else None), self.partly,
        )  # fmt: skip

    def _reached(self, bone: Bone) -> Bone:
        return replace(bone, lesions={name: mask for name, mask in bone.lesions.items() if name not in self.far})

    def _healed(self, bone: Bone, names: Collection[str]) -> Bone:
        """With these lesions healed, by tissue of no lesion: of none beyond the model either."""
        far = {name: mask & bone.mask for name, mask in self.far.items()}
        return self._reached(replace(bone, lesions=bone.lesions | far).healed(names))

    def _trial(self, bone: Bone, material: Material, size: float, tilt: Tilt = UPRIGHT) -> Trial:
        return self.case.trial(bone, self.marks, material, size, tilt)

    def _push(self, trial: Trial, options: PushOptions | None = None) -> Curve:
        self.progress(f"load {self.bone.site}", self.done, self.runs)
        self.done += 1
        return push(trial.model, trial.supports, options)

    def _twin(self, names: tuple[str, ...]) -> tuple[Trial, Curve, Rigidity] | None:
        """The bone with these lesions healed; None, and a gap, where there is nothing to heal them with."""
        try:
            healed = self._trial(self._healed(self.bone, names), self.setting.material, self.setting.size)
            return healed, self._push(healed), rigidity(healed.mesh, self.law.poisson)
        except OsteoscopeError as error:
            self.gaps += [Gap(name, "strength_loss", f"{error.asked}: {error.found}") for name in names]
            return None

    def _terms(self) -> tuple[Term, ...]:
        """None of them where one fails: an interval without it would be too narrow."""
        if not self.setting.interval_size:
            return ()
        changes: list[tuple[str, tuple[float, float]]] = []
        name, said = "interval", "no interval is given"
        try:
            own, twin = self._pair(self.bone, self.setting.material, UPRIGHT)
            for move in self.moves:
                name, said = f"interval, {move.name}", "without this the interval would be too narrow: none is given"
                healed = twin if move.name == LESION_TERM else 0.0
                load, healed = self._pair(move.bone, move.material, move.tilt, healed)
                changes.append((move.name, (load / own - 1, (load / healed) / (own / twin) - 1)))
        except OsteoscopeError as error:
            self.gaps.append(Gap(self.bone.site, name, f"{error.asked}: {error.found}; {said}"))
            return ()
        return terms_of(changes)

    def _pair(self, bone: Bone, material: Material, tilt: Tilt, healed: float = 0.0) -> tuple[float, float]:
        """Failure loads of a bone and of its healed twin, ``healed`` where that is known."""

        def load(of: Bone) -> float:
            return self._push(self._trial(of, material, self.setting.interval_size, tilt), _FEWER_STEPS).failure_load

        own = load(bone)
        there = [name for name in self.bone.lesions if name in bone.lesions]
        return own, healed or (load(self._healed(bone, there)) if there else own)

    def _measures(self, curve: Curve, terms: tuple[Term, ...]) -> Iterator[Measure]:
        if not self.setting.material.calibration.absolute:
            return
        low, high = span([term.load for term in terms])
        method = self._how()

        def ranged(name: str, value: float, unit: str, how: str) -> Measure:
            return Measure(name, value, unit, how, (value * (1 - low), value * (1 + high)) if terms else None)

        yield ranged("failure_load", curve.failure_load, "N", f"greatest force, {method}")
        if self.setting.weight_kg:
            weight = self.setting.weight_kg * GRAVITY
            yield ranged("failure_load_by_weight", curve.failure_load / weight, "1", "failure load over body weight")
        else:
            self.gaps.append(Gap(self.bone.site, "failure_load_by_weight", "the patient's weight is not stated"))
        yield ranged("stiffness", curve.stiffness, "N/mm", f"first step, {method}")

    def _how(self) -> str:
        law, calibration = self.law.name, self.setting.material.calibration.method
        return f"{self.case.title}; {law}; calibration: {calibration}; elements of {self.setting.size:g} mm"

    def _losses(
        self, lesion: str, curve: Curve, twin: tuple[Trial, Curve, Rigidity] | None, terms: tuple[Term, ...]
    ) -> Iterator[Measure]:
        if twin is None:
            return
        left = curve.failure_load / twin[1].failure_load
        low, high = span([term.left for term in terms])
        among = lesion and len(self.bone.lesions) > 1
        interval = (100 * (1 - left * (1 + high)), 100 * (1 - left * (1 - low))) if terms and not among else None
        what = "this lesion" if lesion else "all lesions"
        part = ", of which a part is modelled," if (lesion in self.partly if lesion else self.partly) else ""
        method = f"failure load against {what}{part} replaced by the bone's own healthy tissue; {self._how()}"
        # What moves all lesions together says nothing of one among them.
        told = "; the interval is that of all lesions together" if terms and among else ""
        yield Measure("strength_loss", 100 * (1 - left), "%", method + told, interval)

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
            lies = "the lesion lies above or below the sections compared"
            reason = lies if trial.sections.any() else "no sections across the shaft are compared in this load case"
            self.gaps.append(Gap(lesion, "rigidity_loss", reason))
        return LesionCost(lesion, tuple(measures), worst)

    def _notes(self, trial: Trial, curve: Curve) -> Iterator[str]:
        yield from self.setting.material.calibration.caveats
        yield from self.law.caveats(self.setting.material.calibration.phantom)
        yield from self.bone.notes
        for name, share in self.partly.items():
            held = f"{100 * share:.0f} %" if share >= 0.01 else "less than 1 %"
            yield f"{held} of lesion {name} lies within what is modelled: its cost is that of this part"
        yield from curve.last.notes
        if trial.mesh.extrapolated > 0.2:
            yield (
                f"{100 * trial.mesh.extrapolated:.0f} % of the bone within its walls, or of a lesion, is denser than "
                f"{self.law.valid[1]:g} g/cm3, where the range of {self.law.name} ends: extrapolated there; bone that "
                "a metastasis made dense is weaker than its density says (Kaneko 2003)"
            )
        if curve.last.residual > PushOptions().tolerance:
            yield f"forces are balanced to {100 * curve.last.residual:.1f} % of those that act only"
        if not curve.peaked:
            rise = f"{100 * PushOptions().flat:.0f} % of its elastic slope"
            yield f"the force still rose by over {rise} at the end of the test: the failure load is the force there"


def in_sections(trial: Trial, lesion: str) -> bool:
    """Whether at least half of a lesion lies in cross-sections that are compared: a femur's head and neck have none."""
    along = trial.mesh.lesions[lesion].sum(axis=(1, 2))
    return bool(along[trial.sections].sum() >= 0.5 * along.sum() > 0)
