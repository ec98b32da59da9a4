"""A wider network that computes what a narrower one does, to go on training from (after Chen, Net2Net, 2016)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from pathlib import Path

import torch
from torch import Tensor, nn

from osteoscope.train.planar_net import WIDTHS, PlanarNet
from osteoscope.train.restoring import Pictures, arrays_of, restore


def restored(path: Path, pictures: Pictures, least: Sequence[int] = WIDTHS) -> PlanarNet:
    """The planar network of an ONNX file, widened where it is narrower than wanted.

    Args:
        path: see `osteoscope.train.restoring.restore`.
        pictures: likewise.
        least: channels of each level.

    Raises:
        ModelError: the file is not of a planar network.
    """
    found = widths_in(arrays_of(path)) or tuple(least)
    wanted = tuple(max(pair) for pair in zip(found, least, strict=False))
    narrow = restore(PlanarNet(found), path, pictures)
    return narrow if found == wanted else widened(narrow, found, wanted)


def widths_in(weights: Mapping[str, Sized]) -> tuple[int, ...]:
    """Widths of the planar network with those weights, by name."""
    names = (f"down.{level}.0.weight" for level in range(len(WIDTHS)))
    return tuple(len(weights[name]) for name in names if name in weights)


@torch.no_grad()
def widened(narrow: PlanarNet, old: Sequence[int], new: Sequence[int]) -> PlanarNet:
    """New channels look at everything, but what was there does not listen to them yet.

    Args:
        narrow: of the old widths.
        old, new: widths; none narrower than before.
    """
    wide = PlanarNet(new)
    places = {name: layer.state_dict() for name, layer in wide.named_modules()}
    for name, small in narrow.named_modules():
        if isinstance(small, nn.Conv2d | nn.Linear):
            _embed(places[name], small, _inputs(name, small, old, new))
        elif isinstance(small, nn.BatchNorm2d):
            for key, value in small.state_dict().items():
                place = places[name][key]
                (place[: len(value)] if value.ndim else place).copy_(value)
    return wide


def _inputs(name: str, small: nn.Conv2d | nn.Linear, old: Sequence[int], new: Sequence[int]) -> Tensor:
    """Where the inputs of a narrow layer lie among those of the wide one."""
    own = torch.arange(small.weight.shape[1])
    kind, *rest = name.split(".")
    if kind != "up" or rest[1] != "0":
        return own
    below = len(old) - 1 - int(rest[0])
    return torch.where(own < old[below], own, own - old[below] + new[below])


def _embed(wide: Mapping[str, Tensor], small: nn.Conv2d | nn.Linear, inputs: Tensor) -> None:
    outputs = len(small.weight)
    wide["weight"][:outputs] = 0
    wide["weight"][:outputs, inputs] = small.weight
    if small.bias is not None:
        wide["bias"][:outputs] = small.bias
