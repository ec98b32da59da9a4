"""Skull, mandible and outline of an adult's head.

Lengths in millimetres from the atlas for a stature of 170 cm; chosen for the look of a CT, no morphometric reference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from osteoscope.simulate.ct_canvas import Bone
from osteoscope.simulate.ct_implicit import Array, Place, Triple, capsule, chain, ellipsoid, union, without

_VAULT: tuple[Triple, Triple] = ((0, -6, 82), (74, 92, 74))
_FACE: tuple[Triple, Triple] = ((0, -84, 24), (44, 28, 34))
_ORBIT: tuple[Triple, float] = ((31, -92, 54), 19.0)
_FORAMEN: tuple[Triple, float] = ((0, 18, 12), 16.0)
_PETROUS = ((58, 6, 24), (16, -16, 26))
_ZYGOMA = ((64, -22, 34), (64, -60, 32), (44, -90, 32))
_JAW = ((52, -22, 26), (50, -28, -14), (46, -42, -28), (26, -90, -34), (0, -104, -32))
# Soft tissue that covers the head: centre, half axes.
_COVER: tuple[tuple[Triple, Triple], ...] = (
    ((0, -6, 82), (79, 97, 80)),
    ((0, -62, 0), (63, 62, 60)),
)


@dataclass(frozen=True)
class Head:
    """A head on its atlas.

    Args:
        atlas: centre of the first cervical vertebra (x, y, z), mm.
        scale: of all lengths.
    """

    atlas: Triple
    scale: float

    def _local(self, p: Place) -> Place:
        s = 1 / self.scale
        return p.at(self.atlas).scaled(s, s, s)

    def cover(self, p: Place) -> list[Array]:
        """Implicit shapes of the head's soft outline; none for places far below it."""
        if p.z.max() < self.atlas[2] - 80 * self.scale:
            return []
        q = self._local(p)
        return [ellipsoid(q, centre, radii) * np.float32(self.scale) for centre, radii in _COVER]

    def bones(self, marrow_hu: float) -> tuple[Bone, Bone]:
        """Skull and mandible."""
        return (
            self._bone("skull", ((-84, -125, -10), (84, 100, 165)), _skull, (1.7, 2.2 * marrow_hu)),
            self._bone("mandible", ((-66, -120, -50), (66, 0, 40)), _mandible, (2.2, 1.2 * marrow_hu)),
        )

    def _bone(
        self, site: str, box: tuple[Triple, Triple], draw: Callable[[Place], Array], inner: tuple[float, float]
    ) -> Bone:
        low, high = (np.asarray(corner) * self.scale + self.atlas for corner in box)

        def shape(p: Place) -> Array:
            return draw(self._local(p)) * np.float32(self.scale)

        return Bone(site, tuple(low.tolist()), tuple(high.tolist()), shape, *inner, cortex_hu=1400.0, gap=2.0)


def _skull(q: Place) -> Array:
    f = q.folded()
    vault = np.abs(ellipsoid(q, *_VAULT)) - 3.2
    face = np.abs(ellipsoid(q, *_FACE)) - 2.0
    parts = [vault, face, capsule(f, *_PETROUS, 11, 7), chain(f, _ZYGOMA, (4, 4, 6)), _septum(q)]
    shape = without(union(parts, 4.0), ellipsoid(f, _ORBIT[0], (_ORBIT[1],) * 3), 2.0)
    foramen = np.maximum(np.hypot(q.x, q.y - _FORAMEN[0][1]) - _FORAMEN[1], q.z - 40)
    return without(shape, foramen.astype(np.float32), 2.0)


def _septum(q: Place) -> Array:
    """Bony septum and palate."""
    plate = np.maximum(np.abs(q.x) - 1.2, ellipsoid(q, *_FACE) + 2)
    palate = np.maximum(np.abs(q.z - 2) - 2.5, ellipsoid(q, *_FACE) + 1)
    return np.asarray(np.minimum(plate, palate), dtype=np.float32)


def _mandible(q: Place) -> Array:
    return chain(q.folded(), _JAW, (7, 6, 7.5, 7.5, 8), 4.0)
