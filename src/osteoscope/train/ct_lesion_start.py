"""A lesion network to go on training from, of the widths that the ONNX weights of a model have."""

from __future__ import annotations

from pathlib import Path

from osteoscope.errors import ModelError
from osteoscope.train.ct_lesion_net import LesionNet
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


def _widths(arrays: Arrays, path: Path) -> list[int]:
    widths: list[int] = []
    while (name := f"down.{len(widths)}.0.weight") in arrays:
        widths.append(len(arrays[name]))
    if len(widths) < 2 or arrays["down.0.0.weight"].ndim != 5:
        raise ModelError(f"go on from {path.name}", "weights of another network", "Give a model of `train ct`")
    return widths
