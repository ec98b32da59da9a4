"""The loop that fits every network: AdamW in bfloat16, averaged weights, checkpoints to go on from."""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from osteoscope.errors import ModelError
from osteoscope.train.written import written

Named = dict[str, Tensor]
# By number of axes of a batch of pictures: the order in memory that convolutions are fastest in.
_FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}
_HUGE = 1e4  # norm of a gradient
_STATE = "state.pt"


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
        settled: statistics of normalisations stay as they are, and are what the net trains with: a trained network has
            better ones than a few examples give.
    """

    examples: int = 30_000
    batch: int = 4
    rate: float = 2e-3
    warm: int = 1000
    average: float = 0.998
    workers: int = 1
    every: int = 1000
    seed: int = 1
    settled: bool = False


@dataclass(frozen=True)
class Task:
    """What is learnt.

    Args:
        net: takes "picture" of a batch.
        draw: an example, by a random generator; holds "picture" and what is wanted.
        losses: by name, of the net's outputs (in full precision) and a batch.
        weights: of each loss in the sum.
    """

    net: nn.Module
    draw: Callable[[np.random.Generator], Mapping[str, NDArray[Any]]]
    losses: Callable[[tuple[Tensor, ...], Mapping[str, Tensor]], Named]
    weights: Mapping[str, float]


class _Examples(Dataset[Named]):
    def __init__(self, task: Task, count: int, seed: int) -> None:
        self.draw, self.count, self.seed = task.draw, count, seed

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Named:
        example = self.draw(np.random.default_rng((self.seed, index)))
        return {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in example.items()}


def fit_task(task: Task, folder: Path, options: FitOptions, notes: Mapping[str, Any]) -> Iterator[dict[str, float]]:
    """Train, or go on with what `folder` holds; yields the mean losses between checkpoints.

    `folder` then holds "state.pt" (to go on), "weights.pt" (averaged weights), "log.jsonl" and, at the end,
    "options.json" with the options and ``notes``.

    Raises:
        ModelError: `folder` holds another network; or a loss is not finite, and it keeps the last checkpoint.
    """
    folder.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    net = task.net.to(device)
    optimiser = torch.optim.AdamW(net.parameters(), lr=options.rate, weight_decay=1e-4)
    averaged, done = copy.deepcopy(net), 0
    state = folder / _STATE
    if state.exists():
        stored = torch.load(state, map_location=device, weights_only=True)
        if {n: w.shape for n, w in stored["net"].items()} != {n: w.shape for n, w in net.state_dict().items()}:
            raise ModelError(f"go on from {state}", "weights of another network", "Train in a folder of its own")
        net.load_state_dict(stored["net"])
        averaged.load_state_dict(stored["averaged"])
        optimiser.load_state_dict(stored["optimiser"])
        done = int(stored["done"])
    sums: dict[str, float] = {}
    steps, started = 0, time.time()
    net.train(not options.settled)
    for batch in _loader(task, options, done):
        for group in optimiser.param_groups:
            group["lr"] = options.rate * _schedule(done, options)
        found = step(task, optimiser, {name: value.to(device) for name, value in batch.items()})
        average(averaged, net, min(options.average, (1 + done / options.batch) / (10 + done / options.batch)))
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
    (folder / "options.json").write_text(json.dumps(asdict(options) | dict(notes), indent=1))


def examples_done(folder: Path) -> int:
    """How many examples the run of a folder has seen at its last checkpoint; 0 where there is none."""
    state = folder / _STATE
    return int(torch.load(state, map_location="cpu", weights_only=True, mmap=True)["done"]) if state.exists() else 0


def _loader(task: Task, options: FitOptions, done: int) -> DataLoader[Named]:
    return DataLoader(
        _Examples(task, max(0, options.examples - done), options.seed + done),
        options.batch,
        num_workers=options.workers,
        prefetch_factor=4 if options.workers else None,
        drop_last=True,
        worker_init_fn=alone,
    )


def alone(_worker: int = 0) -> None:
    """Let a process that is one of several use one thread."""
    torch.set_num_threads(1)


def _schedule(done: int, options: FitOptions) -> float:
    if done < options.warm:
        return (done + 1) / options.warm
    return 0.01 + 0.99 * (1 + math.cos(math.pi * done / options.examples)) / 2


def step(task: Task, optimiser: torch.optim.Optimizer, batch: Named) -> dict[str, float]:
    """One step on a batch that lies where the net does; returns the losses.

    Raises:
        ModelError: a loss is not finite.
    """
    net, picture = task.net, batch["picture"]
    with torch.autocast(picture.device.type, dtype=torch.bfloat16):
        said = net(picture.to(memory_format=_FORMATS[picture.ndim]))
    outputs = said if isinstance(said, tuple) else (said,)
    found = task.losses(tuple(output.float() for output in outputs), batch)
    total = torch.stack([task.weights[name] * loss for name, loss in found.items()]).sum()
    optimiser.zero_grad()
    total.backward()  # type: ignore[no-untyped-call]
    # Gradients of convolutions in bfloat16 on maps of a few voxels are at times not finite, or huge: leave those out.
    usable = float(torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)) < _HUGE
    if usable:
        optimiser.step()
    values = torch.stack([loss.detach() for loss in found.values()]).tolist()
    named = dict(zip(found, values, strict=True))
    if not all(map(math.isfinite, values)):
        raise ModelError("train", f"losses {named}", "Lower the rate, and go on from what was kept last")
    return named | {"left_out": float(not usable)}


@torch.no_grad()
def average(averaged: nn.Module, net: nn.Module, decay: float) -> None:
    """Move averaged weights towards a net's."""
    pairs = list(zip(averaged.state_dict().values(), net.state_dict().values(), strict=True))
    real = [pair for pair in pairs if pair[0].dtype.is_floating_point]
    torch._foreach_lerp_([kept for kept, _ in real], [new for _, new in real], 1 - decay)  # all at once, for a GPU
    for kept, new in pairs:
        if not kept.dtype.is_floating_point:
            kept.copy_(new)


def _save(path: Path, net: nn.Module, averaged: nn.Module, optimiser: torch.optim.Optimizer, done: int) -> None:
    stored: dict[str, Any] = {
        "net": net.state_dict(), "averaged": averaged.state_dict(), "optimiser": optimiser.state_dict(), "done": done,
    }  # fmt: skip
    for target, content in ((path, stored), (path.with_name("weights.pt"), averaged.state_dict())):
        with written(target) as unfinished:
            torch.save(content, unfinished)
