"""From trained weights to the model that the package ships: ONNX, calibration and card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from osteoscope.find.model import Model
from osteoscope.find.planar_canvas import CANVAS, Fitting
from osteoscope.find.planar_maps import MODEL, Maps, Placing
from osteoscope.find.planar_peaks import FEATURES, peaks
from osteoscope.train.exporting import Graph, Story, load_weights, logistic, write_model
from osteoscope.train.planar_basis import Basis
from osteoscope.train.planar_net import PlanarNet
from osteoscope.train.planar_sample import Example, draw
from osteoscope.train.widening import widths_in

__all__ = ["Story", "calibrate", "export", "matched"]

_SAME = 4.5  # canvas elements between a peak and the focus that it is
_NOWHERE = Placing(Fitting(1.0, 0.0, 0.0), CANVAS, {})
_FLAT: Mapping[str, float] = {"constant": 0.0, "heat": 1.0} | dict.fromkeys(FEATURES[1:], 0.0)


def export(weights: Path, folder: Path, held_out: Sequence[Path], story: Story, draws: int = 600) -> Path:
    """Write MODEL.onnx and MODEL.json into a folder; confidences are calibrated on bodies not trained on.

    Args:
        weights: of `osteoscope.train.planar_fit.fit` or `osteoscope.train.planar_gpu.fit`, of any width.
        folder: where the package looks for models.
        held_out: bases that training never saw.
        story: the card's words.
        draws: examples for the calibration.
    """
    graph = Graph(MODEL, _PURPOSE, (3, *CANVAS), ("centres", "masks", "acquired"))
    net = load_weights(PlanarNet(widths_in(torch.load(weights, map_location="cpu", weights_only=True))), weights)
    return write_model(net, graph, folder, story, lambda model: {"focus": calibrate(model, held_out, draws)})


_PURPOSE = (
    "Silhouettes of 15 bone units, foci, diffuse disease, soft-tissue disease and physiological uptake on anterior and "
    "posterior planar 123I-mIBG views of children. Research use only, not a medical device."
)


def calibrate(model: Model, bases: Sequence[Path], draws: int) -> dict[str, float]:
    """Weights of the logistic model of a peak being a focus of its segment, from drawn examples."""
    # One sure focus and one sure miss stand in where the draws show one kind only.
    features = [[end, *[0.0] * (len(FEATURES) - 1)] for end in (6.0, -6.0)]
    right = [True, False]
    for example in _examples(bases, draws):
        for peak, hit in matched(Maps.of(model, example.counts, _NOWHERE), example):
            features.append(list(peak))
            right.append(hit)
    return logistic(features, right, FEATURES)


def _examples(bases: Sequence[Path], draws: int) -> Iterator[Example]:
    rng = np.random.default_rng(77)
    for number in range(draws):
        yield draw(Basis.load(bases[number % len(bases)]), rng)


def matched(maps: Maps, example: Example) -> Iterator[tuple[NDArray[np.float64], bool]]:
    """Features of each peak outside of diffuse disease, and whether it is a focus not yet taken by a higher one."""
    left = [tuple(focus) for focus in example.foci]
    for peak in peaks(maps, _FLAT):
        if example.diffuse[peak.unit, peak.half[0], peak.half[1]]:
            continue
        away = [np.hypot(row - peak.at[0], column - peak.at[1]) for row, column, _ in left]
        nearest = int(np.argmin(away)) if away else -1
        hit = nearest >= 0 and away[nearest] <= _SAME and int(left[nearest][2]) == peak.unit
        if hit:
            left.pop(nearest)
        yield np.array(peak.features), bool(hit)
