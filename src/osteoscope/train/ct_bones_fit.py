"""Train the bones network: resumable, on two CPU cores or a GPU."""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from osteoscope.train.ct_bones_draw import SHAPES, Example, draw
from osteoscope.train.ct_bones_loss import WEIGHTS, losses
from osteoscope.train.ct_bones_maps import LabelMap
from osteoscope.train.ct_bones_net import WIDTHS, BonesNet, named

_FIELDS = tuple(field.name for field in fields(Example))


@dataclass(frozen=True)
class FitOptions:
    """Choices of the training.

    Args:
        steps: how many to take in all; the learning rate falls to nearly 0 over them.
        batch: examples per step, all of one shape.
        rate: highest learning rate (AdamW).
        warm: steps over which the rate rises.
        average: decay per step of the averaged weights, which are the ones kept.
        workers: processes that draw examples.
        every: steps between checkpoints.
        seed: of the examples; a resumed run goes on with new ones.
        shapes: sizes of examples in cells, multiples of 16.
        widths: of the network.
    """

    steps: int = 12_000
    batch: int = 2
    rate: float = 2e-3
    warm: int = 200
    average: float = 0.997
    workers: int = 1
    every: int = 50
    seed: int = 1
    shapes: tuple[tuple[int, int, int], ...] = SHAPES
    widths: tuple[int, ...] = WIDTHS


@dataclass(frozen=True)
class Pool:
    """Maps of one source, and how often an example is made of one of them."""

    maps: tuple[Path, ...]
    share: float


class _Batches(Dataset[dict[str, Tensor]]):
    def __init__(self, pools: Sequence[Pool], options: FitOptions, done: int) -> None:
        self.pools = [pool for pool in pools if pool.maps]
        self.options, self.done = options, done

    def __len__(self) -> int:
        return self.options.steps - self.done

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        number = self.done + index
        rng = np.random.default_rng((self.options.seed, number))
        shape = self.options.shapes[number % len(self.options.shapes)]
        examples = [draw(self._map(rng), shape, rng) for _ in range(self.options.batch)]
        return {name: torch.from_numpy(np.stack([getattr(e, name) for e in examples])) for name in _FIELDS}

    def _map(self, rng: np.random.Generator) -> LabelMap:
        shares = np.array([pool.share for pool in self.pools])
        pool = self.pools[int(rng.choice(len(self.pools), p=shares / shares.sum()))]
        return LabelMap.load(pool.maps[int(rng.integers(len(pool.maps)))])


def fit(pools: Sequence[Pool], folder: Path, options: FitOptions) -> Iterator[dict[str, float]]:
    """Train, or go on with what `folder` holds; yields the mean losses between checkpoints.

    `folder` then holds "state.pt" (to go on), "weights.pt" (averaged weights) and "log.jsonl".
    """
    folder.mkdir(parents=True, exist_ok=True)
    run = _Run(folder, options)
    (folder / "options.json").write_text(json.dumps(asdict(options), indent=1))
    batches = DataLoader(
        _Batches(pools, options, run.done),
        batch_size=None,
        num_workers=options.workers,
        prefetch_factor=4 if options.workers else None,
        worker_init_fn=_alone,
    )
    sums: dict[str, float] = {}
    steps, started = 0, time.time()
    for batch in batches:
        for name, value in run.step(batch).items():
            sums[name] = sums.get(name, 0.0) + value
        steps += 1
        if run.done % options.every == 0 or run.done == options.steps:
            run.save()
            line = {"steps": run.done, "seconds": round(time.time() - started, 1)}
            line |= {name: round(value / steps, 4) for name, value in sums.items()}
            with (folder / "log.jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
            yield line
            sums, steps = {}, 0


def _alone(_worker: int) -> None:
    torch.set_num_threads(1)


class _Run:
    """A training under way."""

    def __init__(self, folder: Path, options: FitOptions) -> None:
        self.folder, self.options, self.done = folder, options, 0
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.net = BonesNet(options.widths).to(self.device).train()
        self.net.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload] # torch does not say that it is
        self.averaged = copy.deepcopy(self.net)
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=options.rate, weight_decay=1e-4)
        state = folder / "state.pt"
        if state.exists():
            stored = torch.load(state, map_location=self.device, weights_only=True)
            self.net.load_state_dict(stored["net"])
            self.averaged.load_state_dict(stored["averaged"])
            self.optimiser.load_state_dict(stored["optimiser"])
            self.done = int(stored["done"])

    def step(self, batch: dict[str, Tensor]) -> dict[str, float]:
        """One step of the optimiser; the losses by name."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.options.rate * _schedule(self.done, self.options)
        wanted = {name: value.to(self.device) for name, value in batch.items()}
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            said = self.net(wanted["picture"].to(memory_format=torch.channels_last_3d))
        found = losses(named([part.float() for part in said]), wanted)
        total = torch.stack([WEIGHTS[name] * loss for name, loss in found.items()]).sum()
        self.optimiser.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 2.0)
        self.optimiser.step()
        self._average(min(self.options.average, (1 + self.done) / (10 + self.done)))
        self.done += 1
        return {name: float(loss.detach()) for name, loss in found.items()}

    @torch.no_grad()
    def _average(self, decay: float) -> None:
        for kept, new in zip(self.averaged.state_dict().values(), self.net.state_dict().values(), strict=True):
            if kept.dtype.is_floating_point:
                kept.mul_(decay).add_(new, alpha=1 - decay)
            else:
                kept.copy_(new)

    def save(self) -> None:
        """Write the state and the averaged weights, whole or not at all."""
        stored: dict[str, Any] = {
            "net": self.net.state_dict(), "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(), "done": self.done,
        }  # fmt: skip
        kept = {"widths": list(self.options.widths), "net": self.averaged.state_dict()}
        for name, content in (("state", stored), ("weights", kept)):
            unfinished = self.folder / f"{name}.part"
            torch.save(content, unfinished)
            unfinished.rename(self.folder / f"{name}.pt")


def _schedule(done: int, options: FitOptions) -> float:
    if done < options.warm:
        return (done + 1) / options.warm
    return 0.01 + 0.99 * (1 + math.cos(math.pi * min(1.0, done / options.steps))) / 2
