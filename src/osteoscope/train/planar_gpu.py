"""The training of the planar network where there is a GPU: `python -m osteoscope.train.planar_gpu WORK`.

All cores but two make bodies, each one new, and plan examples of them; the GPU renders these, with new noise each time,
and learns from them: on an H100 with 16 cores 450 examples a second. WORK/weights.pt holds the averaged weights;
`osteoscope.train.planar --weights` makes the model of them.
"""

from __future__ import annotations

import copy
import json
import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from torch import nn

from osteoscope.train.fitting import Task, average, step
from osteoscope.train.planar_basis import Basis
from osteoscope.train.planar_bodies import write_bases
from osteoscope.train.planar_fit import named_losses
from osteoscope.train.planar_loss import WEIGHTS
from osteoscope.train.planar_net import PlanarNet
from osteoscope.train.planar_sample import draw
from osteoscope.train.planar_supply import Supply
from osteoscope.train.widening import restored
from osteoscope.train.written import written

_RATE, _AVERAGE = 2e-3, 0.999
_WARM, _LEAST = 0.02, 0.005  # share of the time over which the rate rises; of the rate at the end
_TOLD = 20.0  # seconds between lines of the log
_SETTLED_ON = 24  # examples, of so many bodies
_BODIES = 6


def fit(net: PlanarNet, supply: Supply, folder: Path, seconds: float) -> Iterator[dict[str, float]]:
    """Train for so long from the first batch on; yields the mean losses now and then.

    Args:
        net: to go on from.
        supply: of batches.
        folder: for "weights.pt", written anew with each line, and "log.jsonl".
        seconds: the learning rate falls to nearly 0 over them.

    Raises:
        ModelError: a loss is not finite; the folder keeps the last weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    net.to(supply.device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    averaged = copy.deepcopy(net)
    optimiser = torch.optim.AdamW(net.parameters(), lr=_RATE, weight_decay=1e-4, fused=supply.device.type == "cuda")
    task = Task(net, lambda _: {}, named_losses, WEIGHTS)
    kept: list[Mapping[str, float]] = []
    begun = told = 0.0
    for steps, batch in enumerate(supply, start=1):
        now = time.monotonic()
        begun, told = begun or now, told or now
        past = (now - begun) / seconds
        if past >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = _RATE * _schedule(past)
        kept.append(step(task, optimiser, batch))
        average(averaged, net, min(_AVERAGE, (1 + steps) / (10 + steps)))
        if now - told > _TOLD:
            yield _told(folder, averaged, kept, {"steps": steps, "seconds": now - begun, "bodies": supply.shelf.bodies})
            told, kept = now, []
    yield _told(folder, averaged, kept, {"steps": steps, "seconds": now - begun, "bodies": supply.shelf.bodies})


def _schedule(past: float) -> float:
    return min(1.0, past / _WARM + 1e-3) * (_LEAST + (1 - _LEAST) * (1 + math.cos(math.pi * past)) / 2)


def _told(
    folder: Path, averaged: nn.Module, kept: Sequence[Mapping[str, float]], counts: Mapping[str, float]
) -> dict[str, float]:
    line = {name: round(value, 1) for name, value in counts.items()}
    line |= {name: round(float(np.mean([one[name] for one in kept])), 4) for name in (kept[0] if kept else ())}
    with (folder / "log.jsonl").open("a") as log:
        log.write(json.dumps(line) + "\n")
    with written(folder / "weights.pt") as unfinished:
        torch.save({name: value.cpu().contiguous() for name, value in averaged.state_dict().items()}, unfinished)
    return line


def main(
    work: Annotated[Path, typer.Argument(help="Folder for the weights.")],
    start: Annotated[Path, typer.Option(help="Weights (ONNX) to begin with, of this width or narrower.")],
    phantoms: Annotated[Path | None, typer.Option(help="Folder of ICRP-110 phantoms (.npz), every third body.")] = None,
    seconds: Annotated[float, typer.Option(min=1)] = 1800.0,
    batch: Annotated[int, typer.Option(min=2)] = 32,
) -> None:
    """Go on training the network that finds uptake on planar mIBG scans."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.backends.cudnn.benchmark = True
    found = sorted(phantoms.glob("*.npz")) if phantoms else []
    cores = max(1, (os.cpu_count() or 2) - 2)
    bodies = [Basis.load(path) for path in write_bases(range(_BODIES), work / "bases", cores, found)]
    rng = np.random.default_rng(1)
    net = restored(start, (draw(bodies[n % len(bodies)], rng).picture for n in range(_SETTLED_ON)))
    for line in fit(net, Supply(device, found, batch, cores), work, seconds):
        typer.echo("  ".join(f"{name} {value:g}" for name, value in line.items()))


if __name__ == "__main__":
    typer.run(main)
