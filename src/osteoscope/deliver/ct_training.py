"""A hospital's marked CTs into a lesion model: model/ with its card, held-out figures, everything needed to resume."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from osteoscope.deliver.ct_cases import list_cases
from osteoscope.deliver.ct_held_out import Detect, complete, judge, verdict
from osteoscope.deliver.ct_prepared import Prepared, prepare_all
from osteoscope.deliver.evaluation import Evaluated, EvaluationOptions
from osteoscope.deliver.ratings import Problem
from osteoscope.errors import IntakeError
from osteoscope.find import ct_lesion_network, ct_lesions
from osteoscope.find.ct_lesion_windows import MODEL
from osteoscope.find.model import Model, is_shipped, shipped
from osteoscope.report.wording import count
from osteoscope.train.ct_lesion_tune import Split, TuneOptions, export_tuned, split, tune
from osteoscope.train.exporting import Story

Progress = Callable[[str, int, int], None]


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
    """

    tune: TuneOptions = field(default_factory=TuneOptions)
    start: Path | None = None
    anew: bool = False
    names: str = ""
    share: float = 0.2
    release: str = "1"
    evaluation: EvaluationOptions = field(default_factory=EvaluationOptions)


@dataclass(frozen=True)
class Trained:
    """What became of a training.

    Args:
        card: path of the model's card.
        lines: mean losses between checkpoints of this run.
        split: patients by role.
        after, before: evaluations on the held-out patients, of the new model and of what it began with (of the
            classical baseline where it is new).
        problems: cases that could not be used, and held-out ones that could not be judged on.
    """

    card: Path
    lines: tuple[Mapping[str, float], ...]
    split: Split
    after: Evaluated
    before: Evaluated
    problems: tuple[Problem, ...]

    @property
    def verdict(self) -> str:
        """Whether it helped on the held-out scans, in a sentence."""
        return verdict(self.before, self.after)


def train_ct(dataset: Path, folder: Path, options: TrainOptions, progress: Progress) -> Trained:
    """Train on a dataset; run again to resume after an interruption or to go on with more steps.

    ``folder`` holds cases/ (scans made ready), run/ (checkpoints, log.jsonl), model/ (ct_lesions.onnx and .json),
    evaluation/ and evaluation-before/ (of the held-out patients), split.json.

    Raises:
        IntakeError: no case that can be used.
        UnsuitableStudyError: fewer than three patients.
        ModelError: the model to go on from is none, or the training diverged.
    """
    listed = list_cases(dataset)
    cases, failed = prepare_all(listed.cases, folder / "cases", options.names, progress)
    problems = (*listed.problems, *failed)
    if not cases:
        raise IntakeError(f"train on {dataset}", f"no case that can be used ({problems[0]})", "Mend the files named")
    parts = keep_split(cases, folder, options)
    by_role = [[case for case in cases if case.patient in role] for role in
               (parts.training, parts.calibration, parts.held_out)]  # fmt: skip
    training, calibrating, held_out = by_role
    start = _start(options)
    same_run(folder / "run", start, options)
    lines = []
    for line in tune([case.scan for case in training], folder / "run", start, options.tune):
        progress(f"loss {sum(line[n] for n in ('classes', 'lesion')):.3f}", int(line["examples"]), _examples(options))
        lines.append(line)
    progress("calibrate", 0, 0)
    card = export_tuned(
        folder / "run", folder / "model", [case.scan for case in calibrating], start, _story(by_role, start, options),
        options.tune,
    )  # fmt: skip
    detectors: dict[str, Detect] = {
        "evaluation-before": partial(ct_lesion_network.find_lesions, model=start) if start else ct_lesions.find_lesions,
        "evaluation": partial(ct_lesion_network.find_lesions, model=Model.load(card)),
    }
    before, after = (
        judge(held_out, detect, folder / name, (options.evaluation, progress)) for name, detect in detectors.items()
    )
    complete(card, after)
    return Trained(card, tuple(lines), parts, after, before, (*problems, *after.evaluation.problems))


def _examples(options: TrainOptions) -> int:
    return options.tune.steps * options.tune.batch


def keep_split(cases: Sequence[Prepared], folder: Path, options: TrainOptions) -> Split:
    """The split, as written before, so that nothing trained on is ever held out; new patients join training.

    Raises:
        IntakeError: nobody is left of those that calibrate or are held out.
    """
    path = folder / "split.json"
    patients = sorted({case.patient for case in cases})
    if path.is_file():
        stored = json.loads(path.read_text(encoding="utf-8"))
        calibration, held_out = (
            tuple(p for p in stored[role] if p in patients) for role in ("calibration", "held_out")
        )
        if not calibration or not held_out:
            found = "patients held out before are no longer in the dataset"
            raise IntakeError(f"go on in {folder}", found, "Give them again, or another folder with -o")
        made = Split(tuple(p for p in patients if p not in {*calibration, *held_out}), calibration, held_out)
    else:
        made = split(patients, options.share, options.tune.seed)
    path.write_text(json.dumps(asdict(made), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return made


def _start(options: TrainOptions) -> Model | None:
    if options.anew:
        return None
    if options.start is not None:
        card = options.start / f"{MODEL}.json" if options.start.is_dir() else options.start
        return Model.load(card)
    return shipped(MODEL) if is_shipped(MODEL) else None


def same_run(folder: Path, start: Model | None, options: TrainOptions) -> None:
    """Note what a run began with, or see that it is the same.

    Raises:
        IntakeError: it began with another model or width.
    """
    folder.mkdir(parents=True, exist_ok=True)
    begun = {"start": start.card.sha256 if start else "", "width": 0 if start else options.tune.width}
    path = folder / "begun.json"
    if path.is_file() and json.loads(path.read_text(encoding="utf-8")) != begun:
        found = "a run that began with another model or another width"
        raise IntakeError(f"go on in {folder}", found, "Give the same options, or another folder with -o")
    path.write_text(json.dumps(begun) + "\n", encoding="utf-8")


def _story(by_role: Sequence[Sequence[Prepared]], start: Model | None, options: TrainOptions) -> Story:
    training = by_role[0]
    patients = [len({case.patient for case in role}) for role in by_role]
    origin = f"{start.card.name} {start.card.version} ({start.card.sha256[:12]})" if start else "a new network"
    said = [f"{count(len(role), 'scan')} of {count(n, 'patient')}" for role, n in zip(by_role, patients, strict=True)]
    data = (
        f"{origin}, trained on {said[0]} of a hospital's own dataset with {sum(case.lesions for case in training)} "
        f"marked lesions, and on lesions put in; {_examples(options)} examples; {said[1]} calibrate, "
        f"{said[2]} are held out"
    )
    limits = (
        "trained on one hospital's marks: what was not marked there is learnt as healthy",
        "lesions that touch are one finding",
        "bone beside metal is not searched",
    )
    return Story(options.release, data, limits)
