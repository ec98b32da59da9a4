"""From trained weights to the model that the package ships: ONNX, calibration and card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from osteoscope.errors import ModelError
from osteoscope.find.model import Card, Model
from osteoscope.find.planar_canvas import CANVAS, Fitting
from osteoscope.find.planar_maps import MODEL, Maps, Placing
from osteoscope.find.planar_peaks import FEATURES, peaks
from osteoscope.train.planar_basis import Basis
from osteoscope.train.planar_net import PlanarNet
from osteoscope.train.planar_sample import Example, draw

_SAME = 4.5  # canvas elements between a peak and the focus that it is
_NOWHERE = Placing(Fitting(1.0, 0.0, 0.0), CANVAS, {})
_FLAT: Mapping[str, float] = {"constant": 0.0, "heat": 1.0} | dict.fromkeys(FEATURES[1:], 0.0)


@dataclass(frozen=True)
class Story:
    """What the card says in words."""

    version: str
    data: str
    limits: tuple[str, ...]


def export(weights: Path, folder: Path, held_out: Sequence[Path], story: Story, draws: int = 600) -> Path:
    """Write MODEL.onnx and MODEL.json into a folder; confidences are calibrated on bodies not trained on.

    Args:
        weights: of `osteoscope.train.planar_fit.fit`.
        folder: where the package looks for models.
        held_out: bases that training never saw.
        story: the card's words.
        draws: examples for the calibration.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{MODEL}.onnx"
    _write_onnx(weights, target)
    plain = Card(
        MODEL, story.version, target.name, hashlib.sha256(target.read_bytes()).hexdigest(), _PURPOSE, story.data
    )
    settings = {"focus": calibrate(Model(plain, target), held_out, draws)}
    card = Card(**(asdict(plain) | {"limits": story.limits, "settings": settings}))
    path = folder / f"{MODEL}.json"
    path.write_text(json.dumps(asdict(card), indent=1) + "\n", encoding="utf-8")
    return path


_PURPOSE = (
    "Silhouettes of 15 bone units, foci, diffuse disease, soft-tissue disease and physiological uptake on anterior and "
    "posterior planar 123I-mIBG views of children. Research use only, not a medical device."
)


def _write_onnx(weights: Path, path: Path) -> None:
    net = PlanarNet()
    net.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    net.eval()
    program = torch.onnx.export(
        net, (torch.zeros(1, 3, *CANVAS),), dynamo=True, input_names=["picture"],
        output_names=["centres", "masks", "acquired"], opset_version=18,
    )  # fmt: skip
    if program is None:
        raise ModelError("export the planar network", "no ONNX program", "Check the versions of torch and onnxscript")
    program.save(str(path), external_data=False)
    _strip(path)


def _strip(path: Path) -> None:
    """Leave out where the exporter stood in the code, which names folders of this machine."""
    model = onnx.load(path)
    graph = model.graph
    for item in (model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer, *graph.value_info):
        del item.metadata_props[:]
        item.doc_string = ""
    onnx.save(model, path)


def calibrate(model: Model, bases: Sequence[Path], draws: int) -> dict[str, float]:
    """Weights of the logistic model of a peak being a focus of its segment, from drawn examples."""
    # One sure focus and one sure miss stand in where the draws show one kind only.
    features = [np.array([end, *np.zeros(len(FEATURES) - 1)]) for end in (6.0, -6.0)]
    right = [True, False]
    for example in _examples(bases, draws):
        for peak, hit in matched(Maps.of(model, example.counts, _NOWHERE), example):
            features.append(peak)
            right.append(hit)
    fitted = LogisticRegression(C=10.0, max_iter=2000).fit(np.array(features), np.array(right))
    coefficients = dict(zip(FEATURES, (round(float(c), 4) for c in fitted.coef_[0]), strict=True))
    return {"constant": round(float(fitted.intercept_[0]), 4), **coefficients}


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
