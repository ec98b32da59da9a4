"""Train the planar network: resumable, within two CPU cores and three hours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from osteoscope.train.fitting import FitOptions, Task, fit_task
from osteoscope.train.planar_basis import Basis
from osteoscope.train.planar_loss import WEIGHTS, losses
from osteoscope.train.planar_net import PlanarNet, split
from osteoscope.train.planar_sample import draw

__all__ = ["FitOptions", "fit"]

_FIELDS = ("picture", "heat", "units", "owner", "diffuse", "other", "acquired")


def fit(bases: Sequence[Path], folder: Path, options: FitOptions) -> Iterator[dict[str, float]]:
    """Train, or go on with what `folder` holds (see `osteoscope.train.fitting.fit_task`)."""
    kept = list(bases)

    def example(rng: np.random.Generator) -> Mapping[str, NDArray[Any]]:
        drawn = draw(Basis.load(kept[int(rng.integers(len(kept)))]), rng)
        return {name: getattr(drawn, name) for name in _FIELDS}

    yield from fit_task(Task(PlanarNet(), example, _losses, WEIGHTS), folder, options, {"bases": len(kept)})


def _losses(said: tuple[Tensor, ...], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return losses(split(*said), wanted)
