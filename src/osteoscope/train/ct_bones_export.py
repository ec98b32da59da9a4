"""From trained weights to the bones model that the package ships: ONNX and card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import onnx
import torch

from osteoscope.errors import ModelError
from osteoscope.find.ct_bone_maps import MODEL, OUTPUTS, TILE, VOXELS
from osteoscope.find.model import Card
from osteoscope.train.ct_bones_net import BonesNet

_PURPOSE = (
    "Mask and names of bones on CT: vertebrae by level, sacrum, hip bones, femora, ribs by side and number, sternum, "
    "clavicles, scapulae, humeri, skull, mandible. Research use only, not a medical device."
)


@dataclass(frozen=True)
class Story:
    """What the card says in words."""

    version: str
    data: str
    limits: tuple[str, ...]
    figures: Mapping[str, str] = field(default_factory=dict)


def export(weights: Path, folder: Path, story: Story, tile: tuple[int, int, int] = TILE) -> Path:
    """Write MODEL.onnx and MODEL.json into a folder.

    Args:
        weights: "weights.pt" of `osteoscope.train.ct_bones_fit.fit`.
        folder: where the package looks for models, or another.
        story: the card's words.
        tile: cells that the exported network takes, as reading gives it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{MODEL}.onnx"
    _write_onnx(weights, target, tile)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    card = Card(MODEL, story.version, target.name, digest, _PURPOSE, story.data, story.figures, story.limits)
    path = folder / f"{MODEL}.json"
    path.write_text(json.dumps(asdict(card), indent=1) + "\n", encoding="utf-8")
    return path


def _write_onnx(weights: Path, path: Path, tile: tuple[int, int, int]) -> None:
    stored = torch.load(weights, map_location="cpu", weights_only=True)
    net = BonesNet(stored["widths"])
    net.load_state_dict(stored["net"])
    net.eval()
    program = torch.onnx.export(
        net, (torch.zeros(1, VOXELS, *tile),), dynamo=True, input_names=["picture"],
        output_names=list(OUTPUTS), opset_version=18,
    )  # fmt: skip
    if program is None:
        raise ModelError("export the bones network", "no ONNX program", "Check the versions of torch and onnxscript")
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
