"""The whole training of the planar network: `python -m osteoscope.train.planar WORK`. Resumable: run it again.

Bodies are made first (about 2 s each on one core), then a narrow network is trained (about 7 examples a second on two
cores), then exported with its card into WORK/model; `--ship` puts it where the package looks for it. The shipped one is
wider and went on where there was a GPU: `osteoscope.train.planar_gpu`, whose weights `--weights` exports.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.progress import track

from osteoscope.find.model import SHIPPED
from osteoscope.train.planar_bodies import write_bases
from osteoscope.train.planar_export import Story, export
from osteoscope.train.planar_fit import FitOptions, fit
from osteoscope.train.planar_net import NARROW, WIDTHS

VERSION = "0.5.0"
# Numbers of bodies that calibrate confidences and are never trained on.
_HELD_OUT = range(500_000, 500_210)
_LIMITS = (
    "trained and calibrated on simulated children alone; no mIBG scan of a patient was seen",
    "not made for adults, for other tracers, for SPECT slices or for single spots",
    "foci that touch are one finding",
    "faint single foci are missed",
)


def main(  # noqa: PLR0913, PLR0917 - the options that a user sees
    work: Annotated[Path, typer.Argument(help="Folder for bodies, checkpoints and the model.")],
    phantoms: Annotated[Path | None, typer.Option(help="Folder of ICRP-110 phantoms (.npz), every third body.")] = None,
    bodies: Annotated[int, typer.Option(min=1)] = 900,
    examples: Annotated[int, typer.Option(min=4)] = 28_000,
    cores: Annotated[int, typer.Option(min=1)] = 2,
    start: Annotated[Path | None, typer.Option(help="Weights (ONNX) to begin with, such as those shipped.")] = None,
    wide: Annotated[bool, typer.Option("--wide", help="With the channels of the shipped network.")] = False,
    weights: Annotated[Path | None, typer.Option(help="Weights of `planar_gpu`: only calibrate and export.")] = None,
    ship: Annotated[bool, typer.Option("--ship", help="Write the model into the package.")] = False,
) -> None:
    """Train the network that finds uptake on planar mIBG scans, on simulated children."""
    torch.set_num_threads(max(1, cores - 1))
    found = sorted(phantoms.glob("*.npz")) if phantoms else []
    training = [] if weights else _bases(range(bodies), work / "bases", cores, found)
    held_out = _bases(_HELD_OUT, work / "held_out", cores, found)
    options = FitOptions(examples=examples, workers=max(1, cores - 1))
    if weights is None:
        for line in fit(training, work / "run", options, start, WIDTHS if wide else NARROW):
            typer.echo("  ".join(f"{name} {value:g}" for name, value in line.items()))
    kinds = f"{len(training)} simulated bodies" + (
        f", a third of them from {len(found)} voxel phantoms" if found else ""
    )
    learnt = f"{kinds}; {examples} examples drawn from them" if weights is None else f"weights of {weights.name}"
    story = Story(VERSION, f"{learnt}; {len(held_out)} other bodies calibrate", _LIMITS)
    made = weights or work / "run" / "weights.pt"
    typer.echo(str(export(made, SHIPPED if ship else work / "model", held_out, story)))


def _bases(numbers: range, folder: Path, cores: int, phantoms: Sequence[Path]) -> list[Path]:
    made = write_bases(numbers, folder, cores, phantoms)
    return list(track(made, f"bodies in {folder.name}", total=len(numbers)))


if __name__ == "__main__":
    typer.run(main)
