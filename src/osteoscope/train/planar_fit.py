"""Train the planar network: resumable, within two CPU cores and three hours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from osteoscope.train.fitting import FitOptions, Task, fit_task
from osteoscope.train.planar_basis import Basis
from osteoscope.train.planar_loss import WEIGHTS, losses
from osteoscope.train.planar_net import WIDTHS, PlanarNet, split
from osteoscope.train.planar_sample import draw
from osteoscope.train.widening import restored

__all__ = ["FitOptions", "fit"]

_FIELDS = ("picture", "heat", "units", "owner", "diffuse", "other", "acquired")
_SETTLED_ON = 24  # examples: statistics of batches of a restored network


def fit(
    bases: Sequence[Path],
    folder: Path,
    options: FitOptions,
    start: Path | None = None,
    widths: Sequence[int] = WIDTHS,
) -> Iterator[dict[str, float]]:
    """Train, or go on with what `folder` holds (see `osteoscope.train.fitting.fit_task`).

    Args:
        bases: bodies to draw examples from.
        folder: for checkpoints.
        options: of the training.
        start: ONNX weights of this network, or of a narrower one, to begin with.
        widths: channels of each level.

    Raises:
        ModelError: the start is of another network, or a loss is not finite.
    """
    kept = list(bases)

    def example(rng: np.random.Generator) -> Mapping[str, NDArray[Any]]:
        drawn = draw(Basis.load(kept[int(rng.integers(len(kept)))]), rng)
        return {name: getattr(drawn, name) for name in _FIELDS}

    net = PlanarNet(widths) if start is None else restored(start, _some(example, options.seed), widths)
    yield from fit_task(Task(net, example, named_losses, WEIGHTS), folder, options, {"bases": len(kept)})


def _some(example: Callable[[np.random.Generator], Mapping[str, NDArray[Any]]], seed: int) -> Iterator[NDArray[Any]]:
    rng = np.random.default_rng(seed)
    return (example(rng)["picture"] for _ in range(_SETTLED_ON))


def named_losses(said: tuple[Tensor, ...], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Loss of each output of the network, by name."""
    return losses(split(*said), wanted)
