"""A hospital's marked CTs into a lesion model: model/ with its card, held-out figures, everything needed to resume."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from osteoscope.deliver.ct_cases import list_cases
from osteoscope.deliver.ct_gain import Gain, gain
from osteoscope.deliver.ct_held_out import TABLE, Detect, complete, judge, verdict
from osteoscope.deliver.ct_label_names import checked_names
from osteoscope.deliver.ct_outputs import (
    AFTER,
    BEFORE,
    CASES,
    MODEL_FOLDER,
    RUN,
    SPLIT_FILE,
    check_apart,
    read_kept,
)  # fmt: skip
from osteoscope.deliver.ct_prepared import prepare_all
from osteoscope.deliver.ct_run import begin_run, learn, learnt
from osteoscope.deliver.ct_split import Divided, Stored, divide
from osteoscope.deliver.ct_start import start_of
from osteoscope.deliver.evaluation import Evaluated, EvaluationOptions
from osteoscope.deliver.ratings import Problem
from osteoscope.deliver.writable import make_writable
from osteoscope.errors import IntakeError, InvalidValueError, UnsuitableStudyError
from osteoscope.find import ct_lesion_network, ct_lesions
from osteoscope.find.model import Model
from osteoscope.report.wording import count
from osteoscope.train.ct_lesion_tune import Split, TuneOptions, export_tuned
from osteoscope.train.exporting import Story
from osteoscope.train.fitting import examples_done

Progress = Callable[[str, int, int], None]
_SHOWN = 4


@dataclass(frozen=True)
class TrainOptions:
    """How a model is trained.

    Args:
        tune: of the fit.
        start: card of a model to go on from; None for the shipped one where there is one.
        anew: begin with a new network.
        names: regular expression of lesion labels in DICOM files, "" for the default.
        share: of the patients held out.
        release: version that the card names.
        evaluation: of the held-out scans.

    Raises:
        InvalidValueError: ``names`` is no regular expression, or a start is given for a new network.
    """

    tune: TuneOptions = field(default_factory=TuneOptions)
    start: Path | None = None
    anew: bool = False
    names: str = ""
    share: float = 0.2
    release: str = "1"
    evaluation: EvaluationOptions = field(default_factory=EvaluationOptions)

    def __post_init__(self) -> None:
        checked_names(self.names)
        if self.anew and self.start is not None:
            raise InvalidValueError("train", f"a new network, and {self.start} to start from", "Give one of the two")


@dataclass(frozen=True)
class Trained:
    """What became of a training.

    Args:
        card: path of the model's card.
        lines: mean losses between checkpoints of this run.
        split: patients by role, with those of earlier runs that are not in the dataset now.
        after, before: evaluations on the held-out patients, of the new model and of what it began with (of the
            classical baseline where it is new).
        gain: in sensitivity, by the same patients.
        problems: cases that could not be used, held-out ones that could not be judged on, and what else is to be known.
    """

    card: Path
    lines: tuple[Mapping[str, float], ...]
    split: Split
    after: Evaluated
    before: Evaluated
    gain: Gain
    problems: tuple[Problem, ...]

    @property
    def verdict(self) -> str:
        """Whether it helped on the held-out scans, in a sentence."""
        return verdict(self.before, self.after, self.gain)


def train_ct(dataset: Path, folder: Path, options: TrainOptions, progress: Progress) -> Trained:
    """Train on a dataset; run again to resume after an interruption or to go on with more steps.

    ``folder`` holds cases/ (scans made ready), run/ (checkpoints, log.jsonl, what was learnt from), model/
    (ct_lesions.onnx and .json), evaluation/ and evaluation-before/ (of the held-out patients), split.json.

    Raises:
        IntakeError: no case that can be used, or the folder holds a training that this one does not go on from.
        UnsuitableStudyError: fewer than three patients.
        ModelError: the model to go on from is none, or the training diverged.
        OutputError: the folder cannot be written, or holds scans of the dataset.
    """
    listed = list_cases(dataset, folder)
    check_apart(dataset, (file for case in listed.cases for file in case.files), folder)
    make_writable(folder)
    begin = start_of(options.start, options.anew)
    start, run = begin.model, folder / RUN
    read_kept(Stored, folder / SPLIT_FILE)  # one that cannot be gone on from is refused before the work
    begin_run(run, start, options.tune.width)
    cases, failed = prepare_all(listed.cases, folder / CASES, options.names, progress)
    problems = (*begin.problems, *listed.problems, *failed)
    if not cases:
        why = next((problem for problem in problems if problem.lost), "")
        raise IntakeError(f"train on {dataset}", f"no case that can be used ({why})", "Mend the files named")
    try:
        parts = divide(cases, folder / SPLIT_FILE, (options.share, options.tune.seed), begin.elder)
    except (IntakeError, UnsuitableStudyError) as error:
        found = "; ".join([error.found, *(f"not usable: {problem}" for problem in problems if problem.lost)][:_SHOWN])
        raise type(error)(error.asked, found, error.remedy) from error
    lines, wanted = [], options.tune.steps * options.tune.batch
    for line in learn(run, parts.training, start, options.tune):
        progress(f"loss {sum(line[n] for n in ('classes', 'lesion')):.3f}", int(line["examples"]), wanted)
        lines.append(line)
    progress("calibrate", 0, 0)
    card = export_tuned(
        run, folder / MODEL_FOLDER, [case.scan for case in parts.calibration], start,
        _story(run, parts, start, options.release), options.tune,
    )  # fmt: skip
    detectors: dict[str, Detect] = {
        BEFORE: partial(ct_lesion_network.find_lesions, model=start) if start else ct_lesions.find_lesions,
        AFTER: partial(ct_lesion_network.find_lesions, model=Model.load(card)),
    }
    before, after = (
        judge(parts.held_out, detect, folder / name, (options.evaluation, progress))
        for name, detect in detectors.items()
    )
    complete(card, after)
    gained = gain(folder / BEFORE / TABLE, folder / AFTER / TABLE, options.evaluation.detection)
    told = (*problems, *parts.problems, *after.evaluation.problems)
    return Trained(card, tuple(lines), parts.split, after, before, gained, told)


def _story(run: Path, parts: Divided, start: Model | None, release: str) -> Story:
    """What steps were made on in any run, whatever is in the dataset now."""
    scans = learnt(run).scans.values()
    origin = f"{start.card.name} {start.card.version} ({start.card.sha256[:12]})" if start else "a new network"
    roles = [[case.patient for case in role] for role in (parts.calibration, parts.held_out)]
    said = [_scans_of(patients) for patients in ([scan.patient for scan in scans], *roles)]
    data = (
        f"{origin}, trained on {said[0]} of a hospital's own dataset with {sum(scan.lesions for scan in scans)} "
        f"marked lesions, and on lesions put in; {examples_done(run)} examples; {said[1]} calibrate, "
        f"{said[2]} are held out"
    )
    limits = (
        "trained on one hospital's marks: what was not marked there is learnt as healthy",
        "lesions that touch are one finding",
        "bone beside metal is not searched",
    )
    return Story(release, data, limits)


def _scans_of(patients: Sequence[str]) -> str:
    return f"{count(len(patients), 'scan')} of {count(len(set(patients)), 'patient')}"
