"""Bones by a local nnU-Net v2, TotalSegmentator's weights among them: the same port as the package's own network.

nnU-Net runs as its own program in a process of its own. Nothing is ever downloaded. A checkpoint of nnU-Net is a
pickle, which can run code: use weights whose origin you trust.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the name that its own documentation uses
from numpy.typing import NDArray

from osteoscope.domain.anatomy import VERTEBRAE
from osteoscope.domain.reading import LEVEL_UNCERTAIN, MappedSite, ModelRecord
from osteoscope.domain.study import Study
from osteoscope.errors import DependencyError, InvalidValueError, ModelError
from osteoscope.find.ct_bone_count import CountOptions
from osteoscope.find.ct_bone_order import impossible
from osteoscope.find.ct_bone_regions import voxels_on_source
from osteoscope.find.ct_bone_tables import BoneClass
from osteoscope.find.ct_frame import AIR, Frame, ct_image, working_frame
from osteoscope.find.ct_names import Name

TOTALSEGMENTATOR, NNUNET = "totalsegmentator", "nnunet:"
_PROGRAM = "nnUNetv2_predict_from_modelfolder"
_CHECKPOINT = "checkpoint_final.pth"
_STEP_MM = 1.5  # of what models get
# Bones of TotalSegmentator's task "total": vertebrae, muscles and long bones, ribs; else all classes at 3 mm.
_TOTAL = ("Dataset292_*", "Dataset294_*", "Dataset295_*")
_FAST = ("Dataset297_*",)
_TRUST = 0.9  # an honest guess: such networks give no confidence of a name
_NOTE = "named by a local nnU-Net, trust not calibrated"


def folders_of(choice: str) -> tuple[Path, ...]:
    """Folders of trained models that a choice names: "totalsegmentator" or "nnunet:PATH".

    Raises:
        InvalidValueError: another choice.
        ModelError: there are no such weights on this machine.
    """
    if choice == TOTALSEGMENTATOR:
        return _total()
    if not choice.startswith(NNUNET):
        raise InvalidValueError("choose who finds bones", repr(choice), f"Give {TOTALSEGMENTATOR} or {NNUNET}PATH")
    return (Path(choice.removeprefix(NNUNET)).expanduser(),)


def _total() -> tuple[Path, ...]:
    home = Path(os.environ.get("TOTALSEG_HOME_DIR", "~/.totalsegmentator")).expanduser()
    root = Path(os.environ.get("TOTALSEG_WEIGHTS_PATH", home / "nnunet" / "results"))
    for wanted in (_TOTAL, _FAST):
        found = [sorted(root.glob(f"{name}/*/plans.json")) for name in wanted]
        if all(found):
            return tuple(plans[0].parent for plans in found)
    raise ModelError(
        "find bones by TotalSegmentator",
        f"no weights {', '.join(_TOTAL)} or {_FAST[0]} in {root}",
        "Run totalseg_download_weights -t total where there is a network, or set TOTALSEG_WEIGHTS_PATH",
    )


def check(choice: str) -> None:
    """Whether a choice can be run here.

    Raises:
        InvalidValueError, DependencyError, ModelError: see `map_bones`.
    """
    for folder in folders_of(choice):
        classes(folder)
    _program()


def records(choice: str) -> tuple[ModelRecord, ...]:
    """What a Reading keeps of the chosen models; the hash is that of the checkpoint of the first fold."""
    made = []
    for folder in folders_of(choice):
        with (folder / f"fold_{_folds(folder)[0]}" / _CHECKPOINT).open("rb") as weights:
            digest = hashlib.file_digest(weights, "sha256").hexdigest()
        made.append(ModelRecord(f"nnU-Net {folder.parent.name}/{folder.name}", "", digest))
    return tuple(made)


def map_bones(study: Study, choice: str) -> tuple[MappedSite, ...]:
    """Every bone that the chosen models know, with its site.

    Models get the volume at 1.5 mm in the axes that TotalSegmentator trains in (x to the right, y to the front, z to
    the head).

    Args:
        study: with image "ct".
        choice: see `folders_of`.

    Raises:
        UnsuitableStudyError: the study has no CT volume in HU.
        InvalidValueError: another choice.
        DependencyError: nnU-Net is not installed.
        ModelError: a model is missing, knows no bone, or failed.
    """
    folders = folders_of(choice)
    tables = [classes(folder) for folder in folders]
    program = _program()
    frame = working_frame(ct_image(study), _STEP_MM)
    numbers = {bone: n for n, bone in enumerate(dict.fromkeys(b for table in tables for b in table.values()), 1)}
    labels = np.zeros(frame.hu.shape, dtype=np.uint16)
    with tempfile.TemporaryDirectory() as scratch:
        _write(frame, Path(scratch) / "in" / "ct_0000.nii.gz")
        for folder, table in zip(folders, tables, strict=True):
            of_class = {number: numbers[bone] for number, bone in table.items()}
            np.copyto(labels, _named(_run(program, folder, Path(scratch)), of_class, frame), where=labels == 0)
    return voxels_on_source(frame, labels, _names(list(numbers), labels, frame.step))


def _names(bones: Sequence[BoneClass], labels: NDArray[np.uint16], step: float) -> list[Name]:
    """A name for each bone; those without a site id are counted on as unknown."""
    said = impossible(_heights(bones, labels, step))
    doubts = (f"{LEVEL_UNCERTAIN}: {', '.join(said)}",) if said else ()
    times = Counter[str]()
    made = []
    for bone in bones:
        if bone.unknown:
            times[bone.label] += 1
            site = f"{bone.label}_unknown_{times[bone.label]}"
            made.append(Name(site, _TRUST, (_NOTE, f"the model calls it {bone.unknown}, which has no site id here")))
        elif bone.label in VERTEBRAE:
            made.append(Name(bone.label, _TRUST * (CountOptions().conflict if doubts else 1.0), (*doubts, _NOTE)))
        else:
            made.append(Name(bone.label, _TRUST, (_NOTE,)))
    return made


def _heights(bones: Sequence[BoneClass], labels: NDArray[np.uint16], step: float) -> dict[str, float]:
    """Of the middle of each vertebra that was found, mm."""
    count = np.stack([np.bincount(plane.ravel(), minlength=len(bones) + 1) for plane in labels])
    total = count.sum(axis=0)
    middle = step * (np.arange(len(labels)) @ count) / np.maximum(total, 1)
    return {b.label: float(middle[n]) for n, b in enumerate(bones, 1) if b.label in VERTEBRAE and total[n]}


def classes(folder: Path) -> Mapping[int, BoneClass]:
    """The classes of a model that are bones, by their number.

    Raises:
        ModelError: the folder is not one of a trained nnU-Net, knows no bone, or has classes made of others.
    """
    named = _named_classes(folder)
    bones = {number: bone for number, bone in ((n, BoneClass.of(name)) for n, name in named.items()) if bone.label}
    if not bones:
        known = ", ".join(list(named.values())[:6])
        raise ModelError(_asked(folder), f"classes {known}, none of them a bone", "Give a model of bones")
    return bones


def left_out(choice: str) -> tuple[str, ...]:
    """Classes of the chosen models that are not taken for bone, but for the background.

    Raises:
        InvalidValueError, ModelError: see `folders_of` and `classes`.
    """
    named = [name for folder in folders_of(choice) for number, name in _named_classes(folder).items() if number]
    return tuple(dict.fromkeys(name for name in named if not BoneClass.of(name).label))


def _asked(folder: Path) -> str:
    return f"use the nnU-Net in {folder}"


def _named_classes(folder: Path) -> Mapping[int, str]:
    missing = [name for name in ("plans.json", "dataset.json") if not (folder / name).is_file()]
    if missing or not _folds(folder):
        raise ModelError(
            _asked(folder),
            f"no {', '.join(missing) or f'fold_*/{_CHECKPOINT}'}",
            "Give the folder of a trained nnU-Net v2 that holds plans.json, dataset.json and fold_*",
        )
    try:
        named = dict(json.loads((folder / "dataset.json").read_text(encoding="utf-8"))["labels"])
        regions = [f"{name} {list(n)}" for name, n in named.items() if isinstance(n, list)]
        table = {} if regions else {int(n): str(name) for name, n in named.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(_asked(folder), f"dataset.json: {error}", "Give its own dataset.json") from error
    if regions:
        found = f"dataset.json: classes that are regions of several labels ({', '.join(regions)})"
        raise ModelError(
            _asked(folder), found, "Give a model in which every bone is a class of its own, with one number"
        )
    return table


def _folds(folder: Path) -> list[str]:
    return sorted(path.parent.name.removeprefix("fold_") for path in folder.glob(f"fold_*/{_CHECKPOINT}"))


def _program() -> str:
    beside = Path(sys.executable).parent / _PROGRAM
    found = str(beside) if beside.exists() else shutil.which(_PROGRAM)
    if found is None:
        raise DependencyError("find bones by a nnU-Net", f"no program {_PROGRAM}", "Run pip install nnunetv2")
    return found


def _write(frame: Frame, path: Path) -> None:
    path.parent.mkdir()
    image = sitk.GetImageFromArray(np.ascontiguousarray(np.maximum(frame.hu, AIR)[:, ::-1, ::-1]))
    image.SetSpacing([frame.step] * 3)
    image.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))
    far = frame.grid.to_position([0, frame.hu.shape[1] - 1, frame.hu.shape[2] - 1])
    image.SetOrigin(far.tolist())
    sitk.WriteImage(image, str(path))


def _run(program: str, folder: Path, scratch: Path) -> Path:
    out = Path(tempfile.mkdtemp(dir=scratch))
    asked: Sequence[str] = (
        program, "-i", str(scratch / "in"), "-o", str(out), "-m", str(folder), "-f", *_folds(folder),
        "-chk", _CHECKPOINT, "-device", "cpu", "--disable_tta", "-npp", "1", "-nps", "1",
    )  # fmt: skip
    done = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603 - no shell, our own words
    written = out / "ct.nii.gz"
    if done.returncode or not written.exists():
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["nothing said"]
        raise ModelError(f"run the nnU-Net in {folder}", last[0], "Run it by hand on a NIfTI volume to see why")
    return written


def _named(written: Path, of_class: Mapping[int, int], frame: Frame) -> NDArray[np.uint16]:
    numbers = sitk.GetArrayFromImage(sitk.ReadImage(str(written), sitk.sitkInt32))[:, ::-1, ::-1]
    if numbers.shape != frame.hu.shape:
        raise ModelError(
            f"read {written.name}", f"shape {numbers.shape} for {frame.hu.shape}", "Use a nnU-Net that keeps the grid"
        )
    lookup = np.zeros(max(int(numbers.max()), *of_class) + 1, dtype=np.uint16)
    for number, name in of_class.items():
        lookup[number] = name
    return np.asarray(lookup[np.maximum(numbers, 0)])
