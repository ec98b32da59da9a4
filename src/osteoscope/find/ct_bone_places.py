"""What bone cannot be where it lies: a femur beside the ribs, a pelvis where geometry follows a rib to the spine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.anatomy import VERTEBRAE
from osteoscope.find.ct_bone_maps import BONE, KIND_OF, KINDS
from osteoscope.find.ct_bone_pieces import Vertebra
from osteoscope.find.ct_parts import Part

Floats = NDArray[np.float64]

_LEAST = 3  # vertebrae that tell where the spine lies


def _at(level: str) -> int:
    return VERTEBRAE.index(f"vertebra_{level}")


# Two to three levels beyond the usual place, since levels may be misread and arms may hang: choices.
_NOT_ABOVE: Mapping[str, int] = MappingProxyType({"sacrum": _at("L2"), "hip": _at("L1"), "femur": _at("L3")})
_NOT_BELOW: Mapping[str, int] = MappingProxyType(
    {
        "skull": _at("T4"), "mandible": _at("T5"), "clavicle": _at("T9"), "scapula": _at("L2"), "sternum": _at("L3"),
        "humerus": _at("L4"),
    }
)  # fmt: skip

# What cells of 8 mm mistake in parts that geometry knows; looked at on simulated scans, where geometry was right there.
_MISTAKEN: Mapping[str, tuple[str, ...]] = MappingProxyType({"rib": ("hip_left", "hip_right", "sacrum")})
_NEXT_TO: Mapping[str, str] = MappingProxyType({"hip": "femur"})  # where geometry parted the two: socket and head


def as_parted(kinds: NDArray[np.uint8], part: Part, parts: Sequence[Part]) -> NDArray[np.uint8]:
    """Indices into `KINDS` of the voxels of a part, with its own kind where cells are known to mistake it."""
    mistaken = list(_MISTAKEN.get(part.kind, ()))
    if any(other.kind == _NEXT_TO.get(part.kind) and other.side == part.side for other in parts):
        mistaken.append(f"{_NEXT_TO[part.kind]}_{part.side}")
    if not mistaken or part.side is None:
        return kinds
    own, others = KIND_OF[f"{part.kind}_{part.side}"], [KIND_OF[kind] for kind in mistaken]
    return np.asarray(np.where(np.isin(kinds, others), own, kinds), dtype=np.uint8)


@dataclass(frozen=True, eq=False)
class Ladder:
    """The row of vertebrae as a scale: slices of cells, rising, and the level at each, falling."""

    slices: Floats
    levels: Floats

    @classmethod
    def of(cls, row: Sequence[Vertebra]) -> Ladder:
        """Of a row from below upwards, evenly counted through what the network reads."""
        steps = np.arange(len(row))
        base = float(np.median([one.level for one in row] + steps)) if row else 0.0
        return cls(np.array([float(one.centre[0]) for one in row]), np.asarray(base - steps, dtype=np.float64))

    def corrected(self, kinds: NDArray[np.uint8], slices: NDArray[np.intp]) -> NDArray[np.uint8]:
        """Indices into `KINDS`, those of bones that cannot lie in these slices replaced by that of `BONE`.

        Nothing is said with too short a row, nor of the legs below it and the head above it.

        Args:
            kinds: of any shape.
            slices: of cells, of a shape that broadcasts to that of ``kinds``.
        """
        if len(self.slices) < _LEAST:
            return kinds
        level = np.interp(slices, self.slices, self.levels)
        found = kinds.copy()
        for number, kind in enumerate(KINDS):
            bone = kind.removesuffix("_left").removesuffix("_right")
            if bone in _NOT_ABOVE:
                wrong = (level < _NOT_ABOVE[bone]) & (slices >= self.slices[0])
            elif bone in _NOT_BELOW:
                wrong = (level > _NOT_BELOW[bone]) & (slices <= self.slices[-1])
            else:
                continue
            found[(kinds == number) & wrong] = KIND_OF[BONE]
        return found
