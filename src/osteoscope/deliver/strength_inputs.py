"""What a strength is asked of: a CT with its bones and lesions, read now, read before, or drawn by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from osteoscope.deliver.bone_map import bones_beside
from osteoscope.deliver.outputs import read_reading
from osteoscope.dicom.load import IntakeOptions, load, scan
from osteoscope.dicom.read_labels import read_numbered
from osteoscope.domain.finding import Finding, Part, Point, Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.reading import Case, MappedSite
from osteoscope.domain.study import Study
from osteoscope.errors import IntakeError, UnsuitableStudyError
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


def case_of(paths: Sequence[Path], drawn: Drawn, scratch: Path, progress: Progress) -> Case:
    """The CT among the paths with its bones and lesions: drawn ones, else those of a reading among the paths, else
    read now.

    Raises:
        IntakeError: not one CT, masks or a reading of another CT, or files that cannot be read.
        UnsuitableStudyError: no CT.
    """
    readings = [found for path in paths if (found := _reading_at(path)) is not None]
    images = [path for path in paths if _reading_at(path) is None]
    if not images:
        without = f"a reading ({readings[0]}) without its CT" if readings else "no path"
        remedy = "Give the CT too: osteoscope strength CT READING_FOLDER --site ..."
        raise IntakeError("compute a strength", without, remedy)
    study = _study(images, scratch, progress)
    if drawn.bones:
        return _drawn_case(study, drawn, scratch)
    return _read_before(study, readings[0]) if readings else read(study, progress=progress).case


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


def _drawn_case(study: Study, drawn: Drawn, scratch: Path) -> Case:
    grid = study.images["ct"].grid
    mapped = tuple(
        MappedSite(site, Region((_labelled(place, grid, scratch),))) for site, place in sorted(drawn.bones.items())
    )
    if drawn.lesions is None:
        return Case(study, mapped)
    parts = _parts(drawn.lesions, grid, scratch)
    findings = [finding for n, part in parts.items() if (finding := _finding(n, part, mapped, grid))]
    return Case(study, mapped, tuple(findings))


def _finding(number: int, part: Part, mapped: Sequence[MappedSite], grid: Grid) -> Finding | None:
    """A lesion in the bone that holds most of it; None where it lies in none of them."""
    region = Region((part,))
    overlaps = {m.site: m.region.overlap(region) for m in mapped if m.region is not None}
    site = max(overlaps, key=lambda name: overlaps[name])
    if not overlaps[site]:
        return None
    return Finding(f"lesion-{number}", site, "mixed", 1.0, region, Point.centre_of(part, grid))


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
