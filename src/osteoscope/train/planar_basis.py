"""Simulated children taken apart: what each organ and each possible lesion adds to both views.

A gamma camera is linear in activity, so one simulated body gives any number of studies: other organ uptake, other
disease, other dose. Parts are stored as small crops of expected counts, in the geometry of the anterior view (the
posterior mirrored onto it).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.anatomy import SIOPEN, SKELETAL_UNITS

Halves = NDArray[np.float16]
UNITS: tuple[str, ...] = SKELETAL_UNITS
SEGMENTS: tuple[str, ...] = tuple(SIOPEN)


@dataclass(frozen=True, eq=False)
class Part:
    """What one thing adds.

    Args:
        name: the organ ("liver"), or the planar unit of a lesion.
        group: -1 for organs; else disease that is put in together (one diffuse patch, one focus, one mass).
        kind: "organ", "focus", "diffuse" or "mass".
        segment: index into `SEGMENTS`, -1 for organs and masses.
        share: of the bone of its unit in the field (diffuse), else 0.
        corner: (row, column) of the crop.
        views: (2, rows, columns), anterior and mirrored posterior, over ``scale``.
        scale: expected counts of 1.0 for a concentration of 1 (mediastinum) at the basis' own dose.
        mask: (rows, columns) silhouette in the crop; empty for organs.
        centre: (row, column) of the silhouette in the picture.
    """

    name: str
    group: int
    kind: str
    segment: int
    share: float
    corner: tuple[int, int]
    views: Halves
    scale: float
    mask: NDArray[np.bool_]
    centre: tuple[float, float]

    @property
    def row(self) -> tuple[Any, ...]:
        """What of it is stored in the table of a basis."""
        place = (self.corner, self.views.shape[1:], self.scale, self.mask.size, self.centre)
        return (self.name, self.group, self.kind, self.segment, self.share, *place)


@dataclass(frozen=True, eq=False)
class Basis:
    """One body under one camera.

    Args:
        pixel_mm: of the picture.
        age_years: of the child.
        seen: (2, 2) first and past-last row and column that the camera exposes.
        usual: concentration of each organ part as the recipe had it.
        parts: organs first.
        units: (15, rows, columns) bool silhouettes of `UNITS`.
        body: (rows, columns) bool silhouette.
        acquired: (15,) share of each unit's bone volume in the field.
        volumes: (15,) voxels of each unit in the field.
    """

    pixel_mm: float
    age_years: float
    seen: NDArray[np.int64]
    usual: NDArray[np.float64]
    parts: tuple[Part, ...]
    units: NDArray[np.bool_]
    body: NDArray[np.bool_]
    acquired: NDArray[np.float64]
    volumes: NDArray[np.float64]

    def save(self, path: Path) -> None:
        """Write as .npz: crops joined end to end, with a table."""
        table = np.array([part.row for part in self.parts], dtype=_TABLE)
        np.savez(
            path,
            table=table,
            values=np.concatenate([p.views.ravel() for p in self.parts]),
            masks=np.packbits(np.concatenate([p.mask.ravel() for p in self.parts])),
            units=np.packbits(self.units, axis=-1),
            body=np.packbits(self.body, axis=-1),
            width=self.body.shape[1],
            scalars=np.array([self.pixel_mm, self.age_years]),
            seen=self.seen,
            usual=self.usual,
            acquired=self.acquired,
            volumes=self.volumes,
        )

    @classmethod
    def load(cls, path: Path) -> Basis:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as stored:
            pixel_mm, age_years = (float(value) for value in stored["scalars"])
            width = int(stored["width"])
            return cls(
                pixel_mm,
                age_years,
                stored["seen"],
                stored["usual"],
                tuple(_parts(stored["table"], stored["values"], np.unpackbits(stored["masks"]).astype(bool))),
                np.unpackbits(stored["units"], axis=-1)[..., :width].astype(bool),
                np.unpackbits(stored["body"], axis=-1)[..., :width].astype(bool),
                stored["acquired"],
                stored["volumes"],
            )


def _parts(table: NDArray[np.void], values: Halves, masks: NDArray[np.bool_]) -> Iterator[Part]:
    at = bit = 0
    for row in table:
        rows, columns = (int(n) for n in row["shape"])
        size, bits = 2 * rows * columns, int(row["mask"])
        yield Part(
            str(row["name"]),
            int(row["group"]),
            str(row["kind"]),
            int(row["segment"]),
            float(row["share"]),
            (int(row["corner"][0]), int(row["corner"][1])),
            values[at : at + size].reshape(2, rows, columns),
            float(row["scale"]),
            masks[bit : bit + bits].reshape((rows, columns) if bits else (0, 0)),
            (float(row["centre"][0]), float(row["centre"][1])),
        )
        at, bit = at + size, bit + bits


_TABLE = np.dtype(
    [
        ("name", "U32"), ("group", "i4"), ("kind", "U8"), ("segment", "i4"), ("share", "f8"), ("corner", "i4", 2),
        ("shape", "i4", 2), ("scale", "f8"), ("mask", "i8"), ("centre", "f8", 2),
    ]
)  # fmt: skip
