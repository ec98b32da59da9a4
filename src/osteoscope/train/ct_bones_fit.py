"""Train the bones network: resumable, on two CPU cores or a GPU."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoscope.find.ct_bone_maps import TILE
from osteoscope.train.ct_bones_draw import SHAPES, Example, Shape, draw
from osteoscope.train.ct_bones_loss import WEIGHTS, losses
from osteoscope.train.ct_bones_maps import LabelMap
from osteoscope.train.ct_bones_net import BonesNet
from osteoscope.train.fitting import FitOptions, Task, fit_task
from osteoscope.train.restoring import restore

_FIELDS = tuple(field.name for field in fields(Example))
# How often an example is the tile of reading, relative to each other shape: levels are learnt best as they are read.
_AS_READ = 4.5


@dataclass(frozen=True)
class Pool:
    """Maps of one source, and how often an example is made of one of them."""

    name: str
    maps: tuple[Path, ...]
    share: float


def fit(
    pools: Sequence[Pool], folder: Path, options: FitOptions, shapes: Sequence[Shape] = SHAPES,
    start: Path | None = None,
) -> Iterator[dict[str, float]]:  # fmt: skip
    """Train on label maps, or go on with what `folder` holds (see `osteoscope.train.fitting.fit_task`).

    Args:
        pools: label maps to draw examples from.
        folder: for checkpoints.
        options: of the training; examples of several ``shapes`` take a batch of one.
        shapes: of examples.
        start: ONNX weights of this network to begin with.

    Raises:
        ModelError: the start is of another network, or a loss is not finite.
    """
    often = shape_shares(shapes)
    filled = [pool for pool in pools if pool.maps]
    shares = np.array([pool.share for pool in filled])
    shares /= shares.sum()

    def example(rng: np.random.Generator) -> Mapping[str, NDArray[Any]]:
        maps = filled[int(rng.choice(len(filled), p=shares))].maps
        shape = shapes[int(rng.choice(len(shapes), p=often))]
        drawn = draw(LabelMap.load(maps[int(rng.integers(len(maps)))]), shape, rng)
        return {name: getattr(drawn, name) for name in _FIELDS}

    counts = {pool.name: len(pool.maps) for pool in pools}
    net = BonesNet() if start is None else restore(BonesNet(), start, ())
    yield from fit_task(Task(net, example, losses, WEIGHTS), folder, options, counts)


def shape_shares(shapes: Sequence[Shape]) -> NDArray[np.float64]:
    """How often an example is of each shape, in all 1."""
    often = np.array([_AS_READ if shape == TILE else 1.0 for shape in shapes])
    return np.asarray(often / often.sum())
