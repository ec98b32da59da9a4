"""The whole training of the outline network of CT: `python -m osteoscope.train.ct_outline WORK`.

WORK may be the folder of `osteoscope.train.ct_lesions`, whose simulated scans and phantoms are taken. Resumable: run it
again. Scans are prepared first (about 20 s each on one core, 90 s each draw of a voxel phantom), then the network is
trained (about 15 examples a second on two cores), then exported with its card into WORK/model; `--ship` puts it where
the package looks for it. Real scans take no part: nobody has drawn their bones as finely.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.progress import track

from osteoscope.find.ct_bone_outline import MODEL
from osteoscope.find.ct_lesion_windows import STEP_MM
from osteoscope.find.model import SHIPPED
from osteoscope.train.ct_backgrounds import write_all_simulated
from osteoscope.train.ct_bones_sources import write_phantoms
from osteoscope.train.ct_lesion_export import OVERLAP, WINDOW
from osteoscope.train.ct_outline_fit import fit, outline_net
from osteoscope.train.ct_phantom_scans import phantom_scans
from osteoscope.train.exporting import Graph, Story, load_weights, write_model
from osteoscope.train.fitting import FitOptions

VERSION = "0.1.0"
_BATCH = 4
_VARIANTS = 4  # of each phantom
_MOST_SCANS = 1000  # the numbers that follow calibrate lesions (`osteoscope.train.ct_lesions`), in the same folder
_PURPOSE = "Whether a voxel of a CT is bone of an adult; eaten bone is. Research use only, not a medical device."
_LIMITS = (
    "trained on simulated scans and adult voxel phantoms alone; no children",
    "which bone it is, and whether there is any nearby, other parts of the program say",
    "calcified cartilage may be called bone",
)


def main(
    work: Annotated[Path, typer.Argument(help="Folder for scans, checkpoints and the model.")],
    phantoms: Annotated[Path | None, typer.Option(help="Folder of ICRP-110 phantoms (.npz).")] = None,
    scans: Annotated[int, typer.Option(min=1, max=_MOST_SCANS, help="Simulated scans.")] = 120,
    steps: Annotated[int, typer.Option(min=1)] = 14_000,
    cores: Annotated[int, typer.Option(min=1)] = 2,
    ship: Annotated[bool, typer.Option("--ship", help="Write the model into the package.")] = False,
) -> None:
    """Train the network that says where bone ends on CT."""
    torch.set_num_threads(max(1, cores - 1))
    made = write_all_simulated(range(scans), work / "training", cores)
    sources = {"simulated": list(track(made, "simulated scans", total=scans))}
    if phantoms:
        sources["phantoms"] = write_phantoms(phantoms, work / "phantoms", _VARIANTS, phantom_scans)
    options = FitOptions(
        examples=_BATCH * steps, batch=_BATCH, rate=1.5e-3, warm=300 * _BATCH, workers=max(1, cores - 1), every=1000
    )
    for line in fit(sources, work / "outline", options):
        typer.echo("  ".join(f"{name} {value:g}" for name, value in line.items()))
    counted = " and ".join(f"{len(paths)} of {name}" for name, paths in sources.items())
    story = Story(VERSION, f"{_BATCH * steps} examples of prepared scans, {counted}, with lesions put in", _LIMITS)
    typer.echo(str(export(work / "outline" / "weights.pt", SHIPPED if ship else work / "model", story)))


def export(weights: Path, folder: Path, story: Story) -> Path:
    """Write MODEL.onnx and MODEL.json into a folder; returns the card's path."""
    graph = Graph(MODEL, _PURPOSE, (2, WINDOW, WINDOW, WINDOW), ("bone",))
    settings = {"window": WINDOW, "stride": WINDOW - OVERLAP, "step_mm": STEP_MM}
    return write_model(load_weights(outline_net(), weights), graph, folder, story, lambda _: {}, settings)


if __name__ == "__main__":
    typer.run(main)
