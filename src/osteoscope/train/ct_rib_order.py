"""The typical order of ribs, measured on simulated adults: `python -m osteoscope.train.ct_rib_order MAPS`.

MAPS is the folder of label maps of `osteoscope.train.ct_bones`. Prints `TYPICAL` and `SPREAD` of
`osteoscope.find.ct_rib_order`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.progress import track

from osteoscope.domain.anatomy import SIDES, VERTEBRAE
from osteoscope.find.ct_bone_maps import LABEL_OF
from osteoscope.find.ct_rib_order import RIBS, Beside, Floats
from osteoscope.train.ct_bones_maps import LabelMap, maps_in

# Of those in a map; fewer are no cage.
_VERTEBRAE, _RIBS = 8, 14
_EACH = 200  # voxels of a rib
_STEADY = 1e-4


def main(maps: Annotated[Path, typer.Argument(help="Folder of label maps.")]) -> None:
    """Measure the typical order of ribs."""
    paths = [path for path in maps_in(maps) if path.name.startswith("simulated")]
    found = [order_of(LabelMap.load(path).labels) for path in track(paths, "label maps")]
    cages = np.array([coefficients for coefficients in found if coefficients is not None])
    typer.echo(f"{len(cages)} cages")
    typer.echo(f"TYPICAL = {tuple(cages.mean(axis=0).round(3).tolist())}")
    typer.echo(f"SPREAD = {tuple(cages.std(axis=0).round(3).tolist())}")


def order_of(labels: NDArray[np.uint8]) -> Floats | None:
    """Coefficients of the ribs of a label map; None where it holds no cage."""
    vertebrae = {n: places for n, places in _places(labels, VERTEBRAE) if _whole(places, len(labels))}
    ribs = [(number, places) for side in SIDES for number, places in _places(labels, [f"rib_{side}_{n}" for n in RIBS])]
    if len(vertebrae) < _VERTEBRAE or len(ribs) < _RIBS:
        return None
    levels = sorted(vertebrae, reverse=True)
    beside = Beside.of(np.array([vertebrae[level].mean(axis=0) for level in levels]), levels)
    few = [places[:: max(1, len(places) // _EACH)] for _, places in ribs]
    terms = beside.terms(np.concatenate(few))
    wanted = np.repeat([number + 1.0 for number, _ in ribs], [len(places) for places in few])
    steady = _STEADY * len(terms) * np.eye(terms.shape[1])
    return np.asarray(np.linalg.solve(terms.T @ terms + steady, terms.T @ wanted))


def _places(labels: NDArray[np.uint8], sites: Sequence[str]) -> Iterator[tuple[int, NDArray[np.intp]]]:
    for number, site in enumerate(sites):
        found = np.argwhere(labels == LABEL_OF[site])
        if len(found):
            yield number, found


def _whole(places: NDArray[np.intp], slices: int) -> bool:
    return bool(places[:, 0].min() > 0 and places[:, 0].max() < slices - 1)


if __name__ == "__main__":
    typer.run(main)
