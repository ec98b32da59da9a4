"""The training of the bones network at toy size: maps, examples, a few steps, export, a reading."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from osteoscope.dicom.write_nifti import write_nifti
from osteoscope.errors import InvalidValueError, ModelError
from osteoscope.find.ct_bone_maps import (
    CELL_MM,
    KIND_OF,
    KINDS,
    LABEL_OF,
    LABELS,
    OUTPUTS,
    PLANES,
    TILE,
    UNKNOWN,
    VOXEL_MM,
    WAY_SCALE,
    folded,
    tables,
    unfolded,
)
from osteoscope.find.ct_names import map_bones
from osteoscope.find.model import SHIPPED, Model
from osteoscope.simulate.ct import CtRecipe, simulate_ct
from osteoscope.train.ct_bones import write_scans
from osteoscope.train.ct_bones_draw import _MIRROR, IGNORED, SHAPES, Example, draw
from osteoscope.train.ct_bones_export import export
from osteoscope.train.ct_bones_fit import Pool, fit, shape_shares
from osteoscope.train.ct_bones_loss import losses
from osteoscope.train.ct_bones_maps import LabelMap, coded, decoded, simulated_map
from osteoscope.train.ct_bones_net import WIDTHS
from osteoscope.train.ct_bones_pieces import write_pieces
from osteoscope.train.ct_bones_sources import phantom_maps, scan_map
from osteoscope.train.exporting import Story
from osteoscope.train.fitting import FitOptions

SHAPE = (32, 32, 48)


@pytest.fixture(scope="module")
def spine() -> LabelMap:
    """Three vertebrae of boxes between two cut ones, and a rib, at 3 mm."""
    labels = np.zeros((120, 90, 100), dtype=np.uint8)
    for n, level in enumerate(("L3", "L2", "L1", "T12", "T11")):
        labels[n * 24 : n * 24 + 20, 40:64, 38:62] = LABEL_OF[f"vertebra_{level}"]
    labels[80:86, 30:36, 20:90] = LABEL_OF["rib_left_12"]
    hu = np.where(labels > 0, 350.0, 40.0)
    hu[:, :, :8] = -1000
    return LabelMap(coded(hu), labels)


@pytest.fixture(scope="module")
def examples(spine: LabelMap) -> list[Example]:
    rng = np.random.default_rng(3)
    return [draw(spine, SHAPE, rng) for _ in range(8)]


def test_most_examples_are_looked_at_as_in_reading() -> None:
    shares = dict(zip(SHAPES, shape_shares(SHAPES), strict=True))
    assert shares[TILE] == pytest.approx(0.6)
    assert sum(shares.values()) == pytest.approx(1.0)
    assert shape_shares([(8, 8, 8), (16, 8, 8)]).tolist() == [0.5, 0.5]


def test_codes_keep_hu_and_the_fold_keeps_places() -> None:
    hu = np.array([-1000, -105, 0, 60, 250, 900, 3000])
    assert np.abs(decoded(coded(hu)) - hu).max() <= 25
    voxels = np.arange(4 * 6 * 8).reshape(4, 6, 8)
    assert np.array_equal(unfolded(folded(voxels)), voxels)
    assert set(folded(voxels)[:, 0, 0, 0]) == set(voxels[:2, :2, :2].ravel())


def test_no_shape_meets_the_wrong_gradients_of_two_cells() -> None:
    halvings = 2 ** (len(WIDTHS) - 1)
    for shape in SHAPES:
        assert all(n % halvings == 0 for n in shape)
        assert shape[0] // halvings != 2


def test_every_bone_has_a_kind_and_mirrors_into_a_bone() -> None:
    kinds, levels = tables()
    assert [kinds[LABEL_OF[name]] for name in ("", "unknown")] == [-1, -1]
    assert (kinds[1:-1] >= 0).all()
    assert KINDS[kinds[LABEL_OF["rib_left_3"]]] == "rib_left"
    assert KINDS[kinds[LABEL_OF["tibia_left"]]] == "bone"
    assert levels[LABEL_OF["rib_left_1"]] == levels[LABEL_OF["vertebra_T1"]] == 7
    assert LABELS[int(_MIRROR[LABEL_OF["rib_left_3"]])] == "rib_right_3"
    assert sorted(_MIRROR.tolist()) == list(range(len(LABELS)))


def test_a_simulated_map_holds_named_bones_that_are_dense() -> None:
    made = simulated_map(np.random.default_rng(2), (30, 40))
    found = {LABELS[n] for n in np.unique(made.labels)} - {""}
    assert found
    assert found <= set(LABELS)
    assert decoded(made.codes[made.labels > 0]).mean() > decoded(made.codes[made.labels == 0]).mean() + 200


def test_maps_come_back_as_written_and_others_are_refused(spine: LabelMap, tmp_path: Path) -> None:
    found = LabelMap.load(spine.save(tmp_path / "one.npz"))
    assert np.array_equal(found.codes, spine.codes)
    assert np.array_equal(found.labels, spine.labels)
    np.savez(tmp_path / "other.npz", codes=spine.codes)
    with pytest.raises(InvalidValueError, match=r"other\.npz"):
        LabelMap.load(tmp_path / "other.npz")


def test_examples_differ_and_their_labels_agree(examples: list[Example]) -> None:
    assert len({example.picture.tobytes() for example in examples}) == len(examples)
    assert any(example.bone.any() for example in examples)
    for example in examples:
        assert example.picture.shape == (PLANES, *SHAPE)
        assert np.isfinite(example.picture).all()
        assert np.array_equal((example.bone > 0).any(axis=0), example.kind >= 0)
        assert set(np.unique(example.kind)) <= {-1, KIND_OF["vertebra"], KIND_OF["rib_left"], KIND_OF["rib_right"]}
        assert ((example.level >= 0) == (example.kind >= 0)).all()
        assert (example.whole <= (example.kind == KIND_OF["vertebra"])).all()


def test_ways_lead_to_the_centre_of_a_whole_vertebra(examples: list[Example]) -> None:
    seen = 0
    for example in examples:
        for level in np.unique(example.level[example.whole == 1]):
            cells = np.argwhere((example.level == level) & (example.whole == 1))
            ends = cells + WAY_SCALE * example.way[:, *cells.T].T
            assert np.abs(ends - cells.mean(axis=0)).max() < 0.01
            assert level != LABEL_OF["vertebra_L3"] - LABEL_OF["vertebra_C1"]  # cut by the map
            seen += 1
    assert seen


def test_a_lesion_stays_bone_and_unknown_is_ignored(spine: LabelMap) -> None:
    labels = spine.labels.copy()
    labels[labels == LABEL_OF["vertebra_L1"]] = LABEL_OF["unknown"]
    example = draw(LabelMap(spine.codes, labels), SHAPE, np.random.default_rng(4))
    assert (example.bone == IGNORED).any()
    hidden = (example.bone == IGNORED).any(axis=0)
    said = {name: torch.zeros(1, planes, *SHAPE) for name, planes in OUTPUTS.items()}
    wanted = {
        name: torch.from_numpy(getattr(example, name))[None]
        for name in ("picture", "bone", "kind", "level", "way", "whole")
    }

    def found() -> dict[str, float]:
        return {name: float(loss) for name, loss in losses(tuple(said.values()), wanted).items()}

    before = found()
    only = (example.bone == IGNORED).all(axis=0)
    assert only.any()
    assert (example.kind[hidden] == -1).all()
    said["bone"][0][:, torch.from_numpy(only)] = 9.0
    said["kinds"][0][3, torch.from_numpy(hidden)] = 9.0
    assert found() == pytest.approx(before)


def test_a_phantom_becomes_maps_with_unknown_levels(tmp_path: Path) -> None:
    organ = np.zeros((12, 20, 30), dtype=np.uint8)
    organ[:, 4:16, 4:26] = 107
    organ[:, 10:14, 13:17] = 52
    organ[2:6, 8:10, 5:9], organ[2:6, 8:10, 21:25] = 44, 44
    np.savez(tmp_path / "toy.npz", organ_id=organ, spacing_zyx_mm=[6.0, 3.0, 3.0])
    (made,) = phantom_maps(tmp_path / "toy.npz", np.random.default_rng(0))
    assert made.labels.shape == (24, 12, 22)  # the body's box at 3 mm
    assert {LABELS[n] for n in np.unique(made.labels)} == {"", "vertebra", "rib_right", "rib_left"}
    assert np.argwhere(made.labels == LABEL_OF["rib_left"])[:, 2].min() > 11
    with pytest.raises(InvalidValueError, match="ICRP"):
        list(phantom_maps(tmp_path / "none.npz", np.random.default_rng(0)))


def test_a_labelled_scan_becomes_a_map(shared: Path) -> None:
    folder = shared / "ct" / "tptbox_vertebra"
    made = scan_map(folder / "vertebra_L3_ct.nii.gz", folder / "vertebra_L3_seg_vert.nii.gz", "verse")
    assert {"vertebra_L2", "vertebra_L3", "vertebra_L4"} <= {LABELS[n] for n in np.unique(made.labels)}
    centres = [np.argwhere(made.labels == LABEL_OF[f"vertebra_L{n}"])[:, 0].mean() for n in (4, 3, 2)]
    assert centres == sorted(centres)
    with pytest.raises(InvalidValueError, match="scheme"):
        scan_map(folder / "vertebra_L3_ct.nii.gz", folder / "vertebra_L3_seg_vert.nii.gz", "none")


def test_a_table_of_scans_without_its_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scans.csv").write_text("ct,mask\na,b\n")
    with pytest.raises(InvalidValueError, match=r"scans\.csv.*labels"):
        write_scans(tmp_path / "scans.csv", tmp_path / "maps")


def test_maps_of_scans_follow_an_edited_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def drawn(ct: Path, labels: Path, scheme: str) -> LabelMap:
        made.append(f"{ct.name} {labels.name} {scheme}")
        return LabelMap(np.full((2, 2, 2), len(made), np.uint8), np.zeros((2, 2, 2), np.uint8))

    monkeypatch.setattr("osteoscope.train.ct_bones.scan_map", drawn)
    for name in "abc":
        (tmp_path / name).write_text(name)

    def shades(*lines: str) -> list[int]:
        (tmp_path / "scans.csv").write_text("\n".join(("ct,labels,scheme", *lines)))
        maps = write_scans(tmp_path / "scans.csv", tmp_path / "maps")
        return [int(LabelMap.load(path).codes[0, 0, 0]) for path in maps]

    assert shades("a,b,verse", "b,c,verse") == [1, 2]
    assert shades("c,b,verse", "b,c,verse", "a,b,verse", "a,b,other") == [3, 2, 1, 4]
    (tmp_path / "a").write_text("another")
    assert shades("a,b,verse") == [5]
    assert len(made) == 5
    with pytest.raises(InvalidValueError, match="none"):
        shades("none,b,verse")


def test_maps_of_pieces_follow_an_edited_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(_: Path, first: int, names: dict[str, str]) -> LabelMap:
        return LabelMap(np.full((2, 2, 2), first, np.uint8), np.full((2, 2, 2), LABEL_OF[names["bone"]], np.uint8))

    monkeypatch.setattr("osteoscope.train.ct_bones_pieces.pieces_map", drawn)
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")

    def found(*lines: str) -> list[tuple[int, str]]:
        (tmp_path / "pieces.csv").write_text("\n".join(("ct,from_slice,piece,name", *lines)))
        maps = [LabelMap.load(path) for path in write_pieces(tmp_path / "pieces.csv", tmp_path / "maps")]
        return [(int(one.codes[0, 0, 0]), LABELS[one.labels[0, 0, 0]]) for one in maps]

    assert found("a,8,bone,hip_left") == [(8, "hip_left")]
    assert found("b,9,bone,sacrum", "a,8,bone,hip_right") == [(9, "sacrum"), (8, "hip_right")]


def test_pieces_of_the_baseline_are_named_by_a_table(tmp_path: Path) -> None:
    made = simulate_ct(CtRecipe(coverage="lumbar", spacing_mm=(5.0, 3.0, 3.0)), 1)
    image = made.study.images["ct"]
    write_nifti(image.grid, image.values, tmp_path / "ct.nii.gz")
    first, second = (site.site for site in map_bones(made.study)[:2])
    lines = ["ct,from_slice,piece,name", f"ct.nii.gz,8,{first},hip_left", f"ct.nii.gz,8,{second},rib_right"]
    table = tmp_path / "pieces.csv"
    table.write_text("\n".join(lines))
    (path,) = write_pieces(table, tmp_path / "maps")
    found = LabelMap.load(path)
    assert {LABELS[n] for n in np.unique(found.labels)} == {"", "hip_left", "rib_right", UNKNOWN}
    below = found.labels[: int(7 * 5 / VOXEL_MM)]
    assert set(np.unique(below)) == {0, LABEL_OF[UNKNOWN]}
    table.write_text("\n".join([*lines, f"ct.nii.gz,8,{second},hip"]))
    with pytest.raises(InvalidValueError, match="'hip'"):
        write_pieces(table, tmp_path / "maps")


def test_training_learns_goes_on_and_ships(spine: LabelMap, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    pools = [Pool("one", (spine.save(tmp_path / "one.npz"),), 1.0), Pool("none", (), 1.0)]
    small = (32, 32, 32)
    lines = list(fit(pools, tmp_path / "run", FitOptions(60, 2, warm=2, workers=0, every=30, average=0.5), [small]))
    assert [line["examples"] for line in lines] == [30, 60]
    assert lines[1]["bone"] < lines[0]["bone"]
    more = list(fit(pools, tmp_path / "run", FitOptions(64, 2, workers=0, every=4), [small]))
    assert [line["examples"] for line in more] == [64]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own making
        story = Story("0", "a toy", ("a toy",))
        card = export(tmp_path / "run" / "weights.pt", tmp_path / "model", story, tile=small)
    assert b"osteoscope/train" not in card.with_suffix(".onnx").read_bytes()
    assert "not a medical device" in json.loads(card.read_text())["purpose"]
    said = Model.load(card).run(np.zeros((PLANES, *small), dtype=np.float32))
    assert [plane.shape for plane in said] == [(planes, *small) for planes in OUTPUTS.values()]
    assert CELL_MM == 8.0


def test_training_begins_with_a_model_that_is_there(spine: LabelMap, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    pools = [Pool("one", (spine.save(tmp_path / "one.npz"),), 1.0)]
    few = FitOptions(2, 1, rate=1e-6, workers=0, every=2)
    (begun,) = fit(pools, tmp_path / "begun", few, [SHAPE], SHIPPED / "ct_bones.onnx")
    (anew,) = fit(pools, tmp_path / "anew", few, [SHAPE])
    assert begun["bone"] < anew["bone"] / 1.5
    with pytest.raises(ModelError, match="same architecture"):
        list(fit(pools, tmp_path / "other", few, [SHAPE], SHIPPED / "ct_lesions.onnx"))
