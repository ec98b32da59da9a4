"""Training on marked CTs at toy size: cases in every format, split by patient, losses, files, resuming, nnU-Net."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - the name that its manual uses
import torch
from ct_dates import simulations
from hypothesis import given
from hypothesis import strategies as st

from osteoscope.deliver.ct_annotations import UNTYPED, load_case
from osteoscope.deliver.ct_cases import CtCase, list_cases
from osteoscope.deliver.ct_gain import Gain
from osteoscope.deliver.ct_held_out import judge, verdict
from osteoscope.deliver.ct_patients import Whose
from osteoscope.deliver.ct_prepared import Prepared, prepare_all
from osteoscope.deliver.ct_run import begin_run, learnt
from osteoscope.deliver.ct_split import divide
from osteoscope.deliver.ct_training import Trained, TrainOptions, train_ct
from osteoscope.deliver.evaluation import EvaluationOptions
from osteoscope.deliver.nnunet_dataset import write_nnunet
from osteoscope.deliver.outputs import write_reading
from osteoscope.dicom.seg import write_seg
from osteoscope.dicom.write_ct import write_ct
from osteoscope.dicom.write_nifti import write_label_nifti, write_nifti
from osteoscope.domain.finding import Part, Region
from osteoscope.domain.image import Image
from osteoscope.domain.reading import Case, MappedSite, Reading, StudyRecord, regions_of
from osteoscope.domain.study import Study
from osteoscope.errors import IntakeError, ModelError, OutputError, UnsuitableStudyError
from osteoscope.find.ct_lesion_windows import planes
from osteoscope.find.detection import Detection
from osteoscope.find.model import SHIPPED, Model
from osteoscope.reading.lesions import by_model
from osteoscope.reading.plan_table import PLAN_NAMES, plan_for
from osteoscope.stats.detection_figures import DetectionOptions
from osteoscope.stats.resampling import Resampling
from osteoscope.train.ct_backgrounds import read_study
from osteoscope.train.ct_lesion_loss import losses
from osteoscope.train.ct_lesion_net import PAIRS, LesionNet
from osteoscope.train.ct_lesion_patches import draw
from osteoscope.train.ct_lesion_start import from_onnx
from osteoscope.train.ct_lesion_tune import TuneOptions, export_tuned, split, tune, widths
from osteoscope.train.ct_scans import Scan
from osteoscope.train.exporting import Graph, Story, load_weights, write_onnx
from osteoscope.train.fitting import examples_done

OPTIONS = TrainOptions(
    TuneOptions(steps=90, batch=2, rate=2e-3, width=8, window=64, workers=0, every=30),
    anew=True,
    evaluation=EvaluationOptions(DetectionOptions(resampling=Resampling(100, 0))),
)
# Slices of the simulated trunk that hold its three lowest vertebrae.
LOW = slice(15, 62)


def quiet(*_: object) -> None:
    pass


def cropped(region: Region, mirrored: bool) -> Region | None:
    part = region.parts[0]
    grid = simulations()[0].study.images["ct"].grid
    whole = part.full(grid.shape)[LOW]
    mask = whole[..., ::-1] if mirrored else whole
    return Region((Part.from_mask("ct", mask),)) if mask.any() else None


def patient(number: int) -> tuple[Study, Reading, tuple[MappedSite, ...]]:
    """One of some patients: two dates of the simulated trunk, and both mirrored."""
    made, mirrored = simulations()[number // 2], bool(number % 2)
    image = made.study.images["ct"]
    grid = image.grid.crop((LOW, *(slice(0, n) for n in image.grid.shape[1:])))
    values = image.values[LOW, :, ::-1] if mirrored else image.values[LOW]
    study = replace(
        made.study, uid=f"1.2.3.{number}", images={"ct": Image(grid, np.ascontiguousarray(values), "HU")},
        patient=replace(made.study.patient, id=f"P{number}"),
    )  # fmt: skip
    findings = [replace(f, region=r) for f in made.reading.findings if (r := cropped(f.region, mirrored))]
    mapped = [replace(m, region=r) for m in made.mapped if m.region is not None and (r := cropped(m.region, mirrored))]
    reading = replace(
        made.reading, study=StudyRecord.of(study), findings=tuple(findings), sites=(), measures=(), set_aside=()
    )
    return study, reading, tuple(mapped)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Patients as NIfTI with a label map, as DICOM with a SEG, as DICOM with a Reading."""
    root = tmp_path_factory.mktemp("dataset")
    for number in range(3):
        study, reading, mapped = patient(number)
        folder = root / f"case-{number}"
        folder.mkdir()
        grid = study.images["ct"].grid
        write_label_nifti(grid, regions_of(mapped), folder / "bones.nii.gz")
        regions = [finding.region for finding in reading.findings]
        if number == 1:
            write_ct(study, folder / "dicom")
            loaded = read_study(folder / "dicom")
            write_seg(Case(loaded, (), reading.findings), reading, folder / "export.dcm")
        elif number == 2:
            write_ct(study, folder / "dicom")
            write_reading(reading, folder / "truth.json")
        else:
            write_nifti(grid, study.images["ct"].values, folder / "ct.nii.gz")
            write_label_nifti(grid, regions, folder / "lesions.nii.gz")
    return root


@pytest.fixture(scope="module", autouse=True)
def one_core() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def trained(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Trained, Path]:
    folder = tmp_path_factory.mktemp("training")
    return train_ct(dataset, folder, OPTIONS, quiet), folder


def test_every_format_gives_the_same_marks(dataset: Path) -> None:
    cases = list_cases(dataset)
    assert cases.problems == ()
    assert [[file.name for file in case.lesions] for case in cases.cases] == [
        ["lesions.nii.gz"],
        ["export.dcm"],
        ["truth.json"],
    ]
    loaded = [load_case(case) for case in cases.cases]
    for number, (case, found) in enumerate(zip(cases.cases, loaded, strict=True)):
        _, reading, mapped = patient(number)
        assert [f.region for f in found.lesions] == [f.region for f in reading.findings]
        assert len(found.mapped) == len(mapped)
        assert found.whose.name == {1: "SIM-P1", 2: "SIM-P2"}.get(number, case.name)
    kinds = [{f.kind for f in found.lesions} for found in loaded[:2]]
    assert kinds[0] == {UNTYPED}
    assert kinds[1] == {f.kind for f in patient(1)[1].findings}


def ready(folder: Path) -> tuple[Prepared, ...]:
    """The cases of a training, as it left them."""
    found = [json.loads(path.read_text()) for path in sorted((folder / "cases").glob("*/case.json"))]
    return tuple(
        Prepared(
            CtCase(one["whose"]["case"], one["whose"]["said"], Path(), ()), Whose(**one["whose"]),
            folder / "cases" / one["whose"]["case"], one["lesions"], one["marks"],
        )
        for one in found
    )  # fmt: skip


def loss_on(net: LesionNet, scans: list[Path]) -> float:
    rng = np.random.default_rng(9)
    seen = [draw(Scan.load(path), rng) for path in scans for _ in range(8)]
    stacked = {name: torch.from_numpy(np.stack([getattr(e, name) for e in seen])) for name in ("label", "weight")}
    with torch.no_grad():
        said = net.eval()(torch.from_numpy(np.stack([e.picture for e in seen])))
    return sum(float(value) for value in losses((said,), stacked).values())


def test_the_loss_falls_on_patients_that_were_not_trained_on(trained: tuple[Trained, Path]) -> None:
    done, folder = trained
    apart = [*done.split.calibration, *done.split.held_out]
    assert not set(apart) & set(done.split.training)
    assert len(done.split.training) == 1
    scans = [case.scan for case in ready(folder) if case.whose.name in apart]
    assert len(scans) == 2
    torch.manual_seed(OPTIONS.tune.seed)
    before = loss_on(LesionNet(widths(8)), scans)
    net = load_weights(LesionNet(widths(8)), folder / "run" / "weights.pt")
    assert isinstance(net, LesionNet)
    assert loss_on(net, scans) < before - 0.1


def test_model_card_and_figures_belong_together(trained: tuple[Trained, Path]) -> None:
    done, folder = trained
    model = Model.load(done.card)
    assert done.card == folder / "model" / "ct_lesions.json"
    assert len(model.card.figures) == 3
    assert "1 held-out scan of 1 patient" in next(iter(model.card.figures.values()))
    assert "a new network, trained on 1 scan of 1 patient" in model.card.data
    assert "180 examples; 1 scan of 1 patient calibrate" in model.card.data
    (learnt_from,) = learnt(folder / "run").scans.values()
    assert (learnt_from.patient,) == done.split.training
    assert learnt_from.lesions == next(case.lesions for case in ready(folder) if case.whose.name == learnt_from.patient)
    for name in ("evaluation", "evaluation-before"):
        judged = json.loads((folder / name / "evaluation.json").read_text())
        assert [scan["patient"] for scan in judged["detection"]["scans"]] == list(done.split.held_out)
        assert judged["detection"]["scans"][0]["lesions"]
    assert done.problems == ()
    losses_seen = [line["lesion"] for line in done.lines]
    assert len(losses_seen) == 3
    assert all(np.isfinite(losses_seen))


def test_a_held_out_scan_that_is_not_searched_is_told_and_not_counted(
    dataset: Path, trained: tuple[Trained, Path], tmp_path: Path
) -> None:
    cases, _ = prepare_all(list_cases(dataset).cases, trained[1] / "cases", "", quiet)

    def detect(study: Study, _: tuple[MappedSite, ...]) -> Detection:
        if study.uid == patient(2)[0].uid:
            raise MemoryError("3 GiB")
        return Detection(patient(0)[1].findings)

    judged = judge(cases[::2], detect, tmp_path, (OPTIONS.evaluation, quiet))
    assert [scan.study for scan in judged.evaluation.detection.scans] == [cases[0].case.name]
    assert [scan.study for scan in judged.evaluation.detection.unread] == [cases[2].case.name]
    (problem,) = judged.evaluation.problems
    assert problem.file == cases[2].case.name
    assert "not searched for lesions (findings: MemoryError: 3 GiB)" in problem.found
    said = verdict(judged, judged, Gain(0, None, None))
    assert said.endswith("no lesion is held out. Not read, and left out of all figures: 1 held-out scan.")


def test_a_plan_reads_with_the_new_model_and_says_so(trained: tuple[Trained, Path]) -> None:
    done, _ = trained
    study = patient(0)[0]
    plan = by_model(plan_for(study), done.card.parent)
    assert plan.models()[-1].sha256 == Model.load(done.card).card.sha256
    assert "own lesion model" in plan.name
    assert any("one hospital's marks" in gap.reason for gap in plan.limits)
    found = plan.detect(study, patient(0)[2]).findings
    assert all(0 <= finding.confidence <= 1 for finding in found)
    assert by_model(PLAN_NAMES["mibg-planar"], done.card) is PLAN_NAMES["mibg-planar"]
    with pytest.raises(ModelError, match="a model of mibg_planar"):
        by_model(plan_for(study), SHIPPED / "mibg_planar.json")


def test_a_run_goes_on_and_keeps_its_split(trained: tuple[Trained, Path], tmp_path: Path) -> None:
    done, folder = trained
    shutil.copytree(folder / "run", tmp_path / "run")
    shutil.copy(folder / "split.json", tmp_path)
    scans = [folder / "cases" / name / "scan.npz" for name in ("case-0", "case-1")]
    more = replace(OPTIONS.tune, steps=92, every=2)
    assert [line["examples"] for line in tune(scans, tmp_path / "run", None, more)] == [184]
    assert examples_done(tmp_path / "run") == 184
    again = divide(ready(folder), tmp_path / "split.json", (OPTIONS.share, OPTIONS.tune.seed))
    assert again.split == done.split
    assert again.problems == ()
    with pytest.raises(IntakeError, match="another width"):
        begin_run(tmp_path / "run", None, 16)


def test_marks_that_were_corrected_in_place_are_read_again(dataset: Path, tmp_path: Path) -> None:
    case = next(case for case in list_cases(dataset).cases if case.name == "case-0")
    marks = tmp_path / "lesions.nii.gz"
    shutil.copy(case.lesions[0], marks)
    moved = replace(case, lesions=(marks,))
    (first,), _ = prepare_all([moved], tmp_path / "cases", "", quiet)
    (same,), _ = prepare_all([moved], tmp_path / "cases", "", quiet)
    assert first.lesions == same.lesions
    assert first.lesions
    image = sitk.ReadImage(str(marks))
    sitk.WriteImage(sitk.Cast(image * 0, image.GetPixelID()), str(marks))
    (corrected,), _ = prepare_all([moved], tmp_path / "cases", "", quiet)
    assert corrected.lesions == 0


def test_a_model_is_gone_on_from_where_it_stood(trained: tuple[Trained, Path], tmp_path: Path) -> None:
    done, folder = trained
    start = Model.load(done.card)
    scan = folder / "cases" / "case-0" / "scan.npz"
    still = replace(OPTIONS.tune, steps=2, rate=1e-9, every=2)
    (line,) = tune([scan], tmp_path / "run", start, still)
    assert line["examples"] == 4
    card = export_tuned(tmp_path / "run", tmp_path / "model", [], start, Story("2", "test", ()), still)
    window = OPTIONS.tune.window
    seen = np.full((window,) * 3, -1024, dtype=np.int16)
    piece = Scan.load(scan).hu[:window, :window, :window]
    seen[tuple(slice(0, n) for n in piece.shape)] = piece
    picture = planes(seen)
    said, before = (model.run(picture)[0] for model in (Model.load(card), start))
    # Neither weights nor the statistics of normalisations have moved.
    assert np.abs(said - before).mean() < 0.01 * before.std()
    assert done.verdict.startswith("Sensitivity within 0.62 false positives per held-out scan")


@pytest.mark.parametrize("pairs", [PAIRS, (0, 0)], ids=["of now", "of before, grown"])
def test_a_network_comes_back_from_its_onnx(
    pairs: tuple[int, int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(3)
    net = LesionNet((8, 16, 16, 24), pairs)
    for layer in net.modules():
        if isinstance(layer, torch.nn.BatchNorm3d):
            torch.nn.init.uniform_(layer.weight, 0.01, 2.0)
            torch.nn.init.normal_(layer.bias)
    pictures = torch.randn(3, 2, 32, 32, 32)
    with torch.no_grad():
        for _ in range(40):
            net(pictures)
    path = tmp_path / "net.onnx"
    graph, seen = Graph("net", "test", (2, 32, 32, 32), ("classes",)), [picture.numpy() for picture in pictures]
    write_onnx(net.eval(), graph, path)
    assert capsys.readouterr().out == ""  # standard output is the card's, with --json
    rounded = from_onnx(path, seen)
    with torch.no_grad():
        wanted = rounded(pictures)
        assert torch.allclose(wanted, net(pictures), atol=0.01)  # weights are stored in half precision
    write_onnx(rounded, graph, path)
    back = from_onnx(path, seen)
    with torch.no_grad():
        assert torch.allclose(back(pictures), wanted, atol=1e-4)
        assert torch.allclose(back.train()(pictures), wanted, atol=1e-3)  # as training begins
    # Steps of the usual size are small beside every weight, however small the merged ones were.
    for layer in (layer for layer in back.modules() if isinstance(layer, torch.nn.Conv3d) and layer.bias is None):
        share_of_usual = layer.weight.flatten(1).std(dim=1) * (3 * layer.weight[0].numel()) ** 0.5
        assert ((share_of_usual == 0) | ((share_of_usual > 0.7) & (share_of_usual < 1.4))).all()
    path.write_bytes((SHIPPED / "mibg_planar.onnx").read_bytes())
    with pytest.raises(ModelError, match="another network"):
        from_onnx(path, ())


@given(
    st.lists(st.text(min_size=1, max_size=4), min_size=3, max_size=40, unique=True),
    st.floats(0.05, 0.45),
    st.integers(0, 9),
)
def test_a_split_parts_patients_once_whatever_their_order(names: list[str], share: float, seed: int) -> None:
    parts = split(names, share, seed)
    assert sorted((*parts.training, *parts.calibration, *parts.held_out)) == sorted(names)
    assert min(len(parts.training), len(parts.calibration), len(parts.held_out)) >= 1
    assert split([*names[::-1], *names], share, seed) == parts


def test_too_few_patients_and_no_case_are_said(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(UnsuitableStudyError, match="2 patients"):
        split(["a", "b", "b"], 0.2, 1)
    (tmp_path / "empty").mkdir()
    with pytest.raises(IntakeError, match="no masks beside a CT"):
        list_cases(tmp_path / "empty")
    table = tmp_path / "cases.csv"
    table.write_text("ct;lesions;patient;colour\nnowhere;x.nii.gz;A;red\n")
    with pytest.raises(IntakeError, match=r"colour.*not used.*nowhere"):
        list_cases(table)
    case = dataset / "case-0"
    table.write_text(f"ct,lesions,name\n{case / 'ct.nii.gz'},{case / 'lesions.nii.gz'},a/b\n")
    assert [one.name for one in list_cases(table).cases] == ["a_b"]
    with pytest.raises(IntakeError, match="none a lesion"):
        load_case(list_cases(dataset).cases[1], names="heart")


def test_nnunet_gets_what_it_reads(dataset: Path, tmp_path: Path) -> None:
    (dataset / "broken").mkdir(exist_ok=True)
    (dataset / "broken" / "ct.nii.gz").write_bytes(b"x")
    (dataset / "broken" / "lesions.nii.gz").write_bytes(b"x")
    made = write_nnunet(dataset, tmp_path / "Dataset777_Test", "", quiet)
    shutil.rmtree(dataset / "broken")
    assert made.folder.name == "Dataset777_Test"
    assert ["broken" in str(problem) for problem in made.problems] == [True]
    about = json.loads((made.folder / "dataset.json").read_text())
    assert about["channel_names"] == {"0": "CT"}
    assert about["labels"] == {"background": 0, "lesion": 1}
    assert (about["numTraining"], about["file_ending"]) == (3, ".nii.gz")
    for number, name in enumerate(made.cases):
        image, label = (sitk.ReadImage(str(made.folder / part)) for part in
                        (f"imagesTr/{name}_0000.nii.gz", f"labelsTr/{name}.nii.gz"))  # fmt: skip
        assert image.GetSize() == label.GetSize()
        assert image.GetOrigin() == pytest.approx(label.GetOrigin())
        wanted = sum(f.region.size for f in patient(number)[1].findings)
        assert int(sitk.GetArrayFromImage(label).sum()) == wanted
    folds = json.loads((made.folder / "splits_final.json").read_text())
    assert sorted(case for fold in folds for case in fold["val"]) == sorted(made.cases)
    with pytest.raises(OutputError, match="6 files of an earlier export"):
        write_nnunet(dataset, made.folder, "", quiet)
