"""Edits of CT Readings: type, mask, new lesions, and the marks that a study protocol asks for."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from osteoscope.deliver.review.draft import Draft
from osteoscope.domain.anatomy import site as known_site
from osteoscope.domain.finding import Finding, FindingKind, Measure, Part, Point, Region
from osteoscope.domain.geometry import Grid
from osteoscope.errors import InvalidValueError
from osteoscope.measure.size import size_of_mask

KINDS: tuple[FindingKind, ...] = ("lytic", "blastic", "mixed")
ASPECTS = ("size", "location", "detection")
_MOST_VOXELS = 64 * 2**20
_SMALLEST_MM, _LARGEST_MM = 1.0, 300.0


def change_type(draft: Draft, edit: Mapping[str, Any]) -> Draft:
    """Another type of a finding.

    Raises:
        InvalidValueError: no such finding or type.
    """
    return draft.with_finding(replace(draft.finding(edit["finding"]), kind=_kind(edit["type"])))


def _kind(kind: object) -> FindingKind:
    if kind not in KINDS:
        raise InvalidValueError("change a type", f"{str(kind)[:20]!r}", f"Choose one of {', '.join(KINDS)}")
    return next(k for k in get_args(FindingKind) if k == kind)


def add_lesion(draft: Draft, edit: Mapping[str, Any]) -> Draft:
    """A ball of ``diameter_mm`` at ``position_mm`` (LPS), in the bone that lies there; "mixed" where no type is given.

    Raises:
        InvalidValueError: a place off the image, or a size that is no lesion's.
    """
    grid = _grid(draft)
    position, diameter = np.asarray(edit["position_mm"], dtype=float), float(edit["diameter_mm"])
    if not _SMALLEST_MM <= diameter <= _LARGEST_MM:
        found = f"diameter {diameter:g} mm"
        raise InvalidValueError("add a lesion", found, f"Give {_SMALLEST_MM:g} to {_LARGEST_MM:g} mm")
    at = grid.to_index(position) if position.shape == (3,) and np.isfinite(position).all() else np.full(3, np.inf)
    if (at < -0.5).any() or (at > np.asarray(grid.shape) - 0.5).any():
        raise InvalidValueError("add a lesion", f"position {edit['position_mm']} off the CT", "Click on the image")
    part = _ball(grid, at, diameter / 2)
    bone = draft.ground.bone_at(tuple(int(i) for i in np.clip(np.round(at), 0, np.asarray(grid.shape) - 1)))
    site = known_site(str(edit.get("site") or bone or "bone_unknown_1")).id
    kind = _kind(edit.get("type") or "mixed")
    finding = Finding(draft.new_id(), site, kind, 1.0, Region((part,)), Point.centre_of(part, grid))
    return draft.with_finding(_sized(finding, grid))


def _ball(grid: Grid, at: NDArray[np.float64], radius: float) -> Part:
    reach = np.ceil(radius / np.asarray(grid.spacing)) + 1
    low = np.maximum(0, np.floor(at - reach)).astype(int)
    high = np.minimum(grid.shape, np.ceil(at + reach) + 1).astype(int)
    index = np.moveaxis(np.indices(high - low), 0, -1) + low
    apart = np.linalg.norm((index - at) @ grid.matrix[:3, :3].T, axis=-1)
    inside = apart <= radius
    inside[np.unravel_index(apart.argmin(), apart.shape)] = True
    return Part.from_mask("ct", inside, tuple(int(v) for v in low))


def edit_mask(draft: Draft, edit: Mapping[str, Any]) -> Draft:
    """Another mask of a finding: ``mask`` within ``box`` [[z0, z1], [y0, y1], [x0, x1]].

    The mask is base64 of gzip of uint8 in C order.

    Raises:
        InvalidValueError: no such finding, a box off the image, or a mask that is none or empty.
    """
    finding, grid = draft.finding(edit["finding"]), _grid(draft)
    mask, low = _unpacked(edit, grid)
    part = Part.from_mask("ct", mask, low)
    changed = replace(finding, region=Region((part,)), centre=Point.centre_of(part, grid), confidence=1.0)
    return draft.with_finding(_sized(changed, grid))


def _unpacked(edit: Mapping[str, Any], grid: Grid) -> tuple[NDArray[np.bool_], tuple[int, ...]]:
    box = np.asarray(edit["box"])
    shape = box[:, 1] - box[:, 0] if box.shape == (3, 2) else np.zeros(3, dtype=int)
    if (shape < 1).any() or (box[:, 0] < 0).any() or (box[:, 1] > np.asarray(grid.shape)).any():
        found = f"box {np.asarray(box).tolist()} of a CT of {grid.shape}"
        raise InvalidValueError("edit a mask", found, "Give [[z0, z1], [y0, y1], [x0, x1]] within the image")
    number = int(np.prod(shape))
    try:
        unpacker = zlib.decompressobj(wbits=47)
        data = unpacker.decompress(base64.b64decode(edit["mask"], validate=True), min(number, _MOST_VOXELS) + 1)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise InvalidValueError("edit a mask", f"it cannot be unpacked ({error})", "Send base64 of gzip") from error
    if len(data) != number:
        raise InvalidValueError("edit a mask", f"{len(data)} voxels for a box of {number}", "Send uint8 of the box")
    return np.frombuffer(data, dtype=np.uint8).reshape(shape) > 0, tuple(int(v) for v in box[:, 0])


def _sized(finding: Finding, grid: Grid) -> Finding:
    marks = tuple(m for m in finding.measures if m.name in MARKS)
    return replace(finding, measures=(*_size(finding.region.parts[0], grid), *marks))


@lru_cache(maxsize=512)
def _size(part: Part, grid: Grid) -> tuple[Measure, ...]:
    """The size of a mask; kept, since a draft is made again at every step."""
    return size_of_mask(part.mask, grid)


MARKS = frozenset(f"{aspect}_right" for aspect in ASPECTS)


def mark(draft: Draft, edit: Mapping[str, Any]) -> Draft:
    """Whether size, location or detection of a finding is right (1), wrong (0), or not judged (null).

    Raises:
        InvalidValueError: no such finding or aspect.
    """
    finding, aspect, right = draft.finding(edit["finding"]), str(edit["aspect"]), edit["right"]
    if aspect not in ASPECTS:
        raise InvalidValueError("mark a finding", f"aspect {aspect[:20]!r}", f"Use one of {', '.join(ASPECTS)}")
    name = f"{aspect}_right"
    kept = tuple(m for m in finding.measures if m.name != name)
    judged = () if right is None else (Measure(name, float(bool(right)), "1", f"judged by {draft.person}"),)
    return draft.with_finding(replace(finding, measures=kept + judged))


def _grid(draft: Draft) -> Grid:
    return draft.base.study.images["ct"].grid
