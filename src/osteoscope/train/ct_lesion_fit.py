"""Train the lesion network of CT: resumable, on two CPU cores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from osteoscope.train.ct_lesion_loss import WEIGHTS, losses
from osteoscope.train.ct_lesion_net import LesionNet
from osteoscope.train.ct_lesion_patches import Pieces, piece, pool_of
from osteoscope.train.fitting import FitOptions, Task, fit_task

# Shares of the examples: more of real scans, which are few, and the network would know them by heart; of phantoms, as
# few, heads, arms and legs are to be seen.
_SHARES = MappingProxyType({"simulated": 0.4, "real": 0.3, "phantoms": 0.3})


def fit(
    sources: Mapping[str, Sequence[Path]], folder: Path, options: FitOptions, net: LesionNet | None = None
) -> Iterator[dict[str, float]]:
    """Train on prepared scans, or go on with what `folder` holds (see `osteoscope.train.fitting.fit_task`).

    Args:
        sources: prepared scans; "simulated", "real" or "phantoms".
        folder, options: of the run.
        net: to begin with, a new one of the usual size by default.
    """
    pieces = Pieces(pool_of(sources, _SHARES), piece)
    counts = {name: len(paths) for name, paths in sources.items()}
    yield from fit_task(Task(net or LesionNet(), pieces.example, losses, WEIGHTS), folder, options, counts)
