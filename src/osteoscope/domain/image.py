"""An array with a place and a quantity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.geometry import Grid
from osteoscope.errors import InvalidValueError

Quantity = Literal["HU", "counts"]


@dataclass(frozen=True, eq=False)
class Image:
    """A read-only array on a Grid.

    Args:
        grid: where the array lies.
        values: array of ``grid.shape``; a view of it is kept, closed for writing.
        quantity: "HU" (CT, PS3.3 C.11.1.1.2) or "counts" (gamma camera).

    Raises:
        InvalidValueError: the shapes differ, or values are not finite.
    """

    grid: Grid
    values: NDArray[Any]
    quantity: Quantity

    def __post_init__(self) -> None:
        if self.values.shape != self.grid.shape:
            raise InvalidValueError(
                "build an Image",
                f"values of shape {self.values.shape} on a grid of {self.grid.shape}",
                "Give equal shapes",
            )
        if self.values.dtype.kind == "f" and not np.isfinite(self.values).all():
            raise InvalidValueError("build an Image", "values that are not finite", "Replace NaN and infinity first")
        view = self.values.view()
        view.setflags(write=False)
        object.__setattr__(self, "values", view)
