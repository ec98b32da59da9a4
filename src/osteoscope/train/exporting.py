"""From trained weights to what the package ships: ONNX and a card."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from sklearn.linear_model import LogisticRegression
from torch import nn

from osteoscope.errors import ModelError
from osteoscope.find.model import Card, Model
from osteoscope.train.written import written

# Weights are stored in half precision, which halves the file and is finer than what networks run in; not the few
# numbers of biases. `osteoscope.train.restoring` takes the name off again.
HALF = ".half"
_MANY = 4096


@dataclass(frozen=True)
class Story:
    """What the card says in words."""

    version: str
    data: str
    limits: tuple[str, ...]


@dataclass(frozen=True)
class Graph:
    """How a network becomes ONNX.

    Args:
        name: of the model.
        purpose: for the card.
        shape: of one input, without batch axis.
        outputs: their names.
    """

    name: str
    purpose: str
    shape: tuple[int, ...]
    outputs: tuple[str, ...]


def write_model(
    net: nn.Module, graph: Graph, folder: Path, story: Story, calibrate: Callable[[Model], Mapping[str, Any]],
    settings: Mapping[str, Any] | None = None,
) -> Path:  # fmt: skip
    """Write the weights and their card into a folder; returns the card's path.

    Args:
        net: with its trained weights.
        graph: see `Graph`.
        folder: where the package looks for models.
        story: the card's words.
        calibrate: settings that follow from running the exported model.
        settings: those known before.

    Raises:
        ModelError: the exporter made nothing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{graph.name}.onnx"
    # The old weights stay until the new card is known, so that card and weights match while this calibrates.
    with written(target) as unfinished:
        write_onnx(net, graph, unfinished)
        digest = hashlib.sha256(unfinished.read_bytes()).hexdigest()
        plain = Card(
            graph.name, story.version, target.name, digest, graph.purpose, story.data,
            limits=story.limits, settings=dict(settings or {}),
        )  # fmt: skip
        card = replace(plain, settings={**plain.settings, **calibrate(Model(plain, unfinished))})
    return write_card(card, folder)


def write_card(card: Card, folder: Path) -> Path:
    """Write a card beside its weights; returns its path."""
    path = folder / f"{card.name}.json"
    path.write_text(json.dumps(asdict(card), indent=1) + "\n", encoding="utf-8")
    return path


def load_weights(net: nn.Module, weights: Path) -> nn.Module:
    """A net with the averaged weights of `osteoscope.train.fitting.fit_task`."""
    net.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return net.eval()


def write_onnx(net: nn.Module, graph: Graph, path: Path) -> None:
    """Write the weights alone.

    Raises:
        ModelError: the exporter made nothing.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own making
        program = torch.onnx.export(
            net, (torch.zeros(1, *graph.shape),), dynamo=True, input_names=["picture"],
            output_names=list(graph.outputs), opset_version=18, verbose=False,
        )  # fmt: skip
    if program is None:
        raise ModelError(f"export {graph.name}", "no ONNX program", "Check the versions of torch and onnxscript")
    program.save(str(path), external_data=False)
    model = onnx.load(path)
    _strip(model)
    _halve(model.graph)
    onnx.save(model, path)


def _strip(model: onnx.ModelProto) -> None:
    """Leave out where the exporter stood in the code, which names folders of this machine."""
    graph = model.graph
    for item in (model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer, *graph.value_info):
        del item.metadata_props[:]
        item.doc_string = ""


def _halve(graph: onnx.GraphProto) -> None:
    """Store large weights in half precision; they are cast back as the graph starts."""
    for weights in graph.initializer:
        values = numpy_helper.to_array(weights)
        if values.dtype == np.float32 and values.size >= _MANY:
            name = weights.name
            weights.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + HALF))
            graph.node.insert(0, helper.make_node("Cast", [name + HALF], [name], to=onnx.TensorProto.FLOAT))


def logistic(
    features: Sequence[Sequence[float]], right: Sequence[bool], names: Sequence[str], rising: Collection[str] = ()
) -> dict[str, float]:
    """Weights of a logistic model of a candidate being right, by name of feature, and "constant".

    Args:
        features: of each candidate.
        right: whether it is.
        names: of the features.
        rising: features by which a candidate can only become surer; one that says otherwise here counts nothing.
    """
    values, used = np.asarray(features), list(range(len(names)))
    while True:
        fitted = LogisticRegression(C=10.0, max_iter=2000).fit(values[:, used], right)
        weights = dict(zip((names[n] for n in used), fitted.coef_[0].tolist(), strict=True))
        falling = {name for name in rising if weights.get(name, 0.0) < 0}
        if not falling:
            break
        used = [n for n in used if names[n] not in falling]
    return {"constant": round(float(fitted.intercept_[0]), 4)} | {n: round(weights.get(n, 0.0), 4) for n in names}
