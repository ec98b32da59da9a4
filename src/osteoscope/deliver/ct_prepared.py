"""Cases of a dataset made ready once: the scan to train on, its bones, and what is marked as a Reading."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from osteoscope.deliver.bone_map import BONES_FILE, bones_beside
from osteoscope.deliver.ct_annotations import Annotated, load_case, unusable
from osteoscope.deliver.ct_cases import CtCase
from osteoscope.deliver.ct_label_names import LESION_NAMES
from osteoscope.deliver.outputs import read_reading, write_reading
from osteoscope.deliver.ratings import Problem
from osteoscope.dicom.write_nifti import write_bone_labels
from osteoscope.domain.reading import Case, MappedSite, Provenance, Reader, Reading, StudyRecord, regions_of
from osteoscope.domain.study import Study
from osteoscope.measure.size import size
from osteoscope.train.ct_scans import prepare

Progress = Callable[[str, int, int], None]
READING_FILE, _SCAN_FILE, _DONE_FILE = "reading.json", "scan.npz", "case.json"


@dataclass(frozen=True)
class Prepared:
    """A case made ready.

    Args:
        case: where it came from.
        patient: whose it is.
        folder: holds scan.npz, reading.json (what is marked), bones.nii.gz and bones.json.
        lesions: number marked.
        notes: what of its masks is not used, and doubts about its CT.
    """

    case: CtCase
    patient: str
    folder: Path
    lesions: int
    notes: tuple[Problem, ...] = ()

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
    """Make cases ready, or take those that are already; one that cannot be used is a problem, the others stand."""
    made: list[Prepared] = []
    problems: list[Problem] = []
    for number, case in enumerate(cases):
        progress(f"prepare {case.name}", number, len(cases))
        try:
            made.append(_prepared(case, folder / case.name, names))
            problems += made[-1].notes
        except Exception as error:  # noqa: BLE001 - one bad case never stops a batch
            problems.append(unusable(case, error))
    return tuple(made), tuple(problems)


def _prepared(case: CtCase, folder: Path, names: str) -> Prepared:
    note = folder / _DONE_FILE
    files = [case.ct, *case.lesions, *filter(None, [case.bones])]
    wanted = [[_state(file) for file in files], case.patient, names]
    if note.is_file():
        done = json.loads(note.read_text(encoding="utf-8"))
        if done["case"] == wanted:
            notes = tuple(Problem(**note) for note in done["notes"])
            return Prepared(case, done["patient"], folder, done["lesions"], notes)
        shutil.rmtree(folder)
    found = load_case(case, names or LESION_NAMES)
    scan = prepare(found.study, regions_of(found.mapped), [lesion.region for lesion in found.lesions], found.benign)
    folder.mkdir(parents=True, exist_ok=True)
    scan.save(folder / _SCAN_FILE)
    write_reading(_reading(found), folder / READING_FILE)
    write_bone_labels(Case(found.study, found.mapped), folder / BONES_FILE)
    state = {"case": wanted, "patient": found.patient, "lesions": len(found.lesions)}
    state["notes"] = [asdict(note) for note in found.notes]
    note.write_text(json.dumps(state, indent=1) + "\n", encoding="utf-8")
    return Prepared(case, found.patient, folder, len(found.lesions), found.notes)


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
    study = replace(StudyRecord.of(found.study), patient=replace(found.study.patient, id=found.patient))
    reader = Reader("person", "marks of the dataset")
    return Reading(study, reader, measured, (), (), Provenance("osteoscope train ct"))
