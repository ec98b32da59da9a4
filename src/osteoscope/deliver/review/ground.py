"""Where sites lie on a study that was read: for edits, and to open its Case again."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.deliver.review.draft import CtGround, Ground
from osteoscope.deliver.review.views import VOXELS, replacing, write_skeleton
from osteoscope.deliver.unit_map import UNITS_FILE, read_units
from osteoscope.domain.finding import Part, Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import Case, MappedSite, StudyRecord
from osteoscope.domain.study import StudyKind
from osteoscope.find.planar_body import BodyOptions, outline

BONE_INDEX, BONE_LEGEND = "bones.npy", "bones_index.json"
# A click beside a bone belongs to it up to this many voxels away; a choice.
_NEAR = 6


def write_bone_index(case: Case, folder: Path) -> None:
    """Write the bones of a CT as labels that can be mapped into memory, with their sites, and for the page's 3-D view.

    Nothing of a planar study.
    """
    if case.study.kind != "ct":
        return
    grid = case.study.images["ct"].grid
    labels = np.zeros(grid.shape, dtype=np.uint16)
    for number, place in enumerate(case.mapped, 1):
        part = place.region.on("ct") if place.region else None
        if part is not None:
            view = labels[part.box]
            view[part.mask & (view == 0)] = number
    names = [{"site": p.site, "status": p.status, "confidence": p.confidence, "notes": p.notes} for p in case.mapped]
    with replacing(folder) as draft:
        np.save(draft / BONE_INDEX, labels)
        write_skeleton(grid, labels, draft)
        (draft / BONE_LEGEND).write_text(json.dumps(names), encoding="utf-8")


def ground_of(record: StudyRecord, program: Path, views: Path) -> Ground:
    """The ground of edits.

    Args:
        record: of the study.
        program: folder of the program's results, with units.json of a planar study.
        views: folder with the counts of a planar study, or the voxels and the bone index of a CT.
    """
    if record.kind == "nm-planar":
        return Ground(units=_units(program / UNITS_FILE), body=lambda view: _body(record, view, views))
    return Ground(bone_at=lambda index: _bone_at(views, index), ct=lambda: _ct(record.images["ct"].grid, views))


def _body(record: StudyRecord, view: str, views: Path) -> NDArray[np.bool_] | None:
    path = views / f"{view}.f32"
    return _body_at(path, record.images[view].grid.shape, path.stat().st_mtime_ns) if path.is_file() else None


@lru_cache(maxsize=16)
def _body_at(path: Path, shape: tuple[int, ...], _changed: int) -> NDArray[np.bool_] | None:
    """The body on a view, as the program outlines it; None where it finds none."""
    found = outline(np.fromfile(path, dtype="<f4").reshape(shape), BodyOptions())
    if not found.mask.any():
        return None
    whole = found.mask.repeat(found.bin, axis=0).repeat(found.bin, axis=1)
    # Rows and columns that fill no element of their own are those of the last one.
    return np.pad(whole, [(0, n - m) for n, m in zip(shape, whole.shape, strict=True)], mode="edge")


def _ct(grid: Grid, views: Path) -> CtGround | None:
    there = [views / name for name in (VOXELS, BONE_LEGEND)]
    if not all(path.is_file() for path in there):
        return None
    return _ct_at(grid, views, *(path.stat().st_mtime_ns for path in there))


@lru_cache(maxsize=4)
def _ct_at(grid: Grid, views: Path, *_changed: int) -> CtGround:
    """The CT of a study, kept while its files do not change: bones of a trunk take some tens of megabytes."""
    voxels = np.load(views / VOXELS, mmap_mode="r")
    return CtGround(Image(grid, voxels, "HU"), mapped_of("ct", views, views))


def mapped_of(kind: StudyKind, program: Path, views: Path) -> tuple[MappedSite, ...]:
    """The site map of a study that was read; where bones overlapped, the first keeps the voxel."""
    if kind == "nm-planar":
        return _units(program / UNITS_FILE)
    labels, names = _bones(views)
    if not names:
        return ()
    boxes = ndimage.find_objects(labels, max_label=len(names))
    return tuple(
        MappedSite(name["site"], _region(labels, number, box), name["status"], name["confidence"], tuple(name["notes"]))
        for number, (name, box) in enumerate(zip(names, boxes, strict=True), 1)
    )


def _units(path: Path) -> tuple[MappedSite, ...]:
    return units_at(path, path.stat().st_mtime_ns) if path.is_file() else ()


@lru_cache(maxsize=64)
def units_at(path: Path, _changed: int) -> tuple[MappedSite, ...]:
    """The units of a units.json, kept for as long as the file does not change."""
    return read_units(path).units


def _bones(views: Path) -> tuple[NDArray[Any], list[dict[str, Any]]]:
    if not (views / BONE_LEGEND).is_file():
        return np.zeros((0, 0, 0), dtype=np.uint16), []
    names = json.loads((views / BONE_LEGEND).read_text(encoding="utf-8"))
    return np.load(views / BONE_INDEX, mmap_mode="r"), names


def _region(labels: NDArray[Any], number: int, box: tuple[slice, ...] | None) -> Region | None:
    if box is None:
        return None
    return Region((Part("ct", tuple(span.start for span in box), labels[box] == number),))


def bone_sites(views: Path) -> tuple[str, ...]:
    """Sites of the bones that were found on a CT."""
    return tuple(name["site"] for name in _bones(views)[1])


def _bone_at(views: Path, index: tuple[int, ...]) -> str:
    labels, names = _bones(views)
    if not names:
        return ""
    low = [max(0, i - _NEAR) for i in index]
    box = np.asarray(labels[tuple(slice(lo, i + _NEAR + 1) for lo, i in zip(low, index, strict=True))])
    there = np.argwhere(box)
    if not len(there):
        return ""
    nearest = there[np.square(there + low - np.asarray(index)).sum(axis=1).argmin()]
    return str(names[int(box[tuple(nearest)]) - 1]["site"])
