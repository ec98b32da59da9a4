"""Train the lesion network of CT: resumable, on two CPU cores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoscope.train.ct_ground import Ground
from osteoscope.train.ct_lesion_loss import WEIGHTS, losses
from osteoscope.train.ct_lesion_net import LesionNet
from osteoscope.train.ct_lesion_patches import Pool, piece, seen
from osteoscope.train.fitting import FitOptions, Task, fit_task

# Shares of the examples: more of real scans, which are few, and the network would know them by heart; of phantoms, as
# few, heads, arms and legs are to be seen.
_SHARES = MappingProxyType({"simulated": 0.4, "real": 0.3, "phantoms": 0.3})
# A piece takes longer to make than to learn from: so many are kept, and each is seen so often.
_KEPT, _SEEN = 40, 2


def fit(
    sources: Mapping[str, Sequence[Path]], folder: Path, options: FitOptions, net: LesionNet | None = None
) -> Iterator[dict[str, float]]:
    """Train on prepared scans, or go on with what `folder` holds (see `osteoscope.train.fitting.fit_task`).

    Args:
        sources: prepared scans; "simulated", "real" or "phantoms".
        folder, options: of the run.
        net: to begin with, a new one of the usual size by default.
    """
    found = {name: paths for name, paths in sources.items() if paths}
    often = [_often(paths, _SHARES[name]) for name, paths in found.items()]
    pool = Pool([path for paths in found.values() for path in paths], np.concatenate(often).tolist())
    kept: list[Ground] = []

    def example(rng: np.random.Generator) -> Mapping[str, NDArray[Any]]:
        if len(kept) < _KEPT or rng.random() < 1 / _SEEN:
            kept[:] = [*kept[1 - _KEPT :], piece(pool.scan(rng), rng)]
            drawn = seen(kept[-1], rng)
        else:
            drawn = seen(kept[int(rng.integers(len(kept)))], rng)
        return {"picture": drawn.picture, "label": drawn.label, "weight": drawn.weight}

    counts = {name: len(paths) for name, paths in sources.items()}
    yield from fit_task(Task(net or LesionNet(), example, losses, WEIGHTS), folder, options, counts)


def _often(paths: Sequence[Path], share: float) -> NDArray[np.float64]:
    """Large scans are taken up more often: a whole trunk shows more than a crop."""
    sizes = np.array([path.stat().st_size for path in paths], dtype=float) ** 0.5
    return np.asarray(share * sizes / sizes.sum())
