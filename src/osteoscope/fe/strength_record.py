"""The nouns of a bone's strength: how it was tested, and what came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from osteoscope.domain.finding import Measure
from osteoscope.domain.reading import Gap
from osteoscope.fe.bone import Bone
from osteoscope.fe.cases import LoadCase
from osteoscope.fe.loads import Trial
from osteoscope.fe.mesh import Material
from osteoscope.fe.rigidity import Rigidity, Weakest
from osteoscope.fe.site import FirstFailure
from osteoscope.fe.solution import Curve


@dataclass(frozen=True)
class Setting:
    """How a bone is tested.

    Args:
        case, material: as they say.
        element_mm: size of elements; 0 for the case's own.
        interval_mm: size of elements of the runs behind the interval; 0 for no interval, None for the case's own.
        weight_kg: of the patient, None where unknown.
        landmarks: name -> LPS position or direction that a hand set.
    """

    case: LoadCase
    material: Material
    element_mm: float = 0.0
    interval_mm: float | None = None
    weight_kg: float | None = None
    landmarks: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def size(self) -> float:
        """Of elements, mm."""
        return self.element_mm or self.case.element_mm

    @property
    def interval_size(self) -> float:
        """Of elements behind the interval, mm; 0 for no interval."""
        return self.case.interval_mm if self.interval_mm is None else self.interval_mm


@dataclass(frozen=True)
class Term:
    """What one uncertainty does: relative change of the failure load, and of what is left of the healed bone's."""

    name: str
    load: tuple[float, float]
    left: tuple[float, float]


@dataclass(frozen=True)
class LesionCost:
    """What one lesion costs.

    Args:
        lesion: its id.
        measures: strength_loss and rigidity_loss, in %.
        weakest: the section that loses most.
    """

    lesion: str
    measures: tuple[Measure, ...]
    weakest: Weakest | None


@dataclass(frozen=True, eq=False)
class Strength:
    """The result for one bone, and what pictures are drawn from.

    Args:
        site: the bone.
        setting, marks: as used.
        measures: of the bone.
        lesions: each one's cost.
        terms: of the interval.
        gaps, notes: what is not given and why; what a reader must know.
        failure: where it fails first.
        bone, trial, curve: as tested.
        healed: the curve of the healed twin, None without lesions.
        profiles: rigidities as they are, and of the healed twin.
        partly: lesions that reach beyond the model -> the share of each that lies within it.
    """

    site: str
    setting: Setting
    marks: Any
    measures: tuple[Measure, ...]
    lesions: tuple[LesionCost, ...]
    terms: tuple[Term, ...]
    gaps: tuple[Gap, ...]
    notes: tuple[str, ...]
    failure: FirstFailure | None
    bone: Bone
    trial: Trial
    curve: Curve
    healed: Curve | None
    profiles: tuple[Rigidity, Rigidity | None]
    partly: Mapping[str, float] = field(default_factory=dict)

    def measure(self, name: str) -> Measure | None:
        """The measure of that name, if any."""
        return next((m for m in self.measures if m.name == name), None)

    @property
    def left_out(self) -> tuple[Gap, ...]:
        """Lesions of this bone that are not in the model, and why: the failure load says nothing of them."""
        return tuple(gap for gap in self.gaps if gap.step == "strength_loss" and gap.where not in self.bone.lesions)
