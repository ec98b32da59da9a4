"""The bones that `osteoscope read` left beside its reading.json: bones.nii.gz with bones.json, or bones.dcm."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from osteoscope.dicom.read_labels import read_numbered
from osteoscope.dicom.read_masks import Identity, read_masks
from osteoscope.domain.finding import Part, Region
from osteoscope.domain.geometry import Grid, Turn
from osteoscope.domain.reading import MappedSite, Reading, SiteReading
from osteoscope.errors import IntakeError, InvalidValueError

BONES_FILE, LEGEND_FILE, SEG_FILE = "bones.nii.gz", "bones.json", "bones.dcm"
# Positions in NIfTI are single precision.
_NEAR_MM = 0.05


def bones_beside(file: Path, reading: Reading) -> tuple[MappedSite, ...]:
    """The bones of a Reading of CT; () where there are none beside it.

    Args:
        file: its reading.json.
        reading: what that holds.

    Raises:
        IntakeError: a map that cannot be read, or is of another CT or patient.
    """
    path, legend = file.with_name(BONES_FILE), file.with_name(LEGEND_FILE)
    if not path.is_file() or not legend.is_file():
        return _of_segmentation(file.with_name(SEG_FILE), reading)
    try:
        names = json.loads(legend.read_text(encoding="utf-8"))
        with tempfile.TemporaryDirectory(prefix="osteoscope-") as scratch:
            grid, parts = read_numbered(path, Path(scratch))
        turn = _turn(grid, reading, path)
        notes = {site.site: site.notes for site in reading.sites}
        return tuple(
            _mapped(names[str(number)], part.turned(turn, grid.shape), notes) for number, part in parts.items()
        )
    except (ValueError, KeyError, TypeError, InvalidValueError) as error:
        found = f"no legend of {BONES_FILE} ({type(error).__name__}: {error})"
        raise IntakeError(f"read {legend}", found, "Read the CT again with --nifti") from error


def _of_segmentation(path: Path, reading: Reading) -> tuple[MappedSite, ...]:
    if not path.is_file():
        return ()
    with tempfile.TemporaryDirectory(prefix="osteoscope-") as scratch:
        owner = Identity(patient=reading.study.patient.id)
        masks = read_masks(path, reading.study.images["ct"].grid, Path(scratch), owner)
    said = {site.site: site for site in reading.sites}
    unlisted = [mask.label for mask in masks if mask.label not in said]
    if unlisted:
        found = f"bones that the reading beside it does not list: {', '.join(unlisted)}"
        raise IntakeError(f"read {path}", found, "Keep the files of one reading together")
    return tuple(_named(mask.part, said[mask.label]) for mask in masks)


def _named(part: Part, site: SiteReading) -> MappedSite:
    confidence = 1.0 if site.confidence is None else site.confidence
    return MappedSite(site.site, Region((part,)), "assessed", confidence, site.notes)


def _turn(grid: Grid, reading: Reading, path: Path) -> Turn:
    own = reading.study.images["ct"].grid
    turn = grid.turn_to(own, _NEAR_MM)
    if turn is None:
        found = f"a grid of {grid.shape}, not the one of the reading beside it, {own.shape}"
        raise IntakeError(f"read {path}", found, "Keep the files of one reading together")
    return turn


def _mapped(entry: dict[str, Any], part: Part, notes: Mapping[str, tuple[str, ...]]) -> MappedSite:
    site = str(entry["site"])
    return MappedSite(site, Region((part,)), "assessed", float(entry["confidence"]), notes.get(site, ()))
