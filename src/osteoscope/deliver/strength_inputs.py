"""What a strength is asked of: a CT with its bones and lesions, read now, read before, or drawn by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from osteoscope.deliver.bone_map import bones_beside
from osteoscope.deliver.outputs import read_reading
from osteoscope.dicom.load import IntakeOptions, load, scan
from osteoscope.dicom.read_labels import read_numbered
from osteoscope.domain.finding import Finding, Part, Point, Region
from osteoscope.domain.geometry import Grid, widened
from osteoscope.domain.reading import Case, Gap, MappedSite
from osteoscope.domain.study import Study
from osteoscope.errors import IntakeError, UnsuitableStudyError
from osteoscope.fe.bone import CLOSE_MM, shifted
from osteoscope.reading.read import read

Progress = Callable[[str, int, int], None]
READING_FILE = "reading.json"
_NEAR_MM = 0.05


@dataclass(frozen=True)
class Drawn:
    """Masks from elsewhere, in place of a reading.

    Args:
        bones: site -> label map and, after a colon, the label (default 1).
        lesions: a label map with a number for each lesion.
    """

    bones: Mapping[str, str] = field(default_factory=dict)
    lesions: Path | None = None


def case_of(paths: Sequence[Path], drawn: Drawn, scratch: Path, progress: Progress) -> tuple[Case, tuple[Gap, ...]]:
    """The CT among the paths with its bones and lesions: drawn ones, else those of a reading among the paths, else
    read now; and what of them cannot be used.

    Raises:
        IntakeError: not one CT, masks or a reading of another CT, inputs of which one would be left aside, or files
            that cannot be read.
        UnsuitableStudyError: no CT.
    """
    readings = [found for path in paths if (found := _reading_at(path)) is not None]
    images = [path for path in paths if _reading_at(path) is None]
    if not images:
        without = f"a reading ({readings[0]}) without its CT" if readings else "no path"
        remedy = "Give the CT too: osteoscope strength CT READING_FOLDER --site ..."
        raise IntakeError("compute a strength", without, remedy)
    _refuse_idle(readings, drawn)
    study = _study(images, scratch, progress)
    if drawn.bones:
        return _drawn_case(study, drawn, scratch)
    return _read_before(study, readings[0]) if readings else read(study, progress=progress).case, ()


def _refuse_idle(readings: Sequence[Path], drawn: Drawn) -> None:
    """Refuse inputs of which one would be left aside."""
    if drawn.lesions is not None and not drawn.bones:
        found, remedy = "lesions without a mask of their bone", "Give the bone too: --bone SITE=FILE[:LABEL]"
        raise IntakeError(f"use {drawn.lesions}", found, remedy)
    if drawn.bones and readings:
        found = "masks of bones besides, which take its place"
        raise IntakeError(f"use {readings[0]}", found, "Give the reading's folder or --bone, not both")


def _reading_at(path: Path) -> Path | None:
    file = path / READING_FILE if path.is_dir() else path
    return file if file.suffix.lower() == ".json" and file.is_file() else None


def _study(images: Sequence[Path], scratch: Path, progress: Progress) -> Study:
    found = scan(images, scratch, IntakeOptions(), progress)
    cts = [candidate for candidate in found.candidates if candidate.kind == "ct"]
    asked = f"compute a strength of {images[0]}"
    if len(cts) != 1:
        labels = "; ".join(candidate.label for candidate in cts[:4]) or "none"
        raise IntakeError(asked, f"{len(cts)} CT series ({labels})", "Give the files of one CT")
    arrival = load(cts[0], scratch, IntakeOptions(), progress)
    if arrival.study is None:
        why = "; ".join(f"{note.file}: {note.problem}" for note in arrival.notes if note.level == "refused")
        raise IntakeError(asked, f"the CT was refused ({why})", "Mend the files")
    return arrival.study


def _read_before(study: Study, file: Path) -> Case:
    reading = read_reading(file)
    image = reading.study.images.get("ct")
    if image is None or not image.grid.matches(study.images["ct"].grid, _NEAR_MM):
        raise IntakeError(f"use {file}", "it is a reading of another image", "Give the CT that it was read from")
    bones = bones_beside(file, reading)
    if not bones:
        raise IntakeError(f"use {file}", "no bones beside it", "Read the CT with --nifti, or give the CT alone")
    return Case(study, bones, reading.findings)


def _drawn_case(study: Study, drawn: Drawn, scratch: Path) -> tuple[Case, tuple[Gap, ...]]:
    grid = study.images["ct"].grid
    mapped = tuple(
        MappedSite(site, Region((_labelled(place, grid, scratch),))) for site, place in sorted(drawn.bones.items())
    )
    if drawn.lesions is None:
        return Case(study, mapped), ()
    parts = _parts(drawn.lesions, grid, scratch)
    sites = {number: _site_of(part, mapped, grid) for number, part in parts.items()}
    findings = tuple(
        Finding(f"lesion-{n}", site, "mixed", 1.0, Region((part,)), Point.centre_of(part, grid))
        for n, part in parts.items()
        if (site := sites[n])
    )
    where = f"of {drawn.lesions.name} lies in none of the bones given, nor within {CLOSE_MM:g} mm of one"
    gaps = tuple(Gap(f"lesion-{n}", "strength_loss", f"label {n} {where}") for n, site in sites.items() if not site)
    return Case(study, mapped, findings), gaps


def _site_of(lesion: Part, mapped: Sequence[MappedSite], grid: Grid) -> str:
    """The bone that holds most of a lesion, else, where a mask leaves lesions out, the bone that most of it lies at; ""
    where there is none."""
    bones = {m.site: bone for m in mapped if m.region is not None and (bone := m.region.on("ct")) is not None}
    within = {site: bone.overlap(lesion) for site, bone in bones.items()}
    held = within if any(within.values()) else {site: _voxels_at(bone, lesion, grid) for site, bone in bones.items()}
    return max((site for site in held if held[site]), key=lambda site: held[site], default="")


def _voxels_at(bone: Part, lesion: Part, grid: Grid) -> int:
    """How much of a lesion lies no farther from the bone than gaps in its outline are closed."""
    reach = int(np.ceil(CLOSE_MM / min(grid.spacing)))
    box = widened(lesion.box, reach, grid.shape)
    return int(np.count_nonzero(lesion.within(box) & shifted(bone.within(box), grid, reach)))


def _labelled(place: str, grid: Grid, scratch: Path) -> Part:
    name, colon, number = place.rpartition(":")
    path, label = (Path(name), int(number)) if colon and number.isdigit() else (Path(place), 1)
    parts = _parts(path, grid, scratch)
    if label not in parts:
        found = f"labels {sorted(parts)[:12]}, not {label}"
        raise IntakeError(f"use {path}", found, "Name the bone's label after a colon, such as bones.nii.gz:22")
    return parts[label]


def _parts(path: Path, grid: Grid, scratch: Path) -> dict[int, Part]:
    own, parts = read_numbered(path, scratch)
    if not own.matches(grid, _NEAR_MM):
        found = f"a grid of {own.shape}, not that of the CT, {grid.shape}, or one that lies elsewhere"
        raise UnsuitableStudyError(f"use {path}", found, "Resample the mask to the CT")
    return parts
