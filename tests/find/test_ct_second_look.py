"""What the second look is shown, and that its answer counts, by a hand-made model that counts its voxels."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import cast

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from osteoscope.find.ct_frame import AIR
from osteoscope.find.ct_lesion_spots import Spot
from osteoscope.find.ct_lesion_windows import planes
from osteoscope.find.ct_second_look import FEATURE, SIDE, STEP_MM, Around, looked_at
from osteoscope.find.model import Model

SHAPE = (60, 70, 80)
HU = np.random.default_rng(4).integers(-200, 900, SHAPE).astype(np.int16)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("model")
    kernel = np.zeros((1, 3, 1, 1, 1), dtype=np.float32)
    kernel[0, 2] = 1
    nodes = [
        helper.make_node("Conv", ["picture", "kernel"], ["own"]),
        helper.make_node("ReduceSum", ["own", "axes"], ["lesion"], keepdims=0),
    ]
    weights = [numpy_helper.from_array(kernel, "kernel"), numpy_helper.from_array(np.array([2, 3, 4]), "axes")]
    inputs = [helper.make_tensor_value_info("picture", TensorProto.FLOAT, (1, 3, SIDE, SIDE, SIDE))]
    outputs = [helper.make_tensor_value_info("lesion", TensorProto.FLOAT, (1, 1))]
    graph = helper.make_graph(nodes, "hand made", inputs, outputs, weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), folder / "m.onnx")
    card = {"name": "m", "version": "0", "weights": "m.onnx", "purpose": "a test", "data": "none"}
    card["sha256"] = sha256((folder / "m.onnx").read_bytes()).hexdigest()
    Path(folder / "m.json").write_text(json.dumps(card))
    return Model.load(folder / "m.json")


def spot(corner: tuple[int, int, int], sides: tuple[int, int, int]) -> Spot:
    box = tuple(slice(a, min(a + side, n)) for a, side, n in zip(corner, sides, SHAPE, strict=True))
    mask = np.ones(tuple(s.stop - s.start for s in box), dtype=bool)
    return Spot(box, mask, "lytic", {"peak": 0.3})


@settings(max_examples=30)
@given(st.tuples(*[st.integers(0, n - 1) for n in SHAPE]), st.tuples(*[st.integers(1, 40)] * 3))
def test_the_cube_shows_the_candidate_in_its_middle_and_air_beyond_the_scan(
    corner: tuple[int, int, int], sides: tuple[int, int, int]
) -> None:
    found = spot(corner, sides)
    around = Around.of(found, HU, STEP_MM)
    held = np.argwhere(around.own)
    assert np.abs((held.min(axis=0) + held.max(axis=0)) / 2 - SIDE // 2).max() <= 0.5
    assert len(held) == found.mask.sum()
    assert np.array_equal(around.hu[around.own], HU[found.box][found.mask])
    begins_beyond = any((s.start + s.stop - 1) // 2 < SIDE // 2 for s in found.box)
    assert (around.hu[0, 0, 0] == AIR) == begins_beyond


@settings(max_examples=30)
@given(st.tuples(*[st.integers(25, n - 25) for n in SHAPE]), st.integers(3, 12), st.sampled_from((0.75, 1.125, 2.0)))
def test_a_volume_of_another_spacing_is_seen_at_the_same_size(
    corner: tuple[int, int, int], side: int, step: float
) -> None:
    found = spot(corner, (side,) * 3)
    hu = np.full(SHAPE, 100, dtype=np.int16)
    hu[found.box] = 900
    around = Around.of(found, hu, step)
    held = np.argwhere(around.own)
    assert np.abs((held.min(axis=0) + held.max(axis=0)) / 2 - SIDE // 2).max() <= 1.01
    across = np.ptp(held, axis=0) + 1
    assert np.abs(across * STEP_MM - min(side, 2 * SIDE) * step).max() <= 1.01 * max(STEP_MM, step)
    assert around.hu[tuple(np.rint(held.mean(axis=0)).astype(int))] > 300
    assert around.picture().shape == (3, SIDE, SIDE, SIDE)


def test_the_picture_is_hu_through_the_windows_of_the_detector_and_the_candidate() -> None:
    around = Around.of(spot((20, 20, 20), (3, 4, 5)), HU, STEP_MM)
    picture = around.picture()
    assert picture.shape == (3, SIDE, SIDE, SIDE)
    assert np.array_equal(picture[:2], planes(around.hu))
    assert picture[2].sum() == 60


def test_its_logit_joins_the_features_and_weighs_as_the_card_says(model: Model) -> None:
    judged = looked_at(spot((20, 20, 20), (3, 4, 5)), HU, STEP_MM, model)
    assert judged.features == {"peak": 0.3, FEATURE: 60.0}
    assert judged.confidence({"constant": -6.0, FEATURE: 0.1}) == pytest.approx(0.5)
    with pytest.raises(KeyError, match="mean"):
        judged.confidence({"constant": 0.0, "mean": 1.0})


def test_all_mirrored_ways_count_alike() -> None:
    class Corner:
        """Says the mean of one corner of the picture."""

        def run(self, picture: np.ndarray) -> tuple[np.ndarray, ...]:
            half = SIDE // 2
            return (picture[0, :, :half, :half].mean(keepdims=True)[0, 0],)

    given = spot((30, 35, 40), (3, 4, 5))
    judged = looked_at(given, HU, STEP_MM, cast(Model, Corner()))
    assert judged.features[FEATURE] == pytest.approx(float(Around.of(given, HU, STEP_MM).picture()[0].mean()), abs=1e-5)
