"""The whole training of the lesion network of CT: `python -m osteoscope.train.ct_lesions WORK`.

Resumable: run it again. Scans are prepared first (about 20 s each on one core, 90 s each draw of a voxel phantom), then
the network is trained (about 1.3 steps a second on two cores), then exported with its card into WORK/model; `--ship`
puts it where the package looks for it, from where on CT studies are read with it. `--go-on` begins with the shipped
network, and moves it gently.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.progress import track

from osteoscope.errors import OsteoscopeError
from osteoscope.find.ct_lesion_windows import MODEL
from osteoscope.find.model import SHIPPED, shipped
from osteoscope.train.ct_backgrounds import Real, find_real, write_all_simulated, write_real
from osteoscope.train.ct_bones_sources import write_phantoms
from osteoscope.train.ct_lesion_export import export
from osteoscope.train.ct_lesion_fit import fit
from osteoscope.train.ct_lesion_tune import RATES, begin
from osteoscope.train.ct_phantom_scans import phantom_scans
from osteoscope.train.exporting import Story
from osteoscope.train.fitting import FitOptions

VERSION = "0.9.0"
# Numbers of simulated scans that calibrate confidences and are never trained on.
_HELD_OUT = (*range(500_000, 500_020), *range(1000, 1014))
_BATCH = 3
_VARIANTS = 4  # of each phantom
_LIMITS = (
    "trained on lesions put into simulated and a few real scans, calibrated on the latter; no real metastasis was seen",
    "lesions that touch are one finding",
    "bone beside metal is not searched",
    "most lesions below 12 mm, and those that hardly differ from the bone around them, are missed",
)


def main(  # noqa: PLR0913, PLR0917 - the options that a user sees
    work: Annotated[Path, typer.Argument(help="Folder for scans, checkpoints and the model.")],
    backgrounds: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of real CTs, each with a SOURCE.txt that states its licence; may be given again."),
    ] = None,
    held_out: Annotated[
        list[str] | None, typer.Option(help="Start of the name of a real scan that calibrates and is not trained on.")
    ] = None,
    phantoms: Annotated[Path | None, typer.Option(help="Folder of ICRP-110 phantoms (.npz).")] = None,
    scans: Annotated[int, typer.Option(min=1, max=min(_HELD_OUT), help="Simulated scans.")] = 120,
    steps: Annotated[int, typer.Option(min=1)] = 12_000,
    cores: Annotated[int, typer.Option(min=1)] = 2,
    go_on: Annotated[bool, typer.Option("--go-on", help="Begin with the shipped network.")] = False,
    ship: Annotated[bool, typer.Option("--ship", help="Write the model into the package.")] = False,
) -> None:
    """Train the network that finds bone metastases on CT."""
    torch.set_num_threads(max(1, cores - 1))
    folders = {name: work / name for name in ("training", "held_out")}
    simulated = _simulated(range(scans), folders["training"], cores)
    calibrating = _simulated(_HELD_OUT, folders["held_out"], cores)
    found = [real for folder in backgrounds or () for real in find_real(folder) if real.free]
    apart = [real for real in found if real.name.startswith(tuple(held_out or ()))]
    kept = _prepared([real for real in found if real not in apart], folders["training"])
    calibrating += _prepared(apart, folders["held_out"])
    bodies = write_phantoms(phantoms, work / "phantoms", _VARIANTS, phantom_scans) if phantoms else []
    options = FitOptions(
        examples=_BATCH * steps, batch=_BATCH, rate=RATES[go_on], warm=300 * _BATCH, workers=max(1, cores - 1),
        every=300, settled=go_on,
    )  # fmt: skip
    start = shipped(MODEL) if go_on else None
    begun = f"as {start.card.version} ({start.card.data}); then " if start else ""
    sources = {"simulated": simulated, "real": kept, "phantoms": bodies}
    for line in fit(sources, work / "run", options, begin(kept or simulated, start)):
        typer.echo("  ".join(f"{name} {value:g}" for name, value in line.items()))
    story = Story(
        VERSION,
        f"{begun}{_BATCH * steps} examples of {len(simulated)} simulated scans, of {len(bodies)} parts of voxel "
        f"phantoms and of {len(kept)} real scans, with lesions put in; {len(calibrating)} other scans calibrate",
        _LIMITS,
    )
    typer.echo(str(export(work / "run" / "weights.pt", SHIPPED if ship else work / "model", calibrating, story)))


def _simulated(numbers: Sequence[int], folder: Path, cores: int) -> list[Path]:
    made = write_all_simulated(numbers, folder, cores)
    return list(track(made, f"scans in {folder.name}", total=len(numbers)))


def _prepared(reals: Sequence[Real], folder: Path) -> list[Path]:
    paths = []
    for real in reals:
        try:
            paths.append(write_real(real, folder))
        except OsteoscopeError as error:
            typer.echo(f"{real.name} is left out: {error}")
    return paths


if __name__ == "__main__":
    typer.run(main)
