"""Cases made ready: what of their marks is learnt, what is kept, and when it is made again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - the name that its manual uses

from osteoscope.deliver import ct_prepared, nnunet_dataset
from osteoscope.deliver.ct_annotations import Annotated, load_case
from osteoscope.deliver.ct_cases import CtCase, list_cases
from osteoscope.deliver.ct_prepared import Prepared, prepare_all
from osteoscope.deliver.nnunet_dataset import write_nnunet
from osteoscope.deliver.ratings import Problem
from osteoscope.errors import IntakeError, OutputError
from osteoscope.train.ct_scans import LOOK_ALIKE, Scan

SmallCase = Callable[..., Path]
IN_BONE = (slice(8, 11), slice(30, 34), slice(18, 22))
OFF_BONE = (slice(8, 11), slice(30, 34), slice(52, 56))
ONE_VOXEL_IN_IT = (slice(9, 10), slice(31, 32), slice(19, 20))


@pytest.fixture(autouse=True)
def _loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading a case takes processes of its own: once in a test is enough."""
    loaded: dict[str, Annotated] = {}

    def load(case: CtCase, names: str, **_: bool) -> Annotated:
        if case.name not in loaded:
            loaded[case.name] = load_case(case, names)
        return loaded[case.name]

    monkeypatch.setattr(ct_prepared, "load_case", load)
    monkeypatch.setattr(nnunet_dataset, "load_case", load)


def ready(dataset: Path, folder: Path) -> tuple[tuple[Prepared, ...], tuple[Problem, ...]]:
    return prepare_all(list_cases(dataset).cases, folder, "", lambda *_: None)


def test_lesions_that_training_does_not_see_are_told_and_not_counted(tmp_path: Path, small_case: SmallCase) -> None:
    small_case(tmp_path / "data" / "a", 1, IN_BONE, OFF_BONE)
    ((case,), problems) = ready(tmp_path / "data", tmp_path / "cases")
    assert case.lesions == 1
    assert Scan.load(case.scan).numbers.size == 1
    (problem,) = problems
    assert problem.found == "1 of 2 lesions (lesion-2) not learnt: more than 21 mm off any bone found"
    assert not problem.lost
    assert ready(tmp_path / "data", tmp_path / "cases")[1] == problems


def test_what_is_marked_as_both_is_a_lesion_everywhere(tmp_path: Path, small_case: SmallCase) -> None:
    small_case(tmp_path / "data" / "a", 1, IN_BONE, alike=IN_BONE)
    ((case,), problems) = ready(tmp_path / "data", tmp_path / "cases")
    assert case.lesions == 1
    label = Scan.load(case.scan).label
    assert np.unique(label).tolist() == [0, 1]
    assert [one.found == "look-alike 1: 48 of 48 voxels are marked as lesion too, which counts" for one in problems]
    made = write_nnunet(tmp_path / "data", tmp_path / "nnunet", "", lambda *_: None)
    exported = sitk.GetArrayFromImage(sitk.ReadImage(str(made.folder / "labelsTr" / "a.nii.gz")))
    assert np.unique(exported).tolist() == [0, 1]
    assert label.max() < LOOK_ALIKE
    assert [str(one) for one in made.problems] == [str(one) for one in problems]


def test_one_ct_of_two_cases_is_of_neither(tmp_path: Path, small_case: SmallCase) -> None:
    for name in ("a", "b"):
        small_case(tmp_path / "data" / name, 1)
    cases, problems = ready(tmp_path / "data", tmp_path / "cases")
    assert cases == ()
    assert ["same CT as b" in str(problems[0]), "same CT as a" in str(problems[1])] == [True, True]
    with pytest.raises(IntakeError, match=r"no case that can be used .*the same CT"):
        write_nnunet(tmp_path / "data", tmp_path / "nnunet", "", lambda *_: None)
    assert [path for path in (tmp_path / "nnunet").rglob("*") if path.is_file()] == []


def test_what_was_cut_off_or_removed_is_made_again(
    tmp_path: Path, small_case: SmallCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_case(tmp_path / "data" / "a", 1)
    ((first,), _) = ready(tmp_path / "data", tmp_path / "cases")
    note, made = first.folder / "case.json", first.scan.stat().st_mtime_ns
    assert ready(tmp_path / "data", tmp_path / "cases") == ((first,), ())
    assert first.scan.stat().st_mtime_ns == made
    spoilt: tuple[Callable[[], object], ...] = (
        lambda: note.write_text(note.read_text()[:20]),
        first.scan.unlink,
        (first.folder / "bones.nii.gz").unlink,
        lambda: monkeypatch.setattr(ct_prepared, "version", lambda _: "9.9"),
    )
    for spoil in spoilt:
        spoil()
        assert ready(tmp_path / "data", tmp_path / "cases") == ((first,), ())
        made, before = first.scan.stat().st_mtime_ns, made
        assert made != before


def test_a_folder_that_cannot_be_written_ends_it_at_once(tmp_path: Path, small_case: SmallCase) -> None:
    for name, seed in (("a", 1), ("b", 2)):
        small_case(tmp_path / "data" / name, seed)
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="choose a folder that can be written with -o"):
        ready(tmp_path / "data", tmp_path / "file" / "cases")
    with pytest.raises(OutputError, match=r"write .*none.*-o"):
        write_nnunet(tmp_path / "data", tmp_path / "file" / "none", "", lambda *_: None)
