"""A lesion network, or a second look, to go on training from, of the widths that the ONNX weights of a model have."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from osteoscope.errors import ModelError
from osteoscope.train.ct_lesion_net import LesionNet
from osteoscope.train.ct_second_look_net import SecondLookNet
from osteoscope.train.restoring import Arrays, Pictures, arrays_of, restore


def from_onnx(path: Path, pictures: Pictures) -> LesionNet:
    """The network of an ONNX file written by `osteoscope.train.ct_lesion_export.export`.

    A network of before 0.4.0 gets the residual pairs that it lacks; it says the same until it is trained.

    Args:
        path: of the file.
        pictures: (2, z, y, x) each, sides multiples of 16 (see `restore`).

    Raises:
        ModelError: the file is not of this network.
    """
    arrays = arrays_of(path)
    widths = _widths(arrays, path)
    if any(".mix.3." in name for name in arrays):
        return restore(LesionNet(widths), path, pictures)
    grown = LesionNet(widths).eval()
    grown.load_state_dict(restore(LesionNet(widths, (0, 0)), path, pictures).state_dict(), strict=False)
    return grown


def second_look_from_onnx(path: Path) -> SecondLookNet:
    """The second look of an ONNX file, with the detector whose features it weighs, which may be older than the shipped.

    Raises:
        ModelError: the file is not of this network.
    """
    net = SecondLookNet(LesionNet(_widths(arrays_of(path), path, "detector.")))
    net.detector.register_module("classes", nn.Identity())  # of the detector, features alone are kept
    return restore(net, path, ())


def _widths(arrays: Arrays, path: Path, inside: str = "") -> list[int]:
    widths: list[int] = []
    while (name := f"{inside}down.{len(widths)}.0.weight") in arrays:
        widths.append(len(arrays[name]))
    if len(widths) < 2 or arrays[f"{inside}down.0.0.weight"].ndim != 5:
        raise ModelError(f"go on from {path.name}", "weights of another network", "Give a model of `train ct`")
    return widths
