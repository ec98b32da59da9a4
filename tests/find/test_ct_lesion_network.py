"""Windows, candidates and findings of the lesion network, by a model made by hand: it calls dense bone a lesion."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from types import SimpleNamespace
from typing import cast

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
from osteoscope.errors import ModelError
from osteoscope.find.ct_findings import Draft, as_findings
from osteoscope.find.ct_frame import Frame, working_frame
from osteoscope.find.ct_lesion_network import NetworkOptions, find_lesions
from osteoscope.find.ct_lesion_spots import FEATURES, SpotOptions, spots
from osteoscope.find.ct_lesion_windows import STEP_MM, Chances, look, planes, step_of, windows
from osteoscope.find.ct_twins import FEATURE as TWINS
from osteoscope.find.model import Model

FINER_MM = 1.125
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
    settings_of = {
        "settings": {"window": 32, "stride": 20, "step_mm": FINER_MM, "mirrored": False, "confidence": WEIGHTS}
    }
    (folder / "m.json").write_text(json.dumps(card | settings_of))
    return Model.load(folder / "m.json")


@settings(max_examples=40)
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


@pytest.mark.parametrize("mirrored", [True, False])
def test_only_a_model_whose_card_says_so_looks_in_the_mirror_too(mirrored: bool) -> None:
    class Left:
        """Calls the left half of each window a lesion."""

        card = SimpleNamespace(settings={"window": 32, "stride": 32, "mirrored": mirrored})

        def run(self, picture: np.ndarray) -> tuple[np.ndarray, ...]:
            logits = np.zeros((3, *picture.shape[1:]), dtype=np.float32)
            logits[1, :, :, :16] = 20
            return (logits,)

    hu = np.zeros((32, 32, 32), dtype=np.int16)
    seen = look(hu, np.ones(hu.shape, dtype=bool), cast("Model", Left()))
    left, right = (float(seen.lesion[..., half].mean()) for half in (slice(16), slice(16, None)))
    assert (left, right) == pytest.approx((2 / 3, 2 / 3) if mirrored else (1, 1 / 3), abs=0.01)


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


def test_a_faint_place_is_cut_at_a_share_of_its_peak_and_less_sure() -> None:
    lesion = np.zeros((12, 12, 12))
    lesion[2:5, 2:5, 2:5] = 0.95
    lesion[1, 1, 1:5] = 0.55  # of the place, and beyond its outline
    lesion[7:11, 7:11, 7:11] = 0.15
    lesion[8:10, 8:10, 7:11] = 0.32
    lesion[8:10, 8:10, 8:11] = 0.58
    hu, bone = np.full(lesion.shape, 700, np.int16), np.ones(lesion.shape, dtype=bool)
    found = list(spots(chances(lesion), hu, bone))
    assert [np.count_nonzero(spot.mask) for spot in found] == [27, 12]
    assert found[0].confidence(WEIGHTS) == pytest.approx(0.95, abs=1e-3)
    assert found[1].confidence(WEIGHTS) == pytest.approx(0.58, abs=1e-3)
    assert expit(found[1].features["mean"]) == pytest.approx((12 * 0.58 + 4 * 0.32) / 16, abs=1e-3)
    assert len(list(spots(chances(lesion), hu, bone, SpotOptions(mean=0.6)))) == 1
    wider = spots(chances(lesion), hu, bone, SpotOptions(outline=0.5))
    assert [np.count_nonzero(spot.mask) for spot in wider] == [31, 16]


@pytest.mark.parametrize(
    ("dark", "kind"),
    [(0, "blastic"), (15, "blastic"), (25, "mixed"), (45, "mixed"), (60, "mixed"), (70, "lytic"), (100, "lytic")],
)
def test_the_type_follows_from_the_share_of_dark_and_bright_voxels(dark: int, kind: str) -> None:
    """The limits of lytic and of blastic differ: sclerosis leaves less dark than a cortex leaves bright."""
    lesion = np.zeros((9, 9, 14))
    lesion[2:7, 2:7, 5:9] = 0.9
    hu = np.full(lesion.shape, 200, dtype=np.int16)
    hu[lesion > 0] = np.where(np.arange(100) < dark, 60, 600)
    (found,) = spots(chances(lesion), hu, np.ones(lesion.shape, dtype=bool))
    assert found.kind == kind


@pytest.mark.parametrize(
    ("shell", "bright", "kind"),
    [(600, 0, "lytic"), (60, 100, "blastic"), (60, 15, "mixed"), (600, 60, "mixed"), (60, 5, "lytic")],
)
def test_the_type_of_a_lesion_with_an_inside_is_that_of_its_inside(shell: int, bright: int, kind: str) -> None:
    """Its outermost layer is half cortex, or half marrow: more than half of the voxels here."""
    lesion = np.zeros((11, 11, 11))
    lesion[2:9, 2:9, 2:9] = 0.9
    hu = np.full(lesion.shape, shell, dtype=np.int16)
    hu[3:8, 3:8, 3:8] = np.where(np.arange(125) % 100 < bright, 600, 60).reshape(5, 5, 5)
    (found,) = spots(chances(lesion), hu, np.ones(lesion.shape, dtype=bool))
    assert found.kind == kind


def test_what_touches_no_bone_or_is_too_small_is_no_lesion() -> None:
    lesion = np.zeros((12, 12, 12))
    lesion[2:5, 2:5, 2:5] = lesion[8, 8, 8:10] = 0.9
    bone = np.zeros(lesion.shape, dtype=bool)
    bone[7:10, 7:10, 7:11] = True
    hu = np.full(lesion.shape, 700, np.int16)
    assert list(spots(chances(lesion), hu, bone)) == []
    assert len(list(spots(chances(lesion), hu, bone, SpotOptions(least_mm3=2 * STEP_MM**3)))) == 1


def test_soft_tissue_that_looks_like_tumour_is_none_and_drowns_no_lesion() -> None:
    bone = np.zeros((40, 40, 60), dtype=bool)
    bone[:, :, :12] = True
    lesion = np.where(bone, 0.0, 0.9)
    assert list(spots(chances(lesion), np.full(bone.shape, 55, np.int16), bone)) == []
    lesion[10:16, 10:16, 6:12] = 0.9
    (found,) = spots(chances(lesion), np.full(bone.shape, 55, np.int16), bone, SpotOptions(least_in_bone=0.01))
    reach = np.argwhere(found.mask)[:, 2].max() + found.box[2].start - 11
    assert reach == 9.0 // STEP_MM


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


def test_what_a_body_has_on_both_sides_is_no_lesion_where_the_card_weighs_twins(model: Model) -> None:
    weights = WEIGHTS | {TWINS: 20.0}
    weighing = replace(model, card=replace(model.card, settings={**model.card.settings, "confidence": weights}))
    study, _ = phantom()
    image = study.images["ct"]
    hu = np.where(image.values == 3000, 100, image.values).astype(np.int16)
    one = np.concatenate([hu, np.where(hu == 900, 100, hu)[..., ::-1]], axis=2)
    both = np.concatenate([hu, hu[..., ::-1]], axis=2)
    counts = {}
    for name, values in (("one", one), ("both", both)):
        grid = Grid.axial(values.shape, image.grid.spacing, (0, 0, 0))
        mapped = (MappedSite("hip_a", Region((Part.from_mask("ct", values >= 100),))),)
        made = replace(study, images={"ct": Image(grid, values, "HU")})
        counts[name] = [len(find_lesions(made, mapped, model=each).findings) for each in (model, weighing)]
    assert counts == {"one": [1, 1], "both": [2, 0]}


def test_air_around_the_body_changes_nothing(model: Model) -> None:
    study, sites = phantom()
    image = study.images["ct"]
    wide = np.pad(image.values, ((8, 8), (40, 40), (40, 40)), constant_values=-1000)
    grid = Grid.axial(wide.shape, image.grid.spacing, (5 - 40 * 1.2, -30 - 40 * 1.2, 12 - 8 * 2.5))
    moved = [Part.from_mask("ct", np.pad(site.region.parts[0].full(image.grid.shape), ((8, 8), (40, 40), (40, 40))))
             for site in sites if site.region]  # fmt: skip
    mapped = tuple(MappedSite(site.site, Region((part,))) for site, part in zip(sites, moved, strict=True))
    (plain,) = find_lesions(study, sites, model=model).findings
    (padded,) = find_lesions(replace(study, images={"ct": Image(grid, wide, "HU")}), mapped, model=model).findings
    volumes = [finding.region.parts[0].mask.sum() for finding in (plain, padded)]
    assert volumes[1] == pytest.approx(volumes[0], rel=0.05)
    assert (padded.site, padded.kind) == (plain.site, plain.kind)


@given(st.tuples(*[st.integers(0, 20)] * 3), st.tuples(*[st.integers(0, 20)] * 3), st.floats(0, 30))
def test_a_cropped_frame_lies_where_it_lay(one: tuple[int, ...], other: tuple[int, ...], mm: float) -> None:
    grid = Grid.axial((24, 22, 26), (2.0, 1.5, 1.5), (3, -4, 5))
    hu = np.arange(np.prod(grid.shape), dtype=np.int16).reshape(grid.shape)
    whole = working_frame(Image(grid, hu, "HU"), 2.0)
    mask = np.zeros(whole.hu.shape, dtype=bool)
    sides = np.array(whole.grid.shape)
    for place in (one, other):
        mask[tuple(np.minimum(place, sides - 1))] = True
    box = whole.around(mask, mm)
    part = whole.cropped(box)
    assert isinstance(part, Frame)
    assert mask[box].sum() == mask.sum()
    assert np.array_equal(part.hu, whole.hu[box])
    corner = np.array([s.start for s in box], dtype=float)
    np.testing.assert_allclose(part.grid.to_position(np.zeros(3)), whole.grid.to_position(corner), atol=1e-9)
    reached = np.argwhere(whole.near(mask, min(mm, 2.0 * max(1, round(mm / 2.0)))))
    assert all((reached[:, a] >= s.start).all() and (reached[:, a] < s.stop).all() for a, s in enumerate(box))


def test_a_model_of_before_works_at_the_spacing_of_then(model: Model) -> None:
    former = {name: value for name, value in model.card.settings.items() if name != "step_mm"}
    old = replace(model, card=replace(model.card, settings=former))
    assert (step_of(old), step_of(model)) == (1.5, FINER_MM)
    study, sites = phantom()
    (before,), (now,) = (find_lesions(study, sites, model=each).findings for each in (old, model))
    volumes = [np.count_nonzero(finding.region.parts[0].mask) for finding in (before, now)]
    assert volumes[0] == pytest.approx(volumes[1], rel=0.2)


def test_a_model_whose_confidences_follow_from_what_is_no_longer_known_is_refused(model: Model) -> None:
    older = {**model.card.settings, "confidence": {**WEIGHTS, "second_look": 0.4}}
    study, sites = phantom()
    with pytest.raises(ModelError, match=r"follow from second_look.*train ct"):
        find_lesions(study, sites, model=replace(model, card=replace(model.card, settings=older)))


def test_the_unsure_is_left_out_and_no_bone_is_no_error(model: Model) -> None:
    study, sites = phantom()
    assert find_lesions(study, sites, NetworkOptions(least_confidence=1.1), model).findings == ()
    assert find_lesions(study, (), model=model).findings == ()


def test_a_finding_is_never_as_sure_as_one_that_a_person_accepted() -> None:
    grid = Grid.axial((8, 8, 8), (2.0, 2.0, 2.0))
    mask = np.ones((3, 3, 3), dtype=bool)
    drafts = [Draft("sacrum", "lytic", sure, (slice(2, 5),) * 3, mask) for sure in (0.99996, 0.7)]
    frame = working_frame(Image(grid, np.zeros(grid.shape, np.int16), "HU"), 2.0)
    assert [f.confidence for f in as_findings(drafts[:1], frame, grid)] == [0.999]
    assert [f.confidence for f in as_findings(drafts[1:], frame, grid)] == [0.7]
