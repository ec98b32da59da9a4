"""What is done to which bone: the table of load cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from osteoscope.errors import InvalidValueError, UnsuitableStudyError
from osteoscope.fe.bone import Bone
from osteoscope.fe.landmarks import VertebraMarks, vertebra_marks
from osteoscope.fe.landmarks_femur import FemurMarks, femur_marks
from osteoscope.fe.loads import Tilt, Trial, compression
from osteoscope.fe.loads_femur import beyond, fall, stance
from osteoscope.fe.mesh import Material
from osteoscope.fe.neck import neck_loss
from osteoscope.fe.rigidity import Weakest

Marks = VertebraMarks | FemurMarks
_UPWARDS = frozenset({"axis", "along"})
_DIRECTIONS = _UPWARDS | {"medial"}


@dataclass(frozen=True)
class LoadCase:
    """One row.

    Args:
        name: its key.
        bones: prefix of the sites that it is for; the first row that suits is a bone's default.
        title: for a reader.
        marks: finds the landmarks that it needs.
        trial: puts a bone into the testing machine: (bone, marks, material, element size in mm, tilt).
        beyond: lesions that its model does not reach.
        across: the weakest section of a lesion that sections across the load miss: (bone, lesion, marks, material,
            element size); None where there is none.
        element_mm: size of its elements.
        interval_mm: size of those of the runs behind the interval.
    """

    name: str
    bones: str
    title: str
    marks: Callable[[Bone], Any]
    trial: Callable[[Bone, Any, Material, float, Tilt], Trial]
    beyond: Callable[[Bone, Any, float], tuple[str, ...]]
    across: Callable[[Bone, str, Any, Material, float], Weakest | None]
    element_mm: float
    interval_mm: float


def _none(_bone: Bone, _marks: Marks, _size: float) -> tuple[str, ...]:
    return ()


def _nowhere(_bone: Bone, _lesion: str, _marks: Marks, _material: Material, _size: float) -> None:
    return None


_TABLE = (
    LoadCase(
        "compression", "vertebra_", "compression between potted end plates to 1.9 % of the height", vertebra_marks,
        compression, _none, _nowhere, 1.5, 3.0,
    ),
    LoadCase(
        "stance", "femur_", "stance: the head pushed down the mechanical axis", femur_marks, stance, beyond, neck_loss,
        2.0, 4.0,
    ),
    LoadCase("fall", "femur_", "a fall on the greater trochanter", femur_marks, fall, beyond, neck_loss, 2.0, 4.0),
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


def corrected(marks: Any, by_hand: Mapping[str, tuple[float, ...]]) -> Any:
    """Landmarks with those that a hand set; directions get unit length.

    Raises:
        InvalidValueError: no such landmark, not its number of coordinates, an axis that does not point to the head, or
            a radius that is none.
    """
    known = sorted(f.name for f in fields(marks) if f.type in {"float", "Floats"})
    for name, value in by_hand.items():
        if name not in known or len(value) != np.size(getattr(marks, name)):
            raise InvalidValueError(f"correct the landmark {name!r}", f"{len(value)} numbers", f"Known are {known}")
        marks = replace(marks, **{name: _set_by_hand(name, value)})
    return marks


def _set_by_hand(name: str, value: tuple[float, ...]) -> Any:
    place = np.asarray(value, float)
    long = float(np.linalg.norm(place))
    wrong = {
        "not a number": not np.isfinite(long),
        "a direction without length": name in _DIRECTIONS and long == 0,
        "a direction away from the head": name in _UPWARDS and place[-1] <= 0,
        "no radius": name == "radius" and place[0] <= 0,
    }
    found = next((what for what, true in wrong.items() if true), None)
    if found:
        remedy = "Give millimetres (LPS: left, back, to the head)"
        raise InvalidValueError(f"correct the landmark {name!r}", f"{value}: {found}", remedy)
    if name in _DIRECTIONS:
        place /= long
    return place if len(value) > 1 else float(place[0])
