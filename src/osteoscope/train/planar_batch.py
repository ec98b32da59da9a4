"""Which examples are rendered together, and on which device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from osteoscope.errors import InvalidValueError
from osteoscope.train.planar_held import Held
from osteoscope.train.planar_plan import Plan
from osteoscope.train.planar_trace import Trace


@dataclass(frozen=True, eq=False)
class Wanted:
    """An example to be rendered.

    Args:
        held: its body.
        plan: of it.
        trace: artefacts, if any.
    """

    held: Held
    plan: Plan
    trace: Trace | None = None


@dataclass(frozen=True, eq=False)
class Batch:
    """Examples of bodies whose pictures have one shape.

    Args:
        wanted: the examples.
        device: that holds their bodies.

    Raises:
        InvalidValueError: there is none, or shapes differ.
    """

    wanted: Sequence[Wanted]
    device: torch.device

    def __post_init__(self) -> None:
        shapes = {one.held.shape for one in self.wanted}
        if len(shapes) != 1:
            raise InvalidValueError("render a batch", f"pictures of {sorted(shapes)}", "Give bodies of one shape")

    def __len__(self) -> int:
        return len(self.wanted)

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the bodies' pictures."""
        return self.wanted[0].held.shape

    @property
    def bodies(self) -> list[Held]:
        """Of each example."""
        return [one.held for one in self.wanted]

    @property
    def plans(self) -> list[Plan]:
        """Of each example."""
        return [one.plan for one in self.wanted]

    def tensor(self, values: ArrayLike | Sequence[ArrayLike]) -> Tensor:
        """Values on the device, real ones in single precision."""
        array = np.asarray(values)
        kept = array.astype(np.float32) if array.dtype.kind == "f" else array
        return torch.from_numpy(np.ascontiguousarray(kept)).to(self.device, non_blocking=True)
