"""What is done to which bone: the table of load cases."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from osteoscope.errors import UnsuitableStudyError
from osteoscope.fe.bone import Bone
from osteoscope.fe.by_hand import femur_followed, set_by_hand, vertebra_followed
from osteoscope.fe.landmarks import VertebraMarks, vertebra_marks
from osteoscope.fe.landmarks_femur import FemurMarks, femur_marks
from osteoscope.fe.loads import Tilt, Trial, compression
from osteoscope.fe.loads_femur import beyond, fall, stance
from osteoscope.fe.mesh import Material
from osteoscope.fe.neck import neck_loss
from osteoscope.fe.rigidity import Weakest

Marks = VertebraMarks | FemurMarks


@dataclass(frozen=True)
class LoadCase:
    """One row.

    Args:
        name: its key.
        bones: prefix of the sites that it is for; the first row that suits is a bone's default.
        title: for a reader.
        marks: finds the landmarks that it needs.
        trial: puts a bone into the testing machine: (bone, marks, material, element size in mm, tilt).
        beyond: lesions that its model does not hold as a whole -> the share that it holds: (bone, marks, element size).
        across: the weakest section of a lesion that sections across the load miss: (bone, lesion, marks, material,
            element size); None where there is none.
        element_mm: size of its elements.
        interval_mm: size of those of the runs behind the interval.
        by_hand: names of the landmarks that it uses and a hand may set.
        follow: finds those again that hang on them: (bone, marks as found, marks as set, names that were set).
    """

    name: str
    bones: str
    title: str
    marks: Callable[[Bone], Any]
    trial: Callable[[Bone, Any, Material, float, Tilt], Trial]
    beyond: Callable[[Bone, Any, float], Mapping[str, float]]
    across: Callable[[Bone, str, Any, Material, float], Weakest | None]
    element_mm: float
    interval_mm: float
    by_hand: tuple[str, ...]
    follow: Callable[[Bone, Any, Any, Collection[str]], Any]


def _none(_bone: Bone, _marks: Marks, _size: float) -> dict[str, float]:
    return {}


def _nowhere(_bone: Bone, _lesion: str, _marks: Marks, _material: Material, _size: float) -> None:
    return None


_TABLE = (
    LoadCase(
        "compression", "vertebra_", "compression between potted end plates to 1.9 % of the height", vertebra_marks,
        compression, _none, _nowhere, 1.5, 3.0, ("axis", "upper", "lower"), vertebra_followed,
    ),
    LoadCase(
        "stance", "femur_", "stance: the head pushed down the mechanical axis", femur_marks, stance, beyond, neck_loss,
        2.0, 4.0, ("head", "radius", "knee", "shaft", "along", "neck"), femur_followed,
    ),
    LoadCase(
        "fall", "femur_", "a fall on the greater trochanter", femur_marks, fall, beyond, neck_loss, 2.0, 4.0,
        ("head", "radius", "shaft", "along", "medial", "neck"), femur_followed,
    ),
)  # fmt: skip
CASES: Mapping[str, LoadCase] = MappingProxyType({case.name: case for case in _TABLE})


def case_for(site: str, name: str = "") -> LoadCase:
    """The load case of that name, or a bone's default.

    Raises:
        UnsuitableStudyError: none suits.
    """
    own = [case for case in _TABLE if site.startswith(case.bones)]
    found = next((case for case in own if name in {"", case.name}), None)
    if found is None:
        asked = f"the case {name!r}" if own else "a bone without a load case and a validated law"
        remedy = f"Choose one of {[case.name for case in own]}" if own else "Strength is given for femora and vertebrae"
        raise UnsuitableStudyError(f"load {site}", asked, remedy)
    return found


def corrected(case: LoadCase, bone: Bone, marks: Any, by_hand: Mapping[str, tuple[float, ...]]) -> Any:
    """Landmarks of a bone with those that a hand set, and those that hang on them as they come out then.

    Raises:
        InvalidValueError: a landmark that the case does not use, or a value that cannot be that of this bone.
    """
    if not by_hand:
        return marks
    return case.follow(bone, marks, set_by_hand(bone, marks, by_hand, case.by_hand), frozenset(by_hand))
