"""What the bones network sees and says: shared by its training and by reading, so that a model sees what it will see.

The network works on cells of 8 mm, each of 2 x 2 x 2 voxels of 4 mm: the voxels of a cell are its input planes, with
two more for how far back and to the left of the body's middle it lies, and the chance of bone of each voxel are output
planes. So it sees most of a trunk at once; where exactly a bone ends
is left to the HU of the fine frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.anatomy import BONES, SIDES, VERTEBRAE

MODEL = "ct_bones"
FINE_MM = 2.0
VOXEL_MM = 2 * FINE_MM
FOLD = 2  # voxels per cell along each axis
CELL_MM = FOLD * VOXEL_MM
VOXELS = FOLD**3

# What a voxel can be labelled: background, each bone, bones whose level or name is not known, and "do not learn here".
VERTEBRA, BONE, UNKNOWN = "vertebra", "bone", "unknown"
LABELS: tuple[str, ...] = ("", *BONES, VERTEBRA, *(f"rib_{side}" for side in SIDES), BONE, UNKNOWN)
LABEL_OF: Mapping[str, int] = MappingProxyType({name: n for n, name in enumerate(LABELS)})

_NAMED = (
    "sacrum", "sternum", "skull", "mandible",
    *(f"{bone}_{side}" for bone in ("hip", "femur", "clavicle", "scapula", "humerus") for side in SIDES),
)  # fmt: skip
KINDS: tuple[str, ...] = (VERTEBRA, *(f"rib_{side}" for side in SIDES), *_NAMED, BONE)
KIND_OF: Mapping[str, int] = MappingProxyType({kind: n for n, kind in enumerate(KINDS)})

# The network's outputs and their planes; level is (mean, logarithm of the spread), way is (z, y, x).
OUTPUTS: Mapping[str, int] = MappingProxyType({"kinds": len(KINDS), "bone": VOXELS, "level": 2, "way": 3})
LEVEL_SCALE = 24.0  # levels per unit of the level plane
WAY_SCALE = 10.0  # cells per unit of the planes of ways
PLACE_SCALE = np.float32(25.0)  # cells per unit of the planes of places
PLANES = VOXELS + 2
BODY_HU = -300

Place = tuple[NDArray[np.float32], NDArray[np.float32]]

FIRST_RIB = VERTEBRAE.index("vertebra_T1")
_DARKEST, _BRIGHTEST, _MIDDLE, _WIDTH = -1000.0, 1800.0, 100.0, 400.0


def kind_of(label: str) -> int:
    """Index into `KINDS` of a label; -1 for background and for what is unknown."""
    if label in ("", UNKNOWN):
        return -1
    for kind in (VERTEBRA, *(f"rib_{side}" for side in SIDES)):
        if label.startswith(kind):
            return KIND_OF[kind]
    return KIND_OF.get(label, KIND_OF[BONE])


def level_of(label: str) -> int:
    """Level as an index into `VERTEBRAE`, of a rib that of its vertebra; -1 where there is none."""
    if label in VERTEBRAE:
        return VERTEBRAE.index(label)
    number = label.rpartition("_")[2]
    return FIRST_RIB + int(number) - 1 if label.startswith("rib_") and number.isdigit() else -1


def tables() -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Kind and level of each of `LABELS`."""
    return (
        np.array([kind_of(label) for label in LABELS], dtype=np.int8),
        np.array([level_of(label) for label in LABELS], dtype=np.int8),
    )


def halved(hu: NDArray[Any]) -> NDArray[np.float32]:
    """Mean HU of blocks of 2 x 2 x 2 voxels; an odd last voxel is left out."""
    return np.asarray(folded(even(hu)).mean(axis=0, dtype=np.float32))


def even(voxels: NDArray[Any]) -> NDArray[Any]:
    """Without the last voxel of an axis that has an odd number."""
    return voxels[tuple(slice(0, n - n % FOLD) for n in voxels.shape)]


def folded(voxels: NDArray[Any]) -> NDArray[Any]:
    """Voxels [2d, 2h, 2w] as planes of cells [8, d, h, w]."""
    d, h, w = (n // FOLD for n in voxels.shape)
    split = voxels.reshape(d, FOLD, h, FOLD, w, FOLD)
    return np.ascontiguousarray(split.transpose(1, 3, 5, 0, 2, 4).reshape(VOXELS, d, h, w))


def unfolded(planes: NDArray[Any]) -> NDArray[Any]:
    """Planes of cells [8, d, h, w] as voxels [2d, 2h, 2w]: the inverse of `folded`."""
    _, d, h, w = planes.shape
    split = planes.reshape(FOLD, FOLD, FOLD, d, h, w)
    return np.ascontiguousarray(split.transpose(3, 0, 4, 1, 5, 2).reshape(FOLD * d, FOLD * h, FOLD * w))


def picture(hu: NDArray[Any], place: Place) -> NDArray[np.float32]:
    """The network's input, float32 [`PLANES`, d, h, w].

    Args:
        hu: of voxels of 4 mm (z to the head, y back, x left).
        place: how many cells each cell lies behind, and to the left of, the middle of the body; shapes that numpy
            stretches to (d, h, w).
    """
    values = np.clip(hu.astype(np.float32), _DARKEST, _BRIGHTEST)
    values -= np.float32(_MIDDLE)
    values /= np.float32(_WIDTH)
    planes = folded(values)
    cells = planes.shape[1:]
    return np.concatenate([planes, *(np.broadcast_to(axis / PLACE_SCALE, cells)[None] for axis in place)])


def body_box(hu: NDArray[Any]) -> tuple[slice, ...] | None:
    """The box around all that is denser than air; None where all is air."""
    dense = hu > BODY_HU
    lines = [np.flatnonzero(dense.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    if not all(len(line) for line in lines):
        return None
    return tuple(slice(int(line[0]), int(line[-1]) + 1) for line in lines)


# Cells (z, y, x) that the exported network looks at at once: as many as in training, since it normalises over them.
TILE: tuple[int, int, int] = (48, 48, 64)
