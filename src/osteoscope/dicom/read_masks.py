"""Masks of a CT, whatever they are kept in: label maps (NIfTI, NRRD), DICOM SEG, RT structure sets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from osteoscope.dicom.intake.sandbox import Answer, Sandbox
from osteoscope.dicom.options import Limits
from osteoscope.dicom.read_labels import LABEL_SUFFIXES, read_labels
from osteoscope.domain.finding import Part
from osteoscope.domain.geometry import Grid
from osteoscope.domain.study import Study
from osteoscope.errors import IntakeError

MASK_CLASSES = frozenset(
    {"1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7", "1.2.840.10008.5.1.4.1.1.481.3"}
)
_NEAR_MM = 0.05
# Both identifiers of a DICOM file stand near its beginning.
_HEAD_BYTES = 4096


@dataclass(frozen=True, eq=False)
class NamedMask:
    """A mask on a CT.

    Args:
        label: of the segment, region or label.
        meaning: code meaning of what a Segmentation says it is, "" elsewhere.
        part: its voxels on the image "ct".
    """

    label: str
    meaning: str
    part: Part


@dataclass(frozen=True)
class Identity:
    """Whose a CT is and in which frame of reference; "" where its header does not say or it has none."""

    frame: str = ""
    patient: str = ""


@dataclass(frozen=True, eq=False)
class MasksRead:
    """The masks of a file, and for each that is not whole its label with what is missing."""

    masks: tuple[NamedMask, ...]
    notes: tuple[tuple[str, str], ...] = ()


def identity_of(study: Study) -> Identity:
    """By the header of the first file that a CT was made of, while that can still be read."""
    files = [source.path for source in study.sources if source.sop_class_uid and source.path.is_file()]
    if not files:
        return Identity("", study.patient.id)
    with Sandbox(Limits()) as sandbox:
        fields = sandbox.one({"op": "look", "file": str(files[0].resolve())}).get("fields", {})
    return Identity(str(fields.get("FrameOfReferenceUID") or ""), study.patient.id)


def read_masks(path: Path, grid: Grid, scratch: Path, ct: Identity = Identity()) -> tuple[NamedMask, ...]:
    """All masks of a file that lie on a CT; see ``read_all_masks``."""
    return read_all_masks(path, grid, scratch, ct).masks


def read_all_masks(path: Path, grid: Grid, scratch: Path, ct: Identity = Identity()) -> MasksRead:
    """All masks of a file, and what of them does not lie on the CT.

    Segmentations on another grid are taken to the CT's by nearest neighbour, contours between its slices by their
    shape; label maps must have its voxels, whatever the order of their axes and rows.

    Args:
        path: .nii, .nii.gz, .nrrd, or DICOM.
        grid: of the CT.
        scratch: a folder for arrays.
        ct: whose the masks must be, where both files say it.

    Raises:
        IntakeError: no such file, not one of these, of another grid, scan or patient, or nothing of it on the CT.
    """
    if path.name.lower().endswith(LABEL_SUFFIXES):
        return MasksRead(_of_label_map(path, grid, scratch))
    if not path.is_file():
        raise IntakeError(f"read masks {path}", "no such file", "Check the path")
    request = {
        "op": "masks", "file": str(path.resolve()), "out": str(scratch), "shape": grid.shape,
        "matrix": grid.matrix.tolist(), "frame": ct.frame, "patient": ct.patient,
    }  # fmt: skip
    made: list[NamedMask] = []
    notes: list[tuple[str, str]] = []
    absent: list[str] = []
    with Sandbox(Limits()) as sandbox:
        for answer in sandbox.stream(request):
            if "refused" in answer:
                raise IntakeError(f"read masks {path}", answer["refused"], answer["remedy"])
            notes += [(answer["label"], note) for note in answer["notes"]]
            if answer["file"] is None:
                absent += answer["notes"][:1]
            else:
                made.append(_fetched(answer))
    if not made:
        why = "; ".join(dict.fromkeys(absent)) or "it has none"
        found = f"none of its {len(absent)} masks lies on the CT ({why})"
        raise IntakeError(f"read masks {path}", found, "Check the masks, and that both are of one scan")
    return MasksRead(tuple(made), tuple(notes))


def _fetched(answer: Answer) -> NamedMask:
    mask = np.load(answer["file"], allow_pickle=False)
    Path(answer["file"]).unlink()
    return NamedMask(answer["label"], answer["meaning"], Part.from_mask("ct", mask, tuple(answer["offset"])))


def _of_label_map(path: Path, grid: Grid, scratch: Path) -> tuple[NamedMask, ...]:
    own, labels = read_labels(path, scratch)
    turn = own.turn_to(grid, _NEAR_MM)
    if turn is None:
        found = f"a grid of other voxels than the CT's: {_unlike(own, grid)}"
        raise IntakeError(f"read masks {path}", found, "Resample the label map to the CT")
    return tuple(NamedMask(name, "", part.turned(turn, own.shape)) for name, part in labels)


def _unlike(own: Grid, grid: Grid) -> str:
    """In what a grid differs from that of the CT: number and size of voxels, or where they lie."""
    sizes = [sorted(round(n, 3) for n in one.spacing) for one in (own, grid)]
    if sorted(own.shape) != sorted(grid.shape) or sizes[0] != sizes[1]:
        there, here = (f"{one.shape} of {' x '.join(f'{n:.3f}' for n in one.spacing)} mm" for one in (own, grid))
        return f"{there}, not {here}"
    (low, high), (other_low, other_high) = (_ends(one) for one in (own, grid))
    return f"from {low} to {high} mm (LPS), not from {other_low} to {other_high}"


def _ends(grid: Grid) -> tuple[str, str]:
    """The least and the greatest coordinates of the centres of its voxels."""
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in grid.shape])).reshape(grid.ndim, -1).T
    places = grid.to_position(corners)
    low, high = (", ".join(f"{n:.1f}" for n in end) for end in (places.min(axis=0), places.max(axis=0)))
    return f"({low})", f"({high})"


def files_with_masks(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The files that are a DICOM Segmentation or structure set, by what their headers say."""
    likely = [path for path in paths if _may_hold_masks(path)]
    if not likely:
        return ()
    with Sandbox(Limits()) as sandbox:
        headers = [sandbox.one({"op": "look", "file": str(path.resolve())}) for path in likely]
    classes = [header.get("fields", {}).get("SOPClassUID", "") for header in headers]
    return tuple(path for path, named in zip(likely, classes, strict=True) if named in MASK_CLASSES)


def _may_hold_masks(path: Path) -> bool:
    """Whether the class of masks stands in the first bytes: a folder of slices is gone through without parsing them."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    return any(named.encode() in head for named in MASK_CLASSES)
