"""Batches without end for a GPU: processes make bodies and plan examples of them, a thread renders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from queue import Queue
from threading import Event, Thread

import numpy as np
import torch

from osteoscope.train.fitting import Named, alone
from osteoscope.train.planar_basis import Basis
from osteoscope.train.planar_batch import Batch, Wanted
from osteoscope.train.planar_bodies import FIRST_SEED, body_basis
from osteoscope.train.planar_held import Held
from osteoscope.train.planar_plan import Plan
from osteoscope.train.planar_rendering import rendered
from osteoscope.train.planar_sample import scene_of
from osteoscope.train.planar_trace import Trace

# After the numbers of `osteoscope.train.planar`, before those that calibrate.
_FIRST_NUMBER = 10_000
_PLANS, _TRACES = 160, 12  # of each body
_WITH_TRACE = 0.47  # as often as `random_artefacts` gives any
_LEAST_BODIES = 14  # before the first batch
_LEAST_PLANS = 20_000  # below that, plans are kept and seen again with other noise


@dataclass(frozen=True, eq=False)
class Made:
    """What a process makes of one number.

    Args:
        basis: the body.
        plans: examples of it.
        traces: sets of artefacts that fit it.
    """

    basis: Basis
    plans: tuple[Plan, ...]
    traces: tuple[Trace, ...]

    @classmethod
    def of(cls, number: int, phantoms: Sequence[Path] = (), plans: int = _PLANS, traces: int = _TRACES) -> Made:
        """Of body `number`."""
        basis = body_basis(number, phantoms)
        rng = np.random.default_rng((FIRST_SEED + number, 1))
        scene = scene_of(basis)
        drawn = tuple(Trace.random(scene, rng) for _ in range(traces))
        return cls(basis, tuple(Plan.random(basis, rng) for _ in range(plans)), drawn)


class Shelf:
    """Bodies on the device, and the examples planned of them.

    Args:
        device: that holds them.
        rng: draws among them.
    """

    def __init__(self, device: torch.device, rng: np.random.Generator) -> None:
        self.device, self.rng = device, rng
        self.bodies = 0
        self._ready: list[tuple[Held, Plan]] = []

    def add(self, made: Made) -> None:
        """Take up what a process made; a body goes when the last of its plans does."""
        held = Held.of(made.basis, made.traces, self.device)
        self._ready += [(held, plan) for plan in made.plans]
        self.bodies += 1

    def batch(self, size: int) -> Batch:
        """Examples in no order."""
        return Batch([self._one() for _ in range(size)], self.device)

    def _one(self) -> Wanted:
        at = int(self.rng.integers(len(self._ready)))
        self._ready[at], self._ready[-1] = self._ready[-1], self._ready[at]
        held, plan = self._ready.pop() if len(self._ready) > _LEAST_PLANS else self._ready[-1]
        traced = bool(held.traces) and self.rng.random() < _WITH_TRACE
        return Wanted(held, plan, held.traces[int(self.rng.integers(len(held.traces)))] if traced else None)


class Supply:
    """Rendered batches, made beside the training.

    Args:
        device: that renders.
        phantoms: of every third body.
        size: examples in a batch.
        cores: processes that make bodies.
    """

    def __init__(self, device: torch.device, phantoms: Sequence[Path], size: int, cores: int) -> None:
        self.device, self.size, self.cores = device, size, cores
        self.shelf = Shelf(device, np.random.default_rng(7))
        self._make = partial(Made.of, phantoms=tuple(phantoms))
        self._rendered: Queue[Named | BaseException] = Queue(maxsize=3)
        self._over = Event()

    def __iter__(self) -> Iterator[Named]:
        """Each batch on the device; what goes wrong beside is raised here."""
        Thread(target=self._guarded, daemon=True).start()
        try:
            while True:
                found = self._rendered.get()
                if isinstance(found, BaseException):
                    raise found
                yield found
        finally:
            self._over.set()

    def _guarded(self) -> None:
        try:
            self._run()
        except BaseException as error:  # noqa: BLE001 - handed to the one who waits
            self._rendered.put(error)

    def _run(self) -> None:
        side = torch.cuda.Stream(self.device) if self.device.type == "cuda" else None  # type: ignore[no-untyped-call]
        numbers = count(_FIRST_NUMBER)
        with ProcessPoolExecutor(self.cores, get_context("spawn"), alone) as pool, _within(side):
            going: set[Future[Made]] = {pool.submit(self._make, next(numbers)) for _ in range(2 * self.cores)}
            while not self._over.is_set():
                enough = self.shelf.bodies >= _LEAST_BODIES
                done, going = wait(going, 0 if enough else None, FIRST_COMPLETED)
                for future in done:
                    self.shelf.add(future.result())
                    going.add(pool.submit(self._make, next(numbers)))
                if enough:
                    batch = rendered(self.shelf.batch(self.size))
                    if side is not None:
                        side.synchronize()
                    self._rendered.put(batch)
            pool.shutdown(wait=False, cancel_futures=True)


def _within(side: torch.cuda.Stream | None) -> torch.cuda.StreamContext | nullcontext[None]:
    return nullcontext() if side is None else torch.cuda.stream(side)
