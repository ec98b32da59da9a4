"""Label maps of what others made: the ICRP-110 phantoms, and scans with labels of a free licence."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the name that its own documentation uses
from numpy.typing import NDArray
from rich.progress import track
from scipy.ndimage import gaussian_filter1d

from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.errors import InvalidValueError
from osteoscope.find.ct_bone_maps import LABEL_OF, UNKNOWN
from osteoscope.find.ct_bone_tables import SCHEMES
from osteoscope.find.ct_frame import AIR, working_frame
from osteoscope.train.ct_bones_maps import DRAWN_MM, LabelMap, coarse

# Organ ids of ICRP Publication 110: first, last, HU (usual values, rounded; blood is drawn), label ("%": side).
_ICRP: tuple[tuple[int, int, float, str], ...] = (
    (1, 139, 40, ""), (13, 18, 0, "humerus_%"), (19, 21, 0, "bone"), (22, 23, 0, "bone"), (24, 25, 0, "clavicle_%"),
    (26, 27, 0, "skull"), (28, 33, 0, "femur_%"), (34, 38, 0, "bone"), (39, 40, 0, "mandible"), (41, 42, 0, "hip_%"),
    (43, 44, 0, "rib_%"), (45, 46, 0, "scapula_%"), (47, 52, 0, "vertebra"), (53, 54, 0, "sacrum"),
    (55, 56, 0, "sternum"), (57, 60, 95, ""), (62, 62, -105, ""), (64, 64, -105, ""), (73, 73, 20, ""),
    (95, 95, 62, ""), (96, 99, -840, ""), (106, 109, 55, ""), (116, 119, -105, ""), (122, 125, 10, ""),
    (128, 128, 2000, "mandible"), (137, 138, 8, ""), (140, 140, -1000, ""),
)  # fmt: skip
_SPONGIOSA = frozenset({14, 17, 20, 23, 25, 27, 29, 32, 35, 38, *range(40, 57, 2)})
_MEDULLA = frozenset({15, 18, 21, 30, 33, 36})
_BLOOD = (9, 10, 11, 12, 88)
_KIDNEYS = tuple(range(89, 95))
_PART_MM = 500.0
_SMOOTH_MM = 2.0  # rounds the steps of coarse voxels


class Saved(Protocol):
    """What a phantom is made into, part by part."""

    def save(self, path: Path) -> Path:
        """Write, whole or not at all."""


Parts = Callable[[Path, np.random.Generator], Iterator[Saved]]


def phantom_maps(path: Path, rng: np.random.Generator) -> Iterator[LabelMap]:
    """The parts of a phantom as label maps; see `drawn_parts`."""
    for hu, label in drawn_parts(path, rng):
        yield coarse(hu, label)


def drawn_parts(path: Path, rng: np.random.Generator) -> Iterator[tuple[NDArray[np.int32], NDArray[np.uint8]]]:
    """The parts of a phantom (.npz, see `osteoscope.simulate.phantom.Phantom.load`), from the feet upwards.

    Returns:
        HU of quiet tissue, and index into `LABELS`, both [z, y, x] in voxels of 1.5 mm.

    Raises:
        InvalidValueError: the file is no such phantom.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            organ, spacing = stored["organ_id"], tuple(float(s) for s in np.ravel(stored["spacing_zyx_mm"]))
    except (OSError, ValueError, KeyError) as error:
        raise InvalidValueError("load a phantom", f"{path}: {error}", "Give an .npz of ICRP 110") from error
    body = np.argwhere(organ > 0)
    low, high = body.min(axis=0), body.max(axis=0) + 1
    tall = max(1, round(_PART_MM / spacing[0]))
    for start in range(int(low[0]), int(high[0]), tall):
        box = (slice(start, min(start + tall, int(high[0]))), *(slice(int(a), int(b)) for a, b in zip(
            low[1:], high[1:], strict=True)))  # fmt: skip
        yield _part(organ[box], spacing, float(body[:, 2].mean()) - low[2], rng)


def _part(
    organ: NDArray[np.uint8], spacing: tuple[float, ...], middle: float, rng: np.random.Generator
) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """One part, smoothed tissue by tissue while it is made finer, so that coarse voxels leave no steps."""
    hu, label = _icrp_tables(rng)
    sides = np.where(np.arange(organ.shape[2]) > middle, 1, 0)
    tissue = label[sides[None, None, :], organ].astype(np.int32) * 4096 + (hu[organ] + 1024).astype(np.int32)
    shape = [max(1, round(n * s / DRAWN_MM)) for n, s in zip(organ.shape, spacing, strict=True)]
    best = np.zeros(shape, dtype=np.float32)
    found = np.zeros(shape, dtype=np.int32)
    for value in np.unique(tissue):
        share = _finer((tissue == value).astype(np.float32), spacing, shape)
        better = share > best
        best[better] = share[better]
        found[better] = value
    return found % 4096 - 1024, (found // 4096).astype(np.uint8)


def _finer(share: NDArray[np.float32], spacing: tuple[float, ...], shape: list[int]) -> NDArray[np.float32]:
    for axis, (s, n) in enumerate(zip(spacing, shape, strict=True)):
        at = np.clip((np.arange(n) + 0.5) * share.shape[axis] / n - 0.5, 0, share.shape[axis] - 1)
        low = np.minimum(at.astype(int), share.shape[axis] - 1)
        high = np.minimum(low + 1, share.shape[axis] - 1)
        part = np.expand_dims((at - low).astype(np.float32), tuple(a for a in range(3) if a != axis))
        share = np.take(share, low, axis) * (1 - part) + np.take(share, high, axis) * part
        if s > _SMOOTH_MM:
            share = gaussian_filter1d(share, 0.35 * s / DRAWN_MM, axis=axis, mode="nearest", truncate=2.0)
    return share


def _icrp_tables(rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """HU of each organ id of somebody drawn at random, and its label on the right and on the left."""
    hu, label = np.full(256, -1000.0), np.zeros((2, 256), dtype=np.uint8)
    marrow, cortex, blood = rng.uniform(90, 300), rng.uniform(700, 1300), rng.choice((45.0, 150.0, 320.0))
    for first, last, value, name in _ICRP:
        bone = name != "" and value == 0
        for n in range(first, last + 1):
            inside = marrow if n in _SPONGIOSA else rng.uniform(-60, 40) if n in _MEDULLA else cortex
            hu[n] = inside if bone else value
            label[:, n] = [LABEL_OF[name.replace("%", side)] for side in ("right", "left")]
    hu[list(_BLOOD)] = blood
    hu[list(_KIDNEYS)] = 35 if blood < 50 else rng.uniform(130, 220)
    return hu, label


def scan_map(ct: Path, labels: Path, scheme: str) -> LabelMap:
    """A scan with its labels; what a scheme of vertebrae alone leaves out, bright voxels, is not learned from.

    Args:
        ct: volume in HU that SimpleITK reads.
        labels: label volume, on any grid.
        scheme: one of `SCHEMES`.

    Raises:
        InvalidValueError: the scheme is unknown or a file cannot be read.
    """
    if scheme not in SCHEMES:
        raise InvalidValueError(f"read labels {labels}", f"scheme {scheme!r}", f"Give one of {sorted(SCHEMES)}")
    image = _volume(ct)
    found = sitk.Resample(_volume(labels), image, sitk.Transform(), sitk.sitkNearestNeighbor, 0)
    frame = working_frame(_in_hu(image), DRAWN_MM)
    numbers = frame.from_source(sitk.GetArrayFromImage(found).astype(np.uint8))
    table = np.zeros(256, dtype=np.uint8)
    for number, name in SCHEMES[scheme].items():
        table[number] = LABEL_OF[name]
    named = table[numbers]
    if not _whole(SCHEMES[scheme]):
        named[(named == 0) & (frame.hu > 150)] = LABEL_OF[UNKNOWN]
    return coarse(np.maximum(frame.hu, AIR), named)


def lines_of(table: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The lines of a CSV.

    Raises:
        InvalidValueError: it lacks one of the columns.
    """
    with table.open(newline="", encoding="utf-8") as lines:
        rows = csv.DictReader(lines)
        if missing := set(columns) - set(rows.fieldnames or ()):
            raise InvalidValueError(f"read {table}", f"no column {sorted(missing)}", f"Give {', '.join(columns)}")
        return list(rows)


def ct_of(path: Path) -> Image:
    """A volume in HU that SimpleITK reads.

    Raises:
        InvalidValueError: it cannot be read.
    """
    return _in_hu(_volume(path))


def _volume(path: Path) -> sitk.Image:
    try:
        return sitk.ReadImage(str(path), sitk.sitkInt16)
    except RuntimeError as error:
        raise InvalidValueError(f"read {path}", str(error).strip(), "Give a volume") from error


def _in_hu(image: sitk.Image) -> Image:
    return Image(_grid(image), sitk.GetArrayFromImage(image), "HU")


def _whole(scheme: Mapping[int, str]) -> bool:
    return {"sternum", "skull"} <= set(scheme.values())


def _grid(image: sitk.Image) -> Grid:
    matrix = np.eye(4)
    direction = np.reshape(image.GetDirection(), (3, 3)) * np.array(image.GetSpacing())
    matrix[:3, :3], matrix[:3, 3] = direction[:, ::-1], image.GetOrigin()
    return Grid.from_matrix(image.GetSize()[::-1], matrix)


def write_phantoms(phantoms: Path, folder: Path, variants: int, parts: Parts = phantom_maps) -> list[Path]:
    """The parts of every phantom of a folder, in several draws, unless they are there.

    Args:
        phantoms, folder: to read from, and to write into.
        variants: draws of bone density, contrast agent and what else ``parts`` draws.
        parts: what is made of a phantom.
    """
    folder.mkdir(parents=True, exist_ok=True)
    draws = [(path, variant) for path in sorted(phantoms.glob("*.npz")) for variant in range(variants)]
    return [part for path, variant in track(draws, "phantoms") for part in _drawn(path, variant, folder, parts)]


def _drawn(path: Path, variant: int, folder: Path, parts: Parts) -> list[Path]:
    wanted = folder / f"{path.stem}_{variant}.txt"
    if not wanted.exists():
        made = enumerate(parts(path, np.random.default_rng(variant)))
        names = [part.save(folder / f"{path.stem}_{variant}_{number}.npz").name for number, part in made]
        wanted.write_text("\n".join(names))
    return [folder / name for name in wanted.read_text().split()]
