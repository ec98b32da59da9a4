"""What artefacts do to a body's picture, taken apart from the picture: counts added, counts kept, pixels clipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteoscope.simulate.artefact_objects import Absorber
from osteoscope.simulate.artefacts import Artefact, random_artefacts
from osteoscope.simulate.detector_faults import LowCounts, Saturation, Seam, Spots, Stripe
from osteoscope.simulate.scene import Scene

Floats = NDArray[np.float32]
_FAINT = 1e-3  # of the highest: cut off


@dataclass(frozen=True, eq=False)
class Patch:
    """A crop of both views.

    Args:
        corner: (row, column) in the picture.
        views: (2, rows, columns).
    """

    corner: tuple[int, int]
    views: Floats

    @classmethod
    def of(cls, both: Floats) -> Patch | None:
        """Where a picture (2, H, W) is not 0, None if nowhere."""
        strong = (np.abs(both) > _FAINT * np.abs(both).max()).any(axis=0)
        if not strong.any():
            return None
        rows, columns = (np.flatnonzero(strong.any(axis=axis)) for axis in (1, 0))
        crop = both[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        return cls((int(rows[0]), int(columns[0])), np.ascontiguousarray(crop, dtype=np.float32))


@dataclass(frozen=True, eq=False)
class Trace:
    """Artefacts of one study; views become ``(views + background * added) * (1 - shade) * rows * columns``, clipped.

    Args:
        added: over the median of the body on the anterior view.
        shade: share of the counts that is lost.
        rows, columns: (2, H) and (2, W) gains of each view.
        clipped: share of the hottest pixel beyond which pixels are clipped, infinite for none.
    """

    added: Patch | None
    shade: Patch | None
    rows: Floats
    columns: Floats
    clipped: float

    @classmethod
    def random(cls, scene: Scene, rng: np.random.Generator) -> Trace:
        """Some artefacts, at least one."""
        drawn: Sequence[Artefact] = ()
        while not drawn:
            drawn = random_artefacts(rng)
        return cls.of(drawn, scene, rng)

    @classmethod
    def of(cls, artefacts: Sequence[Artefact], scene: Scene, rng: np.random.Generator) -> Trace:
        """What artefacts do, whose order hardly matters."""
        height, width = scene.body.shape
        added, kept = np.zeros((2, height, width), dtype=np.float32), np.ones((2, height, width), dtype=np.float32)
        rows, columns = np.ones((2, height), dtype=np.float32), np.ones((2, width), dtype=np.float32)
        clipped = float("inf")
        for artefact in artefacts:
            if isinstance(artefact, Saturation):
                clipped = artefact.share
                continue
            # On pictures of 1 the background is 1, and gains come out as they are.
            ones = np.ones((height, width))
            after = np.stack(artefact.apply((ones, ones), scene, rng)).astype(np.float32)
            if isinstance(artefact, Absorber):
                kept *= after
            elif isinstance(artefact, Stripe) and artefact.along == "column":
                columns *= after[:, 0]
            elif isinstance(artefact, Stripe | Seam | Spots | LowCounts):
                rows *= after[:, :, 0]
            else:
                added += after - 1
        return cls(Patch.of(added), Patch.of(1 - kept), rows, columns, clipped)
