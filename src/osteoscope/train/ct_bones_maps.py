"""Label maps that the bones network learns from: tissue without noise or scanner, and which bone each voxel is of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.geometry import Grid
from osteoscope.errors import InvalidValueError
from osteoscope.find.ct_bone_maps import LABEL_OF, LABELS, even, folded, halved
from osteoscope.simulate.ct_anatomy import Anatomy, CtPatient, grow
from osteoscope.simulate.ct_body import paint_body, paint_table
from osteoscope.simulate.ct_canvas import Canvas
from osteoscope.simulate.ct_organs import Contrast, paint_organs
from osteoscope.simulate.ct_recipe import random_ct_recipe
from osteoscope.simulate.ct_viscera import bowel, cartilages, lung_vessels, viscera
from osteoscope.train.written import written

DRAWN_MM = 1.5  # voxels in which tissue is drawn or sampled
MAP_MM = 2 * DRAWN_MM
# Beyond the seeds of the benchmark and of the tests (all below 100,000).
FIRST_SEED = 2_000_000
_CODES = np.concatenate([np.arange(-1000, -200, 40), np.arange(-200, 300, 10), np.arange(300, 3100, 25)])
_PHASES: tuple[Contrast, ...] = ("none", "arterial", "portal")
_SIMULATED_HEIGHT_MM = (180.0, 620.0)
_TO_THE_VERTEX = 0.25  # of the windows, as few others hold the neck
_TABLE = 0.6
_LEAST_OF_EIGHT = 3
_KEYS = MappingProxyType({"codes": np.uint8, "labels": np.uint8})


def coded(hu: NDArray[Any]) -> NDArray[np.uint8]:
    """HU as one of 182 codes, so that a map of quiet tissue is small on disk."""
    return np.asarray(np.interp(hu, _CODES, np.arange(_CODES.size)).round(), dtype=np.uint8)


def decoded(codes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """HU of codes."""
    return _CODES.astype(np.float32)[codes]


@dataclass(frozen=True, eq=False)
class LabelMap:
    """Somebody, or a part of somebody, at 3 mm: z to the head, y to the back, x to the left.

    Args:
        codes: of HU (see `coded`), uint8 [z, y, x].
        labels: index into `LABELS`, uint8 of the same shape.

    Raises:
        InvalidValueError: not two 3-D volumes of one shape, or a label that has no name.
    """

    codes: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    def __post_init__(self) -> None:
        if self.codes.ndim != 3 or self.codes.shape != self.labels.shape or not self.codes.size:
            raise InvalidValueError(
                "build a LabelMap", f"codes {self.codes.shape}, labels {self.labels.shape}", "Give 3-D arrays alike"
            )
        if int(self.labels.max()) >= len(LABELS) or int(self.codes.max()) >= _CODES.size:
            raise InvalidValueError(
                "build a LabelMap", f"label {int(self.labels.max())}, code {int(self.codes.max())}",
                f"Give labels below {len(LABELS)} and codes below {_CODES.size}",
            )  # fmt: skip

    def save(self, path: Path) -> Path:
        """Write, whole or not at all."""
        with written(path) as unfinished:
            np.savez_compressed(unfinished, codes=self.codes, labels=self.labels)
        return path

    @classmethod
    def load(cls, path: Path) -> LabelMap:
        """Read what `save` wrote.

        Raises:
            InvalidValueError: the file is not such a map.
        """
        try:
            with np.load(path, allow_pickle=False) as stored:
                found: dict[str, Any] = {key: stored[key].astype(kind, copy=False) for key, kind in _KEYS.items()}
        except (OSError, ValueError, KeyError) as error:
            raise InvalidValueError("load a label map", f"{path}: {error}", "Delete it and make it again") from error
        return cls(**found)


def coarse(hu: NDArray[Any], labels: NDArray[np.uint8]) -> LabelMap:
    """The map of voxels of 1.5 mm: bone where a third of eight is, of the bone that most of them are of."""
    eight = folded(even(labels))
    alike = sum((eight == other).astype(np.uint8) for other in eight)
    most = np.take_along_axis(eight, np.where(eight > 0, alike, 0).argmax(axis=0)[None], axis=0)[0]
    return LabelMap(coded(halved(hu)), np.where((eight > 0).sum(axis=0) >= _LEAST_OF_EIGHT, most, 0).astype(np.uint8))


def simulated_map(rng: np.random.Generator, heights_mm: tuple[float, float] = _SIMULATED_HEIGHT_MM) -> LabelMap:
    """A random window of a random simulated adult, without texture and noise, which every draw adds anew.

    Args:
        rng: what is drawn.
        heights_mm: least and greatest height of the window.
    """
    recipe = random_ct_recipe(rng)
    patient = replace(recipe.patient, age_years=min(recipe.patient.age_years, 100.0))
    anatomy = grow(patient, rng)
    canvas = Canvas.on(_window(anatomy, heights_mm, rng), rng, float(rng.uniform(1.0, 4.0)))
    canvas.texture[:] = 0
    _paint(canvas, anatomy, patient, rng)
    labels = np.zeros(canvas.grid.shape, dtype=np.uint8)
    for bone in anatomy.bones:
        placed = canvas.add(bone)
        if placed is not None:
            labels[placed.box][placed.mask] = LABEL_OF[bone.site]
    return coarse(canvas.hu, labels)


def _window(anatomy: Anatomy, heights_mm: tuple[float, float], rng: np.random.Generator) -> Grid:
    """The whole width of the body, some height between the knees and the vertex."""
    feet, vertex = -480 * anatomy.scale, anatomy.vertebrae["vertebra_C1"].centre[2] + 130 * anatomy.scale
    height = min(float(rng.uniform(*heights_mm)), vertex - feet)
    low = vertex - height if rng.random() < _TO_THE_VERTEX else float(rng.uniform(feet, vertex - height))
    rows = anatomy.body.skin.rows
    wide, front, back = float(rows[:, 0].max()) + 20, float(rows[:, 1].min()) - 15, anatomy.body.table + 30
    wide = min(max(wide, 215.0), 255.0)
    shape = [int(np.ceil(size / DRAWN_MM)) for size in (height, back - front, 2 * wide)]
    return Grid.axial(shape, (DRAWN_MM,) * 3, (-wide, front, low))


def _paint(canvas: Canvas, anatomy: Anatomy, patient: CtPatient, rng: np.random.Generator) -> None:
    paint_body(canvas, anatomy.body, rng)
    if rng.random() < _TABLE:
        paint_table(canvas, anatomy.body.table)
    organs = viscera(anatomy.vertebrae, anatomy.scale)
    organs += cartilages(anatomy.vertebrae, anatomy.cage, anatomy.scale, patient.age_years, rng)
    organs += [*bowel(rng, anatomy.scale), *lung_vessels(rng, anatomy.scale)]
    paint_organs(canvas, organs, anatomy.body, _PHASES[int(rng.integers(len(_PHASES)))])


def write_map(number: int, folder: Path) -> Path:
    """Make simulated map `number`, unless it is there."""
    path = folder / f"simulated_{number:05d}.npz"
    return path if path.exists() else simulated_map(np.random.default_rng(FIRST_SEED + number)).save(path)


def write_maps(numbers: range, folder: Path, workers: int) -> Iterator[Path]:
    """Make all of them on several cores."""
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(partial(write_map, folder=folder), numbers, chunksize=2)


def maps_in(folder: Path) -> Sequence[Path]:
    """Every finished map of a folder, in order."""
    return sorted(path for path in folder.glob("*.npz") if not path.name.endswith(".part.npz"))
