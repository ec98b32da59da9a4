"""A voxel phantom made by others: a label map with names, as it was published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoscope.errors import InvalidValueError
from osteoscope.simulate.body import AIR, SOFT_TISSUE, VISCERA

Names = Mapping[int, str]
_KEYS = ("organ_id", "spacing_zyx_mm")
_MOST_NAMES = 250

# Organ ids of the adult reference phantoms of ICRP Publication 110 (table of its annex): first, last, structure.
# "%" takes the side of the voxel. Bones that ICRP does not tell apart bear the name of the largest of them.
_ICRP_110: tuple[tuple[int, int, str], ...] = (
    (1, 140, SOFT_TISSUE), (1, 2, "adrenal_%"), (3, 3, "nasal"), (5, 6, "oral"), (7, 8, "mediastinum"),
    (10, 10, "mediastinum"), (13, 18, "humerus_%"), (19, 21, "ulna_%"), (22, 23, "hand_%"), (24, 25, "clavicle_%"),
    (26, 27, "skull"), (28, 33, "femur_%"), (34, 36, "tibia_%"), (37, 38, "foot_%"), (39, 40, "mandible"),
    (41, 42, "hip_%"), (43, 44, "thoracic_cage"), (45, 46, "scapula_%"), (47, 48, "cervical_spine"),
    (49, 50, "thoracic_spine"), (51, 52, "lumbar_spine"), (53, 54, "sacrum"), (55, 56, "sternum"), (61, 61, "brain"),
    (66, 69, "eye_%"), (72, 73, "stomach"), (74, 75, "bowel_0"), (76, 77, "bowel_1"), (78, 81, "bowel_2"),
    (82, 83, "bowel_3"), (84, 86, "bowel_4"), (87, 87, "heart"), (88, 88, "heart_cavity"), (89, 94, "kidney_%"),
    (95, 95, "liver_%"), (96, 97, "lung_left"), (98, 99, "lung_right"), (110, 110, "mediastinum"),
    (113, 113, VISCERA), (120, 121, "parotid_%"), (127, 127, "spleen"), (128, 128, "mandible"),
    (131, 131, "mediastinum"), (132, 132, "thyroid_%"), (137, 138, "bladder"), (139, 139, VISCERA),
)  # fmt: skip
ICRP_110: Names = MappingProxyType({n: name for low, high, name in _ICRP_110 for n in range(low, high + 1)})


@dataclass(frozen=True, eq=False)
class Phantom:
    """Labelled voxels of somebody, lying straight with hanging arms.

    Args:
        labels: index into `structures`, uint8 [z, y, x]: z to the head, y to the back, x to the left of the body.
        spacing: voxel size along z, y and x, mm.
        structures: names as those of `osteoscope.simulate.body.Body`; the first is "air".

    Raises:
        InvalidValueError: not a 3-D volume, a size is not positive, a label has no name, or the first is not air.
    """

    labels: NDArray[np.uint8]
    spacing: tuple[float, float, float]
    structures: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.labels.ndim != 3 or not self.labels.size or len(self.spacing) != 3 or not min(self.spacing) > 0:
            raise InvalidValueError(
                "build a Phantom", f"labels {self.labels.shape}, voxels {self.spacing}", "Give a 3-D volume and its mm"
            )
        if not self.structures or self.structures[0] != AIR or int(self.labels.max()) >= len(self.structures):
            raise InvalidValueError(
                "build a Phantom",
                f"labels up to {int(self.labels.max())} for {len(self.structures)} structures",
                'Name every label, "air" first',
            )

    @classmethod
    def load(cls, path: Path, names: Names = ICRP_110) -> Phantom:
        """A phantom from a file.

        Args:
            path: .npz that holds `organ_id`, integers [z, y, x] with z to the head, y to the back and x to the left,
                and `spacing_zyx_mm`, three numbers.
            names: structure of each id; ids without a name, and 0, are air. "femur_%" becomes femur_left or
                femur_right by where the voxel lies, so that one id may serve both sides.

        Raises:
            InvalidValueError: the file cannot be read, lacks an array, or its arrays make no phantom.
        """
        try:
            with np.load(path, allow_pickle=False) as stored:
                organ, spacing = (stored[key] for key in _KEYS)
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise InvalidValueError(
                "load a phantom", f"{path}: {error}", f"Give an .npz with {' and '.join(_KEYS)}"
            ) from error
        return cls.of(organ, np.ravel(spacing).tolist(), names)

    @classmethod
    def of(cls, organ: NDArray[Any], spacing: Sequence[float], names: Names) -> Phantom:
        """A phantom from ids [z, y, x] and what they mean; see `load`."""
        if organ.ndim != 3 or organ.dtype.kind not in "iu" or not organ.size or int(organ.min()) < 0:
            raise InvalidValueError(
                "build a Phantom", f"{organ.dtype} ids {organ.shape}", "Give 3-D integers from 0 on"
            )
        structures = (AIR, *dict.fromkeys(side for name in names.values() for side in _sides(name) if side != AIR))
        if len(structures) > _MOST_NAMES:
            raise InvalidValueError("build a Phantom", f"{len(structures)} names", f"Give at most {_MOST_NAMES}")
        tables = np.zeros((2, int(organ.max()) + 1), dtype=np.uint8)
        for n, name in names.items():
            if 0 < n < tables.shape[1]:
                tables[:, n] = [structures.index(side) for side in (_sides(name) * 2)[:2]]
        middle = _middle(organ > 0)
        labels = np.concatenate([tables[0][organ[:, :, :middle]], tables[1][organ[:, :, middle:]]], axis=2)
        z, y, x = (float(s) for s in spacing) if len(spacing) == 3 else (0.0, 0.0, 0.0)
        return cls(labels, (z, y, x), structures)

    def voxels(self, *names: str) -> NDArray[np.float64]:
        """Positions (x, y, z) of the voxels of structures, shape (n, 3), mm from the first voxel."""
        wanted = [n for n, name in enumerate(self.structures) if name in names]
        table = np.isin(np.arange(len(self.structures)), wanted)
        found = np.stack(np.nonzero(table[self.labels]), axis=1)
        return np.asarray((found * self.spacing)[:, ::-1])


def _sides(name: str) -> tuple[str, ...]:
    return (name.replace("%", "right"), name.replace("%", "left")) if "%" in name else (name,)


def _middle(inside: NDArray[np.bool_]) -> int:
    """First column of the left half: right of it lies half of the body's weight."""
    weight = np.cumsum(inside.sum(axis=(0, 1)))
    return int(np.searchsorted(weight, weight[-1] / 2)) + 1
