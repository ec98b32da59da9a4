"""Train the planar network: resumable, within two CPU cores and three hours."""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from osteoscope.train.planar_basis import Basis
from osteoscope.train.planar_loss import WEIGHTS, losses
from osteoscope.train.planar_net import PlanarNet, split
from osteoscope.train.planar_sample import draw

_FIELDS = ("picture", "heat", "units", "owner", "diffuse", "other", "acquired")


@dataclass(frozen=True)
class FitOptions:
    """Choices of the training.

    Args:
        examples: how many to see in this run; the learning rate falls to nearly 0 over them.
        batch: examples per step.
        rate: highest learning rate (AdamW).
        warm: examples over which the rate rises.
        average: decay per step of the averaged weights, which are the ones kept.
        workers: processes that draw examples.
        every: examples between checkpoints.
        seed: of the examples; a resumed run goes on with new ones.
    """

    examples: int = 30_000
    batch: int = 4
    rate: float = 2e-3
    warm: int = 1000
    average: float = 0.998
    workers: int = 1
    every: int = 1000
    seed: int = 1


class _Examples(Dataset[dict[str, Tensor]]):
    def __init__(self, bases: Sequence[Path], count: int, seed: int) -> None:
        self.bases, self.count, self.seed = list(bases), count, seed

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        rng = np.random.default_rng((self.seed, index))
        example = draw(Basis.load(self.bases[int(rng.integers(len(self.bases)))]), rng)
        return {name: torch.from_numpy(np.ascontiguousarray(getattr(example, name))) for name in _FIELDS}


def fit(bases: Sequence[Path], folder: Path, options: FitOptions) -> Iterator[dict[str, float]]:
    """Train, or go on with what `folder` holds; yields the mean losses between checkpoints.

    `folder` then holds "state.pt" (to go on), "weights.pt" (averaged weights) and "log.jsonl".
    """
    folder.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    net = PlanarNet().to(device)
    optimiser = torch.optim.AdamW(net.parameters(), lr=options.rate, weight_decay=1e-4)
    averaged, done = copy.deepcopy(net), 0
    state = folder / "state.pt"
    if state.exists():
        stored = torch.load(state, map_location=device, weights_only=True)
        net.load_state_dict(stored["net"])
        averaged.load_state_dict(stored["averaged"])
        optimiser.load_state_dict(stored["optimiser"])
        done = int(stored["done"])
    loader = DataLoader(
        _Examples(bases, options.examples - done, options.seed + done),
        options.batch,
        num_workers=options.workers,
        prefetch_factor=4 if options.workers else None,
        drop_last=True,
        worker_init_fn=_alone,
    )
    sums: dict[str, float] = {}
    steps, started = 0, time.time()
    net.train()
    for batch in loader:
        for group in optimiser.param_groups:
            group["lr"] = options.rate * _schedule(done, options)
        found = _step(net, optimiser, batch, device)
        _average(averaged, net, min(options.average, (1 + done / options.batch) / (10 + done / options.batch)))
        done += options.batch
        steps += 1
        sums = {name: sums.get(name, 0.0) + value for name, value in found.items()}
        if done % options.every < options.batch:
            _save(state, net, averaged, optimiser, done)
            line = {"examples": done, "seconds": round(time.time() - started, 1)}
            line |= {name: round(value / steps, 4) for name, value in sums.items()}
            with (folder / "log.jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
            yield line
            sums, steps = {}, 0
    _save(state, net, averaged, optimiser, done)
    (folder / "options.json").write_text(json.dumps(asdict(options) | {"bases": len(bases)}, indent=1))


def _alone(_worker: int) -> None:
    torch.set_num_threads(1)


def _schedule(done: int, options: FitOptions) -> float:
    if done < options.warm:
        return (done + 1) / options.warm
    return 0.01 + 0.99 * (1 + math.cos(math.pi * done / options.examples)) / 2


def _step(
    net: PlanarNet, optimiser: torch.optim.Optimizer, batch: dict[str, Tensor], device: torch.device
) -> dict[str, float]:
    wanted = {name: value.to(device) for name, value in batch.items()}
    picture = wanted["picture"].to(memory_format=torch.channels_last)
    with torch.autocast(device.type, dtype=torch.bfloat16):
        said = net(picture)
    found = losses(split(*(part.float() for part in said)), wanted)
    total = torch.stack([WEIGHTS[name] * loss for name, loss in found.items()]).sum()
    optimiser.zero_grad()
    total.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
    optimiser.step()
    return {name: float(loss.detach()) for name, loss in found.items()}


@torch.no_grad()
def _average(averaged: PlanarNet, net: PlanarNet, decay: float) -> None:
    for kept, new in zip(averaged.state_dict().values(), net.state_dict().values(), strict=True):
        if kept.dtype.is_floating_point:
            kept.mul_(decay).add_(new, alpha=1 - decay)
        else:
            kept.copy_(new)


def _save(path: Path, net: PlanarNet, averaged: PlanarNet, optimiser: torch.optim.Optimizer, done: int) -> None:
    stored: dict[str, Any] = {
        "net": net.state_dict(), "averaged": averaged.state_dict(), "optimiser": optimiser.state_dict(), "done": done,
    }  # fmt: skip
    for target, content in ((path, stored), (path.with_name("weights.pt"), averaged.state_dict())):
        unfinished = target.with_suffix(".part")
        torch.save(content, unfinished)
        unfinished.rename(target)
