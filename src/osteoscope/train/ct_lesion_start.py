"""A lesion network to go on training from, taken back from the ONNX weights of a model.

The exporter has merged each batch normalisation into the convolution before it. They are parted again so that the
network computes the same, and so that normalisation by the batch, as in training, starts from statistics that hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from osteoscope.errors import ModelError
from osteoscope.train.ct_lesion_net import LesionNet

Pictures = Iterable[NDArray[np.float32]]


def from_onnx(path: Path, pictures: Pictures) -> LesionNet:
    """The network of an ONNX file.

    Args:
        path: as written by `osteoscope.train.ct_lesion_export.export`.
        pictures: (2, z, y, x) each, sides multiples of 16, that the statistics of the batches are taken from.

    Raises:
        ModelError: the file is not of this network.
    """
    graph = onnx.load(path).graph
    arrays = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    biases = {node.input[1]: node.input[2] for node in graph.node if node.op_type == "Conv" and len(node.input) > 2}
    net = LesionNet(_widths(arrays, path))
    with torch.no_grad():
        for name, layer in net.named_modules():
            if isinstance(layer, nn.Conv3d):
                _fill(layer.weight, arrays, f"{name}.weight", path)
                if layer.bias is not None:
                    _fill(layer.bias, arrays, biases.get(f"{name}.weight", f"{name}.bias"), path)
        for before, norm in _normalised(net):
            norm.running_mean = torch.zeros_like(norm.bias)
            norm.running_var = torch.full_like(norm.bias, 1 - norm.eps)
            bias = biases.get(f"{before}.weight")
            norm.bias.copy_(torch.from_numpy(np.array(arrays[bias])) if bias else torch.zeros_like(norm.bias))
    _settle(net.eval(), pictures)
    return net


def _widths(arrays: dict[str, NDArray[np.float32]], path: Path) -> list[int]:
    widths: list[int] = []
    while f"down.{len(widths)}.0.weight" in arrays:
        widths.append(len(arrays[f"down.{len(widths)}.0.weight"]))
    if len(widths) < 2 or arrays["down.0.0.weight"].ndim != 5:
        raise ModelError(f"go on from {path.name}", "weights of another network", "Give a model of `train ct`")
    return widths


def _fill(place: Tensor, arrays: dict[str, NDArray[np.float32]], name: str, path: Path) -> None:
    found = arrays.get(name)
    if found is None or found.shape != tuple(place.shape):
        raise ModelError(f"go on from {path.name}", f"no weights {name} that fit", "Give a model of `train ct`")
    place.copy_(torch.from_numpy(np.array(found)))


def _normalised(net: nn.Module) -> Iterable[tuple[str, nn.BatchNorm3d]]:
    """Each normalisation with the name of the convolution before it."""
    before = ""
    for name, layer in net.named_modules():
        if isinstance(layer, nn.Conv3d):
            before = name
        elif isinstance(layer, nn.BatchNorm3d):
            yield before, layer


@torch.no_grad()
def _settle(net: nn.Module, pictures: Pictures) -> None:
    """Move mean and spread of what each normalisation sees out of its own weights into its statistics."""
    norms = [norm for _, norm in _normalised(net)]
    seen: dict[nn.Module, list[tuple[Tensor, Tensor]]] = {norm: [] for norm in norms}
    hooks = [
        norm.register_forward_hook(
            lambda module, given, _: seen[module].append(
                (given[0].mean((0, 2, 3, 4)), (given[0] ** 2).mean((0, 2, 3, 4)))
            )
        )
        for norm in norms
    ]
    for picture in pictures:
        net(torch.from_numpy(picture[None]))
    for hook in hooks:
        hook.remove()
    for norm in norms:
        if not seen[norm]:
            continue
        mean = torch.stack([first for first, _ in seen[norm]]).mean(0)
        variance = (torch.stack([second for _, second in seen[norm]]).mean(0) - mean**2).clamp(min=1e-6)
        norm.bias.add_(mean)
        norm.weight.copy_(torch.sqrt(variance + norm.eps))
        norm.running_mean, norm.running_var = mean, variance
