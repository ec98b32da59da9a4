"""Reads every study of an input; one bad study never stops the rest."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from osteoscope.deliver.adapted import adapted
from osteoscope.deliver.output_folder import INTAKE, check_free, study_folder, study_folders
from osteoscope.deliver.outputs import OutputOptions, deliver
from osteoscope.deliver.own_files import clear, files_below, move_in, own
from osteoscope.dicom.load import Arrival, Candidate, IntakeOptions, load, scan
from osteoscope.domain import codec
from osteoscope.domain.reading import Reading
from osteoscope.domain.study import IntakeNote, Study
from osteoscope.errors import InvalidValueError, OsteoscopeError, OutputError
from osteoscope.measure.adaptation_card import Card
from osteoscope.measure.score_choices import chosen
from osteoscope.reading.bones import by_choice
from osteoscope.reading.lesions import by_model
from osteoscope.reading.plan_table import plan_for
from osteoscope.reading.planar_plans import scored_by
from osteoscope.reading.read import read
from osteoscope.reading.strength import with_strength
from osteoscope.report.wording import number, unit

Progress = Callable[[str, int, int], None]
State = Literal["read", "not assessed", "refused", "failed"]


@dataclass(frozen=True)
class BatchOptions:
    """How a batch is taken in, read and written.

    Args:
        intake, outputs: of each study.
        baseline: read without trained models.
        adaptation: card of a hospital's adaptation.
        scores: choices of scoring that differ from those of the plan, such as "level=counted".
        lesions: a model of `train ct` that is to find the lesions of a CT.
        bones: "totalsegmentator" or "nnunet:PATH" where another network is to find the bones of a CT.
        strength: whether to load every femur and vertebra that has a lesion.
    """

    intake: IntakeOptions = field(default_factory=IntakeOptions)
    outputs: OutputOptions = field(default_factory=OutputOptions)
    baseline: bool = False
    adaptation: Card | None = None
    scores: tuple[str, ...] = ()
    bones: str = ""
    lesions: Path | None = None
    strength: bool = False

    def __post_init__(self) -> None:
        chosen(self.scores)
        if self.adaptation and self.scores:
            found = "an adaptation and choices of scoring"
            raise InvalidValueError("read", found, "Give one: an adaptation is learnt under the default choices")


@dataclass(frozen=True)
class Row:
    """One study of the closing table; "not assessed" has a Reading that makes no statement, and says why."""

    label: str
    state: State
    folder: str
    summary: str
    notes: tuple[IntakeNote, ...] = ()


@dataclass(frozen=True)
class Batch:
    """What became of an input: a row per study, and notes on files of no study."""

    rows: tuple[Row, ...]
    notes: tuple[IntakeNote, ...]

    @property
    def read(self) -> int:
        """Number of studies read."""
        return sum(row.state == "read" for row in self.rows)


def read_all(inputs: Sequence[Path], folder: Path, options: BatchOptions, progress: Progress) -> Batch:
    """Read every study found in files, folders and archives.

    Results of a single study read lie in ``folder`` itself, those of several in folders of their own within it.
    ``intake.json`` in ``folder`` says what became of every file; ``written.json`` beside results lists them, so that
    a later run removes these and nothing else.

    Raises:
        IntakeError: an input does not exist.
        OutputError: the folder cannot be written, or results would go among images or over files of the user.
    """
    check_free(folder, inputs)
    with tempfile.TemporaryDirectory(prefix="osteoscope-") as temporary:
        found = scan(inputs, Path(temporary), options.intake, progress)
        with _written_to(folder):
            folder.mkdir(parents=True, exist_ok=True)
        rows = [
            _read_one(candidate, study_folder(folder, number), options, progress)
            for number, candidate in enumerate(found.candidates, 1)
        ]
    with _written_to(folder), _draft(folder) as draft:
        _clear_former(folder, {Path(row.folder) for row in rows if row.folder})
        batch = Batch(_lifted(rows, folder), found.notes)
        text = json.dumps(codec.encode(batch), indent=1, ensure_ascii=False)
        (draft / INTAKE).write_text(text + "\n", "utf-8")
        move_in(draft, [INTAKE], folder)
    return batch


@contextmanager
def _written_to(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"write {folder}", str(error), "Choose a folder that can be written with -o") from error


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    """An empty folder within, that is gone at the end."""
    with tempfile.TemporaryDirectory(prefix=".osteoscope-", dir=folder) as draft:
        yield Path(draft)


def _lifted(rows: Sequence[Row], folder: Path) -> tuple[Row, ...]:
    """The rows, the results of a single Reading moved up into the folder itself."""
    done = [row for row in rows if row.folder]
    if len(done) != 1:
        return tuple(rows)
    study = Path(done[0].folder)
    move_in(study, own(study), folder)
    _clear(study)
    return tuple(replace(row, folder=str(folder)) if row is done[0] else row for row in rows)


def _clear_former(folder: Path, written: set[Path]) -> None:
    """Remove what an earlier run left in the same folder, where this one wrote any: it is not to be taken for its."""
    if written:
        clear(folder)
        for study in set(study_folders(folder)) - written:
            _clear(study)


def _clear(study: Path) -> None:
    clear(study)
    if not any(study.iterdir()):
        study.rmdir()


def _read_one(candidate: Candidate, folder: Path, options: BatchOptions, progress: Progress) -> Row:
    with tempfile.TemporaryDirectory(prefix="osteoscope-") as scratch:
        return _read_within(candidate, folder, Path(scratch), options, progress)


def _read_within(candidate: Candidate, folder: Path, scratch: Path, options: BatchOptions, progress: Progress) -> Row:
    try:
        arrival = load(candidate, scratch, options.intake, progress)
        if arrival.study is None:
            return Row(arrival.label, "refused", "", _why(arrival), arrival.notes)
        return _deliver_study(arrival.study, arrival.label, folder, options, progress)
    except OsteoscopeError as error:
        return Row(candidate.label, "failed", "", str(error))
    except Exception as error:  # noqa: BLE001 - one bad study never stops a batch
        return Row(candidate.label, "failed", "", f"{type(error).__name__}: {error}")


def _deliver_study(study: Study, label: str, folder: Path, options: BatchOptions, progress: Progress) -> Row:
    plan = plan_for(study, options.baseline)
    plan = scored_by(plan, options.scores) if options.scores else plan
    plan = adapted(plan, options.adaptation) if options.adaptation else plan
    plan = by_choice(plan, options.bones) if options.bones else plan
    plan = by_model(plan, options.lesions) if options.lesions else plan
    plan = with_strength(plan) if options.strength else plan
    outcome = read(study, plan, progress)
    with _draft(folder.parent) as draft:
        reading = deliver(outcome, draft, options.outputs)
        clear(folder)
        move_in(draft, files_below(draft), folder)
    state: State = "not assessed" if reading.unsearched else "read"
    return Row(label, state, str(folder), summarise(reading), study.intake)


def _why(arrival: Arrival) -> str:
    refusals = [f"{note.file}: {note.problem} ({note.action})" for note in arrival.notes if note.level == "refused"]
    return "; ".join(refusals[:3]) or "refused without a note"


def summarise(reading: Reading) -> str:
    """One line on a Reading: its measures with intervals, else what was not done, a failed search before all else."""
    if reading.unsearched:
        return f"no statement can be made: {'; '.join(gap.reason for gap in reading.unsearched)}"
    shown = []
    for measure in reading.measures:
        interval = f" [{'-'.join(number(end) for end in measure.interval)}]" if measure.interval else ""
        name = measure.name.replace("_", " ")
        shown.append(f"{name} {number(measure.value)}{interval} {unit(measure.unit)}".rstrip())
    return ", ".join(shown) or "; ".join(gap.reason for gap in reading.gaps) or "nothing measured"
