"""1,500 slices: what both networks keep grows with the volume, whatever one tile needs."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from osteoscope.domain.geometry import Grid
from osteoscope.find import ct_bone_look, ct_lesion_windows
from osteoscope.find.ct_bone_maps import OUTPUTS, VOXEL_MM
from osteoscope.find.ct_frame import Frame
from osteoscope.find.model import Model

SLICES, SIDE = 1500, 24
TILE = (48, 12, 12)  # a narrow tile, so that the test is quick; its height is the shipped one
WINDOW = 32


def column(slices: int) -> np.ndarray:
    """HU of a tall body: bone along its whole height."""
    hu = np.full((slices, SIDE, SIDE), 40, dtype=np.int16)
    hu[:, 8:16, 8:16] = 700
    return hu


def bones(slices: int) -> Callable[[], object]:
    said = [np.full((planes, *TILE), 0.5, dtype=np.float32) for planes in OUTPUTS.values()]
    model = cast("Model", SimpleNamespace(run=lambda _: said, card=SimpleNamespace(name="stub")))
    grid = Grid.axial((slices, SIDE, SIDE), (VOXEL_MM,) * 3, (0, 0, 0))
    frame = Frame(column(slices), grid, grid)
    return lambda: ct_bone_look.look(frame, model)


def lesions(slices: int) -> Callable[[], object]:
    said = [np.zeros((3, WINDOW, WINDOW, WINDOW), dtype=np.float32)]
    card: Any = SimpleNamespace(settings={"window": WINDOW, "stride": 20})
    model = cast("Model", SimpleNamespace(run=lambda _: said, card=card))
    hu = column(slices)
    bone = hu > 300
    return lambda: ct_lesion_windows.look(hu, bone, model)


def peak(run: Callable[[], object]) -> int:
    """Bytes of arrays at the worst moment, beyond what was there before."""
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("look", "bytes_per_voxel"), [(bones, 4), (lesions, 12)])
def test_memory_of_a_tall_scan_grows_with_its_voxels_alone(
    look: Callable[[int], Callable[[], object]], bytes_per_voxel: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look at the whole height at once would keep some 20 bytes and more per voxel."""
    monkeypatch.setattr(ct_bone_look, "TILE", TILE)
    half, whole = peak(look(SLICES // 2)), peak(look(SLICES))
    added = (SLICES - SLICES // 2) * SIDE * SIDE
    assert whole - half <= bytes_per_voxel * added
