"""Train the lesion network of CT on a hospital's own marked scans: from a model, or anew."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from osteoscope.errors import UnsuitableStudyError
from osteoscope.find.model import Model
from osteoscope.train.ct_lesion_export import WINDOW, export
from osteoscope.train.ct_lesion_fit import fit
from osteoscope.train.ct_lesion_net import WIDTHS, LesionNet
from osteoscope.train.ct_lesion_patches import draw
from osteoscope.train.ct_lesion_start import from_onnx
from osteoscope.train.ct_scans import Scan
from osteoscope.train.exporting import Story
from osteoscope.train.fitting import FitOptions

_LEAST_PATIENTS = 3
# Highest learning rates: a trained network is moved gently. On twelve simulated scans 300 steps took the loss of
# lesions in others from 0.433 to 0.425 so; to 0.496 at 4e-4 with statistics of normalisations that moved.
RATES = {True: 5e-5, False: 1.5e-3}
# Pieces that a model's statistics are settled on before it goes on.
_SETTLED_ON = 8


@dataclass(frozen=True)
class TuneOptions:
    """Choices of the training.

    Args:
        steps: of the optimiser, over the whole run.
        batch: pieces per step.
        rate: highest learning rate; None for the usual one, lower where a model is gone on from.
        width: features of the first level where a network is made anew; the others follow as in the shipped one.
        window: side of the cube that the model looks at at once, voxels.
        workers: processes that draw examples.
        every: steps between checkpoints.
        seed: of the examples.
    """

    steps: int = 4000
    batch: int = 3
    rate: float | None = None
    width: int = WIDTHS[0]
    window: int = WINDOW
    workers: int = 1
    every: int = 100
    seed: int = 1


@dataclass(frozen=True)
class Split:
    """Patients by what their scans are for; all scans of a patient go together."""

    training: tuple[str, ...]
    calibration: tuple[str, ...]
    held_out: tuple[str, ...]


def split(patients: Sequence[str], share: float, seed: int) -> Split:
    """Patients in an order that their names and the seed give alone: held out, then calibration, then training.

    Args:
        patients: their ids.
        share: of the patients that is held out; about as many calibrate.
        seed: another gives another split.

    Raises:
        UnsuitableStudyError: fewer than three patients.
    """
    names = sorted(set(patients), key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).hexdigest())
    if len(names) < _LEAST_PATIENTS:
        found = f"scans of {len(names)} patients"
        remedy = "Give three or more: one to train on, one to calibrate confidences, one held out"
        raise UnsuitableStudyError("train on CTs", found, remedy)
    apart = min(max(1, round(share * len(names))), (len(names) - 1) // 2)
    return Split(tuple(names[2 * apart :]), tuple(names[apart : 2 * apart]), tuple(names[:apart]))


def tune(
    training: Sequence[Path], folder: Path, start: Model | None, options: TuneOptions
) -> Iterator[dict[str, float]]:
    """Train, or go on where ``folder`` stopped; yields the mean losses between checkpoints.

    Args:
        training: prepared scans.
        folder: of the run.
        start: a model to begin with, None for a new network.
        options: see `TuneOptions`.
    """
    torch.manual_seed(options.seed)
    fitting = FitOptions(
        examples=options.batch * options.steps, batch=options.batch, rate=options.rate or RATES[start is not None],
        warm=options.batch * min(300, options.steps // 10 + 1), workers=options.workers,
        every=options.batch * options.every, seed=options.seed, settled=start is not None,
    )  # fmt: skip
    yield from fit({"real": training}, folder, fitting, begin(training, start, options))


def begin(training: Sequence[Path], start: Model | None, options: TuneOptions = TuneOptions()) -> LesionNet:
    """The network of a model, its statistics settled on pieces of the first of some prepared scans; or a new one."""
    if start is None:
        return LesionNet(widths(options.width))
    rng = np.random.default_rng(options.seed)
    scan = Scan.load(training[0])
    return from_onnx(start.path, (draw(scan, rng).picture for _ in range(_SETTLED_ON)))


def widths(first: int) -> tuple[int, ...]:
    """Of all levels, in the proportions of the shipped network."""
    return tuple(max(1, first * width // WIDTHS[0]) for width in WIDTHS)


def export_tuned(
    run: Path, folder: Path, calibrating: Sequence[Path], start: Model | None, story: Story, options: TuneOptions
) -> Path:
    """Write the model of a finished run with its card; returns the card's path."""
    net = LesionNet(widths(options.width)) if start is None else from_onnx(start.path, ())
    return export(run / "weights.pt", folder, calibrating, story, options.window, net)
