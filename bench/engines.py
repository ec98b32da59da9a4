"""How fast the lesion network runs, by engine, beside the network that nnU-Net would plan. Weights are random."""

from __future__ import annotations

import importlib.util
import math
import resource
import tempfile
import time
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import nn

from measure import run
from osteoscope.find.ct_lesion_windows import STEP_MM
from osteoscope.train.ct_lesion_export import OVERLAP, WINDOW
from osteoscope.train.ct_lesion_net import LesionNet

Figures = dict[str, Any]
Array = np.ndarray[Any, np.dtype[np.float32]]

_CORES, _REPEATS = 2, 3
# A trunk of 512 x 512 x 300 in slices of 1.5 mm.
_TRUNK_MM = (450.0, 400.0, 400.0)
# nnU-Net's default plan for such a volume: 128^3, six stages, two convolutions each (Isensee 2021, v2 defaults).
_PATCH, _PATCH_STEP_MM, _FEATURES = 128, 1.5, (32, 64, 128, 256, 320, 320)
ENGINES = ("torch", "onnxruntime", "openvino")


def ours() -> tuple[nn.Module, tuple[int, ...]]:
    """The lesion network and one of its windows."""
    return LesionNet(), (2, WINDOW, WINDOW, WINDOW)


def peer() -> tuple[nn.Module, tuple[int, ...]]:
    """The residual-free U-Net of nnU-Net's 3d_fullres and one of its patches."""
    from dynamic_network_architectures.architectures.unet import PlainConvUNet  # noqa: PLC0415

    stages = len(_FEATURES)
    net = PlainConvUNet(
        1, stages, _FEATURES, nn.Conv3d, 3, (1, *(2,) * (stages - 1)), 2, 3, 2, conv_bias=True,
        norm_op=nn.InstanceNorm3d, norm_op_kwargs={"affine": True}, nonlin=nn.LeakyReLU,
    )  # fmt: skip
    return net, (1, _PATCH, _PATCH, _PATCH)


NETWORKS: Mapping[str, Callable[[], tuple[nn.Module, tuple[int, ...]]]] = {"ours": ours, "nnU-Net": peer}


def seconds_of(network: str, engine: str) -> tuple[float, float]:
    """Best seconds of one window, and the CPU seconds it took."""
    torch.set_num_threads(_CORES)
    net, shape = NETWORKS[network]()
    picture = np.random.default_rng(0).standard_normal((1, *shape), dtype=np.float32)
    with tempfile.TemporaryDirectory() as folder:
        act = _runner(net.eval(), picture, engine, Path(folder))
        act()
        return min(_clocked(act) for _ in range(_REPEATS))


def _runner(net: nn.Module, picture: Array, engine: str, folder: Path) -> Callable[[], object]:
    if engine == "torch":
        seen = torch.from_numpy(picture)

        def through_torch() -> object:
            with torch.inference_mode():
                return net(seen)

        return through_torch
    path = folder / "net.onnx"
    program = torch.onnx.export(net, (torch.from_numpy(picture),), dynamo=True, input_names=["picture"])
    assert program is not None
    program.save(str(path), external_data=False)
    if engine == "openvino":
        import openvino  # noqa: PLC0415

        settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": _CORES}
        compiled = openvino.compile_model(path, "CPU", settings)
        return lambda: compiled(picture)
    import onnxruntime  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _CORES
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"picture": picture})


def _clocked(act: Callable[[], object]) -> tuple[float, float]:
    clock, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    act()
    now = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter() - clock, now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime


def ct_engines() -> Figures:
    """Seconds of one window by engine, and of a whole trunk of 512 x 512 x 300; ours beside nnU-Net's 3d_fullres plan.

    Both cover the whole trunk, nnU-Net's at 1.5 mm, each with the overlap that it uses; ours in fact looks only where
    bone is.
    """
    needed = ("onnxruntime", "dynamic_network_architectures")
    if missing := [name for name in needed if importlib.util.find_spec(name) is None]:
        return {"skipped": f"install the extra `bench`: {', '.join(missing)} absent"}
    windows = {
        "ours": _windows(WINDOW, WINDOW - OVERLAP, STEP_MM),
        "nnU-Net": _windows(_PATCH, _PATCH // 2, _PATCH_STEP_MM),
    }
    figures: Figures = {}
    whole: dict[tuple[str, str], float] = {}
    for network, engine in product(NETWORKS, ENGINES):
        done = run(seconds_of, network, engine)
        seconds, used = done.result
        whole[network, engine] = seconds * windows[network]
        figures[f"{network}, {engine}: one window, s"] = round(seconds, 3)
        figures[f"{network}, {engine}: one window, CPU s"] = round(used, 3)
        figures[f"{network}, {engine}: whole trunk ({windows[network]} windows), s"] = round(whole[network, engine], 1)
        figures[f"{network}, {engine}: peak GB"] = round(done.peak_gb, 2)
    fastest = {network: min(whole[network, engine] for engine in ENGINES) for network in NETWORKS}
    for engine in ENGINES:
        figures[f"nnU-Net over ours, {engine}, times"] = round(whole["nnU-Net", engine] / whole["ours", engine], 1)
        figures[f"ours, {engine} over fastest engine, times"] = round(whole["ours", engine] / fastest["ours"], 2)
    return figures


def _windows(window: int, stride: int, step_mm: float) -> int:
    sides = [math.ceil(length / step_mm) for length in _TRUNK_MM]
    return math.prod(1 + max(0, -(-(side - window) // stride)) for side in sides)


ROWS: Mapping[str, Callable[[], Figures]] = MappingProxyType({"ct_engines": ct_engines})
