"""The whole training of the bones network: `python -m osteoscope.train.ct_bones WORK`. Resumable: run it again.

Label maps are made first (about 5 s each on one core), then the network is trained (about 0.25 s a step on two cores),
then exported with its card into WORK/model; `--ship` puts it where the package looks for it. `bench/ct_bones_scans.csv`
and `bench/ct_bones_pieces.csv` name the scans that the shipped one learned from.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.progress import track

from osteoscope.find.model import SHIPPED
from osteoscope.train.ct_bones_export import export
from osteoscope.train.ct_bones_fit import Pool, fit
from osteoscope.train.ct_bones_maps import write_maps
from osteoscope.train.ct_bones_pieces import write_pieces
from osteoscope.train.ct_bones_sources import lines_of, scan_map, write_phantoms
from osteoscope.train.exporting import Story
from osteoscope.train.fitting import FitOptions
from osteoscope.train.made_of import key_of

VERSION = "0.5.0"
_SHARES = {"simulated": 0.5, "phantoms": 0.22, "scans": 0.28}
_VARIANTS = 1
_LIMITS = (
    "trained on simulated adults, adult voxel phantoms and few real scans; no children",
    "vertebral levels are learned from simulated spines of the usual count",
    "trust in names is not calibrated",
)
_COLUMNS = ("ct", "labels", "scheme")


def main(  # noqa: PLR0913, PLR0917 - the options of a command
    work: Annotated[Path, typer.Argument(help="Folder for maps, checkpoints and the model.")],
    phantoms: Annotated[Path | None, typer.Option(help="Folder of ICRP-110 phantoms (.npz).")] = None,
    scans: Annotated[
        Path | None, typer.Option(help="CSV of labelled CTs to learn from: ct, labels (relative paths), scheme.")
    ] = None,
    pieces: Annotated[
        Path | None, typer.Option(help="CSV that names the baseline's pieces of CTs: ct, from_slice, piece, name.")
    ] = None,
    maps: Annotated[int, typer.Option(min=1, help="Simulated label maps.")] = 150,
    steps: Annotated[int, typer.Option(min=1)] = 24_000,
    cores: Annotated[int, typer.Option(min=1)] = 2,
    start: Annotated[Path | None, typer.Option(help="Weights (ONNX) to begin with, such as those shipped.")] = None,
    ship: Annotated[bool, typer.Option("--ship", help="Write the model into the package.")] = False,
) -> None:
    """Train the network that finds and names bones on CT."""
    torch.set_num_threads(max(1, cores - 1))
    folder = work / "maps"
    simulated = tuple(track(write_maps(range(maps), folder, cores), "label maps", total=maps))
    others = tuple(write_phantoms(phantoms, folder, _VARIANTS)) if phantoms else ()
    real = tuple(write_scans(scans, folder)) if scans else ()
    real += tuple(write_pieces(pieces, folder)) if pieces else ()
    found = {"simulated": simulated, "phantoms": others, "scans": real}
    pools = [Pool(name, paths, _SHARES[name]) for name, paths in found.items()]
    options = FitOptions(
        examples=steps, batch=1, rate=2e-3, warm=200, average=0.997, workers=max(1, cores - 1), every=200
    )
    for line in fit(pools, work / "run", options, start=start):
        typer.echo("  ".join(f"{name} {value:g}" for name, value in line.items()))
    data = f"{len(simulated)} simulated adults, {len(others)} parts of voxel phantoms, {len(real)} labelled CTs"
    story = Story(VERSION, f"{data}; {steps} examples drawn from them", _LIMITS)
    typer.echo(str(export(work / "run" / "weights.pt", SHIPPED if ship else work / "model", story)))


def write_scans(table: Path, folder: Path) -> list[Path]:
    """Label maps of the scans of a CSV, unless they are there; named by the content of their files.

    Raises:
        InvalidValueError: the table lacks a column, or a scan or a scheme cannot be used.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for row in lines_of(table, _COLUMNS):
        ct, labels = table.parent / row["ct"], table.parent / row["labels"]
        path = folder / f"scan_{key_of((ct, labels), row['scheme'])}.npz"
        if not path.exists():
            scan_map(ct, labels, row["scheme"]).save(path)
        made.append(path)
    return made


if __name__ == "__main__":
    typer.run(main)
