"""A network to go on training from, taken back from the ONNX weights of a model.

The exporter has merged each batch normalisation into the convolution before it. They are parted again so that the
network computes the same, and so that normalisation by the batch, as in training, starts from statistics that hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from osteoscope.errors import ModelError
from osteoscope.train.exporting import HALF

Pictures = Iterable[NDArray[np.float32]]
Arrays = Mapping[str, NDArray[np.float32]]

_Net = TypeVar("_Net", bound=nn.Module)
_Conv = nn.Conv2d | nn.Conv3d
_Norm = nn.BatchNorm2d | nn.BatchNorm3d


def arrays_of(path: Path) -> Arrays:
    """Weights of an ONNX file by name."""
    return _arrays(onnx.load(path).graph)


def restore(net: _Net, path: Path, pictures: Pictures) -> _Net:
    """Give a network the weights of an ONNX file; returns it.

    Args:
        net: of the architecture that was exported.
        path: as written by `osteoscope.train.exporting.write_onnx`.
        pictures: inputs without batch axis that the statistics of the batches are taken from.

    Raises:
        ModelError: the file is not of this network.
    """
    graph = onnx.load(path).graph
    arrays = _arrays(graph)
    if set(net.state_dict()) <= set(arrays):  # no normalisation was merged
        for name, place in net.state_dict().items():
            _fill(place, arrays, name, path)
        return net
    biases = {node.input[1]: node.input[2] for node in graph.node if node.op_type == "Conv" and len(node.input) > 2}
    with torch.no_grad():
        for name, layer in net.named_modules():
            if isinstance(layer, _Conv | nn.Linear):
                _fill(layer.weight, arrays, f"{name}.weight", path)
                if layer.bias is not None:
                    _fill(layer.bias, arrays, biases.get(f"{name}.weight", f"{name}.bias"), path)
        for name, place in net.named_buffers():
            if name in arrays:
                _fill(place, arrays, name, path)
        for before, norm in _normalised(net):
            norm.running_mean = torch.zeros_like(norm.bias)
            norm.running_var = torch.full_like(norm.bias, 1 - norm.eps)
            norm.weight.fill_(1)
            bias = biases.get(f"{before}.weight")
            norm.bias.copy_(torch.from_numpy(np.array(arrays[bias])) if bias else torch.zeros_like(norm.bias))
    _settle(net.eval(), pictures)
    return net


def _arrays(graph: onnx.GraphProto) -> Arrays:
    found = {item.name.removesuffix(HALF): numpy_helper.to_array(item) for item in graph.initializer}
    return {name: np.asarray(values, np.float32) for name, values in found.items()}


def _fill(place: Tensor, arrays: Arrays, name: str, path: Path) -> None:
    found = arrays.get(name)
    if found is None or found.shape != tuple(place.shape):
        raise ModelError(
            f"go on from {path.name}", f"no weights {name} that fit", "Give a model of the same architecture"
        )
    place.copy_(torch.from_numpy(np.array(found)))


def _normalised(net: nn.Module) -> Iterator[tuple[str, _Norm]]:
    """Each normalisation with the name of the convolution before it."""
    before = ""
    for name, layer in net.named_modules():
        if isinstance(layer, _Conv):
            before = name
        elif isinstance(layer, _Norm):
            yield before, layer


@torch.no_grad()
def _settle(net: nn.Module, pictures: Pictures) -> None:
    """Move mean and spread of what each normalisation sees out of its own weights into its statistics.

    Each channel of a convolution gets weights as large as a new one has, which its statistics undo: merged weights are
    at times a thousand times smaller, and steps of one size for all would ruin those at once.
    """
    pairs = list(_normalised(net))
    seen: dict[nn.Module, list[tuple[Tensor, Tensor]]] = {norm: [] for _, norm in pairs}

    def remember(module: nn.Module, given: tuple[Tensor, ...], _: Tensor) -> None:
        axes = (0, *range(2, given[0].ndim))
        seen[module].append((given[0].mean(axes), (given[0] ** 2).mean(axes)))

    hooks = [norm.register_forward_hook(remember) for norm in seen]
    for picture in pictures:
        net(torch.from_numpy(picture[None]))
    for hook in hooks:
        hook.remove()
    for before, norm in pairs:
        if not seen[norm]:
            continue
        mean = torch.stack([first for first, _ in seen[norm]]).mean(0)
        variance = (torch.stack([second for _, second in seen[norm]]).mean(0) - mean**2).clamp(min=1e-12)
        norm.bias.add_(mean)
        larger = _enlarge(net.get_parameter(f"{before}.weight"))
        norm.running_mean, norm.running_var = mean * larger, variance * larger**2
        norm.weight.copy_(torch.sqrt(norm.running_var + norm.eps) / larger)


def _enlarge(weight: Tensor) -> Tensor:
    """Scale each channel to the spread that a new layer has; returns by how much."""
    usual = float(3 * weight[0].numel()) ** -0.5
    larger: Tensor = usual / weight.flatten(1).std(dim=1).clamp(min=1e-12)
    weight.mul_(larger.reshape(-1, *(1,) * (weight.ndim - 1)))
    return larger
