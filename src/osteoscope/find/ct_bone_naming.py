"""Names of bones under construction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osteoscope.find.ct_bone_regions import Sites
from osteoscope.find.ct_levels import Level
from osteoscope.find.ct_names import Name


class Naming:
    """Names, and for each voxel (or cell) 0 or 1 + the number of its name."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.names: list[Name] = []
        self.voxels: Sites = np.zeros(shape, dtype=np.uint16)
        self._unknown: dict[str, int] = {}

    def add(self, voxels: NDArray[np.intp], site: str | None, kind: str, level: Level) -> None:
        """Name voxels (n, 3); without a site they get the next unknown of their kind, and one site has one name."""
        known = next((n for n, name in enumerate(self.names) if name.site == site), None)
        if known is None:
            self.names.append(Name(site or self._next(kind), round(level.confidence, 3), level.notes))
            known = len(self.names) - 1
        else:
            self.names[known] = _both(self.names[known], level)
        self.voxels[tuple(voxels.T)] = known + 1

    def add_rib(self, voxels: NDArray[np.intp], side: str, level: Level) -> None:
        """Name voxels of a rib; ``level`` has its number in place of a vertebra."""
        site = None if level.vertebra is None else f"rib_{side}_{level.vertebra}"
        self.add(voxels, site, f"rib_{side}", level)

    def over(self, voxels: Sites) -> Naming:
        """The same names over other voxels, numbered alike; unknown ones are counted on."""
        wider = Naming(voxels.shape)
        wider.names, wider.voxels, wider._unknown = list(self.names), voxels, dict(self._unknown)
        return wider

    def _next(self, kind: str) -> str:
        self._unknown[kind] = self._unknown.get(kind, 0) + 1
        return f"{kind}_unknown_{self._unknown[kind]}"


def _both(name: Name, level: Level) -> Name:
    notes = tuple(dict.fromkeys([*name.notes, *level.notes]))
    return Name(name.site, min(name.confidence, round(level.confidence, 3)), notes)
