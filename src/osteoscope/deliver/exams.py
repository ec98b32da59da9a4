"""What a user gives for one date, as a Reading with its site map: DICOM, a reading.json, or a folder of results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from osteoscope.deliver.bone_map import bones_beside
from osteoscope.deliver.outputs import read_reading
from osteoscope.deliver.ratings import as_level
from osteoscope.deliver.unit_map import UNITS_FILE, read_units
from osteoscope.dicom.load import IntakeOptions, load, scan
from osteoscope.domain.finding import Measure
from osteoscope.domain.reading import Case, MappedSite, Reading
from osteoscope.errors import IntakeError, InvalidValueError, UnsuitableStudyError
from osteoscope.reading.read import read
from osteoscope.stats.lesion_identity import Exam
from osteoscope.stats.ratings import SCALES, Scale

Progress = Callable[[str, int, int], None]
READING_FILE = "reading.json"
_SHOWN_LABELS = 4


@dataclass(frozen=True, eq=False)
class Taken:
    """One date as it came in.

    Args:
        exam: the Reading and its site map.
        case: with the images, None where a reading.json was given.
    """

    exam: Exam
    case: Case | None


def take(path: Path, scratch: Path, options: IntakeOptions, progress: Progress) -> Taken:
    """The date that a path stands for.

    Args:
        path: a reading.json, a folder with one, or the images of one study (file, folder, zip).
        scratch: an empty folder that lives as long as the images are needed.
        options: of the intake of DICOM.
        progress: called with (stage, done, total).

    Raises:
        IntakeError: there is nothing there, not one study, a refused one, a file that is no reading.json, or
            one with a level that its score does not have.
        UnsuitableStudyError: no plan suits the study.
    """
    if not path.exists():
        raise IntakeError(f"compare {path}", "no such file or folder", "Check the path")
    if path.is_file() and path.suffix.lower() == ".json":
        return Taken(_from_json(path, path), None)
    if path.is_dir() and (path / READING_FILE).is_file():
        return Taken(_from_json(path, path / READING_FILE), None)
    return _from_dicom(path, scratch, options, progress)


def _from_json(given: Path, file: Path) -> Exam:
    try:
        reading = read_reading(file)
        _check_levels(given, reading)
        beside = bones_beside if reading.study.kind == "ct" else _units_beside
        return Exam(str(given), reading, beside(file, reading))
    except (OSError, InvalidValueError, UnicodeDecodeError) as error:
        raise IntakeError(
            f"compare {given}", f"it is no reading.json of this version ({error})", "Read the DICOM study again"
        ) from error


def _check_levels(given: Path, reading: Reading) -> None:
    for scale in SCALES.values():
        for name in scale.sites:
            said = reading.site(name)
            level = said.measure(scale.name) if said else None
            if level is not None and (found := _off_the_scale(level, scale)):
                asked, remedy = f"compare {given}", f"Give whole levels of 0 to {scale.top}, or read the study again"
                raise IntakeError(asked, f"{scale.name} of {name} is {found}", remedy)


def _off_the_scale(level: Measure, scale: Scale) -> str:
    """What no reader can have said, or ""."""
    if not isinstance(as_level(f"{level.value:g}", scale), int):
        return f"level {level.value:g}"
    low, high = level.interval or (0, scale.top)
    return "" if low >= 0 and high <= scale.top else f"level {level.value:g} with the interval {low:g} to {high:g}"


def _units_beside(file: Path, reading: Reading) -> tuple[MappedSite, ...]:
    """The site map that `osteoscope read` put beside its reading.json; () where it is absent or of another study."""
    path = file.with_name(UNITS_FILE)
    if file.name != READING_FILE or not path.is_file():
        return ()
    try:
        units = read_units(path)
        held = units.units if units.study == reading.study.uid else ()
        for unit in held:
            if unit.region is not None:
                reading.study.check_holds(unit.site, unit.region)
    except (OSError, InvalidValueError, UnicodeDecodeError) as error:
        remedy = "Read the study again, or remove that file"
        raise IntakeError(f"read {path}", f"no site map ({error})", remedy) from error
    return held


def check_searched(reading: Reading, asked: str, remedy: str) -> None:
    """Refuse a Reading that was not searched: its empty list says nothing.

    Raises:
        UnsuitableStudyError: it was not.
    """
    if missed := reading.unsearched:
        why = "; ".join(f"{gap.step}: {gap.reason}" for gap in missed)
        raise UnsuitableStudyError(asked, f"not searched for lesions ({why})", remedy)


def _from_dicom(path: Path, scratch: Path, options: IntakeOptions, progress: Progress) -> Taken:
    found = scan(path, scratch, options, progress)
    if not found.candidates:
        why = "; ".join(f"{note.file}: {note.problem}" for note in found.notes[:_SHOWN_LABELS]) or "it is empty"
        raise IntakeError(f"compare {path}", f"no study in it ({why})", "Give DICOM, a reading.json or its folder")
    if len(found.candidates) > 1:
        labels = "; ".join(candidate.label for candidate in found.candidates[:_SHOWN_LABELS])
        raise IntakeError(
            f"compare {path}", f"{len(found.candidates)} studies in it ({labels})", "Give one study for each date"
        )
    arrival = load(found.candidates[0], scratch, options, progress)
    if arrival.study is None:
        why = "; ".join(f"{note.file}: {note.problem}" for note in arrival.notes if note.level == "refused")
        raise IntakeError(f"compare {path}", f"the study was refused ({why})", "Mend the files or leave this date out")
    outcome = read(arrival.study, progress=progress)
    return Taken(Exam(str(path), outcome.reading, outcome.case.mapped), outcome.case)
