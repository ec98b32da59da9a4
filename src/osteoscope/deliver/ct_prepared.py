"""Cases of a dataset made ready once: the scan to train on, its bones, and what is marked as a Reading."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from osteoscope.deliver.bone_map import BONES_FILE, LEGEND_FILE, bones_beside
from osteoscope.deliver.ct_annotations import Annotated, load_case, unusable
from osteoscope.deliver.ct_cases import CtCase
from osteoscope.deliver.ct_label_names import checked_names
from osteoscope.deliver.ct_patients import Whose, doubles
from osteoscope.deliver.outputs import read_reading, write_reading
from osteoscope.deliver.ratings import Problem
from osteoscope.dicom.whole import whole
from osteoscope.dicom.write_nifti import write_bone_labels
from osteoscope.domain.reading import Case, MappedSite, Provenance, Reader, Reading, StudyRecord, regions_of
from osteoscope.domain.study import Study
from osteoscope.errors import OutputError
from osteoscope.find.ct_lesion_windows import STEP_MM
from osteoscope.measure.size import size
from osteoscope.train.ct_scans import MARGIN_MM, NotSeen, Scan, prepare_all_of

Progress = Callable[[str, int, int], None]
READING_FILE, _SCAN_FILE, _DONE_FILE = "reading.json", "scan.npz", "case.json"
_FORM = 2  # of what is kept; another is made again
_SHOWN = 8


@dataclass(frozen=True)
class Prepared:
    """A case made ready.

    Args:
        case: where it came from.
        whose: what tells whose it is.
        folder: holds scan.npz, reading.json (what is marked), bones.nii.gz and bones.json.
        lesions: number marked that training sees.
        marks: SHA-256 of the labels of its scan.
        notes: what of its masks is not used, and doubts about its CT.
        patient: whose it is, "" until the dataset is divided.
    """

    case: CtCase
    whose: Whose
    folder: Path
    lesions: int
    marks: str
    notes: tuple[Problem, ...] = ()
    patient: str = ""

    @property
    def scan(self) -> Path:
        """As training draws from it."""
        return self.folder / _SCAN_FILE

    def bones_of(self, _study: Study) -> tuple[MappedSite, ...]:
        """Its bones, as a plan maps sites."""
        return bones_beside(self.folder / READING_FILE, read_reading(self.folder / READING_FILE))


def prepare_all(
    cases: Sequence[CtCase], folder: Path, names: str, progress: Progress
) -> tuple[tuple[Prepared, ...], tuple[Problem, ...]]:
    """Make cases ready, or take those that are already; one that cannot be used is a problem, the others stand.

    Of cases with the same CT none is used.

    Raises:
        InvalidValueError: ``names`` is no regular expression.
        OutputError: what is made ready cannot be written.
    """
    made: list[Prepared] = []
    problems: list[Problem] = []
    wanted = checked_names(names)
    for number, case in enumerate(cases):
        progress(f"prepare {case.name}", number, len(cases))
        try:
            made.append(_prepared(case, folder / case.name, wanted))
        except Exception as error:
            if isinstance(error, OutputError) and error.__cause__ is not None:
                raise  # of the disk, not of the case
            problems.append(unusable(case, error))
    twice = doubles([one.whose for one in made])
    kept = tuple(one for one in made if one.case.name not in twice)
    return kept, (*problems, *twice.values(), *(note for one in kept for note in one.notes))


def _prepared(case: CtCase, folder: Path, names: str) -> Prepared:
    wanted = [[_FORM, version("osteoscope"), STEP_MM], [_state(file) for file in case.files], names]
    if done := _done(case, folder, wanted):
        return done
    found = load_case(case, names)
    lesions = [lesion.region for lesion in found.lesions]
    scan, not_seen = prepare_all_of(found.study, regions_of(found.mapped), lesions, found.benign)
    seen = len(lesions) - len(not_seen.far) - len(not_seen.covered)
    marks = hashlib.sha256(scan.label.tobytes()).hexdigest()
    notes = (*found.notes, *_of_not_seen(case, found, not_seen))
    made = Prepared(case, found.whose, folder, seen, marks, notes)
    try:
        _write(made, scan, found, wanted)
    except OSError as error:
        remedy = "Free space on the disk, or choose a folder that can be written with -o"
        raise OutputError(f"write {folder}", str(error), remedy) from error
    return made


def _done(case: CtCase, folder: Path, wanted: Any) -> Prepared | None:
    """The case as made ready before, if all of that is there and was made of the same files in the same way."""
    needed = (_SCAN_FILE, READING_FILE, BONES_FILE, LEGEND_FILE)
    if not all((folder / name).is_file() for name in needed):
        return None
    try:
        done: Mapping[str, Any] = json.loads((folder / _DONE_FILE).read_text(encoding="utf-8"))
        if done["case"] != wanted:
            return None
        # The table may name another patient or case now.
        whose = Whose(**(done["whose"] | {"case": case.name, "file": str(case.ct), "said": case.patient}))
        notes = tuple(Problem(**note) for note in done["notes"])
        return Prepared(case, whose, folder, int(done["lesions"]), str(done["marks"]), notes)
    except (OSError, ValueError, KeyError, TypeError):
        return None  # cut off, or of an earlier version


def _write(made: Prepared, scan: Scan, found: Annotated, wanted: Any) -> None:
    folder = made.folder
    if (folder / _DONE_FILE).is_file():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    scan.save(made.scan)
    write_reading(_reading(found), folder / READING_FILE)
    write_bone_labels(Case(found.study, found.mapped), folder / BONES_FILE)
    state = {"case": wanted, "whose": asdict(made.whose), "lesions": made.lesions, "marks": made.marks}
    state["notes"] = [asdict(note) for note in made.notes]
    with whole(folder / _DONE_FILE) as draft:
        draft.write_text(json.dumps(state, indent=1) + "\n", encoding="utf-8")


def _of_not_seen(case: CtCase, found: Annotated, lost: NotSeen) -> tuple[Problem, ...]:
    said = (
        (
            lost.far,
            f"more than {MARGIN_MM:g} mm off any bone found",
            "Check the mask, or give bones",
        ),
        (lost.covered, f"smaller than a voxel of {STEP_MM:g} mm, or covered by others", "Check the mask"),
    )
    shown = [(", ".join(found.lesions[n].id for n in numbers[:_SHOWN]), len(numbers), why, remedy)
             for numbers, why, remedy in said if numbers]  # fmt: skip
    return tuple(
        Problem(str(case.lesions[0]), None, "", f"{number} of {len(found.lesions)} lesions ({names}) not learnt: {why}",
                remedy, lost=False)
        for names, number, why, remedy in shown
    )  # fmt: skip


def _state(path: Path) -> list[list[str | int]]:
    """Name, size and time of a file, or of all below a folder: marks that were corrected in place are others."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    found = [(file, file.stat()) for file in files if file.is_file()]
    return [[str(file), state.st_size, state.st_mtime_ns] for file, state in found]


def _reading(found: Annotated) -> Reading:
    """What is marked, measured as a finding would be."""
    case = Case(found.study, found.mapped, found.lesions)
    measured = tuple(
        replace(lesion, measures=lesion.measures or size(case, lesion)) for lesion in found.lesions
    )  # fmt: skip
    study = replace(StudyRecord.of(found.study), patient=replace(found.study.patient, id=found.whose.name))
    reader = Reader("person", "marks of the dataset")
    return Reading(study, reader, measured, (), (), Provenance("osteoscope train ct"))
