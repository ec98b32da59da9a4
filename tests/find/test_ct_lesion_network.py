"""Windows, candidates and findings of the lesion network, by a model made by hand: it calls dense bone a lesion."""

from __future__ import annotations

import json
from hashlib import sha256

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from scipy.special import expit

from osteoscope.domain.finding import Part, Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import MappedSite
from osteoscope.domain.study import Patient, Study
from osteoscope.find.ct_lesion_network import NetworkOptions, find_lesions
from osteoscope.find.ct_lesion_spots import FEATURES, SpotOptions, spots
from osteoscope.find.ct_lesion_windows import Chances, look, planes, windows
from osteoscope.find.model import Model

WEIGHTS = {"constant": 0.0, "peak": 1.0} | dict.fromkeys(FEATURES[1:], 0.0)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Logit of a lesion: 20 times the bone window; of a look-alike: -10."""
    folder = tmp_path_factory.mktemp("model")
    kernel = np.zeros((3, 2, 1, 1, 1), dtype=np.float32)
    kernel[1, 1] = 20
    sides = (1, 2, 32, 32, 32)
    node = helper.make_node("Conv", ["picture", "kernel", "bias"], ["classes"])
    weights = [
        numpy_helper.from_array(kernel, "kernel"),
        numpy_helper.from_array(np.array([0, 0, -10], np.float32), "bias"),
    ]
    inputs = [helper.make_tensor_value_info("picture", TensorProto.FLOAT, sides)]
    outputs = [helper.make_tensor_value_info("classes", TensorProto.FLOAT, (1, 3, 32, 32, 32))]
    graph = helper.make_graph([node], "hand made", inputs, outputs, weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), folder / "m.onnx")
    card = {"name": "m", "version": "0", "weights": "m.onnx", "purpose": "a test", "data": "none"}
    card["sha256"] = sha256((folder / "m.onnx").read_bytes()).hexdigest()
    settings_of = {"settings": {"window": 32, "stride": 20, "confidence": WEIGHTS}}
    (folder / "m.json").write_text(json.dumps(card | settings_of))
    return Model.load(folder / "m.json")


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(*[st.integers(4, 70)] * 3),
    st.lists(st.tuples(*[st.floats(0, 0.999)] * 3), min_size=1, max_size=4),
)
def test_windows_cover_all_bone_and_none_is_empty(
    shape: tuple[int, int, int], places: list[tuple[float, float, float]]
) -> None:
    bone = np.zeros(shape, dtype=bool)
    for place in places:
        bone[tuple(int(share * n) for share, n in zip(place, shape, strict=True))] = True
    covered = np.zeros(shape, dtype=bool)
    for box in windows(bone, 32, 20):
        held = tuple(slice(max(0, s.start), max(0, s.stop)) for s in box)
        assert bone[held].any()
        assert all(s.stop - s.start == 32 for s in box)
        covered[held] = True
    assert not (bone & ~covered).any()


def test_no_bone_needs_no_window() -> None:
    assert list(windows(np.zeros((8, 8, 8), dtype=bool), 32, 20)) == []


def test_the_blend_of_windows_is_what_each_says(model: Model) -> None:
    """A model that looks at each voxel alone says the same in every window that holds it."""
    hu = np.random.default_rng(3).integers(-100, 1200, (50, 40, 45)).astype(np.int16)
    seen = look(hu, np.ones(hu.shape, dtype=bool), model)
    expected = expit(20 * planes(hu)[1])
    assert np.abs(seen.lesion - expected).max() < 5e-3


def chances(lesion: np.ndarray) -> Chances:
    half = lesion.astype(np.float16)
    return Chances(half, np.zeros_like(half))


def test_two_sure_places_on_a_faint_bridge_are_two_lesions() -> None:
    lesion = np.zeros((9, 9, 30))
    lesion[4, 4, 3:27] = 0.2
    lesion[3:6, 3:6, 4:8] = lesion[3:6, 3:6, 20:24] = 0.9
    bone = np.ones(lesion.shape, dtype=bool)
    found = list(spots(chances(lesion), np.full(lesion.shape, 40, np.int16), bone))
    assert [np.count_nonzero(spot.mask) for spot in found] == [36, 36]
    assert {spot.kind for spot in found} == {"lytic"}


def test_a_faint_place_is_cut_at_half_of_its_peak_and_less_sure() -> None:
    lesion = np.zeros((12, 12, 12))
    lesion[2:5, 2:5, 2:5] = 0.95
    lesion[7:11, 7:11, 7:11] = 0.15
    lesion[8:10, 8:10, 8:10] = 0.36
    found = list(spots(chances(lesion), np.full(lesion.shape, 700, np.int16), np.ones(lesion.shape, dtype=bool)))
    assert [np.count_nonzero(spot.mask) for spot in found] == [27, 8]
    assert found[0].confidence(WEIGHTS) == pytest.approx(0.95, abs=1e-3)
    assert found[1].confidence(WEIGHTS) == pytest.approx(0.36, abs=1e-3)


def test_what_touches_no_bone_or_is_too_small_is_no_lesion() -> None:
    lesion = np.zeros((12, 12, 12))
    lesion[2:5, 2:5, 2:5] = lesion[8, 8, 8:10] = 0.9
    bone = np.zeros(lesion.shape, dtype=bool)
    bone[7:10, 7:10, 7:11] = True
    hu = np.full(lesion.shape, 700, np.int16)
    assert list(spots(chances(lesion), hu, bone)) == []
    assert len(list(spots(chances(lesion), hu, bone, SpotOptions(least_voxels=2)))) == 1


def test_soft_tissue_that_looks_like_tumour_is_none_and_drowns_no_lesion() -> None:
    bone = np.zeros((40, 40, 60), dtype=bool)
    bone[:, :, :12] = True
    lesion = np.where(bone, 0.0, 0.9)
    assert list(spots(chances(lesion), np.full(bone.shape, 55, np.int16), bone)) == []
    lesion[10:16, 10:16, 6:12] = 0.9
    (found,) = spots(chances(lesion), np.full(bone.shape, 55, np.int16), bone, SpotOptions(least_in_bone=0.01))
    reach = np.argwhere(found.mask)[:, 2].max() + found.box[2].start - 11
    assert reach == 9.0 // 1.5


def phantom() -> tuple[Study, tuple[MappedSite, ...]]:
    """Marrow of 100 HU in two bones, one with a dense ball of 12 mm and, far from it, a metal pin."""
    grid = Grid.axial((30, 50, 60), (2.5, 1.2, 1.2), (5, -30, 12))
    z, y, x = np.ogrid[:30, :50, :60]
    hu = np.full(grid.shape, 40, dtype=np.int16)
    first, second = (
        np.broadcast_to((x > a) & (x < b) & (y > 8) & (y < 42), grid.shape) for a, b in ((3, 30), (34, 58))
    )
    hu[first | second] = 100
    hu[np.hypot(np.hypot((z - 12) * 2.5, (y - 25) * 1.2), (x - 16) * 1.2) < 6] = 900
    hu[np.broadcast_to((np.abs(y - 25) < 2) & (np.abs(x - 46) < 2), grid.shape)] = 3000
    study = Study("1.9", "ct", "", Patient("p"), {"ct": Image(grid, hu, "HU")})
    sites = [
        MappedSite(f"hip_{side}", Region((Part.from_mask("ct", m),)))
        for side, m in zip("ab", (first, second), strict=True)
    ]
    return study, tuple(sites)


def test_a_lesion_is_found_where_it_lies_and_metal_is_set_aside(model: Model) -> None:
    study, sites = phantom()
    found = find_lesions(study, sites, model=model)
    (finding,) = found.findings
    assert (finding.site, finding.kind) == ("hip_a", "blastic")
    image = study.images["ct"]
    truth = np.isin(image.values, 900)
    mask = finding.region.parts[0].full(image.grid.shape)
    assert 2 * np.count_nonzero(mask & truth) / (mask.sum() + truth.sum()) > 0.8
    assert [aside.what for aside in found.set_aside] == ["metal"]


def test_the_unsure_is_left_out_and_no_bone_is_no_error(model: Model) -> None:
    study, sites = phantom()
    assert find_lesions(study, sites, NetworkOptions(least_confidence=1.1), model).findings == ()
    assert find_lesions(study, (), model=model).findings == ()
